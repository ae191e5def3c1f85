/* How versions foretold: asked as a rule would, of all that a list keeps, about what is new to the customer. */
#include "base/str.h"
#include "learn/foretelling.h"
#include <criterion/criterion.h>
#include <relance/model.h>
#include <stdio.h>

#define LIST(name, ...)                                                                                      \
    {                                                                                                        \
        .product = STR(name), .partners = (const str[]){__VA_ARGS__},                                        \
        .count = sizeof((const str[]){__VA_ARGS__}) / sizeof(str)                                            \
    }

static struct relance_model *version(void)
{
    const struct relance_model_list lists[] = {LIST("tent", STR("mat"), STR("lamp")),
                                               LIST("*", STR("mug"), STR("tent"), STR("lamp"))};
    struct relance_model *model =
        relance_model_of_lists(lists, 2, &(struct relance_model_head){.number = 1, .recipe = 7});
    cr_assert(model);
    return model;
}

static struct foretelling *opened(bool together)
{
    return foretelling_open(&(struct relance_affinity){.together = together});
}

static void came(struct foretelling *foretelling, const char *customer, const struct relance_model *model,
                 int64_t day, const char *product)
{
    const str products[] = {str_of(product)};
    foretelling_give(
        foretelling,
        &(struct relance_given){.customer = str_of(customer), .products = products, .product_count = 1},
        model, day);
}

Test(foretelling, asks_about_what_is_new_to_a_customer_who_had_something)
{
    struct relance_model *model = version();
    struct foretelling *foretelling = opened(false);
    came(foretelling, "anna", model, 5, "tent"); /* nothing is known of her */
    came(foretelling, "anna", NULL, 5, "cup");   /* there is no version */
    came(foretelling, "anna", model, 5, "tent"); /* once more */
    came(foretelling, "anna", model, 5, "lamp"); /* second of two */
    came(foretelling, "anna", model, 6, "mat");  /* first, for the lamp is left out by now */
    came(foretelling, "anna", model, 6, "axe");
    struct foretold sum = foretelling_sum(foretelling, 6, 2);
    cr_expect(sum.asked == 3 && sum.learnt.hits == 2 && sum.popular.hits == 1);
    cr_expect_float_eq(sum.learnt.reciprocal, 1.5, 1e-9);
    cr_expect_float_eq(sum.popular.reciprocal, 0.5, 1e-9, "the mug and the lamp: the tent was had");
    sum = foretelling_sum(foretelling, 6, 1);
    cr_expect(sum.asked == 2 && sum.learnt.hits == 1);
    cr_expect_eq(foretelling_sum(foretelling, 4, 3).asked, 0u);
    foretelling_close(foretelling);
    relance_model_release(model);
}

/* So many products ago a rule has it still in its list; where things come together all of them weigh, else ten. */
Test(foretelling, asks_by_all_that_a_list_keeps)
{
    struct relance_model *model = version();
    for (int others = 8; others < 40; others++)
        for (int together = 0; together < 2; together++) {
            struct foretelling *foretelling = opened(together);
            char name[8] = "o00";
            came(foretelling, "anna", NULL, 5, "tent");
            for (int i = 0; i < others; i++) {
                name[1] = (char)('0' + i / 10), name[2] = (char)('0' + i % 10);
                came(foretelling, "anna", NULL, 5, name);
            }
            came(foretelling, "anna", model, 5, "mat");
            bool is_asked = others < (together ? 32 : RELANCE_MODEL_SEEDS);
            cr_expect_eq(foretelling_sum(foretelling, 5, 1).learnt.hits, (uint64_t)is_asked, "%d others",
                         others);
            came(foretelling, "anna", model, 5, "tent");
            cr_expect_eq(foretelling_sum(foretelling, 5, 1).asked, others + 1 < 32 ? 1u : 2u);
            foretelling_close(foretelling);
        }
    relance_model_release(model);
}

Test(foretelling, a_visitor_is_somebody_else_and_nobody_is_no_mistake)
{
    struct relance_model *model = version();
    struct foretelling *foretelling = opened(false);
    const str products[] = {STR("tent"), STR("mat")};
    came(foretelling, "anna", model, 5, "tent");
    foretelling_give(
        foretelling,
        &(struct relance_given){
            .customer = STR("anna"), .is_visitor = true, .products = products, .product_count = 2},
        model, 5);
    cr_expect_eq(foretelling_sum(foretelling, 5, 1).asked, 0u);
    foretelling_close(foretelling);
    foretelling_close(NULL);
    relance_model_release(model);
}

Test(foretelling, no_robot_fills_the_figures_of_a_day)
{
    struct relance_model *model = version();
    struct foretelling *foretelling = opened(false);
    char name[8];
    for (int day = 5; day < 7; day++)
        for (int i = 0; i < 2000; i++) {
            snprintf(name, sizeof name, "p%d", i);
            came(foretelling, "robot", model, day, name);
        }
    came(foretelling, "anna", model, 6, "tent");
    came(foretelling, "anna", model, 6, "mat");
    cr_expect_eq(foretelling_sum(foretelling, 6, 1).asked, 501u);
    cr_expect_eq(foretelling_sum(foretelling, 6, 2).asked, 1001u);
    foretelling_close(foretelling);
    relance_model_release(model);
}
