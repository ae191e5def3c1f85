/* The live figures of this process: relance:live:INSTANCE, refreshed every second, gone 5 s after the last
 * time (STATE.md §1). They are for eyes; the exact counters are in the checkpoints. */
#ifndef CONSUMER_DELIVERY_LIVE_H
#define CONSUMER_DELIVERY_LIVE_H

#include "delivery/worker.h"

struct live;

struct live *live_open(const char *url, const char *instance, struct worker *workers, size_t count,
                       const struct reload *rules);
void live_refresh(struct live *live); /* once a second; a Redis that is away is tried again the next time */
void live_close(struct live *live);

#endif
