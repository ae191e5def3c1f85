/* Names: declared names by number and back. Built once in an arena, then only read. */
#ifndef RULES_BASE_NAMES_H
#define RULES_BASE_NAMES_H

#include "base/arena.h"

#define NAME_NONE UINT32_MAX

struct names {
    str *list;
    uint32_t count, capacity;
    uint32_t *table; /* open addressing, number + 1, 0: free; twice the capacity, a power of two */
    uint32_t mask;
};

bool names_init(struct names *names, struct arena *arena, size_t capacity);
/* The number of a name, adding it where new (at most `capacity` of them). */
uint32_t names_add(struct names *names, str name);
uint32_t names_find(const struct names *names, str name); /* NAME_NONE: unknown */

#endif
