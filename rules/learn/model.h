/* A version in memory: products in the order of their bytes, so that a number compares as its name does; for each the list of
 * its partners, the strongest first. All of it lies in one arena, the struct itself included. */
#ifndef RULES_LEARN_MODEL_H
#define RULES_LEARN_MODEL_H

#include "base/arena.h"
#include "learn/weight.h"

#include <relance/model.h>
#include <stdatomic.h>

struct relance_model {
    struct arena arena;
    atomic_size_t holders;
    struct relance_model_head head;
    uint32_t count;
    uint32_t *name_ends; /* [count], in `names` */
    char *names;
    uint32_t *table; /* open addressing, number + 1, 0: free */
    uint32_t mask;
    uint32_t *list_ends; /* [count], in the two below */
    uint32_t *partners;  /* numbers of products */
    uint16_t *weights;   /* rules/learn/weight.h */
    uint32_t popular_count;
    uint32_t *popular;
    uint16_t *popular_weights;
};

/* A list of a version. */
struct model_row {
    uint32_t *partners;
    uint16_t *weights;
    size_t count;
};

/* An empty one with room for so much, held once; NULL without memory. */
struct relance_model *model_new(size_t products, size_t name_bytes, size_t partners);
/* The next product; names come in their order. */
void model_put_name(struct relance_model *model, str name);
/* The list of the next product, which has not been given one yet. */
void model_put_list(struct relance_model *model, uint32_t number, const struct model_row *list);
void model_put_popular(struct relance_model *model, const struct model_row *list);
/* Its names are all there: from now on they are found. */
bool model_index(struct relance_model *model);

#define MODEL_NONE UINT32_MAX
uint32_t model_find(const struct relance_model *model, str name); /* MODEL_NONE: not in it */

/* What a seed of such a share weighs for itself where it may be answered: all that came to it came to it, and after counts
 * twice. */
static inline uint64_t model_itself(uint64_t share)
{
    return (WEIGHT_ONE << (WEIGHT_WHOLE + 1)) * share;
}

enum {
    MODEL_REPEATS = 1 << 0,  /* seeds may be answered: what comes next is often what was there before */
    MODEL_TOGETHER = 1 << 1, /* they weigh alike */
};

/* relance_model_best and relance_model_together, by `ways`, a sum of the above. */
size_t model_rank(const struct relance_model *model, const str *seeds, size_t count, size_t most,
                  unsigned ways, struct relance_partner *out);

static inline size_t model_name_begin(const struct relance_model *model, uint32_t number)
{
    return number ? model->name_ends[number - 1] : 0;
}

static inline str model_name(const struct relance_model *model, uint32_t number)
{
    return str_slice((str){model->names, 0}, model_name_begin(model, number), model->name_ends[number]);
}

static inline struct model_row model_list(const struct relance_model *model, uint32_t number)
{
    uint32_t begin = number ? model->list_ends[number - 1] : 0;
    return (struct model_row){model->partners + begin, model->weights + begin,
                              model->list_ends[number] - begin};
}

static inline struct model_row model_popular(const struct relance_model *model)
{
    return (struct model_row){model->popular, model->popular_weights, model->popular_count};
}

#endif
