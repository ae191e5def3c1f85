/* A customer's state, saved and loaded: the same bytes, under other rules only what still means something,
 * and nothing at all from bytes that no engine wrote. */
#include "base/limits.h"
#include "state/state.h"

#include "base/buffer.h"
#include "state/pack.h"

#include <criterion/criterion.h>
#include <math.h>
#include <relance/forgot.h>
#include <stdio.h>
#include <stdlib.h>

static struct arena arena;
static struct pool pool;

static void setup(void)
{
    arena_init(&arena, 0);
    pool_init(&pool);
}

static void teardown(void)
{
    arena_free(&arena);
    pool_free_all(&pool);
}

TestSuite(state, .init = setup, .fini = teardown, .timeout = 60);

/* ---- two rule sets: the second has everything in another order, and some things no more */

static struct names named(const char *const *list)
{
    struct names names;
    cr_assert(names_init(&names, &arena, 16));
    for (; *list; list++)
        names_add(&names, str_of(*list));
    return names;
}

#define NAMED(...) named((const char *const[]){__VA_ARGS__, NULL})

static struct state_names first_rules(void)
{
    static const uint8_t forms[] = {0, 18, 13};
    return (struct state_names){.attributes = NAMED("tz", "name"),
                                .types = NAMED("view", "purchase", "click"),
                                .counts = NAMED("orders", "spend", "views"),
                                .rules = NAMED("cart", "thanks", "winback"),
                                .segments = NAMED("loyal", "new"),
                                .limits = NAMED("1 per 24h", "4 per 7d"),
                                .sales = NAMED("sales"),
                                .lists = NAMED("viewed", "bought"),
                                .count_forms = forms};
}

static struct state_names second_rules(void)
{
    static const uint8_t forms[] = {13, 18};
    return (struct state_names){.attributes = NAMED("name"),
                                .types = NAMED("click", "view"),
                                .counts = NAMED("views", "spend"),
                                .rules = NAMED("winback", "cart"),
                                .segments = NAMED("new"),
                                .limits = NAMED("4 per 7d"),
                                .lists = NAMED("bought"),
                                .count_forms = forms};
}

/* Usual names are numbers then, as with a rule set that has been compiled. */
static struct state_names in_words(struct state_names names)
{
    struct state_words *words = arena_alloc(&arena, sizeof *words);
    cr_assert(words && state_words_make(&arena, &names, words));
    names.words = words;
    return names;
}

/* ---- a rich state, under the first rules */

static void *add(struct vector *vector, size_t size)
{
    void *item = vector_insert(&pool, vector, size, vector->count);
    cr_assert_not_null(item);
    return item;
}

#define ADD(vector, type, ...) (*(type *)add(&(vector), sizeof(type)) = (type){__VA_ARGS__})

static struct bytes *text(const char *s)
{
    return bytes_new(&pool, str_of(s));
}

static struct bytes *packed_text(const char *s)
{
    struct buffer out;
    buffer_init(&out, &arena);
    pack_str(&out, str_of(s));
    return bytes_new(&pool, buffer_str(&out));
}

static struct bytes *event(const char *id, const char *type, int64_t time_ms)
{
    struct buffer out;
    buffer_init(&out, &arena);
    pack_map(&out, 4);
    pack_str(&out, STR("id")), pack_str(&out, str_of(id));
    pack_str(&out, STR("type")), pack_str(&out, str_of(type));
    pack_str(&out, STR("time")), pack_int(&out, time_ms);
    pack_str(&out, STR("items")), pack_array(&out, 2), pack_double(&out, 12.5), pack_nil(&out);
    return bytes_new(&pool, buffer_str(&out));
}

static struct kept_event *kept(const char *id, int64_t time_ms)
{
    struct bytes *packed = event(id, "view", time_ms);
    struct kept_event *kept = kept_event_new(&pool, bytes_str(packed));
    bytes_release(&pool, packed);
    return kept;
}

static void add_run(struct state *state, uint32_t rule, const char *key, const char *variant, size_t triggers)
{
    struct run run = {.rule = rule,
                      .step = 1,
                      .due_ms = 1772449200000,
                      /* those of a split were deferred */
                      .first_due_ms = 1772449200000 - (variant ? 3600000 : 0),
                      .started_ms = 1772445600000,
                      .base_ms = variant ? 1772445600110 : STATE_NO_TIME,
                      .day = variant ? 20514 : STATE_NO_TIME,
                      .sent = variant ? 2 : 0,
                      .action_step = variant ? 1 : 0,
                      .outcome = variant ? STATE_OUTCOME_DONE : STATE_OUTCOME_NONE,
                      .late = variant != NULL,
                      .said = variant ? 1 : 0,
                      .answer = variant ? event("e-82", "click", 1772445600119) : NULL,
                      .sent_to = variant ? text("v-7") : NULL,
                      .traceparent =
                          variant ? text("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01") : NULL,
                      .trigger_ms = 1772445600120,
                      .key = text(key),
                      .origin = text("e-81"),
                      .variant = variant ? text(variant) : NULL};
    for (size_t i = 0; i < triggers; i++)
        *(struct kept_event **)add(&run.triggers, sizeof(struct kept_event *)) = kept("e-81", 1772445600120);
    for (size_t i = 0; i < 3 && variant; i++)
        *(int64_t *)add(&run.earlier, sizeof(int64_t)) = 1772445600000 + (int64_t)i;
    *(struct run *)add(&state->runs, sizeof run) = run;
}

/* The newest trigger of a run becomes that of another one, too. */
static void share_newest(struct state *state, uint32_t from, uint32_t to)
{
    struct vector *a = &VECTOR_AT(state->runs, struct run, from)->triggers,
                  *b = &VECTOR_AT(state->runs, struct run, to)->triggers;
    struct kept_event **place = VECTOR_AT(*b, struct kept_event *, b->count - 1);
    kept_event_release(&pool, *place);
    *place = kept_event_share(*VECTOR_AT(*a, struct kept_event *, a->count - 1));
}

static void add_seen(struct state *state, uint32_t type, uint64_t id_hash, int64_t at_ms)
{
    *(struct seen *)add(&state->seen, sizeof(struct seen)) = seen_of(type, id_hash, at_ms);
}

static void add_count(struct state *state, uint32_t number, const char *by, size_t buckets, double sum)
{
    struct count_value *value = add(&state->counts, sizeof *value);
    *value = (struct count_value){
        .count = (uint16_t)number, .by_tag = text_tag(str_of(by)), .by = by ? text(by) : NULL};
    for (size_t i = 0; i < buckets; i++) {
        struct bucket *bucket = add(&value->buckets, sizeof *bucket);
        *bucket = (struct bucket){.index = (int64_t)(490000 + i)};
        if (sum != 0)
            bucket->number = sum;
        else
            bucket->n = (int64_t)i + 1;
    }
}

static void add_ledger(struct state *state)
{
    struct sales_ledger *ledger = add(&state->sales, sizeof *ledger);
    *ledger = (struct sales_ledger){.channel = text("ads"),
                                    .before = 2,
                                    .pushed = 3,
                                    .beyond = 4,
                                    .first_ms = 1700000000000,
                                    .first_day = 19676,
                                    .second_ms = 1700000000001,
                                    .months = ((int64_t)1 << (LEDGER_MONTHS - 1)) + 1,
                                    .spent = -5,
                                    .kept = 6,
                                    .loyal = true};
    ADD(ledger->orders, struct order, UINT64_MAX, 1772445600120, 1772445600120, 500000, 2801, 0, false,
        false);
    ADD(ledger->orders, struct order, 0, 1772445600120, 1772449200120, -1, 0, 1, true, false);
    ADD(ledger->orders, struct order, 1, 1776000000000, 1776000000000, MONEY_MAX, CURRENCY_OTHER, -1, true,
        true);
    ADD(ledger->refunds, struct refund, 1, 1776000000000, 1776000000001, REFUND_WHOLE, 0);
    ADD(ledger->refunds, struct refund, UINT64_MAX, 1772445600121, 1772445600120, MONEY_MAX, 1);
}

static struct state *rich_state(void)
{
    struct state *state = state_new(&pool);
    cr_assert_not_null(state);
    state->now_ms = 1772445600121, state->newest_ms = 1772445600120, state->due_ms = 1772449200000;
    ADD(state->attributes, struct attribute, 0, 1, packed_text("Europe/Paris"));
    ADD(state->attributes, struct attribute, 1, -62135596800000, NULL);
    ADD(state->lasts, struct last_event, 0, 7, event("e-1", "view", 7));
    ADD(state->lasts, struct last_event, 1, 8, event("e-2", "purchase", 8));
    ADD(state->lasts, struct last_event, 2, 9, event("e-3", "click", 9));
    add_count(state, 0, NULL, 1, 0);
    add_count(state, 1, NULL, 3, 99.99);
    add_count(state, 2, "p1", 2, 0);
    add_count(state, 2, "", 1, 0);
    add_run(state, 0, "k1", "a", 1);
    add_run(state, 0, "k2", "holdout", 32);
    add_run(state, 1, "", NULL, 2);
    add_run(state, 2, "a", NULL, 1);
    ADD(state->cooldowns, struct cooldown, 0, 5, NULL);
    ADD(state->cooldowns, struct cooldown, 2, 6, text("k1"));
    ADD(state->cooldowns, struct cooldown, 2, 7, text(""));
    add_seen(state, 0, UINT64_MAX, 12);
    add_seen(state, 0, 0, 14);
    add_seen(state, 1, UINT64_MAX, 13);
    add_seen(state, NAME_NONE, 7, 11);
    ADD(state->overtakers, struct overtaker, 20, event("e-4", "purchase", 20));
    ADD(state->overtakers, struct overtaker, 20, event("e-5", "click", 20));
    ADD(state->overtakers, struct overtaker, 21, event("e-6", "purchase", 21));
    ADD(state->past_overtakers, struct past_overtaker, 0, -5);
    ADD(state->past_overtakers, struct past_overtaker, 1, 19);
    ADD(state->segments, struct segment_value, 0, true, false);
    ADD(state->segments, struct segment_value, 1, false, true);
    ADD(state->sends, struct counted_send, 0, 30);
    ADD(state->sends, struct counted_send, 1, 30);
    ADD(state->sends, struct counted_send, 1, 31);
    ADD(state->goals, struct goal_window, 1, 40, 50, text("o1"), NULL);
    ADD(state->goals, struct goal_window, 0, 41, 51, text(""), text("b"));
    ADD(state->measured, struct measured, 0, true, text("a"), 499000);
    ADD(state->measured, struct measured, 1, true, NULL, 0);
    ADD(state->measured, struct measured, 2, false, text("holdout"), 0);
    ADD(state->dates, struct date_wait, 1, INT64_MAX, INT64_MAX, INT64_MAX, 1728000000000, text("03-02"));
    ADD(state->dates, struct date_wait, 2, 60, 70, 50, STATE_NO_TIME, NULL);
    ADD(state->links, struct link, text("v1"), text("e-7"), 1772445600120, false);
    ADD(state->links, struct link, text("v2"), text(""), -5, true);
    ADD(state->known, struct known_as, text("c2"), text("e-8"));
    ADD(state->linked_to, struct linked_to, UINT64_MAX);
    ADD(state->linked_to, struct linked_to, 0);
    ADD(state->dropped, struct dropped_run, text("old"), text("k9"));
    ADD(state->forgotten, struct forgotten, RELANCE_FORGOT_STATE_BY, 3);
    ADD(state->lists, struct list_entry, 0, text_tag(STR("tent")), 1772445600000, text("tent"));
    ADD(state->lists, struct list_entry, 0, text_tag(STR("")), 1772445600120, text(""));
    ADD(state->lists, struct list_entry, 1, text_tag(STR("mat")), -5, text("mat"));
    add_ledger(state);
    share_newest(state, 1, 2);
    return state;
}

static str saved(const struct state *state, const struct state_names *names)
{
    struct buffer out;
    buffer_init(&out, &arena);
    state_save(state, names, &out);
    cr_assert(!out.failed);
    return buffer_str(&out);
}

/* In format 3, with all of it in full. */
static str saved_whole(const struct state *state, const struct state_names *names)
{
    struct buffer out;
    buffer_init(&out, &arena);
    state_save_whole(state, names, &out);
    cr_assert(!out.failed);
    return buffer_str(&out);
}

/* Loads from memory that ends where the bytes end, so that the address sanitizer sees a step beyond. */
static struct state *loaded(const struct state_names *names, str packed)
{
    char *copy = malloc(packed.size ? packed.size : 1);
    cr_assert_not_null(copy);
    if (packed.size) memcpy(copy, packed.data, packed.size);
    struct state *state = state_load(&pool, names, NULL, (str){copy, packed.size});
    free(copy);
    return state;
}

/* ---- there and back */

Test(state, comes_back_byte_for_byte)
{
    struct state_names names = first_rules();
    str before = saved(rich_state(), &names);
    struct state *state = loaded(&names, before);
    cr_assert_not_null(state);
    cr_expect(str_equal(saved(state, &names), before));
    cr_expect_eq(state->due_ms, 1772449200000);
    cr_expect_eq(state->runs.count, 4u);
    cr_expect_eq(VECTOR_AT(state->runs, struct run, 1)->triggers.count, 32u);
    cr_expect_eq(VECTOR_AT(state->runs, struct run, 1)->first_due_ms, 1772445600000);
    cr_expect_eq(VECTOR_AT(state->runs, struct run, 2)->first_due_ms, 1772449200000);
    cr_expect_eq(VECTOR_AT(state->lasts, struct last_event, 1)->time_ms, 8);
    cr_expect_eq(VECTOR_AT(state->counts, struct count_value, 1)->buckets.count, 3u);
    cr_expect_eq(
        VECTOR_AT(VECTOR_AT(state->counts, struct count_value, 1)->buckets, struct bucket, 2)->number, 99.99);
    cr_expect_null(VECTOR_AT(state->attributes, struct attribute, 1)->packed);
    cr_expect_eq(VECTOR_AT(state->seen, struct seen, 0)->id_hash, UINT64_MAX);
    cr_expect_eq(VECTOR_AT(state->dates, struct date_wait, 1)->fired_ms, STATE_NO_TIME);
}

Test(state, keeps_type_and_time_of_an_id_in_one_number)
{
    const uint32_t types[] = {0, 1, LIMIT_EVENT_TYPES - 1, NAME_NONE};
    const int64_t times[] = {-STATE_TIME_MAX, -1, 0, 1, 1772445600000, STATE_TIME_MAX};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        for (size_t j = 0; j < sizeof times / sizeof *times; j++) {
            struct seen seen = seen_of(types[i], 7, times[j]);
            cr_expect_eq(seen_type(&seen), types[i]);
            cr_expect_eq(seen_at_ms(&seen), times[j]);
        }
}

Test(state, of_the_third_format_is_read_and_written_in_the_present_one)
{
    struct state_names names = first_rules();
    struct state *state = rich_state();
    str whole = saved_whole(state, &names), packed = saved(state, &names);
    cr_expect(str_starts_with(str_slice(whole, 3, whole.size), STR("\xa1v\x03")));
    struct state *back = loaded(&names, whole);
    cr_assert_not_null(back);
    cr_expect(str_equal(saved(back, &names), packed));
    cr_expect(str_equal(saved_whole(back, &names), whole), "nothing is lost on the way");
    back = loaded(&names, packed);
    cr_assert_not_null(back);
    cr_expect(str_equal(saved_whole(back, &names), whole));
    cr_expect_lt(packed.size * 5, whole.size * 4);
}

static struct bytes *cart_event(const char *id, int64_t time_ms)
{
    struct buffer out;
    buffer_init(&out, &arena);
    pack_map(&out, 4);
    pack_str(&out, STR("id")), pack_str(&out, str_of(id));
    pack_str(&out, STR("type")), pack_str(&out, STR("view"));
    pack_str(&out, STR("time")), pack_int(&out, time_ms);
    pack_str(&out, STR("cart")), pack_str(&out, STR("k1"));
    return bytes_new(&pool, buffer_str(&out));
}

/* A run for its first step, whose event came 20 ms before the customer's `now`. */
static void add_cart_run(struct state *state, uint32_t rule, const char *id)
{
    struct bytes *packed = cart_event(id, state->now_ms - 20);
    struct run run = {.rule = rule,
                      .due_ms = state->due_ms,
                      .first_due_ms = state->due_ms,
                      .started_ms = state->now_ms - 20,
                      .trigger_ms = state->now_ms - 20,
                      .base_ms = STATE_NO_TIME,
                      .day = STATE_NO_TIME,
                      .key = text("k1"),
                      .origin = text(id)};
    *(struct kept_event **)add(&run.triggers, sizeof(struct kept_event *)) =
        kept_event_new(&pool, bytes_str(packed));
    bytes_release(&pool, packed);
    *(struct run *)add(&state->runs, sizeof run) = run;
}

static struct state *cart_state(void)
{
    struct state *state = state_new(&pool);
    cr_assert_not_null(state);
    state->now_ms = state->newest_ms = 1772445600120;
    state->due_ms = state->now_ms + 2700000;
    state->mark = 7;
    add_cart_run(state, 0, "e-81");
    add_seen(state, 0, 1, state->now_ms - 1000);
    add_seen(state, 0, str_hash(STR("e-81")), state->now_ms);
    return state;
}

/* What every byte of it is, of the state that most customers have. */
Test(state, what_stands_beside_it_is_not_said_again)
{
    struct state_names names = first_rules();
    struct state *state = cart_state();
    add_count(state, 0, NULL, 1, 0);
    VECTOR_AT(VECTOR_AT(state->counts, struct count_value, 0)->buckets, struct bucket, 0)->index = 0;
    add_count(state, 1, NULL, 1, 3.0);
    VECTOR_AT(VECTOR_AT(state->counts, struct count_value, 1)->buckets, struct bucket, 0)->index =
        state->now_ms / 86400000 - 1;
    str packed = saved(state, &names);
    cr_expect(
        str_equal(packed, STR("\x84"
                              "\xa1v\x94\x04\xcf\x00\x00\x01\x9c\xad\xfd\x89\x78\x07\xce\x00\x29\x32\xe0"
                              "\xa1"
                              "c\x82\xa6orders\x93\x00\x00\x01\xa5spend\x93\x12\x01\x03"
                              "\xa1r\x91\x94\xa4"
                              "cart\xa2k1\x00\x95\xa4"
                              "e-81\xa4view\x14\xa4"
                              "cart\xa2k1"
                              "\xa1i\x81\x00\xc4\x0d\x9e\x1f\x01\x00\x00\x00\x00\x00\x00\x00\xa1\x1f\x00")));
    struct state *back = loaded(&names, packed);
    cr_assert_not_null(back);
    const struct run *run = back->runs.items;
    cr_expect(str_equal(bytes_str(run->origin), STR("e-81")));
    cr_expect_eq(run->started_ms, state->now_ms - 20);
    cr_expect_eq(run->trigger_ms, state->now_ms - 20);
    cr_expect_eq(run->due_ms, state->now_ms + 2700000);
    cr_expect_eq(VECTOR_AT(back->seen, struct seen, 1)->id_hash, str_hash(STR("e-81")));
    cr_expect_eq(back->newest_ms, state->now_ms);
    cr_expect_eq(back->mark, 7);
    cr_expect(str_equal(saved_whole(back, &names), saved_whole(state, &names)));
}

/* Each of these differs from what is mostly so in one thing. */
Test(state, what_is_not_as_it_mostly_is_is_said)
{
    struct state_names names = first_rules();
    for (int what = 0; what < 12; what++) {
        struct state *state = cart_state();
        struct run *run = state->runs.items;
        switch (what) {
        case 0: run->step = 2; break;
        case 1: run->started_ms -= 5; break;
        case 2: run->trigger_ms += 5; break;
        case 3: run->origin = text("1772445600120"); break;
        case 4: run->variant = text(""); break;
        case 5: run->due_ms += 9, run->first_due_ms += 4; break;
        case 6: run->due_ms = run->first_due_ms = INT64_MAX; break;
        case 7: state->due_ms = INT64_MAX; break;
        case 8: state->newest_ms = STATE_NO_TIME; break;
        case 9: state->now_ms = STATE_NO_TIME; break;
        case 10: state->mark = 0, state->newest_ms -= 1; break;
        default: add_seen(state, 0, 5, state->now_ms - 100000); /* before the one before */
        }
        struct state *back = loaded(&names, saved(state, &names));
        cr_assert_not_null(back, "%d", what);
        cr_expect(str_equal(saved_whole(back, &names), saved_whole(state, &names)), "%d", what);
    }
}

/* The first sixteen of each are looked through; what is behind them says all of itself. */
Test(state, of_many_events_rules_and_limits_all_come_back)
{
    struct state_names names = first_rules();
    struct names rules, limits;
    cr_assert(names_init(&rules, &arena, 40) && names_init(&limits, &arena, 40));
    for (int i = 0; i < 40; i++) {
        names_add(&rules, arena_format(&arena, "rule %d", i));
        names_add(&limits, arena_format(&arena, "{\"max\":\"%d per day\"}", i));
    }
    names.rules = rules, names.limits = limits;
    struct state *state = cart_state();
    for (uint32_t i = 0; i < 40; i++) {
        char id[16];
        snprintf(id, sizeof id, "e-%u", i);
        add_cart_run(state, i, id);
        ADD(state->cooldowns, struct cooldown, i, state->now_ms - i, NULL);
        for (int twice = 0; twice < 2; twice++)
            ADD(state->sends, struct counted_send, i, state->now_ms - 70 * i);
        add_seen(state, 0, str_hash(str_of(id)), state->now_ms + i);
    }
    struct state *back = loaded(&names, saved(state, &names));
    cr_assert_not_null(back);
    cr_expect(str_equal(saved_whole(back, &names), saved_whole(state, &names)));
}

/* {"v": [4, 0], "r": [["cart", "k", 0, [event]]], …}: what is named by a number has to stand there before. */
static str told(uint64_t type, uint64_t rule, uint64_t id)
{
    struct buffer out;
    buffer_init(&out, &arena);
    pack_map(&out, 3), pack_str(&out, STR("v")), pack_array(&out, 2), pack_int(&out, 4), pack_int(&out, 0);
    pack_str(&out, STR("r")), pack_array(&out, 2);
    for (int i = 0; i < 2; i++) {
        pack_array(&out, 4);
        if (i)
            pack_uint(&out, rule);
        else
            pack_str(&out, STR("cart"));
        pack_str(&out, i ? STR("k2") : STR("k1")), pack_int(&out, 0);
        pack_array(&out, 3), pack_str(&out, STR("e"));
        if (i)
            pack_uint(&out, type);
        else
            pack_str(&out, STR("view"));
        pack_int(&out, 0);
    }
    pack_str(&out, STR("i")), pack_map(&out, 1), pack_uint(&out, type), pack_bin_head(&out, 2);
    pack_seven(&out, 1), pack_seven(&out, id);
    return buffer_str(&out);
}

Test(state, what_has_not_been_told_before_is_no_state)
{
    struct state_names names = first_rules();
    cr_expect_not_null(loaded(&names, told(0, 0, 1)));
    cr_expect_null(loaded(&names, told(1, 0, 1)), "the second event itself");
    cr_expect_null(loaded(&names, told(0, 1, 1)));
    cr_expect_null(loaded(&names, told(0, 0, 2)));
    cr_expect_null(loaded(&names, told(0, 0, UINT64_MAX)));
}

Test(state, comes_back_from_rest)
{
    struct state_names names = first_rules(), by_number = names;
    by_number.numbered = true;
    str before = saved(rich_state(), &names), rest = saved(rich_state(), &by_number);
    cr_expect_lt(rest.size, before.size);
    struct state *state = loaded(&by_number, rest);
    cr_assert_not_null(state);
    cr_expect(str_equal(saved(state, &names), before));
    cr_expect_null(loaded(&names, rest), "a state at rest is none that is saved");
    cr_expect_null(loaded(&by_number, before));
}

/* ---- usual names as numbers */

/* Another list would be another format. */
Test(state, words_are_those_that_have_been_saved)
{
    struct state_names names = in_words(first_rules());
    struct buffer all;
    buffer_init(&all, &arena);
    cr_assert_eq(names.words->count, 128u);
    for (uint32_t word = 0; word < names.words->count; word++) {
        cr_expect_eq(state_word(names.words, names.words->list[word]), word);
        buffer_put_str(&all, names.words->list[word]);
        buffer_put_char(&all, ' ');
    }
    cr_expect_eq(str_hash(buffer_str(&all)), 0xae2bf00becfaea61u);
    cr_expect_eq(state_word(names.words, STR("")), NAME_NONE);
    cr_expect_eq(state_word(names.words, STR("warenkorb")), NAME_NONE);
    cr_expect_eq(state_word(names.words, STR("carts\0")), NAME_NONE);
}

Test(state, in_words_comes_back_byte_for_byte)
{
    struct state_names names = first_rules(), words = in_words(names), at_rest = words;
    at_rest.numbered = true;
    str in_full = saved(rich_state(), &names), before = saved(rich_state(), &words);
    cr_expect_lt(before.size, in_full.size);
    struct state *state = loaded(&words, before);
    cr_assert_not_null(state);
    cr_expect(str_equal(saved(state, &words), before));
    cr_expect(str_equal(saved_whole(state, &words), saved_whole(rich_state(), &names)));
    state = loaded(&words, in_full);
    cr_assert_not_null(state, "of format 4");
    cr_expect(str_equal(saved(state, &words), before));
    state = loaded(&at_rest, saved(state, &at_rest));
    cr_assert_not_null(state);
    cr_expect(str_equal(saved(state, &words), before));
    cr_expect_null(loaded(&names, before), "whoever has no words reads none");
}

/* What is declared no more, or now, does not touch what numbers mean. */
Test(state, in_words_is_read_under_other_rules)
{
    struct state_names names = first_rules(), others = second_rules();
    struct state_names words = in_words(names), other_words = in_words(others);
    struct state *state = loaded(&other_words, saved(rich_state(), &words));
    cr_assert_not_null(state);
    cr_expect(str_equal(saved_whole(state, &others),
                        saved_whole(loaded(&others, saved(rich_state(), &names)), &others)));
}

/* Names of records in fields, names that are none of the words, the same type again, and values of a count that follow
 * each other. */
Test(state, in_words_every_byte_has_its_meaning)
{
    struct state_names names = in_words(first_rules());
    struct state *state = cart_state();
    struct overtaker *overtaker = add(&state->overtakers, sizeof *overtaker);
    struct buffer out;
    buffer_init(&out, &arena);
    pack_map(&out, 5), pack_str(&out, STR("id")), pack_str(&out, STR("b"));
    pack_str(&out, STR("type")), pack_str(&out, STR("Bestellung"));
    pack_str(&out, STR("time")), pack_int(&out, state->now_ms - 3);
    pack_str(&out, STR("items")), pack_array(&out, 1), pack_map(&out, 2);
    pack_str(&out, STR("price")), pack_double(&out, 0.5), pack_str(&out, STR("farbe")),
        pack_str(&out, STR("rot"));
    pack_str(&out, STR("total")), pack_int(&out, 1000);
    *overtaker = (struct overtaker){state->now_ms - 3, bytes_new(&pool, buffer_str(&out))};
    overtaker = add(&state->overtakers, sizeof *overtaker);
    buffer_init(&out, &arena);
    pack_map(&out, 3), pack_str(&out, STR("id")), pack_str(&out, STR("c"));
    pack_str(&out, STR("type")), pack_str(&out, STR("Bestellung"));
    pack_str(&out, STR("time")), pack_int(&out, state->now_ms);
    *overtaker = (struct overtaker){state->now_ms, bytes_new(&pool, buffer_str(&out))};
    for (int i = 0; i < 2; i++) {
        add_count(state, 2, i ? "b" : "a", 1, 0);
        struct count_value *value = VECTOR_AT(state->counts, struct count_value, (uint32_t)i);
        value->updated_s = (uint32_t)(state->now_ms / 1000) - 90000 + 100 * (uint32_t)i;
        VECTOR_AT(value->buckets, struct bucket, 0)->index = (int64_t)value->updated_s / 3600;
        VECTOR_AT(value->buckets, struct bucket, 0)->n = 1 + i;
    }
    str packed = saved(state, &names);
    struct buffer hex;
    buffer_init(&hex, &arena);
    for (size_t i = 0; i < packed.size; i++)
        buffer_put_format(&hex, "%02x", (unsigned char)packed.data[i]);
    cr_expect(
        str_equal(
            buffer_str(&hex),
            STR("85a1769405cf0000019cadfd897807ce002932e0"
                "a163812c970da161ce00015f90920001a16264920002"
                "a172919402a26b310095a4652d3831091402a26b31"
                "a1719297a162aa42657374656c6c756e670304918205cb3fe0000000000000a56661726265a3726f7401cd03e8"
                "93a163fe00"
                "a1698109c40d9e1f0100000000000000a11f00")),
        "%.*s", STR_ARG(buffer_str(&hex)));
    cr_expect(str_equal(saved(loaded(&names, packed), &names), packed));
}

/* Sums that a state has, in how many bytes each. */
Test(state, sums_of_whole_hundredths_are_short)
{
    struct state_names names = in_words(first_rules());
    const struct {
        double sum;
        size_t size;
    } sums[] = {{12.3, 4},         {-0.01, 2},       {99.99, 4}, {0.29, 2},
                {0.1 + 0.2, 9},    {1e-3, 9},        {-0.0, 9},  {NAN, 9},
                {INFINITY, 9},     {5e-324, 9},      {1e300, 9}, {21474835.99, 6},
                {-21474835.99, 6}, {21474837.01, 9}, {4.35, 4},  {12, 1}};
    struct state *state = state_new(&pool);
    add_count(state, 1, NULL, 1, 1.0);
    struct bucket *bucket = VECTOR_AT(state->counts, struct count_value, 0)->buckets.items;
    size_t least = saved(state, &names).size - 1;
    for (size_t i = 0; i < sizeof sums / sizeof *sums; i++) {
        bucket->number = sums[i].sum;
        str packed = saved(state, &names);
        cr_expect_eq(packed.size - least, sums[i].size, "%g: %zu", sums[i].sum, packed.size - least);
        struct state *back = loaded(&names, packed);
        cr_assert_not_null(back);
        const struct bucket *read = VECTOR_AT(back->counts, struct count_value, 0)->buckets.items;
        cr_expect_arr_eq(&read->number, &bucket->number, sizeof read->number, "%g", sums[i].sum);
    }
}

/* A state with an event whose only field is that. */
static str with_field(uint64_t word, size_t depth)
{
    struct buffer out;
    buffer_init(&out, &arena);
    pack_map(&out, 2), pack_str(&out, STR("v")), pack_array(&out, 2), pack_int(&out, 5), pack_int(&out, 0);
    pack_str(&out, STR("q")), pack_array(&out, 1), pack_array(&out, 5);
    pack_str(&out, STR("e")), pack_uint(&out, 0), pack_int(&out, 0), pack_uint(&out, word);
    for (size_t i = 0; i < depth; i++)
        pack_array(&out, 1);
    pack_nil(&out);
    return buffer_str(&out);
}

/* Of format 4, with an event of one field: a map, whose only key is a text or a number. */
static str with_map(bool named)
{
    struct buffer out;
    buffer_init(&out, &arena);
    pack_map(&out, 2), pack_str(&out, STR("v")), pack_array(&out, 2), pack_int(&out, 4), pack_int(&out, 0);
    pack_str(&out, STR("q")), pack_array(&out, 1), pack_array(&out, 5);
    pack_str(&out, STR("e")), pack_str(&out, STR("view")), pack_int(&out, 0), pack_str(&out, STR("m"));
    pack_map(&out, 1);
    if (named)
        pack_str(&out, STR("k"));
    else
        pack_int(&out, 1);
    pack_nil(&out);
    return buffer_str(&out);
}

Test(state, what_is_no_name_in_an_older_format_is_no_state)
{
    struct state_names names = in_words(first_rules());
    struct state *state = loaded(&names, with_map(true));
    cr_assert_not_null(state);
    cr_expect_not_null(loaded(&names, saved(state, &names)));
    cr_expect_null(loaded(&names, with_map(false)));
}

Test(state, what_is_no_word_is_no_state)
{
    struct state_names names = in_words(first_rules());
    cr_expect_not_null(loaded(&names, with_field(127, 0)));
    cr_expect_null(loaded(&names, with_field(128, 0)));
    cr_expect_null(loaded(&names, with_field(UINT64_MAX, 0)));
    cr_expect_not_null(loaded(&names, with_field(0, 128)));
    cr_expect_null(loaded(&names, with_field(0, 100000)), "nothing that has come is as deep");
}

/* The bytes alone would not show what is neither written nor read. */
Test(state, a_run_comes_back_with_all_that_it_has)
{
    struct state_names names = first_rules();
    struct state *state = rich_state(), *back = loaded(&names, saved(state, &names));
    cr_assert_not_null(back);
    for (uint32_t i = 0; i < state->runs.count; i++) {
        const struct run *run = VECTOR_AT(state->runs, struct run, i),
                         *read = VECTOR_AT(back->runs, struct run, i);
        cr_expect_eq(read->rule, run->rule);
        cr_expect_eq(read->step, run->step);
        cr_expect_eq(read->due_ms, run->due_ms);
        cr_expect_eq(read->first_due_ms, run->first_due_ms);
        cr_expect_eq(read->base_ms, run->base_ms);
        cr_expect_eq(read->started_ms, run->started_ms);
        cr_expect_eq(read->trigger_ms, run->trigger_ms);
        cr_expect_eq(read->day, run->day);
        cr_expect_eq(read->late, run->late);
        cr_expect_eq(read->sent, run->sent);
        cr_expect_eq(read->action_step, run->action_step);
        cr_expect_eq(read->outcome, run->outcome);
        cr_expect_eq(read->said, run->said);
        cr_expect_eq(!read->answer, !run->answer);
        cr_expect(str_equal(bytes_str(read->answer), bytes_str(run->answer)));
        cr_expect_eq(!read->traceparent, !run->traceparent);
        cr_expect(str_equal(bytes_str(read->traceparent), bytes_str(run->traceparent)));
        cr_expect(str_equal(bytes_str(read->sent_to), bytes_str(run->sent_to)));
        cr_assert_eq(read->earlier.count, run->earlier.count);
        for (uint32_t j = 0; j < run->earlier.count; j++)
            cr_expect_eq(*VECTOR_AT(read->earlier, int64_t, j), *VECTOR_AT(run->earlier, int64_t, j));
    }
}

Test(state, a_parked_run_comes_back_without_a_due_time)
{
    struct state_names names = first_rules();
    struct state *state = state_new(&pool);
    add_run(state, 0, "k1", NULL, 1);
    struct run *run = state->runs.items;
    run->due_ms = run->first_due_ms = INT64_MAX;
    struct state *back = loaded(&names, saved(state, &names));
    cr_assert_not_null(back);
    cr_expect(run_is_parked(back->runs.items));
    cr_expect_eq(((struct run *)back->runs.items)->first_due_ms, INT64_MAX);
    state_release(&pool, state);
    state_release(&pool, back);
}

Test(state, links_and_whose_a_visitor_is_come_back)
{
    struct state_names names = first_rules();
    struct state *state = rich_state(), *back = loaded(&names, saved(state, &names));
    cr_assert_not_null(back);
    cr_assert_eq(back->links.count, 2);
    const struct link *link = VECTOR_AT(back->links, struct link, 0);
    cr_expect(str_equal(bytes_str(link->visitor), STR("v1")));
    cr_expect(str_equal(bytes_str(link->ask), STR("e-7")));
    cr_expect_eq(link->used_ms, 1772445600120);
    const struct known_as *known = back->known.items;
    cr_expect(str_equal(bytes_str(known->customer), STR("c2")) &&
              str_equal(bytes_str(known->ask), STR("e-8")));
    cr_expect_eq(VECTOR_AT(back->linked_to, struct linked_to, 0)->id_hash, UINT64_MAX);
    bytes_release(&pool, VECTOR_AT(state->known, struct known_as, 0)->customer);
    VECTOR_AT(state->known, struct known_as, 0)->customer = NULL;
    state_release(&pool, back);
    back = loaded(&names, saved(state, &names));
    cr_assert_not_null(back);
    cr_expect_null(VECTOR_AT(back->known, struct known_as, 0)->customer, "shared: nobody's");
    state_release(&pool, state);
    state_release(&pool, back);
}

/* A visitor is known as one customer, and ids are not empty. */
Test(state, links_that_no_engine_makes_are_no_state)
{
    struct state_names names = first_rules();
    struct state *state = state_new(&pool);
    ADD(state->links, struct link, text(""), text("e-7"), 1, false);
    cr_expect_null(loaded(&names, saved(state, &names)));
    state_release(&pool, state);
    state = state_new(&pool);
    ADD(state->known, struct known_as, text("c2"), text("e-8"));
    ADD(state->known, struct known_as, text("c3"), text("e-9"));
    cr_expect_null(loaded(&names, saved(state, &names)));
    state_release(&pool, state);
}

Test(state, a_ledger_comes_back_with_all_that_it_has)
{
    struct state_names names = first_rules(), others = second_rules();
    struct state *state = rich_state();
    str packed = saved(state, &names);
    const struct sales_ledger *ledger = state->sales.items, *back = loaded(&names, packed)->sales.items;
    cr_assert_not_null(back);
    cr_expect(str_equal(bytes_str(back->channel), STR("ads")));
    const int64_t was[] = {ledger->before,    ledger->pushed,    ledger->beyond, ledger->first_ms,
                           ledger->first_day, ledger->second_ms, ledger->months, ledger->spent,
                           ledger->kept,      ledger->loyal};
    const int64_t is[] = {back->before,    back->pushed, back->beyond, back->first_ms, back->first_day,
                          back->second_ms, back->months, back->spent,  back->kept,     back->loyal};
    cr_expect_arr_eq(is, was, sizeof was);
    cr_assert_eq(back->orders.count, 3u);
    for (uint32_t i = 0; i < 3; i++) {
        const struct order *a = VECTOR_AT(ledger->orders, struct order, i),
                           *b = VECTOR_AT(back->orders, struct order, i);
        cr_expect(a->key_hash == b->key_hash && a->time_ms == b->time_ms && a->told_ms == b->told_ms);
        cr_expect(a->total == b->total && a->currency == b->currency && a->day_shift == b->day_shift);
        cr_expect(a->asked == b->asked && a->loyal == b->loyal);
    }
    cr_assert_eq(back->refunds.count, 2u);
    for (uint32_t i = 0; i < 2; i++) {
        const struct refund *a = VECTOR_AT(ledger->refunds, struct refund, i),
                            *b = VECTOR_AT(back->refunds, struct refund, i);
        cr_expect(a->key_hash == b->key_hash && a->time_ms == b->time_ms && a->told_ms == b->told_ms);
        cr_expect(a->amount == b->amount && a->day_shift == b->day_shift);
    }
    cr_expect_eq(loaded(&others, packed)->sales.count, 0u, "whoever declares no sales has no ledger");
}

static bool ledger_is_read(const struct state *state)
{
    struct state_names names = first_rules();
    return loaded(&names, saved(state, &names)) != NULL;
}

Test(state, ledgers_that_no_engine_makes_are_no_state)
{
    struct state *state = state_new(&pool);
    struct sales_ledger *ledger = add(&state->sales, sizeof *ledger);
    *ledger = (struct sales_ledger){0};
    cr_expect(ledger_is_read(state));
    ledger->beyond = 1;
    cr_expect_not(ledger_is_read(state), "older than no order");
    for (int64_t i = 0; i < LIMIT_ORDERS; i++)
        ADD(ledger->orders, struct order, (uint64_t)i, i, i, 0, 0, 0, false, false);
    cr_expect(ledger_is_read(state));
    struct order *last = VECTOR_AT(ledger->orders, struct order, LIMIT_ORDERS - 1);
    last->time_ms = last->told_ms = -1;
    cr_expect_not(ledger_is_read(state), "an order that is older than the one before it");
    last->time_ms = last->told_ms = STATE_TIME_MAX;
    cr_expect(ledger_is_read(state));
    last->time_ms = last->told_ms = STATE_TIME_MAX + 1;
    cr_expect_not(ledger_is_read(state));
    last->time_ms = last->told_ms = 100;
    ADD(ledger->orders, struct order, 64, 101, 101, 0, 0, 0, false, false);
    cr_expect_not(ledger_is_read(state), "one order too many");
    ledger->orders.count--;
    last = VECTOR_AT(ledger->orders, struct order, LIMIT_ORDERS - 1);
    last->total = MONEY_MAX + 1;
    cr_expect_not(ledger_is_read(state));
    last->total = -MONEY_MAX;
    cr_expect(ledger_is_read(state));
    ADD(ledger->refunds, struct refund, 7, 5, 5, 1, 0);
    ADD(ledger->refunds, struct refund, 7, 4, 4, 1, 0);
    cr_expect_not(ledger_is_read(state), "refunds that do not ascend");
    ledger->refunds.count--;
    ledger->channel = text("0123456789012345678901234567890123456789012345678901234567890123");
    cr_expect(ledger_is_read(state));
    add(&state->sales, sizeof *ledger);
    *VECTOR_AT(state->sales, struct sales_ledger, 1) = (struct sales_ledger){0};
    cr_expect_not(ledger_is_read(state), "two ledgers");
}

Test(state, what_rules_are_measured_by_comes_back)
{
    struct state_names names = first_rules(), others = second_rules();
    str packed = saved(rich_state(), &names);
    const struct state *back = loaded(&names, packed), *elsewhere = loaded(&others, packed);
    cr_assert_eq(back->measured.count, 3u);
    const struct measured *measured = back->measured.items;
    cr_expect(measured[0].won && str_equal(bytes_str(measured[0].variant), STR("a")));
    cr_expect_eq(measured[0].value, 499000);
    cr_expect(measured[1].won && !measured[1].variant, "a goal that was worth nothing");
    cr_expect(!measured[2].won && str_equal(bytes_str(measured[2].variant), STR("holdout")));
    cr_assert_eq(elsewhere->measured.count, 2u, "of rules that are still there");
    cr_expect_not(VECTOR_AT(elsewhere->measured, struct measured, 0)->won, "winback goes first now");
}

Test(state, cooldowns_and_what_cancels_come_back)
{
    struct state_names names = first_rules();
    struct state *back = loaded(&names, saved(rich_state(), &names));
    cr_assert_not_null(back);
    cr_assert_eq(back->cooldowns.count, 3u);
    const struct cooldown *cooldowns = back->cooldowns.items;
    cr_expect_null(cooldowns[0].key, "of any key");
    cr_expect(str_equal(bytes_str(cooldowns[1].key), STR("k1")));
    cr_expect_eq(cooldowns[2].sent_ms, 7);
    cr_assert_not_null(cooldowns[2].key, "of the empty one");
    cr_assert_eq(back->overtakers.count, 3u);
    const struct overtaker *overtakers = back->overtakers.items;
    cr_expect_eq(overtakers[2].time_ms, 21);
    cr_expect(str_equal(bytes_str(overtakers[1].packed), bytes_str(event("e-5", "click", 20))),
              "of one time in the order in which they came");
    cr_assert_eq(back->past_overtakers.count, 2u);
    const struct past_overtaker *past = back->past_overtakers.items;
    cr_expect_eq(past[0].type, 0u);
    cr_expect_eq(past[0].time_ms, -5);
}

Test(state, of_a_new_customer_is_small_and_comes_back)
{
    struct state_names names = first_rules();
    struct state *state = state_new(&pool);
    str packed = saved(state, &names);
    cr_expect_leq(packed.size, 32u, "%zu bytes", packed.size);
    struct state *back = loaded(&names, packed);
    cr_assert_not_null(back);
    cr_expect_eq(back->now_ms, STATE_NO_TIME);
    cr_expect_eq(back->newest_ms, STATE_NO_TIME);
}

Test(state, gives_every_byte_back_to_the_pool)
{
    struct state_names names = first_rules();
    cr_assert_eq(pool.used, 0u);
    struct state *state = rich_state();
    str packed = saved(state, &names);
    state_release(&pool, state);
    cr_expect_eq(pool.used, 0u);
    state_release(&pool, loaded(&names, packed));
    cr_expect_eq(pool.used, 0u);
    state_release(&pool, NULL);
}

/* An event that started three runs is one, in memory and in the bytes. */
Test(state, an_event_that_several_runs_keep_is_kept_once)
{
    struct state_names names = first_rules();
    struct state *state = state_new(&pool);
    for (const char *const *key = (const char *const[]){"k1", "k2", "k3", NULL}; *key; key++)
        add_run(state, 0, *key, NULL, 2);
    size_t apart = saved(state, &names).size;
    struct kept_event *first =
        *VECTOR_AT(VECTOR_AT(state->runs, struct run, 0)->triggers, struct kept_event *, 1);
    share_newest(state, 0, 1), share_newest(state, 0, 2);
    str packed = saved(state, &names);
    cr_expect_lt(packed.size, apart - first->size);
    struct state *back = loaded(&names, packed);
    cr_assert_not_null(back);
    cr_expect(str_equal(saved(back, &names), packed));
    first = *VECTOR_AT(VECTOR_AT(back->runs, struct run, 2)->triggers, struct kept_event *, 1);
    cr_expect_eq(first->keepers, 3u);
    state_item_remove(&pool, back, STATE_RUNS, 0), state_item_remove(&pool, back, STATE_RUNS, 0);
    cr_expect_eq(first->keepers, 1u);
    cr_expect_not_null(loaded(&names, saved(back, &names)), "with one keeper it stands in its run again");
    state_release(&pool, back), state_release(&pool, state);
}

Test(state, size_is_that_of_the_whole_form_with_the_longest_mark)
{
    struct state_names names = first_rules();
    struct state *state = rich_state();
    cr_expect_eq(state_size(state, &names), saved_whole(state, &names).size + 11);
    state->mark = INT64_MAX;
    cr_expect_eq(state_size(state, &names), saved_whole(state, &names).size);
    state->mark = 1;
    cr_expect_eq(state_size(state, &names), saved_whole(state, &names).size + 8);
}

/* ---- under other rules */

Test(state, under_other_rules_keeps_what_is_still_declared_in_their_order)
{
    struct state_names before = first_rules(), after = second_rules();
    struct state *state = loaded(&after, saved(rich_state(), &before));
    cr_assert_not_null(state);
    cr_assert_eq(state->attributes.count, 1u);
    cr_expect_eq(VECTOR_AT(state->attributes, struct attribute, 0)->time_ms, -62135596800000);
    cr_assert_eq(state->lasts.count, 2u);
    cr_expect_eq(VECTOR_AT(state->lasts, struct last_event, 0)->time_ms, 9, "click is the first type now");
    cr_expect_eq(VECTOR_AT(state->lasts, struct last_event, 1)->time_ms, 7);
    cr_assert_eq(state->counts.count, 3u);
    cr_expect(str_equal(bytes_str(VECTOR_AT(state->counts, struct count_value, 0)->by), STR("p1")),
              "views, their order kept");
    cr_expect_eq(VECTOR_AT(state->counts, struct count_value, 2)->count, 1u);
    cr_assert_eq(state->cooldowns.count, 3u);
    cr_expect_eq(VECTOR_AT(state->cooldowns, struct cooldown, 0)->sent_ms, 6, "winback goes first now");
    cr_expect_eq(state->segments.count, 1u);
    cr_expect_eq(state->sends.count, 2u);
    cr_expect_eq(state->goals.count, 1u);
    cr_expect_eq(state->dates.count, 1u);
    cr_assert_eq(state->seen.count, 3u, "of `purchase` nothing can come any more");
    cr_expect_eq(seen_type(VECTOR_AT(state->seen, struct seen, 0)), 1u);
    cr_expect_eq(seen_at_ms(VECTOR_AT(state->seen, struct seen, 1)), 14);
    cr_expect_eq(seen_type(VECTOR_AT(state->seen, struct seen, 2)), NAME_NONE);
}

Test(state, runs_stand_in_the_order_of_the_rules_in_force)
{
    struct state_names before = first_rules(), after = second_rules();
    struct state *state = loaded(&after, saved(rich_state(), &before));
    cr_assert_eq(state->runs.count, 3u);
    static const struct {
        uint32_t rule;
        const char *key;
    } expected[] = {{0, "a"}, {1, "k1"}, {1, "k2"}};
    for (size_t i = 0; i < 3; i++) {
        struct run *run = VECTOR_AT(state->runs, struct run, i);
        cr_expect_eq(run->rule, expected[i].rule);
        cr_expect(str_equal(bytes_str(run->key), str_of(expected[i].key)));
    }
}

Test(state, runs_of_rules_that_are_gone_are_dropped_once_and_remembered_until_told)
{
    struct state_names before = first_rules(), after = second_rules();
    struct state *state = loaded(&after, saved(rich_state(), &before));
    cr_assert_eq(state->dropped.count, 2u);
    bool thanks = false, old = false;
    VECTOR_EACH (state->dropped, struct dropped_run, dropped) {
        thanks |= str_equal(bytes_str(dropped->rule), STR("thanks")) && dropped->key->size == 0;
        old |=
            str_equal(bytes_str(dropped->rule), STR("old")) && str_equal(bytes_str(dropped->key), STR("k9"));
    }
    cr_expect(thanks && old);
    str again = saved(state, &after);
    struct state *later = loaded(&after, again);
    cr_expect(str_equal(saved(later, &after), again), "saved before it is told, it is not told twice");
}

/* `spend` was a sum and is a count now: 99.99 orders would be nonsense, and the state must not become
 * unreadable. */
Test(state, a_count_of_another_form_starts_empty_and_nothing_else_is_lost)
{
    struct state_names before = first_rules(), after = first_rules();
    static const uint8_t forms[] = {2, 16, 13};
    after.count_forms = forms;
    struct state *state = loaded(&after, saved(rich_state(), &before));
    cr_assert_not_null(state);
    cr_assert_eq(state->counts.count, 2u);
    VECTOR_EACH (state->counts, struct count_value, value)
        cr_expect_eq(value->count, 2u);
    cr_expect_eq(state->runs.count, 4u);
    cr_expect_eq(state->sends.count, 3u);
}

/* ---- bytes that are no state */

Test(state, cut_off_at_any_byte_is_no_state_and_leaks_nothing)
{
    struct state_names names = first_rules();
    struct state *state = rich_state();
    str forms[] = {saved(state, &names), saved_whole(state, &names)};
    state_release(&pool, state);
    for (int whole = 0; whole < 2; whole++)
        for (size_t size = 0; size < forms[whole].size; size++) {
            cr_assert_null(loaded(&names, str_slice(forms[whole], 0, size)), "%zu of %zu bytes", size,
                           forms[whole].size);
            cr_assert_eq(pool.used, 0u);
        }
}

Test(state, with_a_byte_too_many_is_no_state)
{
    struct state_names names = first_rules();
    struct buffer out;
    buffer_init(&out, &arena);
    state_save(rich_state(), &names, &out);
    buffer_put_char(&out, '\0');
    cr_expect_null(loaded(&names, buffer_str(&out)));
}

static void change_any_byte(str (*save)(const struct state *, const struct state_names *))
{
    static const unsigned char values[] = {0x00, 0x7F, 0x80, 0x91, 0xC0, 0xCF, 0xD3, 0xDB, 0xDD, 0xDF, 0xFF};
    struct state_names names = first_rules();
    struct state *state = rich_state();
    str packed = save(state, &names);
    state_release(&pool, state);
    size_t accepted = 0;
    for (size_t at = 0; at < packed.size; at++)
        for (size_t v = 0; v < sizeof values; v++) {
            char *bytes = arena_copy(&arena, packed.data, packed.size);
            bytes[at] = (char)values[v];
            struct state *read = loaded(&names, (str){bytes, packed.size});
            if (!read) continue;
            accepted++;
            str again = saved(read, &names);
            struct state *twice = loaded(&names, again);
            cr_assert_not_null(twice, "byte %zu as 0x%02X", at, values[v]);
            cr_expect(str_equal(saved(twice, &names), again));
            state_release(&pool, read), state_release(&pool, twice);
            cr_assert_eq(pool.used, 0u);
            arena_reset(&arena);
            names = first_rules();
            state = rich_state();
            packed = save(state, &names);
            state_release(&pool, state);
        }
    cr_expect_gt(accepted, 0u);
}

/* Any byte changed to any of a handful of values: read as some state or none, never beyond the end, and what
 * is read can be written and read again. */
Test(state, with_any_byte_changed_is_read_safely)
{
    change_any_byte(saved);
}

Test(state, of_the_third_format_with_any_byte_changed_is_read_safely)
{
    change_any_byte(saved_whole);
}

Test(state, of_another_format_version_is_refused)
{
    struct state_names names = first_rules();
    cr_expect_null(loaded(&names, STR("\x83\xa1v\x04\xa1n\x01\xa1"
                                      "e\x01")));
    cr_expect_null(loaded(&names, STR("\x83\xa1v\x00\xa1n\x01\xa1"
                                      "e\x01")));
    cr_expect_null(loaded(&names, STR("\x82\xa1n\x01\xa1"
                                      "e\x01")),
                   "no version at all");
    cr_expect_null(loaded(&names, STR("\x84\xa1v\x01\xa1n\x01\xa1"
                                      "e\x01\xa1z\x01")),
                   "a part that nobody knows");
    cr_expect_null(loaded(&names, STR("\x83\xa2vv\x01\xa1n\x01\xa1"
                                      "e\x01")));
    cr_expect_not_null(loaded(&names, STR("\x83\xa1v\x01\xa1n\x01\xa1"
                                          "e\x01")));
    cr_expect_null(loaded(&names, STR("")));
    cr_expect_null(loaded(&names, STR("\xc0")));
}

/* {"v": 1, …, "c": {"views": [13, "p1", [490000, 7]]}}: with `by`, and without the time of its update. */
Test(state, of_the_first_format_is_read_too)
{
    struct state_names names = first_rules();
    struct state *state = loaded(&names, STR("\x84\xa1v\x01\xa1n\x01\xa1"
                                             "e\x01\xa1"
                                             "c\x81\xa5views\x93\x0d\xa2p1\x92\xce\x00\x07\x7a\x10\x07"));
    cr_assert_not_null(state);
    cr_assert_eq(state->counts.count, 1u);
    const struct count_value *value = state->counts.items;
    cr_expect(str_equal(bytes_str(value->by), STR("p1")));
    cr_expect_eq(value->updated_s, 0u);
    cr_assert_eq(value->buckets.count, 1u);
    cr_expect_eq(VECTOR_AT(value->buckets, struct bucket, 0)->n, 7);
    struct state *again = loaded(&names, saved(state, &names));
    cr_assert_not_null(again);
    cr_expect(str_equal(saved(again, &names), saved(state, &names)), "and is written in the present one");
}

/* {"v": 2, …, "i": [7, 11, 8, 12]}: ids without the types of their events, which hold for each of them. */
Test(state, ids_of_no_type_are_read_and_written_as_such)
{
    struct state_names names = first_rules();
    struct state *state = loaded(&names, STR("\x84\xa1v\x02\xa1n\x01\xa1"
                                             "e\x01\xa1"
                                             "i\x94\x07\x0b\x08\x0c"));
    cr_assert_not_null(state);
    state = loaded(&names, saved(state, &names));
    cr_assert_not_null(state);
    cr_assert_eq(state->seen.count, 2u);
    cr_expect_eq(seen_type(VECTOR_AT(state->seen, struct seen, 1)), NAME_NONE);
    cr_expect_eq(VECTOR_AT(state->seen, struct seen, 1)->id_hash, 8u);
    cr_expect_eq(seen_at_ms(VECTOR_AT(state->seen, struct seen, 1)), 12);
}

/* {"v": 2, "n": 9, "e": 9, "x": [event], "r": [["cart", "k1", 1, 30, 10, 12, "e", nil, [0], 1],
 *  ["cart", "k2", 0, 40, 10, 12, "e", "a", [0]]], "s": {"cart": 5, "gone": 6}, "o": [[20, "cart", nil, true]],
 *  "y": [["thanks", 60, 20148, "03-02"], ["winback", 70, 1740873600000, "x"]]} */
static str second_format(void)
{
    struct buffer out;
    buffer_init(&out, &arena);
    pack_map(&out, 8);
    pack_str(&out, STR("v")), pack_int(&out, 2), pack_str(&out, STR("n")), pack_int(&out, 9);
    pack_str(&out, STR("e")), pack_int(&out, 9);
    pack_str(&out, STR("x")), pack_array(&out, 1), pack_raw(&out, bytes_str(event("e", "view", 12)));
    pack_str(&out, STR("r")), pack_array(&out, 2);
    for (int waits = 0; waits < 2; waits++) {
        pack_array(&out, waits ? 9 : 10);
        pack_str(&out, STR("cart")), pack_str(&out, waits ? STR("k2") : STR("k1"));
        pack_int(&out, waits ? 0 : 1), pack_int(&out, waits ? 40 : 30), pack_int(&out, 10),
            pack_int(&out, 12);
        pack_str(&out, STR("e"));
        if (waits)
            pack_str(&out, STR("a"));
        else
            pack_nil(&out);
        pack_array(&out, 1), pack_uint(&out, 0);
        if (!waits) pack_int(&out, 1);
    }
    pack_str(&out, STR("s")), pack_map(&out, 2), pack_str(&out, STR("cart")), pack_int(&out, 5);
    pack_str(&out, STR("gone")), pack_int(&out, 6);
    pack_str(&out, STR("o")), pack_array(&out, 1), pack_array(&out, 4), pack_int(&out, 20);
    pack_str(&out, STR("cart")), pack_nil(&out), pack_bool(&out, true);
    pack_str(&out, STR("y")), pack_array(&out, 2);
    pack_array(&out, 4), pack_str(&out, STR("thanks")), pack_int(&out, 60), pack_int(&out, 20148),
        pack_str(&out, STR("03-02"));
    pack_array(&out, 4), pack_str(&out, STR("winback")), pack_int(&out, 70), pack_int(&out, 1740873600000),
        pack_str(&out, STR("x"));
    return buffer_str(&out);
}

static void expect_second_format(const struct state *state)
{
    cr_assert_eq(state->runs.count, 2u);
    const struct run *runs = state->runs.items;
    cr_expect_eq(runs[0].said, 1u);
    cr_expect_eq(runs[0].sent, 1u,
                 "it is behind its first step, and is not to be cooled down by its own send");
    cr_expect_eq(runs[0].first_due_ms, 30);
    cr_expect_eq(runs[1].said, 0u);
    cr_expect_eq(runs[1].sent, 0u);
    cr_expect_eq(runs[1].base_ms, STATE_NO_TIME);
    cr_expect_eq(runs[1].outcome, STATE_OUTCOME_NONE);
    cr_assert_eq(state->cooldowns.count, 1u);
    const struct cooldown *cooldown = state->cooldowns.items;
    cr_expect_null(cooldown->key);
    cr_expect_eq(cooldown->sent_ms, 5);
    cr_expect_eq(state->overtakers.count + state->past_overtakers.count, 0u);
    cr_assert_eq(state->dates.count, 2u);
    cr_expect_eq(VECTOR_AT(state->dates, struct date_wait, 0)->fired_ms, 20148 * (int64_t)86400000);
    cr_expect_eq(VECTOR_AT(state->dates, struct date_wait, 1)->fired_ms, 1740873600000);
}

Test(state, of_the_second_format_is_read_too)
{
    struct state_names names = first_rules();
    struct state *state = loaded(&names, second_format());
    cr_assert_not_null(state);
    expect_second_format(state);
    struct state *again = loaded(&names, saved(state, &names));
    cr_assert_not_null(again, "and is written in the present one");
    expect_second_format(again);
}

/* One run, written by hand: `time` in its places, `triggers` triggers. */
static str one_run(int64_t due_ms, int64_t step, size_t triggers, bool whole_event)
{
    struct buffer out;
    buffer_init(&out, &arena);
    pack_map(&out, 4);
    pack_str(&out, STR("v")), pack_int(&out, 1), pack_str(&out, STR("n")), pack_int(&out, 0),
        pack_str(&out, STR("e")), pack_int(&out, 0);
    pack_str(&out, STR("r")), pack_array(&out, 1), pack_array(&out, 9);
    pack_str(&out, STR("cart")), pack_str(&out, STR("k")), pack_int(&out, step), pack_int(&out, due_ms);
    pack_int(&out, 0), pack_int(&out, 0), pack_str(&out, STR("e")), pack_nil(&out);
    pack_array(&out, triggers);
    for (size_t i = 0; i < triggers; i++) {
        if (whole_event)
            pack_raw(&out, bytes_str(event("e", "view", 0)));
        else
            pack_map(&out, 0);
    }
    return buffer_str(&out);
}

Test(state, a_run_needs_its_trigger)
{
    struct state_names names = first_rules();
    cr_expect_not_null(loaded(&names, one_run(0, 0, 1, true)));
    cr_expect_null(loaded(&names, one_run(0, 0, 0, true)), "the action could not say what triggered it");
    cr_expect_null(loaded(&names, one_run(0, 0, 1, false)), "nor from an event without id, type and time");
}

Test(state, instants_and_steps_out_of_bounds_are_no_state)
{
    struct state_names names = first_rules();
    cr_expect_not_null(loaded(&names, one_run(STATE_TIME_MAX, 0, 1, true)));
    cr_expect_null(loaded(&names, one_run(STATE_TIME_MAX + 1, 0, 1, true)));
    cr_expect_not_null(loaded(&names, one_run(-STATE_TIME_MAX, 0, 1, true)));
    cr_expect_null(loaded(&names, one_run(-STATE_TIME_MAX - 1, 0, 1, true)));
    cr_expect_null(loaded(&names, one_run(INT64_MIN, 0, 1, true)));
    cr_expect_not_null(loaded(&names, one_run(0, INT32_MAX, 1, true)));
    cr_expect_null(loaded(&names, one_run(0, (int64_t)INT32_MAX + 1, 1, true)));
    cr_expect_null(loaded(&names, one_run(0, -1, 1, true)));
}

/* One count of one bucket, written by hand, for life. */
static str one_bucket(int64_t index, int64_t n)
{
    struct buffer out;
    buffer_init(&out, &arena);
    pack_map(&out, 4);
    pack_str(&out, STR("v")), pack_int(&out, 1), pack_str(&out, STR("n")), pack_int(&out, 0),
        pack_str(&out, STR("e")), pack_int(&out, 0);
    pack_str(&out, STR("c")), pack_map(&out, 1), pack_str(&out, STR("orders"));
    pack_array(&out, 3), pack_int(&out, 0), pack_nil(&out), pack_array(&out, 2), pack_int(&out, index),
        pack_int(&out, n);
    return buffer_str(&out);
}

Test(state, counts_beyond_reason_are_no_state)
{
    struct state_names names = first_rules();
    cr_expect_not_null(loaded(&names, one_bucket(0, STATE_COUNT_MAX)));
    cr_expect_null(loaded(&names, one_bucket(0, STATE_COUNT_MAX + 1)));
    cr_expect_null(loaded(&names, one_bucket(0, -1)));
    cr_expect_not_null(loaded(&names, one_bucket(253402300799999, 1)), "the end of the year 9999");
    cr_expect_null(loaded(&names, one_bucket(253402300800000, 1)));
    cr_expect_null(loaded(&names, one_bucket(INT64_MIN, 1)));
}

static const int64_t form_widths[] = {0, 1000, 10000, 60000, 600000, 3600000, 21600000, 86400000};
enum { FORM_WIDTHS = sizeof form_widths / sizeof *form_widths };

/* Of a count that keeps the last value one number is saved, whatever the width. */
Test(state, forms_of_counts_differ_in_width_kind_and_key)
{
    bool seen[256] = {false};
    for (size_t i = 0; i < FORM_WIDTHS; i++)
        for (enum count_kind kind = COUNT_EVENTS; kind <= COUNT_MAX; kind++)
            for (int keyed = 0; keyed < 2 && (kind != COUNT_LAST || i == 0); keyed++) {
                uint8_t form = state_count_form(form_widths[i], kind, keyed);
                cr_expect(!seen[form] && form < 94, "%d: one sign each in `since`", form);
                cr_expect_eq(state_form_kind(form), kind);
                cr_expect_eq(state_form_is_keyed(form), keyed);
                seen[form] = true;
            }
    cr_expect_eq(state_count_form(1000, COUNT_LAST, true), state_count_form(86400000, COUNT_LAST, true));
    cr_expect_eq(state_count_form(86400000, COUNT_SUM, false), 18, "as ever");
}

Test(state, a_count_goes_on_in_finer_buckets_and_in_no_others)
{
    uint8_t day = state_count_form(86400000, COUNT_SUM, true),
            hours = state_count_form(21600000, COUNT_SUM, true);
    cr_expect_eq(state_form_split(day, hours), 4);
    cr_expect_eq(state_form_split(day, day), 1);
    cr_expect_eq(state_form_split(hours, day), 0);
    cr_expect_eq(state_form_split(day, state_count_form(21600000, COUNT_EVENTS, true)), 0);
    cr_expect_eq(state_form_split(day, state_count_form(21600000, COUNT_SUM, false)), 0);
    cr_expect_eq(state_form_split(day, state_count_form(0, COUNT_SUM, true)), 0);
    cr_expect_eq(state_form_split(state_count_form(0, COUNT_SUM, true), day), 0);
    for (int form = 0; form < 256; form++)
        for (size_t i = 0; i < FORM_WIDTHS; i++)
            state_form_split((uint8_t)form, state_count_form(form_widths[i], COUNT_MAX, false));
}

/* Bucket 490000 of an hour is six of ten minutes: what it holds leaves when its first minute does, as before. */
Test(state, what_stood_in_a_coarser_bucket_stands_in_the_first_of_the_finer_ones)
{
    struct state_names before = first_rules(), after = first_rules();
    static const uint8_t forms[] = {0, 18, 25};
    after.count_forms = forms;
    struct state *state = loaded(&after, saved(rich_state(), &before));
    cr_assert_not_null(state);
    cr_assert_eq(state->counts.count, 4u);
    const struct count_value *views = VECTOR_AT(state->counts, struct count_value, 2);
    cr_assert_eq(views->buckets.count, 2u);
    cr_expect_eq(VECTOR_AT(views->buckets, struct bucket, 1)->index, 490001 * 6);
    cr_expect_eq(VECTOR_AT(views->buckets, struct bucket, 1)->n, 2);
}

Test(state, a_kept_number_comes_back_with_its_time)
{
    struct state_names names = first_rules();
    const uint8_t forms[] = {0, state_count_form(0, COUNT_LAST, false), 13};
    names.count_forms = forms;
    struct state *state = state_new(&pool);
    add_count(state, 1, NULL, 1, -0.5);
    VECTOR_AT(VECTOR_AT(state->counts, struct count_value, 0)->buckets, struct bucket, 0)->index =
        1772445600120;
    struct state *back = loaded(&names, saved(state, &names));
    cr_assert_not_null(back);
    const struct bucket *last = VECTOR_AT(back->counts, struct count_value, 0)->buckets.items;
    cr_expect_eq(last->index, 1772445600120);
    cr_expect_eq(last->number, -0.5);
}
