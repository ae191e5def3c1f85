/* The learner that runs, over servers in memory: what it publishes is a function of the input, whatever becomes of it. */
#include "world.h"
#include "base/str.h"
#include "host/log.h"
#include "learn/live.h"
#include "learn/verify.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define DAY_MS   INT64_C(86400000)
#define START_MS (20000 * DAY_MS)

static struct options options = {
    .group = "g", .input = "in", .output = "out", .every = 3600000, .learn_bytes = 1 << 30};

/* Customers of each partition, half-lives apart from those of the others, and so many of them in each phase. */
static void shop(int phases)
{
    static const char *const products[] = {"tent", "mat", "lamp", "rope", "mug", "cup", "pan"};
    char customer[16];
    for (int phase = 0; phase < phases; phase++)
        for (int p = 0; p < WORLD_PARTITIONS; p++)
            for (int n = 0; n < 24; n++) {
                snprintf(customer, sizeof customer, "c%d-%d", p, n / 4);
                world_happen(p, phase, customer, products[(n * (p + 2) + phase) % 7],
                             START_MS + (p * 3 + phase) * DAY_MS + n * 3600000);
            }
}

static void quiet(void)
{
    log_set_level("error");
    cr_assert(freopen("/dev/null", "w", stdout));
}

TestSuite(learner, .timeout = 120);

Test(learner, comes_to_the_same_whichever_partition_is_read_first)
{
    struct relance_ruleset *rules = world_rules();
    struct buffer version = {0}, state = {0};
    quiet();
    shop(1);
    for (unsigned seed = 0; seed < 40; seed++) {
        world_reset();
        world_restart(seed * 7919, 0);
        cr_assert_eq(learn_live(&options, rules), 0);
        cr_assert_eq(world.committed, 2);
        cr_expect_eq(world_head(0).kind, PARCEL_FULL);
        if (!seed) buffer_put_str(&version, buffer_str(&world.topic[0].bytes));
        if (!seed) buffer_put_str(&state, buffer_str(&world.topic[1].bytes));
        cr_expect(str_equal(buffer_str(&version), buffer_str(&world.topic[0].bytes)), "seed %u", seed);
        cr_expect(str_equal(buffer_str(&state), buffer_str(&world.topic[1].bytes)), "seed %u", seed);
    }
    buffer_free(&version);
    buffer_free(&state);
    world_reset();
    relance_ruleset_free(rules);
}

/* Each is the one after that before it, and each comes out equal when it is counted again. */
static int verified(const struct relance_ruleset *rules)
{
    uint64_t chain = 0;
    int versions = 0;
    for (int i = 0; i < world.committed; i++) {
        struct parcel_head head = world_head(i);
        if (head.kind == PARCEL_STATE) continue;
        cr_expect_eq(head.number, (uint64_t)++versions);
        cr_expect_eq(head.base, chain);
        chain = head.chain;
    }
    for (options.verify = 1; options.verify <= versions; options.verify++) {
        world_restart(4711 + (unsigned)options.verify, 0);
        cr_expect_eq(learn_verify(&options, rules), 0, "version %d", (int)options.verify);
    }
    return versions;
}

Test(learner, each_version_can_be_counted_again)
{
    struct relance_ruleset *rules = world_rules();
    quiet();
    shop(8);
    world_restart(1, 0);
    cr_assert_eq(learn_live(&options, rules), 0);
    cr_expect_eq(verified(rules), 8);
    int deltas = 0;
    for (int i = 0; i < world.committed; i++)
        deltas += world_head(i).kind == PARCEL_DELTA;
    cr_expect_geq(deltas, 4);
    world_reset();
    relance_ruleset_free(rules);
}

Test(learner, may_be_killed_at_each_call)
{
    struct relance_ruleset *rules = world_rules();
    quiet();
    shop(4);
    int kills = 0;
    for (bool killed = true; killed; kills++) {
        world_reset();
        world_restart((unsigned)kills, kills + 1);
        (void)learn_live(&options, rules);
        killed = world.calls >= world.killed_at;
        world_restart((unsigned)kills * 31, 0);
        cr_assert_eq(learn_live(&options, rules), 0);
        cr_expect_geq(verified(rules), 1, "killed at call %d", kills + 1);
        cr_expect_eq(world_head(world.committed - 1).kind == PARCEL_STATE ||
                         world_head(world.committed - 1).kind == PARCEL_DELTA,
                     true);
    }
    cr_expect_gt(kills, 60);
    world_reset();
    relance_ruleset_free(rules);
}

/* A producer's clock is years ahead, that of its records, too. */
Test(learner, learns_on_beside_an_event_from_the_future)
{
    struct relance_ruleset *rules = world_rules();
    struct relance_model *model;
    struct relance_error error;
    struct relance_partner list[RELANCE_MODEL_PARTNERS];
    char customer[16];
    quiet();
    for (int phase = 0; phase < 3; phase++) {
        world_happen(0, phase, "eva", phase ? "axe" : "tent", START_MS + 40000 * DAY_MS);
        for (int i = 0; i < 20; i++) {
            snprintf(customer, sizeof customer, "c%d-%d", phase, i);
            world_happen(1, phase, customer, "tent", START_MS + phase * DAY_MS);
            world_happen(1, phase, customer, phase ? "lamp" : "mat", START_MS + phase * DAY_MS);
        }
    }
    world_restart(1, 0);
    cr_assert_eq(learn_live(&options, rules), 0);
    world_happen(1, 2, "dora", "mug", START_MS + 3 * DAY_MS);
    world_restart(2, 0);
    cr_assert_eq(learn_live(&options, rules), 0);
    int last = world.committed - 2;
    cr_assert(last > 1 && world_head(last).kind == PARCEL_FULL);
    cr_expect_leq(world_head(last).at_ms, WORLD_WALL_MS + world.now_us / 1000);
    cr_assert_eq(relance_model_read(buffer_str(&world.topic[last].bytes), &model, &error), RELANCE_OK);
    cr_assert_geq(relance_model_partners(model, STR("tent"), RELANCE_MODEL_PARTNERS, list), 2u);
    cr_expect(str_equal(list[0].product, STR("lamp")) && str_equal(list[1].product, STR("mat")));
    relance_model_release(model);
    cr_expect_eq(verified(rules), 4);
    world_reset();
    relance_ruleset_free(rules);
}

/* Whom the input forgets, the next state no longer knows, and what is counted again forgets them at the same place. */
Test(learner, forgets_a_customer_with_the_next_state)
{
    struct relance_ruleset *rules = world_rules();
    const uint64_t anna = str_hash(STR("anna"));
    quiet();
    world_happen(0, 0, "anna", "tent", START_MS);
    world_happen(0, 1, "anna", "mat", START_MS + 1000);
    world_happen(0, 2, "anna", NULL, START_MS + 1000);
    world_happen(0, 2, "bert", "mat", START_MS + 1000);
    world_restart(1, 0);
    cr_assert_eq(learn_live(&options, rules), 0);
    world_happen(0, 2, "bert", "lamp", START_MS + 1000);
    world_restart(2, 0); /* that makes a state behind it */
    cr_assert_eq(learn_live(&options, rules), 0);
    const struct buffer *first = &world.topic[1].bytes, *last = &world.topic[world.committed - 1].bytes;
    cr_assert(world_head(1).kind == PARCEL_STATE && world_head(world.committed - 1).kind == PARCEL_STATE);
    cr_expect(memmem(first->data, first->size, &anna, sizeof anna));
    cr_expect_not(memmem(last->data, last->size, &anna, sizeof anna));
    cr_expect_eq(verified(rules), 4);
    world_reset();
    relance_ruleset_free(rules);
}

/* Memory is bounded also while a long log is read for the first time, and states make no version another one. */
Test(learner, makes_states_between_versions_where_counts_grow)
{
    struct relance_ruleset *rules = world_rules();
    quiet();
    shop(3);
    options.learn_bytes = 1;
    world_restart(1, 0);
    cr_assert_eq(learn_live(&options, rules), 0);
    int states = 0;
    for (int i = 0; i < world.committed; i++)
        states += world_head(i).kind == PARCEL_STATE;
    cr_expect_gt(states, 1);
    cr_expect_geq(verified(rules), 3);
    world_reset();
    relance_ruleset_free(rules);
}

/* Redis goes when all has been counted, and comes back without what it had: no version is to come. */
Test(learner, gives_its_lists_again_to_a_redis_that_has_lost_them)
{
    struct relance_ruleset *rules = world_rules();
    log_set_level("error");
    shop(2);
    options.redis = "redis://none";
    world.redis_goes = 2;
    for (world.redis_comes = 2; world.redis_comes < WORLD_RESTS; world.redis_comes += 2) {
        world_reset();
        world_restart(1, 0);
        cr_assert_eq(learn_live(&options, rules), 0);
        cr_expect_eq(world.redis_number, 2u);
    }
    world.redis_comes = WORLD_RESTS + 1;
    world_restart(1, 0);
    cr_assert_eq(learn_live(&options, rules), 0);
    cr_expect_eq(world.redis_number, 0u);
    world_reset();
    relance_ruleset_free(rules);
}
