/* What the sums of a declaration `sales` are called (LANGUAGE.md §1.8): names in which the words in capitals stand for
 *
 *     CLASS  first, second, repeat: which of the customer's orders it is; and again loyal, others: whether the customer was
 *            loyal just before it (where `loyal` is declared)
 *     CUR    the order's currency: three capitals, `XXX` where none is declared, or `other`
 *     CH     the channel of the customer's first order, `unknown`, or `other`
 *     MONTH  that order's, "2026-03"; K months later, 0 to 35
 *     N      1, 2, 3plus: how many orders the customer has now
 *     DAYS   7, 14, 30, 60, 90, 180, 365: the second order came within so many days and not within fewer; or more
 *
 * Money is in ten-thousandths. A channel may have any sign in it: names are told apart from their ends. */
#ifndef RELANCE_SALES_H
#define RELANCE_SALES_H

#include <relance/sums.h>

/* X(ENUM, tables, "name", is_money, "prose"): `tables` has a bit of each enum relance_sums that has the sum. */
#define RELANCE_SALES_TABLE(X)                                                                               \
    X(ORDERS, RELANCE_SALES_IN_ALL | RELANCE_SALES_IN_DAY, "sales.CLASS.orders", false, "Orders.")           \
    X(ORDERS_REFUNDED, RELANCE_SALES_IN_ALL | RELANCE_SALES_IN_DAY, "sales.CLASS.orders_refunded", false,    \
      "Of them, those that were refunded as a whole.")                                                       \
    X(GROSS, RELANCE_SALES_IN_ALL | RELANCE_SALES_IN_DAY, "sales.CLASS.gross.CUR", true,                     \
      "What they brought, before refunds.")                                                                  \
    X(REFUNDED, RELANCE_SALES_IN_ALL | RELANCE_SALES_IN_DAY, "sales.CLASS.refunded.CUR", true,               \
      "What of it was refunded, where the order stands.")                                                    \
    X(REFUNDED_ON, RELANCE_SALES_IN_DAY, "refunded_on.CUR", true, "What was refunded on the day itself.")    \
    X(CUSTOMERS, RELANCE_SALES_IN_ALL, "customers.N", false, "Customers with so many orders.")               \
    X(SECOND_AFTER, RELANCE_SALES_IN_ALL | RELANCE_SALES_IN_DAY, "second_after.DAYS", false,                 \
      "Customers whose second order came by then.")                                                          \
    X(CHANNEL_CUSTOMERS, RELANCE_SALES_IN_ALL, "channel.CH.customers", false,                                \
      "Customers whom the channel brought.")                                                                 \
    X(CHANNEL_SECOND, RELANCE_SALES_IN_ALL, "channel.CH.second", false,                                      \
      "Of them, those with two orders or more.")                                                             \
    X(CHANNEL_THIRD, RELANCE_SALES_IN_ALL, "channel.CH.third", false,                                        \
      "Of them, those with three orders or more.")                                                           \
    X(CHANNEL_LOYAL, RELANCE_SALES_IN_ALL, "channel.CH.loyal", false,                                        \
      "Of them, those who were loyal before an order.")                                                      \
    X(CHANNEL_NET, RELANCE_SALES_IN_ALL, "channel.CH.net.CUR", true,                                         \
      "What all their orders brought, less refunds.")                                                        \
    X(COHORT_CUSTOMERS, RELANCE_SALES_IN_COHORTS, "MONTH:CH:K:c", false,                                     \
      "Customers who ordered in that month.")                                                                \
    X(COHORT_ORDERS, RELANCE_SALES_IN_COHORTS, "MONTH:CH:K:o", false, "Their orders.")                       \
    X(COHORT_GROSS, RELANCE_SALES_IN_COHORTS, "MONTH:CH:K:g.CUR", true,                                      \
      "What those brought, before refunds.")                                                                 \
    X(COHORT_REFUNDED, RELANCE_SALES_IN_COHORTS, "MONTH:CH:K:r.CUR", true, "What of it was refunded.")       \
    X(ORDERS_UPDATED, RELANCE_SALES_IN_ALL, "sales.orders_updated", false,                                   \
      "Events that told of an order once more: its total is that of the newest.")                            \
    X(ORDERS_INVALID, RELANCE_SALES_IN_ALL, "sales.orders_invalid", false,                                   \
      "Orders and refunds without a key or an amount: not counted.")                                         \
    X(ORDERS_BEYOND, RELANCE_SALES_IN_ALL, "sales.orders_beyond", false,                                     \
      "Orders older than the 64 newest of their customer: counted as `repeat`, and not recognised again.")   \
    X(REFUNDS_UNMATCHED, RELANCE_SALES_IN_ALL, "sales.refunds_unmatched", false,                             \
      "Refunds whose order is not known, or not yet: counted nowhere else.")                                 \
    X(REFUNDS_CUT, RELANCE_SALES_IN_ALL, "sales.refunds_cut", false,                                         \
      "Refunds of more than was left of their order: the rest is not counted.")

/* X(days): each DAYS but the last, which is `more`. */
#define RELANCE_SALES_DAYS_TABLE(X) X(7) X(14) X(30) X(60) X(90) X(180) X(365)

enum {
    RELANCE_SALES_IN_ALL = 1 << RELANCE_SUMS_ALL,
    RELANCE_SALES_IN_DAY = 1 << RELANCE_SUMS_DAY,
    RELANCE_SALES_IN_COHORTS = 1 << RELANCE_SUMS_COHORTS,
};

enum relance_sales {
/* clang-format off */
#define RELANCE_SALES_ENUM(NAME, tables, name, is_money, prose) RELANCE_SALES_##NAME,
    RELANCE_SALES_TABLE(RELANCE_SALES_ENUM)
#undef RELANCE_SALES_ENUM
    RELANCE_SALES_COUNT,
    /* clang-format on */
};

#endif
