/* The engine through its seam: what it asks for, what it does once and only once, and how it takes new rules. */
#include "base/limits.h"
#include "rig.h"
#include "rule/run/runs.h"

#include <criterion/criterion.h>

#define MINUTE 60000LL
#define HOUR   3600000LL
#define DAY    86400000LL
#define START  1772445600000LL /* 2026-03-02T10:00:00Z */

/* A cart is mailed about after an hour and after a day, unless it is bought. */
static const char cart_rules[] =
    "{\"events\": {\"cart\": {\"cart\": \"string\"}, \"buy\": {\"cart\": \"string\"}},"
    " \"counts\": {\"carts\": {\"on\": \"cart\"}},"
    " \"rules\": {\"cart\": {\"on\": \"cart\", \"key\": \"event.cart\", \"cancel\": [{\"on\": \"buy\", "
    "\"key\": \"event.cart\"}],"
    "   \"do\": [{\"after\": \"1h\", \"send\": \"email\", \"with\": {\"carts\": \"${carts()}\", \"cart\": "
    "\"${trigger.cart}\"}},"
    "            {\"after\": \"1d\", \"send\": \"email\"}]}}}";

static struct arena arena;
static struct relance_ruleset *rules;
static struct rig rig;

static void setup(void)
{
    arena_init(&arena, 0);
    rules = rig_rules(&arena, STR(cart_rules));
    cr_assert_not_null(rules);
    rig_start(&rig, rules, 0);
}

static void teardown(void)
{
    rig_end(&rig);
    relance_ruleset_free(rules);
    arena_free(&arena);
}

TestSuite(engine, .init = setup, .fini = teardown, .timeout = 60);

/* {"id": …, "type": …, "customer": …, "time": …, "cart": …}; id NULL: none. */
static str event(const char *id, const char *type, const char *customer, int64_t time_ms, const char *cart)
{
    str with_id = id ? arena_format(&arena, "\"id\":\"%s\",", id) : STR("");
    return arena_format(&arena, "{%.*s\"type\":\"%s\",\"customer\":\"%s\",\"time\":%lld,\"cart\":\"%s\"}",
                        STR_ARG(with_id), type, customer, (long long)time_ms, cart);
}

static const struct relance_fate *happens(const char *id, const char *type, const char *customer,
                                          int64_t time_ms, const char *cart)
{
    return rig_event(&rig, event(id, type, customer, time_ms, cart));
}

/* The outcomes since the last time, each with its customer: "started c1 sent c1". */
static void decided(const char *expected)
{
    struct buffer text;
    buffer_init(&text, &arena);
    str rest = buffer_str(&rig.lines), line;
    while (suite_line(&rest, &line)) {
        char customer[64] = "", outcome[64] = "";
        const char *at = memmem(line.data, line.size, "\"customer\":\"", 12),
                   *what = memmem(line.data, line.size, "\"outcome\":\"", 11);
        if (at) sscanf(at + 12, "%63[^\"]", customer);
        if (what) sscanf(what + 11, "%63[^\"]", outcome);
        buffer_put_format(&text, "%s%s %s", text.size ? " " : "", outcome, customer);
    }
    cr_expect(str_equal(buffer_str(&text), str_of(expected)), "wanted: %s\ngot:    %.*s\n%.*s", expected,
              STR_ARG(buffer_str(&text)), STR_ARG(buffer_str(&rig.lines)));
    buffer_init(&rig.lines, &rig.arena);
}

static void says(const char *part)
{
    cr_expect_not_null(memmem(rig.lines.data, rig.lines.size, part, strlen(part)), "%s is not in %.*s", part,
                       STR_ARG(buffer_str(&rig.lines)));
}

static int64_t rules_mark; /* of the last change of rules */

/* Other rules for the next engine. */
static void use_rules_of(const char *text)
{
    struct relance_ruleset *next = rig_rules(&arena, str_of(text));
    cr_assert_not_null(next);
    relance_ruleset_free(rules);
    rules = next;
}

static void use_rules(const char *text)
{
    struct relance_ruleset *next = rig_rules(&arena, str_of(text));
    cr_assert_not_null(next);
    cr_assert_eq(relance_engine_set_rules(rig.engine, next, ++rules_mark), RELANCE_OK);
    relance_ruleset_free(rules);
    rules = next;
    rig.options.rules = next;
}

/* ---- what it asks for */

Test(engine, asks_for_a_customer_it_does_not_hold_and_goes_on_where_it_stopped)
{
    happens("e1", "cart", "c1", START, "k1");
    decided("started c1");
    rig_forget(&rig);
    struct relance_record record = rig_record(&rig, event("e2", "cart", "c1", START + 1, "k2"));
    struct relance_fate fate;
    struct relance_error error;
    for (int again = 0; again < 3; again++) {
        cr_expect_eq(relance_engine_record(rig.engine, &record, &fate), RELANCE_NEEDS);
        cr_expect(str_equal(relance_engine_needed(rig.engine), STR("c1")));
        decided("");
    }
    cr_assert_eq(relance_engine_put(rig.engine, STR("c1"), rig_stored(&rig, STR("c1"))->state, &error),
                 RELANCE_OK);
    cr_expect_eq(relance_engine_record(rig.engine, &record, &fate), RELANCE_DONE);
    cr_expect_eq(fate.kind, RELANCE_EVENT);
    decided("started c1");
}

Test(engine, asks_for_a_customer_whose_wait_has_come)
{
    happens("e1", "cart", "c1", START, "k1");
    happens("e2", "cart", "c2", START, "k1");
    rig_forget(&rig);
    buffer_init(&rig.lines, &rig.arena);
    rig.needed = 0;
    happens("e3", "buy", "c3", START + HOUR + 1, "k9");
    cr_expect_eq(rig.needed, 3u, "two that wait, one that buys");
    decided("sent c1 sent c2");
}

Test(engine, does_nothing_twice_when_it_stops_in_the_middle)
{
    for (int i = 0; i < 50; i++)
        happens(arena_format(&arena, "e%d", i).data, "cart", arena_format(&arena, "c%02d", i).data, START + i,
                "k");
    rig_forget(&rig);
    buffer_init(&rig.lines, &rig.arena);
    rig_tick(&rig, START + 2 * HOUR);
    size_t sent = 0;
    str rest = buffer_str(&rig.lines), line;
    while (suite_line(&rest, &line))
        sent++;
    cr_expect_eq(sent, 50u);
}

Test(engine, names_all_it_will_miss_at_once)
{
    struct relance_engine_size size;
    for (int i = 0; i < 100; i++)
        happens(arena_format(&arena, "e%d", i).data, "cart", arena_format(&arena, "c%02d", i).data, START + i,
                "k");
    rig_forget(&rig);
    size = relance_engine_size(rig.engine);
    cr_expect_eq(size.held, 0u);
    cr_expect_eq(size.customers, 100u);
    cr_expect_eq(size.waits, 100u);
    cr_expect_eq(relance_engine_next_due(rig.engine), START + HOUR);
    rig_tick(&rig, START + HOUR + 50);
    cr_expect_eq(rig.needed, 50u, "exactly those whose time has come");
}

static void count_wanted(void *context, str customer)
{
    cr_expect(customer.size > 0);
    ++*(size_t *)context;
}

static size_t wanted(int64_t before_ms, size_t most)
{
    size_t count = 0;
    cr_expect_eq(relance_engine_missing(rig.engine, before_ms, most, count_wanted, &count), RELANCE_OK);
    return count;
}

Test(engine, wants_those_due_before_an_instant_and_not_at_hand)
{
    for (int i = 0; i < 30; i++)
        happens(arena_format(&arena, "e%d", i).data, "cart", arena_format(&arena, "c%02d", i).data, START + i,
                "k");
    cr_expect_eq(wanted(RELANCE_NEVER, 100), 0u, "all are at hand");
    rig_forget(&rig);
    cr_expect_eq(wanted(START + HOUR + 10, 100), 10u);
    cr_expect_eq(wanted(RELANCE_NEVER, 100), 30u);
}

static void expect_next(void *context, str customer)
{
    size_t *count = context;
    str expected = arena_format(&arena, "c%02zu", *count);
    cr_expect(str_equal(customer, expected), "%.*s stands where %.*s is due", STR_ARG(customer),
              STR_ARG(expected));
    ++*count;
}

Test(engine, wants_the_first_of_those_that_are_due)
{
    for (int i = 0; i < 90; i++) {
        int c = i * 37 % 90; /* in another order */
        happens(arena_format(&arena, "e%d", i).data, "cart", arena_format(&arena, "c%02d", c).data,
                START + c / 4, "k");
    }
    rig_forget(&rig);
    size_t count = 0;
    cr_expect_eq(relance_engine_missing(rig.engine, RELANCE_NEVER, 17, expect_next, &count), RELANCE_OK);
    cr_expect_eq(count, 17u);
    cr_expect_eq(wanted(START + HOUR + 1, 17), 4u, "no more are due by then");
    cr_expect_eq(wanted(START, 17), 0u);
    cr_expect_eq(wanted(RELANCE_NEVER, 0), 0u);
}

Test(engine, ends_so_many_waits_in_their_order)
{
    for (int i = 0; i < 5; i++)
        happens(arena_format(&arena, "e%d", i).data, "cart", arena_format(&arena, "c%d", 4 - i).data, START,
                "k");
    buffer_init(&rig.lines, &rig.arena);
    uint64_t most = 2;
    cr_expect_eq(relance_engine_tick(rig.engine, START + DAY, &most), RELANCE_DONE);
    cr_expect_eq(most, 0u);
    decided("sent c0 sent c1");
    most = 3;
    cr_expect_eq(relance_engine_tick(rig.engine, START + HOUR + 1, &most), RELANCE_DONE);
    cr_expect_eq(most, 0u, "nothing tells that there is no more");
    decided("sent c2 sent c3 sent c4");
    most = 3;
    cr_expect_eq(relance_engine_tick(rig.engine, START + HOUR + 1, &most), RELANCE_DONE);
    cr_expect_eq(most, 3u);
    decided("");
}

/* Nothing of the event is done, and its time has not come, as long as more is due than it may end. */
Test(engine, leaves_an_event_that_would_end_too_much_alone)
{
    for (int i = 0; i < 3; i++)
        happens(arena_format(&arena, "e%d", i).data, "cart", arena_format(&arena, "c%d", i).data, START, "k");
    buffer_init(&rig.lines, &rig.arena);
    struct relance_fate fate;
    struct relance_record record = rig_record(&rig, event("e9", "cart", "c9", START + 2 * HOUR, "k"));
    record.waits_most = 2;
    cr_expect_eq(relance_engine_record(rig.engine, &record, &fate), RELANCE_MUCH);
    cr_expect_eq(relance_engine_much(rig.engine), START + 2 * HOUR);
    cr_expect_eq(relance_engine_clock(rig.engine), START);
    decided("");
    uint64_t most = 1;
    cr_expect_eq(relance_engine_tick(rig.engine, START + 2 * HOUR, &most), RELANCE_DONE);
    cr_expect_eq(relance_engine_record(rig.engine, &record, &fate), RELANCE_DONE, "two are left");
    cr_expect_eq(relance_engine_clock(rig.engine), START + 2 * HOUR);
    decided("sent c0 sent c1 sent c2 started c9");
}

Test(engine, holds_what_was_put_also_that_there_is_nothing)
{
    struct relance_error error;
    rig_restart(&rig);
    cr_expect(!relance_engine_holds(rig.engine, STR("c1")));
    cr_assert_eq(relance_engine_put(rig.engine, STR("c1"), (str){0}, &error), RELANCE_OK);
    cr_expect(relance_engine_holds(rig.engine, STR("c1")));
    happens("e1", "cart", "c1", START, "k");
    cr_expect_eq(rig.needed, 0u);
    decided("started c1");
}

Test(engine, refuses_a_state_that_is_none_and_stays_usable)
{
    struct relance_error error;
    rig_restart(&rig);
    cr_expect_eq(relance_engine_put(rig.engine, STR("c1"), STR("\xc1\xc1"), &error), RELANCE_INVALID);
    cr_expect_not_null(strstr(error.message, "c1"));
    happens("e1", "cart", "c1", START, "k");
    decided("started c1");
}

Test(engine, a_wait_handed_in_too_early_is_looked_up_and_put_back)
{
    happens("e1", "cart", "c1", START, "k");
    rig_restart(&rig);
    cr_assert_eq(relance_engine_put_due(rig.engine, STR("c1"), START + 5), RELANCE_OK);
    decided("started c1");
    rig_tick(&rig, START + 10);
    decided("");
    cr_expect_eq(relance_engine_next_due(rig.engine), START + HOUR);
    rig_tick(&rig, START + HOUR + 1);
    decided("sent c1");
}

/* ---- waits that come in parts */

static void hand_in_waits_before(int64_t before_ms)
{
    for (const struct rig_state *state = rig.store; state; state = state->next)
        if (state->due_ms < before_ms)
            cr_assert_eq(relance_engine_put_due(rig.engine, state->customer, state->due_ms), RELANCE_OK);
    relance_engine_know_waits(rig.engine, before_ms);
}

/* Five customers, each a minute after the one before; another engine, which knows the waits before an instant. */
static void begin_knowing(int64_t before_ms)
{
    for (int i = 0; i < 5; i++)
        happens(arena_format(&arena, "e%d", i).data, "cart", arena_format(&arena, "c%d", i).data,
                START + i * MINUTE, "k");
    buffer_init(&rig.lines, &rig.arena);
    rig_checkpoint(&rig);
    relance_engine_free(rig.engine);
    rig.options.complete = false;
    rig.engine = relance_engine_new(&rig.options);
    cr_assert_not_null(rig.engine);
    hand_in_waits_before(before_ms);
}

Test(engine, asks_for_waits_where_it_does_not_know_what_is_due_next)
{
    begin_knowing(START + HOUR + 2 * MINUTE);
    uint64_t most = 9;
    cr_expect_eq(relance_engine_next_due(rig.engine), START + HOUR);
    rig_tick(&rig, START + HOUR + 2 * MINUTE);
    decided("sent c0 sent c1");
    cr_expect_eq(relance_engine_next_due(rig.engine), START + HOUR + 2 * MINUTE, "perhaps");
    for (int again = 0; again < 3; again++)
        cr_expect_eq(relance_engine_tick(rig.engine, START + DAY, &most), RELANCE_WAITS);
    cr_expect_eq(most, 9u);
    decided("");
    hand_in_waits_before(RELANCE_NEVER);
    rig_tick(&rig, START + DAY);
    decided("sent c2 sent c3 sent c4");
    cr_expect_lt(relance_engine_next_due(rig.engine), relance_engine_waits_known(rig.engine));
}

Test(engine, does_not_begin_an_event_before_which_it_does_not_know_what_is_due)
{
    begin_knowing(START + HOUR + MINUTE);
    struct relance_fate fate;
    struct relance_record record = rig_record(&rig, event("e9", "cart", "c9", START + 2 * HOUR, "k"));
    record.waits_most = 3;
    cr_expect_eq(relance_engine_record(rig.engine, &record, &fate), RELANCE_WAITS);
    decided("");
    hand_in_waits_before(RELANCE_NEVER);
    cr_expect_eq(relance_engine_record(rig.engine, &record, &fate), RELANCE_MUCH, "those that came count");
    decided("");
}

Test(engine, knows_better_than_a_wait_that_is_handed_in_late)
{
    begin_knowing(START + HOUR);
    happens("p3", "buy", "c3", START + 5 * MINUTE, "k");
    decided("cancelled c3");
    cr_expect_eq(relance_engine_next_due(rig.engine), START + HOUR);
    hand_in_waits_before(RELANCE_NEVER);
    rig_tick(&rig, START + DAY);
    decided("sent c0 sent c1 sent c2 sent c4");
}

static void expect_saved(void *context, const struct relance_change *change)
{
    cr_expect_eq(change->due_saved_ms, *(const int64_t *)context);
    cr_expect_eq(change->due_ms, RELANCE_NEVER);
}

Test(engine, a_wait_that_was_not_handed_in_is_the_one_that_the_state_names)
{
    begin_knowing(START + HOUR);
    happens("p3", "buy", "c3", START + 5 * MINUTE, "k");
    int64_t due_ms = rig_stored(&rig, STR("c3"))->due_ms;
    cr_expect_eq(due_ms, START + HOUR + 3 * MINUTE);
    cr_expect_eq(relance_engine_changes(rig.engine, expect_saved, &due_ms), RELANCE_OK);
}

/* ---- changes */

static void count_change(void *context, const struct relance_change *change)
{
    size_t *count = context;
    cr_expect(change->customer.size > 0);
    ++*count;
}

Test(engine, tells_what_changed_until_it_is_saved)
{
    size_t count = 0;
    happens("e1", "cart", "c1", START, "k");
    happens("e2", "cart", "c2", START, "k");
    happens("e3", "buy", "c1", START + 1, "k");
    cr_expect_eq(relance_engine_changed_count(rig.engine), 2u);
    for (int twice = 0; twice < 2; twice++)
        cr_assert_eq(relance_engine_changes(rig.engine, count_change, &count), RELANCE_OK);
    cr_expect_eq(count, 4u);
    relance_engine_saved(rig.engine);
    cr_expect_eq(relance_engine_changed_count(rig.engine), 0u);
    happens("e1", "cart", "c1", START, "k");
    cr_expect_eq(relance_engine_changed_count(rig.engine), 0u, "a duplicate changes nothing");
}

struct seen_changes {
    char customers[64]; /* their ids, one after the other */
    int64_t due_saved_ms;
};

static void note_change(void *context, const struct relance_change *change)
{
    struct seen_changes *seen = context;
    strncat(seen->customers, change->customer.data, change->customer.size);
    seen->due_saved_ms = change->due_saved_ms;
}

static struct seen_changes changes(void)
{
    struct seen_changes seen = {.due_saved_ms = RELANCE_NEVER};
    cr_assert_eq(relance_engine_changes(rig.engine, note_change, &seen), RELANCE_OK);
    return seen;
}

Test(engine, what_changes_while_it_is_being_saved_is_a_matter_of_the_next)
{
    happens("e1", "cart", "c1", START, "k");
    happens("e2", "cart", "c2", START, "k");
    int64_t due = relance_engine_next_due(rig.engine);
    relance_engine_saving(rig.engine);
    cr_expect_eq(relance_engine_changed_count(rig.engine), 0u);
    happens("e3", "cart", "c2", START + 1000, "k2");
    relance_engine_evict(rig.engine, 0);
    cr_expect(relance_engine_holds(rig.engine, STR("c1")), "it is not saved yet");
    relance_engine_saved(rig.engine);
    struct seen_changes seen = changes();
    cr_expect_str_eq(seen.customers, "c2");
    cr_expect_eq(seen.due_saved_ms, due, "as it is in the checkpoint");
    relance_engine_evict(rig.engine, 0);
    cr_expect(!relance_engine_holds(rig.engine, STR("c1")));
    cr_expect(relance_engine_holds(rig.engine, STR("c2")));
}

Test(engine, what_was_not_saved_after_all_has_changed_as_before)
{
    happens("e1", "cart", "c1", START, "k");
    happens("e2", "cart", "c2", START, "k");
    relance_engine_saving(rig.engine);
    happens("e3", "cart", "c2", START + 1000, "k2");
    happens("e4", "cart", "c3", START + 1000, "k");
    for (int round = 0; round < 3; round++)
        while (relance_engine_rest(rig.engine, 1) == RELANCE_REST_MORE) {
        }
    cr_assert_eq(relance_engine_unsaved(rig.engine), RELANCE_OK);
    struct seen_changes seen = changes();
    cr_expect_str_eq(seen.customers, "c1c2c3", "each once, in the order of first change");
    cr_expect_eq(seen.due_saved_ms, RELANCE_NEVER);
    cr_expect_eq(rig.engine->customers.awake.count, 3u, "none of them is at rest");
    cr_assert_eq(relance_engine_unsaved(rig.engine), RELANCE_OK, "nothing is being saved");
    relance_engine_saved(rig.engine);
    cr_expect_eq(relance_engine_changed_count(rig.engine), 0u);
}

Test(engine, gives_up_nothing_that_is_not_saved)
{
    happens("e1", "cart", "c1", START, "k");
    relance_engine_evict(rig.engine, 0);
    cr_expect(relance_engine_holds(rig.engine, STR("c1")));
    relance_engine_saved(rig.engine);
    relance_engine_evict(rig.engine, 0);
    cr_expect(!relance_engine_holds(rig.engine, STR("c1")));
}

Test(engine, gives_up_no_more_than_it_is_asked_to)
{
    for (int i = 0; i < 2000; i++)
        happens(arena_format(&arena, "e%d", i).data, "cart", arena_format(&arena, "c%04d", i).data, START + i,
                "k");
    relance_engine_saved(rig.engine);
    size_t bytes = relance_engine_size(rig.engine).bytes, bound = bytes - bytes / 8;
    relance_engine_evict(rig.engine, bound);
    struct relance_engine_size size = relance_engine_size(rig.engine);
    cr_expect_leq(size.bytes, bound);
    cr_expect_geq(size.bytes, bound - 4096);
    cr_expect_gt(size.held, 500u);
}

static size_t awake(void)
{
    return rig.engine->customers.awake.count;
}

Test(engine, packs_the_states_of_those_whom_nothing_happens_to)
{
    happens("e1", "cart", "c1", START, "k");
    happens("e2", "cart", "c2", START, "k");
    relance_engine_rest(rig.engine, 100);
    relance_engine_rest(rig.engine, 100);
    cr_expect_eq(awake(), 2u, "what is not saved stays as it is");
    relance_engine_saved(rig.engine);
    cr_expect_eq(relance_engine_rest(rig.engine, 1), RELANCE_REST_MORE);
    happens("e3", "cart", "c2", START + 1, "k2");
    relance_engine_saved(rig.engine);
    for (int round = 0; round < 3; round++)
        while (relance_engine_rest(rig.engine, 1) == RELANCE_REST_MORE) {
        }
    cr_expect_eq(awake(), 0u);
    cr_expect_eq(rig.engine->customers.pool.used, 0u);
    cr_expect(relance_engine_holds(rig.engine, STR("c1")));
    happens("e1", "cart", "c1", START, "k");
    cr_expect_eq(relance_engine_changed_count(rig.engine), 0u, "what it knew it knows");
    cr_expect_eq(awake(), 1u);
    relance_engine_evict(rig.engine, 0);
    cr_expect(!relance_engine_holds(rig.engine, STR("c1")));
    cr_expect(!relance_engine_holds(rig.engine, STR("c2")));
    cr_expect_eq(rig.engine->customers.pool.used, 0u);
}

Test(engine, expecting_somebody_changes_nothing)
{
    const str names[] = {STR(""), STR("c1"), STR("c2"), STR("nobody")};
    for (int packed = 0; packed < 2; packed++) {
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            for (int step = RELANCE_EXPECT_PLACE; step <= RELANCE_EXPECT_PARTS; step++)
                relance_engine_expect(rig.engine, relance_engine_place(names[i]), (enum relance_expect)step);
        cr_expect_eq(awake(), 0u);
        if (packed) break;
        happens("e1", "cart", "c1", START, "k");
        happens("e2", "cart", "c2", START, "k");
        relance_engine_saved(rig.engine);
        for (int round = 0; round < 3; round++)
            while (relance_engine_rest(rig.engine, 1) == RELANCE_REST_MORE) {
            }
    }
    cr_expect_eq(relance_engine_size(rig.engine).customers, 2u);
    cr_expect(!relance_engine_is_cold(rig.engine), "two are few");
}

/* The table of customers is one block; this many of them once were more than the pool gave. */
Test(engine, knows_400000_customers)
{
    rig_restart(&rig);
    for (int i = 0; i < 400000; i++) {
        char id[16];
        int size = snprintf(id, sizeof id, "c%d", i);
        cr_assert_eq(relance_engine_put_due(rig.engine, (str){id, (size_t)size}, START + i), RELANCE_OK,
                     "customer %d", i);
    }
    cr_expect_eq(relance_engine_size(rig.engine).waits, 400000u);
    cr_expect(relance_engine_is_cold(rig.engine));
    cr_expect_eq(relance_engine_next_due(rig.engine), START);
}

/* ---- clocks */

Test(engine, has_no_clock_before_the_first_event)
{
    cr_expect_eq(relance_engine_clock(rig.engine), INT64_MIN);
    cr_expect_eq(relance_engine_next_due(rig.engine), RELANCE_NEVER);
    rig_tick(&rig, RELANCE_NEVER);
    happens("e1", "cart", "c1", START, "k");
    cr_expect_eq(relance_engine_clock(rig.engine), START);
    cr_expect_eq(relance_engine_newest(rig.engine), START);
}

Test(engine, the_clock_never_goes_back)
{
    happens("e1", "cart", "c1", START, "k1");
    cr_expect(happens("e2", "cart", "c1", START - HOUR, "k2")->late);
    cr_expect_eq(relance_engine_clock(rig.engine), START);
    cr_expect_eq(relance_engine_newest(rig.engine), START);
}

Test(engine, the_clock_stays_behind_by_the_lateness)
{
    rig_end(&rig);
    rig_start(&rig, rules, HOUR);
    happens("e1", "cart", "c1", START, "k1");
    cr_expect_eq(relance_engine_clock(rig.engine), START - HOUR);
    cr_expect(!happens("e2", "cart", "c1", START - HOUR, "k2")->late);
    cr_expect(happens("e3", "cart", "c1", START - HOUR - 1, "k3")->late);
}

Test(engine, duplicates_and_unknown_types_move_the_clock_and_dead_letters_do_not)
{
    happens("e1", "cart", "c1", START, "k1");
    cr_expect_eq(happens("e1", "cart", "c1", START + 10, "k1")->kind, RELANCE_DUPLICATE);
    cr_expect_eq(relance_engine_clock(rig.engine), START + 10);
    cr_expect_eq(happens("e2", "dance", "c1", START + 20, "k1")->kind, RELANCE_IGNORED);
    cr_expect_eq(relance_engine_clock(rig.engine), START + 20);
    const struct relance_fate *fate =
        rig_event(&rig, STR("{\"type\":\"cart\",\"customer\":\"c1\",\"time\":\"never\"}"));
    cr_expect_eq(fate->kind, RELANCE_DEAD);
    cr_expect(str_equal(fate->reason, STR("time")));
    fate = rig_event(&rig, STR("{\"type\":\"cart\",\"time\":1872445600000}"));
    cr_expect(str_equal(fate->reason, STR("customer")));
    cr_expect_eq(relance_engine_clock(rig.engine), START + 20);
}

Test(engine, a_wait_happens_when_the_clock_has_passed_it_not_at_it)
{
    happens("e1", "cart", "c1", START, "k1");
    happens("e2", "dance", "c2", START + HOUR, "k");
    decided("started c1");
    happens("e3", "dance", "c2", START + HOUR + 1, "k");
    decided("sent c1");
}

Test(engine, a_tick_ends_waits_and_leaves_the_clock)
{
    happens("e1", "cart", "c1", START, "k1");
    rig_tick(&rig, START + HOUR);
    decided("started c1");
    rig_tick(&rig, START + HOUR + 1);
    decided("sent c1");
    cr_expect_eq(relance_engine_clock(rig.engine), START);
}

Test(engine, running_until_an_instant_includes_it_and_moves_the_clock)
{
    happens("e1", "cart", "c1", START, "k1");
    rig_run_until(&rig, START + HOUR);
    decided("started c1 sent c1");
    cr_expect_eq(relance_engine_clock(rig.engine), START + HOUR);
    rig_run_until(&rig, START);
    cr_expect_eq(relance_engine_clock(rig.engine), START + HOUR);
}

/* 10,000 years after an event of the year 9999 no instant can be written any more; nothing happens there. */
Test(engine, time_ends_with_the_year_9999)
{
    happens("e1", "cart", "c1", 253402300799999 - HOUR, "k1");
    rig_run_until(&rig, RELANCE_NEVER - 1);
    says("\"time\":\"9999-12-31T23:59:59.999Z\"");
    decided("started c1 sent c1");
    rig_tick(&rig, RELANCE_NEVER);
    decided("");
}

Test(engine, an_event_without_time_takes_its_records_and_without_both_is_dead)
{
    struct relance_record record =
        rig_record(&rig, STR("{\"type\":\"cart\",\"customer\":\"c1\",\"cart\":\"k\"}"));
    struct relance_fate fate;
    cr_expect_eq(relance_engine_record(rig.engine, &record, &fate), RELANCE_DONE);
    cr_expect_eq(fate.kind, RELANCE_DEAD);
    cr_expect(str_equal(fate.reason, STR("time")));
    record.timestamp_ms = START;
    cr_expect_eq(relance_engine_record(rig.engine, &record, &fate), RELANCE_DONE);
    cr_expect_eq(fate.kind, RELANCE_EVENT);
    says("\"time\":\"2026-03-02T10:00:00.000Z\"");
}

/* ---- the wall clock */

Test(engine, believes_no_event_more_than_15_minutes_ahead_of_the_wall)
{
    relance_engine_set_wall(rig.engine, START);
    cr_expect(!happens("e1", "cart", "c1", START + 15 * 60000, "k1")->future);
    cr_expect_eq(relance_engine_clock(rig.engine), START + 15 * 60000);
    cr_expect(happens("e2", "cart", "c1", START + 15 * 60000 + 1, "k2")->future);
    cr_expect_eq(relance_engine_clock(rig.engine), START + 15 * 60000, "it took the wall's time");
}

Test(engine, an_event_from_the_future_takes_the_earlier_of_its_record_and_the_wall)
{
    relance_engine_set_wall(rig.engine, START);
    struct relance_record record = rig_record(&rig, event("e1", "cart", "c1", START + DAY, "k1"));
    struct relance_fate fate;
    record.timestamp_ms = START - 5000;
    cr_expect_eq(relance_engine_record(rig.engine, &record, &fate), RELANCE_DONE);
    cr_expect(fate.future);
    cr_expect_eq(relance_engine_newest(rig.engine), START - 5000);
    record = rig_record(&rig, event("e2", "cart", "c2", START + DAY, "k1"));
    record.timestamp_ms = START + DAY;
    cr_expect_eq(relance_engine_record(rig.engine, &record, &fate), RELANCE_DONE);
    cr_expect_eq(relance_engine_newest(rig.engine), START);
}

Test(engine, a_send_much_later_than_it_was_due_by_the_wall_is_stale)
{
    happens("e1", "cart", "c1", START, "k1");
    relance_engine_set_wall(rig.engine, START + HOUR + DAY);
    rig_tick(&rig, START + HOUR + 1);
    decided("started c1 sent c1");
    happens("e2", "cart", "c2", START + HOUR, "k1");
    relance_engine_set_wall(rig.engine, START + 2 * HOUR + DAY + 1);
    rig_tick(&rig, START + 2 * HOUR + 1);
    decided("started c2 stale c2");
}

/* ---- single rules of the language that only the seam shows */

Test(engine, an_event_without_id_is_known_by_where_it_stands)
{
    struct relance_record record = rig_record(&rig, event(NULL, "cart", "c1", START, "k1"));
    struct relance_fate fate;
    cr_expect_eq(relance_engine_record(rig.engine, &record, &fate), RELANCE_DONE);
    cr_expect_eq(fate.kind, RELANCE_EVENT);
    cr_expect_eq(relance_engine_record(rig.engine, &record, &fate), RELANCE_DONE);
    cr_expect_eq(fate.kind, RELANCE_DUPLICATE, "the same record again");
    record.offset++;
    cr_expect_eq(relance_engine_record(rig.engine, &record, &fate), RELANCE_DONE);
    cr_expect_eq(fate.kind, RELANCE_EVENT, "the same event at another offset is another");
    cr_expect_eq(happens("shop/0/0", "cart", "c1", START, "k1")->kind, RELANCE_DUPLICATE,
                 "its made-up id is an id like any");
}

Test(engine, the_65th_id_back_is_forgotten_the_64th_is_not)
{
    for (int i = 0; i < 65; i++)
        happens(arena_format(&arena, "e%d", i).data, "cart", "c1", START, "k");
    cr_expect_eq(happens("e1", "cart", "c1", START, "k")->kind, RELANCE_DUPLICATE);
    cr_expect_eq(happens("e0", "cart", "c1", START, "k")->kind, RELANCE_EVENT);
}

/* 64 of each of four types, and one more: the types are equally full but for that of the newcomer's, or not. */
Test(engine, of_257_ids_the_oldest_of_the_type_that_has_most_is_forgotten)
{
    use_rules_of(
        "{\"events\": {\"d\": {}, \"c\": {}, \"b\": {}, \"a\": {}, \"e\": {}},"
        " \"rules\": {\"r\": {\"on\": [\"a\", \"b\", \"c\", \"d\", \"e\"], \"do\": [{\"send\": \"x\"}]}}}");
    rig_end(&rig);
    rig_start(&rig, rules, 0);
    for (int i = 0; i < 256; i++)
        happens(arena_format(&arena, "e%d", i).data, (const char *[]){"d", "c", "b", "a"}[i / 64], "c1",
                START, "");
    happens("e0", "e", "c1", START, "");
    cr_expect_eq(happens("e0", "d", "c1", START, "")->kind, RELANCE_DUPLICATE);
    cr_expect_eq(happens("e193", "a", "c1", START, "")->kind, RELANCE_DUPLICATE);
    cr_expect_eq(happens("e192", "a", "c1", START, "")->kind, RELANCE_EVENT,
                 "`a` comes first by name, `d` by place");
    cr_expect_eq(happens("e193", "a", "c1", START, "")->kind, RELANCE_EVENT,
                 "and does again, with its new one");
    cr_expect_eq(happens("e128", "b", "c1", START, "")->kind, RELANCE_DUPLICATE);
}

static bool has_ids(const char *text)
{
    rig_checkpoint(&rig);
    str state = rig_stored(&rig, STR("c1"))->state;
    size_t size = relance_state_print(rules, STR("c1"), state, NULL, 0);
    char *shown = arena_alloc(&arena, size + 1);
    relance_state_print(rules, STR("c1"), state, shown, size + 1);
    return memmem(shown, size, text, strlen(text)) != NULL;
}

/* They do not count where others have to go, either. */
Test(engine, ids_of_more_than_a_day_ago_go_with_the_next_event)
{
    use_rules_of(
        "{\"events\": {\"a\": {}, \"b\": {}, \"c\": {}, \"d\": {}, \"e\": {}},"
        " \"rules\": {\"r\": {\"on\": [\"a\", \"b\", \"c\", \"d\", \"e\"], \"do\": [{\"send\": \"x\"}]}}}");
    rig_end(&rig);
    rig_start(&rig, rules, 0);
    for (int i = 0; i < 64; i++)
        happens(arena_format(&arena, "a%d", i).data, "a", "c1", START + (i == 63), "");
    happens("e0", "e", "c1", START + DAY, "");
    cr_expect_eq(happens("a0", "a", "c1", START + DAY, "")->kind, RELANCE_DUPLICATE);
    cr_expect(has_ids("\"recent_events\":65"));
    happens("e1", "e", "c1", START + DAY + 1, "");
    cr_expect_eq(happens("a63", "a", "c1", START + DAY + 1, "")->kind, RELANCE_DUPLICATE);
    cr_expect(has_ids("\"recent_events\":3"));
    happens("e2", "e", "c1", START + DAY + 2, "");
    cr_expect_eq(happens("e1", "e", "c1", START + DAY + 2, "")->kind, RELANCE_DUPLICATE);
    cr_expect(has_ids("\"recent_events\":3"));
    for (int i = 0; i < 192; i++)
        happens(arena_format(&arena, "n%d", i).data, (const char *[]){"b", "c", "d"}[i / 64], "c1",
                START + DAY + 2, "");
    cr_expect_eq(happens("n0", "b", "c1", START + DAY + 2, "")->kind, RELANCE_DUPLICATE);
}

Test(engine, forgetting_erases_everything_silently)
{
    happens("e1", "cart", "c1", START, "k1");
    rig_checkpoint(&rig);
    decided("started c1");
    cr_expect_eq(happens("e2", "forget", "c1", START + 1, "")->kind, RELANCE_EVENT);
    rig_checkpoint(&rig);
    cr_expect_eq(rig_stored(&rig, STR("c1"))->state.size, 0u, "an empty state: to be deleted");
    cr_expect_eq(rig_stored(&rig, STR("c1"))->due_ms, RELANCE_NEVER);
    rig_run_until(&rig, START + 10 * DAY);
    decided("");
    cr_expect_eq(happens("e1", "cart", "c1", START + 10 * DAY, "k1")->kind, RELANCE_EVENT,
                 "its ids are forgotten, too");
    rig_run_until(&rig, START + 11 * DAY);
    says("\"carts\":1");
}

Test(engine, forgetting_somebody_unknown_leaves_nothing)
{
    happens("e1", "forget", "nobody", START, "");
    rig_checkpoint(&rig);
    cr_expect_eq(rig_stored(&rig, STR("nobody"))->state.size, 0u);
    decided("");
}

Test(engine, the_257th_run_of_a_customer_finds_no_room)
{
    for (int i = 0; i < 256; i++)
        happens(arena_format(&arena, "e%d", i).data, "cart", "c1", START,
                arena_format(&arena, "k%d", i).data);
    buffer_init(&rig.lines, &rig.arena);
    happens("e256", "cart", "c1", START, "k256");
    decided("full c1");
    happens("e257", "buy", "c1", START, "k7");
    happens("e258", "cart", "c1", START, "k257");
    decided("cancelled c1 started c1");
}

Test(engine, an_engine_of_no_rules_ignores_everything)
{
    use_rules("{}");
    cr_expect_eq(happens("e1", "cart", "c1", START, "k")->kind, RELANCE_IGNORED);
    cr_expect(!rig.fate.declared);
    rig_run_until(&rig, START + DAY);
    decided("");
}

/* ---- changing rules on a live system */

static const char later_rules[] =
    "{\"events\": {\"buy\": {\"cart\": \"string\"}, \"cart\": {\"cart\": \"string\", \"total\": \"double\"}},"
    " \"counts\": {\"buys\": {\"on\": \"buy\"}, \"carts\": {\"on\": \"cart\"}},"
    " \"rules\": {\"also\": {\"on\": \"buy\", \"priority\": 9, \"do\": [{\"after\": \"1h\", \"send\": "
    "\"push\"}]},"
    "            \"cart\": {\"on\": \"cart\", \"key\": \"event.cart\", \"do\": [{\"after\": \"5h\", "
    "\"send\": \"sms\", \"with\": \"${carts()}\"}]}}}";

static const char rules_without_cart[] =
    "{\"events\": {\"cart\": {\"cart\": \"string\"}, \"buy\": {\"cart\": \"string\"}},"
    " \"rules\": {\"thanks\": {\"on\": \"buy\", \"do\": [{\"send\": \"email\"}]}}}";

Test(engine, a_wait_keeps_its_due_time_and_follows_the_rule_as_it_now_stands)
{
    happens("e1", "cart", "c1", START, "k1");
    use_rules(later_rules);
    rig_run_until(&rig, START + HOUR);
    says("\"send\":\"sms\"");
    says("\"with\":1");
    decided("started c1 sent c1 finished c1");
}

Test(engine, a_run_whose_step_is_gone_is_dropped)
{
    happens("e1", "cart", "c1", START, "k1");
    rig_run_until(&rig, START + HOUR);
    decided("started c1 sent c1");
    use_rules(later_rules);
    rig_run_until(&rig, START + 3 * DAY);
    decided("dropped c1");
}

static const char on_a_date[] = "{\"events\": {\"ping\": {}}, \"rules\": {\"r\": {\"on\": {\"date\": "
                                "\"last.ping.time + duration('24h')\"}, \"do\": [{\"send\": \"a\"}]}}}";
static const char on_an_event[] = "{\"events\": {\"ping\": {}}, \"rules\": {\"r\": {\"on\": \"ping\", "
                                  "\"do\": [{\"send\": \"b\"}]}}}";

Test(engine, a_rule_that_has_no_date_any_more_does_not_come_when_it_would_have)
{
    use_rules(on_a_date);
    happens("e1", "ping", "c1", START, "k");
    decided("");
    use_rules(on_an_event);
    rig_run_until(&rig, START + 2 * DAY);
    decided("");
    happens("e2", "ping", "c1", START + 3 * DAY, "k");
    decided("started c1 sent c1 finished c1");
}

/* Each keeps something of its own kind in the state, under one name. */
static const char *const forms_of_a_rule[] = {
    "\"on\": \"cart\", \"key\": \"event.cart\", \"again\": \"rearm\", \"do\": [{\"after\": \"1h\", \"send\": "
    "\"a\"}, "
    "{\"after\": \"${duration('2h')}\", \"send\": \"b\"}]",
    "\"on\": \"cart\", \"key\": \"event.cart\", \"again\": \"rearm\", \"cancel\": \"buy\", \"cooldown\": "
    "{\"for\": "
    "\"ever\", \"per\": \"key\"}, \"do\": [{\"after\": \"1h\", \"send\": \"a\"}, {\"after\": \"1h\", "
    "\"send\": \"b\"}]",
    "\"on\": \"cart\", \"again\": \"collect\", \"do\": [{\"after\": \"3h\", \"send\": \"a\", \"with\": "
    "\"${triggers.map(t, t.cart)}\"}]",
    "\"on\": [\"cart\", \"buy\"], \"again\": \"restart\", \"split\": {\"a\": 1, \"holdout\": 1}, \"goal\": "
    "{\"on\": \"buy\", "
    "\"within\": \"1d\"}, \"do\": [{\"send\": \"a\"}, {\"after\": \"1d\", \"at\": \"mon 09:00\", \"send\": "
    "\"b\"}]",
    "\"on\": \"cart\", \"do\": [{\"wait\": \"buy\", \"within\": \"2h\"}, {\"after\": \"1h\", \"send\": "
    "\"a\", \"with\": "
    "\"${run.answered ? answer.cart : run.outcome}\"}]",
    "\"on\": \"enter busy\", \"do\": [{\"after\": \"1h\", \"send\": \"a\"}]",
    "\"on\": {\"date\": \"last.cart.time + duration('72h')\"}, \"do\": [{\"before\": \"71h\", \"send\": "
    "\"a\"}, "
    "{\"before\": \"2h\", \"send\": \"b\"}]",
    "\"on\": {\"yearly\": \"string(last.cart.time).substring(0, 10)\"}, \"do\": [{\"before\": \"364d\", "
    "\"at\": \"20:00\", "
    "\"send\": \"a\"}, {\"at\": \"09:00\", \"send\": \"b\"}]",
};

static const char *form_of_a_rule(size_t form)
{
    return arena_format(&arena,
                        "{\"events\": {\"cart\": {\"cart\": \"string\"}, \"buy\": {\"cart\": \"string\"}},"
                        " \"counts\": {\"carts\": {\"on\": \"cart\", \"over\": \"1h\"}},"
                        " \"segments\": {\"busy\": \"carts() > 1\"}, \"rules\": {\"r\": {%s}}}",
                        forms_of_a_rule[form])
        .data;
}

static void live_a_day(int64_t from_ms)
{
    for (int hour = 0; hour < 24; hour++) {
        const char *cart = hour % 2 ? "k1" : "k2";
        happens(NULL, hour % 5 == 4 ? "buy" : "cart", "c1", from_ms + hour * HOUR / 2, cart);
        if (hour % 7 == 0) happens(NULL, "cart", "c1", from_ms + hour * HOUR / 2 + 1, cart);
    }
}

Test(engine, any_rule_may_become_any_other)
{
    enum { FORMS = sizeof forms_of_a_rule / sizeof *forms_of_a_rule };
    int64_t from_ms = START;
    for (size_t pair = 0; pair < FORMS * FORMS; pair++) {
        use_rules(form_of_a_rule(pair / FORMS));
        live_a_day(from_ms);
        use_rules(form_of_a_rule(pair % FORMS));
        rig_forget(&rig);
        live_a_day(from_ms += DAY);
        rig_run_until(&rig, from_ms += DAY);
    }
    says("\"outcome\":\"dropped\"");
}

/* A run whose second step waits for an hour or for another event, its first having got one. */
static const char then_after[] =
    "{\"events\": {\"ping\": {\"cart\": \"string\"}, \"look\": {\"cart\": \"string\"}},"
    " \"rules\": {\"r\": {\"on\": \"ping\", \"do\": [{\"wait\": \"look\", \"within\": \"1h\"},"
    "   {\"after\": \"1h\", \"send\": \"a\"}, {\"send\": \"b\", \"with\": \"${run.answered}\"}]}}}";
static const char then_wait[] =
    "{\"events\": {\"ping\": {\"cart\": \"string\"}, \"look\": {\"cart\": \"string\"}},"
    " \"rules\": {\"r\": {\"on\": \"ping\", \"do\": [{\"wait\": \"look\", \"within\": \"1h\"},"
    "   {\"wait\": \"look\", \"within\": \"1h\"}, {\"send\": \"b\", \"with\": "
    "\"${run.answered ? answer.cart : 'none'}\"}]}}}";

static void become_a_wait(const char *customer)
{
    use_rules(then_after);
    happens(NULL, "ping", customer, START, "k1");
    happens(NULL, "look", customer, START + 1, "k2");
    use_rules(then_wait);
}

Test(engine, a_step_that_has_become_a_wait_does_not_take_the_answer_before_for_its_own)
{
    become_a_wait("c1");
    rig_run_until(&rig, START + DAY);
    says("\"with\":\"none\"");
    decided("started c1 answered c1 unanswered c1 sent c1 finished c1");
}

Test(engine, a_step_that_has_become_a_wait_may_be_answered_and_gives_the_answer_before_back)
{
    size_t before = 0;
    for (int again = 0; again < 2; again++) {
        become_a_wait("c1");
        happens(NULL, "look", "c1", START + 2, "k3");
        says("\"with\":\"k3\"");
        decided("started c1 answered c1 answered c1 sent c1 finished c1");
        happens(NULL, "forget", "c1", START + 3, "k");
        size_t used = relance_engine_size(rig.engine).bytes;
        cr_expect(!again || used == before, "%zu bytes, %zu before", used, before);
        before = used;
    }
}

/* Everything that a state keeps under a name: a declaration that has gone and come back is another one. */
static const char keeps_all[] =
    "{\"customer\": {\"tz\": {\"type\": \"string\", \"on\": \"ping\", \"value\": \"'Europe/Paris'\"}},"
    " \"events\": {\"ping\": {}, \"look\": {}}, \"counts\": {\"pings\": {\"on\": \"ping\"}},"
    " \"rules\": {\"wait\": {\"on\": \"ping\", \"do\": [{\"after\": \"30d\", \"send\": \"a\"}]},"
    "   \"tell\": {\"on\": \"look\", \"cooldown\": \"1d\", \"do\": [{\"send\": \"b\", \"with\": "
    "     [\"${pings()}\", \"${has(last.ping.time)}\", \"${customer.tz}\"]}]}}}";
static const char keeps_none[] =
    "{\"events\": {\"ping\": {}, \"look\": {}},"
    " \"rules\": {\"other\": {\"on\": \"look\", \"do\": [{\"after\": \"1d\", \"send\": \"x\"}]}}}";

static void meet_again(bool at_hand)
{
    use_rules(keeps_all);
    happens("e2", "ping", "c1", START + 1, "k");
    happens("e3", "ping", "c1", START + 2, "k");
    happens("e4", "look", "c1", START + 3, "k");
    says("[2,true,\"Europe/Paris\"]");
    decided("started c1 started c1 sent c1 finished c1");
    if (!at_hand) rig_forget(&rig);
    use_rules(keeps_none);
    use_rules(keeps_all);
    happens("e5", "look", "c1", START + 4, "k"); /* no cooldown either */
    says("[0,false,\"UTC\"]");
    decided("dropped c1 started c1 sent c1 finished c1");
    rig_run_until(&rig, START + 40 * DAY);
    decided("");
}

Test(engine, a_declaration_that_went_and_came_back_is_empty_for_a_customer_at_hand)
{
    meet_again(true);
}

Test(engine, a_declaration_that_went_and_came_back_is_empty_for_one_that_has_to_be_fetched)
{
    meet_again(false);
}

Test(engine, a_run_whose_rule_is_gone_is_dropped_at_the_next_touch)
{
    happens("e1", "cart", "c1", START, "k1");
    use_rules(rules_without_cart);
    decided("started c1");
    happens("e2", "buy", "c1", START + 1, "k1");
    decided("dropped c1 started c1 sent c1 finished c1");
    rig_run_until(&rig, START + 3 * DAY);
    decided("");
}

/* Hot and cold alike: what a change of rules does to a customer does not depend on whether its state was at
 * hand. */
static const char hot_and_cold_rules[] =
    "{\"events\": {\"cart\": {\"cart\": \"string\"}, \"buy\": {\"cart\": \"string\"}},"
    " \"counts\": {\"carts\": {\"on\": \"cart\", \"over\": \"30m\"}},"
    " \"segments\": {\"busy\": \"carts() > 0\"},"
    " \"rules\": {\"calm\": {\"on\": \"leave busy\", \"do\": [{\"send\": \"push\"}]}}}";

static const char hot_and_cold_before[] =
    "{\"events\": {\"cart\": {\"cart\": \"string\"}, \"buy\": {\"cart\": \"string\"}},"
    " \"counts\": {\"carts\": {\"on\": \"cart\", \"over\": \"30m\"}},"
    " \"rules\": {\"cart\": {\"on\": \"cart\", \"key\": \"event.cart\", \"do\": [{\"after\": \"10m\", "
    "\"send\": \"email\"}, {\"after\": \"1d\", \"send\": \"email\"}]}}}";

static str after_new_rules(const char *before, const char *after, void (*disturb)(struct rig *rig))
{
    teardown();
    setup();
    use_rules(before);
    happens("e1", "cart", "c1", START, "k1");
    happens("e2", "cart", "c2", START + 1, "k1");
    if (disturb) disturb(&rig);
    use_rules(after);
    if (disturb) disturb(&rig);
    happens("e3", "buy", "c2", START + 5 * 60000, "k1");
    if (disturb) disturb(&rig);
    rig_run_until(&rig, START + 3 * DAY);
    if (disturb) disturb(&rig);
    happens("e4", "buy", "c1", START + 4 * DAY, "k1");
    return buffer_str(&rig.lines);
}

Test(engine, new_rules_reach_customers_at_hand_and_not_at_hand_alike)
{
    static const char *const changes[][2] = {{cart_rules, later_rules},
                                             {cart_rules, rules_without_cart},
                                             {hot_and_cold_before, hot_and_cold_rules},
                                             {cart_rules, hot_and_cold_rules},
                                             {hot_and_cold_before, cart_rules},
                                             {later_rules, cart_rules}};
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        str lines = after_new_rules(changes[i][0], changes[i][1], NULL);
        char *hot = strndup(lines.data ? lines.data : "", lines.size);
        static void (*const disturbances[])(struct rig * rig) = {rig_forget, rig_restart};
        for (size_t d = 0; d < 2; d++) {
            str cold = after_new_rules(changes[i][0], changes[i][1], disturbances[d]);
            cr_expect(str_equal(cold, str_of(hot)), "change %zu, disturbance %zu\nhot:\n%scold:\n%.*s", i, d,
                      hot, STR_ARG(cold));
        }
        free(hot);
    }
}

Test(engine, counts_that_are_new_start_empty_and_those_that_stay_stay)
{
    happens("e1", "cart", "c1", START, "k1");
    happens("e2", "buy", "c1", START, "k9");
    use_rules(later_rules);
    happens("e3", "cart", "c1", START, "k2");
    rig_run_until(&rig, START + 5 * HOUR);
    says("\"with\":2");
}

/* A count that becomes a sum, and back: once a state that no engine could read. */
Test(engine, a_count_may_become_a_sum)
{
    happens("e1", "cart", "c1", START, "k1");
    use_rules("{\"events\": {\"cart\": {\"cart\": \"string\"}}, \"counts\": {\"carts\": {\"on\": \"cart\", "
              "\"sum\": \"2.5\"}},"
              " \"rules\": {\"cart\": {\"on\": \"cart\", \"do\": [{\"send\": \"email\", \"with\": "
              "\"${carts()}\"}]}}}");
    happens("e2", "cart", "c1", START, "k1");
    says("\"with\":2.5");
    use_rules(later_rules);
    happens("e3", "cart", "c1", START, "k3");
    cr_expect_eq(relance_engine_error(rig.engine).size, 0u);
}

Test(engine, stays_usable_after_a_hundred_changes_of_rules)
{
    for (int i = 0; i < 100; i++) {
        happens(arena_format(&arena, "e%d", i).data, "cart", "c1", START + i,
                arena_format(&arena, "k%d", i % 10).data);
        use_rules(i % 2 ? cart_rules : later_rules);
    }
    rig_run_until(&rig, START + HOUR);
    cr_expect_eq(relance_engine_error(rig.engine).size, 0u);
    cr_expect_gt(rig.lines.size, 0u);
}

/* Quiet hours on the last evening of the year 9999 end in a year that cannot be written. */
/* As long as a duration can be, in everything that waits, from the last year on. */
static const char longest[] =
    "{\"events\": {\"cart\": {\"cart\": \"duration\"}, \"buy\": {\"cart\": \"string\"}},"
    " \"limits\": [{\"max\": \"1 per 3652500d\", \"else\": \"defer\"}],"
    " \"rules\": {"
    "  \"after\": {\"on\": \"cart\", \"cooldown\": \"3652500d\","
    "    \"goal\": {\"on\": \"buy\", \"within\": \"3652500d\"},"
    "    \"do\": [{\"send\": \"a\"}, {\"after\": \"${trigger.cart}\", \"send\": \"b\"}]},"
    "  \"at\": {\"on\": \"cart\", \"do\": [{\"after\": \"3652500d\", \"at\": \"mon 12:00\", \"send\": "
    "\"a\"}]},"
    "  \"defer\": {\"on\": \"cart\", \"do\": [{\"send\": \"a\"}]},"
    "  \"date\": {\"on\": {\"date\": \"timestamp('0001-01-01T00:00:00Z')\"},"
    "    \"do\": [{\"before\": \"3652500d\", \"send\": \"a\"}]},"
    "  \"wait\": {\"on\": \"cart\", \"do\": [{\"wait\": \"buy\", \"within\": \"3652500d\"}]}}}";

Test(engine, the_longest_durations_make_states_that_can_be_read_again)
{
    int64_t end_ms = 253402300799000; /* 9999-12-31T23:59:59Z */
    use_rules(longest);
    happens("e1", "cart", "c1", end_ms - DAY, "3652500d");
    rig_forget(&rig);
    happens("e2", "buy", "c1", end_ms, "k");
    decided(
        "started c1 sent c1 started c1 started c1 deferred c1 started c1 goal c1 answered c1 finished c1");
}

Test(engine, a_wait_beyond_the_year_9999_is_told_as_its_end)
{
    use_rules("{\"events\": {\"cart\": {}}, \"limits\": [{\"quiet\": \"21:00-08:00\"}],"
              " \"rules\": {\"cart\": {\"on\": \"cart\", \"do\": [{\"send\": \"email\"}]}}}");
    happens("e1", "cart", "c1", 253402300799999 - HOUR, "k");
    says("\"until\":\"9999-12-31T23:59:59.999Z\"");
    decided("started c1 deferred c1");
    rig_run_until(&rig, RELANCE_NEVER);
    decided("");
    char text[24];
    relance_time_print(INT64_MIN, text);
    cr_expect_arr_eq(text, "0001-01-01T00:00:00.000Z", 24);
}

/* ---- showing a state */

Test(engine, shows_a_state_as_JSON_that_fits_or_is_cut)
{
    happens("e1", "cart", "c1", START, "k1");
    rig_checkpoint(&rig);
    str state = rig_stored(&rig, STR("c1"))->state;
    size_t wanted = relance_state_print(rules, STR("c1"), state, NULL, 0);
    cr_assert_gt(wanted, 100u);
    char *text = arena_alloc(&arena, wanted);
    cr_expect_eq(relance_state_print(rules, STR("c1"), state, text, wanted), wanted);
    cr_expect_not_null(memmem(text, wanted, "\"due\":\"2026-03-02T11:00:00.000Z\"", 32));
    char cut[10];
    cr_expect_eq(relance_state_print(rules, STR("c1"), state, cut, sizeof cut), wanted);
    cr_expect_arr_eq(cut, text, sizeof cut);
    cr_expect_eq(relance_state_print(rules, STR("c1"), STR("\xc1"), text, wanted), 0u);
}

static str shown(const char *customer)
{
    rig_checkpoint(&rig);
    str state = rig_stored(&rig, str_of(customer))->state;
    size_t wanted = relance_state_print(rules, str_of(customer), state, NULL, 0);
    char *text = arena_alloc(&arena, wanted);
    relance_state_print(rules, str_of(customer), state, text, wanted);
    return (str){text, wanted};
}

static void shows(const char *customer, const char *part)
{
    str text = shown(customer);
    cr_expect_not_null(memmem(text.data, text.size, part, strlen(part)), "%s in\n%.*s", part, STR_ARG(text));
}

Test(engine, shows_what_a_run_waits_for_and_until_when_what_it_has_sent_and_what_has_answered)
{
    use_rules("{\"events\": {\"cart\": {}, \"buy\": {\"cart\": \"string\"}, \"call\": {}}, \"customer\": "
              "{\"n\": \"int\"},"
              " \"rules\": {\"r\": {\"on\": \"cart\", \"cooldown\": {\"for\": \"ever\"}, \"do\": [{\"send\": "
              "\"email\"},"
              " {\"wait\": {\"on\": [\"buy\", \"call\"]}, \"within\": \"1h\"}, {\"after\": \"2h\", \"set\": "
              "{\"n\": 1}}]}}}");
    happens("e1", "cart", "c1", START, "k1");
    shows("c1",
          "\"step\":2,\"of\":3,\"wait\":\"buy or call\",\"due\":\"2026-03-02T11:00:00.000Z\",\"sent\":1,");
    shows("c1", "\"cooldowns\":[{\"rule\":\"r\",\"sent\":\"2026-03-02T10:00:00.000Z\"}]");
    happens("e2", "buy", "c1", START + 1, "k1");
    shows("c1", "\"step\":3,\"of\":3,\"due\":\"2026-03-02T12:00:00.001Z\",\"sent\":1,");
    shows("c1", "\"answer\":{\"id\":\"e2\",\"type\":\"buy\",");
}

/* ---- a recovery that was not exact */

struct asked {
    char ids[8][33];
    size_t count, said; /* of them: the first so many have been published */
};

static bool was_said(void *context, str id)
{
    struct asked *asked = context;
    snprintf(asked->ids[asked->count], sizeof asked->ids[0], "%.*s", STR_ARG(id));
    return asked->count++ < asked->said;
}

Test(engine, a_step_that_was_said_before_a_recovery_is_performed_and_is_no_news)
{
    struct asked asked = {.said = 1};
    happens("e1", "cart", "c1", START, "k");
    cr_assert_eq(relance_engine_recall(rig.engine, was_said, &asked), RELANCE_OK);
    cr_expect_eq(asked.count, 2u, "both steps are to come");
    rig_restart(&rig);
    decided("started c1");
    rig_tick(&rig, START + HOUR + 1);
    says(asked.ids[0]);
    decided("sent c1");
    cr_expect_eq(rig.output, 0u, "that the first step has been said outlives the process");
    rig_tick(&rig, START + DAY + HOUR + 1);
    says(asked.ids[1]);
    decided("sent c1 finished c1");
    cr_expect_eq(rig.output, 1u);
}

Test(engine, what_comes_before_a_step_that_was_said_was_said_too)
{
    struct asked asked = {0};
    happens("e1", "cart", "c1", START, "k");
    cr_assert_eq(relance_engine_recall(rig.engine, was_said, &asked), RELANCE_OK);
    cr_expect_eq(relance_engine_changed_count(rig.engine), 1u);
    asked = (struct asked){.said = 2};
    cr_assert_eq(relance_engine_recall(rig.engine, was_said, &asked), RELANCE_OK);
    rig_tick(&rig, START + 2 * DAY);
    decided("started c1 sent c1 sent c1 finished c1");
    cr_expect_eq(rig.output, 0u);
    happens("e2", "cart", "c1", START + 2 * DAY, "k");
    rig_tick(&rig, START + 3 * DAY);
    decided("started c1 sent c1");
    cr_expect_eq(rig.output, 1u, "a new run is news");
}

/* ---- a stop */

static atomic_int stop;

static void start_with_stop(const char *text)
{
    rig_end(&rig);
    use_rules_of(text);
    stop = 0;
    rig_start_as(&rig, (struct relance_engine_options){.rules = rules, .stop = &stop, .errors = true});
}

Test(engine, decides_nothing_once_it_is_stopped)
{
    start_with_stop("{\"events\": {\"cart\": {\"cart\": \"string\"}}, \"rules\": {\"r\": {\"on\": \"cart\","
                    " \"if\": \"lists.range(100000).all(i, string(i) != event.cart) || true\", \"do\": "
                    "[{\"send\": \"email\"}]}}}");
    struct relance_fate fate;
    struct relance_record record = rig_record(&rig, event("e1", "cart", "c1", START, "k1"));
    cr_expect_eq(relance_engine_record(rig.engine, &record, &fate), RELANCE_DONE);
    decided("started c1 sent c1 finished c1");
    stop = 1;
    record = rig_record(&rig, event("e2", "cart", "c1", START, "k1"));
    cr_expect_eq(relance_engine_record(rig.engine, &record, &fate), RELANCE_STOPPED);
    decided("");
    stop = 0;
    cr_expect_eq(relance_engine_record(rig.engine, &record, &fate), RELANCE_STOPPED, "it stays so");
    cr_expect_eq(relance_engine_changes(rig.engine, rig_store_change, &rig), RELANCE_INVALID);
    cr_expect(str_equal(relance_engine_error(rig.engine), STR("stopped")));
}

Test(engine, hears_the_stop_between_two_waits)
{
    start_with_stop(cart_rules);
    happens("e1", "cart", "c1", START, "k1");
    decided("started c1");
    stop = 1;
    uint64_t most = UINT64_MAX;
    cr_expect_eq(relance_engine_tick(rig.engine, START + DAY, &most), RELANCE_STOPPED);
    decided("");
}

/* ---- a payload */

/* {"text":"…"} around so many letters. */
Test(engine, sends_a_payload_as_large_as_the_bound_and_not_one_byte_more)
{
    use_rules("{\"events\": {\"cart\": {\"cart\": \"string\"}}, \"rules\": {\"r\": {\"on\": \"cart\","
              " \"do\": [{\"send\": \"email\", \"with\": {\"text\": \"${trigger.cart}\"}}]}}}");
    enum { AROUND = sizeof "{\"text\":\"\"}" - 1, MOST = LIMIT_ACTION_BYTES - AROUND };
    char *text = arena_alloc(&arena, MOST + 2);
    memset(text, 'x', MOST + 1);
    text[MOST + 1] = '\0';
    happens("e1", "cart", "c1", START, text + 1);
    decided("started c1 sent c1 finished c1");
    happens("e2", "cart", "c2", START, text);
    says("the payload has more than 524288 bytes, the most that are sent");
    decided("started c2 failed c2 finished c2");
}

/* A value that is shared 2 to the 30 times is written as often, until the payload is full. */
Test(engine, ends_a_payload_that_would_never_end)
{
    struct buffer text;
    buffer_init(&text, &arena);
    buffer_put_str(
        &text,
        STR("{\"events\": {\"cart\": {\"cart\": \"string\"}}, \"rules\": {\"r\": {\"on\": \"cart\", \"do\": "
            "[{\"send\": \"email\", \"with\": {\"x\": \"${cel.bind(v0, [trigger.cart, trigger.cart], "));
    for (int i = 1; i < 30; i++)
        buffer_put_format(&text, "cel.bind(v%d, [v%d, v%d], ", i, i - 1, i - 1);
    buffer_put_str(&text, STR("v29"));
    for (int i = 0; i < 30; i++)
        buffer_put_char(&text, ')');
    buffer_put_str(&text, STR("}\"}}]}}}"));
    buffer_put_char(&text, '\0');
    use_rules(text.data);
    happens("e1", "cart", "c1", START, "k1");
    says("the payload has more than 524288 bytes, the most that are sent");
}

/* So many rules, each with a run a cart. */
static str many_rules(int count)
{
    struct buffer text;
    buffer_init(&text, &arena);
    buffer_put_str(&text, STR("{\"events\": {\"cart\": {\"cart\": \"string\"}, \"buy\": {\"cart\": "
                              "\"string\"}}, \"rules\": {"));
    for (int i = 0; i < count; i++)
        buffer_put_format(
            &text,
            "%s\"r%03d\": {\"on\": \"cart\", \"key\": \"event.cart\", \"cancel\": [{\"on\": \"buy\", "
            "\"key\": \"event.cart\"}], \"do\": [{\"after\": \"1h\", \"send\": \"email\"}]}",
            i ? "," : "", i);
    buffer_put_str(&text, STR("}}"));
    return buffer_str(&text);
}

/* That many, and each is found. */
static void has_runs(uint32_t count)
{
    const struct state *state = customers_find(&rig.engine->customers, STR("c1"))->state;
    cr_expect_eq(state->runs.count, count);
    for (uint32_t i = 0; i < state->runs.count; i++) {
        struct run *run = VECTOR_AT(state->runs, struct run, i);
        cr_expect_eq(run_find(state, run->rule, bytes_str(run->key)), run);
        cr_expect_null(run_find(state, run->rule, STR("k")));
    }
}

/* More than there are stretches of rules whose ends are known, up to several rules a stretch. */
Test(engine, finds_each_run_of_many_rules)
{
    static const int counts[] = {1, 31, 32, 33, 64, 65, 80};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        uint32_t count = (uint32_t)counts[i];
        struct relance_ruleset *many = rig_rules(&arena, many_rules(counts[i]));
        cr_assert_not_null(many);
        rig_end(&rig);
        rig_start(&rig, many, 0);
        for (int cart = 1; cart <= 3; cart++)
            happens(arena_format(&arena, "e%d", cart).data, "cart", "c1", START + cart,
                    arena_format(&arena, "k%d", cart).data);
        has_runs(3 * count);
        happens("e4", "buy", "c1", START + 4, "k2");
        has_runs(2 * count);
        rig_forget(&rig);
        happens("e5", "cart", "c1", START + 5, "k0");
        has_runs(3 * count);
        rig_tick(&rig, START + HOUR + 2);
        has_runs(2 * count);
        rig_end(&rig);
        relance_ruleset_free(many);
        rig_start(&rig, rules, 0);
    }
}
