/* A Redis Cluster, as far as its answers tell of it: each of 16,384 slots of keys is on one node, and whoever asks
 * another one about a key is told where to go.
 *
 *     MOVED SLOT HOST:PORT    it is there, from now on
 *     ASK SLOT HOST:PORT      the slot is on its way there, and this key of it, if there is one, has gone
 *     TRYAGAIN …              the slot is on its way, and of these keys not all are in one place
 *     CLUSTERDOWN …           nobody has it, as far as this node knows
 *
 * Only MOVED is followed. While a slot is on its way, the node that it goes to says of a key that has not come yet that
 * it is empty; so what has gone ahead waits for the rest. */
#ifndef CONSUMER_REDIS_CLUSTER_H
#define CONSUMER_REDIS_CLUSTER_H

#include "redis/url.h"
#include <stdbool.h>

/* Is this MOVED? Then *at, which has been asked, becomes the place that it names; where it leaves out the name, another
 * port of the same host. *is_whole: false where it names none. */
bool cluster_read_moved(struct relance_str refusal, struct redis_host *at, bool *is_whole);

#endif
