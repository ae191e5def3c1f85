#include "redis/cluster.h"
#include "base/str.h"
#include "host/text.h"
#include <stdio.h>

/* "SLOT HOST:PORT"; an address of IPv6 has no brackets, so the last colon counts. A host whose name nobody knows is
 * called "?". */
static bool cluster_read_place(struct relance_str words, struct redis_host *at)
{
    const char *space = words.size ? memchr(words.data, ' ', words.size) : NULL;
    const char *end = words.data + words.size,
               *colon = space ? memrchr(space, ':', (size_t)(end - space)) : NULL;
    if (!colon) return false;
    struct relance_str name = {space + 1, (size_t)(colon - space) - 1},
                       port = {colon + 1, (size_t)(end - colon) - 1};
    if (name.size >= sizeof at->name || str_equal(name, STR("?"))) return false;
    if (name.size) snprintf(at->name, sizeof at->name, "%.*s", STR_ARG(name));
    return text_count(port, &at->port) && at->port > 0 && at->port < 65536;
}

bool cluster_read_moved(struct relance_str refusal, struct redis_host *at, bool *is_whole)
{
    struct relance_str word = STR("MOVED ");
    if (!str_starts_with(refusal, word)) return false;
    *is_whole = cluster_read_place(str_slice(refusal, word.size, refusal.size), at);
    return true;
}
