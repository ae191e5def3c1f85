/* From a URL to a connection: which of the hosts has what is asked for. */
#include "redis/cluster.h"
#include "redis/line.h"
#include "base/str.h"
#include "host/clock.h"
#include "redis/sentinel.h"
#include <stdatomic.h>

/* Once so much time has gone, no other host is tried: whoever waits has more to do. */
enum { CONNECT_US = 3000000 };

/* The host of the URL that is tried first: one that is away is not waited for each time. */
static atomic_size_t connect_first;

/* Asks the node at the line's other end, *at, for the key. *moved: it is elsewhere, now *at. */
static enum relance_status connect_ask(struct redis_line *line, const char *key, struct redis_host *at,
                                       bool *moved, struct relance_error *error)
{
    struct redisReply *answer = NULL;
    struct relance_str ignored;
    enum relance_status status = REDIS_DO(line, &answer, error, STR("HGET"), str_of(key), STR("stamp"));
    if (status != RELANCE_OK) return status;
    *moved = cluster_read_redirect(redis_read_refusal(answer), at) == CLUSTER_MOVED;
    if (!*moved && redis_is_elsewhere(answer)) status = redis_read_text(answer, "HGET", &ignored, error);
    redis_answer_free(answer);
    return status == RELANCE_OK ? status : (error->status = RELANCE_IO);
}

/* From one host on to the one that has the key. */
static enum relance_status connect_from(const struct redis_url *url, const struct redis_host *host,
                                        const char *key, struct redis_line **out, struct relance_error *error)
{
    struct redis_host at = *host;
    for (int hop = 0; hop < CLUSTER_HOPS; hop++) {
        struct redis_line *line = NULL;
        bool moved = false;
        enum relance_status status = redis_line_open(url, &at, &line, error);
        if (status != RELANCE_OK) return status;
        if (key) status = connect_ask(line, key, &at, &moved, error);
        if (status == RELANCE_OK && !moved) {
            *out = line;
            return RELANCE_OK;
        }
        redis_close(line);
        if (status != RELANCE_OK) return status;
    }
    return cluster_no_end(key, error);
}

void redis_connect_elsewhere(void)
{
    atomic_fetch_add(&connect_first, 1);
}

/* In a cluster a node may be away, or not have heard yet which one is: then the others are asked. */
static enum relance_status connect_any(const struct redis_url *url, const char *key, struct redis_line **out,
                                       struct relance_error *error)
{
    int64_t began_us = clock_monotonic_us();
    size_t first = atomic_load(&connect_first);
    enum relance_status status = RELANCE_IO;
    for (size_t i = 0; i < url->host_count; i++) {
        size_t at = (first + i) % url->host_count;
        status = connect_from(url, &url->hosts[at], key, out, error);
        atomic_store(&connect_first, status == RELANCE_OK ? at : at + 1);
        if (status == RELANCE_OK || clock_monotonic_us() - began_us > CONNECT_US) return status;
    }
    return status;
}

enum relance_status redis_connect(const char *text, const char *key, struct redis_line **out,
                                  struct relance_error *error)
{
    struct redis_url url;
    enum relance_status status = redis_url_parse(text, &url, error);
    if (status != RELANCE_OK) return status;
    if (*url.master) return redis_connect_to_master(&url, out, error);
    return url.host_count ? connect_any(&url, key, out, error) : redis_line_open(&url, NULL, out, error);
}

enum relance_status redis_check_url(const char *text, struct relance_error *error)
{
    struct redis_url url;
    return redis_url_parse(text, &url, error);
}
