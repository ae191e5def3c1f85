/* The traceparent of a record goes on to what the record triggers, and to nothing else. */
#include "rig.h"

#include <criterion/criterion.h>

#define HOUR  3600000LL
#define START 1772445600000LL /* 2026-03-02T10:00:00Z */

#define TRACE_A "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
#define TRACE_B "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"

static const char trace_rules[] =
    "{\"events\": {\"cart\": {\"n\": \"int\"}, \"buy\": {\"n\": \"int\"}, \"quiet\": {}},"
    " \"customer\": {\"birthday\": \"timestamp\"},"
    " \"segments\": {\"big\": \"has(last.cart.n) && last.cart.n > 9\"},"
    " \"rules\": {"
    "   \"at_once\": {\"on\": \"cart\", \"do\": [{\"send\": \"at_once\"}]},"
    "   \"later\": {\"on\": \"cart\", \"again\": \"rearm\", \"do\": [{\"after\": \"1h\", \"send\": "
    "\"later\"}, {\"after\": \"1h\", \"send\": "
    "\"last\"}], \"goal\": {\"on\": \"buy\", \"within\": \"7d\"}},"
    "   \"first\": {\"on\": \"cart\", \"again\": \"ignore\", \"do\": [{\"after\": \"1h\", \"send\": "
    "\"first\"}]},"
    "   \"entered\": {\"on\": \"enter big\", \"do\": [{\"send\": \"entered\"}]},"
    "   \"dated\": {\"on\": {\"date\": \"customer.birthday\"}, \"do\": [{\"send\": \"dated\"}]}}}";

static struct arena arena;
static struct relance_ruleset *rules;
static struct rig rig;
static str present; /* the traceparent of the record that is handed in */
static struct buffer seen;

static str ask(void *context)
{
    (void)context;
    return present;
}

/* "later A " for what is published with TRACE_A, "later - " for what has none. */
static void note(void *context, const struct relance_decision *decision)
{
    (void)context;
    if (!relance_decision_is_output(decision)) return;
    bool goal = decision->outcome == RELANCE_OUTCOME_GOAL, a = str_equal(decision->traceparent, STR(TRACE_A)),
         b = str_equal(decision->traceparent, STR(TRACE_B));
    cr_expect(a || b || !decision->traceparent.size, "%.*s", STR_ARG(decision->traceparent));
    buffer_put_str(&seen, goal ? STR("goal") : decision->send);
    buffer_put_str(&seen, a ? STR(" A ") : b ? STR(" B ") : STR(" - "));
}

static void start(struct rig *one)
{
    rig_start_as(one, (struct relance_engine_options){.rules = rules});
    relance_engine_free(one->engine);
    one->options.decide = note;
    one->options.traceparent = ask;
    cr_assert(one->engine = relance_engine_new(&one->options));
}

static void setup(void)
{
    arena_init(&arena, 0);
    buffer_init(&seen, &arena);
    rules = rig_rules(&arena, STR(trace_rules));
    cr_assert_not_null(rules);
    start(&rig);
}

static void teardown(void)
{
    rig_end(&rig);
    relance_ruleset_free(rules);
    arena_free(&arena);
}

TestSuite(trace, .init = setup, .fini = teardown, .timeout = 60);

static void happens(const char *traceparent, const char *type, int64_t time_ms, int n)
{
    present = str_of(traceparent);
    rig_event(&rig, arena_format(&arena, "{\"type\":\"%s\",\"customer\":\"c\",\"time\":%lld,\"n\":%d}", type,
                                 (long long)time_ms, n));
    present = STR(TRACE_B); /* a wait that asked for it would be found out */
}

static void run_until(int64_t time_ms)
{
    cr_expect_eq(relance_engine_run_until(rig.engine, time_ms), RELANCE_DONE);
}

static void published(const char *expected)
{
    str text = buffer_str(&seen);
    if (text.size) text.size--;
    cr_expect(str_equal(text, str_of(expected)), "published %.*s, not %s", STR_ARG(text), expected);
    seen.size = 0;
}

Test(trace, goes_with_the_send_at_once_and_with_all_that_wait)
{
    happens(TRACE_A, "cart", START, 1);
    published("at_once A");
    run_until(START + 3 * HOUR);
    published("first A later A last A");
}

Test(trace, is_that_of_the_newest_trigger_or_none_where_that_has_none)
{
    happens(TRACE_A, "cart", START, 1);
    happens(TRACE_B, "cart", START + HOUR / 2, 1);
    run_until(START + 2 * HOUR);
    published("at_once A at_once B first A later B");
    happens("", "cart", START + 2 * HOUR + 1, 1);
    run_until(START + 5 * HOUR);
    published("at_once - first - last -");
}

Test(trace, survives_a_checkpoint_and_another_engine)
{
    happens(TRACE_A, "cart", START, 1);
    published("at_once A");
    rig_restart(&rig);
    enum relance_progress progress;
    while ((progress = relance_engine_run_until(rig.engine, START + 3 * HOUR)) == RELANCE_NEEDS)
        rig_fetch(&rig);
    cr_expect_eq(progress, RELANCE_DONE);
    published("first A later A last A");
}

Test(trace, of_a_goal_is_that_of_the_event_that_reached_it)
{
    happens(TRACE_A, "cart", START, 1);
    run_until(START + 2 * HOUR);
    published("at_once A first A later A last A");
    happens(TRACE_B, "buy", START + 2 * HOUR, 1);
    published("goal B");
}

Test(trace, goes_with_a_segment_that_the_event_has_entered_and_with_no_date)
{
    happens(TRACE_A, "cart", START, 10);
    published("entered A at_once A");
    present = STR(TRACE_A);
    rig_event(
        &rig,
        arena_format(
            &arena,
            "{\"type\":\"identify\",\"customer\":\"d\",\"time\":%lld,\"birthday\":\"2026-03-02T12:00:00Z\"}",
            (long long)START));
    present = STR(TRACE_B);
    run_until(START + 4 * HOUR);
    published("first A later A last A dated -");
}

Test(trace, what_is_not_of_its_form_is_none)
{
    static const char *const wrong[] = {"", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
                                        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
                                        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        happens(wrong[i], "cart", START + (int64_t)i, 1);
        published("at_once -");
    }
}

/* The state of a customer with one run that keeps it: another's, which has none, is 60 bytes smaller. */
Test(trace, without_one_a_state_has_no_byte_more)
{
    static const char *const traceparents[] = {NULL, "", TRACE_A};
    size_t sizes[3];
    for (int i = 0; i < 3; i++) {
        rig_end(&rig);
        start(&rig);
        if (!traceparents[i]) rig.options.traceparent = NULL;
        happens(traceparents[i] ? traceparents[i] : "", "cart", START, 1);
        happens("", "buy", START + 1, 1);
        run_until(START + HOUR - 1);
        rig_checkpoint(&rig);
        sizes[i] = rig_stored(&rig, STR("c"))->state.size;
    }
    cr_expect_eq(sizes[1], sizes[0]);
    cr_expect_eq(sizes[2], sizes[0] + 2 * 60, "two runs wait");
}
