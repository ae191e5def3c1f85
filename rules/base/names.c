#include "base/names.h"

#include "base/ensure.h"

#include <stdlib.h>

bool names_init(struct names *names, struct arena *arena, size_t capacity)
{
    size_t size = 8;
    while (size < capacity * 2)
        size *= 2;
    *names = (struct names){.capacity = (uint32_t)capacity, .mask = (uint32_t)size - 1, .fixed = true};
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

/* Twice the room, so that at most half of the table is taken. */
static void names_grow(struct names *names)
{
    names->capacity = names->capacity ? 2 * names->capacity : 64;
    names->mask = 2 * names->capacity - 1;
    names->list = realloc(names->list, names->capacity * sizeof *names->list);
    free(names->table);
    names->table = calloc((size_t)names->mask + 1, sizeof *names->table);
    ensure(names->list && names->table);
    for (uint32_t i = 0; i < names->count; i++)
        *names_place(names, names->list[i]) = i + 1;
}

static str names_copy(str name)
{
    char *copy = malloc(name.size + 1);
    ensure(copy);
    if (name.size) memcpy(copy, name.data, name.size);
    copy[name.size] = '\0';
    return (str){copy, name.size};
}

uint32_t names_add(struct names *names, str name)
{
    if (!names->fixed && names->count == names->capacity) names_grow(names);
    uint32_t *place = names_place(names, name);
    if (!*place) {
        ensure(names->count < names->capacity);
        names->list[names->count++] = names->fixed ? name : names_copy(name);
        *place = names->count;
        if (name.size > names->longest) names->longest = name.size;
    }
    return *place - 1;
}

uint32_t names_find(const struct names *names, str name)
{
    if (!names->table) return NAME_NONE;
    return *names_place(names, name) - 1; /* 0 - 1 is NAME_NONE */
}

uint32_t names_find_hash(const struct names *names, uint64_t hash)
{
    if (!names->table) return NAME_NONE;
    uint32_t at = (uint32_t)hash & names->mask;
    while (names->table[at] && str_hash(names->list[names->table[at] - 1]) != hash)
        at = (at + 1) & names->mask;
    return names->table[at] - 1;
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

void names_free(struct names *names)
{
    ensure(!names->fixed);
    for (uint32_t i = 0; i < names->count; i++)
        free((char *)names->list[i].data);
    free(names->list);
    free(names->table);
    *names = (struct names){0};
}
