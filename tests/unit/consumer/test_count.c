/* Counters and durations: what is counted is told, once. */
#include "delivery/counter.h"
#include "delivery/pulse.h"
#include "base/str.h"
#include <criterion/criterion.h>
#include <stdio.h>

struct found {
    char text[4096];
};

static void find(void *context, struct relance_str name, bool whole, double value)
{
    struct found *found = context;
    size_t size = strlen(found->text);
    snprintf(found->text + size, sizeof found->text - size, "%.*s=%s%g ", STR_ARG(name), whole ? "" : "~",
             value);
}

Test(counter, a_decision_counts_for_its_rule_its_variant_and_its_channel)
{
    struct counters counters = {0};
    struct found found = {""};
    const struct relance_decision sent = {
        .outcome = RELANCE_OUTCOME_SENT, .rule = STR("cart"), .variant = STR("a"), .send = STR("email")};
    const struct relance_decision goal = {.outcome = RELANCE_OUTCOME_GOAL, .rule = STR("cart"), .value = 2.5};
    cr_expect(counters_empty(&counters));
    counters_add(&counters, COUNTER_EVENTS, 2);
    counters_add_decision(&counters, &sent);
    counters_add_decision(&counters, &sent);
    counters_add_decision(&counters, &goal);
    counters_add_decision(&counters, &goal);
    cr_expect_not(counters_empty(&counters));
    counters_each(&counters, find, &found);
    static const char *const wanted[] = {"events=2 ", "rule.cart.sent.a=2 ", "sent.email=2 ",
                                         "rule.cart.goal=2 ", "rule.cart.goal_value=~5 "};
    size_t size = 0;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        cr_expect(strstr(found.text, wanted[i]), "%s in %s", wanted[i], found.text);
        size += strlen(wanted[i]);
    }
    cr_expect_eq(strlen(found.text), size, "nothing else: %s", found.text);
    counters_free(&counters);
}

static void add_numbers(void *context, struct relance_str name, bool whole, double value)
{
    (void)name, (void)whole;
    *(double *)context += value == 2 ? 1 : 1000; /* each of them is counted twice */
}

Test(counter, names_that_share_a_place_among_the_recent_ones_are_counted_apart)
{
    enum { RULES = 1000 };
    struct counters counters = {0};
    double twice = 0;
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < RULES; i++) {
            char rule[16];
            size_t size = (size_t)snprintf(rule, sizeof rule, "r%03d.", i);
            counters_add_decision(&counters, &(struct relance_decision){.outcome = RELANCE_OUTCOME_STARTED,
                                                                        .rule = {rule, size}});
        }
    counters_each(&counters, add_numbers, &twice);
    cr_expect_eq(twice, RULES);
    counters_free(&counters);
}

Test(counter, a_name_that_is_cut_is_the_same_one_again)
{
    char rule[1000];
    struct counters counters = {0};
    double twice = 0;
    memset(rule, 'r', sizeof rule);
    const struct relance_decision decision = {.outcome = RELANCE_OUTCOME_STARTED,
                                              .rule = {rule, sizeof rule}};
    counters_add_decision(&counters, &decision);
    counters_add_decision(&counters, &decision);
    counters_each(&counters, add_numbers, &twice);
    cr_expect_eq(twice, 1);
    counters_free(&counters);
}

Test(counter, a_step_a_limit_and_what_cancels_are_counted_apart)
{
    struct counters counters = {0};
    struct found found = {""};
    const struct relance_decision decisions[] = {
        {.outcome = RELANCE_OUTCOME_STARTED, .rule = STR("cart.v2")},
        {.outcome = RELANCE_OUTCOME_CAPPED,
         .rule = STR("cart.v2"),
         .step = 2,
         .limit = STR("one a day"),
         .by = STR("max 1 per day")},
        {.outcome = RELANCE_OUTCOME_DEFERRED, .rule = STR("cart.v2"), .step = 2, .limit = STR("21:00-08:00")},
        {.outcome = RELANCE_OUTCOME_HELD, .rule = STR("cart.v2"), .step = 1, .group = STR("control")},
        {.outcome = RELANCE_OUTCOME_CANCELLED, .rule = STR("cart.v2"), .by = STR("shop.order")},
        {.outcome = RELANCE_OUTCOME_CANCELLED, .rule = STR("cart.v2")},
    };
    static const char *const wanted[] = {
        "rule.cart.v2.started=1 ",       "rule.cart.v2.capped=1 ",
        "rule.cart.v2.step.2.capped=1 ", "limit.one a day.capped=1 ",
        "rule.cart.v2.deferred=1 ",      "rule.cart.v2.step.2.deferred=1 ",
        "limit.21:00-08:00.deferred=1 ", "rule.cart.v2.held=1 ",
        "rule.cart.v2.step.1.held=1 ",   "limit.control.held=1 ",
        "rule.cart.v2.cancelled=2 ",     "rule.cart.v2.cancelled_by.shop.order=1 ",
    };
    size_t size = 0;
    for (size_t i = 0; i < sizeof decisions / sizeof *decisions; i++)
        counters_add_decision(&counters, &decisions[i]);
    counters_each(&counters, find, &found);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        cr_expect(strstr(found.text, wanted[i]), "%s in %s", wanted[i], found.text);
        size += strlen(wanted[i]);
    }
    cr_expect_eq(strlen(found.text), size, "nothing else: %s", found.text);
    counters_free(&counters);
}

Test(counter, people_are_counted_and_what_each_is_worth_is_squared)
{
    struct counters counters = {0};
    struct found found = {""};
    const struct relance_str rule = STR("cart"), a = STR("a");
    const struct relance_decision decisions[] = {
        {.outcome = RELANCE_OUTCOME_SENT,
         .rule = rule,
         .measure = {.counts = true, .reached = true, .variant = a}},
        {.outcome = RELANCE_OUTCOME_GOAL,
         .rule = rule,
         .measure = {.counts = true, .won = true, .variant = a, .value = 30000}},
        {.outcome = RELANCE_OUTCOME_GOAL,
         .rule = rule,
         .measure = {.counts = true, .variant = a, .value_before = 30000, .value = 20000}},
        {.outcome = RELANCE_OUTCOME_GOAL, .rule = rule, .measure = {.value = 99}},
    };
    for (size_t i = 0; i < sizeof decisions / sizeof *decisions; i++)
        counters_add_decision(&counters, &decisions[i]);
    counters_each(&counters, find, &found);
    cr_expect(strstr(found.text,
                     "rule.cart.people.a=1 rule.cart.goal=3 rule.cart.won.a=1 rule.cart.value.a=20000 "
                     "rule.cart.value_squares.a=~4e+08 "),
              "%s", found.text);
    counters_free(&counters);
}

Test(counter, a_worker_goes_on_counting_where_a_checkpoint_has_begun_anew)
{
    struct counters counters = {0};
    struct found found = {""};
    struct pulse pulse;
    const struct relance_decision goal = {.outcome = RELANCE_OUTCOME_GOAL, .rule = STR("cart"), .value = 2.5};
    pulse_init(&pulse);
    for (int64_t checkpoint = 1; checkpoint <= 3; checkpoint++) {
        counters_add(&counters, COUNTER_EVENTS, checkpoint);
        counters_add_decision(&counters, &goal);
        pulse_count(&pulse, &counters);
        counters_clear(&counters);
    }
    pulse_count(&pulse, &counters); /* nothing has happened since */
    pulse_counters(&pulse, find, &found);
    cr_expect_str_eq(found.text, "events=6 rule.cart.goal=3 rule.cart.goal_value=~7.5 ");
    counters_free(&counters);
    pulse_free(&pulse);
}

Test(counter, cleared_ones_start_anew_and_many_names_are_kept_apart)
{
    struct counters counters = {0};
    struct found found = {""};
    char name[16];
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "t%d", i);
        counters_add_named(&counters, STR("events."), str_of(name), 1);
    }
    cr_expect_eq(counters.names.count, 1000);
    counters_clear(&counters);
    cr_expect(counters_empty(&counters));
    counters_add_named(&counters, STR("events."), STR("t17"), 3);
    counters_each(&counters, find, &found);
    cr_expect_str_eq(found.text, "events.t17=3 ");
    cr_expect_eq(counters.names.count, 1000);
    counters_free(&counters);
}

Test(pulse, parts_are_right_to_a_quarter)
{
    struct pulse_times times = {0}, none = {0};
    for (int64_t us = 1; us <= 100000; us++)
        pulse_add_time(&times, us);
    int64_t p50 = pulse_part(&times, &none, 0.5), p99 = pulse_part(&times, &none, 0.99);
    cr_expect(p50 >= 50000 && p50 <= 62500, "%ld", p50);
    cr_expect(p99 >= 99000 && p99 <= 123750, "%ld", p99);
    cr_expect_eq(pulse_part(&times, &times, 0.5), 0);
    pulse_add_time(&times, INT64_MAX);
    pulse_add_time(&times, -1);
}
