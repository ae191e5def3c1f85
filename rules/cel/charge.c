/* The primitives that touch texts and values; see charge.h. */
#include "cel/charge.h"

#include "base/limits.h"
#include "cel/seen.h"

/* Units are handed out in slices, and the stop looked at between two of them. */
bool machine_refill(struct machine *m)
{
    int64_t owed = -m->units;
    if (owed > m->rest || (m->frame && cel_frame_stopped(m->frame))) {
        m->units = -1;
        m->rest = 0;
        return false;
    }
    int64_t given = m->rest - owed < MACHINE_SLICE ? m->rest : owed + MACHINE_SLICE;
    m->units += given;
    m->rest -= given;
    return true;
}

bool cel_charge(struct cel_frame *frame, size_t steps)
{
    return machine_spend(frame->machine, steps);
}

bool machine_enter(struct machine *m)
{
    if (++m->depth <= LIMIT_CEL_VALUE_DEPTH) return machine_spend(m, 1);
    m->units = -1;
    m->rest = 0;
    m->too_deep = true;
    return false;
}

/* ---- texts */

bool text_equal(struct machine *m, str a, str b)
{
    if (a.size != b.size) return false;
    return machine_touch(m, a.size) && str_equal(a, b);
}

int text_order(struct machine *m, str a, str b)
{
    if (!machine_touch(m, a.size < b.size ? a.size : b.size)) return 0;
    int order = str_compare(a, b); /* of any size */
    return (order > 0) - (order < 0);
}

bool text_begins(struct machine *m, str s, str start)
{
    return s.size >= start.size && text_equal(m, str_slice(s, 0, start.size), start);
}

bool text_ends_with(struct machine *m, str s, str end)
{
    return s.size >= end.size && text_equal(m, str_slice(s, s.size - end.size, s.size), end);
}

size_t text_find(struct machine *m, str s, str needle, size_t from)
{
    if (needle.size == 0) return from;
    if (from >= s.size || machine_ended(m)) return SIZE_MAX;
    const char *at = memmem(s.data + from, s.size - from, needle.data, needle.size);
    size_t place = at ? (size_t)(at - s.data) : SIZE_MAX;
    return machine_touch(m, (at ? place : s.size) - from + needle.size) ? place : SIZE_MAX;
}

/* Looks at every place; for needles so short that this is no more work than looking at every byte. */
static size_t find_last_short(struct machine *m, str s, str needle, size_t from)
{
    for (size_t at = from + 1; at-- > 0 && machine_touch(m, 4);)
        if (!needle.size || memcmp(s.data + at, needle.data, needle.size) == 0) return at;
    return SIZE_MAX;
}

static char *reversed(struct arena *arena, str s)
{
    char *text = arena_alloc(arena, s.size);
    for (size_t i = 0; text && i < s.size; i++)
        text[i] = s.data[s.size - 1 - i];
    return text;
}

/* The last place is the first in the text from behind, which memmem finds in linear time. */
static size_t find_last_long(struct machine *m, str s, str needle)
{
    struct arena *arena = m->frame->scratch;
    struct arena_mark mark = arena_mark(arena);
    size_t place = SIZE_MAX;
    if (!machine_touch(m, 2 * (s.size + needle.size))) return place;
    str text = {reversed(arena, s), s.size}, wanted = {reversed(arena, needle), needle.size};
    if (text.data && wanted.data) place = text_find(m, text, wanted, 0);
    arena_rewind(arena, mark);
    return place == SIZE_MAX ? place : s.size - place - needle.size;
}

size_t text_find_last(struct machine *m, str s, str needle, size_t from)
{
    enum { SHORT = 16 };
    if (needle.size > s.size) return SIZE_MAX;
    if (from > s.size - needle.size) from = s.size - needle.size;
    return needle.size <= SHORT ? find_last_short(m, s, needle, from)
                                : find_last_long(m, str_slice(s, 0, from + needle.size), needle);
}

size_t text_points(struct machine *m, str s)
{
    return machine_touch(m, s.size) ? utf8_count(s) : 0;
}

bool text_valid(struct machine *m, str s)
{
    return machine_touch(m, s.size) && utf8_valid(s);
}

static size_t point_length(str s, size_t at)
{
    size_t length = utf8_length(s, at);
    return length ? length : 1;
}

size_t text_step(struct machine *m, str s, size_t at)
{
    machine_touch(m, 4);
    return point_length(s, at);
}

bool text_place(struct machine *m, str s, int64_t place, size_t *byte)
{
    size_t at = 0;
    if (machine_ended(m)) return false;
    for (; place > 0 && at < s.size; place--)
        at += point_length(s, at);
    *byte = at;
    return machine_touch(m, at) && place == 0;
}

void text_put(struct machine *m, struct buffer *out, str s)
{
    if (machine_touch(m, 8 + s.size)) buffer_put_str(out, s);
}

/* ---- equality. Pairs of containers that have been found equal are kept, from the first few on: a value that is
 * shared over and over is compared once. */

struct comparison {
    struct machine *m;
    struct seen equal;
};

enum { REMEMBER_MAX = 1 << 16 };

static void remember(struct comparison *c, const void *a, const void *b)
{
    if (c->equal.arena && c->equal.count < REMEMBER_MAX) /* without memory it only takes longer */
        (void)seen_add(&c->equal, (struct seen_place){a, b, NULL});
}

static bool equal_in(struct comparison *c, struct cel_value a, struct cel_value b);

static bool list_equal(struct comparison *c, const struct cel_list *a, const struct cel_list *b)
{
    if (a->count != b->count) return false;
    for (size_t i = 0; i < a->count; i++)
        if (!list_touch(c->m, 1) || !equal_in(c, a->items[i], b->items[i])) return false;
    return true;
}

static bool map_equal(struct comparison *c, const struct cel_map *a, const struct cel_map *b)
{
    if (a->count != b->count) return false;
    for (size_t i = 0; i < a->count; i++) {
        const struct cel_value *other = map_find(c->m, b, a->entries[i].key);
        if (!other || !equal_in(c, a->entries[i].value, *other)) return false;
    }
    return true;
}

static bool record_equal(struct comparison *c, const struct cel_record *a, const struct cel_record *b)
{
    if (!cel_record_type_equal(a->type, b->type)) return false;
    for (size_t i = 0; i < a->type->field_count; i++)
        if (!list_touch(c->m, 1) || !equal_in(c, a->fields[i], b->fields[i])) return false;
    return true;
}

static bool container_equal(struct comparison *c, struct cel_value a, struct cel_value b)
{
    switch (a.kind) {
    case CEL_LIST: return list_equal(c, a.as.list, b.as.list);
    case CEL_MAP: return map_equal(c, a.as.map, b.as.map);
    case CEL_RECORD: return record_equal(c, a.as.record, b.as.record);
    default:
        if (!a.as.optional || !b.as.optional) return a.as.optional == b.as.optional;
        return equal_in(c, *a.as.optional, *b.as.optional);
    }
}

static bool is_container(uint8_t kind)
{
    return kind == CEL_LIST || kind == CEL_MAP || kind == CEL_RECORD || kind == CEL_OPTIONAL;
}

static bool scalar_equal(struct machine *m, struct cel_value a, struct cel_value b)
{
    if (a.kind != b.kind) return cel_is_number(a) && cel_is_number(b) && cel_number_order(a, b) == 0;
    switch (a.kind) {
    case CEL_STRING:
    case CEL_BYTES: return text_equal(m, cel_text(a), cel_text(b));
    case CEL_TYPE: /* a type value is its outermost constructor: type([1]) == type(['a']) */
        return a.as.type->kind == b.as.type->kind &&
               (a.as.type->kind != CEL_TYPE_RECORD ||
                cel_record_type_equal(a.as.type->record, b.as.type->record));
    case CEL_UNSET:
    case CEL_ABSENT:
    case CEL_NULL: return true;
    case CEL_ERROR: return false;
    default: return cel_order(a, b) == 0;
    }
}

static bool equal_in(struct comparison *c, struct cel_value a, struct cel_value b)
{
    if (a.kind != b.kind || !is_container(a.kind)) return scalar_equal(c->m, a, b);
    const void *x = a.as.list, *y = b.as.list; /* whatever it is: the pointer */
    if (x && seen_find(&c->equal, x, y)) return true;
    bool equal = machine_enter(c->m) && container_equal(c, a, b);
    machine_leave(c->m);
    if (equal && x) remember(c, x, y);
    return equal;
}

bool value_equal(struct machine *m, struct cel_value a, struct cel_value b)
{
    if (a.kind != b.kind || !is_container(a.kind)) return scalar_equal(m, a, b);
    struct arena *scratch = m->frame ? m->frame->scratch : NULL;
    struct arena_mark mark = scratch ? arena_mark(scratch) : (struct arena_mark){0};
    struct comparison c = {.m = m, .equal.arena = scratch};
    bool equal = equal_in(&c, a, b);
    if (c.equal.count) arena_rewind(scratch, mark);
    return equal;
}

bool cel_equal(struct cel_value a, struct cel_value b)
{
    struct machine m = {.rest = MACHINE_UNITS};
    return value_equal(&m, a, b) && !machine_ended(&m);
}

int value_order(struct machine *m, struct cel_value a, struct cel_value b)
{
    bool texts = a.kind == b.kind && (a.kind == CEL_STRING || a.kind == CEL_BYTES);
    return texts ? text_order(m, cel_text(a), cel_text(b)) : cel_order(a, b);
}

/* ---- hashes */

static uint64_t mix(uint64_t hash, uint64_t more)
{
    hash = (hash ^ more) * 0x9E3779B97F4A7C15u;
    return hash ^ hash >> 32;
}

/* Below 2^53 a number is itself in all three kinds; from there on ints stand for the nearest double, too. */
static uint64_t number_hash(struct cel_value v)
{
    const double exact = 9007199254740992.0;
    double d = v.kind == CEL_DOUBLE ? v.as.d : v.kind == CEL_INT ? (double)v.as.i : (double)v.as.u;
    if (d > -exact && d < exact && d == (double)(int64_t)d) return mix(1, (uint64_t)(int64_t)d);
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    return mix(2, bits);
}

static uint64_t hash_in(struct machine *m, struct cel_value v, int depth);

/* A few elements, a few levels deep: what is more alike than that is told apart by comparing. */
static uint64_t items_hash(struct machine *m, uint64_t hash, const struct cel_value *items, size_t count,
                           int depth)
{
    enum { ITEMS = 8 };
    hash = mix(hash, count);
    for (size_t i = 0; i < count && i < ITEMS && depth > 0; i++)
        hash = mix(hash, hash_in(m, items[i], depth - 1));
    return hash;
}

static uint64_t hash_in(struct machine *m, struct cel_value v, int depth)
{
    if (cel_is_number(v)) return number_hash(v);
    machine_touch(m, LIST_UNITS);
    uint64_t kind = mix(3, v.kind);
    switch (v.kind) {
    case CEL_STRING:
    case CEL_BYTES: return machine_touch(m, v.size) ? mix(kind, str_hash(cel_text(v))) : 0;
    case CEL_BOOL: return mix(kind, v.as.b);
    case CEL_DURATION:
    case CEL_TIMESTAMP: return mix(mix(kind, v.as.u), (uint64_t)v.nanos);
    case CEL_LIST: return items_hash(m, kind, v.as.list->items, v.as.list->count, depth);
    case CEL_MAP: return mix(kind, v.as.map->count);
    case CEL_RECORD: return items_hash(m, kind, v.as.record->fields, v.as.record->type->field_count, depth);
    case CEL_OPTIONAL: return v.as.optional ? items_hash(m, kind, v.as.optional, 1, depth) : kind;
    default: return kind;
    }
}

uint64_t value_hash(struct machine *m, struct cel_value v)
{
    enum { LEVELS = 3 };
    return hash_in(m, v, LEVELS);
}

struct value_index *value_index_new(struct arena *arena, size_t capacity)
{
    size_t size = INDEX_FROM * 2;
    while (size < capacity * 2)
        size *= 2;
    struct value_index *index = arena_alloc_zero(arena, sizeof *index + size * sizeof index->places[0]);
    if (index) index->mask = (uint32_t)size - 1;
    return index;
}

uint32_t *value_index_place(struct machine *m, struct value_index *index, const struct cel_value *values,
                            size_t stride, struct cel_value v)
{
    machine_spend(m, 1);
    for (uint32_t i = (uint32_t)value_hash(m, v) & index->mask;; i = (i + 1) & index->mask) {
        uint32_t *place = &index->places[i];
        bool found = !*place || value_is(m, values[(*place - 1) * stride], v);
        if (found || !machine_touch(m, 4)) return place;
    }
}

/* ---- maps */

const struct cel_value *map_find(struct machine *m, const struct cel_map *map, struct cel_value key)
{
    const struct cel_entry *entries = map->entries;
    if (map->index) {
        uint32_t place = *value_index_place(m, map->index, &entries->key, 2, key);
        return place && !machine_ended(m) ? &entries[place - 1].value : NULL;
    }
    if (!list_touch(m, map->count)) return NULL;
    for (size_t i = 0; i < map->count; i++)
        if (value_is(m, entries[i].key, key)) return &entries[i].value;
    return NULL;
}

static bool map_index(struct machine *m, struct arena *arena, struct cel_map *map, size_t capacity)
{
    map->index = value_index_new(arena, capacity);
    for (size_t i = 0; map->index && i < map->count; i++)
        *value_index_place(m, map->index, &map->entries->key, 2, map->entries[i].key) = (uint32_t)i + 1;
    return map->index;
}

enum map_added map_add(struct machine *m, struct arena *arena, struct cel_map *map, size_t capacity,
                       struct cel_entry entry)
{
    if (map->count == INDEX_FROM && !map->index && !map_index(m, arena, map, capacity)) return MAP_NO_MEMORY;
    if (map->index) {
        uint32_t *place = value_index_place(m, map->index, &map->entries->key, 2, entry.key);
        if (*place) return MAP_HAS_IT;
        *place = (uint32_t)map->count + 1;
    } else if (map_find(m, map, entry.key)) {
        return MAP_HAS_IT;
    }
    map->entries[map->count++] = entry;
    return MAP_ADDED;
}

struct cel_map *cel_map_new(struct arena *arena, size_t capacity)
{
    struct cel_map *map = arena_alloc(arena, sizeof *map + capacity * sizeof map->entries[0]);
    if (map) *map = (struct cel_map){0};
    return map;
}

bool cel_map_finish(struct arena *arena, struct cel_map *map)
{
    struct machine m = {.rest = INT64_MAX};
    return map->count <= INDEX_FROM || map_index(&m, arena, map, map->count);
}
