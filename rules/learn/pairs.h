/* What has been counted, by pairs: a table of two words a pair. Sums stop at a bound, and customers are bits that only come:
 * both commute, so that the order of additions shows nowhere. */
#ifndef RULES_LEARN_PAIRS_H
#define RULES_LEARN_PAIRS_H

#include "base/pool.h"

enum { TALLY_WEIGHT_BITS = 48, TALLY_MARKS = 16, PAIRS_AHEAD = 64 };
#define TALLY_WEIGHT_MAX (((uint64_t)1 << TALLY_WEIGHT_BITS) - 1)

/* A weight, and above it sixteen marks: a customer sets the one that its hash chooses. n marks were made by n customers or
 * more, however often each came. */
static inline uint64_t tally_weight(uint64_t tally)
{
    return tally & TALLY_WEIGHT_MAX;
}

static inline unsigned tally_customers(uint64_t tally)
{
    unsigned count = 0;
    for (uint64_t marks = tally >> TALLY_WEIGHT_BITS; marks; marks &= marks - 1)
        count++;
    return count;
}

static inline uint64_t tally_of(uint64_t weight, uint64_t customer)
{
    return (weight < TALLY_WEIGHT_MAX ? weight : TALLY_WEIGHT_MAX) |
           (uint64_t)1 << (TALLY_WEIGHT_BITS + customer % TALLY_MARKS);
}

static inline uint64_t tally_sum(uint64_t a, uint64_t b)
{
    uint64_t weight = tally_weight(a) + tally_weight(b);
    return (weight < TALLY_WEIGHT_MAX ? weight : TALLY_WEIGHT_MAX) | ((a | b) & ~TALLY_WEIGHT_MAX);
}

struct pair {
    uint64_t key;   /* earlier product << 32 | later one, which are two; 0: free */
    uint64_t tally; /* of the later coming after the earlier */
};

static inline uint32_t pair_earlier(const struct pair *pair)
{
    return (uint32_t)(pair->key >> 32);
}

static inline uint32_t pair_later(const struct pair *pair)
{
    return (uint32_t)pair->key;
}

struct pairs {
    struct pool *pool;
    struct pair *slots;
    size_t count, size;             /* size: a power of two, or 0 */
    struct pair ahead[PAIRS_AHEAD]; /* to be added, their slots on the way from memory */
    size_t ahead_count;
};

void pairs_init(struct pairs *pairs, struct pool *pool);
void pairs_clear(struct pairs *pairs);
void pairs_add(struct pairs *pairs, uint32_t earlier, uint32_t later, uint64_t tally);
void pairs_flush(struct pairs *pairs); /* before the slots are looked at */

#endif
