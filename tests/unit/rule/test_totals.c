/* What is counted over all customers: totals, and what became of sends. */
#include "rig.h"
#include "base/limits.h"

#include <criterion/criterion.h>

#define HOUR  3600000LL
#define START 1772445600000LL /* 2026-03-02T10:00:00Z */
#define TODAY 20514           /* that day */

static const char totals_rules[] =
    "{\"tz\": \"Europe/Berlin\","
    " \"events\": {\"buy\": {\"n\": \"double\", \"why\": \"list(string)\"}, \"go\": {},"
    "   \"email_open\": {\"rule\": \"string\", \"step\": \"int\"}, \"push_clicked\": {\"rule\": \"string\", "
    "\"step\": \"int\"},"
    "   \"unsubscribe\": {\"rule\": \"string\", \"step\": \"int\"}, \"open\": {\"rule\": \"string\"}},"
    " \"counts\": {\"orders\": {\"on\": \"buy\"}},"
    " \"segments\": {\"twice\": \"orders() >= 2\"},"
    " \"totals\": {"
    "   \"all\": {\"on\": [\"buy\", \"go\"]},"
    "   \"money\": {\"on\": \"buy\", \"if\": \"event.n != 7.0\", \"by\": \"segments.twice ? 'again' : "
    "'first'\", \"sum\": \"event.n\"},"
    "   \"reasons\": {\"on\": \"buy\", \"by\": \"event.why\"}},"
    " \"rules\": {\"two\": {\"on\": \"go\", \"do\": [{\"send\": \"x\"}, {\"after\": \"1h\", \"send\": "
    "\"x\"}]}}}";

static struct arena arena;
static struct relance_ruleset *rules;
static struct rig rig;
static struct buffer seen;

/* "totals.all=1 ", of a day "totals.all@20514=1 ". */
static void note(void *context, const struct relance_addition *addition)
{
    (void)context;
    buffer_put_str(&seen, addition->name);
    if (addition->table == RELANCE_SUMS_DAY) buffer_put_format(&seen, "@%lld", (long long)addition->day);
    buffer_put_format(&seen, "=%lld ", (long long)addition->number);
}

static void start(struct rig *one)
{
    rig_start_as(one, (struct relance_engine_options){.rules = rules});
    relance_engine_free(one->engine);
    one->options.add = note;
    cr_assert(one->engine = relance_engine_new(&one->options));
}

static void setup(void)
{
    arena_init(&arena, 0);
    buffer_init(&seen, &arena);
    rules = rig_rules(&arena, STR(totals_rules));
    cr_assert_not_null(rules);
    start(&rig);
}

static void teardown(void)
{
    rig_end(&rig);
    relance_ruleset_free(rules);
    arena_free(&arena);
}

TestSuite(totals, .init = setup, .fini = teardown, .timeout = 60);

static void happens(const char *customer, const char *type, int64_t time_ms, const char *fields)
{
    rig_event(&rig, arena_format(&arena, "{\"type\":\"%s\",\"customer\":\"%s\",\"time\":%lld%s}", type,
                                 customer, (long long)time_ms, fields));
}

static void adds(const char *wanted)
{
    cr_expect(str_equal(buffer_str(&seen), str_of(wanted)), "wanted: %s\ngot:    %.*s", wanted,
              STR_ARG(buffer_str(&seen)));
    buffer_init(&seen, &arena);
}

Test(totals, count_and_add_up_over_customers_by_all_time_and_by_local_day)
{
    happens("c", "go", START, "");
    adds("totals.all=1 totals.all@20514=1 ");
    happens("c", "buy", START + 13 * HOUR + HOUR / 2,
            ",\"n\":2.5"); /* half past midnight in Berlin; no `why` */
    adds("totals.all=1 totals.all@20515=1 totals.money.first=1 totals.money.first@20515=1 "
         "totals_sum.money.first=25000 totals_sum.money.first@20515=25000 ");
    happens("c", "buy", START + 14 * HOUR, ",\"n\":7,\"why\":[\"a\",\"\"]");
    adds("totals.all=1 totals.all@20515=1 totals.reasons.a=1 totals.reasons.a@20515=1 totals.reasons.=1 "
         "totals.reasons.@20515=1 ");
    happens("c", "buy", START + 15 * HOUR, ",\"n\":-0.00005");
    adds("totals.all=1 totals.all@20515=1 totals.money.again=1 totals.money.again@20515=1 "
         "totals_sum.money.again=-1 totals_sum.money.again@20515=-1 ");
}

Test(totals, a_repeated_event_counts_once_and_a_sum_of_nothing_adds_nothing)
{
    for (int i = 0; i < 2; i++)
        happens("c", "buy", START, ",\"id\":\"e\",\"n\":0");
    adds("totals.all=1 totals.all@20514=1 totals.money.first=1 totals.money.first@20514=1 ");
    happens("d", "buy", START, ",\"n\":1e30"); /* no number that could be added */
    adds("totals.all=1 totals.all@20514=1 ");
}

static void with_reason(const char *reason)
{
    happens("c", "buy", START, arena_format(&arena, ",\"n\":7,\"why\":[\"%s\"]", reason).data);
}

static bool last_is_other(void)
{
    bool other = memmem(seen.data, seen.size, "totals.reasons.other=1", 22);
    buffer_init(&seen, &arena);
    return other;
}

Test(totals, of_values_the_first_thousand_are_known_and_stay_so)
{
    char reason[80];
    struct rig after;
    for (int i = 0; i < LIMIT_TOTAL_VALUES; i++) {
        snprintf(reason, sizeof reason, "r%d", i);
        with_reason(reason);
        if (i < 2) happens("d", "go", START, "");
    }
    cr_expect_not(last_is_other());
    with_reason("one more");
    cr_expect(last_is_other());
    with_reason("r999");
    cr_expect_not(last_is_other());
    str known = rig_copy(&rig, relance_engine_names(rig.engine));
    start(&after);
    relance_engine_free(after.engine);
    after.options.names = known;
    cr_assert(after.engine = relance_engine_new(&after.options));
    struct rig before = rig;
    rig = after;
    with_reason("one more");
    cr_expect(last_is_other(), "also after a restart");
    with_reason("r999");
    cr_expect_not(last_is_other());
    rig_end(&rig);
    rig = before;
}

Test(totals, a_long_value_is_other)
{
    char reason[LIMIT_TOTAL_BYTES + 2];
    memset(reason, 'x', sizeof reason);
    reason[LIMIT_TOTAL_BYTES] = 0;
    with_reason(reason);
    cr_expect_not(last_is_other());
    reason[LIMIT_TOTAL_BYTES] = 'x', reason[LIMIT_TOTAL_BYTES + 1] = 0;
    with_reason(reason);
    cr_expect(last_is_other());
}

Test(totals, what_became_of_a_send_counts_for_rules_and_steps_in_force)
{
    happens("c", "email_open", START, ",\"rule\":\"two\",\"step\":1");
    happens("c", "push_clicked", START, ",\"rule\":\"two\",\"step\":2");
    happens("c", "unsubscribe", START, ",\"rule\":\"two\",\"step\":2");
    adds("rule.two.step.1.opened=1 rule.two.step.2.clicked=1 rule.two.step.2.unsubscribed=1 ");
    happens("c", "email_open", START, ",\"rule\":\"two\",\"step\":3");
    happens("c", "email_open", START, ",\"rule\":\"two\",\"step\":0");
    happens("c", "email_open", START, ",\"rule\":\"three\",\"step\":1");
    happens("c", "email_open", START, ",\"rule\":\"two\"");
    happens("c", "email_open", START, "");
    happens("c", "open", START, ",\"rule\":\"two\"");
    adds("");
}
