/* A version that answers what a test has written down. */
#include "learn/model.h"
#include "learn/weight.h"

#include <stdlib.h>

static int name_order(const void *a, const void *b)
{
    return str_compare(*(const str *)a, *(const str *)b);
}

static bool is_popular(const struct relance_model_list *list)
{
    return str_equal(list->product, STR("*"));
}

/* All products that are named, each once, in their order; how many. */
static size_t names_of(const struct relance_model_list *lists, size_t count, str *names)
{
    size_t all = 0, kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (!is_popular(&lists[i])) names[all++] = lists[i].product;
        for (size_t j = 0; j < lists[i].count; j++)
            names[all++] = lists[i].partners[j];
    }
    qsort(names, all, sizeof *names, name_order);
    for (size_t i = 0; i < all; i++)
        if (!kept || !str_equal(names[kept - 1], names[i])) names[kept++] = names[i];
    return kept;
}

/* Numbers of what is listed, each once, weights falling so that the order stays as it is written. */
static struct model_row row_of(const struct relance_model *model, const struct relance_model_list *list,
                               size_t most, uint32_t *partners, uint16_t *weights)
{
    struct model_row row = {partners, weights, 0};
    for (size_t i = 0; list && i < list->count && row.count < most; i++) {
        uint32_t number = model_find(model, list->partners[i]);
        size_t known = 0;
        while (known < row.count && partners[known] != number)
            known++;
        if (known < row.count || str_equal(list->partners[i], list->product)) continue;
        partners[row.count] = number;
        weights[row.count] = weight_code(WEIGHT_ONE * (RELANCE_MODEL_POPULAR + 1 - row.count));
        row.count++;
    }
    return row;
}

static const struct relance_model_list *list_for(const struct relance_model_list *lists, size_t count,
                                                 str product)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal(lists[i].product, product)) return &lists[i];
    return NULL;
}

static struct relance_model *model_of_names(const str *names, size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += names[i].size;
    struct relance_model *model = model_new(count, bytes, count * RELANCE_MODEL_PARTNERS);
    for (size_t i = 0; model && i < count; i++)
        model_put_name(model, names[i]);
    if (!model || model_index(model)) return model;
    relance_model_release(model);
    return NULL;
}

struct relance_model *relance_model_of_lists(const struct relance_model_list *lists, size_t count,
                                             const struct relance_model_head *head)
{
    struct arena arena;
    arena_init(&arena, 0);
    size_t mentioned = count;
    for (size_t i = 0; i < count; i++)
        mentioned += lists[i].count;
    str *names = ARENA_ARRAY(&arena, str, mentioned);
    struct relance_model *model = names ? model_of_names(names, names_of(lists, count, names)) : NULL;
    arena_free(&arena);
    if (!model) return NULL;
    model->head = *head;
    uint32_t partners[RELANCE_MODEL_POPULAR];
    uint16_t weights[RELANCE_MODEL_POPULAR];
    for (uint32_t i = 0; i < model->count; i++) {
        struct model_row row = row_of(model, list_for(lists, count, model_name(model, i)),
                                      RELANCE_MODEL_PARTNERS, partners, weights);
        model_put_list(model, i, &row);
    }
    struct model_row row =
        row_of(model, list_for(lists, count, STR("*")), RELANCE_MODEL_POPULAR, partners, weights);
    model_put_popular(model, &row);
    return model;
}
