/* Connections to Redis from a URL: redis://[user:password@]host[:port][/db] or
 * unix://[user:password@]/path; %40 is an @ in user and password.
 * For redis_*.c only, which are the files that see hiredis. */
#ifndef CONSUMER_REDIS_CONNECT_H
#define CONSUMER_REDIS_CONNECT_H

#include <relance/text.h>
#include <hiredis/hiredis.h>

enum { REDIS_TIMEOUT_MS = 3000, REDIS_PORT = 6379 };

/* A blocking connection, authenticated, with its database selected. RELANCE_INVALID: the URL; RELANCE_IO: the
 * server. The password is in no message. */
RELANCE_MUST enum relance_status redis_connect(const char *url, redisContext **out,
                                               struct relance_error *error);

/* Just the URL, for the check of options before anything is started. */
RELANCE_MUST enum relance_status redis_check_url(const char *url, struct relance_error *error);

#endif
