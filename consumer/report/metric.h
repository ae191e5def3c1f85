/* The names of metrics. Redis has them in words of ours: "rule.NAME.OUTCOME" of counter.def, "cycle_p50_ms" of
 * figure.def. Reading one backwards gives its row and its labels; Prometheus has them in base units, with a
 * suffix that says what they are: relance_rule_by_outcome_total, relance_live_cycle_p50_seconds. */
#ifndef CONSUMER_REPORT_METRIC_H
#define CONSUMER_REPORT_METRIC_H

#include "base/str.h"

#include <relance/forgot.h>
#include <stdbool.h>
#include <stddef.h>

/* The rows of counter.def. */
enum metric_row {
#define COUNTER(ENUM, name, prose)        METRIC_##ENUM,
#define COUNTER_FAMILY(ENUM, form, prose) METRIC_##ENUM,
#include "counter.def"
#undef COUNTER
#undef COUNTER_FAMILY
};

struct metric_counter {
    const char *form, *prose;
    bool is_family; /* the form has placeholders */
};
/* `row` counts from 0; NULL: there are no more. */
const struct metric_counter *metric_counter(size_t row);

/* What a counter's name is made of; parts that it does not have are empty. Borrowed from the name. */
struct metric_parts {
    size_t row; /* enum metric_row; METRIC_NO_ROW: none that this version knows */
    str first;  /* what stands for the form's first placeholder: a type, reason, rule, limit or channel */
    str outcome;
    str variant;
    str step;
    str event; /* its type */
    str feedback;
    str by; /* of a total */
};
#define METRIC_NO_ROW SIZE_MAX
struct metric_parts metric_take_apart(str name);

/* How many of ours are one of what Prometheus has: money is counted in ten-thousandths. */
double metric_counter_divisor(size_t row);

/* What events tell of sends, likewise. */
const char *metric_feedback(size_t at);

/* All outcomes that a rule's counter may have, in their order; `at` counts from 0; NULL: there are no more. */
const char *metric_outcome(size_t at);

/* A live figure, as figure.def has it; of times there are two. */
struct metric_live {
    const char *name, *prose;
    bool is_counter;
};
/* Ends with a row without a name. */
extern const struct metric_live metric_lives[];

/* Prometheus's name of a counter, and that of the label that its first part is the value of. */
#define METRIC_NAME_SIZE 128
void metric_counter_name(char out[METRIC_NAME_SIZE], const struct metric_counter *counter);
str metric_first_label(const struct metric_counter *counter);

/* The unit that a live figure's name ends with, what Prometheus calls it, and how many of ours are one of that. */
struct metric_unit {
    const char *ours, *theirs;
    double divisor;
};
const struct metric_unit *metric_unit(const char *name);
void metric_live_name(char out[METRIC_NAME_SIZE], const struct metric_live *live);

#endif
