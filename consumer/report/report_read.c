#include "report/report_read.h"
#include "base/ensure.h"
#include "host/text.h"

#include <stdlib.h>

struct report_reading {
    struct report *report;
    enum relance_sums table;
    int64_t day;
    int64_t *days; /* those that are wanted */
    size_t day_count;
};

static void reading_take_sum(void *context, const struct redis_view_sum *sum)
{
    const struct report_reading *reading = context;
    if (sum->whole)
        report_add(reading->report,
                   &(struct relance_addition){reading->table, reading->day, sum->name, sum->number});
    else
        report_add_counter(reading->report, sum->name, sum->value);
}

static void reading_take_day(void *context, int64_t day)
{
    struct report_reading *reading = context;
    if (!report_wants_day(reading->report, day)) return;
    reading->days = realloc(reading->days, (reading->day_count + 1) * sizeof *reading->days);
    ensure(reading->days);
    reading->days[reading->day_count++] = day;
}

static enum relance_status reading_take_table(struct report_reading *reading, struct redis_view *view,
                                              int partition, enum relance_sums table, int64_t day,
                                              struct relance_error *error)
{
    reading->table = table;
    reading->day = day;
    return redis_view_sums(view, partition, table, day, reading_take_sum, reading, error);
}

static enum relance_status reading_take_partition(struct report_reading *reading, struct redis_view *view,
                                                  int partition, struct relance_error *error)
{
    reading->day_count = 0;
    enum relance_status status = reading_take_table(reading, view, partition, RELANCE_SUMS_ALL, 0, error);
    if (status == RELANCE_OK)
        status = reading_take_table(reading, view, partition, RELANCE_SUMS_COHORTS, 0, error);
    if (status == RELANCE_OK) status = redis_view_days(view, partition, reading_take_day, reading, error);
    for (size_t i = 0; i < reading->day_count && status == RELANCE_OK; i++)
        status = reading_take_table(reading, view, partition, RELANCE_SUMS_DAY, reading->days[i], error);
    return status;
}

enum relance_status report_read(struct report *report, struct redis_view *view, struct relance_error *error)
{
    enum relance_status status = RELANCE_OK;
    struct report_reading reading = {.report = report};
    for (int p = 0; p < redis_view_partitions(view) && status == RELANCE_OK; p++)
        status = reading_take_partition(&reading, view, p, error);
    free(reading.days);
    return status;
}
