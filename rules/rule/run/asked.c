/* What expressions ask of the ledger: the functions that `sales` gives. */
#include "rule/run/sales.h"

#include "base/duration.h"
#include "cel/cel.h"

#include <stdlib.h>

/* The order of that key, as which of the customer's; 0: it is not in the ledger. */
static struct cel_value order_number(const struct sales_ledger *ledger, str key)
{
    uint32_t at = order_find(ledger, str_hash(key));
    return cel_int(at == NAME_NONE ? 0 : order_place(ledger, at));
}

struct asked {
    int64_t kept, spent;
};

/* Of the orders in (now - over, now]; `over_ms` 0: of all, also of those that are not in the ledger any more. */
static struct asked ask(const struct sales_ledger *ledger, int64_t now_ms, int64_t over_ms)
{
    struct asked asked = {0};
    if (!over_ms) asked = (struct asked){ledger->before + ledger->kept, ledger->spent};
    VECTOR_EACH (ledger->orders, struct order, order) {
        if (over_ms && (order->time_ms <= now_ms - over_ms || order->time_ms > now_ms)) continue;
        struct refunded refunded = refunded_of(ledger, order, NULL, NULL);
        asked.kept += !refunded.whole;
        if (__builtin_add_overflow(asked.spent, order->total - refunded.amount, &asked.spent))
            asked.spent = INT64_MAX;
    }
    return asked;
}

static int gap_order(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The median of the times between orders; of an even number the mean of the middle two. */
static struct cel_value order_gap(struct relance_engine *e, const struct sales_ledger *ledger)
{
    int64_t gaps[LIMIT_ORDERS];
    uint32_t count = ledger->orders.count;
    if (count < 2) return (struct cel_value){.kind = CEL_OPTIONAL};
    for (uint32_t i = 1; i < count; i++)
        gaps[i - 1] = order_at(ledger, i)->time_ms - order_at(ledger, i - 1)->time_ms;
    qsort(gaps, --count, sizeof *gaps, gap_order);
    int64_t upper = gaps[count / 2], lower = gaps[(count - 1) / 2];
    return cel_optional_of(&e->frame, cel_duration_ms(lower + (upper - lower) / 2));
}

struct cel_value sales_call(struct relance_engine *e, enum host_function function,
                            const struct cel_value *arguments)
{
    enum { PARTS = 10000 };
    static const struct sales_ledger none = {0};
    const struct state *state = e->customer->state;
    const struct sales_ledger *ledger = state->sales.count ? state->sales.items : &none;
    int64_t over_ms = 0;
    bool over = function == HOST_ORDERS_KEPT_OVER || function == HOST_SPENT_OVER;
    if (!cel_charge(&e->frame, 1 + ledger->orders.count)) return cel_int(0);
    if (over) duration_parse(cel_text(arguments[0]), &over_ms); /* which it is: it has been compiled */
    switch (function) {
    case HOST_ORDER_NUMBER: return order_number(ledger, cel_text(arguments[0]));
    case HOST_ORDERS_KEPT:
    case HOST_ORDERS_KEPT_OVER: return cel_int(ask(ledger, e->now_ms, over_ms).kept);
    case HOST_ORDER_GAP: return order_gap(e, ledger);
    default: return cel_double((double)ask(ledger, e->now_ms, over_ms).spent / PARTS);
    }
}

int64_t sales_next_leaving(const struct relance_ruleset *set, const struct state *state)
{
    const struct sales_ledger *ledger = state->sales.count ? state->sales.items : NULL;
    int64_t due_ms = RELANCE_NEVER;
    for (size_t i = 0; ledger && i < set->window_count; i++)
        VECTOR_EACH (ledger->orders, struct order, order) {
            int64_t leaves_ms = order->time_ms + set->windows[i];
            if (leaves_ms <= state->now_ms) continue;
            if (leaves_ms < due_ms) due_ms = leaves_ms;
            break;
        }
    return due_ms;
}

bool sales_wait_to_count(const struct state *state)
{
    const struct sales_ledger *ledger = state->sales.count ? state->sales.items : NULL;
    uint32_t count = ledger ? ledger->orders.count : 0;
    return count && order_at(ledger, count - 1)->time_ms > state->now_ms;
}
