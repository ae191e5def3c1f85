/* The way to a server, for what finds out which one it is to be (connect.c, sentinel.c). */
#ifndef CONSUMER_REDIS_REACH_H
#define CONSUMER_REDIS_REACH_H

#include "redis/line.h"
#include "redis/url.h"

/* A line to that host, or to the URL's socket where it names one; in TLS where the URL says so. Connecting takes limit_ms
 * at most for each address of the host, the handshake as much again. RELANCE_IO: the server; RELANCE_INVALID: a file of
 * the URL's. Whoever calls says in front of the sentence which place it is about. */
RELANCE_MUST enum relance_status redis_reach(const struct redis_url *url, const struct redis_host *host,
                                             int64_t limit_ms, struct redis_line **out,
                                             struct relance_error *error);

/* Says who we are, where the URL says it. RELANCE_AGAIN: refused. */
RELANCE_MUST enum relance_status redis_log_in(struct redis_line *line, const struct redis_url *url,
                                              struct relance_error *error);

#endif
