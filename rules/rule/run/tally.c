/* What a ledger comes to, as additions to the sums (relance/sales.h): rows that are collected, sorted, added up where they
 * are alike, and told where something is left. */
#include "rule/run/sales.h"

#include "base/buffer.h"
#include "time/calendar.h"

#include <stdlib.h>

struct tally_row {
    enum relance_sales sum;
    enum relance_sums table;
    uint8_t class;
    uint8_t small;     /* N, DAYS or K */
    uint16_t currency; /* of money alone */
    int32_t when;      /* DAY: since 1970; COHORTS: the month */
    str channel;
    int64_t number;
};

/* ---- names */

static const str class_names[] = {STR("first"), STR("second"), STR("repeat"), STR("loyal"), STR("others")};
enum { CLASS_REPEAT = 2, CLASS_LOYAL, CLASS_OTHERS };

static const str customer_names[] = {STR("1"), STR("2"), STR("3plus")};
static const struct {
    int64_t days;
    str name;
} second_after[] = {
#define SECOND_AFTER(days) {days, STR(#days)},
    RELANCE_SALES_DAYS_TABLE(SECOND_AFTER)
#undef SECOND_AFTER
        {INT64_MAX, STR("more")},
};
enum { SECOND_AFTERS = sizeof second_after / sizeof *second_after };

static const struct sales_row {
    str name;
    unsigned tables;
    bool is_money;
} sales_rows[RELANCE_SALES_COUNT] = {
#define SALES_ROW(NAME, tables, name, is_money, prose) {STR(name), tables, is_money},
    RELANCE_SALES_TABLE(SALES_ROW)
#undef SALES_ROW
};

str currency_text(uint16_t currency, char out[CURRENCY_TEXT_SIZE])
{
    size_t size = 0;
    if (currency == CURRENCY_OTHER) return STR("other");
    for (int digit = CURRENCY_LETTERS * CURRENCY_LETTERS; digit; digit /= CURRENCY_LETTERS)
        out[size++] = (char)('A' + currency / digit % CURRENCY_LETTERS);
    return (str){out, size};
}

static void put_currency(struct buffer *out, uint16_t currency)
{
    char text[CURRENCY_TEXT_SIZE];
    buffer_put_str(out, currency_text(currency, text));
}

static void put_month(struct buffer *out, int32_t month)
{
    enum { MONTHS = 12 };
    buffer_put_format(out, "%04d-%02d", month / MONTHS, month % MONTHS + 1);
}

static void put_int(struct buffer *out, int64_t number)
{
    char text[INT_PRINT_SIZE];
    buffer_put(out, text, int_print(number, text));
}

static bool is_capital(char c)
{
    return c >= 'A' && c <= 'Z';
}

/* What one of the words in capitals stands for. */
static void put_word(struct buffer *out, str word, const struct tally_row *row)
{
    if (str_equal(word, STR("CLASS")))
        buffer_put_str(out, class_names[row->class]);
    else if (str_equal(word, STR("CUR")))
        put_currency(out, row->currency);
    else if (str_equal(word, STR("CH")))
        buffer_put_str(out, row->channel);
    else if (str_equal(word, STR("MONTH")))
        put_month(out, row->when);
    else if (str_equal(word, STR("N")))
        buffer_put_str(out, customer_names[row->small]);
    else if (str_equal(word, STR("DAYS")))
        buffer_put_str(out, second_after[row->small].name);
    else
        put_int(out, row->small);
}

static void put_name(struct buffer *out, const struct tally_row *row)
{
    str name = sales_rows[row->sum].name;
    for (size_t at = 0, end; at < name.size; at = end) {
        for (end = at; end < name.size && is_capital(name.data[end]);)
            end++;
        if (end > at)
            put_word(out, str_slice(name, at, end), row);
        else
            buffer_put_char(out, name.data[end++]);
    }
}

/* ---- rows */

void tally_begin(struct relance_engine *e, struct tally *tally)
{
    *tally = (struct tally){.e = e, .off = !e->options.add};
}

static void tally_add(struct tally *tally, struct tally_row row)
{
    enum { FIRST = 32 };
    if (tally->off || !row.number) return;
    if (tally->count == tally->capacity) {
        uint32_t capacity = tally->capacity ? 2 * tally->capacity : FIRST;
        struct tally_row *rows =
            or_fail(tally->e, arena_alloc(&tally->e->scratch, capacity * sizeof *tally->rows));
        if (!rows) {
            tally->off = true;
            return;
        }
        if (tally->count) memcpy(rows, tally->rows, tally->count * sizeof *rows);
        tally->rows = rows;
        tally->capacity = capacity;
    }
    tally->rows[tally->count++] = row;
}

void tally_event(struct tally *tally, enum relance_sales sum)
{
    tally_add(tally, (struct tally_row){.sum = sum, .table = RELANCE_SUMS_ALL, .number = 1});
}

static int row_order(const void *a, const void *b)
{
    const struct tally_row *x = a, *y = b;
    if (x->sum != y->sum) return x->sum < y->sum ? -1 : 1;
    if (x->table != y->table) return x->table < y->table ? -1 : 1;
    if (x->class != y->class) return x->class < y->class ? -1 : 1;
    if (x->small != y->small) return x->small < y->small ? -1 : 1;
    if (x->when != y->when) return x->when < y->when ? -1 : 1;
    if (x->currency != y->currency) return x->currency < y->currency ? -1 : 1;
    return str_compare(x->channel, y->channel);
}

static void tally_tell(struct tally *tally, const struct tally_row *row)
{
    struct relance_engine *e = tally->e;
    struct buffer name;
    struct arena_mark before = arena_mark(&e->scratch);
    buffer_init(&name, &e->scratch);
    put_name(&name, row);
    e->failed |= name.failed;
    struct relance_addition addition = {row->table, row->table == RELANCE_SUMS_DAY ? row->when : 0,
                                        buffer_str(&name), row->number};
    if (!e->failed) e->options.add(e->options.context, &addition);
    arena_rewind(&e->scratch, before);
}

void tally_end(struct tally *tally)
{
    if (tally->off || !tally->count) return;
    qsort(tally->rows, tally->count, sizeof *tally->rows, row_order);
    for (uint32_t i = 0, next; i < tally->count; i = next) {
        struct tally_row sum = tally->rows[i];
        for (next = i + 1; next < tally->count && !row_order(&sum, &tally->rows[next]); next++)
            sum.number = (int64_t)((uint64_t)sum.number + (uint64_t)tally->rows[next].number);
        if (sum.number) tally_tell(tally, &sum);
    }
}

/* ---- orders */

static str channel_of(const struct sales_ledger *ledger)
{
    return ledger->channel ? bytes_str(ledger->channel) : STR("unknown");
}

/* One order: what is alike in all that it is counted under. */
struct tallied {
    struct tally *tally;
    const struct sales_ledger *ledger;
    const struct order *order;
    int64_t place;
    int sign;
};

/* Under its class and whether the customer was loyal, of all time and of its day. */
static void add_classed(const struct tallied *t, enum relance_sales sum, int64_t number)
{
    uint8_t by_place = (uint8_t)(t->place > CLASS_REPEAT ? CLASS_REPEAT : t->place - 1);
    uint8_t by_loyal = t->order->loyal ? CLASS_LOYAL : CLASS_OTHERS;
    struct tally_row row = {.sum = sum, .class = by_place, .number = t->sign * number};
    if (sales_rows[sum].is_money) row.currency = t->order->currency;
    for (int classes = 0; classes <= t->order->asked; classes++, row.class = by_loyal) {
        row.table = RELANCE_SUMS_ALL;
        row.when = 0;
        tally_add(t->tally, row);
        row.table = RELANCE_SUMS_DAY;
        row.when = (int32_t)order_day(t->order);
        tally_add(t->tally, row);
    }
}

/* Under the month of the first order; who had ordered before is in no cohort. */
static void add_cohort(const struct tallied *t, enum relance_sales sum, int64_t number)
{
    if (t->ledger->before) return;
    int64_t first = month_of_day(first_order_day(t->ledger)), k = month_of_day(order_day(t->order)) - first;
    if (k < 0 || k >= LEDGER_MONTHS) return;
    tally_add(t->tally, (struct tally_row){.sum = sum,
                                           .table = RELANCE_SUMS_COHORTS,
                                           .small = (uint8_t)k,
                                           .currency = sales_rows[sum].is_money ? t->order->currency : 0,
                                           .when = (int32_t)first,
                                           .channel = channel_of(t->ledger),
                                           .number = t->sign * number});
}

static void add_refund_day(void *context, const struct refund *refund, int64_t taken)
{
    const struct tallied *t = context;
    tally_add(t->tally, (struct tally_row){.sum = RELANCE_SALES_REFUNDED_ON,
                                           .table = RELANCE_SUMS_DAY,
                                           .currency = t->order->currency,
                                           .when = (int32_t)refund_day(refund),
                                           .number = t->sign * taken});
}

static void add_order(const struct tallied *t)
{
    const struct order *order = t->order;
    struct refunded refunded = refunded_of(t->ledger, order, add_refund_day, (void *)(uintptr_t)t);
    add_classed(t, RELANCE_SALES_ORDERS, 1);
    add_classed(t, RELANCE_SALES_GROSS, order->total);
    add_classed(t, RELANCE_SALES_ORDERS_REFUNDED, refunded.whole);
    add_classed(t, RELANCE_SALES_REFUNDED, refunded.amount);
    add_cohort(t, RELANCE_SALES_COHORT_ORDERS, 1);
    add_cohort(t, RELANCE_SALES_COHORT_GROSS, order->total);
    add_cohort(t, RELANCE_SALES_COHORT_REFUNDED, refunded.amount);
    tally_add(t->tally, (struct tally_row){.sum = RELANCE_SALES_CHANNEL_NET,
                                           .table = RELANCE_SUMS_ALL,
                                           .currency = order->currency,
                                           .channel = channel_of(t->ledger),
                                           .number = t->sign * (order->total - refunded.amount)});
    tally_add(t->tally, (struct tally_row){.sum = RELANCE_SALES_REFUNDS_CUT,
                                           .table = RELANCE_SUMS_ALL,
                                           .number = t->sign * refunded.cut});
}

void tally_orders(struct tally *tally, const struct sales_ledger *ledger, uint32_t begin, uint32_t end,
                  int sign)
{
    for (uint32_t at = begin; at < end && !tally->off; at++)
        add_order(&(struct tallied){tally, ledger, order_at(ledger, at), order_place(ledger, at), sign});
}

void tally_beyond(struct tally *tally, const struct sales_ledger *ledger, const struct order *order)
{
    struct tallied t = {tally, ledger, order, CLASS_REPEAT + 1, 1};
    if (!tally->off) add_order(&t);
    tally_event(tally, RELANCE_SALES_ORDERS_BEYOND);
}

/* ---- the customer */

static bool was_loyal(const struct sales_ledger *ledger)
{
    VECTOR_EACH (ledger->orders, struct order, order)
        if (order->loyal) return true;
    return ledger->loyal;
}

static uint8_t second_after_row(int64_t gap_ms)
{
    static const int64_t day_ms = 86400000;
    uint8_t row = 0;
    while (row + 1 < SECOND_AFTERS && gap_ms > second_after[row].days * day_ms)
        row++;
    return row;
}

static void add_channel(struct tally *tally, const struct sales_ledger *ledger, enum relance_sales sum,
                        int64_t number)
{
    tally_add(tally,
              (struct tally_row){
                  .sum = sum, .table = RELANCE_SUMS_ALL, .channel = channel_of(ledger), .number = number});
}

static void add_months(struct tally *tally, const struct sales_ledger *ledger, int sign)
{
    int64_t first = month_of_day(first_order_day(ledger));
    int64_t months = ledger->months;
    VECTOR_EACH (ledger->orders, struct order, order) {
        int64_t k = month_of_day(order_day(order)) - first;
        if (k >= 0 && k < LEDGER_MONTHS) months |= (int64_t)1 << k;
    }
    for (uint8_t k = 0; k < LEDGER_MONTHS && months >> k; k++)
        if (months >> k & 1)
            tally_add(tally, (struct tally_row){.sum = RELANCE_SALES_COHORT_CUSTOMERS,
                                                .table = RELANCE_SUMS_COHORTS,
                                                .small = k,
                                                .when = (int32_t)first,
                                                .channel = channel_of(ledger),
                                                .number = sign});
}

void tally_customer(struct tally *tally, const struct sales_ledger *ledger, int sign)
{
    enum { MOST = sizeof customer_names / sizeof *customer_names };
    if (tally->off) return;
    tally_add(tally, (struct tally_row){.sum = RELANCE_SALES_REFUNDS_UNMATCHED,
                                        .table = RELANCE_SUMS_ALL,
                                        .number = sign * (int64_t)refunds_waiting(ledger)});
    if (!orders_any(ledger)) return;
    int64_t ever = orders_ever(ledger);
    tally_add(tally, (struct tally_row){.sum = RELANCE_SALES_CUSTOMERS,
                                        .table = RELANCE_SUMS_ALL,
                                        .small = (uint8_t)(ever < MOST ? ever - 1 : MOST - 1),
                                        .number = sign});
    add_channel(tally, ledger, RELANCE_SALES_CHANNEL_CUSTOMERS, sign);
    add_channel(tally, ledger, RELANCE_SALES_CHANNEL_SECOND, ever >= 2 ? sign : 0);
    add_channel(tally, ledger, RELANCE_SALES_CHANNEL_THIRD, ever >= 3 ? sign : 0);
    add_channel(tally, ledger, RELANCE_SALES_CHANNEL_LOYAL, was_loyal(ledger) ? sign : 0);
    if (ledger->before) return;
    add_months(tally, ledger, sign);
    if (ledger->pushed + ledger->orders.count < 2) return;
    int64_t gap_ms = second_order_ms(ledger) - first_order_ms(ledger);
    struct tally_row row = {.sum = RELANCE_SALES_SECOND_AFTER,
                            .table = RELANCE_SUMS_ALL,
                            .small = second_after_row(gap_ms),
                            .number = sign};
    tally_add(tally, row);
    row.table = RELANCE_SUMS_DAY; /* of the first order: whose time to come again is over is known by it */
    row.when = (int32_t)first_order_day(ledger);
    tally_add(tally, row);
}
