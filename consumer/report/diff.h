/* What another rule set would change: the same events decided under both, compared rule by rule and customer
 * by customer. Memory grows with customers and rules, not with events. */
#ifndef CONSUMER_REPORT_DIFF_H
#define CONSUMER_REPORT_DIFF_H

#include "report/summary.h"

enum diff_side { DIFF_NOW, DIFF_DRAFT, DIFF_SIDES };

struct diff {
    struct summary summaries[DIFF_SIDES];
    struct tally sends; /* by CUSTOMER NUL RULE */
};

void diff_take(struct diff *diff, enum diff_side side, const struct relance_decision *decision);
/* What changes in each rule; how many customers get more and less; ten of them. Sorts. */
void diff_print(struct diff *diff, FILE *out);
void diff_free(struct diff *diff);

#endif
