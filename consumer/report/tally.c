#include "report/tally.h"
#include "base/ensure.h"
#include "base/str.h"

#include <stdlib.h>
#include <xxhash.h>

static void tally_put_place(struct tally *tally, uint32_t number)
{
    struct relance_str name = tally->items[number].name;
    size_t at = XXH3_64bits(name.data, name.size) & (tally->place_count - 1);
    while (tally->places[at])
        at = (at + 1) & (tally->place_count - 1);
    tally->places[at] = number + 1;
}

/* Twice the room, so that at most half the places are taken. */
static void tally_grow(struct tally *tally)
{
    tally->capacity = tally->capacity ? 2 * tally->capacity : 64;
    tally->place_count = 2 * tally->capacity;
    tally->items = realloc(tally->items, tally->capacity * sizeof *tally->items);
    free(tally->places);
    tally->places = calloc(tally->place_count, sizeof *tally->places);
    ensure(tally->items && tally->places);
    for (size_t i = 0; i < tally->count; i++)
        tally_put_place(tally, (uint32_t)i);
}

static struct tally_item *tally_add(struct tally *tally, struct relance_str name)
{
    char *copy = malloc(name.size + 1);
    ensure(copy);
    if (name.size) memcpy(copy, name.data, name.size);
    copy[name.size] = '\0';
    tally->items[tally->count] = (struct tally_item){.name = {copy, name.size}};
    tally_put_place(tally, (uint32_t)tally->count);
    return &tally->items[tally->count++];
}

struct tally_item *tally_at(struct tally *tally, struct relance_str name)
{
    if (tally->count == tally->capacity) tally_grow(tally);
    size_t mask = tally->place_count - 1;
    for (size_t at = XXH3_64bits(name.data, name.size) & mask; tally->places[at]; at = (at + 1) & mask) {
        struct tally_item *item = &tally->items[tally->places[at] - 1];
        if (str_equal(item->name, name)) return item;
    }
    return tally_add(tally, name);
}

static int tally_by_name(const void *a, const void *b)
{
    return str_compare(((const struct tally_item *)a)->name, ((const struct tally_item *)b)->name);
}

void tally_sort(struct tally *tally)
{
    if (tally->count) qsort(tally->items, tally->count, sizeof *tally->items, tally_by_name);
}

void tally_free(struct tally *tally)
{
    for (size_t i = 0; i < tally->count; i++)
        free((char *)tally->items[i].name.data);
    free(tally->items);
    free(tally->places);
    *tally = (struct tally){0};
}
