/* Of a report: what became of each rule, from its counters (counter.def). Names are borrowed from the figures. */
#ifndef CONSUMER_REPORT_REPORT_RULES_H
#define CONSUMER_REPORT_REPORT_RULES_H

#include "report/figures.h"

#include <relance/decision.h>

struct report_count {
    const char *name;
    double count;
};

struct report_step {
    int64_t number; /* from 1 */
    double outcomes[RELANCE_OUTCOME_COUNT];
};

struct report_variant {
    const char *name; /* "": the rule has no split */
    double outcomes[RELANCE_OUTCOME_COUNT];
};

struct report_rule {
    const char *name; /* "": what is no rule's, such as errors of segments */
    double outcomes[RELANCE_OUTCOME_COUNT], goal_value; /* of all variants */
    struct report_step *steps;                          /* ascending */
    struct report_count *cancels; /* runs that an event of this type ended, most first */
    struct report_variant *variants;
    size_t step_count, cancel_count, variant_count;
};

struct report_limit {
    const char *name;
    double outcomes[RELANCE_OUTCOME_COUNT];
};

struct report_rules {
    struct report_rule *rules; /* by name */
    size_t rule_count;
    struct report_limit *limits; /* likewise */
    size_t limit_count;
};

/* The figures have been ended. */
void report_rules_take(struct report_rules *rules, const struct figures *figures);
void report_rules_free(struct report_rules *rules);

/* Why a run has not sent, or a trigger has begun none: of what outcomes, in their order; RELANCE_OUTCOME_COUNT ends it. */
extern const enum relance_outcome report_not_sent[];
/* Of the cancelled runs of a rule those that no event ended. */
double report_cancelled_otherwise(const struct report_rule *rule);

#endif
