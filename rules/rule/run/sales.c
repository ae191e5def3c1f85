/* Orders and refunds, as events tell of them, into the ledger; and two ledgers into one. */
#include "rule/run/sales.h"

#include "base/ensure.h"

#include <math.h>

/* ---- what an event says */

bool sales_money(struct cel_value value, int64_t *out)
{
    enum { PARTS = 10000 };
    static const int64_t units_max = MONEY_MAX / PARTS;
    switch (value.kind) {
    case CEL_INT:
        if (value.as.i < -units_max || value.as.i > units_max) return false;
        *out = value.as.i * PARTS;
        return true;
    case CEL_UINT:
        if (value.as.u > (uint64_t)units_max) return false;
        *out = (int64_t)value.as.u * PARTS;
        return true;
    case CEL_DOUBLE:
        if (!(fabs(value.as.d) <= (double)units_max)) return false;
        *out = (int64_t)round(value.as.d * PARTS);
        return true;
    default: return false;
    }
}

/* The order's key, hashed; false: it has none, and why has been reported. */
static bool key_of(struct relance_engine *e, const struct cel_program *program, uint64_t *hash)
{
    struct texts texts;
    if (!program || !engine_evaluate_texts(e, program, &texts) || texts.count != 1) return false;
    if (!texts.list[0].size) return false;
    *hash = str_hash(texts.list[0]);
    return true;
}

static int64_t utc_day(int64_t ms)
{
    static const int64_t day_ms = 86400000;
    return floor_div(ms, day_ms);
}

/* How the local day of an instant, in the zone of the set, differs from that of UTC. */
static int8_t day_shift(const struct relance_engine *e, int64_t ms)
{
    return (int8_t)(local_day(set_zone(e), ms) - utc_day(ms));
}

void sales_ask_loyal(struct relance_engine *e)
{
    const struct noted_program *loyal = e->set->sales->loyal;
    e->loyal_before = loyal && condition_holds(e, loyal);
}

static uint16_t currency_of(struct relance_engine *e)
{
    const struct cel_program *program = e->set->sales->currency;
    if (!program) return known_currency(e, STR("XXX"));
    struct cel_value value = engine_evaluate(e, program);
    return value.kind == CEL_STRING ? known_currency(e, cel_text(value)) : CURRENCY_OTHER;
}

/* ---- the ledger of the customer in scope */

static struct sales_ledger *ledger_of(const struct state *state)
{
    return state->sales.count ? state->sales.items : NULL;
}

/* From here on there is one; NULL without memory. */
static struct sales_ledger *ledger_open(struct relance_engine *e)
{
    struct state *state = e->customer->state;
    if (state->sales.count) return state->sales.items;
    struct sales_ledger *ledger =
        or_fail(e, vector_insert(&e->customers.pool, &state->sales, sizeof *ledger, 0));
    if (ledger) *ledger = (struct sales_ledger){0};
    return ledger;
}

/* What brought the customer, asked by the event that is the first of its first order. */
static struct bytes *ask_channel(struct relance_engine *e)
{
    const struct cel_program *program = e->set->sales->channel;
    struct cel_value value = program ? engine_evaluate(e, program) : (struct cel_value){0};
    str channel = value.kind == CEL_STRING ? known_channel(e, cel_text(value)) : (str){0};
    return channel.size ? or_fail(e, bytes_new(&e->customers.pool, channel)) : NULL;
}

static int64_t ask_before(struct relance_engine *e)
{
    enum { MOST = 1000000000 };
    const struct cel_program *program = e->set->sales->before;
    struct cel_value value = program ? engine_evaluate(e, program) : (struct cel_value){0};
    if (value.kind != CEL_INT || value.as.i < 0) return 0;
    return value.as.i < MOST ? value.as.i : MOST;
}

/* A change of the ledger: what it came to until now is taken away, and what it comes to then added. Older channels live
 * until that has been told. */
struct change {
    struct tally tally;
    struct sales_ledger *ledger;
    struct bytes *channel_before;
    bool channel_changed;
};

static void change_begin(struct relance_engine *e, struct sales_ledger *ledger, struct change *change)
{
    refunds_expire(ledger, e->now_ms);
    *change = (struct change){.ledger = ledger};
    tally_begin(e, &change->tally);
    tally_customer(&change->tally, ledger, -1);
}

static void change_channel(struct relance_engine *e, struct change *change)
{
    change->channel_before = change->ledger->channel;
    change->channel_changed = true;
    change->ledger->channel = ask_channel(e);
}

static void change_end(struct relance_engine *e, struct change *change)
{
    tally_customer(&change->tally, change->ledger, 1);
    tally_end(&change->tally);
    if (change->channel_changed) bytes_release(&e->customers.pool, change->channel_before);
    orders_push(change->ledger);
    refunds_expire(change->ledger, e->now_ms);
    scope_forget(e);
}

/* ---- orders */

static bool is_earliest(const struct sales_ledger *ledger, int64_t time_ms)
{
    return !orders_any(ledger) || (!ledger->pushed && time_ms < first_order_ms(ledger));
}

static void insert_order(struct relance_engine *e, struct sales_ledger *ledger, const struct order *order)
{
    struct change change;
    change_begin(e, ledger, &change);
    uint32_t at = ledger->orders.count, before = at;
    while (at && order_at(ledger, at - 1)->time_ms > order->time_ms)
        at--;
    tally_orders(&change.tally, ledger, at, before, -1);
    bool first = is_earliest(ledger, order->time_ms);
    if (!orders_any(ledger)) ledger->before = ask_before(e);
    if (first) change_channel(e, &change);
    if (!order_insert(&e->customers.pool, ledger, *order, &at)) e->failed = true;
    tally_orders(&change.tally, ledger, at, ledger->orders.count, 1);
    change_end(e, &change);
}

/* Older than all of a ledger that has no room: nothing is moved by it, and it is not recognised again. */
static void pass_order(struct relance_engine *e, struct sales_ledger *ledger, const struct order *order)
{
    struct change change;
    change_begin(e, ledger, &change);
    tally_beyond(&change.tally, ledger, order);
    order_beyond(ledger, order);
    change_end(e, &change);
}

/* The order has been told of before. */
static void update_order(struct relance_engine *e, struct sales_ledger *ledger, uint32_t at,
                         const struct order *told)
{
    struct change change;
    const struct order *known = order_at(ledger, at);
    bool earlier = told->time_ms < known->time_ms;
    uint32_t begin = at, end = earlier ? ledger->orders.count : at + 1;
    change_begin(e, ledger, &change);
    while (earlier && begin && order_at(ledger, begin - 1)->time_ms > told->time_ms)
        begin--;
    bool first = is_earliest(ledger, told->time_ms);
    if (first) begin = 0;
    tally_orders(&change.tally, ledger, begin, end, -1);
    if (first) change_channel(e, &change);
    struct order *order = order_at(ledger, at);
    if (told->time_ms >= order->told_ms) {
        order->told_ms = told->time_ms;
        order->total = told->total;
        order->currency = told->currency;
    }
    if (earlier) {
        order->day_shift = told->day_shift;
        order_move(ledger, at, told->time_ms);
    }
    tally_orders(&change.tally, ledger, begin, end, 1);
    tally_event(&change.tally, RELANCE_SALES_ORDERS_UPDATED);
    change_end(e, &change);
}

static void count_event_of(struct relance_engine *e, enum relance_sales sum)
{
    struct tally tally;
    tally_begin(e, &tally);
    tally_event(&tally, sum);
    tally_end(&tally);
}

static void take_order(struct relance_engine *e)
{
    const struct sales_rule *sales = e->set->sales;
    struct order order = {.time_ms = e->event.time_ms,
                          .told_ms = e->event.time_ms,
                          .day_shift = day_shift(e, e->event.time_ms),
                          .asked = sales->loyal,
                          .loyal = e->loyal_before};
    if (!key_of(e, sales->key, &order.key_hash) ||
        !sales_money(engine_evaluate(e, sales->total), &order.total)) {
        count_event_of(e, RELANCE_SALES_ORDERS_INVALID);
        return;
    }
    order.currency = currency_of(e);
    struct sales_ledger *ledger = ledger_open(e);
    if (!ledger) return;
    uint32_t at = order_find(ledger, order.key_hash);
    bool full = ledger->orders.count >= LIMIT_ORDERS;
    if (at != NAME_NONE)
        update_order(e, ledger, at, &order);
    else if (full && order.time_ms < order_at(ledger, 0)->time_ms)
        pass_order(e, ledger, &order);
    else
        insert_order(e, ledger, &order);
}

/* ---- refunds */

/* A total that is not there, or fails, is what is left of the order. Some send what is paid back below zero. */
static bool refund_amount(struct relance_engine *e, int64_t *out)
{
    const struct cel_program *total = e->set->sales->refund_total;
    struct cel_value value = total ? engine_evaluate_quietly(e, total) : (struct cel_value){0};
    bool number = value.kind == CEL_INT || value.kind == CEL_UINT || value.kind == CEL_DOUBLE;
    *out = REFUND_WHOLE;
    if (!number) return true;
    if (!sales_money(value, out)) return false;
    if (*out < 0) *out = -*out;
    return true;
}

static void insert_refund(struct relance_engine *e, struct sales_ledger *ledger, const struct refund *refund)
{
    struct change change;
    uint32_t at = order_find(ledger, refund->key_hash), end = at == NAME_NONE ? 0 : at + 1;
    bool is_new;
    if (at == NAME_NONE) at = 0;
    change_begin(e, ledger, &change);
    tally_orders(&change.tally, ledger, at, end, -1);
    if (!refund_insert(&e->customers.pool, ledger, *refund, &is_new)) e->failed = true;
    refunds_join(ledger, refund->key_hash);
    tally_orders(&change.tally, ledger, at, end, 1);
    change_end(e, &change);
}

static void take_refund(struct relance_engine *e)
{
    struct refund refund = {
        .time_ms = e->event.time_ms, .told_ms = e->now_ms, .day_shift = day_shift(e, e->event.time_ms)};
    if (!refund_amount(e, &refund.amount)) {
        count_event_of(e, RELANCE_SALES_ORDERS_INVALID);
        return;
    }
    if (!key_of(e, e->set->sales->refund_key, &refund.key_hash)) {
        count_event_of(e, RELANCE_SALES_REFUNDS_UNMATCHED);
        return;
    }
    struct sales_ledger *ledger = refund.amount ? ledger_open(e) : NULL;
    if (ledger) insert_refund(e, ledger, &refund);
}

void sales_take(struct relance_engine *e, const struct typed_event *type)
{
    state_fact_changed(e->customer->state, (struct state_readers){.segments = true});
    if (type->sells) take_order(e);
    if (type->refunds) take_refund(e);
}

/* ---- a visitor's ledger becomes the customer's */

static void tally_all(struct tally *tally, const struct sales_ledger *ledger, int sign)
{
    tally_customer(tally, ledger, sign);
    tally_orders(tally, ledger, 0, ledger->orders.count, sign);
}

void sales_merge(struct relance_engine *e, struct state *from)
{
    struct sales_ledger *given = ledger_of(from), *own = given ? ledger_open(e) : NULL;
    struct tally tally;
    if (!own) return;
    tally_begin(e, &tally);
    tally_all(&tally, given, -1);
    tally_all(&tally, own, -1);
    if (!ledger_merge(&e->customers.pool, own, given)) e->failed = true;
    tally_all(&tally, own, 1);
    tally_end(&tally);
    orders_push(own);
    refunds_expire(own, e->now_ms);
}
