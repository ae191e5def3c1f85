/* What a rule with a goal is measured by: people, each once, and what all of their goals were worth. */
#include "rig.h"
#include "state/state.h"

#include <criterion/criterion.h>

#define HOUR  3600000LL
#define START 1772445600000LL /* 2026-03-02T10:00:00Z */

#define MEASURE_RULES(SPLIT, REST)                                                                           \
    "{\"events\": {\"go\": {}, \"buy\": {\"n\": \"double\"}}, \"customer\": {\"staff\": \"bool\"}, "         \
    "\"rules\": {"                                                                                           \
    "   \"shown\": {\"on\": \"go\", " SPLIT " \"do\": [{\"send\": \"mail\"}],"                               \
    "     \"goal\": {\"on\": \"buy\", \"within\": \"7d\", \"value\": \"event.n\"}},"                         \
    "   \"goalless\": {\"on\": \"go\", \"do\": [{\"send\": \"mail\"}]}}" REST "}"

static const char split_rules[] = MEASURE_RULES("\"split\": {\"a\": 1, \"holdout\": 1},", "");
static const char other_split[] = MEASURE_RULES("\"split\": {\"b\": 1},", "");
static const char group_rules[] =
    MEASURE_RULES("", ", \"limits\": [{\"hold\": \"staff\", \"if\": \"customer.?staff.orValue(false)\"}]");

/* Of one variant, as whoever counts decisions has it. */
struct counted {
    int64_t people, won, value;
    double squares;
};

static struct arena arena;
static struct relance_ruleset *rules, *later;
static struct rig rig;
static struct counted variant_a, holdout, others, none;
static size_t without; /* decisions of the rule without a goal that would be counted */

static struct counted *counted_of(str variant)
{
    if (str_equal(variant, STR("a"))) return &variant_a;
    if (str_equal(variant, STR("holdout"))) return &holdout;
    return variant.size ? &others : &none;
}

static void note(void *context, const struct relance_decision *decision)
{
    const struct relance_measure *measure = &decision->measure;
    (void)context;
    if (!measure->counts) return;
    without += str_equal(decision->rule, STR("goalless"));
    struct counted *counted = counted_of(measure->variant);
    double before = (double)measure->value_before, value = (double)measure->value;
    counted->people += measure->reached;
    counted->won += measure->won;
    counted->value += measure->value - measure->value_before;
    counted->squares += value * value - before * before;
}

static void start(const char *text, const char *variant)
{
    rules = rig_rules(&arena, str_of(text));
    cr_assert_not_null(rules);
    rig_start_as(&rig, (struct relance_engine_options){.rules = rules, .variant = str_of(variant)});
    relance_engine_free(rig.engine);
    rig.options.decide = note;
    cr_assert(rig.engine = relance_engine_new(&rig.options));
}

static void setup(void)
{
    arena_init(&arena, 0);
}

static void teardown(void)
{
    rig_end(&rig);
    relance_ruleset_free(rules);
    relance_ruleset_free(later);
    arena_free(&arena);
}

TestSuite(measure, .init = setup, .fini = teardown, .timeout = 60);

static void happens(int64_t hour, const char *customer, const char *type, const char *fields)
{
    rig_event(&rig, arena_format(&arena, "{\"type\":\"%s\",\"customer\":\"%s\",\"time\":%lld%s}", type,
                                 customer, (long long)(START + hour * HOUR), fields));
}

static void counts(const struct counted *counted, int64_t people, int64_t won, int64_t value, double squares)
{
    cr_expect_eq(counted->people, people, "%lld people", (long long)counted->people);
    cr_expect_eq(counted->won, won, "%lld won", (long long)counted->won);
    cr_expect_eq(counted->value, value, "%lld", (long long)counted->value);
    cr_expect_eq(counted->squares, squares, "%g", counted->squares);
}

static void two_sends_and_three_goals(void)
{
    happens(0, "c", "go", "");
    happens(1, "c", "buy", ",\"n\":10.5");
    happens(2, "c", "go", "");
    happens(3, "c", "buy", ",\"n\":0.00005");
    happens(4, "c", "buy", ",\"n\":99"); /* no window is open */
    happens(5, "c", "go", "");
    happens(6, "c", "buy", ",\"n\":-0.5");
    happens(7, "d", "go", "");
}

Test(measure, who_is_sent_to_often_is_one_and_all_goals_are_one_sum)
{
    start(split_rules, "a");
    two_sends_and_three_goals();
    counts(&variant_a, 2, 1, 100001, 100001.0 * 100001.0);
    cr_expect_eq(without, 0u, "who reaches no goal is not measured by any");
}

Test(measure, who_is_held_as_the_variant_says_is_counted_as_who_is_sent_to)
{
    start(split_rules, "holdout");
    two_sends_and_three_goals();
    counts(&holdout, 2, 1, 100001, 100001.0 * 100001.0);
    counts(&variant_a, 0, 0, 0, 0);
}

Test(measure, a_state_that_was_saved_and_fetched_goes_on)
{
    start(split_rules, "a");
    happens(0, "c", "go", "");
    rig_forget(&rig);
    happens(1, "c", "buy", ",\"n\":3");
    rig_forget(&rig);
    happens(2, "c", "go", "");
    happens(3, "c", "buy", ",\"n\":4");
    rig_forget(&rig);
    happens(4, "c", "go", "");
    counts(&variant_a, 1, 1, 70000, 70000.0 * 70000.0);
}

Test(measure, who_is_held_for_a_group_is_not_counted_until_a_send_is_not)
{
    start(group_rules, "");
    happens(0, "c", "identify", ",\"staff\":true");
    happens(0, "c", "go", "");
    happens(1, "c", "buy", ",\"n\":3");
    counts(&none, 0, 0, 0, 0);
    happens(2, "c", "identify", ",\"staff\":null");
    happens(2, "c", "go", "");
    happens(3, "c", "buy", ",\"n\":4");
    counts(&none, 1, 1, 40000, 40000.0 * 40000.0);
}

Test(measure, goals_count_for_the_variant_that_was_met_first)
{
    start(split_rules, "a");
    happens(0, "c", "go", "");
    cr_assert(later = rig_rules(&arena, STR(other_split)));
    cr_assert_eq(relance_engine_set_rules(rig.engine, later, 1), RELANCE_OK);
    happens(1, "c", "go", "");
    happens(2, "c", "buy", ",\"n\":2");
    counts(&variant_a, 1, 1, 20000, 20000.0 * 20000.0);
    counts(&others, 0, 0, 0, 0);
}

Test(measure, who_was_forgotten_is_somebody_new)
{
    start(split_rules, "a");
    happens(0, "c", "go", "");
    happens(1, "c", "buy", ",\"n\":2");
    happens(2, "c", "forget", "");
    happens(3, "c", "go", "");
    happens(4, "c", "buy", ",\"n\":3");
    counts(&variant_a, 2, 2, 50000, 20000.0 * 20000.0 + 30000.0 * 30000.0);
}

Test(measure, is_shown_with_the_state)
{
    static const char wanted[] =
        "\"measured\":[{\"rule\":\"shown\",\"variant\":\"a\",\"goal\":true,\"value\":2.5}]";
    char text[4096];
    start(split_rules, "a");
    happens(0, "c", "go", "");
    happens(1, "c", "buy", ",\"n\":2.5");
    rig_checkpoint(&rig);
    size_t size = relance_state_print(rules, STR("c"), rig_stored(&rig, STR("c"))->state, text, sizeof text);
    cr_assert(size && size <= sizeof text);
    cr_expect_not_null(memmem(text, size, wanted, strlen(wanted)), "%.*s", (int)size, text);
}

Test(measure, no_value_is_too_large_to_be_added)
{
    start(split_rules, "a");
    for (int i = 0; i < 8; i++) {
        happens(2 * i, "c", "go", "");
        happens(2 * i + 1, "c", "buy", i < 4 ? ",\"n\":1e308" : ",\"n\":-1e308");
    }
    counts(&variant_a, 1, 1, -STATE_VALUE_MAX, (double)STATE_VALUE_MAX * (double)STATE_VALUE_MAX);
}
