/* From a URL to a connection: which of the hosts that may have what is asked for. */
#include "redis/line.h"
#include <stdatomic.h>

/* The host that was reached last, of those that the URL names: one that is away is not waited for each time. */
static atomic_size_t connect_first;

/* Any of the URL's hosts. */
static enum relance_status connect_any(const struct redis_url *url, struct redis_line **out,
                                       struct relance_error *error)
{
    size_t first = atomic_load(&connect_first);
    if (!url->host_count) return redis_line_open(url, NULL, out, error);
    enum relance_status status = RELANCE_IO;
    for (size_t i = 0; i < url->host_count && status != RELANCE_OK; i++) {
        size_t at = (first + i) % url->host_count;
        status = redis_line_open(url, &url->hosts[at], out, error);
        if (status == RELANCE_OK) atomic_store(&connect_first, at);
    }
    return status;
}

enum relance_status redis_connect(const char *text, const char *key, struct redis_line **out,
                                  struct relance_error *error)
{
    struct redis_url url;
    (void)key;
    enum relance_status status = redis_url_parse(text, &url, error);
    return status == RELANCE_OK ? connect_any(&url, out, error) : status;
}

enum relance_status redis_check_url(const char *text, struct relance_error *error)
{
    struct redis_url url;
    return redis_url_parse(text, &url, error);
}
