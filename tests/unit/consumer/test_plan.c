/* Which topics intake reads and by which mapping; and what it remembers of customers. */
#include "heard.h"
#include "intake/ledger.h"
#include "intake/plan.h"
#include "intake/scatter.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct plan plan;
static struct relance_error error;
static struct names all;

static enum relance_status read_plan(const char *input, size_t count, const char *const *mappings)
{
    struct file_paths paths = {.items = (char **)(uintptr_t)mappings, .count = count};
    return plan_read(&plan, input, &paths, "shop.events", &error);
}

#define READ(input, ...)                                                                                     \
    read_plan((input), sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *), (const char *[]){__VA_ARGS__})

static void end(void)
{
    plan_free(&plan);
    names_free(&all);
    all = (struct names){0};
}

static void there_are(size_t count, const char *const *topics)
{
    for (size_t i = 0; i < count; i++)
        names_add(&all, str_of(topics[i]));
}

#define THERE_ARE(...)                                                                                       \
    there_are(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *), (const char *[]){__VA_ARGS__})

static bool takes(const char *topic)
{
    return plan_takes(&plan, &all, str_of(topic));
}

static bool refuses(const char *topic)
{
    char why[PLAN_WHY_SIZE];
    return plan_refuses(&plan, &all, str_of(topic), why);
}

TestSuite(plan, .fini = end);

Test(plan, a_topic_has_its_own_mapping_or_the_one_that_is_for_the_rest)
{
    cr_assert_eq(READ("web , shop,till", "shop=shopify", "segment", "till=./a=b.jsonc"), RELANCE_OK);
    cr_expect_eq(plan.topics.count, 3);
    cr_expect_str_eq(plan.mappings[plan_mapping_of(&plan, STR("shop"))].value, "shopify");
    cr_expect_str_eq(plan.mappings[plan_mapping_of(&plan, STR("web"))].value, "segment");
    cr_expect_str_eq(plan.mappings[plan_mapping_of(&plan, STR("till"))].value, "./a=b.jsonc");
}

Test(plan, a_path_with_an_equals_sign_in_it_is_for_the_rest)
{
    cr_assert_eq(READ("web", "./mappings/a=b.jsonc"), RELANCE_OK);
    cr_expect_str_eq(plan.mappings[plan_mapping_of(&plan, STR("web"))].value, "./mappings/a=b.jsonc");
}

Test(plan, a_named_topic_without_a_mapping_is_refused)
{
    cr_expect_eq(READ("web,shop", "shop=shopify"), RELANCE_INVALID);
    cr_expect(strstr(error.message, "topic web has none"));
}

Test(plan, two_mappings_for_the_same_topics_are_refused)
{
    cr_expect_eq(READ("web", "segment", "shopify"), RELANCE_INVALID);
    plan_free(&plan);
    cr_expect_eq(READ("web", "web=segment", "web=shopify"), RELANCE_INVALID);
    cr_expect(strstr(error.message, "segment and shopify are for the same topics"));
}

Test(plan, a_mapping_for_a_topic_that_is_not_read_is_refused)
{
    cr_expect_eq(READ("web", "segment", "wbe=shopify"), RELANCE_INVALID);
    cr_expect(strstr(error.message, "does not have a topic wbe"));
    plan_free(&plan);
    cr_expect_eq(READ("^web\\.", "segment", "shop.web=shopify"), RELANCE_INVALID);
    plan_free(&plan);
    cr_expect_eq(READ("^web\\.", "segment", "web.shop=shopify"), RELANCE_OK);
}

Test(plan, what_is_no_topic_and_what_is_no_pattern_is_refused)
{
    static const char *const inputs[] = {"", "web,", "we b", "web/shop", "^(web", "*"};
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        cr_expect_eq(READ(inputs[i], "segment"), RELANCE_INVALID, "'%s'", inputs[i]);
        plan_free(&plan);
    }
    plan = (struct plan){0};
}

Test(plan, the_output_and_what_belongs_to_it_is_refused)
{
    cr_assert_eq(READ("^", "segment"), RELANCE_OK);
    THERE_ARE("shop.events", "shop.events.dead", "shop.events2");
    cr_expect(refuses("shop.events"));
    cr_expect(refuses("shop.events.dead"));
    cr_expect(refuses("shop.events.marks"));
    cr_expect(refuses("shop.events.links"));
    cr_expect(refuses("shop.events.decisions"));
    cr_expect_not(refuses("shop.events2"));
    cr_expect_not(refuses("shop.events.late"));
}

Test(plan, topics_beside_marks_are_an_engines)
{
    cr_assert_eq(READ("^", "segment"), RELANCE_OK);
    THERE_ARE("actions", "actions.dead", "actions.marks", "actions.links", "web", "web.dead");
    cr_expect(refuses("actions"));
    cr_expect(refuses("actions.dead"));
    cr_expect(refuses("actions.marks"));
    cr_expect(refuses("actions.links"));
    cr_expect(refuses("actions.decisions"));
    cr_expect_not(refuses("web"));
    cr_expect_not(refuses("web.dead"), "what was dead before may be read by its name");
}

Test(plan, a_pattern_passes_over_dead_letters_and_internal_topics)
{
    cr_assert_eq(READ("^.*(web|_offsets|dead|marks)", "segment"), RELANCE_OK);
    THERE_ARE("web", "web.dead", "actions", "actions.marks", "actions.dead", "__consumer_offsets", "shop",
              "undead");
    cr_expect(takes("web"));
    cr_expect(takes("undead"));
    cr_expect_not(takes("web.dead"));
    cr_expect_not(takes("actions.marks"));
    cr_expect_not(takes("actions.dead"));
    cr_expect_not(takes("__consumer_offsets"));
    cr_expect_not(takes("shop"));
}

Test(scatter, tells_when_a_customer_comes_from_elsewhere)
{
    struct scatter *scatter = calloc(1, sizeof *scatter);
    cr_expect_not(scatter_note(scatter, STR("anna"), 1));
    cr_expect_not(scatter_note(scatter, STR("bert"), 2));
    cr_expect_not(scatter_note(scatter, STR("anna"), 1));
    cr_expect(scatter_note(scatter, STR("anna"), 2));
    cr_expect_not(scatter_note(scatter, STR("anna"), 2));
    free(scatter);
}

Test(ledger, counts_what_has_been_committed_and_nothing_else)
{
    struct ledger ledger = {0};
    ledger_add(&ledger, INTAKE_RECORDS, 5);
    ledger_add_dead(&ledger, STR("json"));
    ledger_drop(&ledger);
    ledger_add(&ledger, INTAKE_RECORDS, 3);
    ledger_add_dead(&ledger, STR("mapping"));
    ledger_keep(&ledger);
    heard_begin();
    ledger_log(&ledger, "In all:");
    const char *text = heard_end();
    cr_expect(strstr(text, "records=3 "), "%s", text);
    cr_expect(strstr(text, "dead.mapping=1"), "%s", text);
    cr_expect_not(strstr(text, "dead.json"), "%s", text);
    ledger_free(&ledger);
}

Test(ledger, more_reasons_than_it_tells_apart_are_counted_together)
{
    struct ledger ledger = {0};
    for (int i = 0; i < LEDGER_REASONS_MAX + 3; i++) {
        char reason[16];
        snprintf(reason, sizeof reason, "r%d", i);
        ledger_add_dead(&ledger, str_of(reason));
    }
    ledger_keep(&ledger);
    cr_expect_eq(ledger.reasons.count, LEDGER_REASONS_MAX);
    cr_expect_eq(ledger.kept.dead[LEDGER_REASONS_MAX - 1], 4);
    ledger_free(&ledger);
}
