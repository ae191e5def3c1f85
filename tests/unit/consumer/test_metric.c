/* Names of metrics, what instances say of partitions, and how servers are told to fail. */
#include "delivery/standing.h"
#include "host/clock.h"
#include "report/figures.h"
#include <criterion/criterion.h>
#include <stdlib.h>

static void assert_str(struct relance_str text, const char *wanted)
{
    cr_assert(wanted ? text.data && str_equal(text, str_of(wanted)) : !text.data, "%.*s", STR_ARG(text));
}

static void assert_parts(const char *name, const char *form, const char *first, const char *outcome,
                         const char *variant)
{
    struct metric_parts parts = metric_take_apart(str_of(name));
    const struct metric_counter *counter = metric_counter(parts.row);
    cr_assert_str_eq(counter ? counter->form : "", form);
    assert_str(parts.first, first);
    assert_str(parts.outcome, outcome);
    assert_str(parts.variant, variant);
}

Test(metric, names_are_taken_apart_from_their_end)
{
    assert_parts("events", "events", NULL, NULL, NULL);
    assert_parts("events.view.page", "events.TYPE", "view.page", NULL, NULL);
    assert_parts("rule.cart.v2.sent", "rule.NAME.OUTCOME", "cart.v2", "sent", NULL);
    assert_parts("rule.cart.v2.sent.a", "rule.NAME.OUTCOME", "cart.v2", "sent", "a");
    assert_parts("rule.sent.goal_value", "rule.NAME.goal_value", "sent", NULL, NULL);
    assert_parts("rule..error", "rule.NAME.OUTCOME", "", "error", NULL);
    assert_parts("from_the_future", "", NULL, NULL, NULL);
}

Test(metric, names_of_steps_limits_and_cancels_tell_what_they_are_of)
{
    struct metric_parts step = metric_take_apart(STR("rule.cart.v2.step.12.sent"));
    cr_assert_eq(step.row, METRIC_RULE_STEP);
    assert_str(step.first, "cart.v2");
    assert_str(step.step, "12");
    assert_str(step.outcome, "sent");
    assert_parts("rule.cart.step.x.sent", "rule.NAME.OUTCOME", "cart.step.x", "sent", NULL);
    assert_parts("limit.2 per 1.5d.capped", "limit.NAME.OUTCOME", "2 per 1.5d", "capped", NULL);
    assert_parts("limit.capped", "", NULL, NULL, NULL);
    struct metric_parts feedback = metric_take_apart(STR("rule.cart.v2.step.1.opened"));
    cr_assert_eq(feedback.row, METRIC_RULE_FEEDBACK);
    assert_str(feedback.step, "1");
    assert_str(feedback.feedback, "opened");
    struct metric_parts total = metric_take_apart(STR("totals.returns.too.small")),
                        plain = metric_take_apart(STR("totals.all"));
    cr_assert_eq(total.row, METRIC_TOTAL);
    assert_str(total.first, "returns");
    assert_str(total.by, "too.small");
    assert_str(plain.first, "all");
    assert_str(plain.by, NULL);
    cr_assert_eq(metric_take_apart(STR("totals_sum.returns.")).row, METRIC_TOTAL_SUM);
    struct metric_parts cancel = metric_take_apart(STR("rule.cart.v2.cancelled_by.shop.sent"));
    cr_assert_eq(cancel.row, METRIC_RULE_CANCELLED_BY);
    assert_str(cancel.first, "cart.v2");
    assert_str(cancel.event, "shop.sent");
}

static const char *counter_name(const char *name, char out[METRIC_NAME_SIZE])
{
    metric_counter_name(out, metric_counter(metric_take_apart(str_of(name)).row));
    return out;
}

static const char *live_name(const char *name, bool is_counter, char out[METRIC_NAME_SIZE])
{
    metric_live_name(out, &(struct metric_live){name, "", is_counter});
    return out;
}

Test(metric, prometheus_has_base_units_and_suffixes)
{
    char out[METRIC_NAME_SIZE];
    cr_assert_str_eq(counter_name("events", out), "relance_events_total");
    cr_assert_str_eq(counter_name("sent.email", out), "relance_sent_by_channel_total");
    cr_assert_str_eq(counter_name("rule.a.sent", out), "relance_rule_by_outcome_total");
    cr_assert_str_eq(counter_name("rule.a.step.1.sent", out), "relance_rule_step_by_outcome_total");
    cr_assert_str_eq(counter_name("rule.a.cancelled_by.b", out), "relance_rule_cancelled_by_event_total");
    cr_assert_str_eq(counter_name("rule.a.step.1.opened", out), "relance_rule_step_by_feedback_total");
    cr_assert_str_eq(counter_name("totals.a.b", out), "relance_totals_total");
    cr_assert_str_eq(counter_name("totals_sum.a", out), "relance_totals_sum_total");
    cr_assert_str_eq(counter_name("limit.a.held", out), "relance_limit_by_outcome_total");
    cr_assert_str_eq(live_name("cycle_p50_ms", false, out), "relance_live_cycle_p50_seconds");
    cr_assert_str_eq(live_name("uptime_s", false, out), "relance_live_uptime_seconds");
    cr_assert_str_eq(live_name("events_per_s", false, out), "relance_live_events_per_second");
    cr_assert_str_eq(live_name("cache_hits_percent", false, out), "relance_live_cache_hits_ratio");
    cr_assert_str_eq(live_name("kafka_away_since", false, out),
                     "relance_live_kafka_away_since_timestamp_seconds");
    cr_assert_str_eq(live_name("actions", true, out), "relance_live_actions_total");
    cr_assert_eq(metric_unit("cycle_p50_ms")->divisor, 1000);
    cr_assert_eq(metric_unit("lag")->divisor, 1);
}

static void tell(struct figures *figures, const char *instance, const char *field, const char *value)
{
    figures_add_live(figures, str_of(instance), str_of(field), str_of(value));
}

Test(figures, the_instance_that_has_come_further_with_a_partition_is_believed)
{
    struct figures figures = {0};
    tell(&figures, "a", "partitions_expected", "4");
    tell(&figures, "a", "partition.1", "unclaimed lag=9");
    tell(&figures, "b", "partition.1",
         "live lag=2 behind=0 published=17 clock_behind_s=0.5 checkpoint_age_s=1.25");
    tell(&figures, "c", "partition.1", "behind lag=7 behind=5");
    tell(&figures, "c", "partition.2", "unclaimed behind=0");
    tell(&figures, "c", "partition.3", "of_the_future lag=1");
    tell(&figures, "c", "partition.4", "live");
    figures_end(&figures, 2);
    cr_assert_eq(figures.partition_count, 4);
    const struct figure_partition *partitions = figures.partitions;
    cr_assert_null(partitions[0].owner);
    cr_assert_str_eq(partitions[0].state, FIGURES_NOBODY);
    cr_assert_str_eq(partitions[1].owner, "b");
    cr_assert_eq(partitions[1].lag, 2);
    cr_assert_eq(partitions[1].published, 17);
    cr_assert_eq(partitions[1].checkpoint_age_s, 1.25);
    cr_assert_str_eq(partitions[2].owner, "c");
    cr_assert_eq(partitions[2].lag, -1, "not known is not 0");
    cr_assert_null(partitions[3].owner);
    cr_assert_eq(figures_count_partitions(&figures, FIGURES_LIVE), 1);
    figures_free(&figures);
}

static bool tells_lift(bool is_whole)
{
    struct figures figures = {.is_whole = is_whole};
    size_t size;
    figures_add_counter(&figures, STR("rule.cart.people.mail"), 900);
    figures_add_counter(&figures, STR("rule.cart.people.holdout"), 100);
    figures_end(&figures, 1);
    char *text = figures_prometheus(&figures, "g", "t", &size);
    bool tells = strstr(text, "relance_rule_lift_");
    free(text);
    figures_free(&figures);
    return tells;
}

Test(figures, an_engine_that_has_counted_since_its_start_tells_of_no_lift)
{
    cr_assert(tells_lift(true));
    cr_assert_not(tells_lift(false));
}

Test(standing, a_store_that_answers_one_way_may_fail_the_other)
{
    struct standing standing = {0};
    cr_assert_eq(standing_store_fails(&standing), 0);
    standing_store(&standing, STANDING_WRITES, false);
    int64_t since = standing_store_fails(&standing);
    cr_assert_gt(since, 0);
    standing_store(&standing, STANDING_READS, true);
    standing_store(&standing, STANDING_WRITES, false);
    cr_assert_eq(standing_store_fails(&standing), since, "since when it has failed first");
    standing_store(&standing, STANDING_WRITES, true);
    cr_assert_eq(standing_store_fails(&standing), 0);
}

Test(contact, a_question_that_stays_open_says_as_much_as_one_that_fails)
{
    struct contact contact = {0};
    int64_t now = clock_monotonic_us();
    contact_ask(&contact);
    cr_assert_eq(contact_away(&contact, now + CONTACT_PATIENCE_US / 2), 0);
    int64_t since = contact_away(&contact, now + 2 * CONTACT_PATIENCE_US);
    cr_assert_geq(since, now);
    contact_answer(&contact, false);
    cr_assert_eq(contact_away(&contact, now), since);
    contact_ask(&contact);
    contact_end(&contact);
    cr_assert_eq(contact_away(&contact, now), since, "an end says nothing");
    contact_ask(&contact);
    contact_answer(&contact, true);
    cr_assert_eq(contact_away(&contact, now + 2 * CONTACT_PATIENCE_US), 0);
}
