/* Visitors who become customers, through the seam of the engine: whom it asks for, what a merge keeps, and that nothing
 * depends on which states are at hand. What each sentence of the manual means is in tests/golden/semantics/visitor.test. */
#include "base/limits.h"
#include "base/murmur2.h"
#include "rig.h"

#include <criterion/criterion.h>

#define MINUTE 60000LL
#define HOUR   3600000LL
#define START  1772445600000LL /* 2026-03-02T10:00:00Z */

/* A bit of everything that a state can hold. */
static const char whole_rules[] =
    "{'events': {'cart': {'cart': 'string', 'n': 'int'}, 'buy': {'cart': 'string', 'n': 'int'}, 'see': {'n': "
    "'int'}},"
    " 'customer': {'birthday': 'string', 'name': 'string', 'tz': 'string',"
    "   'first': {'type': 'int', 'on': 'see', 'value': 'event.n', 'keep': 'first'},"
    "   'newest': {'type': 'int', 'on': ['see', 'cart'], 'value': 'event.n'}},"
    " 'counts': {'carts': {'on': 'cart'}, 'of': {'on': 'cart', 'by': 'event.cart', 'over': '1d'},"
    "   'sum': {'on': 'see', 'sum': 'event.n'}, 'most': {'on': 'see', 'sum': 'event.n', 'keep': 'max'},"
    "   'least': {'on': 'see', 'sum': 'event.n', 'keep': 'min', 'over': '2h'},"
    "   'latest': {'on': ['see', 'buy'], 'by': 'event.type', 'sum': 'event.n', 'keep': 'last'}},"
    " 'segments': {'loyal': 'carts() >= 5', 'buyer': 'has(last.buy)'},"
    " 'limits': [{'max': '3 per day'}],"
    " 'rules': {"
    "  'ignores': {'on': 'cart', 'key': 'event.cart', 'do': "
    "[{'after': '7m', 'send': 'x'}, {'after': '3m', 'send': 'x'}]},"
    "  'rearms': {'on': 'cart', 'key': 'event.cart', 'again': 'rearm', 'do': [{'after': '9m', 'send': 'x', "
    "'with': {'n': '${triggers.map(t, t.n)}'}}]},"
    "  'rearms_late': {'on': 'cart', 'again': 'rearm', 'do': [{'after': '11m', 'send': 'x', "
    "'with': {'n': '${trigger.n}'}}]},"
    "  'restarts': {'on': 'see', 'again': 'restart', 'do': [{'wait': 'buy', 'within': '6m'}, {'after': '5m', "
    "'send': 'x'}]},"
    "  'collects': {'on': ['cart', 'see'], 'again': 'collect', 'do': [{'after': '13m', 'send': 'x', 'with': "
    "{'n': '${triggers.map(t, t.n)}'}}]},"
    "  'pushes': {'on': 'cart', 'key': 'event.cart', 'visitors': true, 'cooldown': {'for': '20m', 'per': "
    "'key'},"
    "     'split': {'a': 1, 'b': 1, 'holdout': 1}, 'do': [{'after': '2m', 'send': 'push'}, {'wait': 'see', "
    "'within': '4m'}, {'send': 'push'}],"
    "     'goal': {'on': 'buy', 'within': '1h', 'key': 'event.cart', 'value': 'event.n'}},"
    "  'cancelled': {'on': 'cart', 'key': 'event.cart + customer.id', 'again': 'rearm', 'cancel': 'buy', "
    "'do': [{'after': '30m', 'send': 'x'}]},"
    "  'enters': {'on': 'enter loyal', 'do': [{'after': '1m', 'send': 'x'}]},"
    "  'buys': {'on': 'enter buyer', 'visitors': true, 'do': [{'after': '1m', 'send': 'x'}]},"
    "  'yearly': {'on': {'yearly': 'customer.birthday'}, 'do': [{'before': '1d', 'send': 'x'}]}}}";

static struct arena arena;
static struct relance_ruleset *rules;

static void setup(void)
{
    arena_init(&arena, 0);
    char *text = strdup(whole_rules);
    for (char *c = text; *c; c++)
        if (*c == '\'') *c = '"';
    rules = rig_rules(&arena, str_of(text));
    free(text);
    cr_assert_not_null(rules);
}

static void teardown(void)
{
    relance_ruleset_free(rules);
    arena_free(&arena);
}

TestSuite(link, .init = setup, .fini = teardown, .timeout = 60);

static struct relance_engine_options with_rules(size_t state_bytes)
{
    return (struct relance_engine_options){
        .rules = rules, .state_bytes = state_bytes, .forget_visitors_after_ms = 2 * HOUR};
}

/* ---- random histories */

static uint64_t random_state;
/* One for all who are to be merged: each that is seen on the way is a date of its own. */
static int birthday = 5;

static uint64_t draw(uint64_t below)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (random_state >> 33) % below;
}

static str ids(const char *customer, const char *visitor)
{
    str c = customer ? arena_format(&arena, ",\"customer\":\"%s\"", customer) : STR("");
    str v = visitor ? arena_format(&arena, ",\"visitor\":\"%s\"", visitor) : STR("");
    return arena_format(&arena, "%.*s%.*s", STR_ARG(c), STR_ARG(v));
}

/* An event without a meaning: it links, if it names both. */
static str login(const char *id, const char *customer, const char *visitor, int64_t time_ms)
{
    return arena_format(&arena, "{\"id\":\"%s\",\"type\":\"login\",\"time\":%lld%.*s}", id,
                        (long long)time_ms, STR_ARG(ids(customer, visitor)));
}

static str forget(const char *customer, const char *visitor, int64_t time_ms)
{
    return arena_format(&arena, "{\"type\":\"forget\",\"time\":%lld%.*s}", (long long)time_ms,
                        STR_ARG(ids(customer, visitor)));
}

/* Something that somebody does, with an id made of its time. */
static str deed(const char *customer, const char *visitor, int64_t time_ms)
{
    static const char *const types[] = {"cart", "cart", "cart", "see", "see", "buy", "identify"};
    const char *type = types[draw(sizeof types / sizeof *types)];
    str who = ids(customer, visitor);
    str head = arena_format(&arena, "{\"id\":\"d%lld\",\"type\":\"%s\",\"time\":%lld%.*s", (long long)time_ms,
                            type, (long long)time_ms, STR_ARG(who));
    if (*type != 'i')
        return arena_format(&arena, "%.*s,\"cart\":\"k%d\",\"n\":%d}", STR_ARG(head), (int)draw(4),
                            (int)draw(9));
    return arena_format(&arena, "%.*s,\"name\":\"n%d\",\"birthday\":\"03-%02d\"}", STR_ARG(head),
                        (int)draw(9), birthday);
}

static str state_of(struct rig *rig, str name)
{
    rig_checkpoint(rig);
    const struct rig_state *state = rig_stored(rig, name);
    return state ? state->state : (str){0};
}

/* ---- what a merge keeps */

Test(link, with_a_visitor_of_whom_nothing_is_known_changes_nothing)
{
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct rig rig;
        random_state = seed;
        rig_start_as(&rig, with_rules(0));
        int64_t now = START;
        for (int i = 0; i < 30; i++)
            rig_event(&rig, deed("c", NULL, now += 1 + (int64_t)draw(2 * MINUTE)));
        str before = state_of(&rig, STR("c"));
        size_t lines = rig.lines.size;
        rig_event(&rig, login("l", "c", "v", now));
        cr_assert_eq(relance_engine_links(rig.engine)->taken, 1);
        rig_event(&rig, forget(NULL, "v", now)); /* the link, too */
        cr_expect(str_equal(state_of(&rig, STR("c")), before), "seed %llu", (unsigned long long)seed);
        cr_expect_eq(rig.lines.size, lines);
        rig_end(&rig);
    }
}

/* The histories of a customer and of two visitors, mixed, then both links at one instant. Runs that a cancel of another one
 * may end have keys of their own here: of two that have become one nobody can say any more which of them a third one's
 * cancel would have ended. */
static str merged_state(struct rig *rig, uint64_t seed, const char *first, const char *second)
{
    random_state = seed;
    int64_t now = START;
    rig_start_as(rig, with_rules(0));
    for (int i = 0; i < 40; i++) {
        uint64_t who = draw(3);
        now += 1 + (int64_t)draw(MINUTE);
        rig_event(rig, deed(who ? NULL : "c", who == 1 ? "v1" : who == 2 ? "v2" : NULL, now));
    }
    now += MINUTE;
    rig_event(rig, login("l", "c", first, now));
    rig_event(rig, login("l", "c", second, now));
    rig_event(rig, forget(NULL, "v1", now));
    rig_event(rig, forget(NULL, "v2", now));
    return state_of(rig, STR("c"));
}

Test(link, with_two_visitors_gives_the_same_in_either_order)
{
    for (uint64_t seed = 1; seed <= 400; seed++) {
        struct rig one, other;
        str a = merged_state(&one, seed, "v1", "v2"), b = merged_state(&other, seed, "v2", "v1");
        char shown[16384], with[16384];
        size_t size = relance_state_print(rules, STR("c"), a, shown, sizeof shown);
        size_t other_size = relance_state_print(rules, STR("c"), b, with, sizeof with);
        cr_expect(a.size && b.size);
        cr_assert(str_equal(a, b), "seed %llu\n%.*s\n%.*s", (unsigned long long)seed, (int)size, shown,
                  (int)other_size, with);
        rig_end(&one);
        rig_end(&other);
    }
}

/* ---- nothing depends on what is at hand */

/* People, devices, logins, and now and then somebody who is forgotten. */
static str anything(int64_t *now)
{
    static const char *const people[] = {"a", "b", "c"}, *const devices[] = {"v1", "v2", "v3"};
    const char *who = draw(2) ? people[draw(3)] : NULL,
               *device = !who || draw(3) == 0 ? devices[draw(3)] : NULL;
    *now += 1 + (int64_t)draw(3 * MINUTE);
    if (draw(60) == 0) *now += 3 * HOUR;
    if (draw(40) == 0) return forget(who, who ? NULL : device, *now);
    return deed(who, device, *now);
}

static str lines_of(struct rig *rig, uint64_t seed, size_t state_bytes, bool forgetful)
{
    random_state = seed;
    int64_t now = START;
    rig_start_as(rig, with_rules(state_bytes));
    for (int i = 0; i < 150; i++) {
        rig_event(rig, anything(&now));
        if (forgetful) rig_restart(rig);
    }
    rig_run_until(rig, now + HOUR);
    return buffer_str(&rig->lines);
}

Test(link, decides_the_same_whichever_states_are_at_hand)
{
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct rig one, other;
        size_t state_bytes = seed % 3 ? 0 : 1024 + seed * 16;
        str a = lines_of(&one, seed, state_bytes, false), b = lines_of(&other, seed, state_bytes, true);
        cr_expect_gt(relance_engine_links(one.engine)->taken, 0);
        cr_expect_gt(other.needed, 100);
        cr_assert(str_equal(a, b), "seed %llu\n%.*s\n---\n%.*s", (unsigned long long)seed, STR_ARG(a),
                  STR_ARG(b));
        rig_end(&one);
        rig_end(&other);
    }
}

/* ---- whom it asks for */

static void expect_needs(struct rig *rig, const struct relance_record *record, str name)
{
    struct relance_fate fate;
    for (int again = 0; again < 3; again++) {
        cr_expect_eq(relance_engine_record(rig->engine, record, &fate), RELANCE_NEEDS);
        cr_expect(str_equal(relance_engine_needed(rig->engine), name), "%.*s",
                  STR_ARG(relance_engine_needed(rig->engine)));
        cr_expect_eq(rig->lines.size, 0);
    }
    rig_fetch(rig);
}

Test(link, asks_for_the_customer_the_visitor_and_whose_it_was_before_anything_happens)
{
    struct rig rig;
    struct relance_fate fate;
    random_state = 1;
    rig_start_as(&rig, with_rules(0));
    rig_event(&rig, login("l1", "a", "v", START));
    rig_restart(&rig);
    struct relance_record record = rig_record(&rig, login("l2", "b", "v", START + 1));
    expect_needs(&rig, &record, STR("b"));
    expect_needs(&rig, &record, STR("\xffv"));
    expect_needs(&rig, &record, STR("a"));
    cr_expect_eq(relance_engine_record(rig.engine, &record, &fate), RELANCE_DONE);
    cr_expect_eq(relance_engine_links(rig.engine)->taken, 1);
    cr_expect_eq(relance_engine_links(rig.engine)->dropped, 1);
    rig_restart(&rig);
    record = rig_record(&rig, deed(NULL, "v", START + 2));
    expect_needs(&rig, &record, STR("\xffv"));
    expect_needs(&rig, &record, STR("b"));
    cr_expect_eq(relance_engine_record(rig.engine, &record, &fate), RELANCE_DONE);
    rig_end(&rig);
}

Test(link, of_a_visitor_that_is_known_asks_for_the_customer_alone)
{
    struct rig rig;
    struct relance_fate fate;
    rig_start_as(&rig, with_rules(0));
    rig_event(&rig, login("l1", "a", "v", START));
    rig_restart(&rig);
    struct relance_record record = rig_record(&rig, login("l2", "a", "v", START + 1));
    expect_needs(&rig, &record, STR("a"));
    cr_expect_eq(relance_engine_record(rig.engine, &record, &fate), RELANCE_DONE);
    cr_expect_eq(relance_engine_links(rig.engine)->taken, 0);
    rig_end(&rig);
}

/* ---- partitions */

static bool only_v1(void *context, struct relance_str customer, struct relance_str visitor)
{
    (void)context;
    return str_equal(customer, STR("a")) && str_equal(visitor, STR("v1"));
}

Test(link, of_those_who_live_elsewhere_is_asked_for_there)
{
    struct rig rig;
    struct relance_engine_options options = with_rules(0);
    options.lives_here = only_v1;
    rig_start_as(&rig, options);
    rig_event(&rig, login("l1", "a", "v1", START));
    rig_event(&rig, login("l2", "a", "v2", START));
    cr_expect_eq(relance_engine_links(rig.engine)->taken, 1);
    cr_expect_eq(relance_engine_links(rig.engine)->open, 1);
    cr_expect_eq(state_of(&rig, STR("\xffv2")).size, 0);
    rig_end(&rig);
}

/* What the engines of two partitions have said, and nobody has heard yet. */
static struct said {
    int32_t partition;
    str value;
} said[32];
static size_t said_count;

static void take_down(void *context, const struct relance_link_record *record)
{
    (void)context;
    cr_assert_lt(said_count, sizeof said / sizeof *said);
    said[said_count].partition = record->partition;
    cr_assert(arena_copy_str(&arena, record->value, &said[said_count++].value));
}

static bool nobody(void *context, struct relance_str customer, struct relance_str visitor)
{
    (void)context, (void)customer, (void)visitor;
    return false;
}

static void start_partition(struct rig *rig, int32_t number)
{
    struct relance_engine_options options = with_rules(0);
    options.lives_here = nobody;
    options.say = take_down;
    options.partition = number;
    options.partitions = 2;
    rig_start_as(rig, options);
}

/* Each record is heard by the engine that it is for; how many there were. */
static size_t pass_on(struct rig *rigs)
{
    size_t count = 0;
    for (; count < said_count; count++)
        cr_expect_eq(relance_engine_hear(rigs[said[count].partition].engine, said[count].value),
                     RELANCE_DONE);
    said_count = 0;
    return count;
}

/* Of those of that form, one whose id lies in that partition. */
static const char *name_in(const char *form, uint32_t partition)
{
    for (int n = 0;; n++) {
        str name = arena_format(&arena, form, n);
        if ((murmur2(name) & INT32_MAX) % 2 == partition) return name.data;
    }
}

Test(link, across_partitions_brings_the_cart_and_what_comes_later)
{
    struct rig rigs[2];
    const char *customer = name_in("a%d", 0), *visitor = name_in("v%d", 1);
    start_partition(&rigs[0], 0);
    start_partition(&rigs[1], 1);
    rig_event(&rigs[1], deed(NULL, visitor, START));
    rig_event(&rigs[0], login("l1", customer, visitor, START + MINUTE));
    cr_expect_eq(pass_on(rigs), 2, "take, state");
    cr_expect_eq(relance_engine_links(rigs[0].engine)->taken, 1);
    cr_expect_eq(relance_engine_links(rigs[0].engine)->open, 1);
    rig_event(&rigs[0], login("l2", customer, visitor, START + 2 * MINUTE));
    rig_event(&rigs[1], deed(NULL, visitor, START + 3 * MINUTE));
    cr_expect_eq(pass_on(rigs), 1, "event");
    cr_expect_eq(relance_engine_links(rigs[1].engine)->forwarded, 1);
    rig_event(&rigs[0], forget(customer, NULL, START + 4 * MINUTE));
    cr_expect_eq(pass_on(rigs), 1, "leave");
    rig_event(&rigs[1], deed(NULL, visitor, START + 5 * MINUTE));
    cr_expect_eq(said_count, 0, "a visitor again");
    rig_end(&rigs[0]);
    rig_end(&rigs[1]);
}

Test(link, across_partitions_of_a_ninth_customer_is_none)
{
    struct rig rigs[2];
    const char *visitor = name_in("v%d", 1);
    start_partition(&rigs[0], 0);
    start_partition(&rigs[1], 1);
    for (int n = 0; n < 9; n++) {
        str customer = arena_format(&arena, "%s-%d", name_in("a%d", 0), n);
        rig_event(&rigs[0], login(customer.data, customer.data, visitor, START + n));
        pass_on(rigs);
    }
    cr_expect_eq(relance_engine_links(rigs[1].engine)->shared, 1);
    rig_event(&rigs[1], deed(NULL, visitor, START + MINUTE));
    cr_expect_eq(said_count, 0, "it keeps what it does");
    rig_end(&rigs[0]);
    rig_end(&rigs[1]);
}

Test(link, records_that_are_cut_short_or_somebody_elses_mean_nothing)
{
    struct rig rigs[2];
    const char *customer = name_in("a%d", 0), *visitor = name_in("v%d", 1);
    start_partition(&rigs[0], 0);
    start_partition(&rigs[1], 1);
    rig_event(&rigs[0], login("l1", customer, visitor, START));
    str take = said[0].value;
    said_count = 0;
    for (size_t size = 0; size < take.size; size++)
        cr_expect_eq(relance_engine_hear(rigs[1].engine, (str){take.data, size}), RELANCE_DONE);
    static const char *const others[] = {"{}", "\x94\xa4live\xa1v\xa1\x61\xa1x", "\xc0"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        cr_expect_eq(relance_engine_hear(rigs[1].engine, str_of(others[i])), RELANCE_DONE);
    cr_expect_eq(said_count, 0);
    cr_expect_eq(relance_engine_changed_count(rigs[1].engine), 0);
    rig_end(&rigs[0]);
    rig_end(&rigs[1]);
}

/* ---- names */

Test(link, a_name_of_257_bytes_is_that_of_a_visitor_of_256)
{
    char id[LIMIT_ID_BYTES + 1], name[RELANCE_VISITOR_NAME_BYTES];
    struct rig rig;
    memset(id, 'v', sizeof id);
    id[LIMIT_ID_BYTES] = '\0';
    rig_start_as(&rig, with_rules(0));
    rig_event(&rig, deed(NULL, id, START));
    size_t size = relance_visitor_name(str_of(id), name);
    cr_expect_eq(size, sizeof name);
    cr_expect_gt(state_of(&rig, (str){name, size}).size, 0);
    rig_end(&rig);
}
