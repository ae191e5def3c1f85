/* The metrics as numbers: every counter of a group and topic, summed over partitions, each understood by the
 * row of counter.def that it belongs to. */
#ifndef CONSUMER_REPORT_FIGURES_H
#define CONSUMER_REPORT_FIGURES_H

#include "report/metric.h"
#include "redis/view.h"

#include <stddef.h>
#include <stdio.h>

struct figure {
    char *name; /* as Redis has it: "rule.cart_abandoned.sent" */
    size_t row; /* of counter.def; METRIC_NO_ROW: none that this version knows */
    double value;
    /* what stands for the form's first placeholder: a type, reason, rule or channel; or NULL */
    char *first;
    char *outcome; /* of a rule's counter */
    char *variant; /* likewise, where there is one */
};

/* One value of a live instance. */
struct figure_live {
    char *instance, *field, *value;
};

struct figures {
    struct figure *items; /* by row, then name */
    size_t count;
    struct figure_live *lives; /* by instance, then as the instance has them */
    size_t live_count;
};

RELANCE_MUST enum relance_status figures_read(struct redis_view *view, struct figures *out,
                                              struct relance_error *error);
void figures_free(struct figures *figures);

/* NULL: there is none of that name. */
const struct figure *figures_find(const struct figures *figures, const char *name);

/* For people: counters, rules by outcome, live instances. `before` and `seconds` give rates; NULL: none. */
void figures_print_table(const struct figures *figures, const struct figures *before, double seconds,
                         FILE *out);
bool figures_print_json(const struct figures *figures, const char *group, const char *topic, FILE *out);
/* Prometheus's text format 0.0.4, of what this version knows; HELP is the row's prose (prometheus.c). */
void figures_print_prometheus(const struct figures *figures, const char *group, const char *topic, FILE *out);

#endif
