/* A report as one table for spreadsheets: a row for each figure, which says what it is of. Money and shares are numbers as in
 * JSON; where JSON has null there is no row. */
#include "base/limits.h"
#include "host/print.h"
#include "host/text.h"
#include "report/report.h"

#include <math.h>

struct csv {
    FILE *out;
    const char *section;
    str name; /* of what: a class, a month, a channel, a rule */
    str of;   /* what more is to be said: a day, k, a step, a variant */
};

/* A text that a spreadsheet would take for a formula gets a ' in front. */
static void put_cell(str text, FILE *out)
{
    size_t at = 0;
    char escape[PLAIN_ESCAPE_SIZE];
    bool is_formula = text.size && memchr("=+-@\t\r", text.data[0], sizeof "=+-@\t\r" - 1);
    fputc('"', out);
    if (is_formula) fputc('\'', out);
    for (str piece; (piece = print_piece(text, &at, "", escape)).size;)
        for (size_t i = 0; i < piece.size; i++) {
            if (piece.data[i] == '"') fputc('"', out);
            fputc(piece.data[i], out);
        }
    fputc('"', out);
}

static void put_text_row(const struct csv *csv, const char *currency, const char *figure, const char *value)
{
    print(csv->out, "%s,", csv->section);
    put_cell(csv->name, csv->out);
    fputc(',', csv->out);
    put_cell(csv->of, csv->out);
    print(csv->out, ",%s,%s,%s\n", currency, figure, value);
}

static void put_int(const struct csv *csv, const char *figure, int64_t number)
{
    char text[TEXT_NUMBER_SIZE];
    text_put_int(text, number);
    put_text_row(csv, "", figure, text);
}

static void put_money(const struct csv *csv, const char *currency, const char *figure, int64_t money)
{
    char text[REPORT_MONEY_SIZE];
    put_text_row(csv, currency, figure, report_money_text(money, text));
}

static void put_moneys(const struct csv *csv, const struct report_moneys *moneys)
{
    for (size_t i = 0; i < moneys->count; i++) {
        const struct report_money *money = &moneys->items[i];
        put_money(csv, money->currency, "gross", money->gross);
        put_money(csv, money->currency, "refunded", money->refunded);
        put_money(csv, money->currency, "net", report_net(money));
    }
}

/* ---- sales */

static void put_orders(const struct csv *csv, const struct report_orders *orders)
{
    int64_t average;
    put_int(csv, "orders", orders->orders);
    put_int(csv, "orders_refunded", orders->refunded);
    put_moneys(csv, &orders->money);
    for (size_t i = 0; i < orders->money.count; i++)
        if (report_average(orders, &orders->money.items[i], &average))
            put_money(csv, orders->money.items[i].currency, "aov", average);
}

static void put_sales(const struct report *report, struct csv csv)
{
    csv.section = "sales";
    for (int class = 0; class < REPORT_CLASSES; class ++) {
        csv.name = str_of(report_classes[class]);
        put_orders(&csv, &report->of[class]);
    }
    csv.name = STR("");
    for (int sum = 0; sum < RELANCE_SALES_COUNT; sum++)
        if (sales_has_no_words((enum relance_sales)sum))
            put_int(&csv, sales_forms[sum].name + sizeof "sales." - 1, report->odd[sum]);
}

static void put_day(const struct report_day *day, struct csv csv)
{
    char text[TEXT_DAY_SIZE];
    text_put_day(text, day->day);
    csv.of = str_of(text);
    for (int class = 0; class < REPORT_CLASSES; class ++) {
        csv.name = str_of(report_classes[class]);
        put_orders(&csv, &day->of[class]);
    }
    csv.name = STR("");
    for (size_t i = 0; i < day->refunded_on.count; i++)
        put_money(&csv, day->refunded_on.items[i].currency, "refunded_on",
                  day->refunded_on.items[i].refunded);
}

static void put_days(const struct report *report, struct csv csv)
{
    csv.section = "days";
    for (size_t i = 0; i < report->day_count; i++)
        put_day(&report->days[i], csv);
}

static void put_second_order(const struct report *report, struct csv csv)
{
    char days[TEXT_NUMBER_SIZE];
    csv.section = "second_order";
    put_int(&csv, "once", report->customers[0]);
    put_int(&csv, "twice", report->customers[1]);
    put_int(&csv, "more", report->customers[2]);
    csv.name = STR("within_90_days");
    put_int(&csv, "customers", report->within_of);
    put_int(&csv, "again", report->within);
    csv.name = STR("after");
    for (size_t i = 0; i < REPORT_BOUNDS; i++) {
        text_put_int(days, report_bounds[i]);
        csv.of = report_bounds[i] == INT64_MAX ? STR("more") : str_of(days);
        put_int(&csv, "customers", report->second_after[i]);
    }
}

/* ---- cohorts, channels */

static void put_cohort(const struct report *report, const struct report_cohort *cohort, struct csv csv)
{
    char month[TEXT_NUMBER_SIZE], k[TEXT_NUMBER_SIZE];
    report_month_text(cohort->month, month);
    csv.name = str_of(month);
    for (int i = 0; i < cohort->months; i++) {
        struct report_cell cell = report_cohort_month(report, cohort, i);
        text_put_int(k, i);
        csv.of = str_of(k);
        put_int(&csv, "customers", cell.customers);
        put_int(&csv, "orders", cell.orders);
        put_moneys(&csv, &cell.money);
        report_cell_free(&cell);
    }
}

static void put_cohorts(const struct report *report, struct csv csv)
{
    struct report_cohort cohort = {0};
    csv.section = "cohorts";
    while (report_next_cohort(report, &cohort))
        put_cohort(report, &cohort, csv);
}

static void put_ltvs(const struct report *report, uint32_t number, const char *currency,
                     const struct csv *csv)
{
    int64_t each;
    char figure[TEXT_NUMBER_SIZE];
    for (size_t i = 0; i < REPORT_LTVS; i++) {
        struct report_ltv ltv = report_ltv(report, number, currency, report_ltv_months[i]);
        snprintf(figure, sizeof figure, "ltv_%d", report_ltv_months[i]);
        if (report_each(ltv.net, ltv.customers, &each)) put_money(csv, currency, figure, each);
    }
}

static void put_channel(const struct report *report, uint32_t number, struct csv csv)
{
    const struct report_channel *channel = &report->channels[number];
    csv.name = channel->name;
    put_int(&csv, "customers", channel->customers);
    put_int(&csv, "second", channel->second);
    put_int(&csv, "third", channel->third);
    put_int(&csv, "loyal", channel->loyal);
    for (size_t i = 0; i < channel->net.count; i++) {
        put_money(&csv, channel->net.items[i].currency, "net", channel->net.items[i].gross);
        put_ltvs(report, number, channel->net.items[i].currency, &csv);
    }
}

static void put_channels(const struct report *report, struct csv csv)
{
    csv.section = "channels";
    for (uint32_t i = 0; i < report->channel_names.count; i++)
        put_channel(report, report->order[i], csv);
}

/* ---- rules */

static void put_outcomes(const struct csv *csv, const double outcomes[RELANCE_OUTCOME_COUNT])
{
    for (int i = 0; i < RELANCE_OUTCOME_COUNT; i++)
        if (outcomes[i] != 0) put_int(csv, metric_outcome((size_t)i), (int64_t)outcomes[i]);
}

static void put_number(const struct csv *csv, const char *figure, double number)
{
    enum { PARTS = 10000 };
    put_money(csv, "", figure, (int64_t)round(number * PARTS));
}

static void put_interval(const struct csv *csv, const struct lift_interval *interval,
                         const char *const figures[3])
{
    put_number(csv, figures[0], interval->by);
    put_number(csv, figures[1], interval->low);
    put_number(csv, figures[2], interval->high);
}

/* Whom it has reached, what came of it, and by how much more than of the holdout. */
static void put_people(const struct csv *csv, const struct report_rule *rule,
                       const struct report_variant *variant)
{
    static const char *const conversion[] = {"lift", "lift_low", "lift_high"}, *const value[] = {
                                                                                   "value_lift",
                                                                                   "value_lift_low",
                                                                                   "value_lift_high"};
    struct lift lift;
    if (variant->people.people < 1) return;
    put_int(csv, "people", (int64_t)variant->people.people);
    put_int(csv, "won", (int64_t)variant->people.won);
    put_money(csv, "", "value", (int64_t)variant->people.value);
    if (!report_lift(rule, variant, &lift)) return;
    put_interval(csv, &lift.conversion, conversion);
    put_interval(csv, &lift.value, value);
}

static void put_rule(const struct report_rule *rule, struct csv csv)
{
    char step[TEXT_NUMBER_SIZE + 8];
    csv.name = str_of(rule->name);
    put_outcomes(&csv, rule->outcomes);
    put_money(&csv, "", "value", report_money_of(rule->goal_value));
    for (size_t i = 0; i < rule->cancel_count; i++) {
        csv.of = str_of(rule->cancels[i].name);
        put_int(&csv, "cancelled_by", (int64_t)rule->cancels[i].count);
    }
    for (size_t i = 0; i < rule->step_count; i++) {
        snprintf(step, sizeof step, "step %lld", (long long)rule->steps[i].number);
        csv.of = str_of(step);
        put_outcomes(&csv, rule->steps[i].outcomes);
        for (size_t n = 0; n < REPORT_FEEDBACKS; n++)
            if (rule->steps[i].feedback[n] != 0)
                put_int(&csv, metric_feedback(n), (int64_t)rule->steps[i].feedback[n]);
    }
    for (size_t i = 0; i < rule->variant_count; i++) {
        csv.of = str_of(rule->variants[i].name);
        put_outcomes(&csv, rule->variants[i].outcomes);
        put_people(&csv, rule, &rule->variants[i]);
    }
}

static void put_rules(const struct report *report, struct csv csv)
{
    csv.section = "rules";
    for (size_t i = 0; i < report->rules.rule_count; i++)
        if (*report->rules.rules[i].name) put_rule(&report->rules.rules[i], csv);
    csv.section = "limits";
    for (size_t i = 0; i < report->rules.limit_count; i++) {
        csv.name = str_of(report->rules.limits[i].name);
        put_outcomes(&csv, report->rules.limits[i].outcomes);
    }
}

/* ---- totals */

/* Since ever `of` is what they are by, of a day the day in front of that. */
static void put_totals(const struct report *report, struct csv csv)
{
    for (size_t i = 0; i < report->totals.count; i++) {
        const struct report_total *total = &report->totals.items[i];
        char of[TEXT_DAY_SIZE + 1 + LIMIT_TOTAL_BYTES] = "";
        bool ever = total->day == REPORT_EVER;
        csv.section = ever ? "totals" : "totals_days";
        csv.name = total->total;
        csv.of = total->by;
        if (!ever) {
            char day[TEXT_DAY_SIZE];
            text_put_day(day, total->day);
            snprintf(of, sizeof of, "%s%s%.*s", day, total->by.data ? " " : "", STR_ARG(total->by));
            csv.of = str_of(of);
        }
        put_int(&csv, "events", total->count);
        if (total->has_sum) put_money(&csv, "", "sum", total->sum);
    }
}

void report_print_csv(const struct report *report, FILE *out)
{
    const struct csv csv = {out, "", STR(""), STR("")};
    fputs("section,name,of,currency,figure,value\n", out);
    put_sales(report, csv);
    put_days(report, csv);
    put_second_order(report, csv);
    put_cohorts(report, csv);
    put_channels(report, csv);
    put_rules(report, csv);
    put_totals(report, csv);
}
