/* What a walk over values has been through: pairs of pointers, and what was made of them. A value that is shared over
 * and over is one value; who walks it as a tree walks for ever. */
#ifndef RULES_CEL_SEEN_H
#define RULES_CEL_SEEN_H

#include "base/arena.h"

struct seen_place {
    const void *a, *b; /* a NULL: free */
    const void *made;
};

/* Open addressing, at most half full; all zero but for the arena: nothing seen yet. */
struct seen {
    struct arena *arena;
    struct seen_place *places;
    size_t capacity, count, visited;
};

/* NULL: not seen, or not remembered. */
const struct seen_place *seen_find(const struct seen *seen, const void *a, const void *b);
/* Remembers it, but for the first few visits of a walk, which cost less than remembering; false without memory. */
bool seen_add(struct seen *seen, struct seen_place place);

#endif
