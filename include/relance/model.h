/* Models: what goes with what, as one version of one affinity says it. A version never changes: its number and its chain name
 * it, and what it answers is a function of its bytes, the same on every machine. Whoever decides by it holds it; threads may
 * share one.
 *
 * A version travels as canonical bytes, in full or as a delta over the version before it:
 *
 *     "rlm" 1  kind  number  recipe  chain of the base  instant  …      integers little-endian (rules/learn/version.h)
 *
 * chain = XXH3_64(those bytes). They hold the chain of their base, so a chain stands for all versions before it. */
#ifndef RELANCE_MODEL_H
#define RELANCE_MODEL_H

#include <relance/text.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    RELANCE_MODEL_PARTNERS = 20, /* that a version lists for a product */
    RELANCE_MODEL_POPULAR = 100, /* that it lists for nobody in particular */
    RELANCE_MODEL_SEEDS = 10,    /* that a question weighs; further ones are only left out of the answer */
    RELANCE_MODEL_TOGETHER = 40, /* the same, of products that came together */
    RELANCE_MODEL_EXCLUDED =
        256, /* that are left out, those weighed included; further ones are not looked at */
    RELANCE_MODEL_ANSWERS = 50, /* that a question gets at most */
};

struct relance_model;

struct relance_model_head {
    uint64_t number; /* 1, 2, … within an affinity's recipe */
    uint64_t recipe; /* the hash of the declaration that it was counted by */
    uint64_t chain;  /* of this version */
    uint64_t base;   /* chain of the version before it; 0: it is the first */
    int64_t at_ms;   /* instant up to which was counted, of the events' time */
    bool is_delta;   /* the bytes say only what differs from the base */
};

/* What the bytes say of themselves, without reading them further. */
RELANCE_MUST enum relance_status relance_model_head(struct relance_str bytes, struct relance_model_head *head,
                                                    struct relance_error *error);

/* A version out of the bytes of a full one; nothing of them is kept. On RELANCE_OK *out is held once, for the caller. */
RELANCE_MUST enum relance_status relance_model_read(struct relance_str bytes, struct relance_model **out,
                                                    struct relance_error *error);
/* A version out of the bytes of a delta, over its base, which stays as it is; refused where its chain is not the base's. */
RELANCE_MUST enum relance_status relance_model_apply(const struct relance_model *base,
                                                     struct relance_str bytes, struct relance_model **out,
                                                     struct relance_error *error);

/* Counted references; the last release frees. Both may be called from any thread. NULL is let through. */
void relance_model_hold(const struct relance_model *model);
void relance_model_release(const struct relance_model *model);

const struct relance_model_head *relance_model_about(const struct relance_model *model);
size_t relance_model_product_count(const struct relance_model *model);
size_t relance_model_bytes(const struct relance_model *model); /* of memory */

/* The products by number, from 0, in the order of their bytes; borrowed from the model. */
struct relance_str relance_model_product(const struct relance_model *model, size_t number);
/* RELANCE_MODEL_NOWHERE: the version does not name it. */
#define RELANCE_MODEL_NOWHERE SIZE_MAX
size_t relance_model_number(const struct relance_model *model, struct relance_str product);

/* A product and what it weighs: a whole number, comparable only within one answer. */
struct relance_partner {
    struct relance_str product; /* borrowed from the model */
    uint64_t weight;
};

/* What the version lists for a product, the strongest first: how many, of which at most `most` are written. A partner
 * that all who came to the product came to next weighs RELANCE_MODEL_WHOLE, where the affinity has no lift; one that always
 * came with it, in one event, half as much again. */
#define RELANCE_MODEL_WHOLE (UINT64_C(1) << 38)
size_t relance_model_partners(const struct relance_model *model, struct relance_str product, size_t most,
                              struct relance_partner *out);
/* The same for people: how many are written, and *whole, the weight of which theirs are told as parts. `*` stands for the most
 * popular ones, the first of which is their whole. */
size_t relance_model_listed(const struct relance_model *model, struct relance_str product, size_t most,
                            struct relance_partner *out, uint64_t *whole);
/* The best for the seeds together, the first of which weighs most: sum of partner weight / position of the seed, ties by the
 * products' bytes, without the seeds. At most `most` and RELANCE_MODEL_ANSWERS; how many. So that all stays whole, each weight is
 * RELANCE_MODEL_SHARES times as great as for one product. */
#define RELANCE_MODEL_SHARES 2520 /* 1/position: what all positions up to RELANCE_MODEL_SEEDS divide */
size_t relance_model_best(const struct relance_model *model, const struct relance_str *seeds, size_t count,
                          size_t most, struct relance_partner *out);
/* The same for seeds that came together, as in an order: none is before another, and each weighs whole. */
size_t relance_model_together(const struct relance_model *model, const struct relance_str *seeds,
                              size_t count, size_t most, struct relance_partner *out);
/* The most popular ones, likewise. */
size_t relance_model_popular(const struct relance_model *model, size_t most, struct relance_partner *out);

/* For tests: a version that answers what is written down. The product "*" stands for the popular ones. At most
 * RELANCE_MODEL_PARTNERS (RELANCE_MODEL_POPULAR) of each list are kept. NULL without memory. */
struct relance_model_list {
    struct relance_str product;
    const struct relance_str *partners;
    size_t count;
};
struct relance_model *relance_model_of_lists(const struct relance_model_list *lists, size_t count,
                                             const struct relance_model_head *head);

#endif
