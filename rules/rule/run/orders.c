/* The ledger of orders: where an order stands, what was refunded of it, and what changes that. */
#include "rule/run/sales.h"

#include "time/calendar.h"

enum { DAY_S = 86400 };
static const int64_t day_ms = 86400000;

uint32_t order_find(const struct sales_ledger *ledger, uint64_t key_hash)
{
    for (uint32_t at = ledger->orders.count; at-- > 0;)
        if (order_at(ledger, at)->key_hash == key_hash) return at;
    return NAME_NONE;
}

int64_t order_place(const struct sales_ledger *ledger, uint32_t at)
{
    return ledger->before + ledger->pushed + at + 1;
}

bool orders_any(const struct sales_ledger *ledger)
{
    return ledger->orders.count + ledger->pushed + ledger->beyond > 0;
}

int64_t orders_ever(const struct sales_ledger *ledger)
{
    return ledger->before + ledger->pushed + ledger->beyond + ledger->orders.count;
}

int64_t order_day(const struct order *order)
{
    return floor_div(order->time_ms, day_ms) + order->day_shift;
}

int64_t refund_day(const struct refund *refund)
{
    return floor_div(refund->time_ms, day_ms) + refund->day_shift;
}

int64_t first_order_ms(const struct sales_ledger *ledger)
{
    return ledger->pushed ? ledger->first_ms : order_at(ledger, 0)->time_ms;
}

int64_t first_order_day(const struct sales_ledger *ledger)
{
    return ledger->pushed ? ledger->first_day : order_day(order_at(ledger, 0));
}

int64_t second_order_ms(const struct sales_ledger *ledger)
{
    return ledger->pushed ? ledger->second_ms : order_at(ledger, 1)->time_ms;
}

int64_t month_of_day(int64_t day)
{
    enum { MONTHS = 12 };
    struct civil civil = civil_from_seconds(day * DAY_S);
    return civil.year * MONTHS + civil.month - 1;
}

/* ---- refunds */

/* What a refund takes of what is left of an order. */
static int64_t refund_takes(const struct refund *refund, int64_t left, bool *cut)
{
    if (refund->amount == REFUND_WHOLE) {
        *cut = false;
        return left;
    }
    int64_t most = left > 0 ? left : 0;
    *cut = refund->amount > most;
    return *cut ? most : refund->amount;
}

struct refunded refunded_of(const struct sales_ledger *ledger, const struct order *order, refund_visit *visit,
                            void *context)
{
    struct refunded refunded = {0};
    VECTOR_EACH (ledger->refunds, struct refund, refund) {
        if (refund->key_hash != order->key_hash) continue;
        bool cut;
        int64_t taken = refund_takes(refund, order->total - refunded.amount, &cut);
        refunded.amount += taken;
        refunded.cut += cut;
        refunded.whole = refunded.amount == order->total;
        if (visit && taken) visit(context, refund, taken);
    }
    return refunded;
}

uint32_t refunds_waiting(const struct sales_ledger *ledger)
{
    uint32_t count = 0;
    VECTOR_EACH (ledger->refunds, struct refund, refund)
        count += order_find(ledger, refund->key_hash) == NAME_NONE;
    return count;
}

static int refund_order(const struct refund *a, const struct refund *b)
{
    if (a->key_hash != b->key_hash) return a->key_hash < b->key_hash ? -1 : 1;
    if (a->time_ms != b->time_ms) return a->time_ms < b->time_ms ? -1 : 1;
    return (a->amount > b->amount) - (a->amount < b->amount);
}

bool refund_insert(struct pool *pool, struct sales_ledger *ledger, struct refund refund, bool *is_new)
{
    uint32_t at = ledger->refunds.count;
    *is_new = false;
    for (; at > 0; at--) {
        int order = refund_order(VECTOR_AT(ledger->refunds, struct refund, at - 1), &refund);
        if (!order) return true;
        if (order < 0) break;
    }
    struct refund *place = vector_insert(pool, &ledger->refunds, sizeof *place, at);
    if (!place) return false;
    *place = refund;
    *is_new = true;
    return true;
}

void refunds_join(struct sales_ledger *ledger, uint64_t key_hash)
{
    uint32_t first = NAME_NONE, count = 0;
    for (uint32_t i = 0; i < ledger->refunds.count; i++) {
        if (VECTOR_AT(ledger->refunds, struct refund, i)->key_hash != key_hash) continue;
        if (!count++) first = i;
    }
    for (; count > LIMIT_ORDER_REFUNDS; count--) {
        struct refund *oldest = VECTOR_AT(ledger->refunds, struct refund, first), *next = oldest + 1;
        bool whole = oldest->amount == REFUND_WHOLE || next->amount == REFUND_WHOLE ||
                     oldest->amount > MONEY_MAX - next->amount;
        next->amount = whole ? REFUND_WHOLE : oldest->amount + next->amount;
        vector_remove(&ledger->refunds, sizeof *oldest, first);
    }
}

static void refunds_drop(struct sales_ledger *ledger, uint64_t key_hash)
{
    for (uint32_t i = ledger->refunds.count; i-- > 0;)
        if (VECTOR_AT(ledger->refunds, struct refund, i)->key_hash == key_hash)
            vector_remove(&ledger->refunds, sizeof(struct refund), i);
}

/* The one that has waited longest; NAME_NONE: none does. */
static uint32_t oldest_waiting(const struct sales_ledger *ledger, uint32_t *count)
{
    uint32_t oldest = NAME_NONE;
    *count = 0;
    for (uint32_t i = 0; i < ledger->refunds.count; i++) {
        const struct refund *refund = VECTOR_AT(ledger->refunds, struct refund, i);
        if (order_find(ledger, refund->key_hash) != NAME_NONE) continue;
        ++*count;
        if (oldest == NAME_NONE ||
            refund->told_ms < VECTOR_AT(ledger->refunds, struct refund, oldest)->told_ms)
            oldest = i;
    }
    return oldest;
}

void refunds_expire(struct sales_ledger *ledger, int64_t now_ms)
{
    uint32_t count, oldest;
    while (ledger->refunds.count && (oldest = oldest_waiting(ledger, &count)) != NAME_NONE) {
        int64_t told_ms = VECTOR_AT(ledger->refunds, struct refund, oldest)->told_ms;
        if (count <= LIMIT_WAITING_REFUNDS && now_ms - told_ms <= LIMIT_WAITING_REFUND_DAYS * day_ms) return;
        vector_remove(&ledger->refunds, sizeof(struct refund), oldest);
    }
}

/* ---- orders */

/* Behind those of its own time. */
static uint32_t place_at(const struct sales_ledger *ledger, int64_t time_ms)
{
    uint32_t at = ledger->orders.count;
    while (at && order_at(ledger, at - 1)->time_ms > time_ms)
        at--;
    return at;
}

bool order_insert(struct pool *pool, struct sales_ledger *ledger, struct order order, uint32_t *at)
{
    *at = place_at(ledger, order.time_ms);
    struct order *place = vector_insert(pool, &ledger->orders, sizeof *place, *at);
    if (place) *place = order;
    return place;
}

uint32_t order_move(struct sales_ledger *ledger, uint32_t at, int64_t time_ms)
{
    struct order order = *order_at(ledger, at);
    order.time_ms = time_ms;
    for (; at && order_at(ledger, at - 1)->time_ms > time_ms; at--)
        *order_at(ledger, at) = *order_at(ledger, at - 1);
    *order_at(ledger, at) = order;
    return at;
}

/* Takes an order into what is kept of those that are not in the ledger. */
static void take_past(struct sales_ledger *ledger, const struct order *order, int64_t first_day)
{
    struct refunded refunded = refunded_of(ledger, order, NULL, NULL);
    int64_t month = month_of_day(order_day(order)) - month_of_day(first_day);
    int64_t net = order->total - refunded.amount;
    if (month >= 0 && month < LEDGER_MONTHS) ledger->months |= (int64_t)1 << month;
    if (__builtin_add_overflow(ledger->spent, net, &ledger->spent)) ledger->spent = INT64_MAX;
    ledger->kept += !refunded.whole;
    ledger->loyal |= order->loyal;
}

static void push_oldest(struct sales_ledger *ledger)
{
    struct order oldest = *order_at(ledger, 0);
    if (!ledger->pushed) {
        ledger->first_ms = oldest.time_ms;
        ledger->first_day = order_day(&oldest);
        ledger->second_ms = order_at(ledger, 1)->time_ms;
    }
    take_past(ledger, &oldest, ledger->first_day);
    ledger->pushed++;
    vector_remove(&ledger->orders, sizeof oldest, 0);
    refunds_drop(ledger, oldest.key_hash);
}

void orders_push(struct sales_ledger *ledger)
{
    while (ledger->orders.count > LIMIT_ORDERS)
        push_oldest(ledger);
}

void order_beyond(struct sales_ledger *ledger, const struct order *order)
{
    take_past(ledger, order, first_order_day(ledger));
    ledger->beyond++;
    refunds_drop(ledger, order->key_hash);
}

/* ---- two become one */

/* The months in which somebody was active, counted from another first month. */
static int64_t months_from(const struct sales_ledger *ledger, int64_t first_day)
{
    if (!ledger->months) return 0;
    int64_t by = month_of_day(first_order_day(ledger)) - month_of_day(first_day);
    if (by < 0 || by >= LEDGER_MONTHS) return 0;
    return (int64_t)((uint64_t)ledger->months << by & (((uint64_t)1 << LEDGER_MONTHS) - 1));
}

/* The times of the first two orders of a ledger; RELANCE_NEVER: there is none. */
static void first_two(const struct sales_ledger *ledger, int64_t times[2])
{
    int64_t count = ledger->pushed + ledger->orders.count;
    times[0] = count >= 1 ? first_order_ms(ledger) : RELANCE_NEVER;
    times[1] = count >= 2 ? second_order_ms(ledger) : RELANCE_NEVER;
}

static void merge_past(struct sales_ledger *ledger, const struct sales_ledger *from)
{
    int64_t own[2], given[2];
    first_two(ledger, own);
    first_two(from, given);
    bool earlier = given[0] < own[0];
    int64_t first_ms = earlier ? given[0] : own[0], second_ms = earlier ? own[0] : given[0];
    int64_t first_day = first_ms == RELANCE_NEVER ? 0 : first_order_day(earlier ? from : ledger);
    if (own[1] < second_ms) second_ms = own[1];
    if (given[1] < second_ms) second_ms = given[1];
    ledger->months = months_from(ledger, first_day) | months_from(from, first_day);
    ledger->pushed += from->pushed;
    ledger->beyond += from->beyond;
    ledger->kept += from->kept;
    ledger->loyal |= from->loyal;
    if (__builtin_add_overflow(ledger->spent, from->spent, &ledger->spent)) ledger->spent = INT64_MAX;
    if (from->before > ledger->before) ledger->before = from->before;
    if (!ledger->pushed) return;
    ledger->first_ms = first_ms;
    ledger->first_day = first_day;
    ledger->second_ms = second_ms;
}

/* The same order in both: its time is the earlier one, its total that of the newer event. */
static void merge_order(struct sales_ledger *ledger, uint32_t at, const struct order *given)
{
    struct order *own = order_at(ledger, at);
    if (!own->asked) {
        own->asked = given->asked;
        own->loyal = given->loyal;
    }
    if (given->told_ms > own->told_ms) {
        own->told_ms = given->told_ms;
        own->total = given->total;
        own->currency = given->currency;
    }
    if (given->time_ms >= own->time_ms) return;
    own->day_shift = given->day_shift;
    order_move(ledger, at, given->time_ms);
}

bool ledger_merge(struct pool *pool, struct sales_ledger *ledger, struct sales_ledger *from)
{
    bool theirs = orders_any(from) && (!orders_any(ledger) || first_order_ms(from) < first_order_ms(ledger));
    if (theirs) {
        struct bytes *own = ledger->channel;
        ledger->channel = from->channel;
        from->channel = own;
    }
    merge_past(ledger, from);
    VECTOR_EACH (from->orders, struct order, given) {
        uint32_t at = order_find(ledger, given->key_hash);
        if (at != NAME_NONE)
            merge_order(ledger, at, given);
        else if (!order_insert(pool, ledger, *given, &at))
            return false;
    }
    VECTOR_EACH (from->refunds, struct refund, given) {
        bool is_new;
        if (!refund_insert(pool, ledger, *given, &is_new)) return false;
        refunds_join(ledger, given->key_hash);
    }
    return true;
}
