/* Where live figures are written: a port, as store.h is. */
#ifndef CONSUMER_DELIVERY_LIVE_STORE_H
#define CONSUMER_DELIVERY_LIVE_STORE_H

#include <relance/text.h>
#include <stdbool.h>
#include <stddef.h>

struct live_store;
struct live_store_place {
    const char *url, *group, *topic, *instance; /* they live longer */
    int partitions;
};
struct live_figure {
    char name[32];
    char value[160];
};

struct live_store *live_store_open(const struct live_store_place *place);
/* All figures of this instance, in the place of those before. False: the store has not answered, or not taken them. */
bool live_store_write(struct live_store *store, const struct live_figure *figures, size_t count);
/* What the list of instances says of this one; `before` is the beginning of what it said, "" where it said nothing. */
enum { LIVE_BEFORE_SIZE = 512 };
bool live_store_enter(struct live_store *store, struct relance_str entry, char before[LIVE_BEFORE_SIZE]);
/* It is an instance no more. */
void live_store_leave(struct live_store *store);
/* Adds up the counters of all partitions, and forgets instances that are gone: for one instance of a group, about once
 * a second, and for each a last time when it ends. */
void live_store_total(struct live_store *store, bool is_last);
void live_store_close(struct live_store *store);

#endif
