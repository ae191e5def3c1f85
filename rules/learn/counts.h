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

struct relance_learn {
    struct relance_learn_recipe recipe;
    struct decay decay;
    struct pool pool;
    struct names products;
    size_t name_bytes;
    struct vector own; /* of uint64_t: each product's tally */
    struct pairs pairs;
    struct windows windows;
    uint64_t chain;       /* of the last state; 0: none */
    uint64_t state_count; /* made so far */
    struct buffer bytes;  /* of the last state or version */
};

static inline uint64_t *learn_own(const struct relance_learn *learn, uint32_t product)
{
    return VECTOR_AT(learn->own, uint64_t, product);
}

/* A product's number; NAME_NONE: it is not learnt. */
uint32_t learn_product(struct relance_learn *learn, str name);
/* Back to nothing. */
void learn_clear(struct relance_learn *learn);

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
