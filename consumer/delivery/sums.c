#include "delivery/sums.h"
#include "base/ensure.h"
#include <stdlib.h>

/* What a name begins with, so that one table of names holds them all; those of a day stand together. */
struct sums_place {
    int64_t day;
    int64_t table;
};

enum {
    SUMS_NAME_MAX = 512,      /* bytes of a name: what is longer is cut, as with counters */
    SUMS_NAMES_KEPT = 1 << 14 /* names that may stay though they have no sum: days go by */
};

static uint32_t sums_number(struct sums *sums, str name)
{
    uint32_t before = sums->names.count, room = sums->names.capacity, at = names_add(&sums->names, name);
    if (sums->names.capacity != room) {
        sums->numbers = realloc(sums->numbers, sums->names.capacity * sizeof *sums->numbers);
        ensure(sums->numbers);
    }
    if (at == before) sums->numbers[at] = 0; /* a new one */
    return at;
}

void sums_add(struct sums *sums, const struct relance_addition *addition)
{
    char name[sizeof(struct sums_place) + SUMS_NAME_MAX];
    const struct sums_place place = {addition->table == RELANCE_SUMS_DAY ? addition->day : 0,
                                     addition->table};
    size_t size = addition->name.size < SUMS_NAME_MAX ? addition->name.size : SUMS_NAME_MAX;
    memcpy(name, &place, sizeof place);
    memcpy(name + sizeof place, addition->name.data, size);
    uint32_t at = sums_number(sums, (str){name, sizeof place + size});
    int64_t *number = &sums->numbers[at];
    if (__builtin_add_overflow(*number, addition->number, number))
        *number = addition->number > 0 ? INT64_MAX : INT64_MIN;
}

static struct relance_addition sums_item(str name, int64_t number)
{
    struct sums_place place;
    memcpy(&place, name.data, sizeof place);
    return (struct relance_addition){.table = (enum relance_sums)place.table,
                                     .day = place.day,
                                     .name = {name.data + sizeof place, name.size - sizeof place},
                                     .number = number};
}

static int sums_order(const void *left, const void *right)
{
    const struct relance_addition *a = left, *b = right;
    if (a->table != b->table) return a->table < b->table ? -1 : 1;
    if (a->day != b->day) return a->day < b->day ? -1 : 1;
    return str_compare(a->name, b->name);
}

void sums_each(const struct sums *sums, relance_add *visit, void *context)
{
    size_t count = 0;
    struct relance_addition *items = malloc((sums->names.count + 1) * sizeof *items);
    ensure(items);
    for (uint32_t i = 0; i < sums->names.count; i++)
        if (sums->numbers[i]) items[count++] = sums_item(sums->names.list[i], sums->numbers[i]);
    if (count) qsort(items, count, sizeof *items, sums_order);
    for (size_t i = 0; i < count; i++)
        visit(context, &items[i]);
    free(items);
}

static void sums_add_one(void *context, const struct relance_addition *addition)
{
    sums_add(context, addition);
}

void sums_add_all(struct sums *sums, const struct sums *more)
{
    sums_each(more, sums_add_one, sums);
}

void sums_clear(struct sums *sums)
{
    if (sums->names.count > SUMS_NAMES_KEPT) {
        sums_free(sums);
        return;
    }
    for (uint32_t i = 0; i < sums->names.count; i++)
        sums->numbers[i] = 0;
}

void sums_free(struct sums *sums)
{
    names_free(&sums->names);
    free(sums->numbers);
    *sums = (struct sums){0};
}
