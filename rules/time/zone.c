/* Time zones from TZif files (RFC 8536): a table of instants from which an offset holds, and behind its end a
 * rule in POSIX form for all years to come.
 *
 *     "TZif" version … counts | 32-bit table, skipped | "TZif" … counts | 64-bit table | \n RULE \n
 *
 * Zones are read at first use and never change; a name that does not exist is remembered as well. */
#include "time/zone.h"

#include "base/arena.h"
#include "time/posix_zone.h"

/* What may change of a zone: whether it has been asked, since somebody last wanted to know, and the year asked for last. */
struct zone_use {
    struct zones *zones;
    const struct zone *zone;
    struct zone_use *next; /* of those that have been */
    bool is_used;
    struct posix_year year; /* of the zone's rule */
};

struct zone {
    struct zone *next;
    str name;
    uint64_t hash; /* of its file */
    struct zone_use *use;
    bool exists;
    size_t count;           /* of transitions */
    const int64_t *times;   /* ascending */
    const int32_t *offsets; /* offsets[0] before the first; offsets[i + 1] from times[i] on */
    struct posix_zone rule;
    bool has_rule;
};

struct zones {
    struct arena arena; /* holds this too */
    zone_load_file *load;
    void *context;
    struct zone *first;
    struct zone_use *used;
};

struct zones *zones_new(zone_load_file *load, void *context)
{
    struct arena arena;
    arena_init(&arena, 0);
    struct zones *zones = ARENA_NEW(&arena, struct zones);
    if (!zones) return NULL;
    *zones = (struct zones){.arena = arena, .load = load, .context = context};
    return zones;
}

void zones_free(struct zones *zones)
{
    if (!zones) return;
    struct arena arena = zones->arena;
    arena_free(&arena);
}

/* ---- reading a file */

static uint64_t big_endian(const char *at, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | (unsigned char)at[i];
    return value;
}

struct header {
    size_t isut, isstd, leap, time, type, chars;
};

enum { HEADER_SIZE = 44, TYPE_SIZE = 6 };

static bool read_header(str file, size_t at, struct header *h)
{
    if (file.size < at + HEADER_SIZE || memcmp(file.data + at, "TZif", 4) != 0) return false;
    size_t *counts[] = {&h->isut, &h->isstd, &h->leap, &h->time, &h->type, &h->chars};
    for (size_t i = 0; i < 6; i++)
        *counts[i] = (size_t)big_endian(file.data + at + 20 + 4 * i, 4);
    return h->type > 0 && h->time < 100000 && h->type < 1000 && h->chars < 10000 && h->leap < 10000 &&
           h->isut < 1000 && h->isstd < 1000;
}

static size_t block_size(const struct header *h, size_t time_size)
{
    return h->time * (time_size + 1) + h->type * TYPE_SIZE + h->chars + h->leap * (time_size + 4) + h->isstd +
           h->isut;
}

/* The offset of local time type `type`; types begin at `types`. */
static int32_t type_offset(str file, size_t types, size_t type)
{
    return (int32_t)big_endian(file.data + types + type * TYPE_SIZE, 4);
}

/* Before the first transition the first type that is no daylight saving holds (RFC 8536 §3.2: type 0). */
static bool read_table(struct arena *arena, str file, size_t at, const struct header *h, struct zone *zone)
{
    int64_t *times = ARENA_ARRAY(arena, int64_t, h->time);
    int32_t *offsets = ARENA_ARRAY(arena, int32_t, h->time + 1);
    if (!times || !offsets) return false;
    size_t indices = at + 8 * h->time, types = indices + h->time;
    offsets[0] = type_offset(file, types, 0);
    for (size_t i = 0; i < h->time; i++) {
        size_t type = (unsigned char)file.data[indices + i];
        if (type >= h->type) return false;
        times[i] = (int64_t)big_endian(file.data + at + 8 * i, 8);
        offsets[i + 1] = type_offset(file, types, type);
        if (i && times[i] <= times[i - 1]) return false;
    }
    zone->times = times;
    zone->offsets = offsets;
    zone->count = h->time;
    return true;
}

static bool read_zone(struct arena *arena, str file, struct zone *zone)
{
    struct header h;
    if (!read_header(file, 0, &h) || file.data[4] < '2') return false;
    size_t second = HEADER_SIZE + block_size(&h, 4);
    if (!read_header(file, second, &h)) return false;
    size_t table = second + HEADER_SIZE, footer = table + block_size(&h, 8);
    if (footer + 2 > file.size || file.data[footer] != '\n') return false;
    const char *end = memchr(file.data + footer + 1, '\n', file.size - footer - 1);
    if (!end || !read_table(arena, file, table, &h, zone)) return false;
    str rule = {file.data + footer + 1, (size_t)(end - file.data) - footer - 1};
    zone->has_rule = posix_zone_parse(rule, &zone->rule);
    return zone->has_rule || rule.size == 0;
}

/* Names are paths below the zone directory: no way out of it. */
static bool name_acceptable(str name)
{
    if (name.size == 0 || name.size > 64 || name.data[0] == '/') return false;
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        bool letter =
            (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || strchr("/_-+", c);
        if (!letter || !c) return false;
    }
    return true;
}

/* How many unknown names are remembered: names come from events too. */
enum { UNKNOWN_MAX = 256 };

static struct zone *zone_add(struct zones *zones, str name)
{
    struct zone *zone = ARENA_NEW(&zones->arena, struct zone);
    struct zone_use *use = ARENA_NEW(&zones->arena, struct zone_use);
    if (!zone || !use || !arena_copy_str(&zones->arena, name, &zone->name)) return NULL;
    str file;
    *use = (struct zone_use){.zones = zones, .zone = zone};
    zone->use = use;
    zone->exists = zones->load(zones->context, name, &file) && read_zone(&zones->arena, file, zone);
    if (zone->exists) zone->hash = str_hash(file);
    zone->next = zones->first;
    zones->first = zone;
    return zone;
}

const struct zone *zone_find(struct zones *zones, str name)
{
    if (!name_acceptable(name)) return NULL;
    size_t unknown = 0;
    for (struct zone *zone = zones->first; zone; zone = zone->next) {
        if (str_equal(zone->name, name)) return zone->exists ? zone : NULL;
        unknown += !zone->exists;
    }
    if (unknown >= UNKNOWN_MAX) { /* read it, and forget it again when it is another unknown one */
        struct arena_mark mark = arena_mark(&zones->arena);
        struct zone *first = zones->first, *zone = zone_add(zones, name);
        if (zone && zone->exists) return zone;
        zones->first = first;
        arena_rewind(&zones->arena, mark);
        return NULL;
    }
    struct zone *zone = zone_add(zones, name);
    return zone && zone->exists ? zone : NULL;
}

/* ---- asking */

static void zone_note(const struct zone *zone)
{
    struct zone_use *use = zone->use;
    if (use->is_used) return;
    use->is_used = true;
    use->next = use->zones->used;
    use->zones->used = use;
}

void zones_take_used(struct zones *zones, zone_visit *visit, void *context)
{
    for (struct zone_use *use = zones->used; use; use = use->next) {
        use->is_used = false;
        if (!str_equal(use->zone->name, STR("UTC"))) visit(context, use->zone->name, use->zone->hash);
    }
    zones->used = NULL;
}

int32_t zone_offset(const struct zone *zone, int64_t seconds)
{
    zone_note(zone);
    if (zone->has_rule && (zone->count == 0 || seconds >= zone->times[zone->count - 1]))
        return posix_zone_offset(&zone->rule, seconds, &zone->use->year);
    size_t low = 0, high = zone->count; /* times before `low` are not after the instant */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (zone->times[middle] <= seconds)
            low = middle + 1;
        else
            high = middle;
    }
    return zone->offsets[low];
}

int64_t zone_instant(const struct zone *zone, int64_t local_seconds)
{
    enum { DAY = 86400 };
    int32_t before = zone_offset(zone, local_seconds - DAY), after = zone_offset(zone, local_seconds + DAY);
    int64_t first = local_seconds - before, second = local_seconds - after;
    if (first == second) return first;
    if (zone_offset(zone, first) == before) return first; /* the first of two as well */
    if (zone_offset(zone, second) == after) return second;
    return first; /* skipped: by the offset before, that is moved forward by the gap */
}
