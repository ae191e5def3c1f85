/* What touches input pays for it: the machine that counts, and the primitives that all functions are made of.
 *
 * An evaluation has LIMIT_CEL_STEPS steps; a step is sixteen units, and a unit about what one byte costs that is
 * looked at. Each primitive here pays for the bytes, elements and nodes that it touches, so that what is built of
 * them cannot take longer than its steps allow. Who has none left has ended: primitives then return at once, with
 * any answer, and whoever called the function makes an error of it (func_run). A function need not ask, but for
 * loops that call no primitive.
 *
 * A value shared by many others is one value: comparing remembers what it has found equal. */
#ifndef RULES_CEL_CHARGE_H
#define RULES_CEL_CHARGE_H

#include "base/buffer.h"
#include "base/limits.h"
#include "cel/cel.h"
#include "cel/text.h"
#include "cel/value_ops.h"

enum { STEP_UNITS = 16, LIST_UNITS = 2 }; /* of a step; of an element */

/* One evaluation under way, as functions see it. */
struct machine {
    struct cel_frame *frame; /* NULL: nobody's; then comparing remembers nothing, and nobody stops it */
    struct zones *zones;
    size_t used_max; /* of frame->scratch */
    int64_t units;   /* that may be spent before machine_refill is asked; below 0: it has refused */
    int64_t rest;    /* that it may still give */
    int64_t shared;  /* units at the beginning, where steps are shared */
    uint32_t depth;  /* of the value that is being walked */
    bool over;       /* used_max was asked for too much */
    bool too_deep;   /* that is why it has ended */
};

/* All that an evaluation has, and how much of it is handed out at a time. */
#define MACHINE_UNITS ((int64_t)LIMIT_CEL_STEPS * STEP_UNITS)
enum { MACHINE_SLICE = 4096 * STEP_UNITS };

bool machine_refill(struct machine *m);
/* Of evaluations that share their steps: gives one what is left of them, and takes what it has spent, a step at least. */
static inline void machine_share(struct machine *m)
{
    int64_t left = *m->frame->steps_left;
    int64_t steps = left < 0 ? 0 : left < LIMIT_CEL_STEPS ? left : LIMIT_CEL_STEPS;
    m->shared = steps * STEP_UNITS;
    m->units = m->shared < MACHINE_SLICE ? m->shared : MACHINE_SLICE;
    m->rest = m->shared - m->units;
}
static inline void machine_settle(const struct machine *m)
{
    int64_t kept = m->rest + (m->units > 0 ? m->units : 0);
    *m->frame->steps_left -= (m->shared - kept) / STEP_UNITS + 1;
}

/* False past LIMIT_CEL_STEPS, when somebody asks for a stop, and from then on. */
static inline bool machine_touch(struct machine *m, size_t units)
{
    m->units -= (int64_t)units;
    return __builtin_expect(m->units >= 0, 1) || machine_refill(m);
}

static inline bool machine_spend(struct machine *m, size_t steps)
{
    return machine_touch(m, steps * STEP_UNITS);
}

static inline bool machine_ended(const struct machine *m)
{
    return m->units < 0;
}

/* Going into a list, a map, a record or an optional, and out of it: false where values nest too deep. */
bool machine_enter(struct machine *m);
static inline void machine_leave(struct machine *m)
{
    m->depth--;
}

/* ---- texts. Places are code points, from 0; where a text is no UTF-8, each byte counts as one. */
bool text_equal(struct machine *m, str a, str b);
int text_order(struct machine *m, str a, str b); /* -1, 0, 1 */
bool text_begins(struct machine *m, str s, str start);
bool text_ends_with(struct machine *m, str s, str end);
/* Where `needle` first begins at or after byte `from`; SIZE_MAX: nowhere. */
size_t text_find(struct machine *m, str s, str needle, size_t from);
/* Where it last begins, not after byte `from`. */
size_t text_find_last(struct machine *m, str s, str needle, size_t from);
size_t text_points(struct machine *m, str s);
bool text_valid(struct machine *m, str s);
/* The byte at which code point `place` begins; false outside. One past the last is the end. */
bool text_place(struct machine *m, str s, int64_t place, size_t *byte);
/* The bytes of the code point at `at`. */
size_t text_step(struct machine *m, str s, size_t at);
void text_put(struct machine *m, struct buffer *out, str s);

/* ---- values */
bool value_equal(struct machine *m, struct cel_value a, struct cel_value b);
/* The same; most are told apart without a call. */
static inline bool value_is(struct machine *m, struct cel_value a, struct cel_value b)
{
    if (a.kind == b.kind && a.kind == CEL_INT) return a.as.i == b.as.i;
    if (a.kind == b.kind && a.kind == CEL_STRING && (a.size != b.size || a.size <= 16))
        return text_same(cel_text(a), cel_text(b));
    return value_equal(m, a, b);
}
int value_order(struct machine *m, struct cel_value a, struct cel_value b); /* as cel_order */

/* Equal values have one hash; of lists, maps and records only a few elements count. */
uint64_t value_hash(struct machine *m, struct cel_value v);

/* Numbers of values by hash: open addressing, number + 1, 0: free. */
struct value_index {
    uint32_t mask; /* a power of two - 1; at most half is taken */
    uint32_t places[];
};

enum { INDEX_FROM = 16 }; /* as many and fewer are looked through one by one */

struct value_index *value_index_new(struct arena *arena, size_t capacity); /* NULL: no memory */
/* The place of a value, or the free one where it belongs. values[i * stride] is value i. */
uint32_t *value_index_place(struct machine *m, struct value_index *index, const struct cel_value *values,
                            size_t stride, struct cel_value v);

/* ---- lists and maps */

/* Pays for so many elements being read or copied. */
static inline bool list_touch(struct machine *m, size_t count)
{
    return machine_touch(m, count * LIST_UNITS);
}

const struct cel_value *map_find(struct machine *m, const struct cel_map *map, struct cel_value key);

enum map_added { MAP_ADDED, MAP_HAS_IT, MAP_NO_MEMORY };
/* Adds an entry to a map with room for `capacity`. */
enum map_added map_add(struct machine *m, struct arena *arena, struct cel_map *map, size_t capacity,
                       struct cel_entry entry);

#endif
