#include "base/names.h"

#include "base/ensure.h"

bool names_init(struct names *names, struct arena *arena, size_t capacity)
{
    size_t size = 8;
    while (size < capacity * 2)
        size *= 2;
    *names = (struct names){.capacity = (uint32_t)capacity, .mask = (uint32_t)size - 1};
    names->list = ARENA_ARRAY(arena, str, capacity ? capacity : 1);
    names->table = ARENA_ARRAY(arena, uint32_t, size);
    return names->list && names->table;
}

/* The place of a name in the table, or the free one where it would stand. */
static uint32_t *names_place(const struct names *names, str name)
{
    uint32_t at = (uint32_t)str_hash(name) & names->mask;
    while (names->table[at] && !str_equal(names->list[names->table[at] - 1], name))
        at = (at + 1) & names->mask;
    return &names->table[at];
}

uint32_t names_add(struct names *names, str name)
{
    uint32_t *place = names_place(names, name);
    if (!*place) {
        ensure(names->count < names->capacity);
        names->list[names->count++] = name;
        *place = names->count;
    }
    return *place - 1;
}

uint32_t names_find(const struct names *names, str name)
{
    return *names_place(names, name) - 1; /* 0 - 1 is NAME_NONE */
}

bool names_put(struct names *names, struct arena *arena, str name, uint32_t *number)
{
    if (names->count == names->capacity) {
        struct names larger;
        if (!names_init(&larger, arena, (size_t)names->capacity * 2 + 8)) return false;
        for (uint32_t i = 0; i < names->count; i++)
            names_add(&larger, names->list[i]);
        *names = larger;
    }
    *number = names_add(names, name);
    return true;
}
