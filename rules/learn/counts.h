/* All that is counted of one affinity. Products have numbers in the order in which they came, which shows nowhere: whatever
 * leaves this room is in the order of their names. */
#ifndef RULES_LEARN_COUNTS_H
#define RULES_LEARN_COUNTS_H

#include "base/buffer.h"
#include "base/names.h"
#include "learn/decay.h"
#include "learn/pairs.h"
#include "learn/windows.h"

#include <relance/learn.h>

enum {
    COUNTS_DAY_MS = 86400000,
    COUNTS_UNIT = 60,          /* a pair's at distance 1: all distances divide it */
    COUNTS_KEPT_PARTNERS = 48, /* of a product in a state */
};

/* What a half-life has brought, while there is no state yet: weights as of its begin. */
struct era {
    int64_t epoch;
    struct vector own;
    struct pairs pairs;
};

struct relance_learn {
    struct relance_learn_recipe recipe;
    struct decay decay;
    struct pool pool;
    struct names products;
    size_t name_bytes;
    struct vector own; /* of uint64_t: each product's tally */
    struct pairs pairs;
    struct vector eras; /* of struct era: before the first state or version; behind it there are none */
    bool has_epoch;     /* decay.epoch is one: of a state, or of the newest era */
    struct windows windows;
    uint64_t chain;       /* of the last state; 0: none */
    uint64_t state_count; /* made so far */
    struct buffer bytes;  /* of the last state or version */
};

static inline uint64_t *learn_own(const struct relance_learn *learn, uint32_t product)
{
    return VECTOR_AT(learn->own, uint64_t, product);
}

/* So many half-lives later. */
static inline uint64_t tally_less(uint64_t tally, unsigned shift)
{
    return tally_weight(tally) >> shift | (tally & ~TALLY_WEIGHT_MAX);
}

/* A product's number; NAME_NONE: it is not learnt. */
uint32_t learn_product(struct relance_learn *learn, str name);
/* Back to nothing. */
void learn_clear(struct relance_learn *learn);

/* Where an event is counted while there is no state: in the era of its half-life. A state says which half-life its weights
 * are of; before the first, the event that comes first cannot say it, since another order of partitions brings another first
 * one. So each half-life is summed alone, and they come together once it is known which is the newest. */
struct era *learn_era(struct relance_learn *learn, int64_t at_ms);
void eras_clear(struct relance_learn *learn);
/* Before products and pairs are looked at, at an instant: all that is counted stands in them. What lies ahead of the instant
 * weighs more, but does not make all else weigh nothing. */
void learn_settle(struct relance_learn *learn, int64_t at_ms);
/* A product's tally among those that grow as products come. */
uint64_t *own_of(struct pool *pool, struct vector *own, uint32_t product);

/* Pairs by one of their two: those of product p are order[ends[p]] to order[ends[p + 1]], places of slots. */
struct rows {
    uint32_t *ends, *order;
};
/* In an arena; false without memory. `by_later`: by what came after. Pairs are flushed before. */
bool rows_make(struct rows *rows, struct arena *arena, const struct relance_learn *learn, bool by_later);

/* Products by the order of their names, and which place each has: *ranks, by number. NULL without memory. */
uint32_t *learn_by_name(const struct relance_learn *learn, struct arena *arena, uint32_t **ranks);

/* What of a partner is weighed beside the counts: lift × log2 of its own weight. */
int64_t learn_popularity(const struct relance_learn *learn, uint32_t product);

#endif
