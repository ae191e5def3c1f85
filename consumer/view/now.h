/* /api/now: how all stands, as JSON: the very numbers of `relance metrics --json`, and what a page needs beside them. */
#ifndef CONSUMER_VIEW_NOW_H
#define CONSUMER_VIEW_NOW_H

#include "report/figures.h"
#include "view/checkpoints.h"

struct now {
    const struct figures *figures;
    const struct checkpoints *checkpoints;
    const char *group, *topic;
    const char *why; /* is it ready, or why not: a sentence */
    bool is_ready;
    const char *trouble; /* why there is nothing newer; NULL: this is new */
    bool has_customers, has_kafka, has_output;
};

/* To be freed. */
char *now_print(const struct now *now);

#endif
