/* Small blocks are cut from slabs and stay with their class. Large ones are the system's, each by itself: some wait
 * for whoever wants that size next: the latest, and beside it never more bytes than are in use (and a MiB), so that
 * what a value of every size has needed once is not kept for ever. Huge ones, which tables leave behind as they grow and
 * nobody wants again, go back at once. */
#include "base/pool.h"

#include <stdlib.h>

enum {
    POOL_STEP = 8,
    POOL_SMALL = 1 << 10,
    POOL_LARGE = 8 << 10,
    POOL_HUGE = 256 << 10,
    SLAB_BYTES = 1 << 20,
    SPARE_BYTES = 1 << 20
};

struct pool_slab {
    struct pool_slab *next;
    _Alignas(16) char room[];
};

/* Before a large block. */
struct pool_large {
    struct pool_large *next, *before;
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
    for (struct pool_large *large = pool->large, *next; large; large = next) {
        next = large->next;
        free(large);
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
        struct pool_slab *slab = malloc(sizeof *slab + SLAB_BYTES);
        if (!slab) return NULL;
        slab->next = pool->slabs;
        pool->slabs = slab;
        pool->slab_bytes += SLAB_BYTES;
        pool->at = slab->room;
        pool->end = slab->room + SLAB_BYTES;
    }
    void *block = pool->at;
    pool->at += size;
    return block;
}

static void *large_new(struct pool *pool, size_t size)
{
    struct pool_large *large = malloc(sizeof *large + size);
    if (!large) return NULL;
    *large = (struct pool_large){.next = pool->large};
    if (pool->large) pool->large->before = large;
    pool->large = large;
    return large->room;
}

static void large_free(struct pool *pool, void *block)
{
    struct pool_large *large = (struct pool_large *)((char *)block - offsetof(struct pool_large, room));
    if (large->next) large->next->before = large->before;
    if (large->before)
        large->before->next = large->next;
    else
        pool->large = large->next;
    free(large);
}

/* Gives large blocks back that nobody uses, the largest first, until few enough wait. */
static void pool_trim(struct pool *pool)
{
    size_t rounded, least = pool_class(POOL_LARGE, &rounded), class = POOL_CLASSES;
    while (pool->spare > pool->used + SPARE_BYTES && class -- > least) {
        size_t size = (size_t)POOL_SMALL * 2 << (class - POOL_SMALL / POOL_STEP);
        for (void *block; pool->spare > pool->used + SPARE_BYTES && (block = pool->free_lists[class]);) {
            pool->free_lists[class] = *(void **)block;
            pool->spare -= size;
            large_free(pool, block);
        }
    }
}

void *pool_alloc(struct pool *pool, size_t size)
{
    size_t rounded, class = pool_class(size, &rounded);
    if (class >= POOL_CLASSES) return NULL;
    bool large = rounded >= POOL_LARGE;
    void *block = pool->free_lists[class];
    if (block) {
        pool->free_lists[class] = *(void **)block;
        __builtin_prefetch(pool->free_lists[class], 1); /* whoever comes next reads it, and it may be cold */
        pool->spare -= large ? rounded : 0;
    } else {
        block = large ? large_new(pool, rounded) : pool_cut(pool, rounded);
    }
    if (block) pool->used += rounded;
    return block;
}

void pool_release(struct pool *pool, void *block, size_t size)
{
    if (!block) return;
    size_t rounded, class = pool_class(size, &rounded);
    pool->used -= rounded;
    if (rounded >= POOL_HUGE) {
        large_free(pool, block);
        return;
    }
    if (rounded >= POOL_LARGE) {
        pool_trim(pool);
        pool->spare += rounded;
    }
    *(void **)block = pool->free_lists[class];
    pool->free_lists[class] = block;
}

struct bytes *bytes_make(struct pool *pool, size_t size)
{
    struct bytes *bytes = pool_alloc(pool, sizeof *bytes + size);
    if (bytes) bytes->size = (uint32_t)size;
    return bytes;
}

struct bytes *bytes_new(struct pool *pool, str s)
{
    struct bytes *bytes = bytes_make(pool, s.size);
    if (bytes && s.size) memcpy(bytes->data, s.data, s.size);
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
