/* Counting: what comes out is a function of what each customer did, and of nothing else. */
#include "learn/counts.h"
#include "learn/model.h"

#include "base/limits.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define DAY_MS   86400000LL
#define START_MS (20000 * DAY_MS)

static const struct relance_learn_recipe views = {
    .recipe = 7, .within_ms = DAY_MS, .half_life_ms = 60 * DAY_MS, .lift = 300, .least = 1};

static struct relance_learn *learner_of(const struct relance_learn_recipe *recipe)
{
    struct relance_learn *learn = relance_learn_new(recipe);
    cr_assert(learn);
    relance_learn_state(learn, START_MS);
    return learn;
}

static uint64_t customer_of(uint64_t number)
{
    return str_hash((str){(const char *)&number, sizeof number});
}

static void came(struct relance_learn *learn, uint64_t customer, str product, int64_t at_ms)
{
    relance_learn_count(learn, &(struct relance_learn_event){customer_of(customer), &product, 1, at_ms, 1});
}

/* What a version lists for a product, as one text. */
static const char *listed(struct relance_learn *learn, str product)
{
    static char text[2048];
    struct relance_partner out[RELANCE_MODEL_PARTNERS];
    struct relance_str bytes;
    struct relance_model *model = relance_learn_version(learn, START_MS, NULL, true, &bytes);
    cr_assert(model);
    size_t count = relance_model_partners(model, product, RELANCE_MODEL_PARTNERS, out), at = 0;
    text[0] = '\0';
    for (size_t i = 0; i < count; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%.*s", i ? " " : "", STR_ARG(out[i].product));
    relance_model_release(model);
    return text;
}

TestSuite(learn, .timeout = 120);

Test(learn, lists_what_came_after_and_less_what_came_before)
{
    struct relance_learn *learn = learner_of(&views);
    came(learn, 1, STR("tent"), START_MS);
    came(learn, 1, STR("mat"), START_MS + 1000);
    came(learn, 1, STR("lamp"), START_MS + 2000);
    cr_expect_str_eq(listed(learn, STR("tent")), "mat lamp");
    cr_expect_str_eq(listed(learn, STR("mat")), "lamp tent");
    cr_expect_str_eq(listed(learn, STR("lamp")), "mat tent");
    relance_learn_free(learn);
}

Test(learn, counts_no_pair_beyond_its_time_nor_twice_in_a_row)
{
    struct relance_learn *learn = learner_of(&views);
    came(learn, 1, STR("tent"), START_MS);
    came(learn, 1, STR("mat"), START_MS + DAY_MS + 1000);
    cr_expect_str_eq(listed(learn, STR("tent")), "");
    came(learn, 2, STR("a"), START_MS);
    for (int i = 0; i < 50; i++) {
        came(learn, 2, STR("b"), START_MS);
        came(learn, 2, STR("a"), START_MS);
    }
    pairs_flush(&learn->pairs);
    cr_expect_eq(learn->pairs.count, 1u, "once a after b would be a second one");
    relance_learn_free(learn);
}

Test(learn, lists_only_what_enough_customers_made)
{
    struct relance_learn_recipe three = views;
    three.least = 3;
    struct relance_learn *learn = learner_of(&three);
    static const str others[] = {STR("p"), STR("q"), STR("r"), STR("s"), STR("t"), STR("u")};
    for (int i = 0; i < 40; i++) { /* two people who never tire */
        came(learn, 1, STR("tent"), START_MS + i * 1000);
        came(learn, 2, STR("tent"), START_MS + i * 1000);
        for (size_t j = 0; j < 6; j++) {
            came(learn, 1, others[j], START_MS + i * 1000);
            came(learn, 2, others[j], START_MS + i * 1000);
        }
    }
    cr_expect_str_eq(listed(learn, STR("tent")), "");
    for (uint64_t customer = 10; customer < 20; customer++) {
        came(learn, customer, STR("tent"), START_MS);
        came(learn, customer, STR("mat"), START_MS);
    }
    cr_expect_str_eq(listed(learn, STR("tent")), "mat");
    relance_learn_free(learn);
}

Test(learn, bounds_a_robot_s_day)
{
    struct relance_learn *learn = learner_of(&views);
    char name[32];
    for (int i = 0; i < LIMIT_PRODUCTS_A_DAY + 100; i++) {
        int size = snprintf(name, sizeof name, "p%d", i);
        came(learn, 1, (str){name, (size_t)size}, START_MS);
    }
    cr_expect_eq(learn->products.count, (uint32_t)LIMIT_PRODUCTS_A_DAY);
    came(learn, 1, STR("next day"), START_MS + DAY_MS);
    came(learn, 1, STR("the day before, once more"), START_MS);
    cr_expect_eq(learn->products.count, LIMIT_PRODUCTS_A_DAY + 2u);
    relance_learn_free(learn);
}

Test(learn, takes_no_name_that_is_none)
{
    struct relance_learn *learn = learner_of(&views);
    char longest[LIMIT_PRODUCT_BYTES + 1];
    memset(longest, 'x', sizeof longest);
    const str names[] = {
        STR(""),  STR("*"), STR("#"), STR("\xff"), {longest, sizeof longest}, {longest, sizeof longest - 1},
        STR("ok")};
    relance_learn_count(learn, &(struct relance_learn_event){1, names, 7, START_MS, 1});
    cr_expect_eq(learn->products.count, 2u);
    cr_expect_str_eq(listed(learn, (str){longest, LIMIT_PRODUCT_BYTES}), "ok");
    relance_learn_free(learn);
}

Test(learn, takes_the_first_products_of_an_event)
{
    struct relance_learn *learn = learner_of(&views);
    char texts[LIMIT_PRODUCTS_AT_ONCE + 1][8];
    str names[LIMIT_PRODUCTS_AT_ONCE + 1];
    for (size_t i = 0; i <= LIMIT_PRODUCTS_AT_ONCE; i++)
        names[i] = (str){texts[i], (size_t)snprintf(texts[i], sizeof texts[i], "p%zu", i)};
    relance_learn_count(learn,
                        &(struct relance_learn_event){1, names, LIMIT_PRODUCTS_AT_ONCE + 1, START_MS, 1});
    cr_expect_eq(learn->products.count, (uint32_t)LIMIT_PRODUCTS_AT_ONCE);
    relance_learn_free(learn);
}

Test(learn, weighs_twice_as_much_a_half_life_later)
{
    struct decay decay;
    decay_init(&decay, 60 * DAY_MS);
    cr_expect_eq(decay_factor(&decay, 0), 256u);
    cr_expect_eq(decay_factor(&decay, 60 * DAY_MS), 512u);
    cr_expect_eq(decay_factor(&decay, 30 * DAY_MS), 362u);
    cr_expect_eq(decay_factor(&decay, -60 * DAY_MS), 128u);
    cr_expect_eq(decay_factor(&decay, -6000 * DAY_MS), 0u);
    cr_expect_eq(decay_factor(&decay, INT64_MAX), 256u << 4, "no one's clock outweighs all others");
    cr_expect_eq(decay_factor(&decay, INT64_MIN), 0u);
    cr_expect_eq(decay_log(&decay, 1), 0);
    cr_expect_eq(decay_log(&decay, 1 << 20), 20 * LOG_ONE);
    cr_expect_eq(decay_log(&decay, 3) / 64, 1623, "log2(3) = 1.58496");
}

/* A small shop: so many customers, each with a history of its own. */
enum { CUSTOMERS = 200, EVENTS = 12, PRODUCTS = 80, DAYS = 4 };

struct happening {
    uint64_t customer;
    int64_t at_ms;
    unsigned product;
};

static unsigned drawn(unsigned *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 16;
}

/* What happens on a day, one customer behind the other. */
static size_t day_of(int day, struct happening *out)
{
    size_t count = 0;
    unsigned seed = (unsigned)day * 7919 + 1;
    for (uint64_t customer = 0; customer < CUSTOMERS; customer++)
        for (int i = 0; i < EVENTS; i++) {
            unsigned product = drawn(&seed) % PRODUCTS * (drawn(&seed) % PRODUCTS) / PRODUCTS;
            out[count++] = (struct happening){customer, START_MS + day * DAY_MS + i * 60000, product};
        }
    return count;
}

static void happen(struct relance_learn *learn, const struct happening *what)
{
    char name[16];
    int size = snprintf(name, sizeof name, "p%u", what->product);
    came(learn, what->customer, (str){name, (size_t)size}, what->at_ms);
}

/* The same, customers mixed as `seed` says; each customer's own order stays. */
static void day_mixed(struct relance_learn *learn, int day, unsigned seed)
{
    static struct happening all[CUSTOMERS * EVENTS];
    size_t next[CUSTOMERS] = {0}, left = day_of(day, all);
    while (left) {
        unsigned customer = drawn(&seed) % CUSTOMERS;
        if (seed == 0) seed = 1;
        while (next[customer] == EVENTS)
            customer = (customer + 1) % CUSTOMERS;
        happen(learn, &all[customer * EVENTS + next[customer]++]);
        left--;
    }
}

/* Chains of all versions and states, with a state each day. */
static uint64_t lived(struct relance_learn *learn, unsigned seed)
{
    struct relance_model *model = NULL;
    for (int day = 0; day < DAYS; day++) {
        day_mixed(learn, day, seed + (unsigned)day);
        struct relance_str bytes;
        int64_t at_ms = START_MS + (day + 1) * DAY_MS;
        struct relance_model *next = relance_learn_version(learn, at_ms, model, false, &bytes);
        cr_assert(next);
        relance_model_release(model);
        model = next;
        relance_learn_state(learn, at_ms);
    }
    uint64_t chain = relance_model_about(model)->chain ^ learn->chain;
    cr_expect_gt(relance_model_product_count(model), 20u);
    relance_model_release(model);
    return chain;
}

Test(learn, comes_to_the_same_however_customers_are_interleaved)
{
    struct relance_learn *learn = learner_of(&views);
    uint64_t chain = lived(learn, 1);
    relance_learn_free(learn);
    for (unsigned seed = 2; seed < 12; seed++) {
        learn = learner_of(&views);
        cr_expect_eq(lived(learn, seed * 1000), chain);
        relance_learn_free(learn);
    }
}

static void copied(struct buffer *to, struct relance_str bytes)
{
    to->size = 0;
    buffer_put_str(to, bytes);
}

/* Partitions of an input that nobody has counted before: whichever is read first, and though their half-lives differ. */
Test(learn, comes_to_the_same_whichever_partition_is_read_first)
{
    enum { PARTITIONS = 3, ORDERS = 6 };
    static const int orders[ORDERS][PARTITIONS] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                                   {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    static const str names[] = {STR("tent"), STR("mat"), STR("lamp"), STR("rope"), STR("mug")};
    struct buffer state = {0};
    for (int order = 0; order < ORDERS; order++) {
        struct relance_learn *learn = relance_learn_new(&views);
        for (int i = 0; i < PARTITIONS; i++) {
            int partition = orders[order][i];
            int64_t began_ms = START_MS + partition * 100 * DAY_MS;
            for (int n = 0; n < 40; n++)
                came(learn, (uint64_t)(partition * 40 + n / 2), names[n * (partition + 2) % 5],
                     began_ms + n * DAY_MS / 2);
        }
        cr_expect_str_eq(listed(learn, STR("tent")), "mug mat rope lamp");
        struct relance_str bytes = relance_learn_state(learn, START_MS + 300 * DAY_MS);
        if (!order) copied(&state, bytes);
        cr_expect(str_equal(bytes, buffer_str(&state)));
        relance_learn_free(learn);
    }
    buffer_free(&state);
}

/* Nor by one from the future: it weighs more, and all else what it did. */
Test(learn, is_not_led_astray_by_an_event_from_the_future)
{
    struct relance_learn *learn = relance_learn_new(&views);
    came(learn, 1, STR("tent"), START_MS + 40000 * DAY_MS);
    came(learn, 1, STR("axe"), START_MS + 40000 * DAY_MS);
    for (uint64_t customer = 2; customer < 40; customer++)
        came(learn, customer, STR("tent"), START_MS), came(learn, customer, STR("mat"), START_MS);
    cr_expect_str_eq(listed(learn, STR("tent")), "mat axe");
    relance_learn_state(learn, START_MS);
    came(learn, 50, STR("tent"), START_MS + DAY_MS), came(learn, 50, STR("lamp"), START_MS + DAY_MS);
    cr_expect_str_eq(listed(learn, STR("tent")), "mat axe lamp");
    relance_learn_free(learn);
}

Test(learn, forgets_what_a_customer_came_to_last_and_no_sum)
{
    struct relance_learn *learn = learner_of(&views), *other = learner_of(&views);
    struct buffer state = {0};
    for (uint64_t customer = 0; customer < 600; customer++) {
        came(learn, customer, STR("tent"), START_MS), came(learn, customer, STR("mat"), START_MS + 1000);
        came(other, customer, STR("tent"), START_MS), came(other, customer, STR("mat"), START_MS + 1000);
    }
    relance_learn_forget(learn, customer_of(1000));
    copied(&state, relance_learn_state(learn, START_MS));
    cr_expect(str_equal(buffer_str(&state), relance_learn_state(other, START_MS)), "nobody knows of him");
    for (uint64_t customer = 0; customer < 600; customer += 2)
        relance_learn_forget(learn, customer_of(customer));
    came(learn, 4, STR("lamp"), START_MS + 2000);
    cr_expect_str_eq(listed(learn, STR("tent")), "mat", "the lamp came after nothing");
    relance_learn_state(learn, START_MS + 3000);
    cr_expect_eq(learn->windows.count, 301u, "the others', and what came of one behind it");
    buffer_free(&state);
    relance_learn_free(learn);
    relance_learn_free(other);
}

/* A first event from long ago, as a clock that was not set yet makes them, is outweighed, and nothing else is lost. */
Test(learn, is_not_led_astray_by_a_first_event_of_1970)
{
    struct relance_learn *learn = relance_learn_new(&views), *other = relance_learn_new(&views);
    struct buffer state = {0};
    came(learn, 1, STR("tent"), 0);
    came(learn, 1, STR("axe"), 1000);
    for (uint64_t customer = 2; customer < 6; customer++) {
        came(learn, customer, STR("tent"), START_MS), came(learn, customer, STR("mat"), START_MS);
        came(other, customer, STR("tent"), START_MS), came(other, customer, STR("mat"), START_MS);
    }
    copied(&state, relance_learn_state(learn, START_MS));
    cr_expect(str_equal(buffer_str(&state), relance_learn_state(other, START_MS)));
    cr_expect_str_eq(listed(learn, STR("tent")), "mat");
    buffer_free(&state);
    relance_learn_free(learn);
    relance_learn_free(other);
}

/* Who starts from a state goes on as who made it, and as who counted all days from the first. */
Test(learn, goes_on_from_a_state_as_if_it_had_counted_all)
{
    struct relance_learn *first = learner_of(&views), *second = relance_learn_new(&views);
    struct buffer state = {0}, last = {0};
    struct relance_error error;
    for (int day = 0; day < 2; day++) {
        day_mixed(first, day, 5);
        copied(&state, relance_learn_state(first, START_MS + (day + 1) * DAY_MS));
    }
    cr_assert_eq(relance_learn_restore(second, buffer_str(&state), &error), RELANCE_OK, "%s", error.message);
    for (int day = 2; day < DAYS; day++) {
        day_mixed(first, day, 5);
        day_mixed(second, day, 99);
        struct relance_str bytes;
        struct relance_model *model = relance_learn_version(first, START_MS, NULL, true, &bytes);
        copied(&last, bytes);
        relance_model_release(model);
        model = relance_learn_version(second, START_MS, NULL, true, &bytes);
        cr_expect(str_equal(bytes, buffer_str(&last)));
        relance_model_release(model);
        copied(&state, relance_learn_state(first, START_MS + (day + 1) * DAY_MS));
        cr_expect(str_equal(buffer_str(&state), relance_learn_state(second, START_MS + (day + 1) * DAY_MS)));
    }
    buffer_free(&state);
    buffer_free(&last);
    relance_learn_free(first);
    relance_learn_free(second);
}

Test(learn, makes_deltas_that_come_to_the_full_version)
{
    struct relance_learn *learn = learner_of(&views);
    struct relance_str bytes;
    struct relance_error error;
    struct relance_model *read, *made, *full;
    day_mixed(learn, 0, 1);
    relance_model_release(relance_learn_version(learn, START_MS, NULL, true, &bytes));
    cr_assert_eq(relance_model_read(bytes, &read, &error), RELANCE_OK, "%s", error.message);
    for (int day = 1; day < DAYS; day++) {
        day_mixed(learn, day, 1);
        made = relance_learn_version(learn, START_MS + day * DAY_MS, read, false, &bytes);
        struct relance_model *next;
        cr_assert_eq(relance_model_apply(read, bytes, &next, &error), RELANCE_OK, "%s", error.message);
        cr_expect_eq(relance_model_about(next)->chain, relance_model_about(made)->chain);
        full = relance_learn_version(learn, START_MS + day * DAY_MS, read, true, &bytes);
        cr_expect_eq(full->count, next->count);
        cr_expect_eq(memcmp(full->list_ends, next->list_ends, full->count * sizeof *full->list_ends), 0);
        size_t partners = full->list_ends[full->count - 1];
        cr_expect_eq(memcmp(full->partners, next->partners, partners * sizeof *full->partners), 0);
        cr_expect_eq(memcmp(full->weights, next->weights, partners * sizeof *full->weights), 0);
        relance_model_release(full);
        relance_model_release(made);
        relance_model_release(read);
        read = next;
    }
    relance_model_release(read);
    relance_learn_free(learn);
}

Test(learn, refuses_states_of_others_and_broken_ones)
{
    struct relance_learn *learn = learner_of(&views), *other = relance_learn_new(&views);
    struct relance_error error;
    struct buffer state = {0};
    for (uint64_t i = 0; i < 4; i++)
        came(learn, i, i % 2 ? STR("tent") : STR("mat"), START_MS), came(learn, i, STR("lamp"), START_MS);
    copied(&state, relance_learn_state(learn, START_MS));
    for (size_t size = 0; size < state.size; size++)
        cr_expect_eq(relance_learn_restore(other, (str){state.data, size}, &error), RELANCE_INVALID);
    for (size_t bit = 0; bit < state.size * 8; bit++) {
        state.data[bit / 8] ^= (char)(1 << bit % 8);
        if (relance_learn_restore(other, buffer_str(&state), &error) == RELANCE_OK) {
            came(other, 1, STR("axe"), START_MS);
            relance_learn_state(other, START_MS);
        }
        state.data[bit / 8] ^= (char)(1 << bit % 8);
    }
    other->recipe.recipe = 8;
    cr_expect_eq(relance_learn_restore(other, buffer_str(&state), &error), RELANCE_INVALID);
    buffer_free(&state);
    relance_learn_free(learn);
    relance_learn_free(other);
}
