/* Names by number and back.
 *
 * In an arena: declared names, built once, then only read; the names are borrowed.
 * Without one ({0}): grows as names come, each copied with a NUL behind it; names_free gives all back. */
#ifndef RULES_BASE_NAMES_H
#define RULES_BASE_NAMES_H

#include "base/arena.h"

#define NAME_NONE UINT32_MAX

struct names {
    str *list;
    uint32_t count, capacity;
    uint32_t *table; /* open addressing, number + 1, 0: free; twice the capacity, a power of two */
    uint32_t mask;
    bool fixed;     /* in an arena */
    size_t longest; /* bytes of the longest */
};

bool names_init(struct names *names, struct arena *arena, size_t capacity);
/* The number of a name, adding it where new (in an arena at most `capacity` of them). */
uint32_t names_add(struct names *names, str name);
/* The same for as many as come: the table grows in its arena. False without memory. */
bool names_put(struct names *names, struct arena *arena, str name, uint32_t *number);
void names_free(struct names *names);                               /* without an arena */
uint32_t names_find(const struct names *names, str name);           /* NAME_NONE: unknown */
uint32_t names_find_hash(const struct names *names, uint64_t hash); /* by its str_hash */

#endif
