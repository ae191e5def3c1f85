/* The bound of a customer's state: what goes, in which order, at exactly which size, and always the same. */
#include "rig.h"
#include "sanitized.h"

#include "base/limits.h"
#include "rule/run/engine_internal.h"
#include "state/pack.h"

#include <criterion/criterion.h>
#include <sys/resource.h>

#define START  1772445600000LL /* 2026-03-02T10:00:00Z */
#define MINUTE 60000LL

enum { MARK_BYTES = 11 }; /* of a saved state that has a mark: counted always */

/* Everything that a state can hold. */
static const char all_rules[] =
    "{\"events\": {\"view\": {\"product\": \"string\", \"note\": \"string\"},"
    "   \"cart\": {\"cart\": \"string\", \"note\": \"string\"}, \"hint\": {\"text\": \"string\"},"
    "   \"buy\": {\"cart\": \"string\", \"total\": \"double\"}, \"away\": {\"carts\": \"list(string)\"},"
    "   \"ask\": {\"cart\": \"string\", \"note\": \"string\"}, \"reply\": {\"cart\": \"string\", \"note\": "
    "\"string\"}},"
    " \"customer\": {\"name\": \"string\", \"about\": \"string\", \"birthday\": \"string\","
    "   \"seen\": {\"type\": \"string\", \"on\": \"view\", \"value\": \"event.note\"}},"
    " \"counts\": {\"views\": {\"on\": \"view\", \"by\": \"event.product\", \"over\": \"30d\"},"
    "   \"ever\": {\"on\": \"view\", \"by\": \"event.product\"}, \"orders\": {\"on\": \"buy\", \"over\": "
    "\"90d\"},"
    "   \"spend\": {\"on\": \"buy\", \"sum\": \"event.total\"},"
    "   \"asks\": {\"on\": \"ask\", \"over\": \"3h\"},"
    "   \"length\": {\"on\": \"ask\", \"sum\": \"double(size(event.note))\", \"keep\": \"last\", \"over\": "
    "\"30d\"}},"
    " \"lists\": {\"viewed\": {\"on\": \"view\", \"by\": \"event.product\"}},"
    " \"segments\": {\"loyal\": \"orders() >= 2\", \"busy\": \"asks() >= 3 && !segments.loyal\"},"
    " \"limits\": [{\"max\": \"3 per 1d\"}],"
    " \"rules\": {"
    "  \"cart\": {\"on\": \"cart\", \"key\": \"event.cart\", \"again\": \"rearm\","
    "    \"cancel\": [{\"on\": \"buy\", \"key\": \"event.cart\"}, {\"on\": \"away\", \"key\": "
    "\"event.carts\"}],"
    "    \"do\": [{\"after\": \"1h\", \"send\": \"email\", \"with\": {\"notes\": \"${triggers.map(t, "
    "t.note)}\"}}],"
    "    \"goal\": {\"on\": \"buy\", \"within\": \"7d\"}, \"cooldown\": \"1m\"},"
    "  \"loyal\": {\"on\": \"enter loyal\", \"do\": [{\"send\": \"push\"}]},"
    "  \"busy\": {\"on\": \"enter busy\", \"do\": [{\"send\": \"push\"}]},"
    "  \"idle\": {\"on\": \"leave busy\", \"do\": [{\"send\": \"push\"}]},"
    "  \"birthday\": {\"on\": {\"yearly\": \"customer.birthday\"}, \"do\": [{\"send\": \"email\"}]},"
    "  \"soon\": {\"on\": {\"date\": \"last.ask.time + duration('5h')\"},"
    "    \"do\": [{\"before\": \"3h\", \"send\": \"x\"}, {\"before\": \"10m\", \"send\": \"x\"}]},"
    "  \"talk\": {\"on\": \"ask\", \"key\": \"event.cart\", \"again\": \"restart\", \"cancel\": \"away\","
    "    \"cooldown\": {\"for\": \"3h\", \"per\": \"key\"},"
    "    \"do\": [{\"wait\": {\"on\": \"reply\", \"key\": \"event.cart\"}, \"within\": \"1h\"},"
    "      {\"after\": \"30m\", \"send\": \"x\", \"with\": \"${run.answered ? answer.note : "
    "string(length().orValue(0.0))}\","
    "       \"set\": {\"name\": \"${run.action}\"}}]},"
    "  \"read\": {\"on\": \"view\", \"if\": \"has(last.hint) && views(event.product) > 1\","
    "    \"do\": [{\"after\": \"2h\", \"send\": \"x\", \"with\": {\"about\": \"${customer.about}\", "
    "\"hint\": "
    "\"${last.hint.text}\"}}]}}}";

static struct arena arena;
static struct relance_ruleset *rules;
static struct rig rig;
static int64_t now_ms;

static void setup(void)
{
    arena_init(&arena, 0);
    now_ms = START;
}

static void teardown(void)
{
    rig_end(&rig);
    relance_ruleset_free(rules);
    arena_free(&arena);
}

TestSuite(bound, .init = setup, .fini = teardown, .timeout = 120);

static void start(const char *text, size_t state_bytes)
{
    rules = rig_rules(&arena, str_of(text));
    cr_assert_not_null(rules);
    rig_start_as(&rig,
                 (struct relance_engine_options){.rules = rules, .state_bytes = state_bytes, .errors = true});
}

/* An event a minute; `fields` as in JSON. */
static void happens(const char *type, const char *fields)
{
    rig_event(&rig, arena_format(&arena, "{\"type\":\"%s\",\"customer\":\"c\",\"time\":%lld%s%s}", type,
                                 (long long)now_ms, *fields ? "," : "", fields));
    now_ms += MINUTE;
}

static char *letters(size_t size)
{
    char *text = arena_alloc(&arena, size + 1);
    memset(text, 'x', size);
    text[size] = 0;
    return text;
}

static const struct state *state_of(const char *customer)
{
    struct customer *found = customers_find(&rig.engine->customers, str_of(customer));
    cr_assert(found && found->state, "%s has a state", customer);
    return found->state;
}

static uint64_t forgot(enum relance_forgot_kind kind)
{
    return relance_engine_forgot(rig.engine)->of[kind];
}

static void says(const char *part)
{
    cr_expect_not_null(memmem(rig.lines.data, rig.lines.size, part, strlen(part)), "%s is not in %.*s", part,
                       STR_ARG(buffer_str(&rig.lines)));
}

/* ---- at the limit, and one byte beyond it */

/* What happens to one customer, the last of it being what is a byte too much. */
typedef void story(void);

static size_t size_of_story(const char *text, story *tell, size_t state_bytes)
{
    start(text, state_bytes);
    tell();
    size_t size = state_size(state_of("c"), &rules->names);
    return size;
}

/* At its size nothing goes, a byte below one of its kind does. */
static void one_goes(const char *text, story *tell, enum relance_forgot_kind kind)
{
    size_t size = size_of_story(text, tell, LIMIT_STATE_BYTES_MAX);
    cr_assert_eq(relance_engine_forgot(rig.engine)->total, 0u);
    teardown(), setup();
    cr_expect_eq(size_of_story(text, tell, size), size);
    cr_expect_eq(relance_engine_forgot(rig.engine)->total, 0u, "a state of just the limit stays whole");
    teardown(), setup();
    cr_expect_leq(size_of_story(text, tell, size - 1), size - 1);
    cr_expect_eq(relance_engine_forgot(rig.engine)->total, 1u, "one is enough");
    cr_expect_eq(forgot(kind), 1u, "of the kind whose turn it is");
}

static void three_triggers(void)
{
    happens("view", "\"product\":\"p\"");
    happens("cart", "\"cart\":\"k\",\"note\":\"the first\"");
    happens("cart", "\"cart\":\"k\",\"note\":\"the second, which is newer\"");
    happens("cart", "\"cart\":\"k\",\"note\":\"the third, which is the newest\"");
}

Test(bound, the_oldest_trigger_goes_first)
{
    one_goes(all_rules, three_triggers, RELANCE_FORGOT_STATE_TRIGGERS);
    const struct run *run = state_of("c")->runs.items;
    cr_assert_eq(run->triggers.count, 2u);
    cr_expect_not_null(memmem((*VECTOR_AT(run->triggers, struct kept_event *, 0))->data, 90, "second", 6));
}

static void two_runs_and_values(void)
{
    happens("cart", "\"cart\":\"k1\",\"note\":\"the only one of its run\"");
    happens("cart", "\"cart\":\"k2\",\"note\":\"the only one of its run\"");
    happens("view", "\"product\":\"older\"");
    happens("view", "\"product\":\"newer\"");
}

Test(bound, then_the_value_of_by_that_was_updated_longest_ago)
{
    one_goes(all_rules, two_runs_and_values, RELANCE_FORGOT_STATE_BY);
    cr_assert_eq(state_of("c")->counts.count, 3u);
    cr_expect(
        str_equal(bytes_str(VECTOR_AT(state_of("c")->counts, struct count_value, 0)->by), STR("newer")));
}

static void values_of_two_counts(void)
{
    happens("b", "\"x\":\"1\"");
    happens("a", "\"x\":\"1\"");
    happens("b", "\"x\":\"2\"");
    happens("b", "\"x\":\"1\"");
}

static const char two_counts[] =
    "{\"events\": {\"a\": {\"x\": \"string\"}, \"b\": {\"x\": \"string\"}},"
    " \"counts\": {\"ca\": {\"on\": \"a\", \"by\": \"event.x\"}, \"cb\": {\"on\": \"b\", \"by\": "
    "\"event.x\", "
    "\"over\": \"1d\"}},"
    " \"rules\": {\"r\": {\"on\": \"a\", \"if\": \"ca('1') + cb('1') > 9\", \"do\": [{\"send\": \"x\"}]}}}";

Test(bound, values_of_by_have_an_age_across_counts)
{
    one_goes(two_counts, values_of_two_counts, RELANCE_FORGOT_STATE_BY);
    VECTOR_EACH (state_of("c")->counts, struct count_value, value)
        cr_expect_eq(value->count, 1u, "that of `ca` was updated before both of `cb`");
}

static void runs_alone(void)
{
    happens("cart", "\"cart\":\"k2\",\"note\":\"started first\"");
    happens("cart", "\"cart\":\"k1\",\"note\":\"started last\"");
}

Test(bound, then_the_oldest_run_which_is_told_of)
{
    one_goes(all_rules, runs_alone, RELANCE_FORGOT_STATE_RUNS);
    says("\"rule\":\"cart\",\"key\":\"k2\",\"outcome\":\"dropped\",\"why\":\"state\"}");
    cr_assert_eq(state_of("c")->runs.count, 1u);
    cr_expect_eq(state_of("c")->due_ms, START + 61 * MINUTE, "of the run that has stayed");
}

static const char goals_alone[] =
    "{\"events\": {\"go\": {\"k\": \"string\"}, \"buy\": {}},"
    " \"rules\": {\"r\": {\"on\": \"go\", \"key\": \"event.k\", \"do\": [{\"send\": \"x\"}],"
    "   \"goal\": {\"on\": \"buy\", \"within\": \"7d\"}}}}";

static void two_windows(void)
{
    happens("go", "\"k\":\"the first\"");
    happens("go", "\"k\":\"the second\"");
}

Test(bound, then_the_oldest_goal_window)
{
    one_goes(goals_alone, two_windows, RELANCE_FORGOT_STATE_GOALS);
    cr_assert_eq(state_of("c")->goals.count, 1u);
    cr_expect(
        str_equal(bytes_str(VECTOR_AT(state_of("c")->goals, struct goal_window, 0)->key), STR("the second")));
}

static const char lasts_and_attributes[] =
    "{\"events\": {\"a\": {\"x\": \"string\"}, \"b\": {\"x\": \"string\"}},"
    " \"customer\": {\"n\": \"string\", \"m\": \"string\"},"
    " \"rules\": {\"r\": {\"on\": \"a\", \"if\": \"last.a.x == last.b.x\", \"do\": [{\"send\": \"x\"}]}}}";

static void two_lasts(void)
{
    happens("identify", "\"n\":\"older than both\",\"m\":\"m\"");
    happens("b", "\"x\":\"older\"");
    happens("a", "\"x\":\"newer\"");
}

Test(bound, then_the_oldest_event_of_last)
{
    one_goes(lasts_and_attributes, two_lasts, RELANCE_FORGOT_STATE_LAST);
    cr_assert_eq(state_of("c")->lasts.count, 1u);
    cr_expect_eq(VECTOR_AT(state_of("c")->lasts, struct last_event, 0)->type, 0u);
}

static void two_attributes(void)
{
    happens("identify", "\"m\":\"written first\"");
    happens("identify", "\"n\":\"written last\"");
}

Test(bound, then_the_attribute_that_was_written_longest_ago)
{
    one_goes(lasts_and_attributes, two_attributes, RELANCE_FORGOT_STATE_ATTRIBUTES);
    cr_assert_eq(state_of("c")->attributes.count, 1u);
    cr_expect_eq(VECTOR_AT(state_of("c")->attributes, struct attribute, 0)->number, 0u, "n");
}

static const char counts_alone[] =
    "{\"events\": {\"a\": {}, \"b\": {}}, \"counts\": {\"ca\": {\"on\": \"a\", \"over\": \"1d\"}, \"cb\": "
    "{\"on\": "
    "\"b\", \"over\": \"1d\"}},"
    " \"rules\": {\"r\": {\"on\": \"a\", \"if\": \"ca() + cb() > 9\", \"do\": [{\"send\": \"x\"}]}}}";

static void two_plain_counts(void)
{
    happens("b", "");
    now_ms += 60 * MINUTE; /* into another bucket */
    happens("a", "");
}

Test(bound, then_the_count_that_has_had_no_event_for_longest)
{
    one_goes(counts_alone, two_plain_counts, RELANCE_FORGOT_STATE_COUNTS);
    cr_assert_eq(state_of("c")->counts.count, 1u);
    cr_expect_eq(VECTOR_AT(state_of("c")->counts, struct count_value, 0)->count, 0u);
}

static const char lists_alone[] = "{\"events\": {\"a\": {\"x\": \"string\"}},"
                                  " \"lists\": {\"all\": {\"on\": \"a\", \"by\": \"event.x\"}, \"few\": "
                                  "{\"on\": \"a\", \"if\": \"event.x != 'two'\", "
                                  "\"by\": \"event.x\"}},"
                                  " \"rules\": {\"r\": {\"on\": \"a\", \"if\": \"all() == few()\", \"do\": "
                                  "[{\"send\": \"x\"}], \"cooldown\": "
                                  "\"1d\"}}}";

static void three_of_lists(void)
{
    happens("a", "\"x\":\"two\"");
    happens("a", "\"x\":\"one\"");
}

Test(bound, then_the_entry_of_a_list_that_came_longest_ago)
{
    one_goes(lists_alone, three_of_lists, RELANCE_FORGOT_STATE_LISTS);
    cr_assert_eq(state_of("c")->lists.count, 2u);
    cr_expect_eq(VECTOR_AT(state_of("c")->lists, struct list_entry, 0)->list, 0u);
    cr_expect(str_equal(bytes_str(VECTOR_AT(state_of("c")->lists, struct list_entry, 0)->text), STR("one")));
}

static const char cancels_alone[] =
    "{\"events\": {\"go\": {\"k\": \"string\"}, \"stop\": {\"k\": \"list(string)\"}},"
    " \"rules\": {\"r\": {\"on\": \"go\", \"key\": \"event.k\", \"cancel\": [{\"on\": \"stop\", \"key\": "
    "\"event.k\"}], \"do\": [{\"send\": \"x\"}]}}}";

static void two_cancels(void)
{
    happens("stop", "\"k\":[\"k1\",\"k2\"]");
    happens("stop", "\"k\":[\"k3\"]");
}

Test(bound, then_the_oldest_remembered_cancel)
{
    one_goes(cancels_alone, two_cancels, RELANCE_FORGOT_STATE_CANCELS);
    cr_assert_eq(state_of("c")->overtakers.count, 1u);
}

static const char two_cancel[] =
    "{\"events\": {\"go\": {}, \"stop\": {}, \"halt\": {}},"
    " \"rules\": {\"r\": {\"on\": \"go\", \"if\": \"false\", \"cancel\": [\"stop\", \"halt\"], "
    "\"do\": [{\"send\": \"x\"}]}}}";

static void two_cancels_long_ago(void)
{
    happens("stop", "");
    happens("halt", "");
    now_ms += 120 * MINUTE;
    for (int i = 0; i < 10; i++)
        happens("go", "");
}

Test(bound, then_the_type_of_those_remembered_no_more_that_came_last_longest_ago)
{
    one_goes(two_cancel, two_cancels_long_ago, RELANCE_FORGOT_STATE_CANCELS);
    cr_expect_eq(state_of("c")->overtakers.count, 0u);
    cr_assert_eq(state_of("c")->past_overtakers.count, 1u);
    cr_expect_eq(VECTOR_AT(state_of("c")->past_overtakers, struct past_overtaker, 0)->time_ms,
                 START + MINUTE);
}

/* Whatever a state holds, nothing of it is so dear that it could not go. */
Test(bound, a_limit_that_holds_nothing_is_kept_too)
{
    start(all_rules, 640);
    happens("identify", "\"name\":\"n\",\"birthday\":\"1990-06-01\",\"about\":\"a\"");
    for (int i = 0; i < 40; i++) {
        char fields[128];
        snprintf(fields, sizeof fields, "\"product\":\"%d\",\"cart\":\"%d\",\"total\":1.5,\"note\":\"%s\"", i,
                 i, letters(60));
        happens("view", fields), happens("cart", fields), happens("hint", "\"text\":\"t\"");
        if (i % 5 == 0) happens("buy", fields);
        now_ms += 40 * MINUTE;
        cr_assert_leq(state_size(state_of("c"), &rules->names), 640u);
    }
    for (enum relance_forgot_kind kind = RELANCE_FORGOT_STATE_BY; kind <= RELANCE_FORGOT_STATE_CANCELS;
         kind++)
        if (kind != RELANCE_FORGOT_STATE_GOALS)
            cr_expect_gt(forgot(kind), 0u, "%.*s", STR_ARG(relance_forgot_name(kind)));
    cr_expect_gt(forgot(RELANCE_FORGOT_STATE_IDS), 0u);
}

Test(bound, what_a_customer_has_lost_is_counted_in_its_state)
{
    size_t size = size_of_story(all_rules, runs_alone, LIMIT_STATE_BYTES_MAX);
    teardown(), setup();
    size_of_story(all_rules, runs_alone, size - 1);
    const struct vector *forgotten = &state_of("c")->forgotten;
    cr_assert_eq(forgotten->count, 1u);
    cr_expect_eq(VECTOR_AT(*forgotten, struct forgotten, 0)->kind, (uint32_t)RELANCE_FORGOT_STATE_RUNS);
    cr_expect_eq(VECTOR_AT(*forgotten, struct forgotten, 0)->count, 1);
}

/* ---- single things that are too large */

static void key_of(size_t size, const char *type)
{
    happens(type,
            arena_format(&arena, "\"cart\":\"%s\",\"product\":\"%s\"", letters(size), letters(size)).data);
}

Test(bound, a_key_of_1024_bytes_is_taken_a_longer_one_is_an_error_of_its_rule)
{
    start(all_rules, 0);
    key_of(LIMIT_KEY_BYTES, "cart");
    cr_expect_eq(state_of("c")->runs.count, 1u);
    key_of(LIMIT_KEY_BYTES + 1, "cart");
    cr_expect_eq(state_of("c")->runs.count, 1u);
    says("\"rule\":\"cart\",\"outcome\":\"error\",\"why\":\"a key or a value of 'by' has 1025 bytes; at most "
         "1024 are "
         "taken\"");
}

Test(bound, a_value_of_by_likewise)
{
    start(all_rules, 0);
    key_of(LIMIT_KEY_BYTES, "view");
    cr_expect_eq(state_of("c")->counts.count, 2u);
    key_of(LIMIT_KEY_BYTES + 1, "view");
    cr_expect_eq(state_of("c")->counts.count, 2u);
    says("\"outcome\":\"error\",\"why\":\"a key or a value of 'by' has 1025 bytes");
}

static void away_with(size_t keys)
{
    struct buffer text;
    buffer_init(&text, &arena);
    buffer_put_str(&text, STR("\"carts\":["));
    for (size_t i = 0; i < keys; i++)
        buffer_put_format(&text, "%s\"%zu\"", i ? "," : "", i);
    buffer_put(&text, "]", 2);
    happens("away", text.data);
}

Test(bound, a_list_of_1024_keys_is_taken_a_longer_one_is_an_error)
{
    start(all_rules, LIMIT_STATE_BYTES_MAX);
    away_with(LIMIT_KEYS);
    cr_expect_null(memmem(rig.lines.data, rig.lines.size, "keys", 4));
    away_with(LIMIT_KEYS + 1);
    says("\"outcome\":\"error\",\"why\":\"a list of 1025 keys; at most 1024 are taken\"");
}

/* Packed, the text has five bytes before it. */
static void about_of(size_t size)
{
    happens("identify", arena_format(&arena, "\"about\":\"%s\"", letters(size)).data);
}

Test(bound, an_attribute_of_64_KiB_is_written_a_larger_one_is_not_and_is_counted)
{
    start(all_rules, 0);
    about_of(LIMIT_ATTRIBUTE_BYTES - 5);
    const struct attribute *about = state_of("c")->attributes.items;
    cr_assert_eq(state_of("c")->attributes.count, 1u);
    cr_expect_eq(about->packed->size, (uint32_t)LIMIT_ATTRIBUTE_BYTES - 2);
    about_of(LIMIT_ATTRIBUTE_BYTES - 3);
    cr_expect_eq(about->packed->size, (uint32_t)LIMIT_ATTRIBUTE_BYTES);
    cr_expect_eq(forgot(RELANCE_FORGOT_ATTRIBUTE), 0u);
    about_of(LIMIT_ATTRIBUTE_BYTES - 2);
    cr_expect_eq(about->packed->size, (uint32_t)LIMIT_ATTRIBUTE_BYTES, "the value before it stays");
    cr_expect_eq(forgot(RELANCE_FORGOT_ATTRIBUTE), 1u);
}

/* ---- states from before */

Test(bound, a_saved_state_above_the_limit_is_read_and_bounded_by_the_next_event)
{
    start(all_rules, LIMIT_STATE_BYTES_MAX);
    for (int i = 0; i < 2000; i++)
        key_of((size_t)(100 + i % 400), i % 2 ? "cart" : "view");
    cr_assert_gt(state_size(state_of("c"), &rules->names), 100000u);
    rig.options.state_bytes = 5000;
    rig_restart(&rig);
    now_ms -= 30 * MINUTE; /* what waits is not due yet */
    happens("hint", "\"text\":\"t\"");
    cr_expect_gt(rig.needed, 0u);
    cr_expect_leq(state_size(state_of("c"), &rules->names), 5000u);
}

/* ---- always, and always the same */

static int draw(unsigned *seed, int below)
{
    return rand_r(seed) % below;
}

/* Drawn one by one: the same in every build. */
static void random_event(unsigned *seed)
{
    static const char *const types[] = {"view", "view",     "cart", "cart", "cart",  "hint", "buy",
                                        "away", "identify", "ask",  "ask",  "reply", "reply"};
    char text[1024];
    now_ms += draw(seed, (int)(20 * MINUTE));
    int64_t time_ms = draw(seed, 8) ? now_ms : now_ms - draw(seed, 5400) * 1000;
    const char *type = types[draw(seed, (int)(sizeof types / sizeof *types))];
    int longest = draw(seed, 6) ? 40 : 400;
    char *note = letters((size_t)draw(seed, longest));
    int customer = draw(seed, 3), product = draw(seed, 30), cart = draw(seed, 6), away = draw(seed, 6);
    int total = draw(seed, 50), month = draw(seed, 12) + 1;
    const char *attribute = draw(seed, 2) ? "birthday" : "about";
    snprintf(text, sizeof text,
             "{\"type\":\"%s\",\"customer\":\"c%d\",\"time\":%lld,\"product\":\"p%d\",\"cart\":\"k%d\","
             "\"note\":\"%s\",\"text\":\"%s\",\"total\":%d.25,\"carts\":[\"k1\",\"k%d\"],\"name\":\"n\","
             "\"%s\":\"1990-%02d-01\"}",
             type, customer, (long long)time_ms, product, cart, note, note, total, away, attribute, month);
    rig_event(&rig, str_of(text));
}

static void check_size(void *context, const struct relance_change *change)
{
    const size_t *limit = context;
    cr_assert_leq(change->state.size + MARK_BYTES, *limit);
}

/* What the memory of a state promises of its size holds. */
static void check_memory(void)
{
    const struct names *all[] = {&rules->names.attributes, &rules->names.types,    &rules->names.counts,
                                 &rules->names.rules,      &rules->names.segments, &rules->names.limits};
    size_t longest = 0;
    for (size_t i = 0; i < 6; i++)
        if (all[i]->longest > longest) longest = all[i]->longest;
    for (size_t i = 0; i < rig.engine->customers.slot_count; i++) {
        const struct customer *customer = rig.engine->customers.slots[i].customer;
        if (!customer || !customer->state) continue;
        size_t size = state_size(customer->state, &rules->names);
        cr_assert_gt(customer->state_memory, state_memory_safe(size - 1, longest));
        cr_assert_leq(size, state_size_most(customer->state, customer->state_memory, &rules->names, longest));
    }
}

/* Nor is anything believed of a state that is not so. */
static void check_found(void)
{
    for (size_t i = 0; i < rig.engine->customers.slot_count; i++) {
        const struct customer *customer = rig.engine->customers.slots[i].customer;
        struct state *state = customer ? customer->state : NULL;
        if (!state) continue;
        int64_t due_ms = dates_next_due(state);
        VECTOR_EACH (state->runs, struct run, run) {
            if (run->due_ms < due_ms) due_ms = run->due_ms;
            if (state->found.runs) cr_assert_lt(run->step, rules->rules[run->rule].step_count);
            cr_assert(!state_lacks_rule(state, run->rule));
        }
        if (state->found.next_due) cr_assert_eq(state->found.next_due_ms, due_ms);
        int64_t with_it_ms = segments_next_due(rules, state);
        state->found.segments = false; /* and is found again */
        cr_assert_eq(with_it_ms, segments_next_due(rules, state));
    }
}

enum manner { KEEPS, FORGETS, RESTARTS };

static str history(unsigned seed, size_t limit, enum manner manner)
{
    start(all_rules, limit);
    now_ms = START;
    unsigned of_events = seed;
    for (int i = 0; i < 400; i++) {
        random_event(&of_events);
        cr_assert(relance_engine_changes(rig.engine, check_size, &limit) == RELANCE_OK);
        check_memory();
        if (i % 2) check_found();
        if (manner == FORGETS) rig_forget(&rig);
        if (manner == RESTARTS && i % 3 == 0) rig_restart(&rig);
    }
    str lines;
    cr_assert(arena_copy_str(&arena, buffer_str(&rig.lines), &lines));
    rig_end(&rig);
    relance_ruleset_free(rules);
    return lines;
}

Test(bound, no_state_is_ever_above_the_limit_and_what_is_kept_and_what_is_read_again_decide_alike)
{
    size_t dropped = 0;
    for (unsigned seed = 1; seed <= 24; seed++) {
        size_t limit = 600 + seed * 75;
        str kept = history(seed, limit, KEEPS);
        dropped += memmem(kept.data, kept.size, "\"why\":\"state\"", 13) != NULL;
        cr_expect(str_equal(kept, history(seed, limit, FORGETS)), "seed %u", seed);
        cr_expect(str_equal(kept, history(seed, limit, RESTARTS)), "seed %u", seed);
    }
    cr_expect_gt(dropped, 12u, "most of these histories were short of room");
    start(all_rules, 0); /* for the teardown */
}

/* ---- what counts for nothing any more */

static const char window_rules[] =
    "{\"events\": {\"view\": {\"product\": \"string\"}},"
    " \"counts\": {\"seen\": {\"on\": \"view\", \"by\": \"event.product\", \"over\": \"1h\"},"
    "   \"ever\": {\"on\": \"view\"}},"
    " \"rules\": {\"r\": {\"on\": \"view\", \"if\": \"seen('p0') + ever() < 0\", \"do\": [{\"send\": "
    "\"x\"}]}}}";

static void views(const char *letter, int count)
{
    for (int i = 0; i < count; i++) {
        happens("view", arena_format(&arena, "\"product\":\"%s%d\"", letter, i).data);
        now_ms -= MINUTE;
    }
}

Test(bound, values_that_nothing_is_left_of_in_the_window_take_no_room)
{
    start(window_rules, 0);
    views("p", LIMIT_COUNT_KEYS);
    cr_assert_eq(state_of("c")->counts.count, LIMIT_COUNT_KEYS + 1u);
    now_ms += 60 * MINUTE - 1;
    views("q", 1);
    cr_expect_eq(state_of("c")->counts.count, LIMIT_COUNT_KEYS + 1u, "the window has all of them still");
    cr_expect_eq(forgot(RELANCE_FORGOT_COUNT_VALUES), 1u);
    now_ms += 1;
    views("q", 2);
    cr_expect_eq(state_of("c")->counts.count, 3u);
    views("r", LIMIT_COUNT_KEYS - 2);
    cr_expect_eq(forgot(RELANCE_FORGOT_COUNT_VALUES), 1u, "what went with its window is not counted");
}

/* An event so late that it counts nowhere updates its value nevertheless; and behind a value that is still there nobody looks. */
Test(bound, values_go_with_the_window_in_the_order_in_which_they_were_updated)
{
    start(window_rules, 0);
    views("p", 2);
    now_ms -= 120 * MINUTE;
    views("q", 1);
    now_ms += 120 * MINUTE;
    views("r", 1);
    cr_expect_eq(state_of("c")->counts.count, 5u);
    now_ms += 60 * MINUTE;
    views("p", 2);
    cr_expect_eq(state_of("c")->counts.count, 3u, "both anew, and the count for life");
}

/* ---- how often it is measured */

/* Writing a state out at each event, only to count its bytes, would cost as much as it has: what a customer who does all that
 * customers do can have is known to be small enough. */
Test(bound, a_customer_with_as_many_runs_and_values_as_there_may_be_need_not_be_measured)
{
    start(all_rules, 0);
    for (int i = 0; i < LIMIT_COUNT_KEYS + 40; i++) {
        happens("view", arena_format(&arena, "\"product\":\"p%05d\",\"note\":\"n\"", i).data);
        if (i % 2) now_ms -= 2 * MINUTE - 1; /* carts wait for an hour */
        happens("cart", arena_format(&arena, "\"cart\":\"cart-%04d\",\"note\":\"note\"", i).data);
        now_ms -= MINUTE - 1;
    }
    const struct customer *customer = rig.engine->customer;
    size_t size = state_size(customer->state, &rules->names),
           most = state_size_most(customer->state, customer->state_memory, &rules->names,
                                  rig.engine->longest_name);
    cr_assert_eq(customer->state->runs.count, (unsigned)LIMIT_RUNS);
    cr_assert_geq(customer->state->counts.count, 2u * LIMIT_COUNT_KEYS);
    cr_expect_gt(customer->state_memory, rig.engine->fits_memory, "memory alone does not tell");
    cr_expect_leq(most, (size_t)LIMIT_STATE_BYTES);
    cr_expect_leq(most, 4 * size, "%zu, at most %zu", size, most);
}

/* ---- within one event */

static long peak_kib(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

static const char fan_rules[] = "{\"events\": {\"go\": {\"keys\": \"list(string)\", \"blob\": \"string\"}},"
                                " \"rules\": {\"r\": {\"on\": \"go\", \"key\": \"event.keys\", \"do\": "
                                "[{\"after\": \"1h\", \"send\": \"x\", "
                                "\"with\": {\"b\": \"${trigger.blob}\"}}]}}}";

/* 256 runs that keep a megabyte each would be a quarter of a gigabyte. */
Test(bound, an_event_that_starts_256_runs_which_each_keep_all_of_it_costs_little_memory)
{
    struct buffer text;
    start(fan_rules, 0);
    buffer_init(&text, &arena);
    buffer_put_str(&text, STR("\"keys\":["));
    for (int i = 0; i < 256; i++)
        buffer_put_format(&text, "%s\"k%d\"", i ? "," : "", i);
    buffer_put_format(&text, "],\"blob\":\"%s\"", letters(1000000));
    buffer_put(&text, "", 1);
    long before = peak_kib();
    for (int i = 0; i < 5; i++)
        happens("go", text.data);
    cr_expect_lt(peak_kib() - before, 160 << 10, "%ld KiB", peak_kib() - before);
    cr_expect_leq(state_size(state_of("c"), &rules->names), (size_t)LIMIT_STATE_BYTES);
}

static const char wait_rules[] =
    "{\"events\": {\"go\": {\"keys\": \"list(string)\"}, \"look\": {\"blob\": \"string\"}},"
    " \"rules\": {\"r\": {\"on\": \"go\", \"key\": \"event.keys\", \"do\": ["
    "   {\"wait\": \"look\", \"within\": \"1d\"},"
    "   {\"after\": \"1h\", \"send\": \"x\", \"with\": {\"b\": \"${answer.blob}\"}}]}}}";

Test(bound, nor_does_one_that_256_runs_have_waited_for)
{
    if (SUPPORT_SANITIZED) cr_skip_test("a sanitizer keeps what has been freed");
    start(wait_rules, 0);
    struct buffer keys;
    buffer_init(&keys, &arena);
    for (int i = 0; i < 256; i++)
        buffer_put_format(&keys, "%s\"k%d\"", i ? "," : "", i);
    const char *go = arena_format(&arena, "\"keys\":[%.*s]", STR_ARG(buffer_str(&keys))).data,
               *look = arena_format(&arena, "\"blob\":\"%s\"", letters(1000000)).data;
    happens("go", go);
    long before = peak_kib();
    happens("look", look);
    cr_expect_lt(peak_kib() - before, 160 << 10, "%ld KiB", peak_kib() - before);
    cr_expect_leq(state_size(state_of("c"), &rules->names), (size_t)LIMIT_STATE_BYTES);
}
