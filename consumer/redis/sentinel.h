/* Redis Sentinel: programs that watch a master and its replicas, and agree on another master when it is gone. They are
 * asked anew for each connection, in the order of the URL, and none is believed: what it names has to say of itself that
 * it is the master, since a sentinel that was cut off goes on naming the old one. */
#ifndef CONSUMER_REDIS_SENTINEL_H
#define CONSUMER_REDIS_SENTINEL_H

#include "redis/line.h"
#include "redis/url.h"

/* A line to the master, as redis_connect has it. */
RELANCE_MUST enum relance_status redis_connect_to_master(const struct redis_url *url, struct redis_line **out,
                                                         struct relance_error *error);

#endif
