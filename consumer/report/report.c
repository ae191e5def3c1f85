#include "report/report.h"
#include "base/ensure.h"
#include "base/floor.h"
#include "base/rfc3339.h"
#include "host/text.h"

#include <math.h>
#include <stdlib.h>

const char *const report_classes[REPORT_CLASSES] = {
#define REPORT_CLASS(NAME, text) text,
    REPORT_CLASS_TABLE(REPORT_CLASS)
#undef REPORT_CLASS
};
const int64_t report_bounds[REPORT_BOUNDS] = {
#define REPORT_BOUND(days) days,
    RELANCE_SALES_DAYS_TABLE(REPORT_BOUND)
#undef REPORT_BOUND
        INT64_MAX,
};

static void *report_must(void *memory)
{
    ensure(memory);
    return memory;
}

/* Sums of partitions have room each, and together, but for what means harm. */
static void report_sum(int64_t *sum, int64_t number)
{
    if (__builtin_add_overflow(*sum, number, sum)) *sum = number > 0 ? INT64_MAX : INT64_MIN;
}

/* ---- what is asked */

static int64_t day_of(const struct relance_ruleset *rules, int64_t ms)
{
    enum { DAY_MS = 86400000 };
    return rules ? relance_ruleset_day(rules, ms) : floor_div(ms, DAY_MS);
}

void report_ask(struct report *report, const struct report_asked *asked)
{
    str zone = asked->rules ? relance_ruleset_zone(asked->rules) : STR("UTC");
    report->is_dated = asked->at_ms >= RFC3339_MS_MIN && asked->at_ms <= RFC3339_MS_MAX;
    snprintf(report->zone, sizeof report->zone, "%.*s", STR_ARG(zone));
    report->has_sales |= asked->rules && relance_ruleset_has_sales(asked->rules);
    report->group = asked->group;
    report->topic = asked->topic;
    report->at_ms = report->is_dated ? asked->at_ms : 0;
    report->today = day_of(asked->rules, report->at_ms);
    report->to = asked->has_to ? asked->to : report->today;
    report->from = asked->has_from ? asked->from : report->to - (asked->days ? asked->days : REPORT_DAYS) + 1;
}

bool report_wants_day(const struct report *report, int64_t day)
{
    return (day >= report->from && day <= report->to) || day > report->today - REPORT_WITHIN_DAYS;
}

/* ---- money */

static struct report_money *moneys_at(struct report_moneys *moneys, str currency)
{
    char name[sizeof moneys->items->currency];
    size_t at = 0;
    snprintf(name, sizeof name, "%.*s", STR_ARG(currency));
    while (at < moneys->count && strcmp(moneys->items[at].currency, name) < 0)
        at++;
    if (at < moneys->count && strcmp(moneys->items[at].currency, name) == 0) return &moneys->items[at];
    moneys->items = report_must(realloc(moneys->items, (moneys->count + 1) * sizeof *moneys->items));
    memmove(moneys->items + at + 1, moneys->items + at, (moneys->count - at) * sizeof *moneys->items);
    moneys->count++;
    moneys->items[at] = (struct report_money){0};
    memcpy(moneys->items[at].currency, name, sizeof name);
    return &moneys->items[at];
}

int64_t report_net(const struct report_money *money)
{
    int64_t net = money->gross;
    if (__builtin_sub_overflow(net, money->refunded, &net))
        return money->refunded < 0 ? INT64_MAX : INT64_MIN;
    return net;
}

bool report_each(int64_t money, int64_t among, int64_t *out)
{
    if (among <= 0) return false;
    int64_t whole = money / among, rest = money % among; /* halves away from zero, as everywhere */
    if (rest >= among - rest) whole++;
    if (-rest >= among + rest) whole--;
    *out = whole;
    return true;
}

bool report_average(const struct report_orders *orders, const struct report_money *money, int64_t *out)
{
    return orders->money.count == 1 && report_each(report_net(money), orders->orders - orders->refunded, out);
}

int64_t report_money_of(double value)
{
    double money = round(value * 10000);
    return money > -9.2e18 && money < 9.2e18 ? (int64_t)money : 0;
}

const char *report_money_text(int64_t money, char out[REPORT_MONEY_SIZE])
{
    enum { UNIT = 10000 };
    uint64_t size = money < 0 ? 0 - (uint64_t)money : (uint64_t)money;
    int length = snprintf(out, REPORT_MONEY_SIZE, "%s%llu.%04u", money < 0 ? "-" : "",
                          (unsigned long long)(size / UNIT), (unsigned)(size % UNIT));
    while (out[length - 1] == '0')
        out[--length] = '\0';
    if (out[length - 1] == '.') out[--length] = '\0';
    return out;
}

/* ---- places of sums */

static struct report_day *report_day_at(struct report *report, int64_t day)
{
    size_t begin = 0, end = report->day_count;
    while (begin < end) {
        size_t middle = begin + (end - begin) / 2;
        if (report->days[middle].day < day)
            begin = middle + 1;
        else
            end = middle;
    }
    if (begin < report->day_count && report->days[begin].day == day) return &report->days[begin];
    report->days = report_must(realloc(report->days, (report->day_count + 1) * sizeof *report->days));
    memmove(report->days + begin + 1, report->days + begin,
            (report->day_count - begin) * sizeof *report->days);
    report->day_count++;
    report->days[begin] = (struct report_day){.day = day};
    return &report->days[begin];
}

static uint32_t report_channel_at(struct report *report, str name)
{
    uint32_t before = report->channel_names.count, at = names_add(&report->channel_names, name);
    if (at < before) return at;
    report->channels = report_must(realloc(report->channels, (at + 1) * sizeof *report->channels));
    report->channels[at] = (struct report_channel){.name = report->channel_names.list[at]};
    return at;
}

/* "2026-03" */
static bool read_month(str text, int64_t *month)
{
    enum { SIZE = sizeof "2026-03" - 1, MONTHS = 12 };
    int64_t year, of_year;
    if (text.size != SIZE || !text_count(str_slice(text, 0, 4), &year) ||
        !text_count(str_slice(text, 5, 7), &of_year))
        return false;
    *month = year * MONTHS + of_year - 1;
    return text.data[4] == '-' && of_year >= 1 && of_year <= MONTHS;
}

/* NULL: there can be no such cell. */
static struct report_cell *report_cell_at(struct report *report, const struct sales_name *name)
{
    int64_t month, k;
    str channel = name->words[SALES_CH], later = name->words[SALES_K];
    if (!read_month(name->words[SALES_MONTH], &month) || !text_count(later, &k) || k >= REPORT_MONTHS)
        return NULL;
    const char *begin = name->words[SALES_MONTH].data; /* it is one text, up to K */
    uint32_t before = report->cell_names.count,
             at = names_add(&report->cell_names, (str){begin, (size_t)(later.data + later.size - begin)});
    if (at < before) return &report->cells[at];
    report->cells = report_must(realloc(report->cells, (at + 1) * sizeof *report->cells));
    report->cells[at] =
        (struct report_cell){.month = month, .k = (int)k, .channel = report_channel_at(report, channel)};
    report->cell_count = at + 1;
    return &report->cells[at];
}

static int64_t *report_bound_at(int64_t bounds[REPORT_BOUNDS], str days)
{
    int64_t number;
    if (str_equal(days, STR("more"))) return &bounds[REPORT_BOUNDS - 1];
    if (!text_count(days, &number)) return NULL;
    for (size_t i = 0; i < REPORT_BOUNDS; i++)
        if (report_bounds[i] == number) return &bounds[i];
    return NULL;
}

static int64_t *report_customers_at(struct report *report, str number)
{
    static const char *const names[] = {"1", "2", "3plus"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_equal(number, str_of(names[i]))) return &report->customers[i];
    return NULL;
}

/* ---- which place a name means */

static struct report_orders *report_orders_at(struct report *report, struct report_day *day, str class)
{
    for (int i = 0; i < REPORT_CLASSES; i++)
        if (str_equal(class, str_of(report_classes[i]))) return day ? &day->of[i] : &report->of[i];
    return NULL;
}

static int64_t *report_order_number(struct report_orders *orders, const struct sales_name *name)
{
    if (!orders) return NULL;
    if (name->sum == RELANCE_SALES_ORDERS) return &orders->orders;
    if (name->sum == RELANCE_SALES_ORDERS_REFUNDED) return &orders->refunded;
    struct report_money *money = moneys_at(&orders->money, name->words[SALES_CUR]);
    return name->sum == RELANCE_SALES_GROSS ? &money->gross : &money->refunded;
}

static int64_t *report_channel_number(struct report *report, const struct sales_name *name)
{
    uint32_t at = report_channel_at(report, name->words[SALES_CH]);
    struct report_channel *channel = &report->channels[at];
    switch (name->sum) {
    case RELANCE_SALES_CHANNEL_CUSTOMERS: return &channel->customers;
    case RELANCE_SALES_CHANNEL_SECOND: return &channel->second;
    case RELANCE_SALES_CHANNEL_THIRD: return &channel->third;
    case RELANCE_SALES_CHANNEL_LOYAL: return &channel->loyal;
    default: return &moneys_at(&channel->net, name->words[SALES_CUR])->gross;
    }
}

static int64_t *report_cell_number(struct report *report, const struct sales_name *name)
{
    struct report_cell *cell = report_cell_at(report, name);
    if (!cell) return NULL;
    if (name->sum == RELANCE_SALES_COHORT_CUSTOMERS) return &cell->customers;
    if (name->sum == RELANCE_SALES_COHORT_ORDERS) return &cell->orders;
    struct report_money *money = moneys_at(&cell->money, name->words[SALES_CUR]);
    return name->sum == RELANCE_SALES_COHORT_GROSS ? &money->gross : &money->refunded;
}

/* NULL: a newer version may know. `day` NULL: since ever. */
static int64_t *report_number(struct report *report, struct report_day *day, const struct sales_name *name)
{
    switch (name->sum) {
    case RELANCE_SALES_ORDERS:
    case RELANCE_SALES_ORDERS_REFUNDED:
    case RELANCE_SALES_GROSS:
    case RELANCE_SALES_REFUNDED:
        return report_order_number(report_orders_at(report, day, name->words[SALES_CLASS]), name);
    case RELANCE_SALES_REFUNDED_ON:
        return day ? &moneys_at(&day->refunded_on, name->words[SALES_CUR])->refunded : NULL;
    case RELANCE_SALES_CUSTOMERS: return report_customers_at(report, name->words[SALES_N]);
    case RELANCE_SALES_SECOND_AFTER:
        return report_bound_at(day ? day->second_after : report->second_after, name->words[SALES_DAYS]);
    case RELANCE_SALES_CHANNEL_CUSTOMERS:
    case RELANCE_SALES_CHANNEL_SECOND:
    case RELANCE_SALES_CHANNEL_THIRD:
    case RELANCE_SALES_CHANNEL_LOYAL:
    case RELANCE_SALES_CHANNEL_NET: return report_channel_number(report, name);
    case RELANCE_SALES_COHORT_CUSTOMERS:
    case RELANCE_SALES_COHORT_ORDERS:
    case RELANCE_SALES_COHORT_GROSS:
    case RELANCE_SALES_COHORT_REFUNDED: return report_cell_number(report, name);
    default: return &report->odd[name->sum];
    }
}

void report_add(struct report *report, const struct relance_addition *sum)
{
    struct sales_name name;
    if (!sales_name_read(sum->name, &name)) {
        report_totals_add(&report->totals, sum);
        if (sum->table == RELANCE_SUMS_ALL)
            figures_add_counter(&report->figures, sum->name, (double)sum->number);
        return;
    }
    struct report_day *day = sum->table == RELANCE_SUMS_DAY ? report_day_at(report, sum->day) : NULL;
    int64_t *number = report_number(report, day, &name);
    if (name.words[SALES_CUR].size) moneys_at(&report->currencies, name.words[SALES_CUR]);
    if (number) report_sum(number, sum->number);
    report->has_sales = true;
}

void report_add_counter(struct report *report, str name, double value)
{
    figures_add_counter(&report->figures, name, value);
}

/* ---- the end */

static void orders_add(struct report_orders *sum, const struct report_orders *more)
{
    report_sum(&sum->orders, more->orders);
    report_sum(&sum->refunded, more->refunded);
    for (size_t i = 0; i < more->money.count; i++) {
        const struct report_money *money = &more->money.items[i];
        struct report_money *own = moneys_at(&sum->money, str_of(money->currency));
        report_sum(&own->gross, money->gross);
        report_sum(&own->refunded, money->refunded);
    }
}

static void orders_end(struct report_orders of[REPORT_CLASSES])
{
    for (int class = REPORT_FIRST; class <= REPORT_REPEAT; class ++)
        orders_add(&of[REPORT_ALL], &of[class]);
}

static int cell_order(const void *a, const void *b)
{
    const struct report_cell *x = a, *y = b;
    if (x->month != y->month) return x->month < y->month ? -1 : 1;
    if (x->k != y->k) return x->k < y->k ? -1 : 1;
    return x->channel < y->channel ? -1 : x->channel > y->channel;
}

static int channel_order(const void *a, const void *b, void *context)
{
    const struct report *report = context;
    const struct report_channel *x = &report->channels[*(const uint32_t *)a],
                                *y = &report->channels[*(const uint32_t *)b];
    if (x->customers != y->customers) return x->customers > y->customers ? -1 : 1;
    return str_compare(x->name, y->name);
}

static void report_sort_channels(struct report *report)
{
    uint32_t count = report->channel_names.count;
    report->order = report_must(calloc(count + 1, sizeof *report->order));
    for (uint32_t i = 0; i < count; i++)
        report->order[i] = i;
    if (count) qsort_r(report->order, count, sizeof *report->order, channel_order, report);
}

/* Customers whose first order is old enough are all but those of the last days; so are their second orders. */
static void report_end_within(struct report *report)
{
    report->within_of = report->of[REPORT_FIRST].orders;
    for (size_t i = 0; i < REPORT_BOUNDS && report_bounds[i] <= REPORT_WITHIN_DAYS; i++)
        report_sum(&report->within, report->second_after[i]);
    for (size_t d = 0; d < report->day_count; d++) {
        const struct report_day *day = &report->days[d];
        if (day->day <= report->today - REPORT_WITHIN_DAYS) continue;
        report_sum(&report->within_of, -day->of[REPORT_FIRST].orders);
        for (size_t i = 0; i < REPORT_BOUNDS && report_bounds[i] <= REPORT_WITHIN_DAYS; i++)
            report_sum(&report->within, -day->second_after[i]);
    }
}

static void day_free(struct report_day *day)
{
    for (int class = 0; class < REPORT_CLASSES; class ++)
        free(day->of[class].money.items);
    free(day->refunded_on.items);
}

/* Leaves those that are asked for. */
static void report_end_days(struct report *report)
{
    size_t kept = 0;
    for (size_t i = 0; i < report->day_count; i++) {
        struct report_day *day = &report->days[i];
        if (day->day < report->from || day->day > report->to) {
            day_free(day);
            continue;
        }
        orders_end(day->of);
        report->days[kept++] = *day;
    }
    report->day_count = kept;
}

void report_end(struct report *report)
{
    report_end_within(report);
    report_end_days(report);
    orders_end(report->of);
    if (report->cell_count) qsort(report->cells, report->cell_count, sizeof *report->cells, cell_order);
    names_free(&report->cell_names); /* they stand in another order now */
    report_sort_channels(report);
    figures_end(&report->figures, 0);
    report_rules_take(&report->rules, &report->figures);
    report_totals_end(&report->totals, report->from, report->to);
}

void report_free(struct report *report)
{
    for (int class = 0; class < REPORT_CLASSES; class ++)
        free(report->of[class].money.items);
    for (size_t i = 0; i < report->day_count; i++)
        day_free(&report->days[i]);
    for (size_t i = 0; i < report->cell_count; i++)
        report_cell_free(&report->cells[i]);
    for (uint32_t i = 0; i < report->channel_names.count; i++)
        free(report->channels[i].net.items);
    free(report->currencies.items);
    free(report->days);
    free(report->cells);
    free(report->channels);
    free(report->order);
    names_free(&report->cell_names);
    names_free(&report->channel_names);
    figures_free(&report->figures);
    report_rules_free(&report->rules);
    report_totals_free(&report->totals);
    *report = (struct report){0};
}

int64_t report_second_orders(const struct report *report)
{
    int64_t all = 0;
    for (size_t i = 0; i < REPORT_BOUNDS; i++)
        report_sum(&all, report->second_after[i]);
    return all;
}

int64_t report_median_days(const struct report *report)
{
    int64_t all = report_second_orders(report), within = 0;
    for (size_t i = 0; all > 0 && report_bounds[i] != INT64_MAX; i++) {
        report_sum(&within, report->second_after[i]);
        if (within >= all - within) return report_bounds[i];
    }
    return 0;
}

/* ---- cohorts */

static int64_t month_of_day(int64_t day)
{
    int64_t year;
    unsigned month, of_month;
    rfc3339_date(day, &year, &month, &of_month);
    return year * 12 + month - 1;
}

bool report_next_cohort(const struct report *report, struct report_cohort *cohort)
{
    size_t at = cohort->end;
    if (at == report->cell_count) return false;
    *cohort = (struct report_cohort){.month = report->cells[at].month, .begin = at};
    while (at < report->cell_count && report->cells[at].month == cohort->month) {
        const struct report_cell *cell = &report->cells[at++];
        if (!cell->k) report_sum(&cohort->customers, cell->customers);
        if (cell->k >= cohort->months) cohort->months = cell->k + 1;
    }
    cohort->end = at;
    int64_t begun = month_of_day(report->today) - cohort->month + 1;
    if (begun > cohort->months) cohort->months = begun < REPORT_MONTHS ? (int)begun : REPORT_MONTHS;
    return true;
}

struct report_cell report_cohort_month(const struct report *report, const struct report_cohort *cohort, int k)
{
    struct report_cell sum = {.month = cohort->month, .k = k};
    struct report_orders orders = {0};
    for (size_t i = cohort->begin; i < cohort->end; i++) {
        const struct report_cell *cell = &report->cells[i];
        if (cell->k != k) continue;
        report_sum(&sum.customers, cell->customers);
        orders_add(&orders, &(struct report_orders){cell->orders, 0, cell->money});
    }
    sum.orders = orders.orders;
    sum.money = orders.money;
    return sum;
}

void report_cell_free(struct report_cell *cell)
{
    free(cell->money.items);
}

void report_month_text(int64_t month, char out[TEXT_NUMBER_SIZE])
{
    snprintf(out, TEXT_NUMBER_SIZE, "%04d-%02d", (int)(month / 12), (int)(month % 12 + 1));
}

const int report_ltv_months[REPORT_LTVS] = {1, 3, 6, 12};

bool report_is_over(const struct report *report, int64_t month, int k)
{
    return month + k < month_of_day(report->today);
}

struct report_ltv report_ltv(const struct report *report, uint32_t channel, const char *currency, int k)
{
    struct report_ltv ltv = {0};
    for (size_t i = 0; i < report->cell_count; i++) {
        const struct report_cell *cell = &report->cells[i];
        if (cell->channel != channel || cell->k > k || !report_is_over(report, cell->month, k)) continue;
        if (!cell->k) report_sum(&ltv.customers, cell->customers);
        for (size_t m = 0; m < cell->money.count; m++)
            if (strcmp(cell->money.items[m].currency, currency) == 0)
                report_sum(&ltv.net, report_net(&cell->money.items[m]));
    }
    return ltv;
}
