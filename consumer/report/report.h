/* What orders bring in and what rules are worth, of a group and topic or of a file of events: all that `relance report`
 * prints. It is made of sums (relance/sums.h) and counters (counter.def), each of which may come in parts, as partitions
 * have them.
 *
 *     struct report report = {0};
 *     report_ask(&report, &asked);              either first, or when all has been added
 *     report_add(&report, &sum); …              of DAY, for all days that report_wants_day says
 *     report_add_counter(&report, name, n); …
 *     report_end(&report);
 *     report_print_json(&report, stdout);
 *     report_free(&report);
 *
 * Money is in ten-thousandths, days are since 1970, months since the year 0. Currencies are never added. */
#ifndef CONSUMER_REPORT_REPORT_H
#define CONSUMER_REPORT_REPORT_H

#include "host/text.h"
#include "report/report_rules.h"
#include "report/report_totals.h"
#include "report/sales_name.h"

#include <relance/ruleset.h>

/* Of one currency, or a list of them in their order. */
struct report_money {
    char currency[8];
    int64_t gross, refunded;
};
struct report_moneys {
    struct report_money *items;
    size_t count;
};

/* Which of a customer's orders it is; and once more, how the customer stood before it. */
#define REPORT_CLASS_TABLE(X)                                                                                \
    X(FIRST, "first")                                                                                        \
    X(SECOND, "second")                                                                                      \
    X(REPEAT, "repeat")                                                                                      \
    X(ALL, "all") /* these three */                                                                          \
    X(LOYAL, "loyal")                                                                                        \
    X(OTHERS, "others")
enum report_class {
#define REPORT_CLASS(NAME, text) REPORT_##NAME,
    REPORT_CLASS_TABLE(REPORT_CLASS)
#undef REPORT_CLASS
        REPORT_CLASSES,
};
extern const char *const report_classes[REPORT_CLASSES];

struct report_orders {
    int64_t orders, refunded; /* how many, and how many of them as a whole */
    struct report_moneys money;
};

/* How long the second order took at most; the last has no bound. */
#define REPORT_BOUND(days) +1
enum { REPORT_BOUNDS = 1 RELANCE_SALES_DAYS_TABLE(REPORT_BOUND), REPORT_WITHIN_DAYS = 90 };
#undef REPORT_BOUND
extern const int64_t report_bounds[REPORT_BOUNDS]; /* days; INT64_MAX */

struct report_day {
    int64_t day;
    struct report_orders of[REPORT_CLASSES];
    struct report_moneys refunded_on;    /* `refunded` alone means something */
    int64_t second_after[REPORT_BOUNDS]; /* of customers whose first order is of this day */
};

/* Customers of one month and channel, k months later. */
struct report_cell {
    int64_t month;
    int k;
    uint32_t channel;
    int64_t customers, orders;
    struct report_moneys money;
};
enum { REPORT_MONTHS = 36 };

struct report_channel {
    str name; /* borrowed from the report */
    int64_t customers, second, third, loyal;
    struct report_moneys net; /* `gross` alone means something */
};

/* What is reported, and of when. */
struct report_asked {
    const struct relance_ruleset *rules; /* in force: for the zone; NULL: UTC */
    int64_t at_ms;
    bool has_from, has_to;
    int64_t from, to;          /* first and last day; else the last `days` up to `to`, and that of `at_ms` */
    int64_t days;              /* 0: REPORT_DAYS */
    const char *group, *topic; /* or both NULL: of a file */
};
enum { REPORT_DAYS = 90 };

struct report {
    bool is_dated; /* else there is no event, and no day */
    int64_t at_ms, today, from, to;
    char zone[64];
    bool has_sales;            /* the rules declare them, or have done so */
    const char *group, *topic; /* borrowed */

    struct report_orders of[REPORT_CLASSES];
    struct report_moneys currencies;  /* that any order or refund had */
    int64_t odd[RELANCE_SALES_COUNT]; /* what has no more to its name: orders_updated and so on */
    int64_t customers[3];             /* with one order, with two, with more */
    int64_t second_after[REPORT_BOUNDS];
    /* of whom the first order is old enough, how many; and how many of them had a second soon enough */
    int64_t within_of, within;
    struct report_day *days; /* ascending; only those from `from` to `to` once ended */
    size_t day_count;
    struct names cell_names;
    struct report_cell *cells; /* by month, k and channel once ended */
    size_t cell_count;
    struct names channel_names;
    struct report_channel
        *channels;             /* in the order in which their names came; once ended, `order` has another */
    uint32_t *order;           /* the one with most customers first */
    struct figures figures;    /* the counters, */
    struct report_rules rules; /* and once ended what they say of rules */
    struct report_totals totals;
};

void report_ask(struct report *report, const struct report_asked *asked);
/* Is something asked for that the sums of this day say? */
bool report_wants_day(const struct report *report, int64_t day);
/* A sum of a table; of DAY with its day. What no name of this version fits is passed by. */
void report_add(struct report *report, const struct relance_addition *sum);
/* A counter (counter.def). */
void report_add_counter(struct report *report, str name, double value);
void report_end(struct report *report);
void report_free(struct report *report);

/* How many customers ordered a second time, and the bound in days that half of them are within; 0: there are none, or it
 * has none. */
int64_t report_second_orders(const struct report *report);
int64_t report_median_days(const struct report *report);

/* All customers whose first order was in one month. */
struct report_cohort {
    int64_t month, customers;
    int months;        /* how many have begun since, itself included; REPORT_MONTHS at most */
    size_t begin, end; /* of its cells */
};
/* The next one; {0} before the first. False: there is none. */
bool report_next_cohort(const struct report *report, struct report_cohort *cohort);
/* Over all channels; to be freed by report_cell_free. */
struct report_cell report_cohort_month(const struct report *report, const struct report_cohort *cohort,
                                       int k);
void report_cell_free(struct report_cell *cell);
void report_month_text(int64_t month, char out[TEXT_NUMBER_SIZE]); /* "2026-03" */

/* What the cohorts of a channel for which month k is over have brought in the months 0 to k, and how many customers they
 * have. */
struct report_ltv {
    int64_t net, customers;
};
struct report_ltv report_ltv(const struct report *report, uint32_t channel, const char *currency, int k);
enum { REPORT_LTVS = 4 };
extern const int report_ltv_months[REPORT_LTVS];
/* Is month k over for those whose first order was in that month? */
bool report_is_over(const struct report *report, int64_t month, int k);
int64_t report_net(const struct report_money *money);
/* False: it cannot be said, since several currencies share the orders, or there are none. In ten-thousandths. */
bool report_average(const struct report_orders *orders, const struct report_money *money, int64_t *out);
/* The nearest number of ten-thousandths; false: nothing can be divided by 0. */
bool report_each(int64_t money, int64_t among, int64_t *out);

/* The nearest number of ten-thousandths of what was added up in doubles. */
int64_t report_money_of(double value);
/* "1846498.003", exactly, with no more signs than it takes. */
enum { REPORT_MONEY_SIZE = 32 };
const char *report_money_text(int64_t money, char out[REPORT_MONEY_SIZE]);

/* As `relance report --json` prints it, to be freed by cJSON_free. */
char *report_json(const struct report *report);
void report_print_json(const struct report *report, FILE *out);
void report_print_csv(const struct report *report, FILE *out);
void report_print_tables(const struct report *report, FILE *out); /* for people */

#endif
