/* Any bytes as a version of a model, in full and over a base: read as one that can be asked and written again, or refused. What
 * is read of a full one is written as the same bytes. */
#include "base/ensure.h"
#include "learn/model.h"
#include "learn/version.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const struct relance_model *model)
{
    struct relance_partner out[RELANCE_MODEL_ANSWERS];
    str seeds[RELANCE_MODEL_SEEDS];
    size_t count = 0;
    for (uint32_t i = 0; i < model->count && count < RELANCE_MODEL_SEEDS; i++)
        seeds[count++] = model_name(model, i);
    relance_model_best(model, seeds, count, RELANCE_MODEL_ANSWERS, out);
    relance_model_popular(model, RELANCE_MODEL_ANSWERS, out);
}

static void write_again(struct relance_model *model, str bytes)
{
    struct buffer out = {0};
    if (model->head.is_delta) {
        model->head.is_delta = false;
        version_write(model, NULL, &out);
    } else {
        version_write(model, NULL, &out);
        ensure(str_equal(buffer_str(&out), bytes));
    }
    buffer_free(&out);
}

static struct relance_model *base_model(void)
{
    const str partners[] = {{"b", 1}, {"c", 1}};
    const struct relance_model_list lists[] = {
        {{"a", 1}, partners, 2}, {{"d", 1}, partners, 1}, {{"*", 1}, partners, 2}};
    return relance_model_of_lists(lists, 3, &(struct relance_model_head){.number = 1});
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct relance_model *base = base_model(), *model;
    struct relance_model_head head;
    struct relance_error error;
    str bytes = {(const char *)data, size};
    ensure(base);
    if (relance_model_head(bytes, &head, &error) == RELANCE_OK) {
        base->head.chain = head.base; /* a fuzzer finds no hash */
        base->head.recipe = head.recipe;
        if ((head.is_delta ? relance_model_apply(base, bytes, &model, &error)
                           : relance_model_read(bytes, &model, &error)) == RELANCE_OK) {
            ask(model);
            write_again(model, bytes);
            relance_model_release(model);
        }
    }
    relance_model_release(base);
    return 0;
}
