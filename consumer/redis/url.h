/* Where Redis is and whom to trust there, as a URL says it (redis/line.h):
 *
 *     redis://[user:password@]host[:port],host[:port][/db]         a server, or nodes of a Redis Cluster
 *     sentinel://[user:password@]host[:port],host[:port]/NAME[/db] whichever is the master NAME, as sentinels say
 *     unix://[user:password@]/path                                 a socket of this machine
 *
 * rediss:// and sentinels:// speak TLS and may say more behind a question mark:
 *     ca=FILE, cert=FILE, key=FILE, name=HOST, verify=no           with & between
 * %40 is an @ in user, password and in what stands behind the question mark. */
#ifndef CONSUMER_REDIS_URL_H
#define CONSUMER_REDIS_URL_H

#include "host/channel.h"

#include <relance/text.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    REDIS_PORT = 6379,
    REDIS_SENTINEL_PORT = 26379,
    REDIS_HOSTS_MAX = 16,
    REDIS_HOST_SIZE = CHANNEL_NAME_SIZE,
};

struct redis_host {
    char name[REDIS_HOST_SIZE]; /* an IPv6 address has no brackets here */
    int64_t port;
};

struct redis_url {
    char user[128], password[256];
    char path[108]; /* of a unix socket; "": it is TCP */
    struct redis_host hosts[REDIS_HOSTS_MAX];
    size_t host_count; /* of a unix socket 0 */
    int64_t db;
    char master[128]; /* what the hosts, which are sentinels, call it; "": they are servers */
    bool is_tls;
    struct channel_trust trust;
};

RELANCE_MUST enum relance_status redis_url_parse(const char *text, struct redis_url *out,
                                                 struct relance_error *error);

#endif
