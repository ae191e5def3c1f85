/* Where a Redis is, as a URL says it (redis/line.h). */
#ifndef CONSUMER_REDIS_URL_H
#define CONSUMER_REDIS_URL_H

#include <relance/text.h>
#include <stdint.h>

enum { REDIS_PORT = 6379, REDIS_HOSTS_MAX = 16 };

struct redis_host {
    char name[256];
    int64_t port;
};

struct redis_url {
    char user[128], password[256];
    char path[108]; /* of a unix socket; "": it is TCP */
    struct redis_host hosts[REDIS_HOSTS_MAX];
    size_t host_count; /* of a unix socket 0 */
    int64_t db;
};

RELANCE_MUST enum relance_status redis_url_parse(const char *text, struct redis_url *out,
                                                 struct relance_error *error);

#endif
