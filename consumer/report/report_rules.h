/* Of a report: what became of each rule, from its counters (counter.def). Names are borrowed from the figures. */
#ifndef CONSUMER_REPORT_REPORT_RULES_H
#define CONSUMER_REPORT_REPORT_RULES_H

#include "report/figures.h"
#include "report/lift.h"

#include <relance/decision.h>

enum { REPORT_FEEDBACKS = 4 };

struct report_count {
    const char *name;
    double count;
};

struct report_step {
    int64_t number; /* from 1 */
    double outcomes[RELANCE_OUTCOME_COUNT];
    double feedback[REPORT_FEEDBACKS]; /* as metric_feedback has them */
};

struct report_variant {
    const char *name; /* "": the rule has no split */
    double outcomes[RELANCE_OUTCOME_COUNT];
    struct lift_people people;
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

/* ---- lifts.c */

/* What a variant brings over the holdout of its rule; false: there is no such, or nobody in one of the two. */
bool report_lift(const struct report_rule *rule, const struct report_variant *variant, struct lift *out);
struct lift_people report_people(const struct report_rule *rule); /* of all variants */
/* Those that there are of a rule; `named`: each with the rule. */
struct cJSON;
void report_put_lifts(struct cJSON *list, const struct report_rule *rule, bool named);
/* A member `lift`, of all rules; and a table of all variants that have people, behind an empty line, or nothing. */
void figures_put_lifts(struct cJSON *root, const struct figures *figures);
void figures_print_lifts(const struct figures *figures, FILE *out);

/* As gauges, one metric after the other. */
struct report_gauge {
    const char *metric, *prose, *rule, *variant;
    double value;
};
typedef void report_lift_visit(void *context, const struct report_gauge *gauge);
void report_each_lift(const struct report_rules *rules, report_lift_visit *visit, void *context);

#endif
