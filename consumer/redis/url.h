/* Where a Redis is, as a URL says it (redis/line.h). */
#ifndef CONSUMER_REDIS_URL_H
#define CONSUMER_REDIS_URL_H

#include <relance/text.h>
#include <stdint.h>

struct redis_url {
    char host[256], user[128], password[256];
    char path[108]; /* of a unix socket; "": it is TCP */
    int64_t port, db;
};

RELANCE_MUST enum relance_status redis_url_parse(const char *text, struct redis_url *out,
                                                 struct relance_error *error);

#endif
