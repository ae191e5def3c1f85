#include "learn/pairs.h"

#include "base/ensure.h"

enum { PAIRS_MIN = 1 << 10 };

void pairs_init(struct pairs *pairs, struct pool *pool)
{
    *pairs = (struct pairs){.pool = pool};
}

void pairs_clear(struct pairs *pairs)
{
    pool_release(pairs->pool, pairs->slots, pairs->size * sizeof *pairs->slots);
    pairs_init(pairs, pairs->pool);
}

static struct pair *pairs_home(const struct pairs *pairs, uint64_t key)
{
    uint64_t hash = key * 0x9e3779b97f4a7c15u;
    return &pairs->slots[(hash ^ hash >> 32) & (pairs->size - 1)];
}

static struct pair *pairs_slot(const struct pairs *pairs, uint64_t key)
{
    struct pair *slot = pairs_home(pairs, key), *end = pairs->slots + pairs->size;
    while (slot->key && slot->key != key)
        if (++slot == end) slot = pairs->slots;
    return slot;
}

/* Twice the room, so that at most three quarters of it are taken. */
static void pairs_grow(struct pairs *pairs)
{
    struct pairs old = *pairs;
    pairs->size = old.size ? 2 * old.size : PAIRS_MIN;
    pairs->slots = pool_alloc(pairs->pool, pairs->size * sizeof *pairs->slots);
    ensure(pairs->slots);
    memset(pairs->slots, 0, pairs->size * sizeof *pairs->slots);
    for (size_t i = 0; i < old.size; i++)
        if (old.slots[i].key) *pairs_slot(pairs, old.slots[i].key) = old.slots[i];
    pool_release(pairs->pool, old.slots, old.size * sizeof *old.slots);
}

void pairs_flush(struct pairs *pairs)
{
    for (size_t i = 0; i < pairs->ahead_count; i++) {
        const struct pair *pair = &pairs->ahead[i];
        struct pair *slot = pairs_slot(pairs, pair->key);
        pairs->count += !slot->key;
        *slot = (struct pair){pair->key, tally_sum(slot->tally, pair->tally)};
    }
    pairs->ahead_count = 0;
}

void pairs_add(struct pairs *pairs, uint32_t earlier, uint32_t later, uint64_t tally)
{
    if (pairs->ahead_count == PAIRS_AHEAD) pairs_flush(pairs);
    if (4 * (pairs->count + PAIRS_AHEAD) > 3 * pairs->size) pairs_grow(pairs);
    uint64_t key = (uint64_t)earlier << 32 | later;
    __builtin_prefetch(pairs_home(pairs, key), 1);
    pairs->ahead[pairs->ahead_count++] = (struct pair){key, tally};
}
