/* Affinities: recipes that stay the same when nothing of them changes, what a learner is given, and what engines answer by the
 * versions that they are handed. */
#include "rig.h"

#include <criterion/criterion.h>
#include <relance/affinity.h>
#include <relance/model.h>

#define HEAD                                                                                                 \
    "{\"types\": {\"item\": {\"product\": \"string\", \"kind\": \"string\"}},"                               \
    " \"events\": {\"view\": {\"product\": \"string\"}, \"buy\": {\"items\": \"list(item)\", \"total\": "    \
    "\"double\"},"                                                                                           \
    "   \"ask\": {\"products\": \"list(string)\"}},"
#define RULES                                                                                                \
    " \"rules\": {\"r\": {\"on\": \"ask\", \"do\": [{\"send\": \"x\", \"with\": {\"p\": "                    \
    "\"${goes(trigger.products, 3)}\"}}]}}}"

static const char plain[] = HEAD
    "\"affinities\": {\"goes\": {\"from\": [{\"on\": \"buy\", \"by\": \"event.items.map(i, i.product)\"},"
    "  {\"on\": [\"view\"], \"by\": \"event.product\", \"if\": \"event.product != 'gift'\", \"weight\": 3}],"
    "  \"within\": \"30d\", \"lift\": 0.3}}," RULES;

static struct arena arena;
static struct relance_ruleset *rules;
static struct rig rig;

static void setup(void)
{
    arena_init(&arena, 0);
}

static void teardown(void)
{
    relance_ruleset_free(rules);
    arena_free(&arena);
}

TestSuite(affinity, .init = setup, .fini = teardown, .timeout = 60);

static struct relance_ruleset *compiled(const char *text)
{
    struct relance_ruleset *set = rig_rules(&arena, str_of(text));
    cr_assert_not_null(set);
    return set;
}

/* ---- recipes */

static uint64_t recipe_of(const char *text)
{
    struct relance_ruleset *set = compiled(text);
    cr_assert_eq(relance_ruleset_affinity_count(set), 1u);
    uint64_t recipe = relance_ruleset_affinity_recipe(set, 0);
    cr_expect_eq(relance_ruleset_affinity(set, 0).recipe, recipe);
    relance_ruleset_free(set);
    return recipe;
}

#define ONE(lets, affinity) HEAD lets "\"affinities\": {\"goes\": " affinity "}," RULES

Test(affinity, a_recipe_is_the_same_whatever_its_layout_and_the_names_it_uses)
{
    uint64_t recipe = recipe_of(ONE("", "{\"within\": \"1d\", \"from\": [{\"on\": [\"view\", \"ask\"], "
                                        "\"if\": \"event.type != 'x'\", \"by\": \"event.type\"}]}"));
    static const char *const same[] = {
        ONE("", "{\"from\":[{\"by\":\" event . "
                "type\",\"if\":\"event.type!=\\\"x\\\"\",\"on\":[\"ask\",\"view\"],\"weight\":1}],"
                "\"within\":\"24h\",\"half_life\":\"60d\",\"least\":3,\"lift\":0}"),
        "{\"events\": {\"ask\": {\"products\": \"list(string)\"}, \"other\": {\"n\": \"int\"}, \"view\": "
        "{\"product\": \"string\"}},"
        " \"affinities\": {\"goes\": {\"from\": [{\"on\": [\"ask\", \"view\"], \"if\": \"event.type // of "
        "all\\n != 'x'\", \"by\": "
        "\"event.type\"}], \"within\": \"1d\"}}," RULES,
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        cr_expect_eq(recipe_of(same[i]), recipe, "%zu", i);
}

Test(affinity, a_recipe_is_another_one_when_anything_of_it_changes)
{
    static const char *const others[] = {
        ONE("", "{\"within\": \"1d\", \"from\": [{\"on\": \"view\", \"by\": \"event.product\"}]}"),
        ONE("", "{\"within\": \"2d\", \"from\": [{\"on\": \"view\", \"by\": \"event.product\"}]}"),
        ONE("", "{\"within\": \"1d\", \"half_life\": \"61d\", \"from\": [{\"on\": \"view\", \"by\": "
                "\"event.product\"}]}"),
        ONE("", "{\"within\": \"1d\", \"lift\": 0.001, \"from\": [{\"on\": \"view\", \"by\": "
                "\"event.product\"}]}"),
        ONE("",
            "{\"within\": \"1d\", \"least\": 4, \"from\": [{\"on\": \"view\", \"by\": \"event.product\"}]}"),
        ONE("",
            "{\"within\": \"1d\", \"from\": [{\"on\": \"view\", \"by\": \"event.product\", \"weight\": 2}]}"),
        ONE("", "{\"within\": \"1d\", \"from\": [{\"on\": \"view\", \"by\": \"[event.product]\"}]}"),
        ONE("", "{\"within\": \"1d\", \"from\": [{\"on\": \"view\", \"by\": \"event.product\", \"if\": "
                "\"true\"}]}"),
        ONE("", "{\"within\": \"1d\", \"from\": [{\"on\": \"ask\", \"by\": \"event.type\"}]}"),
        ONE("\"let\": {\"what\": \"event.type\"},",
            "{\"within\": \"1d\", \"from\": [{\"on\": \"view\", \"by\": \"what\"}]}"),
        ONE("\"let\": {\"what\": \"event.id\"},",
            "{\"within\": \"1d\", \"from\": [{\"on\": \"view\", \"by\": \"what\"}]}"),
        ONE("\"tables\": {\"of\": {\"a\": \"b\"}},",
            "{\"within\": \"1d\", \"from\": [{\"on\": \"view\", \"by\": \"tables.of[event.product]\"}]}"),
        ONE("\"tables\": {\"of\": {\"a\": \"c\"}},",
            "{\"within\": \"1d\", \"from\": [{\"on\": \"view\", \"by\": \"tables.of[event.product]\"}]}"),
    };
    enum { OTHERS = sizeof others / sizeof *others };
    uint64_t recipes[OTHERS];
    for (size_t i = 0; i < OTHERS; i++) {
        recipes[i] = recipe_of(others[i]);
        for (size_t k = 0; k < i; k++)
            cr_expect_neq(recipes[i], recipes[k], "%zu and %zu", i, k);
    }
}

Test(affinity, a_name_of_let_that_is_called_otherwise_is_the_same_recipe)
{
    cr_expect_eq(recipe_of(ONE("\"let\": {\"a\": \"event.type\", \"b\": \"a + 'x'\"},",
                               "{\"within\": \"1d\", \"from\": [{\"on\": \"view\", \"by\": \"b\"}]}")),
                 recipe_of(ONE("\"let\": {\"c\": \"event . type\", \"d\": \"c + \\\"x\\\"\"},",
                               "{\"within\": \"1d\", \"from\": [{\"on\": \"view\", \"by\": \"d\"}]}")));
}

/* ---- what a learner is given */

static struct buffer given_lines;

static void note_given(void *context, const struct relance_given *given)
{
    (void)context;
    buffer_put_format(&given_lines, "%zu %s%.*s %lld x%u:", given->affinity,
                      given->is_visitor ? "visitor " : "", STR_ARG(given->customer),
                      (long long)given->time_ms, given->weight);
    for (size_t i = 0; i < given->product_count; i++)
        buffer_put_format(&given_lines, " %.*s", STR_ARG(given->products[i]));
    buffer_put_char(&given_lines, '\n');
}

static enum relance_fate_kind give(const char *value)
{
    struct relance_record record = rig_record(&rig, str_of(value));
    do
        cr_assert_eq(relance_engine_give(rig.engine, &record, &rig.fate, note_given, NULL), RELANCE_DONE);
    while (rig.fate.more);
    return rig.fate.kind;
}

Test(affinity, a_learner_is_given_what_counts_and_no_state_is_made)
{
    rules = compiled(plain);
    rig_start(&rig, rules, 0);
    buffer_init(&given_lines, &arena);
    cr_expect_eq(give("{\"type\":\"buy\",\"customer\":\"anna\",\"time\":1000,\"items\":[{\"product\":"
                      "\"tent\"},{\"product\":\"mat\"},"
                      "{\"product\":\"tent\"},{\"product\":\"\"}]}"),
                 RELANCE_EVENT);
    cr_expect_eq(
        give(
            "[{\"type\":\"view\",\"visitor\":\"v1\",\"time\":2000,\"product\":\"mug\"},"
            "{\"type\":\"view\",\"visitor\":\"v1\",\"customer\":\"bert\",\"time\":3000,\"product\":\"gift\"},"
            "{\"type\":\"view\",\"visitor\":\"v1\",\"customer\":\"bert\",\"time\":3000,\"product\":\"lamp\"}"
            "]"),
        RELANCE_EVENT);
    cr_expect_eq(give("{\"type\":\"ask\",\"customer\":\"anna\",\"time\":1000}"), RELANCE_IGNORED);
    cr_expect_eq(give("{\"type\":\"nothing\",\"customer\":\"anna\",\"time\":1000}"), RELANCE_IGNORED);
    cr_expect_eq(give("{\"type\":\"buy\",\"customer\":\"anna\",\"time\":1000}"), RELANCE_EVENT,
                 "without items");
    cr_expect_eq(give("{\"type\":\"buy\",\"time\":1000}"), RELANCE_DEAD);
    cr_expect_eq(give("{\"type\":\"forget\",\"customer\":\"anna\",\"time\":1000}"), RELANCE_IGNORED);
    cr_expect_eq(give("{\"type\":\"forget\",\"visitor\":\"v\",\"time\":1000}"), RELANCE_IGNORED);
    cr_expect(
        str_equal(buffer_str(&given_lines),
                  STR("0 anna 1000000 x1: tent mat\n0 visitor v1 2000000 x3: mug\n0 bert 3000000 x3: lamp\n"
                      "0 anna 1000000 x0:\n0 visitor v 1000000 x0:\n")),
        "%.*s", STR_ARG(buffer_str(&given_lines)));
    cr_expect_eq(relance_engine_size(rig.engine).customers, 0u);
    rig_end(&rig);
}

Test(affinity, an_event_that_is_only_learnt_from_costs_an_engine_no_state)
{
    rules = compiled(plain);
    rig_start(&rig, rules, 0);
    cr_expect_eq(
        rig_event(&rig, STR("{\"type\":\"view\",\"customer\":\"anna\",\"time\":1000,\"product\":\"mug\"}"))
            ->kind,
        RELANCE_IGNORED);
    cr_expect_eq(relance_engine_size(rig.engine).customers, 0u);
    rig_end(&rig);
}

/* ---- what an engine answers */

static struct relance_model *model_of(uint64_t recipe, uint64_t number)
{
    const str of_tent[] = {STR("mat"), STR("lamp"), STR("mug"), STR("rope")},
              popular[] = {STR("tent"), STR("mug")};
    const struct relance_model_list lists[] = {{STR("tent"), of_tent, 4}, {STR("*"), popular, 2}};
    const struct relance_model_head head = {.number = number, .recipe = recipe};
    struct relance_model *model = relance_model_of_lists(lists, 2, &head);
    cr_assert_not_null(model);
    return model;
}

/* What is sent when tent and lamp are asked about. */
static str asked(void)
{
    rig.lines.size = 0;
    rig_event(&rig,
              STR("{\"type\":\"ask\",\"customer\":\"anna\",\"time\":1000,\"products\":[\"tent\",\"lamp\"]}"));
    str line = buffer_str(&rig.lines);
    const char *with = memmem(line.data, line.size, "\"with\":", 7);
    cr_assert_not_null(with);
    return (str){with, line.size - (size_t)(with - line.data)};
}

static void expect_answer(const char *begin)
{
    str line = asked();
    cr_expect(str_starts_with(line, str_of(begin)), "%.*s", STR_ARG(line));
}

/* One seed is looked up, several are added up: of one that is there alone both come to the same. */
Test(affinity, one_product_and_a_list_of_it_and_of_unknown_ones_give_the_same)
{
    static const char one_and_list[] =
        HEAD "\"affinities\": {\"goes\": {\"from\": [{\"on\": \"view\", \"by\": \"event.product\"}], "
             "\"within\": \"1d\"}},"
             "\"rules\": {\"r\": {\"on\": \"ask\", \"do\": [{\"send\": \"x\", \"with\": {\"same\": "
             "\"${lists.range(5).all(n, "
             "goes('tent', n) == goes(['tent', 'unknown'], n) && goes(['tent'], n) == goes('tent', "
             "50).take(n))}\","
             "\"first\": \"${goes('tent', 9)}\", \"none\": \"${goes('unknown', 3)}\"}}]}}}";
    rules = compiled(one_and_list);
    rig_start(&rig, rules, 0);
    struct relance_model *model = model_of(relance_ruleset_affinity_recipe(rules, 0), 1);
    relance_engine_set_model(rig.engine, STR("goes"), model);
    relance_model_release(model);
    str line = asked();
    cr_expect(
        str_starts_with(
            line, STR("\"with\":{\"same\":true,\"first\":[\"mat\",\"lamp\",\"mug\",\"rope\"],\"none\":[]}")),
        "%.*s", STR_ARG(line));
    rig_end(&rig);
}

#define NOTHING  "\"with\":{\"p\":[]},\"trigger\":"
#define ANSWERED "\"with\":{\"p\":[\"mat\",\"mug\",\"rope\"]},\"models\":{\"goes\":17},\"trigger\":"

#define ASKED(from) ONE("", "{\"from\": [" from "], \"within\": \"1d\"}")
#define OF_ORDERS   "{\"on\": \"buy\", \"by\": \"event.items.map(i, i.product)\"}"
#define OF_VIEWS    "{\"on\": \"view\", \"by\": \"event.product\"}"

/* What orders bring has no order; what views bring has one, also beside orders. Of the tent q and u are said, of the lamp z. */
Test(affinity, products_weigh_alike_where_events_bring_them_together)
{
    static const struct {
        const char *text, *begin;
    } cases[] = {
        {ASKED(OF_ORDERS), "\"with\":{\"p\":[\"q\",\"z\",\"u\"]}"},
        {ASKED("{\"on\": \"view\", \"by\": \"[event.product]\"}"), "\"with\":{\"p\":[\"q\",\"z\",\"u\"]}"},
        {ASKED(OF_VIEWS), "\"with\":{\"p\":[\"q\",\"u\",\"z\"]}"},
        {ASKED(OF_ORDERS ", " OF_VIEWS), "\"with\":{\"p\":[\"q\",\"u\",\"z\"]}"},
    };
    const str of_tent[] = {STR("q"), STR("u")}, of_lamp[] = {STR("z")};
    const struct relance_model_list lists[] = {{STR("tent"), of_tent, 2}, {STR("lamp"), of_lamp, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct relance_ruleset *set = compiled(cases[i].text);
        const struct relance_model_head head = {.number = 1,
                                                .recipe = relance_ruleset_affinity_recipe(set, 0)};
        struct relance_model *model = relance_model_of_lists(lists, 2, &head);
        rig_start(&rig, set, 0);
        relance_engine_set_model(rig.engine, STR("goes"), model);
        expect_answer(cases[i].begin);
        rig_end(&rig);
        relance_model_release(model);
        relance_ruleset_free(set);
    }
}

Test(affinity, a_version_answers_until_another_recipe_is_declared)
{
    rules = compiled(plain);
    rig_start(&rig, rules, 0);
    rig.actions = true;
    struct relance_model *model = model_of(relance_ruleset_affinity_recipe(rules, 0), 17),
                         *other = model_of(1, 18);
    expect_answer(NOTHING);
    relance_engine_set_model(rig.engine, STR("goes"), model);
    relance_engine_set_model(rig.engine, STR("unknown"), other);
    relance_model_release(model); /* the engine holds it */
    expect_answer(ANSWERED);
    struct relance_ruleset
        *again = compiled(plain),
        *changed = compiled(
            ONE("", "{\"within\": \"1d\", \"from\": [{\"on\": \"view\", \"by\": \"event.product\"}]}"));
    cr_assert_eq(relance_engine_set_rules(rig.engine, again, 2), RELANCE_OK);
    expect_answer(ANSWERED);
    relance_engine_set_model(rig.engine, STR("goes"), other);
    expect_answer(NOTHING);
    relance_engine_set_model(rig.engine, STR("goes"),
                             model = model_of(relance_ruleset_affinity_recipe(rules, 0), 17));
    expect_answer(ANSWERED);
    cr_assert_eq(relance_engine_set_rules(rig.engine, changed, 3), RELANCE_OK);
    expect_answer(NOTHING);
    cr_assert_eq(relance_engine_set_rules(rig.engine, again, 4), RELANCE_OK);
    expect_answer(NOTHING);
    relance_engine_set_model(rig.engine, STR("goes"), model);
    relance_engine_set_model(rig.engine, STR("goes"), NULL);
    expect_answer(NOTHING);
    relance_model_release(model);
    relance_model_release(other);
    rig_end(&rig);
    relance_ruleset_free(again);
    relance_ruleset_free(changed);
}
