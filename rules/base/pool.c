#include "base/pool.h"

#include <stdlib.h>

enum { POOL_STEP = 16, POOL_SMALL = 1 << 10, SLAB_BYTES = 1 << 20 };

struct pool_slab {
    struct pool_slab *next;
    size_t size;
    _Alignas(16) char room[];
};

void pool_init(struct pool *pool)
{
    memset(pool, 0, sizeof *pool);
}

void pool_free_all(struct pool *pool)
{
    for (struct pool_slab *slab = pool->slabs, *next; slab; slab = next) {
        next = slab->next;
        free(slab);
    }
    pool_init(pool);
}

/* The class of a size, and in *rounded the bytes that a block of it has; POOL_CLASSES: too large. */
static size_t pool_class(size_t size, size_t *rounded)
{
    if (size <= POOL_SMALL) {
        size_t class = size ? (size - 1) / POOL_STEP : 0;
        *rounded = (class + 1) * POOL_STEP;
        return class;
    }
    size_t class = POOL_SMALL / POOL_STEP;
    for (*rounded = POOL_SMALL * 2; *rounded < size && class < POOL_CLASSES; *rounded *= 2)
        class ++;
    return class;
}

static void *pool_cut(struct pool *pool, size_t size)
{
    if (size > (size_t)(pool->end - pool->at)) {
        size_t room = size > SLAB_BYTES / 4 ? size : SLAB_BYTES;
        struct pool_slab *slab = malloc(sizeof *slab + room);
        if (!slab) return NULL;
        slab->next = pool->slabs;
        slab->size = room;
        pool->slabs = slab;
        if (room == size) return slab->room; /* a slab of its own; the present one goes on */
        pool->at = slab->room;
        pool->end = slab->room + room;
    }
    void *block = pool->at;
    pool->at += size;
    return block;
}

void *pool_alloc(struct pool *pool, size_t size)
{
    size_t rounded, class = pool_class(size, &rounded);
    if (class >= POOL_CLASSES) return NULL;
    void *block = pool->free_lists[class];
    if (block)
        pool->free_lists[class] = *(void **)block;
    else
        block = pool_cut(pool, rounded);
    if (block) pool->used += rounded;
    return block;
}

void pool_release(struct pool *pool, void *block, size_t size)
{
    if (!block) return;
    size_t rounded, class = pool_class(size, &rounded);
    *(void **)block = pool->free_lists[class];
    pool->free_lists[class] = block;
    pool->used -= rounded;
}

struct bytes *bytes_new(struct pool *pool, str s)
{
    struct bytes *bytes = pool_alloc(pool, sizeof *bytes + s.size);
    if (!bytes) return NULL;
    bytes->size = (uint32_t)s.size;
    if (s.size) memcpy(bytes->data, s.data, s.size);
    return bytes;
}

void bytes_release(struct pool *pool, struct bytes *bytes)
{
    if (bytes) pool_release(pool, bytes, sizeof *bytes + bytes->size);
}

static bool vector_grow(struct pool *pool, struct vector *vector, size_t item_size)
{
    uint32_t capacity = vector->capacity < 4 ? vector->capacity + 1 : vector->capacity * 2;
    void *items = pool_alloc(pool, capacity * item_size);
    if (!items) return false;
    if (vector->count) memcpy(items, vector->items, vector->count * item_size);
    pool_release(pool, vector->items, vector->capacity * item_size);
    vector->items = items;
    vector->capacity = capacity;
    return true;
}

void *vector_insert(struct pool *pool, struct vector *vector, size_t item_size, size_t at)
{
    if (vector->count == vector->capacity && !vector_grow(pool, vector, item_size)) return NULL;
    char *place = (char *)vector->items + at * item_size;
    memmove(place + item_size, place, (vector->count - at) * item_size);
    vector->count++;
    return place;
}

void vector_remove(struct vector *vector, size_t item_size, size_t at)
{
    char *place = (char *)vector->items + at * item_size;
    vector->count--;
    memmove(place, place + item_size, (vector->count - at) * item_size);
}

void vector_fit(struct pool *pool, struct vector *vector, size_t item_size)
{
    struct vector fitted = {.count = vector->count, .capacity = vector->count};
    if (fitted.count && !(fitted.items = pool_alloc(pool, fitted.count * item_size))) return;
    if (fitted.count) memcpy(fitted.items, vector->items, fitted.count * item_size);
    pool_release(pool, vector->items, vector->capacity * item_size);
    *vector = fitted;
}

void vector_release(struct pool *pool, struct vector *vector, size_t item_size)
{
    pool_release(pool, vector->items, vector->capacity * item_size);
    *vector = (struct vector){0};
}
