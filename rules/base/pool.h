/* Pool: memory for what lives and dies singly, the parts of customers' states. Free lists by size class: once warm,
 * nothing is asked of the system, and what one customer gives up another takes. Large blocks that nobody has taken up
 * go back to the system. */
#ifndef RULES_BASE_POOL_H
#define RULES_BASE_POOL_H

#include "base/str.h"

enum { POOL_CLASSES = 128 + 30 }; /* multiples of 8 up to 1 KiB, then doublings up to 1 TiB */

struct pool {
    void *free_lists[POOL_CLASSES];
    struct pool_slab *slabs;
    size_t slab_bytes;        /* of all slabs */
    char *at, *end;           /* free room of the newest slab */
    size_t used;              /* bytes handed out, rounded up to their class */
    struct pool_large *large; /* all blocks of 8 KiB and more */
    size_t spare;             /* bytes of those that nobody uses */
};

void pool_init(struct pool *pool);
void pool_free_all(struct pool *pool);
void *pool_alloc(struct pool *pool, size_t size); /* not cleared, aligned to 8; NULL without memory */
/* `size` is what pool_alloc was asked for. NULL is let through. */
void pool_release(struct pool *pool, void *block, size_t size);

/* A string that owns its bytes. */
struct bytes {
    uint32_t size;
    char data[];
};
struct bytes *bytes_new(struct pool *pool, str s);        /* NULL without memory */
struct bytes *bytes_make(struct pool *pool, size_t size); /* whose bytes are still to be written */
void bytes_release(struct pool *pool, struct bytes *bytes);

static inline str bytes_str(const struct bytes *bytes)
{
    return bytes ? (str){bytes->data, bytes->size} : (str){0};
}

/* A vector: count items of one size, with room for capacity. Typed by whoever holds it. */
struct vector {
    void *items;
    uint32_t count, capacity;
};
/* Makes room for one more at `at` and returns it, uninitialised; NULL without memory (nothing changed). */
void *vector_insert(struct pool *pool, struct vector *vector, size_t item_size, size_t at);
void vector_remove(struct vector *vector, size_t item_size, size_t at);
/* gives back what it has too much */
void vector_fit(struct pool *pool, struct vector *vector, size_t item_size);
void vector_release(struct pool *pool, struct vector *vector, size_t item_size);

#define VECTOR_AT(vector, type, i) (&((type *)(vector).items)[i])
#define VECTOR_EACH(vector, type, item)                                                                      \
    for (type *item = (vector).items; item && item != (type *)(vector).items + (vector).count; item++)

#endif
