#include "learn/model.h"

#include "base/ensure.h"
#include "learn/weight.h"

#include <stdlib.h>

struct relance_model *model_new(size_t products, size_t name_bytes, size_t partners)
{
    struct arena arena;
    arena_init(&arena, 0);
    struct relance_model *model = ARENA_NEW(&arena, struct relance_model);
    if (!model) return NULL;
    atomic_init(&model->holders, 1);
    model->arena = arena;
    model->name_ends = arena_alloc(&model->arena, products * sizeof *model->name_ends);
    model->names = arena_alloc(&model->arena, name_bytes + 1);
    model->list_ends = ARENA_ARRAY(&model->arena, uint32_t, products);
    model->partners = arena_alloc(&model->arena, partners * sizeof *model->partners);
    model->weights = arena_alloc(&model->arena, partners * sizeof *model->weights);
    model->popular = ARENA_ARRAY(&model->arena, uint32_t, RELANCE_MODEL_POPULAR);
    model->popular_weights = ARENA_ARRAY(&model->arena, uint16_t, RELANCE_MODEL_POPULAR);
    if (model->name_ends && model->names && model->list_ends && model->partners && model->weights &&
        model->popular && model->popular_weights)
        return model;
    relance_model_release(model);
    return NULL;
}

void relance_model_hold(const struct relance_model *model)
{
    if (model) atomic_fetch_add(&((struct relance_model *)model)->holders, 1);
}

void relance_model_release(const struct relance_model *model)
{
    if (!model || atomic_fetch_sub(&((struct relance_model *)model)->holders, 1) > 1) return;
    struct arena arena = model->arena; /* the model lies in it */
    arena_free(&arena);
}

const struct relance_model_head *relance_model_about(const struct relance_model *model)
{
    return &model->head;
}

size_t relance_model_product_count(const struct relance_model *model)
{
    return model->count;
}

size_t relance_model_bytes(const struct relance_model *model)
{
    return model->arena.used;
}

_Static_assert(RELANCE_MODEL_WHOLE == WEIGHT_ONE << (WEIGHT_WHOLE + 1), "what comes after counts twice");

struct relance_str relance_model_product(const struct relance_model *model, size_t number)
{
    return model_name(model, (uint32_t)number);
}

size_t relance_model_number(const struct relance_model *model, struct relance_str product)
{
    uint32_t number = model_find(model, product);
    return number == MODEL_NONE ? RELANCE_MODEL_NOWHERE : number;
}

/* What makes one. */

void model_put_name(struct relance_model *model, str name)
{
    uint32_t begin = model->count ? model->name_ends[model->count - 1] : 0;
    if (name.size) memcpy(model->names + begin, name.data, name.size);
    model->name_ends[model->count++] = begin + (uint32_t)name.size;
}

void model_put_list(struct relance_model *model, uint32_t number, const struct model_row *list)
{
    uint32_t begin = number ? model->list_ends[number - 1] : 0;
    if (list->count) memcpy(model->partners + begin, list->partners, list->count * sizeof *list->partners);
    if (list->count) memcpy(model->weights + begin, list->weights, list->count * sizeof *list->weights);
    model->list_ends[number] = begin + (uint32_t)list->count;
}

void model_put_popular(struct relance_model *model, const struct model_row *list)
{
    model->popular_count = (uint32_t)list->count;
    if (list->count) memcpy(model->popular, list->partners, list->count * sizeof *list->partners);
    if (list->count) memcpy(model->popular_weights, list->weights, list->count * sizeof *list->weights);
}

static uint32_t *model_place(const struct relance_model *model, str name)
{
    uint32_t at = (uint32_t)str_hash(name) & model->mask;
    while (model->table[at] && !str_equal(model_name(model, model->table[at] - 1), name))
        at = (at + 1) & model->mask;
    return &model->table[at];
}

bool model_index(struct relance_model *model)
{
    size_t size = 8;
    while (size < (size_t)model->count * 2)
        size *= 2;
    model->mask = (uint32_t)size - 1;
    model->table = ARENA_ARRAY(&model->arena, uint32_t, size);
    for (uint32_t i = 0; model->table && i < model->count; i++)
        *model_place(model, model_name(model, i)) = i + 1;
    return model->table;
}

uint32_t model_find(const struct relance_model *model, str name)
{
    return *model_place(model, name) - 1; /* 0 - 1 is MODEL_NONE */
}

/* What is asked of one. */

static struct relance_partner model_partner(const struct relance_model *model, uint32_t number,
                                            uint64_t weight)
{
    return (struct relance_partner){model_name(model, number), weight};
}

static size_t model_answer(const struct relance_model *model, const struct model_row *list, size_t most,
                           struct relance_partner *out)
{
    for (size_t i = 0; i < most && i < list->count; i++)
        out[i] = model_partner(model, list->partners[i], weight_value(list->weights[i]));
    return list->count;
}

size_t relance_model_partners(const struct relance_model *model, struct relance_str product, size_t most,
                              struct relance_partner *out)
{
    uint32_t number = model_find(model, product);
    if (number == MODEL_NONE) return 0;
    struct model_row list = model_list(model, number);
    return model_answer(model, &list, most, out);
}

size_t relance_model_popular(const struct relance_model *model, size_t most, struct relance_partner *out)
{
    struct model_row list = model_popular(model);
    size_t count = model_answer(model, &list, most, out);
    return count < most ? count : most;
}

size_t relance_model_listed(const struct relance_model *model, struct relance_str product, size_t most,
                            struct relance_partner *out, uint64_t *whole)
{
    bool is_popular = str_equal(product, STR("*"));
    size_t count = is_popular ? relance_model_popular(model, most, out)
                              : relance_model_partners(model, product, most, out);
    *whole = is_popular && count ? out[0].weight : RELANCE_MODEL_WHOLE;
    return count < most ? count : most;
}

enum {
    MODEL_OF_A_SEED = RELANCE_MODEL_PARTNERS + 1, /* candidates, itself among them */
    MODEL_CANDIDATES_MAX = RELANCE_MODEL_TOGETHER * MODEL_OF_A_SEED,
    MODEL_SLOTS_MIN = 64,
    MODEL_SLOTS_MAX = 2048, /* powers of two */
};
_Static_assert(MODEL_SLOTS_MAX > 2 * MODEL_CANDIDATES_MAX, "at most half of the slots are taken");

/* What a question has come to so far. The slots hold the number of a candidate + 1, or 0. */
struct model_question {
    const struct relance_model *model;
    uint32_t excluded[RELANCE_MODEL_EXCLUDED];
    size_t excluded_count;
    uint64_t shares[RELANCE_MODEL_TOGETHER]; /* of those that are weighed, the first of `excluded` */
    size_t weighed;
    uint32_t mask;
    uint16_t slots[MODEL_SLOTS_MAX];
    struct model_candidate {
        uint64_t weight;
        uint32_t number;
    } candidates[MODEL_CANDIDATES_MAX];
    size_t count;
};

static bool question_excludes(const struct model_question *question, uint32_t number)
{
    for (size_t i = 0; i < question->excluded_count; i++)
        if (question->excluded[i] == number) return true;
    return false;
}

/* The products that are asked about, each once; those at the first positions are weighed. */
static void question_seeds(struct model_question *question, const struct relance_str *seeds, size_t count,
                           bool alike)
{
    size_t most = alike ? RELANCE_MODEL_TOGETHER : RELANCE_MODEL_SEEDS;
    question->excluded_count = question->weighed = 0;
    for (size_t i = 0; i < count && question->excluded_count < RELANCE_MODEL_EXCLUDED; i++) {
        uint32_t number = model_find(question->model, seeds[i]);
        if (number == MODEL_NONE || question_excludes(question, number)) continue;
        if (i < most)
            question->shares[question->weighed++] =
                alike ? RELANCE_MODEL_SHARES : RELANCE_MODEL_SHARES / (i + 1);
        question->excluded[question->excluded_count++] = number;
    }
}

/* No more slots are cleared than the seeds may need: it is what a question about few of them costs. */
static void question_clear(struct model_question *question)
{
    size_t size = MODEL_SLOTS_MIN;
    while (size <= 2 * question->weighed * MODEL_OF_A_SEED)
        size *= 2;
    question->mask = (uint32_t)size - 1;
    question->count = 0;
    memset(question->slots, 0, size * sizeof *question->slots);
}

static void question_add(struct model_question *question, uint32_t number, uint64_t weight)
{
    uint32_t at = number * 2654435761u >> 16 & question->mask;
    while (question->slots[at] && question->candidates[question->slots[at] - 1].number != number)
        at = (at + 1) & question->mask;
    if (!question->slots[at]) {
        question->candidates[question->count++] = (struct model_candidate){0, number};
        question->slots[at] = (uint16_t)question->count;
    }
    question->candidates[question->slots[at] - 1].weight += weight;
}

static bool candidate_before(const struct model_candidate *a, const struct model_candidate *b)
{
    return a->weight > b->weight || (a->weight == b->weight && a->number < b->number);
}

/* The best of the candidates, in their order, to the front. */
static size_t question_pick(struct model_question *question, size_t most)
{
    struct model_candidate *best = question->candidates;
    size_t kept = 0;
    for (size_t i = 0; i < question->count; i++) {
        struct model_candidate this = question->candidates[i];
        if (kept == most && !candidate_before(&this, &best[kept - 1])) continue;
        size_t at = kept < most ? kept++ : kept - 1;
        for (; at && candidate_before(&this, &best[at - 1]); at--)
            best[at] = best[at - 1];
        best[at] = this;
    }
    return kept;
}

/* Where one seed alone is weighed its list is the answer, and in order. */
static size_t question_of_one(const struct model_question *question, size_t most, struct relance_partner *out)
{
    struct model_row list = model_list(question->model, question->excluded[0]);
    size_t found = 0;
    for (size_t i = 0; i < list.count && found < most; i++)
        if (!question_excludes(question, list.partners[i]))
            out[found++] = model_partner(question->model, list.partners[i],
                                         weight_value(list.weights[i]) * question->shares[0]);
    return found;
}

static void question_weigh(struct model_question *question, bool repeats)
{
    question_clear(question);
    for (size_t i = 0; i < question->weighed; i++) {
        struct model_row list = model_list(question->model, question->excluded[i]);
        uint64_t share = question->shares[i];
        if (repeats) question_add(question, question->excluded[i], model_itself(share));
        for (size_t j = 0; j < list.count; j++)
            if (repeats || !question_excludes(question, list.partners[j]))
                question_add(question, list.partners[j], weight_value(list.weights[j]) * share);
    }
}

size_t model_rank(const struct relance_model *model, const str *seeds, size_t count, size_t most,
                  unsigned ways, struct relance_partner *out)
{
    struct model_question question;
    question.model = model;
    question_seeds(&question, seeds, count, ways & MODEL_TOGETHER);
    if (most > RELANCE_MODEL_ANSWERS) most = RELANCE_MODEL_ANSWERS;
    if (question.weighed == 1 && !(ways & MODEL_REPEATS)) return question_of_one(&question, most, out);
    question_weigh(&question, ways & MODEL_REPEATS);
    size_t found = most ? question_pick(&question, most) : 0;
    for (size_t i = 0; i < found; i++)
        out[i] = model_partner(model, question.candidates[i].number, question.candidates[i].weight);
    return found;
}

size_t relance_model_best(const struct relance_model *model, const struct relance_str *seeds, size_t count,
                          size_t most, struct relance_partner *out)
{
    return model_rank(model, seeds, count, most, 0, out);
}

size_t relance_model_together(const struct relance_model *model, const struct relance_str *seeds,
                              size_t count, size_t most, struct relance_partner *out)
{
    return model_rank(model, seeds, count, most, MODEL_TOGETHER, out);
}
