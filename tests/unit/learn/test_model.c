/* Versions: what they answer, and their bytes. */
#include "learn/model.h"
#include "learn/version.h"
#include "learn/weight.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define LIST(product, ...)                                                                                   \
    {                                                                                                        \
        {(product), sizeof(product) - 1}, (const str[]){__VA_ARGS__},                                        \
            sizeof((const str[]){__VA_ARGS__}) / sizeof(str)                                                 \
    }

static struct relance_model *made(const struct relance_model_list *lists, size_t count, uint64_t number)
{
    struct relance_model *model =
        relance_model_of_lists(lists, count, &(struct relance_model_head){.number = number, .recipe = 7});
    cr_assert(model);
    return model;
}

static struct relance_model *tents(void)
{
    const struct relance_model_list lists[] = {
        LIST("tent", STR("mat"), STR("lamp"), STR("cup")),
        LIST("mat", STR("tent"), STR("pillow")),
        LIST("*", STR("mug"), STR("tent")),
    };
    return made(lists, 3, 1);
}

/* What is answered, as one text. */
static const char *told(const struct relance_partner *partners, size_t count)
{
    static char text[1024];
    size_t at = 0;
    text[0] = '\0';
    for (size_t i = 0; i < count; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%.*s", i ? " " : "",
                               STR_ARG(partners[i].product));
    return text;
}

static const char *best(const struct relance_model *model, const str *seeds, size_t count, size_t most)
{
    struct relance_partner out[RELANCE_MODEL_ANSWERS];
    return told(out, relance_model_best(model, seeds, count, most, out));
}

TestSuite(model, .timeout = 60);

Test(model, answers_what_goes_with_one_product)
{
    struct relance_model *model = tents();
    cr_expect_str_eq(best(model, &STR("tent"), 1, 20), "mat lamp cup");
    cr_expect_str_eq(best(model, &STR("tent"), 1, 2), "mat lamp");
    cr_expect_str_eq(best(model, &STR("tent"), 1, 0), "");
    cr_expect_str_eq(best(model, &STR("car"), 1, 20), "", "nobody knows it");
    cr_expect_str_eq(best(model, NULL, 0, 20), "");
    relance_model_release(model);
}

Test(model, leaves_out_what_was_asked_about_and_weighs_the_first_most)
{
    struct relance_model *model = tents();
    const str seeds[] = {STR("mat"), STR("tent")};
    cr_expect_str_eq(best(model, seeds, 2, 20), "pillow lamp cup");
    const str twice[] = {STR("tent"), STR("tent"), STR("mat")};
    cr_expect_str_eq(best(model, twice, 3, 20), "lamp cup pillow", "the second time says nothing");
    relance_model_release(model);
}

Test(model, leaves_out_seeds_beyond_those_it_weighs)
{
    struct relance_model *model = tents();
    str seeds[RELANCE_MODEL_SEEDS + 3];
    for (size_t i = 0; i < RELANCE_MODEL_SEEDS + 3; i++)
        seeds[i] = STR("tent");
    seeds[RELANCE_MODEL_SEEDS] = STR("mat");
    seeds[RELANCE_MODEL_SEEDS + 1] = STR("nothing");
    seeds[RELANCE_MODEL_SEEDS + 2] = STR("cup");
    cr_expect_str_eq(best(model, seeds, RELANCE_MODEL_SEEDS + 3, 20), "lamp",
                     "mat is not weighed: no pillow");
    relance_model_release(model);
}

Test(model, products_that_came_together_weigh_alike)
{
    const struct relance_model_list lists[] = {LIST("a", STR("u"), STR("z")), LIST("b", STR("v"), STR("z")),
                                               LIST("c", STR("z"), STR("w"))};
    struct relance_model *model = made(lists, 3, 1);
    struct relance_partner out[RELANCE_MODEL_ANSWERS], turned[RELANCE_MODEL_ANSWERS];
    const str seeds[] = {STR("a"), STR("b"), STR("c")}, other[] = {STR("c"), STR("a"), STR("b")};
    cr_expect_str_eq(told(out, relance_model_together(model, seeds, 3, 20, out)), "z u v w");
    cr_assert_eq(relance_model_together(model, other, 3, 20, turned), 4u);
    for (size_t i = 0; i < 4; i++) {
        cr_expect(str_equal(turned[i].product, out[i].product));
        cr_expect_eq(turned[i].weight, out[i].weight, "no order of theirs shows");
    }
    relance_model_release(model);
}

Test(model, weighs_forty_that_came_together_and_leaves_out_the_rest)
{
    enum { ALL = RELANCE_MODEL_TOGETHER + 2, PARTNERS = RELANCE_MODEL_PARTNERS };
    static char names[ALL * PARTNERS][8];
    static str partners[ALL * PARTNERS], seeds[ALL];
    struct relance_model_list lists[ALL];
    for (size_t i = 0; i < ALL * PARTNERS; i++)
        partners[i] = (str){names[i], (size_t)snprintf(names[i], sizeof names[i], "p%04zu", i)};
    for (size_t i = 0; i < ALL;
         i++) { /* no two have a partner in common: as many candidates as there may be */
        seeds[i] = partners[i * PARTNERS];
        lists[i] = (struct relance_model_list){seeds[i], &partners[i * PARTNERS + 1], PARTNERS - 1};
    }
    struct relance_model *model = made(lists, ALL, 1);
    struct relance_partner out[RELANCE_MODEL_ANSWERS];
    size_t count = relance_model_together(model, seeds, ALL, RELANCE_MODEL_ANSWERS, out);
    cr_assert_eq(count, (size_t)RELANCE_MODEL_ANSWERS);
    for (size_t i = 0; i < count; i++) {
        size_t of = i % RELANCE_MODEL_TOGETHER * PARTNERS + 1 + i / RELANCE_MODEL_TOGETHER;
        cr_expect(str_equal(out[i].product, partners[of]), "the best of each of forty, then the next");
    }
    cr_expect_eq(relance_model_together(model, seeds + RELANCE_MODEL_TOGETHER, 2, 3, out), 3u);
    relance_model_release(model);
}

Test(model, answers_ties_in_the_order_of_bytes)
{
    const struct relance_model_list lists[] = {LIST("a", STR("z")), LIST("b", STR("y")), LIST("c", STR("x"))};
    struct relance_model *model = made(lists, 3, 1);
    struct relance_partner out[2];
    cr_assert_eq(relance_model_best(model, (const str[]){STR("a")}, 1, 2, out), 1u);
    uint64_t alone = out[0].weight;
    /* 1/1 of z against 1/2 of y and 1/3 of x; then all three at equal weight, by three questions */
    cr_expect_str_eq(best(model, (const str[]){STR("a"), STR("b"), STR("c")}, 3, 20), "z y x");
    cr_assert_eq(relance_model_best(model, (const str[]){STR("b")}, 1, 2, out), 1u);
    cr_expect_eq(out[0].weight, alone);
    relance_model_release(model);
    const struct relance_model_list both[] = {LIST("a", STR("z"), STR("q")), LIST("b", STR("q"), STR("z"))};
    model = made(both, 2, 1);
    cr_expect_str_eq(best(model, (const str[]){STR("no"), STR("a")}, 2, 20), "z q");
    relance_model_release(model);
}

Test(model, names_the_most_popular_and_the_partners_of_one)
{
    struct relance_model *model = tents();
    struct relance_partner out[RELANCE_MODEL_ANSWERS];
    cr_expect_str_eq(told(out, relance_model_popular(model, 50, out)), "mug tent");
    cr_expect_str_eq(told(out, relance_model_popular(model, 1, out)), "mug");
    cr_expect_eq(relance_model_partners(model, STR("tent"), 2, out), 3u);
    cr_expect_str_eq(told(out, 2), "mat lamp");
    cr_expect_gt(out[0].weight, out[1].weight);
    relance_model_release(model);
}

Test(model, weights_keep_their_order_in_two_bytes)
{
    uint16_t before = 0;
    for (uint64_t value = WEIGHT_ONE; value < (uint64_t)1 << 42; value += value / 300 + 1) {
        uint16_t code = weight_code(value);
        cr_assert_geq(code, before);
        cr_assert_leq(weight_value(code), value);
        cr_assert_geq(weight_value(code) + (weight_value(code) >> WEIGHT_MANTISSA_BITS), value);
        cr_assert_eq(weight_code(weight_value(code)), code);
        before = code;
    }
    cr_expect_eq(weight_code(0), 0);
    cr_expect_eq(weight_code(UINT64_MAX), WEIGHT_CODE_MAX);
}

static void written(struct relance_model *model, const struct relance_model *base, struct buffer *out)
{
    *out = (struct buffer){0};
    model->head.is_delta = base;
    model->head.base = base ? base->head.chain : 0;
    version_write(model, base, out);
}

static void expect_same(const struct relance_model *a, const struct relance_model *b)
{
    struct buffer one = {0}, other = {0};
    struct relance_model_head heads[] = {a->head, b->head};
    written((struct relance_model *)a, NULL, &one);
    written((struct relance_model *)b, NULL, &other);
    cr_expect(str_equal(buffer_str(&one), buffer_str(&other)));
    ((struct relance_model *)a)->head = heads[0];
    ((struct relance_model *)b)->head = heads[1];
    buffer_free(&one);
    buffer_free(&other);
}

Test(model, is_read_as_it_was_written)
{
    struct relance_model *model = tents(), *read;
    struct buffer bytes;
    struct relance_error error;
    written(model, NULL, &bytes);
    cr_assert_eq(relance_model_read(buffer_str(&bytes), &read, &error), RELANCE_OK, "%s", error.message);
    cr_expect_eq(read->head.chain, model->head.chain);
    cr_expect_eq(read->head.recipe, 7u);
    cr_expect_str_eq(best(read, &STR("tent"), 1, 20), "mat lamp cup");
    expect_same(model, read);
    buffer_free(&bytes);
    relance_model_release(model);
    relance_model_release(read);
}

static struct relance_model *later(void)
{
    const struct relance_model_list lists[] = {
        LIST("tent", STR("mat"), STR("axe"), STR("lamp")),
        LIST("mat", STR("tent")),
        LIST("axe", STR("wood"), STR("tent")),
        LIST("*", STR("axe")),
    };
    return made(lists, 4, 2);
}

Test(model, of_a_delta_is_what_was_written)
{
    struct relance_model *base = tents(), *model = later(), *read;
    struct buffer full, delta;
    struct relance_error error;
    written(base, NULL, &full);
    written(model, base, &delta);
    cr_assert_eq(relance_model_apply(base, buffer_str(&delta), &read, &error), RELANCE_OK, "%s",
                 error.message);
    cr_expect_eq(read->head.chain, model->head.chain);
    cr_expect_eq(read->head.number, 2u);
    expect_same(model, read);
    relance_model_release(read);
    cr_expect_eq(relance_model_read(buffer_str(&delta), &read, &error), RELANCE_INVALID);
    cr_expect_eq(relance_model_apply(base, buffer_str(&full), &read, &error), RELANCE_INVALID);
    cr_expect_eq(relance_model_apply(model, buffer_str(&delta), &read, &error), RELANCE_INVALID,
                 "another base");
    buffer_free(&full);
    buffer_free(&delta);
    relance_model_release(base);
    relance_model_release(model);
}

Test(model, refuses_bytes_that_are_cut_or_longer)
{
    struct relance_model *base = tents(), *model = later(), *read;
    struct buffer full, delta;
    struct relance_error error;
    written(base, NULL, &full);
    written(model, base, &delta);
    for (size_t size = 0; size < full.size; size++)
        cr_expect_eq(relance_model_read((str){full.data, size}, &read, &error), RELANCE_INVALID);
    for (size_t size = 0; size < delta.size; size++)
        cr_expect_eq(relance_model_apply(base, (str){delta.data, size}, &read, &error), RELANCE_INVALID);
    buffer_put_char(&full, 0);
    cr_expect_eq(relance_model_read(buffer_str(&full), &read, &error), RELANCE_INVALID);
    buffer_free(&full);
    buffer_free(&delta);
    relance_model_release(base);
    relance_model_release(model);
}

/* Every byte changed in every bit: read as something that can be asked, or refused. */
Test(model, of_damaged_bytes_is_whole_or_none)
{
    struct relance_model *base = tents(), *model = later(), *read;
    struct buffer bytes[2];
    struct relance_error error;
    written(base, NULL, &bytes[0]);
    written(model, base, &bytes[1]);
    for (size_t i = 0; i < 2; i++)
        for (size_t bit = 0; bit < bytes[i].size * 8; bit++) {
            bytes[i].data[bit / 8] ^= (char)(1 << bit % 8);
            enum relance_status status = i ? relance_model_apply(base, buffer_str(&bytes[i]), &read, &error)
                                           : relance_model_read(buffer_str(&bytes[i]), &read, &error);
            if (status == RELANCE_OK) {
                struct relance_partner out[RELANCE_MODEL_ANSWERS];
                for (uint32_t j = 0; j < read->count; j++)
                    relance_model_best(read, &(str){model_name(read, j).data, model_name(read, j).size}, 1,
                                       50, out);
                relance_model_popular(read, 50, out);
                relance_model_release(read);
            }
            bytes[i].data[bit / 8] ^= (char)(1 << bit % 8);
        }
    buffer_free(&bytes[0]);
    buffer_free(&bytes[1]);
    relance_model_release(base);
    relance_model_release(model);
}
