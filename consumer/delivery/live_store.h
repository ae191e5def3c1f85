/* Where live figures are written: a port, as store.h is. */
#ifndef CONSUMER_DELIVERY_LIVE_STORE_H
#define CONSUMER_DELIVERY_LIVE_STORE_H

#include <stddef.h>

struct live_store;
struct live_figure {
    const char *name;
    char value[64];
};
struct live_store *live_store_open(const char *url, const char *instance);
void live_store_write(struct live_store *store, const struct live_figure *figures, size_t count);
void live_store_close(struct live_store *store);

#endif
