/* The metrics as numbers: every counter of a group and topic, summed over partitions, each understood by the
 * row of counter.def that it belongs to. */
#ifndef CONSUMER_REPORT_FIGURES_H
#define CONSUMER_REPORT_FIGURES_H

#include "base/names.h"
#include "report/metric.h"
#include "report/sales_name.h"
#include "redis/view.h"

#include <stddef.h>
#include <stdio.h>

struct figure {
    char *name; /* as Redis has it: "rule.cart_abandoned.sent" */
    size_t row; /* of counter.def; METRIC_NO_ROW: none that this version knows */
    double value;
    /* what stands for the form's first placeholder: a type, reason, rule or channel; or NULL */
    char *first;
    char *outcome; /* of a rule's, a step's or a limit's counter */
    char *variant; /* of a rule's, where there is one */
    char *step;    /* of a step's */
    char *event;   /* what it was that ended runs */
    char *feedback;
    char *by;               /* of a total; NULL: it has no `by` */
    struct sales_name *sum; /* it is no counter, but a sum of sales; NULL: it is none */
};

/* One value of a live instance. */
struct figure_live {
    char *instance, *field, *value;
};

/* How a partition of the input stands, as whoever has it last said. A number that is not known is -1. */
struct figure_partition {
    const char *owner; /* an instance; NULL: nobody has it, as far as is known */
    char state[16];    /* as delivery/standing.h has it, or FIGURES_NOBODY */
    double lag, behind, published /* P */, clock_behind_s, checkpoint_age_s;
};
#define FIGURES_NOBODY    "nobody"
#define FIGURES_LIVE      "live"
#define FIGURES_PARTITION "partition." /* how the fields of lives begin that this comes from */
enum { FIGURES_PARTITIONS_MAX = 100000 };

struct figures {
    struct names names;   /* of the items, as long as there come more */
    struct figure *items; /* by row, then name */
    size_t count;
    struct figure_live *lives; /* by instance, then as the instance has them */
    size_t live_count;
    struct figure_partition *partitions; /* all of the input, by number */
    size_t partition_count;
    bool is_whole; /* of all instances; else of one, which knows of its own partitions alone */
};

/* All at once, from Redis. */
RELANCE_MUST enum relance_status figures_read(struct redis_view *view, struct figures *out,
                                              struct relance_error *error);
/* Or of one instance, whose counters and fields are added to {0} one by one, and then ended. */
void figures_add_counter(struct figures *figures, struct relance_str name, double value);
void figures_add_live(struct figures *figures, struct relance_str instance, struct relance_str field,
                      struct relance_str value);
void figures_end(struct figures *figures, int partitions);
void figures_free(struct figures *figures);

/* NULL: there is none of that name. */
const struct figure *figures_find(const struct figures *figures, const char *name);

size_t figures_count_partitions(const struct figures *figures, const char *state);
/* Is it one of those that the partitions come from? */
bool figures_is_partition(const struct figure_live *live);

/* For people (overview.c): partitions, counters, rules by outcome, live instances. `before` and `seconds` give rates; NULL: none. */
void figures_print_table(const struct figures *figures, const struct figures *before, double seconds,
                         FILE *out);
/* For eyes that have a screen only: rules first, as by_sent the one that has sent most first. */
void figures_print_top(const struct figures *figures, const struct figures *before, double seconds,
                       bool by_sent, FILE *out);
/* What rules are worth, steps, what cancelled, limits (details.c), each behind an empty line; nothing where there is nothing. And is a counter
 * one of those, or a sum, of which `relance report` tells? */
void figures_print_totals(const struct figures *figures, FILE *out); /* (report_totals.c) */
void figures_print_details(const struct figures *figures, FILE *out);
void figures_print_steps(const struct figures *figures, FILE *out);
void figures_print_limits(const struct figures *figures, FILE *out);
bool figures_is_detail(const struct figure *figure);
/* A sentence on all of it, without its end. False: something needs a look. */
bool figures_print_summary(const struct figures *figures, FILE *out);
struct cJSON *figures_json(const struct figures *figures, const char *group,
                           const char *topic); /* to be freed */
bool figures_print_json(const struct figures *figures, const char *group, const char *topic, FILE *out);
/* Prometheus's text format 0.0.4, of what this version knows; HELP is the row's prose (prometheus.c). */
void figures_print_prometheus(const struct figures *figures, const char *group, const char *topic, FILE *out);
/* The same as a text, to be freed. */
char *figures_prometheus(const struct figures *figures, const char *group, const char *topic, size_t *size);

#endif
