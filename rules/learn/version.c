#include "learn/version.h"

#include "base/limits.h"
#include "learn/codec.h"

#include <inttypes.h>

enum { HEAD_SIZE = 5 + 4 * 8, FULL = 0, DELTA = 1, ENTRY_MIN = 3 };

/* Writing. */

static void put_head(struct buffer *out, const struct relance_model_head *head)
{
    buffer_put_str(out, STR("rlm\x01"));
    buffer_put_char(out, head->is_delta ? DELTA : FULL);
    codec_put_fixed(out, head->number, 8);
    codec_put_fixed(out, head->recipe, 8);
    codec_put_fixed(out, head->base, 8);
    codec_put_fixed(out, (uint64_t)head->at_ms, 8);
}

static void put_list(struct buffer *out, struct model_row list)
{
    codec_put_number(out, list.count);
    for (size_t i = 0; i < list.count; i++) {
        codec_put_number(out, list.partners[i]);
        codec_put_fixed(out, list.weights[i], 2);
    }
}

static void put_full(struct buffer *out, const struct relance_model *model)
{
    codec_put_number(out, model->count);
    for (uint32_t i = 0; i < model->count; i++)
        codec_put_text(out, model_name(model, i));
    for (uint32_t i = 0; i < model->count; i++)
        put_list(out, model_list(model, i));
}

/* Where the products of the base are in the model; MODEL_NONE: gone. */
static uint32_t *base_numbers(struct arena *arena, const struct relance_model *base,
                              const struct relance_model *model)
{
    uint32_t *numbers = arena_alloc(arena, base->count * sizeof *numbers);
    for (uint32_t i = 0, at = 0; numbers && i < base->count; i++) {
        while (at < model->count && str_compare(model_name(model, at), model_name(base, i)) < 0)
            at++;
        bool found = at < model->count && str_equal(model_name(model, at), model_name(base, i));
        numbers[i] = found ? at : MODEL_NONE;
    }
    return numbers;
}

static bool list_differs(const struct model_row *a, const struct model_row *b, const uint32_t *numbers)
{
    if (a->count != b->count) return true;
    for (size_t i = 0; i < a->count; i++)
        if (numbers[a->partners[i]] != b->partners[i] || a->weights[i] != b->weights[i]) return true;
    return false;
}

/* What is gone, and what is new. */
static void put_names(struct buffer *out, const struct relance_model *base, const struct relance_model *model,
                      const uint32_t *numbers, uint32_t *from)
{
    uint32_t gone = 0;
    for (uint32_t i = 0; i < model->count; i++)
        from[i] = MODEL_NONE;
    for (uint32_t i = 0; i < base->count; i++)
        if (numbers[i] == MODEL_NONE)
            gone++;
        else
            from[numbers[i]] = i;
    codec_put_number(out, gone);
    for (uint32_t i = 0; i < base->count; i++)
        if (numbers[i] == MODEL_NONE) codec_put_number(out, i);
    codec_put_number(out, model->count - (base->count - gone));
    for (uint32_t i = 0; i < model->count; i++)
        if (from[i] == MODEL_NONE) codec_put_text(out, model_name(model, i));
}

static void put_delta(struct buffer *out, const struct relance_model *base, const struct relance_model *model)
{
    struct arena arena;
    arena_init(&arena, 0);
    uint32_t *numbers = base_numbers(&arena, base, model);
    uint32_t *from = arena_alloc(&arena, model->count * sizeof *from);
    if (!numbers || !from) {
        out->failed = true;
        arena_free(&arena);
        return;
    }
    put_names(out, base, model, numbers, from);
    uint32_t differ = 0;
    for (uint32_t i = 0; i < model->count; i++) {
        struct model_row now = model_list(model, i), before = {0};
        if (from[i] != MODEL_NONE) before = model_list(base, from[i]);
        if (list_differs(&before, &now, numbers)) from[differ++] = i; /* never beyond what was read of it */
    }
    codec_put_number(out, differ);
    for (uint32_t i = 0; i < differ; i++) {
        codec_put_number(out, from[i]);
        put_list(out, model_list(model, from[i]));
    }
    arena_free(&arena);
}

void version_write(struct relance_model *model, const struct relance_model *base, struct buffer *out)
{
    size_t begin = out->size;
    put_head(out, &model->head);
    if (base)
        put_delta(out, base, model);
    else
        put_full(out, model);
    put_list(out, model_popular(model));
    if (!out->failed) model->head.chain = str_hash((str){out->data + begin, out->size - begin});
}

/* Reading. */

static enum relance_status broken(struct relance_error *error)
{
    return relance_error_set(error, RELANCE_INVALID, "these bytes are no version of a model");
}

enum relance_status relance_model_head(struct relance_str bytes, struct relance_model_head *head,
                                       struct relance_error *error)
{
    if (bytes.size < HEAD_SIZE || memcmp(bytes.data, "rlm", 3) != 0) return broken(error);
    if (bytes.data[3] != 1)
        return relance_error_set(error, RELANCE_INVALID,
                                 "this model has format %d; this program reads format 1",
                                 (unsigned char)bytes.data[3]);
    struct codec codec = codec_open(str_slice(bytes, 4, bytes.size));
    uint64_t kind = codec_fixed(&codec, 1);
    if (kind > DELTA) return broken(error);
    *head = (struct relance_model_head){.is_delta = kind == DELTA};
    head->number = codec_fixed(&codec, 8);
    head->recipe = codec_fixed(&codec, 8);
    head->base = codec_fixed(&codec, 8);
    head->at_ms = (int64_t)codec_fixed(&codec, 8);
    head->chain = str_hash(bytes);
    return RELANCE_OK;
}

static struct codec open_body(str bytes)
{
    return codec_open(str_slice(bytes, HEAD_SIZE, bytes.size));
}

/* A product's name, which has to come behind the one before it. */
static str take_name(struct codec *codec, str before, bool is_first)
{
    str name = codec_text(codec);
    if (name.size > LIMIT_PRODUCT_BYTES || !utf8_valid(name)) codec->bad = true;
    if (!is_first && str_compare(before, name) >= 0) codec->bad = true;
    return name;
}

/* A list of at most `most`, of products below `count`. */
static struct model_row take_list(struct codec *codec, size_t most, uint32_t count, uint32_t own,
                                  uint32_t *partners, uint16_t *weights)
{
    struct model_row list = {partners, weights, codec_count(codec, ENTRY_MIN, most)};
    for (size_t i = 0; i < list.count && !codec->bad; i++) {
        partners[i] = (uint32_t)codec_number(codec, UINT32_MAX);
        weights[i] = (uint16_t)codec_fixed(codec, 2);
        if (partners[i] >= count || partners[i] == own) codec->bad = true;
        if (i &&
            (weights[i] > weights[i - 1] || (weights[i] == weights[i - 1] && partners[i] <= partners[i - 1])))
            codec->bad = true;
        for (size_t j = 0; j < i; j++)
            if (partners[j] == partners[i]) codec->bad = true;
    }
    if (codec->bad) list.count = 0;
    return list;
}

static void take_popular(struct codec *codec, struct relance_model *model)
{
    uint32_t partners[RELANCE_MODEL_POPULAR];
    uint16_t weights[RELANCE_MODEL_POPULAR];
    struct model_row list =
        take_list(codec, RELANCE_MODEL_POPULAR, model->count, MODEL_NONE, partners, weights);
    model_put_popular(model, &list);
    if (codec_left(codec)) codec->bad = true;
}

/* What has been read, or why it is none. */
static enum relance_status finish(struct relance_model *model, const struct codec *codec,
                                  struct relance_model **out, struct relance_error *error)
{
    if (!codec->bad && model_index(model)) {
        *out = model;
        return RELANCE_OK;
    }
    relance_model_release(model);
    if (codec->bad) return broken(error);
    return relance_error_set(error, RELANCE_NO_MEMORY, "out of memory while a model is read");
}

enum relance_status relance_model_read(struct relance_str bytes, struct relance_model **out,
                                       struct relance_error *error)
{
    struct relance_model_head head;
    enum relance_status status = relance_model_head(bytes, &head, error);
    if (status != RELANCE_OK) return status;
    if (head.is_delta)
        return relance_error_set(error, RELANCE_INVALID,
                                 "version %" PRIu64 " of the model is a delta, and its base is not here",
                                 head.number);
    struct codec codec = open_body(bytes);
    uint32_t count = (uint32_t)codec_count(&codec, 2, LIMIT_PRODUCTS); /* each has a name and a list */
    struct relance_model *model = model_new(count, codec_left(&codec), codec_left(&codec) / ENTRY_MIN);
    if (!model) return relance_error_set(error, RELANCE_NO_MEMORY, "out of memory while a model is read");
    model->head = head;
    str name = {0};
    for (uint32_t i = 0; i < count && !codec.bad; i++)
        model_put_name(model, name = take_name(&codec, name, i == 0));
    for (uint32_t i = 0; i < count && !codec.bad; i++) {
        uint32_t partners[RELANCE_MODEL_PARTNERS];
        uint16_t weights[RELANCE_MODEL_PARTNERS];
        struct model_row list = take_list(&codec, RELANCE_MODEL_PARTNERS, count, i, partners, weights);
        model_put_list(model, i, &list);
    }
    take_popular(&codec, model);
    return finish(model, &codec, out, error);
}

/* Of a delta: the products that are gone, with those that are new where they belong. */
struct patch {
    const struct relance_model *base;
    struct codec codec;
    uint32_t *numbers; /* of the base's products in the new version; MODEL_NONE: gone */
    uint32_t *from;    /* and back */
};

static size_t patch_gone(struct patch *patch)
{
    size_t count = codec_count(&patch->codec, 1, patch->base->count);
    for (size_t i = 0; i < patch->base->count; i++)
        patch->numbers[i] = 0;
    for (size_t i = 0, next = 0; i < count && !patch->codec.bad; i++) {
        uint64_t number = codec_number(&patch->codec, UINT32_MAX);
        if (number < next || number >= patch->base->count) {
            patch->codec.bad = true;
            return count;
        }
        patch->numbers[number] = MODEL_NONE;
        next = number + 1;
    }
    return count;
}

/* All of the base up to `name`, which is new; NULL: to the end. */
static void patch_keep(struct patch *patch, struct relance_model *model, uint32_t *at, const str *name)
{
    for (; *at < patch->base->count; ++*at) {
        str kept = model_name(patch->base, *at);
        int order = name ? str_compare(kept, *name) : -1;
        if (order > 0) return;
        if (order == 0) patch->codec.bad = true; /* it is not new */
        if (patch->numbers[*at] == MODEL_NONE) continue;
        patch->from[model->count] = *at;
        patch->numbers[*at] = model->count;
        model_put_name(model, kept);
    }
}

static void patch_names(struct patch *patch, struct relance_model *model, size_t added)
{
    uint32_t at = 0;
    str name = {0};
    for (size_t i = 0; i < added && !patch->codec.bad; i++) {
        name = take_name(&patch->codec, name, i == 0);
        if (patch->codec.bad) return;
        patch_keep(patch, model, &at, &name);
        patch->from[model->count] = MODEL_NONE;
        model_put_name(model, name);
    }
    patch_keep(patch, model, &at, NULL);
}

/* The base's list of a product, in the new numbers; a partner that is gone had to be taken out of it. */
static void patch_old_list(struct patch *patch, struct relance_model *model, uint32_t number)
{
    uint32_t partners[RELANCE_MODEL_PARTNERS];
    struct model_row list = {0};
    if (patch->from[number] != MODEL_NONE) list = model_list(patch->base, patch->from[number]);
    for (size_t i = 0; i < list.count; i++) {
        partners[i] = patch->numbers[list.partners[i]];
        if (partners[i] == MODEL_NONE) patch->codec.bad = true;
    }
    list.partners = partners;
    model_put_list(model, number, &list);
}

static void patch_lists(struct patch *patch, struct relance_model *model)
{
    struct codec *codec = &patch->codec;
    size_t differ = codec_count(codec, 2, model->count);
    uint32_t at = 0;
    for (size_t i = 0; i < differ && !codec->bad; i++) {
        uint64_t number = codec_number(codec, UINT32_MAX);
        if (number < at || number >= model->count) codec->bad = true;
        for (; at < number && !codec->bad; at++)
            patch_old_list(patch, model, at);
        uint32_t partners[RELANCE_MODEL_PARTNERS];
        uint16_t weights[RELANCE_MODEL_PARTNERS];
        struct model_row list = take_list(codec, RELANCE_MODEL_PARTNERS, model->count, at, partners, weights);
        if (!codec->bad) model_put_list(model, at++, &list);
    }
    for (; at < model->count && !codec->bad; at++)
        patch_old_list(patch, model, at);
}

static struct relance_model *patch_apply(struct patch *patch, struct arena *arena)
{
    const struct relance_model *base = patch->base;
    patch->numbers = arena_alloc(arena, base->count * sizeof *patch->numbers);
    if (!patch->numbers) return NULL;
    size_t gone = patch_gone(patch);
    size_t added = codec_count(&patch->codec, 1, LIMIT_PRODUCTS);
    size_t count = base->count - gone + added;
    if (count > LIMIT_PRODUCTS) patch->codec.bad = true;
    size_t bytes = codec_left(&patch->codec);
    patch->from = arena_alloc(arena, count * sizeof *patch->from);
    size_t names = base->count ? base->name_ends[base->count - 1] : 0;
    size_t partners = base->count ? base->list_ends[base->count - 1] : 0;
    struct relance_model *model = model_new(count, names + bytes, partners + bytes / ENTRY_MIN);
    if (!patch->from || !model) {
        relance_model_release(model);
        return NULL;
    }
    if (!patch->codec.bad) patch_names(patch, model, added);
    if (!patch->codec.bad) patch_lists(patch, model);
    take_popular(&patch->codec, model);
    return model;
}

enum relance_status relance_model_apply(const struct relance_model *base, struct relance_str bytes,
                                        struct relance_model **out, struct relance_error *error)
{
    struct relance_model_head head;
    enum relance_status status = relance_model_head(bytes, &head, error);
    if (status != RELANCE_OK) return status;
    if (!head.is_delta || head.base != base->head.chain || head.recipe != base->head.recipe)
        return relance_error_set(error, RELANCE_INVALID,
                                 "version %" PRIu64 " of the model is no delta over version %" PRIu64,
                                 head.number, base->head.number);
    struct patch patch = {.base = base, .codec = open_body(bytes)};
    struct arena arena;
    arena_init(&arena, 0);
    struct relance_model *model = patch_apply(&patch, &arena);
    arena_free(&arena);
    if (!model) return relance_error_set(error, RELANCE_NO_MEMORY, "out of memory while a model is read");
    model->head = head;
    return finish(model, &patch.codec, out, error);
}
