/* What a replay comes to, rule by rule: what was decided how often, and what stood against the rest. */
#ifndef CONSUMER_REPORT_SUMMARY_H
#define CONSUMER_REPORT_SUMMARY_H

#include "report/tally.h"
#include <relance/decision.h>
#include <stdio.h>

/* A rule, or one of its variants. */
struct summary_row {
    char *name, *variant; /* variant empty: the whole rule */
    uint64_t counts[RELANCE_OUTCOME_COUNT];
    double money; /* what its goals are worth */
};

struct summary_rows {
    struct summary_row *list; /* in the order of their first decision, until sorted */
    size_t count, last;
};

struct summary {
    struct summary_rows rules, variants;
    struct tally reasons;
};

void summary_take(struct summary *summary, const struct relance_decision *decision);
void summary_sort(struct summary *summary); /* by name; then only for reading */
/* A row for each rule, below it one for each variant, with a column for each outcome that occurred; then what cancelled, capped, deferred and
 * failed, and how often. Sorts. */
void summary_print(struct summary *summary, FILE *out);
void summary_free(struct summary *summary);

#endif
