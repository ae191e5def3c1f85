/* A report for programs. Numbers are written as they are: money exactly, shares to four places. */
#include "base/ensure.h"
#include "host/print.h"
#include "host/text.h"
#include "report/member.h"
#include "report/report.h"

#include <stdlib.h>

/* ---- members */

static void put_money_of(cJSON *object, const char *name, bool known, int64_t money)
{
    if (known)
        member_money(object, name, money);
    else
        member_must(cJSON_AddNullToObject(object, name));
}

static void put_each(cJSON *object, const char *name, int64_t money, int64_t among)
{
    int64_t each = 0;
    bool known = report_each(money, among, &each);
    put_money_of(object, name, known, each);
}

/* As money is: to four places, and nothing where it cannot be said. */
static void put_share(cJSON *object, const char *name, int64_t part, int64_t of)
{
    enum { ONE = 10000 };
    int64_t share = 0;
    bool known = part <= INT64_MAX / ONE && part >= INT64_MIN / ONE && report_each(part * ONE, of, &share);
    put_money_of(object, name, known, share);
}

static void put_month(cJSON *object, const char *name, int64_t month)
{
    char text[TEXT_NUMBER_SIZE];
    report_month_text(month, text);
    member_must(cJSON_AddStringToObject(object, name, text));
}

/* ---- sales */

static cJSON *put_moneys(cJSON *object, const struct report_moneys *moneys, size_t at)
{
    const struct report_money *money = &moneys->items[at];
    cJSON *item = member_object(object, money->currency);
    member_money(item, "gross", money->gross);
    member_money(item, "refunded", money->refunded);
    member_money(item, "net", report_net(money));
    return item;
}

static void put_orders(cJSON *object, const char *name, const struct report_orders *orders)
{
    cJSON *item = member_object(object, name);
    member_int(item, "orders", orders->orders);
    member_int(item, "orders_refunded", orders->refunded);
    cJSON *by_currency = member_object(item, "money");
    for (size_t i = 0; i < orders->money.count; i++) {
        int64_t average = 0;
        cJSON *money = put_moneys(by_currency, &orders->money, i);
        bool known = report_average(orders, &orders->money.items[i], &average);
        put_money_of(money, "aov", known, average);
    }
}

static void put_classes(cJSON *object, const struct report_orders of[REPORT_CLASSES])
{
    for (int class = 0; class < REPORT_CLASSES; class ++)
        put_orders(object, report_classes[class], &of[class]);
}

static void put_one_day(cJSON *list, const struct report_day *day)
{
    cJSON *item = member_item(list);
    member_day(item, "day", day->day);
    put_classes(item, day->of);
    cJSON *refunded = member_object(item, "refunded_on");
    for (size_t i = 0; i < day->refunded_on.count; i++)
        member_money(refunded, day->refunded_on.items[i].currency, day->refunded_on.items[i].refunded);
}

static void put_sales(cJSON *root, const struct report *report)
{
    cJSON *sales = member_object(root, "sales");
    member_must(cJSON_AddBoolToObject(sales, "declared", report->has_sales));
    put_classes(sales, report->of);
    for (int sum = 0; sum < RELANCE_SALES_COUNT; sum++)
        if (sales_has_no_words((enum relance_sales)sum))
            member_int(sales, sales_forms[sum].name + sizeof "sales." - 1, report->odd[sum]);
    cJSON *days = member_list(sales, "days");
    for (size_t i = 0; i < report->day_count; i++)
        put_one_day(days, &report->days[i]);
}

/* ---- second orders */

static void put_after(cJSON *object, const struct report *report)
{
    cJSON *list = member_list(object, "after");
    int64_t all = report_second_orders(report);
    for (size_t i = 0; i < REPORT_BOUNDS; i++) {
        cJSON *item = member_item(list);
        if (report_bounds[i] == INT64_MAX)
            member_must(cJSON_AddNullToObject(item, "days"));
        else
            member_int(item, "days", report_bounds[i]);
        member_int(item, "customers", report->second_after[i]);
        put_share(item, "share", report->second_after[i], all);
    }
    int64_t median = report_median_days(report);
    if (median)
        member_int(object, "median_days", median);
    else
        member_must(cJSON_AddNullToObject(object, "median_days"));
}

static void put_second_order(cJSON *root, const struct report *report)
{
    const int64_t *of = report->customers;
    cJSON *second = member_object(root, "second_order");
    member_int(second, "customers", of[0] + of[1] + of[2]);
    member_int(second, "once", of[0]);
    member_int(second, "twice", of[1]);
    member_int(second, "more", of[2]);
    put_share(second, "rate", of[1] + of[2], of[0] + of[1] + of[2]);
    cJSON *within = member_object(second, "within_90_days");
    member_int(within, "customers", report->within_of);
    member_int(within, "again", report->within);
    put_share(within, "rate", report->within, report->within_of);
    put_after(second, report);
}

/* ---- cohorts, channels */

static void put_cohort_month(cJSON *list, const struct report *report, const struct report_cohort *cohort,
                             int k)
{
    struct report_cell cell = report_cohort_month(report, cohort, k);
    cJSON *item = member_item(list);
    member_int(item, "k", k);
    member_must(cJSON_AddBoolToObject(item, "over", report_is_over(report, cohort->month, k)));
    member_int(item, "customers", cell.customers);
    put_share(item, "active", cell.customers, cohort->customers);
    member_int(item, "orders", cell.orders);
    cJSON *money = member_object(item, "money");
    for (size_t i = 0; i < cell.money.count; i++)
        put_moneys(money, &cell.money, i);
    report_cell_free(&cell);
}

static void put_cohorts(cJSON *root, const struct report *report)
{
    cJSON *list = member_list(root, "cohorts");
    struct report_cohort cohort = {0};
    while (report_next_cohort(report, &cohort)) {
        cJSON *item = member_item(list);
        put_month(item, "month", cohort.month);
        member_int(item, "customers", cohort.customers);
        cJSON *months = member_list(item, "months");
        for (int k = 0; k < cohort.months; k++)
            put_cohort_month(months, report, &cohort, k);
    }
}

static void put_channel_money(cJSON *object, const struct report *report, uint32_t number,
                              const struct report_money *money)
{
    cJSON *item = member_object(object, money->currency);
    member_money(item, "net", money->gross);
    put_each(item, "net_per_customer", money->gross, report->channels[number].customers);
    cJSON *ltvs = member_object(item, "ltv");
    for (size_t i = 0; i < REPORT_LTVS; i++) {
        char months[TEXT_NUMBER_SIZE];
        struct report_ltv ltv = report_ltv(report, number, money->currency, report_ltv_months[i]);
        text_put_int(months, report_ltv_months[i]);
        put_each(ltvs, months, ltv.net, ltv.customers);
    }
}

static void put_channel(cJSON *list, const struct report *report, uint32_t number)
{
    const struct report_channel *channel = &report->channels[number];
    cJSON *item = member_item(list);
    member_text(item, "channel", channel->name);
    member_int(item, "customers", channel->customers);
    member_int(item, "second", channel->second);
    member_int(item, "third", channel->third);
    member_int(item, "loyal", channel->loyal);
    put_share(item, "second_share", channel->second, channel->customers);
    put_share(item, "third_share", channel->third, channel->customers);
    put_share(item, "loyal_share", channel->loyal, channel->customers);
    cJSON *money = member_object(item, "money");
    for (size_t i = 0; i < channel->net.count; i++)
        put_channel_money(money, report, number, &channel->net.items[i]);
}

static void put_channels(cJSON *root, const struct report *report)
{
    cJSON *list = member_list(root, "channels");
    for (uint32_t i = 0; i < report->channel_names.count; i++)
        put_channel(list, report, report->order[i]);
}

/* ---- rules */

static void put_count(cJSON *object, const char *name, double count)
{
    member_int(object, name, (int64_t)count);
}

static void put_outcomes(cJSON *object, const double outcomes[RELANCE_OUTCOME_COUNT])
{
    cJSON *item = member_object(object, "outcomes");
    for (int i = 0; i < RELANCE_OUTCOME_COUNT; i++)
        if (outcomes[i] != 0) put_count(item, metric_outcome((size_t)i), outcomes[i]);
}

static void put_reason(cJSON *list, enum relance_outcome why, const char *by, double count)
{
    if (count <= 0) return;
    cJSON *item = member_item(list);
    member_text(item, "why", relance_outcome_text(why));
    if (by)
        member_text(item, "by", str_of(by));
    else
        member_must(cJSON_AddNullToObject(item, "by"));
    put_count(item, "count", count);
}

static void put_reasons(cJSON *object, const struct report_rule *rule)
{
    cJSON *list = member_list(object, "not_sent");
    for (size_t i = 0; i < rule->cancel_count; i++)
        put_reason(list, RELANCE_OUTCOME_CANCELLED, rule->cancels[i].name, rule->cancels[i].count);
    for (const enum relance_outcome *why = report_not_sent; *why != RELANCE_OUTCOME_COUNT; why++)
        put_reason(list, *why, NULL,
                   *why == RELANCE_OUTCOME_CANCELLED ? report_cancelled_otherwise(rule)
                                                     : rule->outcomes[*why]);
}

static void put_steps(cJSON *object, const struct report_rule *rule)
{
    cJSON *list = member_list(object, "steps");
    for (size_t i = 0; i < rule->step_count; i++) {
        cJSON *item = member_item(list);
        member_int(item, "step", rule->steps[i].number);
        put_outcomes(item, rule->steps[i].outcomes);
        cJSON *feedback = member_object(item, "feedback");
        for (size_t n = 0; n < REPORT_FEEDBACKS; n++)
            if (rule->steps[i].feedback[n] != 0)
                put_count(feedback, metric_feedback(n), rule->steps[i].feedback[n]);
    }
}

static void put_people(cJSON *object, const struct lift_people *people)
{
    int64_t count = (int64_t)people->people;
    member_int(object, "people", count);
    member_int(object, "won", (int64_t)people->won);
    put_share(object, "conversion", (int64_t)people->won, count);
    member_money(object, "value", (int64_t)people->value);
    put_each(object, "value_per_person", (int64_t)people->value, count);
}

static void put_variants(cJSON *object, const struct report_rule *rule)
{
    cJSON *list = member_list(object, "variants");
    for (size_t i = 0; i < rule->variant_count; i++) {
        cJSON *item = member_item(list);
        if (*rule->variants[i].name)
            member_text(item, "variant", str_of(rule->variants[i].name));
        else
            member_must(cJSON_AddNullToObject(item, "variant"));
        put_people(item, &rule->variants[i].people);
        put_outcomes(item, rule->variants[i].outcomes);
    }
}

static void put_rule(cJSON *list, const struct report_rule *rule)
{
    cJSON *item = member_item(list);
    member_text(item, "rule", str_of(rule->name));
    put_count(item, "started", rule->outcomes[RELANCE_OUTCOME_STARTED]);
    put_count(item, "sent", rule->outcomes[RELANCE_OUTCOME_SENT]);
    put_count(item, "held", rule->outcomes[RELANCE_OUTCOME_HELD]);
    put_count(item, "goals", rule->outcomes[RELANCE_OUTCOME_GOAL]);
    member_money(item, "value", report_money_of(rule->goal_value));
    const struct lift_people people = report_people(rule);
    member_int(item, "people", (int64_t)people.people);
    put_each(item, "value_per_person", (int64_t)people.value, (int64_t)people.people);
    put_outcomes(item, rule->outcomes);
    put_reasons(item, rule);
    put_steps(item, rule);
    put_variants(item, rule);
    report_put_lifts(member_list(item, "lift"), rule, false);
}

static void put_rules(cJSON *root, const struct report *report)
{
    cJSON *list = member_list(root, "rules");
    for (size_t i = 0; i < report->rules.rule_count; i++)
        if (*report->rules.rules[i].name) put_rule(list, &report->rules.rules[i]);
}

static void put_limits(cJSON *root, const struct report *report)
{
    cJSON *list = member_list(root, "limits");
    for (size_t i = 0; i < report->rules.limit_count; i++) {
        cJSON *item = member_item(list);
        member_text(item, "limit", str_of(report->rules.limits[i].name));
        put_outcomes(item, report->rules.limits[i].outcomes);
    }
}

/* ---- the whole */

static void put_head(cJSON *root, const struct report *report)
{
    char at[24];
    relance_time_print(report->at_ms, at);
    if (report->is_dated)
        member_text(root, "at", (str){at, sizeof at});
    else
        member_must(cJSON_AddNullToObject(root, "at"));
    if (report->group) member_text(root, "group", str_of(report->group));
    if (report->topic) member_text(root, "topic", str_of(report->topic));
    member_text(root, "zone", str_of(report->zone));
    member_day(root, "today", report->today);
    member_day(root, "from", report->from);
    member_day(root, "to", report->to);
}

char *report_json(const struct report *report)
{
    cJSON *root = member_must(cJSON_CreateObject());
    put_head(root, report);
    put_sales(root, report);
    put_second_order(root, report);
    put_cohorts(root, report);
    put_channels(root, report);
    put_rules(root, report);
    put_limits(root, report);
    report_put_totals(member_list(root, "totals"), &report->totals);
    char *text = cJSON_Print(root);
    cJSON_Delete(root);
    ensure(text);
    return text;
}

void report_print_json(const struct report *report, FILE *out)
{
    char *text = report_json(report);
    print_lines(str_of(text), out);
    fputc('\n', out);
    cJSON_free(text);
}
