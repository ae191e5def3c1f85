/* The live figures of this process: relance:live:GROUP:INSTANCE, refreshed every second, gone 5 s after the last
 * time (STATE.md §1). They are for eyes; the exact counters are in the checkpoints. */
#ifndef CONSUMER_DELIVERY_LIVE_H
#define CONSUMER_DELIVERY_LIVE_H

#include "delivery/live_store.h"
#include "delivery/worker.h"

struct live;

/* What it tells about, which lives longer. */
struct live_plan {
    const struct options *options;
    const char *instance;
    struct worker *workers;
    size_t worker_count;
    const struct standing *standings; /* by partition */
    int partitions;
    const struct reload *rules;
};

struct live *live_open(const struct live_plan *plan);
/* Makes the figures anew; once a second. A thread of its own writes them to Redis, which may be away. */
void live_refresh(struct live *live);
void live_close(struct live *live); /* when the last checkpoints are written: their sums are told, too */

/* The figures as of the last refresh, for whoever refreshes them, whether Redis has taken them or not. */
const struct live_figure *live_figures(const struct live *live, size_t *count);

#endif
