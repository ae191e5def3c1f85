/* A report for people: tables that fit 80 columns while names and sums are of the usual size. Money is rounded to hundredths
 * here, shares to tenths of a hundredth; --json has all of it. */
#include "host/print.h"
#include "host/table.h"
#include "report/report.h"

#include <inttypes.h>
#include <stdlib.h>

enum { NAME_SHOWN = 20, FIGURE_SIZE = 40 };

/* ---- cells */

/* A name as long as there is room for. */
static void put_name(struct table *table, str name)
{
    size_t end = 0, points = 0;
    bool is_long = utf8_count(name) > NAME_SHOWN;
    while (end < name.size && points + is_long < NAME_SHOWN) {
        size_t size = utf8_length(name, end);
        end += size ? size : 1;
        points++;
    }
    table_put(table, "%.*s%s", (int)end, name.data, is_long ? "…" : "");
}

/* "1,846,498" */
static const char *grouped(uint64_t number, char out[FIGURE_SIZE])
{
    char digits[FIGURE_SIZE];
    int size = snprintf(digits, sizeof digits, "%" PRIu64, number), at = 0;
    for (int i = 0; i < size; i++) {
        if (i && (size - i) % 3 == 0) out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = '\0';
    return out;
}

static void put_count(struct table *table, int64_t number)
{
    char text[FIGURE_SIZE];
    table_put(table, "%s%s", number < 0 ? "-" : "",
              grouped(number < 0 ? 0 - (uint64_t)number : (uint64_t)number, text));
}

/* Hundredths, halves away from zero. */
static void put_money(struct table *table, int64_t money)
{
    enum { PLACES = 100, HALF = 50 };
    char text[FIGURE_SIZE];
    uint64_t hundredths = ((money < 0 ? 0 - (uint64_t)money : (uint64_t)money) + HALF) / PLACES;
    table_put(table, "%s%s.%02u", money < 0 && hundredths ? "-" : "", grouped(hundredths / PLACES, text),
              (unsigned)(hundredths % PLACES));
}

static void put_each(struct table *table, int64_t money, int64_t among)
{
    int64_t each;
    if (report_each(money, among, &each))
        put_money(table, each);
    else
        table_put(table, "%s", "");
}

static const char *share_text(int64_t part, int64_t of, char out[FIGURE_SIZE])
{
    if (of > 0)
        snprintf(out, FIGURE_SIZE, "%.1f %%", 100.0 * (double)part / (double)of);
    else
        *out = '\0';
    return out;
}

static void put_share(struct table *table, int64_t part, int64_t of)
{
    char text[FIGURE_SIZE];
    table_put(table, "%s", share_text(part, of, text));
}

/* XXX is none: the rules do not say which. */
static void put_currency(struct table *table, const char *currency)
{
    table_put(table, "%s", strcmp(currency, "XXX") == 0 ? "" : currency);
}

/* A table below a line that says what it shows. */
static void show(struct table *table, const char *title, FILE *out)
{
    fputc('\n', out);
    print_painted(PAINT_STRONG, str_of(title), out);
    fputc('\n', out);
    table_print(table, out);
    table_free(table);
}

/* ---- sales */

/* A row for each currency; one where there is none. */
static void put_orders(struct table *table, const char *name, const struct report_orders *orders)
{
    for (size_t i = 0; i < orders->money.count || !i; i++) {
        table_put(table, "%s", i ? "" : name);
        if (i) {
            table_put(table, "%s", "");
            table_put(table, "%s", "");
        } else {
            put_count(table, orders->orders);
            put_count(table, orders->refunded);
        }
        if (i == orders->money.count) {
            for (int c = 0; c < 5; c++)
                table_put(table, "%s", "");
            break;
        }
        const struct report_money *money = &orders->money.items[i];
        int64_t average = 0;
        put_currency(table, money->currency);
        put_money(table, money->gross);
        put_money(table, money->refunded);
        put_money(table, report_net(money));
        if (report_average(orders, money, &average))
            put_money(table, average);
        else
            table_put(table, "%s", "");
    }
}

/* Has the declaration said who is loyal? */
static bool knows_loyal(const struct report *report)
{
    return report->of[REPORT_LOYAL].orders || report->of[REPORT_OTHERS].orders;
}

static void print_sales(const struct report *report, FILE *out)
{
    static const struct table_column columns[] = {
        {"orders", TABLE_LEFT}, {"number", TABLE_RIGHT},   {"undone", TABLE_RIGHT}, {"in", TABLE_LEFT},
        {"gross", TABLE_RIGHT}, {"refunded", TABLE_RIGHT}, {"net", TABLE_RIGHT},    {"average", TABLE_RIGHT}};
    struct table *table = table_new(columns, 8);
    for (int class = 0; class < (knows_loyal(report) ? REPORT_CLASSES : REPORT_LOYAL); class ++)
        put_orders(table, report_classes[class], &report->of[class]);
    show(table, "What orders bring in, of all time (undone: refunded as a whole)", out);
}

static void print_odd(const struct report *report, FILE *out)
{
    enum { WIDTH = 28 };
    char left[WIDTH * 2], number[FIGURE_SIZE];
    bool any = false;
    for (int sum = 0; sum < RELANCE_SALES_COUNT; sum++) {
        if (report->odd[sum] <= 0) continue;
        if (!any) fputc('\n', out);
        any = true;
        int size = snprintf(left, sizeof left, "%-17s %9s", sales_forms[sum].name + sizeof "sales." - 1,
                            grouped((uint64_t)report->odd[sum], number));
        print_row(out, WIDTH, (str){left, (size_t)size}, str_of(sales_forms[sum].prose));
    }
}

static const struct report_money *money_in(const struct report_moneys *moneys, const char *currency)
{
    static const struct report_money none;
    for (size_t i = 0; i < moneys->count; i++)
        if (strcmp(moneys->items[i].currency, currency) == 0) return &moneys->items[i];
    return &none;
}

/* Of a day the currencies that it has orders or refunds in are rows. */
static void put_day(struct table *table, const struct report *report, const struct report_day *day)
{
    char text[TEXT_DAY_SIZE];
    bool first = true;
    text_put_day(text, day->day);
    for (size_t i = 0; i < report->currencies.count; i++) {
        const char *currency = report->currencies.items[i].currency;
        const struct report_money *money = money_in(&day->of[REPORT_ALL].money, currency),
                                  *back = money_in(&day->refunded_on, currency);
        if (!*money->currency && !*back->currency) continue;
        table_put(table, "%s", first ? text : "");
        for (int class = REPORT_FIRST; class <= REPORT_REPEAT; class ++)
            if (first)
                put_count(table, day->of[class].orders);
            else
                table_put(table, "%s", "");
        first = false;
        put_currency(table, currency);
        put_money(table, money->gross);
        put_money(table, report_net(money));
        put_money(table, back->refunded);
    }
}

static void print_days(const struct report *report, FILE *out)
{
    static const struct table_column columns[] = {
        {"day", TABLE_LEFT}, {"first", TABLE_RIGHT}, {"second", TABLE_RIGHT}, {"repeat", TABLE_RIGHT},
        {"in", TABLE_LEFT},  {"gross", TABLE_RIGHT}, {"net", TABLE_RIGHT},    {"given back", TABLE_RIGHT}};
    if (!report->day_count) return;
    struct table *table = table_new(columns, 8);
    for (size_t i = 0; i < report->day_count; i++)
        put_day(table, report, &report->days[i]);
    show(table, "By day of the order (given back: on that day, for any order)", out);
}

/* ---- customers */

static void put_of_all(struct table *table, const char *what, int64_t number, int64_t of)
{
    table_put(table, "%s", what);
    put_count(table, number);
    put_share(table, number, of);
}

static void print_customers(const struct report *report, FILE *out)
{
    static const struct table_column columns[] = {
        {"who", TABLE_LEFT}, {"customers", TABLE_RIGHT}, {"share", TABLE_RIGHT}};
    const int64_t *of = report->customers;
    int64_t all = of[0] + of[1] + of[2];
    struct table *table = table_new(columns, 3);
    put_of_all(table, "with one order", of[0], all);
    put_of_all(table, "with two", of[1], all);
    put_of_all(table, "with three or more", of[2], all);
    put_of_all(table, "all", all, all);
    show(table, "Customers who have ordered", out);
    if (report->within_of <= 0) return;
    char share[FIGURE_SIZE], again[FIGURE_SIZE], among[FIGURE_SIZE];
    print(out, "\nFirst order %d days ago or more: %s. Second within %d days: %s, %s.\n", REPORT_WITHIN_DAYS,
          grouped((uint64_t)report->within_of, among), REPORT_WITHIN_DAYS,
          grouped(report->within > 0 ? (uint64_t)report->within : 0, again),
          share_text(report->within, report->within_of, share));
}

static void print_after(const struct report *report, FILE *out)
{
    static const struct table_column columns[] = {
        {"within", TABLE_RIGHT}, {"customers", TABLE_RIGHT}, {"share", TABLE_RIGHT}, {"so far", TABLE_RIGHT}};
    int64_t all = report_second_orders(report), within = 0;
    if (all <= 0) return;
    struct table *table = table_new(columns, 4);
    for (size_t i = 0; i < REPORT_BOUNDS; i++) {
        within += report->second_after[i];
        if (report_bounds[i] == INT64_MAX)
            table_put(table, "%s", "later");
        else
            table_put(table, "%" PRId64 " days", report_bounds[i]);
        put_count(table, report->second_after[i]);
        put_share(table, report->second_after[i], all);
        put_share(table, within, all);
    }
    show(table, "How long until the second order", out);
}

/* ---- cohorts, channels */

enum { COHORT_SHOWN = 12 };

/* "37", in hundredths; "37+" while the month goes on. */
static void put_active(struct table *table, const struct report *report, const struct report_cohort *cohort,
                       int k)
{
    if (k >= cohort->months || cohort->customers <= 0) {
        table_put(table, "%s", "");
        return;
    }
    struct report_cell cell = report_cohort_month(report, cohort, k);
    table_put(table, "%.0f%s", 100.0 * (double)cell.customers / (double)cohort->customers,
              report_is_over(report, cohort->month, k) ? "" : "+");
    report_cell_free(&cell);
}

static void print_cohorts(const struct report *report, FILE *out)
{
    struct table_column columns[2 + COHORT_SHOWN] = {{"first order", TABLE_LEFT}, {"customers", TABLE_RIGHT}};
    char heads[COHORT_SHOWN][TEXT_NUMBER_SIZE], month[TEXT_NUMBER_SIZE];
    struct report_cohort cohort = {0};
    int most = 0;
    while (report_next_cohort(report, &cohort))
        if (cohort.months - 1 > most) most = cohort.months - 1;
    if (!cohort.end) return;
    if (most > COHORT_SHOWN) most = COHORT_SHOWN;
    for (int k = 1; k <= most; k++) {
        text_put_int(heads[k - 1], k);
        columns[1 + k] = (struct table_column){heads[k - 1], TABLE_RIGHT};
    }
    struct table *table = table_new(columns, 2 + (size_t)most);
    for (cohort = (struct report_cohort){0}; report_next_cohort(report, &cohort);) {
        report_month_text(cohort.month, month);
        table_put(table, "%s", month);
        put_count(table, cohort.customers);
        for (int k = 1; k <= most; k++)
            put_active(table, report, &cohort, k);
    }
    show(table, "Of a hundred customers, how many ordered so many months later (+: so far)", out);
}

static void print_channels(const struct report *report, FILE *out)
{
    static const struct table_column columns[] = {{"first channel", TABLE_LEFT},
                                                  {"customers", TABLE_RIGHT},
                                                  {"two orders", TABLE_RIGHT},
                                                  {"three", TABLE_RIGHT},
                                                  {"loyal", TABLE_RIGHT}};
    bool by_loyal = knows_loyal(report);
    struct table *table = table_new(columns, by_loyal ? 5 : 4);
    for (uint32_t i = 0; i < report->channel_names.count; i++) {
        const struct report_channel *channel = &report->channels[report->order[i]];
        put_name(table, channel->name);
        put_count(table, channel->customers);
        put_share(table, channel->second, channel->customers);
        put_share(table, channel->third, channel->customers);
        if (by_loyal) put_share(table, channel->loyal, channel->customers);
    }
    if (report->channel_names.count)
        show(table, "Customers by the channel of their first order", out);
    else
        table_free(table);
}

static void put_channel_money(struct table *table, const struct report *report, uint32_t number)
{
    const struct report_channel *channel = &report->channels[number];
    for (size_t i = 0; i < channel->net.count; i++) {
        const struct report_money *money = &channel->net.items[i];
        put_name(table, i ? STR("") : channel->name);
        put_currency(table, money->currency);
        put_each(table, money->gross, channel->customers);
        for (size_t m = 0; m < REPORT_LTVS; m++) {
            struct report_ltv ltv = report_ltv(report, number, money->currency, report_ltv_months[m]);
            put_each(table, ltv.net, ltv.customers);
        }
    }
}

static void print_values(const struct report *report, FILE *out)
{
    static const struct table_column columns[] = {{"first channel", TABLE_LEFT}, {"in", TABLE_LEFT},
                                                  {"so far", TABLE_RIGHT},       {"1 month", TABLE_RIGHT},
                                                  {"3 months", TABLE_RIGHT},     {"6 months", TABLE_RIGHT},
                                                  {"12 months", TABLE_RIGHT}};
    struct table *table = table_new(columns, 3 + REPORT_LTVS);
    for (uint32_t i = 0; i < report->channel_names.count; i++)
        put_channel_money(table, report, report->order[i]);
    if (report->channel_names.count)
        show(table, "Net for each customer, of those cohorts for which these months are over", out);
    else
        table_free(table);
}

/* ---- rules */

static void put_number(struct table *table, double count)
{
    if (count != 0)
        put_count(table, (int64_t)count);
    else
        table_put(table, "%s", "");
}

static void print_rules(const struct report *report, FILE *out)
{
    static const struct table_column columns[] = {{"rule", TABLE_LEFT},   {"started", TABLE_RIGHT},
                                                  {"sent", TABLE_RIGHT},  {"held", TABLE_RIGHT},
                                                  {"goals", TABLE_RIGHT}, {"value", TABLE_RIGHT}};
    struct table *table = table_new(columns, 6);
    size_t count = 0;
    for (size_t i = 0; i < report->rules.rule_count; i++) {
        const struct report_rule *rule = &report->rules.rules[i];
        if (!*rule->name) continue;
        count++;
        put_name(table, str_of(rule->name));
        put_number(table, rule->outcomes[RELANCE_OUTCOME_STARTED]);
        put_number(table, rule->outcomes[RELANCE_OUTCOME_SENT]);
        put_number(table, rule->outcomes[RELANCE_OUTCOME_HELD]);
        put_number(table, rule->outcomes[RELANCE_OUTCOME_GOAL]);
        put_money(table, report_money_of(rule->goal_value));
    }
    if (count)
        show(table, "Rules", out);
    else
        table_free(table);
}

static size_t put_reason(struct table *table, const char *rule, const char *why, const char *by, double count)
{
    if (count <= 0) return 0;
    put_name(table, str_of(rule));
    table_put(table, "%s%s%s", why, *by ? " by " : "", by);
    put_count(table, (int64_t)count);
    return 1;
}

static size_t put_reasons(struct table *table, const struct report_rule *rule)
{
    size_t count = 0;
    for (size_t i = 0; i < rule->cancel_count; i++)
        count += put_reason(table, rule->name, "cancelled", rule->cancels[i].name, rule->cancels[i].count);
    for (const enum relance_outcome *why = report_not_sent; *why != RELANCE_OUTCOME_COUNT; why++)
        count += put_reason(table, rule->name, metric_outcome(*why), "",
                            *why == RELANCE_OUTCOME_CANCELLED ? report_cancelled_otherwise(rule)
                                                              : rule->outcomes[*why]);
    return count;
}

static void print_reasons(const struct report *report, FILE *out)
{
    static const struct table_column columns[] = {
        {"rule", TABLE_LEFT}, {"why not", TABLE_LEFT}, {"times", TABLE_RIGHT}};
    struct table *table = table_new(columns, 3);
    size_t count = 0;
    for (size_t i = 0; i < report->rules.rule_count; i++)
        if (*report->rules.rules[i].name) count += put_reasons(table, &report->rules.rules[i]);
    if (count)
        show(table, "Why a run did not send, or none began", out);
    else
        table_free(table);
}

/* ---- the whole */

static void print_head(const struct report *report, FILE *out)
{
    char at[24];
    relance_time_print(report->at_ms, at);
    if (report->group)
        print(out, "%s, %s, at %.16sZ, days of %s\n", report->group, report->topic, at, report->zone);
    else if (!report->is_dated)
        fputs("No events.\n", out);
    else
        print(out, "Up to %.16sZ, days of %s\n", at, report->zone);
}

static void print_all_sales(const struct report *report, FILE *out)
{
    print_sales(report, out);
    print_odd(report, out);
    print_days(report, out);
    print_customers(report, out);
    print_after(report, out);
    print_cohorts(report, out);
    print_channels(report, out);
    print_values(report, out);
}

static void print_no_sales(const struct report *report, FILE *out)
{
    fputs("\nNo orders yet.\n", out);
    print_odd(report, out);
}

void report_print_tables(const struct report *report, FILE *out)
{
    print_head(report, out);
    if (report->currencies.count)
        print_all_sales(report, out);
    else if (report->has_sales)
        print_no_sales(report, out);
    else
        fputs("\nOf orders nothing is known: the rules say by `sales` what an order is.\n", out);
    print_rules(report, out);
    figures_print_lifts(&report->figures, out);
    figures_print_steps(&report->figures, out);
    figures_print_limits(&report->figures, out);
    figures_print_totals(&report->figures, out);
    print_reasons(report, out);
}
