/* See seen.h. */
#include "cel/seen.h"

enum { VISITS_FREE = 32, CAPACITY_MIN = 256 };

static struct seen_place *seen_place(const struct seen *seen, const void *a, const void *b)
{
    uint64_t mixed = ((uint64_t)(uintptr_t)a * 31 + (uint64_t)(uintptr_t)b) * 0x9E3779B97F4A7C15u;
    for (size_t i = mixed >> 32 & (seen->capacity - 1);; i = (i + 1) & (seen->capacity - 1)) {
        struct seen_place *place = &seen->places[i];
        if (!place->a || (place->a == a && place->b == b)) return place;
    }
}

const struct seen_place *seen_find(const struct seen *seen, const void *a, const void *b)
{
    const struct seen_place *place = seen->capacity ? seen_place(seen, a, b) : NULL;
    return place && place->a ? place : NULL;
}

static bool seen_grow(struct seen *seen)
{
    struct seen grown = *seen;
    grown.capacity = seen->capacity ? seen->capacity * 2 : CAPACITY_MIN;
    grown.places = ARENA_ARRAY(seen->arena, struct seen_place, grown.capacity);
    if (!grown.places) return false;
    for (size_t i = 0; i < seen->capacity; i++)
        if (seen->places[i].a) *seen_place(&grown, seen->places[i].a, seen->places[i].b) = seen->places[i];
    *seen = grown;
    return true;
}

bool seen_add(struct seen *seen, struct seen_place place)
{
    if (seen->visited++ < VISITS_FREE) return true;
    if (seen->count * 2 >= seen->capacity && !seen_grow(seen)) return false;
    *seen_place(seen, place.a, place.b) = place;
    seen->count++;
    return true;
}
