/* Sales (LANGUAGE.md §1.8): the ledger of a customer's orders, and what it comes to.
 *
 * What a ledger adds to the sums is a function of the ledger alone: neither of the rules in force nor of the order in which
 * things came. So whatever changes it takes away what it came to before and adds what it comes to then (tally.c): a late
 * order, an order told of again, a refund, two ledgers that become one. */
#ifndef RULES_RULE_RUN_SALES_H
#define RULES_RULE_RUN_SALES_H

#include "rule/run/engine_internal.h"

#include <relance/sales.h>

/* ---- orders.c: the ledger */

static inline struct order *order_at(const struct sales_ledger *ledger, uint32_t at)
{
    return VECTOR_AT(ledger->orders, struct order, at);
}
uint32_t order_find(const struct sales_ledger *ledger, uint64_t key_hash); /* NAME_NONE: it is not there */
/* Which of the customer's orders it is, from 1. */
int64_t order_place(const struct sales_ledger *ledger, uint32_t at);
int64_t
orders_ever(const struct sales_ledger *ledger); /* how many there were, those before the ledger included */
bool orders_any(const struct sales_ledger *ledger); /* any that the ledger has heard of? */
int64_t order_day(const struct order *order);       /* since 1970 */
int64_t refund_day(const struct refund *refund);
/* The first order of all that the ledger has heard of, of which there is one: its time, its day, the second's time. */
int64_t first_order_ms(const struct sales_ledger *ledger);
int64_t first_order_day(const struct sales_ledger *ledger);
int64_t second_order_ms(const struct sales_ledger *ledger);
int64_t month_of_day(int64_t day); /* months since the year 0 */

/* What refunds have taken of an order. */
struct refunded {
    int64_t amount;
    bool whole;
    int64_t cut; /* how many were of more than was left */
};
typedef void refund_visit(void *context, const struct refund *refund, int64_t taken);
struct refunded refunded_of(const struct sales_ledger *ledger, const struct order *order, refund_visit *visit,
                            void *context); /* `visit` may be NULL */
uint32_t refunds_waiting(const struct sales_ledger *ledger);

/* Changes; false: no memory. */
bool order_insert(struct pool *pool, struct sales_ledger *ledger, struct order order, uint32_t *at);
uint32_t order_move(struct sales_ledger *ledger, uint32_t at, int64_t time_ms); /* to an earlier time */
bool refund_insert(struct pool *pool, struct sales_ledger *ledger, struct refund refund, bool *is_new);
void refunds_join(struct sales_ledger *ledger, uint64_t key_hash); /* those of an order that has too many */
void refunds_expire(struct sales_ledger *ledger,
                    int64_t now_ms);           /* which wait for too long, or are too many */
void orders_push(struct sales_ledger *ledger); /* out, while there are too many */
void order_beyond(struct sales_ledger *ledger,
                  const struct order *order); /* it is older than a full ledger */
/* Puts `from` into `ledger`; nothing is left of it but what it owns. */
bool ledger_merge(struct pool *pool, struct sales_ledger *ledger, struct sales_ledger *from);

/* ---- tally.c: what is added to the sums */

enum { CURRENCY_TEXT_SIZE = 3 };
str currency_text(uint16_t currency, char out[CURRENCY_TEXT_SIZE]); /* "EUR"; "other" */

struct tally {
    struct relance_engine *e;
    struct tally_row *rows;
    uint32_t count, capacity;
    bool off; /* nobody keeps sums */
};

void tally_begin(struct relance_engine *e, struct tally *tally);
/* What the orders in [begin, end) come to, and with them their refunds, times `sign`. */
void tally_orders(struct tally *tally, const struct sales_ledger *ledger, uint32_t begin, uint32_t end,
                  int sign);
/* What the customer is counted under; the ledger's channel must live until the end. */
void tally_customer(struct tally *tally, const struct sales_ledger *ledger, int sign);
/* An order that is older than a full ledger, which does not have it. */
void tally_beyond(struct tally *tally, const struct sales_ledger *ledger, const struct order *order);
void tally_event(struct tally *tally, enum relance_sales sum); /* one more */
void tally_end(struct tally *tally);                           /* tells what is left when all is added up */

/* ---- known.c: names that customers send, of which a partition knows so many */
uint16_t known_currency(struct relance_engine *e, str text);
str known_channel(struct relance_engine *e, str text); /* empty: unknown */
str known_total(struct relance_engine *e, str total, str by);

/* ---- totals.c */
void totals_take(struct relance_engine *e, const struct typed_event *type);

/* ---- sales.c */
/* Rounded to the nearest ten-thousandth, halves away from zero. False: it is no number, or beyond what is counted. */
bool sales_money(struct cel_value value, int64_t *out);
void sales_ask_loyal(struct relance_engine *e);
void sales_take(struct relance_engine *e, const struct typed_event *type);
/* What the functions of `sales` come to; `over_ms` 0: of all time. */
struct cel_value sales_call(struct relance_engine *e, enum host_function function,
                            const struct cel_value *arguments);
/* When the next order leaves one of the set's windows. */
int64_t sales_next_leaving(const struct relance_ruleset *set, const struct state *state);
/* Is there one that has not entered them yet, since it comes after the customer's `now`? */
bool sales_wait_to_count(const struct state *state);
void sales_merge(struct relance_engine *e, struct state *from);

#endif
