#include "redis/cluster.h"
#include "base/str.h"
#include "host/text.h"
#include <stdio.h>

/* Of a key with {…} in it, what stands in the first pair decides, unless that is nothing. */
static struct relance_str cluster_tag(struct relance_str key)
{
    const char *open = memchr(key.data, '{', key.size);
    if (!open) return key;
    const char *end = key.data + key.size, *close = memchr(open, '}', (size_t)(end - open));
    return close && close > open + 1 ? (struct relance_str){open + 1, (size_t)(close - open) - 1} : key;
}

/* CRC16 in the form of XMODEM. */
unsigned cluster_slot(const char *key)
{
    struct relance_str tag = cluster_tag(str_of(key));
    unsigned crc = 0;
    for (size_t i = 0; i < tag.size; i++) {
        crc ^= (unsigned)(unsigned char)tag.data[i] << 8;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc << 1 ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff;
    }
    return crc % CLUSTER_SLOTS;
}

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

enum cluster_redirect cluster_read_redirect(struct relance_str refusal, struct redis_host *at)
{
    struct relance_str moved = STR("MOVED "), ask = STR("ASK ");
    bool is_moved = str_starts_with(refusal, moved);
    if (!is_moved && !str_starts_with(refusal, ask)) return CLUSTER_NONE;
    size_t size = is_moved ? moved.size : ask.size;
    if (!cluster_read_place(str_slice(refusal, size, refusal.size), at)) return CLUSTER_NONE;
    return is_moved ? CLUSTER_MOVED : CLUSTER_ASK;
}

enum relance_status cluster_no_end(const char *key, struct relance_error *error)
{
    return relance_error_set(error, RELANCE_IO,
                             "Redis: each node of the cluster says that another one has %s", key);
}
