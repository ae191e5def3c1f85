/* A Redis Cluster, as far as its answers tell of it: each of 16,384 slots of keys is on one node, and whoever asks
 * another one about a key is told where to go.
 *
 *     MOVED SLOT HOST:PORT    it is there, from now on
 *     ASK SLOT HOST:PORT      the slot is on its way there, and this key of it, if there is one, has gone
 *     TRYAGAIN …              the slot is on its way, and of these keys not all are in one place
 *     CLUSTERDOWN …           nobody has it, as far as this node knows
 *
 * A connection follows MOVED alone. While a slot is on its way, the node that it goes to says of a key that has not
 * come yet that it is empty; so what has gone ahead waits for the rest. */
#ifndef CONSUMER_REDIS_CLUSTER_H
#define CONSUMER_REDIS_CLUSTER_H

#include "redis/url.h"

enum {
    CLUSTER_SLOTS = 16384,
    CLUSTER_HOPS = 5, /* from node to node, before it is said that there is no end to it */
};

/* The slot of a key. */
unsigned cluster_slot(const char *key);

/* What a refusal says: where *at, which has been asked, becomes the place that it names, or, where it leaves out the
 * name, another port of the same host. CLUSTER_NONE: it names no place, and *at means nothing. */
enum cluster_redirect { CLUSTER_NONE, CLUSTER_MOVED, CLUSTER_ASK };
enum cluster_redirect cluster_read_redirect(struct relance_str refusal, struct redis_host *at);

/* RELANCE_IO, with a sentence: redirections that come to no end. */
enum relance_status cluster_no_end(const char *key, struct relance_error *error);

#endif
