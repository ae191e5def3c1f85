/* Of a report and of metrics: what a set's `totals` have counted. */
#ifndef CONSUMER_REPORT_REPORT_TOTALS_H
#define CONSUMER_REPORT_REPORT_TOTALS_H

#include "base/names.h"
#include "report/figures.h"

#include <relance/sums.h>

#define REPORT_EVER INT64_MIN /* of no day, but all */

struct report_total {
    str total, by; /* borrowed from the names; by.data NULL: it is counted by nothing */
    int64_t day;   /* since 1970, or REPORT_EVER */
    bool has_sum;
    int64_t count, sum; /* events; ten-thousandths */
};

struct report_totals {
    struct names names;
    struct report_total *items; /* once ended by total, day and what is greatest */
    size_t count;
};

/* What is no total is passed by. */
void report_totals_add(struct report_totals *totals, const struct relance_addition *sum);
void report_totals_end(struct report_totals *totals, int64_t from, int64_t to); /* days outside go */
void report_totals_free(struct report_totals *totals);

/* What a total is for: its sum, or where it has none its count of events. */
static inline int64_t report_total_number(const struct report_total *total)
{
    return total->has_sum ? total->sum : total->count;
}

/* A list of them. */
struct cJSON;
void report_put_totals(struct cJSON *list, const struct report_totals *totals);

#endif
