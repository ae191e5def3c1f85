/* Rules, counts and totals by what their conditions need of an event (rule/pick.h).
 *
 * Of several needs of a condition that counts whose slot tells the items of the type best apart: the one for which they
 * have most values. */
#include "rule/compile/compile.h"

#include "rule/pick.h"

#include <stdlib.h>

enum {
    PICK_FROM = 4,   /* fewer items behind a slot are asked sooner than they are found */
    PICK_VALUES = 64 /* of one condition: one with more stands in no list */
};

/* A value that an item needs in a slot. */
struct wanted {
    uint32_t slot, item;
    enum cel_kind kind;
    uint64_t hash;
};

/* A slot that conditions need something of. */
struct candidate {
    uint32_t slot;
    enum cel_kind kind;
    size_t values; /* different ones */
    size_t items;  /* that have chosen it */
};

struct pick_maker {
    struct compiler *c;
    struct type_list all;
    const struct noted_program *const *conditions; /* by number */
    struct candidate *candidates;                  /* those for which there are most values first */
    size_t candidate_count;
};

/* `trigger` is the event where a condition is asked that starts a run. */
static bool usable(const struct pick_maker *m, const struct cel_need *need, uint32_t *slot)
{
    const struct slot_map *slots = &m->c->set->slots;
    *slot = need->slot >= slots->trigger ? need->slot - slots->trigger + slots->event : need->slot;
    return need->slot >= slots->event && need->slot < slots->answer && need->count > 0 &&
           need->count <= PICK_VALUES;
}

static size_t needs_of(const struct pick_maker *m, uint32_t item, const struct cel_need **needs)
{
    const struct noted_program *condition = m->conditions[item];
    return condition ? cel_program_needs(condition->program, needs) : 0;
}

static size_t wanted_bound(const struct pick_maker *m)
{
    size_t bound = 1;
    const struct cel_need *needs;
    for (size_t i = 0; i < m->all.count; i++)
        for (size_t n = needs_of(m, m->all.types[i], &needs); n-- > 0;)
            bound += needs[n].count <= PICK_VALUES ? needs[n].count : 0;
    return bound;
}

static size_t list_wanted(const struct pick_maker *m, struct wanted *wanted)
{
    size_t count = 0;
    uint32_t slot;
    const struct cel_need *needs;
    for (size_t i = 0; i < m->all.count; i++)
        for (size_t n = needs_of(m, m->all.types[i], &needs); n-- > 0;)
            for (size_t v = 0; usable(m, &needs[n], &slot) && v < needs[n].count; v++)
                wanted[count++] = (struct wanted){slot, m->all.types[i], needs[n].values[v].kind,
                                                  pick_hash(needs[n].values[v])};
    return count;
}

static int wanted_order(const void *a, const void *b)
{
    const struct wanted *x = a, *y = b;
    if (x->slot != y->slot) return x->slot < y->slot ? -1 : 1;
    return x->hash < y->hash ? -1 : x->hash > y->hash;
}

static int candidate_order(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    if (x->values != y->values) return x->values > y->values ? -1 : 1;
    return x->slot < y->slot ? -1 : x->slot > y->slot;
}

/* The slots that are needed, and how many values there are for each. */
static bool find_candidates(struct pick_maker *m)
{
    struct arena *scratch = m->c->scratch;
    size_t bound = wanted_bound(m);
    struct wanted *wanted = ARENA_ARRAY(scratch, struct wanted, bound);
    m->candidates = ARENA_ARRAY(scratch, struct candidate, bound);
    if (!wanted || !m->candidates) return false;
    size_t count = list_wanted(m, wanted);
    qsort(wanted, count, sizeof *wanted, wanted_order);
    for (size_t i = 0; i < count; i++) {
        if (!i || wanted[i].slot != wanted[i - 1].slot)
            m->candidates[m->candidate_count++] =
                (struct candidate){.slot = wanted[i].slot, .kind = wanted[i].kind, .values = 1};
        else
            m->candidates[m->candidate_count - 1].values += wanted[i].hash != wanted[i - 1].hash;
    }
    qsort(m->candidates, m->candidate_count, sizeof *m->candidates, candidate_order);
    return true;
}

/* The need by which an item is found, and its slot among the first `count`; NULL: none. */
static const struct cel_need *chosen(const struct pick_maker *m, uint32_t item, size_t count, size_t *at)
{
    const struct cel_need *needs;
    size_t need_count = needs_of(m, item, &needs);
    uint32_t slot;
    for (*at = 0; *at < count; ++*at)
        for (size_t n = 0; n < need_count; n++)
            if (usable(m, &needs[n], &slot) && slot == m->candidates[*at].slot) return &needs[n];
    return NULL;
}

/* Of the slots by which items would be found first, those that are worth it are kept. */
static size_t keep_candidates(struct pick_maker *m)
{
    size_t at, count = 0;
    for (size_t i = 0; i < m->all.count; i++)
        if (chosen(m, m->all.types[i], m->candidate_count, &at)) m->candidates[at].items++;
    for (size_t i = 0; i < m->candidate_count && count < PICK_SLOTS; i++)
        if (m->candidates[i].items >= PICK_FROM) m->candidates[count++] = m->candidates[i];
    return count;
}

static bool append(struct compiler *c, struct type_list *list, uint32_t number)
{
    bool full = (list->count & (list->count - 1)) == 0; /* room is for a power of two */
    if (list->count && list->types[list->count - 1] == number) return true;
    if (full) {
        uint32_t *larger = ARENA_ARRAY(c->keep, uint32_t, list->count ? 2 * list->count : 1);
        if (!larger) return false;
        if (list->count) memcpy(larger, list->types, list->count * sizeof *larger);
        list->types = larger;
    }
    ((uint32_t *)list->types)[list->count++] = number;
    return true;
}

static bool put_item(struct compiler *c, struct pick_slot *slot, uint32_t item, const struct cel_need *need)
{
    if (!append(c, &slot->items, item)) return false;
    for (size_t v = 0; v < need->count; v++) {
        struct pick_place *place = (struct pick_place *)pick_place(slot, need->values[v]);
        place->value = need->values[v];
        if (!append(c, &place->items, item)) return false;
    }
    return true;
}

static bool open_slot(struct compiler *c, const struct candidate *candidate, struct pick_slot *slot)
{
    uint32_t size = 8;
    while (size < 2 * candidate->values)
        size *= 2;
    *slot = (struct pick_slot){.slot = candidate->slot,
                               .kind = candidate->kind,
                               .places = ARENA_ARRAY(c->keep, struct pick_place, size),
                               .mask = size - 1};
    return slot->places;
}

bool make_picking(struct compiler *c, struct type_list all, const struct noted_program *const *conditions,
                  struct picking *out)
{
    struct pick_maker m = {.c = c, .all = all, .conditions = conditions};
    *out = (struct picking){.all = all, .others = all};
    if (all.count < PICK_FROM) return true;
    if (!find_candidates(&m)) return false;
    size_t count = keep_candidates(&m), at;
    if (!count) return true;
    struct pick_slot *slots = ARENA_ARRAY(c->keep, struct pick_slot, count);
    for (size_t i = 0; slots && i < count; i++)
        if (!open_slot(c, &m.candidates[i], &slots[i])) return false;
    out->others = (struct type_list){0};
    for (size_t i = 0; slots && i < all.count; i++) {
        const struct cel_need *need = chosen(&m, all.types[i], count, &at);
        if (!(need ? put_item(c, &slots[at], all.types[i], need) : append(c, &out->others, all.types[i])))
            return false;
    }
    out->slots = slots;
    out->slot_count = count;
    return slots;
}
