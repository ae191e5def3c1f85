/* Sums over all customers of a partition: what orders brought, by day, by cohort and by channel, and what a declaration
 * `totals` counts. The engine says what is to be added, in whole numbers, so that neither order nor repetition of the
 * additions can change what comes out; whoever keeps them writes them together with the states. */
#ifndef RELANCE_SUMS_H
#define RELANCE_SUMS_H

#include <relance/text.h>
#include <stdint.h>

/* Which table of sums: X(NAME, "prose"). */
#define RELANCE_SUMS_TABLE(X)                                                                                \
    X(ALL, "Since the beginning, beside the counters.")                                                      \
    X(DAY, "Of one local day of the rule set's zone.")                                                       \
    X(COHORTS, "By month and channel of the first order.")

enum relance_sums {
/* clang-format off */
#define RELANCE_SUMS_ENUM(NAME, prose) RELANCE_SUMS_##NAME,
    RELANCE_SUMS_TABLE(RELANCE_SUMS_ENUM)
#undef RELANCE_SUMS_ENUM
    RELANCE_SUMS_COUNT,
    /* clang-format on */
};

/* What events tell of a send that has left: X(ENUM, "what it is counted as", "or so"): the last word of their type's name is one
 * of the two, and they say of which `rule` and `step`. */
#define RELANCE_FEEDBACK_TABLE(X)                                                                            \
    X(OPENED, "opened", "open")                                                                              \
    X(CLICKED, "clicked", "click")                                                                           \
    X(BOUNCED, "bounced", "bounce")                                                                          \
    X(UNSUBSCRIBED, "unsubscribed", "unsubscribe")

struct relance_addition {
    enum relance_sums table;
    int64_t day;             /* DAY: since 1970 */
    struct relance_str name; /* "sales.first.gross.EUR"; borrowed until the callback returns */
    int64_t number;          /* never 0; money in ten-thousandths */
};
typedef void relance_add(void *context, const struct relance_addition *addition);

#endif
