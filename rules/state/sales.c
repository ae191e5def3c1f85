/* The ledger of orders, saved: small, since every customer who buys has one.
 *
 *     [currency of the first order, channel or nil, orders, {letter: what most ledgers do not have} (left out when empty)]
 *
 * The orders are bytes, one order behind the other, 18 of them for most:
 *
 *     hash of its key   8, the lowest byte first
 *     time              ms since the order before; of the first, since 1970
 *     total             in ten-thousandths
 *     bits              1 loyal, 2 loyal is known, 4 and 8 its local day less that of UTC, plus 1;
 *                       16 the total is of a later event, 32 another currency than the first order's
 *     told              with 16: ms from its time to that event
 *     currency          with 32
 *
 * Numbers have 7 bits a byte, the lowest first, and 128 in all but the last byte; those that may be negative are 2n, or
 * -2n - 1. Refunds, under `r`, are bytes in the same form: hash, time, amount (0: what is left), day plus 1,
 * ms from its time to the customer's `now` when it was told of. */
#include "state/parts.h"

#include "base/limits.h"
#include "state/pack.h"

enum {
    BIT_LOYAL = 1,
    BIT_ASKED = 2,
    BIT_DAY = 4,
    BITS_DAY = 12,
    BIT_TOLD = 16,
    BIT_CURRENCY = 32,
    BITS = 63
};

static bool is_time(int64_t ms)
{
    return ms >= -STATE_TIME_MAX && ms <= STATE_TIME_MAX;
}

/* ---- orders */

static uint16_t first_currency(const struct sales_ledger *ledger)
{
    return ledger->orders.count ? VECTOR_AT(ledger->orders, struct order, 0)->currency : CURRENCY_OTHER;
}

static void put_order(struct buffer *out, const struct order *order, int64_t before_ms, uint16_t currency)
{
    bool told = order->told_ms != order->time_ms, other = order->currency != currency;
    pack_hash(out, order->key_hash);
    pack_seven_signed(out, order->time_ms - before_ms);
    pack_seven_signed(out, order->total);
    pack_seven(out, (unsigned)(order->loyal * BIT_LOYAL + order->asked * BIT_ASKED +
                               (order->day_shift + 1) * BIT_DAY + told * BIT_TOLD + other * BIT_CURRENCY));
    if (told) pack_seven(out, (uint64_t)(order->told_ms - order->time_ms));
    if (other) pack_seven(out, order->currency);
}

static void put_orders(struct buffer *out, const struct sales_ledger *ledger)
{
    int64_t before_ms = 0;
    uint16_t currency = first_currency(ledger);
    VECTOR_EACH (ledger->orders, struct order, order) {
        put_order(out, order, before_ms, currency);
        before_ms = order->time_ms;
    }
}

static int8_t take_day(struct unpack *in, uint64_t day)
{
    if (day > 2) in->bad = true;
    return (int8_t)((int)day - 1);
}

static struct order take_order(struct unpack *in, int64_t before_ms, uint16_t currency)
{
    struct order order = {.key_hash = unpack_hash(in), .currency = currency};
    int64_t since_ms = unpack_seven_signed(in);
    order.total = unpack_seven_signed(in);
    uint64_t bits = unpack_seven(in), told_ms = bits & BIT_TOLD ? unpack_seven(in) : 0;
    if (bits & BIT_CURRENCY) {
        uint64_t other = unpack_seven(in);
        if (other > CURRENCY_OTHER) in->bad = true;
        order.currency = (uint16_t)other;
    }
    order.loyal = bits & BIT_LOYAL;
    order.asked = bits & BIT_ASKED;
    order.day_shift = take_day(in, (bits & BITS_DAY) / BIT_DAY);
    if (bits > BITS || !is_time(since_ms) || told_ms > 2 * STATE_TIME_MAX) in->bad = true;
    if (in->bad) return order;
    order.time_ms = before_ms + since_ms;
    order.told_ms = order.time_ms + (int64_t)told_ms;
    if (!is_time(order.time_ms) || !is_time(order.told_ms)) in->bad = true;
    if (order.total < -MONEY_MAX || order.total > MONEY_MAX) in->bad = true;
    return order;
}

static bool take_orders(struct unpack *in, struct pool *pool, struct sales_ledger *ledger, uint16_t currency)
{
    struct unpack orders = unpack_of(unpack_str(in));
    int64_t before_ms = 0;
    while (orders.at < orders.end && !in->bad) {
        struct order order = take_order(&orders, before_ms, currency);
        bool first = !ledger->orders.count;
        if (orders.bad || ledger->orders.count >= LIMIT_ORDERS || (!first && order.time_ms < before_ms) ||
            (first && order.currency != currency))
            in->bad = true;
        if (in->bad) return true;
        struct order *place = vector_insert(pool, &ledger->orders, sizeof *place, ledger->orders.count);
        if (!place) return false;
        *place = order;
        before_ms = order.time_ms;
    }
    return true;
}

/* ---- refunds */

static void put_refunds(struct buffer *out, const struct sales_ledger *ledger)
{
    VECTOR_EACH (ledger->refunds, struct refund, refund) {
        pack_hash(out, refund->key_hash);
        pack_seven_signed(out, refund->time_ms);
        pack_seven(out, refund->amount == REFUND_WHOLE ? 0 : (uint64_t)refund->amount);
        pack_seven(out, (uint64_t)(refund->day_shift + 1));
        pack_seven_signed(out, refund->told_ms - refund->time_ms);
    }
}

/* Does one stand in front of which this would have to stand? */
static bool follows(const struct sales_ledger *ledger, const struct refund *refund)
{
    if (!ledger->refunds.count) return false;
    const struct refund *last = VECTOR_AT(ledger->refunds, struct refund, ledger->refunds.count - 1);
    return last->key_hash > refund->key_hash ||
           (last->key_hash == refund->key_hash && last->time_ms > refund->time_ms);
}

static bool take_refunds(struct unpack *in, struct pool *pool, struct sales_ledger *ledger)
{
    enum { MOST = LIMIT_ORDERS * LIMIT_ORDER_REFUNDS + LIMIT_WAITING_REFUNDS };
    struct unpack refunds = unpack_of(unpack_str(in));
    while (refunds.at < refunds.end && !in->bad) {
        struct refund refund = {.key_hash = unpack_hash(&refunds), .time_ms = unpack_seven_signed(&refunds)};
        uint64_t amount = unpack_seven(&refunds);
        refund.amount = amount ? (int64_t)amount : REFUND_WHOLE;
        refund.day_shift = take_day(&refunds, unpack_seven(&refunds));
        int64_t waited_ms = unpack_seven_signed(&refunds);
        bool fits =
            is_time(refund.time_ms) && waited_ms >= -2 * STATE_TIME_MAX && waited_ms <= 2 * STATE_TIME_MAX;
        if (fits) refund.told_ms = refund.time_ms + waited_ms;
        if (fits && follows(ledger, &refund)) fits = false;
        if (refunds.bad || !fits || !is_time(refund.told_ms) || amount > MONEY_MAX ||
            ledger->refunds.count >= MOST)
            in->bad = true;
        if (in->bad) return true;
        struct refund *place = vector_insert(pool, &ledger->refunds, sizeof *place, ledger->refunds.count);
        if (!place) return false;
        *place = refund;
    }
    return true;
}

/* ---- what most ledgers do not have */

static const int64_t PAST_MAX = 1000000000000; /* orders: more than a customer can have */

#define PAST_TABLE(X)                                                                                        \
    X('b', before, 0, PAST_MAX)                                                                              \
    X('p', pushed, 0, PAST_MAX)                                                                              \
    X('y', beyond, 0, PAST_MAX)                                                                              \
    X('f', first_ms, -STATE_TIME_MAX, STATE_TIME_MAX)                                                        \
    X('d', first_day, -STATE_TIME_MAX / 86400000 - 1, STATE_TIME_MAX / 86400000 + 1)                         \
    X('s', second_ms, -STATE_TIME_MAX, STATE_TIME_MAX)                                                       \
    X('t', spent, INT64_MIN, INT64_MAX)                                                                      \
    X('k', kept, 0, PAST_MAX)                                                                                \
    X('m', months, 0, ((int64_t)1 << LEDGER_MONTHS) - 1)                                                     \
    X('l', loyal, 0, 1)

static void put_past(struct buffer *out, const struct sales_ledger *ledger)
{
#define PAST_PUT(letter, member, least, most)                                                                \
    if (ledger->member) pack_str(out, STR_OF_LETTER(letter)), pack_int(out, (int64_t)ledger->member);
#define STR_OF_LETTER(letter) ((str){&(char){letter}, 1})
    PAST_TABLE(PAST_PUT)
    if (!ledger->refunds.count) return;
    struct buffer bytes;
    buffer_init_counting(&bytes);
    put_refunds(&bytes, ledger);
    pack_str(out, STR("r"));
    pack_bin_head(out, bytes.size);
    put_refunds(out, ledger);
}

static size_t past_members(const struct sales_ledger *ledger)
{
    size_t count = ledger->refunds.count != 0;
#define PAST_COUNT(letter, member, least, most) count += ledger->member != 0;
    PAST_TABLE(PAST_COUNT)
    return count;
}

static bool take_past(struct unpack *in, struct pool *pool, struct sales_ledger *ledger)
{
    bool memory = true;
    for (size_t members = unpack_map(in); members > 0 && !in->bad && memory; members--) {
        str letter = unpack_str(in);
        if (letter.size != 1) in->bad = true;
        switch (letter.size == 1 ? *letter.data : 0) {
#define PAST_TAKE(letter, member, least, most)                                                               \
    case letter: {                                                                                           \
        int64_t number = unpack_int(in);                                                                     \
        if (number < (least) || number > (most)) in->bad = true;                                             \
        if (!in->bad) ledger->member = number;                                                               \
        break;                                                                                               \
    }
            PAST_TABLE(PAST_TAKE)
        case 'r':
            if (ledger->refunds.count) in->bad = true;
            memory = in->bad || take_refunds(in, pool, ledger);
            break;
        default: in->bad = true;
        }
    }
    return memory;
}

/* ---- the whole */

void sales_pack(const struct sales_ledger *ledger, struct buffer *out)
{
    size_t past = past_members(ledger);
    struct buffer bytes;
    buffer_init_counting(&bytes);
    put_orders(&bytes, ledger);
    pack_array(out, past ? 4 : 3);
    pack_uint(out, first_currency(ledger));
    if (ledger->channel)
        pack_str(out, bytes_str(ledger->channel));
    else
        pack_nil(out);
    pack_bin_head(out, bytes.size);
    put_orders(out, ledger);
    if (!past) return;
    pack_map(out, past);
    put_past(out, ledger);
}

bool sales_unpack(struct unpack *in, struct pool *pool, struct sales_ledger *ledger)
{
    size_t members = unpack_array(in);
    if (members != 3 && members != 4) in->bad = true;
    uint64_t currency = unpack_uint(in);
    if (currency > CURRENCY_OTHER) in->bad = true;
    bool unknown = unpack_is_nil(in);
    str channel = unknown ? (str){0} : unpack_str(in);
    if (in->bad || channel.size > LIMIT_CHANNEL_BYTES) in->bad = true;
    if (in->bad) return true;
    if (!unknown && !(ledger->channel = bytes_new(pool, channel))) return false;
    if (!take_orders(in, pool, ledger, (uint16_t)currency)) return false;
    if (members == 4 && !in->bad && !take_past(in, pool, ledger)) return false;
    if (ledger->beyond && !ledger->orders.count) in->bad = true; /* older than what? */
    return true;
}
