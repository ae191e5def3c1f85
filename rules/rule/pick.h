/* Which rules, counts or totals an event can mean: those whose condition needs nothing that the event does not have.
 *
 *     event.product == 'p1' && event.price >= 5.0      behind the slot of event.product, at 'p1'
 *     event.product in ['p1', 'p2']                    there, at both
 *     event.price >= 5.0                               behind no slot: asked about each event
 *
 * A thousand rules that look for a product each cost what those cost that look for this one. What is passed by has a
 * condition that is false, and nothing else would have come of asking it; so who wants to know of conditions that are
 * false (explanations, coverage) takes them all. */
#ifndef RULES_RULE_PICK_H
#define RULES_RULE_PICK_H

#include "rule/set.h"

/* The items that an event can mean, as several lists that are gone through as one. */
struct picked {
    struct type_list lists[PICK_SLOTS + 1]; /* what is left of each; none is empty */
    size_t count;
};

static inline uint64_t pick_hash(struct cel_value value)
{
    return str_hash(value.kind == CEL_STRING ? cel_text(value)
                                             : (str){(const char *)&value.as.i, sizeof value.as.i});
}

/* Where a value of the slot's kind stands, or the free place where it would. */
static inline const struct pick_place *pick_place(const struct pick_slot *slot, struct cel_value value)
{
    uint32_t at = (uint32_t)pick_hash(value) & slot->mask;
    for (;; at = (at + 1) & slot->mask) {
        const struct pick_place *place = &slot->places[at];
        if (!place->items.count) return place;
        if (value.kind == CEL_INT ? place->value.as.i == value.as.i
                                  : str_equal(cel_text(place->value), cel_text(value)))
            return place;
    }
}

static inline void pick_add(struct picked *picked, struct type_list list)
{
    if (list.count) picked->lists[picked->count++] = list;
}

/* By the values of the event in its slots. */
static inline struct picked pick_by(const struct picking *picking, const struct cel_value *slots)
{
    struct picked picked;
    picked.count = 0;
    pick_add(&picked, picking->others);
    for (size_t i = 0; i < picking->slot_count; i++) {
        const struct pick_slot *slot = &picking->slots[i];
        struct cel_value value = slots[slot->slot];
        pick_add(&picked, value.kind == slot->kind ? pick_place(slot, value)->items : slot->items);
    }
    return picked;
}

static inline struct picked pick_all(const struct picking *picking)
{
    struct picked picked;
    picked.count = 0;
    pick_add(&picked, picking->all);
    return picked;
}

/* The next of all lists; false: there is none. */
static inline bool pick_next(struct picked *picked, uint32_t *number)
{
    struct type_list *lists = picked->lists, *least = lists;
    if (!picked->count) return false;
    for (size_t i = 1; i < picked->count; i++)
        if (*lists[i].types < *least->types) least = &lists[i];
    *number = *least->types++;
    if (!--least->count) *least = lists[--picked->count];
    return true;
}

#endif
