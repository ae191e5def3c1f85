/* The live figures of this process: relance:live:INSTANCE, refreshed every second, gone 5 s after the last
 * time (redis.md). They are for eyes; the exact counters are in the checkpoints. */
#ifndef CONSUMER_LIVE_H
#define CONSUMER_LIVE_H

#include "worker.h"

struct live;

struct live *live_open(const char *url, const char *instance, struct worker *workers, size_t count,
                       const struct reload *rules);
void live_refresh(struct live *live); /* once a second; a Redis that is away is tried again the next time */
void live_close(struct live *live);

/* Where they are written: a port, as store.h is. */
struct live_store;
struct live_figure {
    const char *name;
    char value[64];
};
struct live_store *live_store_open(const char *url, const char *instance);
void live_store_write(struct live_store *store, const struct live_figure *figures, size_t count);
void live_store_close(struct live_store *store);

#endif
