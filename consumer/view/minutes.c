#include "view/minutes.h"
#include "base/ensure.h"
#include "host/text.h"

#include <math.h>
#include <stdlib.h>

enum {
    MINUTES_MS = 60000,
    MINUTES_OPEN =
        5, /* the newest minutes, which may still change: a checkpoint is late, or a partition behind */
};

/* The value of minute m stands at m % MINUTES_MAX. */
struct series {
    char *name;         /* NULL: this place is free */
    int64_t begin, end; /* the minutes that are known, without `end` */
    uint64_t asked;     /* when it was last, in questions */
    double values[MINUTES_MAX];
};

struct minutes {
    struct series *series[MINUTES_SERIES_MAX];
    struct series lag; /* NAN: not known */
    uint64_t questions;
};

struct minutes *minutes_new(void)
{
    struct minutes *minutes = calloc(1, sizeof *minutes);
    ensure(minutes);
    return minutes;
}

static void series_free(struct series *series)
{
    if (series) free(series->name);
    free(series);
}

void minutes_free(struct minutes *minutes)
{
    for (size_t i = 0; minutes && i < MINUTES_SERIES_MAX; i++)
        series_free(minutes->series[i]);
    free(minutes);
}

static double *series_at(struct series *series, int64_t minute)
{
    return &series->values[((minute % MINUTES_MAX) + MINUTES_MAX) % MINUTES_MAX];
}

/* ---- the lag */
void minutes_take_lag(struct minutes *minutes, int64_t now_ms, double lag)
{
    struct series *series = &minutes->lag;
    int64_t minute = now_ms / MINUTES_MS;
    if (minute < series->begin || minute - series->end >= MINUTES_MAX || !series->end)
        series->begin = series->end = minute; /* the first, or a clock that was set */
    for (; series->end <= minute; series->end++)
        *series_at(series, series->end) = NAN;
    if (series->end - series->begin > MINUTES_MAX) series->begin = series->end - MINUTES_MAX;
    double *value = series_at(series, minute);
    if (lag >= 0) *value = isnan(*value) || lag > *value ? lag : *value;
}

/* ---- a counter */
/* The one of that name; else the place of the one that was asked for longest ago. */
static struct series *minutes_find(struct minutes *minutes, const char *name)
{
    size_t place = 0;
    for (size_t i = 0; i < MINUTES_SERIES_MAX; i++) {
        struct series *series = minutes->series[i], *oldest = minutes->series[place];
        if (series && strcmp(series->name, name) == 0) return series;
        if (oldest && (!series || series->asked < oldest->asked)) place = i;
    }
    series_free(minutes->series[place]);
    struct series *series = calloc(1, sizeof *series);
    ensure(series && (series->name = strdup(name)));
    return minutes->series[place] = series;
}

struct minutes_reading {
    struct series *series;
    int64_t minute;
    bool is_broken;
};

static void minutes_add(void *context, struct relance_str text)
{
    struct minutes_reading *reading = context;
    int64_t minute = reading->minute++;
    double value;
    if (!text.data) return;
    if (text_number(text, &value))
        *series_at(reading->series, minute) += value;
    else
        reading->is_broken = true;
}

/* Reads the minutes from `from` on, without `to`. */
static enum relance_status minutes_read(struct series *series, struct redis_view *view, int64_t from,
                                        int64_t to, struct relance_error *error)
{
    enum relance_status status = RELANCE_OK;
    struct minutes_reading reading = {.series = series};
    for (int64_t minute = from; minute < to; minute++)
        *series_at(series, minute) = 0;
    for (int p = 0; p < redis_view_partitions(view) && status == RELANCE_OK; p++) {
        reading.minute = from;
        status = redis_view_minutes(view, p, str_of(series->name), from, (size_t)(to - from), minutes_add,
                                    &reading, error);
    }
    if (status == RELANCE_OK && reading.is_broken)
        status = relance_error_set(error, RELANCE_IO, "Redis: a counter of a minute is no number");
    return status;
}

static enum relance_status minutes_update(struct series *series, struct redis_view *view, int64_t from,
                                          int64_t to, struct relance_error *error)
{
    bool goes_on = series->begin <= from && from <= series->end && series->end <= to;
    int64_t open = goes_on && series->end - MINUTES_OPEN > from ? series->end - MINUTES_OPEN : from;
    enum relance_status status = minutes_read(series, view, open, to, error);
    if (!goes_on) series->begin = from;
    series->end = to;
    if (series->end - series->begin > MINUTES_MAX) series->begin = series->end - MINUTES_MAX;
    if (status != RELANCE_OK) series->begin = series->end = 0;
    return status;
}

/* ---- showing */
static void minutes_put(struct buffer *to, struct series *series, int64_t from, int64_t end)
{
    for (int64_t minute = from; minute < end; minute++) {
        bool is_known = minute >= series->begin && minute < series->end;
        double value = is_known ? *series_at(series, minute) : NAN;
        if (minute > from) buffer_put_char(to, ',');
        if (isfinite(value))
            buffer_put_format(to, "%.15g", value);
        else
            buffer_put_str(to, STR("null"));
    }
}

static enum relance_status minutes_put_series(struct minutes *minutes, struct redis_view *view,
                                              const char *name, int64_t from, int64_t end, struct buffer *to,
                                              struct relance_error *error)
{
    enum relance_status status = RELANCE_OK;
    struct series *series = &minutes->lag;
    if (strcmp(name, MINUTES_LAG) != 0) {
        series = minutes_find(minutes, name);
        series->asked = ++minutes->questions;
        status = minutes_update(series, view, from, end, error);
    }
    if (status != RELANCE_OK) return status;
    buffer_put_json_string(to, str_of(name));
    buffer_put_str(to, STR(":["));
    minutes_put(to, series, from, end);
    buffer_put_char(to, ']');
    return RELANCE_OK;
}

enum relance_status minutes_print(struct minutes *minutes, struct redis_view *view, const char *const *names,
                                  size_t count, int64_t from_ms, int64_t now_ms, struct buffer *to,
                                  struct relance_error *error)
{
    int64_t end = now_ms / MINUTES_MS + 1, from = from_ms / MINUTES_MS;
    enum relance_status status = RELANCE_OK;
    if (from < end - MINUTES_MAX) from = end - MINUTES_MAX;
    if (from > end) from = end;
    buffer_put_format(to, "{\"from_ms\":%lld,\"step_ms\":%d,\"minutes\":%lld,\"series\":{",
                      (long long)from * MINUTES_MS, MINUTES_MS, (long long)(end - from));
    for (size_t i = 0; i < count && status == RELANCE_OK; i++) {
        if (i) buffer_put_char(to, ',');
        status = minutes_put_series(minutes, view, names[i], from, end, to, error);
    }
    buffer_put_str(to, STR("}}\n"));
    return status;
}
