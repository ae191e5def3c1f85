#include "report/tally.h"
#include "base/ensure.h"
#include "base/str.h"

#include <stdlib.h>

struct tally_item *tally_at(struct tally *tally, struct relance_str name)
{
    uint32_t at = names_add(&tally->names, name);
    if (at < tally->count) return &tally->items[at];
    if (tally->count == tally->capacity) {
        tally->capacity = tally->names.capacity;
        tally->items = realloc(tally->items, tally->capacity * sizeof *tally->items);
        ensure(tally->items);
    }
    tally->items[tally->count++] = (struct tally_item){.name = tally->names.list[at]};
    return &tally->items[at];
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
    names_free(&tally->names);
    free(tally->items);
    *tally = (struct tally){0};
}
