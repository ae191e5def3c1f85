#include "report/report_totals.h"
#include "base/ensure.h"
#include "host/table.h"
#include "host/text.h"
#include "report/member.h"
#include "report/report.h"

#include <stdlib.h>

/* ---- taking */

/* Under DAY/TOTAL.BY, whatever of it comes first. */
static struct report_total *total_at(struct report_totals *totals, int64_t day, str name, bool has_by)
{
    char *key = NULL;
    int size = asprintf(&key, "%lld/%.*s", (long long)day, STR_ARG(name));
    ensure(size >= 0);
    uint32_t at = names_add(&totals->names, (str){key, (size_t)size});
    free(key);
    if (at < totals->count) return &totals->items[at];
    totals->items = realloc(totals->items, (totals->count + 1) * sizeof *totals->items);
    ensure(totals->items);
    struct report_total *total = &totals->items[totals->count++];
    str kept = totals->names.list[at];
    str own = str_slice(kept, kept.size - name.size, kept.size);
    const char *dot = has_by ? memchr(own.data, '.', own.size) : NULL;
    size_t end = dot ? (size_t)(dot - own.data) : own.size;
    *total = (struct report_total){.total = str_slice(own, 0, end), .day = day};
    if (dot) total->by = str_slice(own, end + 1, own.size);
    return total;
}

static void add_to(int64_t *sum, int64_t number)
{
    if (__builtin_add_overflow(*sum, number, sum)) *sum = number > 0 ? INT64_MAX : INT64_MIN;
}

void report_totals_add(struct report_totals *totals, const struct relance_addition *sum)
{
    struct metric_parts parts = metric_take_apart(sum->name);
    if (parts.row != METRIC_TOTAL && parts.row != METRIC_TOTAL_SUM) return;
    size_t begin = (size_t)(parts.first.data - sum->name.data);
    struct report_total *total = total_at(totals, sum->table == RELANCE_SUMS_DAY ? sum->day : REPORT_EVER,
                                          str_slice(sum->name, begin, sum->name.size), parts.by.data);
    if (parts.row == METRIC_TOTAL_SUM) total->has_sum = true;
    add_to(parts.row == METRIC_TOTAL_SUM ? &total->sum : &total->count, sum->number);
}

static int total_order(const void *a, const void *b)
{
    const struct report_total *x = a, *y = b;
    int order = str_compare(x->total, y->total);
    int64_t number = report_total_number(x), other = report_total_number(y);
    if (order) return order;
    if (x->day != y->day) return x->day < y->day ? -1 : 1;
    if (number != other) return number > other ? -1 : 1;
    return str_compare(x->by, y->by);
}

void report_totals_end(struct report_totals *totals, int64_t from, int64_t to)
{
    size_t kept = 0;
    for (size_t i = 0; i < totals->count; i++) {
        int64_t day = totals->items[i].day;
        if (day == REPORT_EVER || (day >= from && day <= to)) totals->items[kept++] = totals->items[i];
    }
    totals->count = kept;
    if (totals->count) qsort(totals->items, totals->count, sizeof *totals->items, total_order);
}

void report_totals_free(struct report_totals *totals)
{
    names_free(&totals->names);
    free(totals->items);
    *totals = (struct report_totals){0};
}

/* ---- a table */

enum { SHOWN = 20 /* values of one total */ };

static void put_total(struct table *table, str name, const char *by, size_t by_size,
                      const struct report_total *total)
{
    char money[REPORT_MONEY_SIZE];
    table_put(table, "%.*s", STR_ARG(name));
    table_put(table, "%.*s", (int)by_size, by);
    table_put(table, "%lld", (long long)total->count);
    table_put(table, "%s", total->has_sum ? report_money_text(total->sum, money) : "");
}

/* The greatest, and all others as one row. The end of those of its name. */
static size_t put_values(struct table *table, const struct report_totals *totals, size_t begin)
{
    const struct report_total *first = &totals->items[begin];
    struct report_total others = {.has_sum = first->has_sum};
    size_t end = begin;
    for (; end < totals->count && str_equal(totals->items[end].total, first->total); end++) {
        const struct report_total *total = &totals->items[end];
        if (end - begin < SHOWN) {
            put_total(table, total->total, total->by.data ? total->by.data : "", total->by.size, total);
            continue;
        }
        add_to(&others.count, total->count);
        add_to(&others.sum, total->sum);
    }
    if (end - begin > SHOWN) put_total(table, first->total, "(all others)", 12, &others);
    return end;
}

void figures_print_totals(const struct figures *figures, FILE *out)
{
    static const struct table_column columns[] = {
        {"total", TABLE_LEFT}, {"by", TABLE_LEFT}, {"events", TABLE_RIGHT}, {"sum", TABLE_RIGHT}};
    struct report_totals totals = {0};
    for (size_t i = 0; i < figures->count; i++)
        report_totals_add(&totals,
                          &(struct relance_addition){RELANCE_SUMS_ALL, 0, str_of(figures->items[i].name),
                                                     (int64_t)figures->items[i].value});
    report_totals_end(&totals, 0, 0);
    struct table *table = table_new(columns, 4);
    for (size_t i = 0; i < totals.count;)
        i = put_values(table, &totals, i);
    if (totals.count) {
        fputc('\n', out);
        table_print(table, out);
    }
    table_free(table);
    report_totals_free(&totals);
}

/* ---- JSON */

/* Those of one total and one day, from `begin` on; where they end. */
static size_t put_values_of(cJSON *object, const struct report_totals *totals, size_t begin)
{
    const struct report_total *first = &totals->items[begin];
    cJSON *list = member_list(object, "values");
    size_t end = begin;
    for (; end < totals->count && str_equal(totals->items[end].total, first->total); end++) {
        const struct report_total *total = &totals->items[end];
        if (total->day != first->day) break;
        cJSON *item = member_item(list);
        member_text(item, "by", total->by);
        (total->has_sum ? member_money : member_int)(item, "number", report_total_number(total));
        if (total->has_sum) member_int(item, "events", total->count);
    }
    return end;
}

void report_put_totals(cJSON *list, const struct report_totals *totals)
{
    for (size_t i = 0; i < totals->count;) {
        str name = totals->items[i].total;
        cJSON *item = member_item(list);
        member_text(item, "total", name);
        if (totals->items[i].day == REPORT_EVER)
            i = put_values_of(item, totals, i);
        else
            member_list(item, "values");
        cJSON *days = member_list(item, "days");
        while (i < totals->count && str_equal(totals->items[i].total, name)) {
            cJSON *one = member_item(days);
            member_day(one, "day", totals->items[i].day);
            i = put_values_of(one, totals, i);
        }
    }
}
