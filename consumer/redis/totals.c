#include "redis/totals.h"
#include "base/ensure.h"
#include "base/names.h"
#include "host/clock.h"
#include "host/text.h"
#include "redis/single.h"
#include "redis/view.h"

#include <math.h>
#include <relance/decision.h>
#include <stdio.h>
#include <stdlib.h>

enum { TOTALS_SHARE = 20, TOTALS_VALUE_SIZE = 40, TOTALS_TIME_SIZE = 24 };

struct redis_totals {
    const char *url, *group, *topic;
    int partitions;
    struct redis_view *view; /* NULL: none is open */
    struct redis_single single;
    int64_t next_us;    /* when it may be asked again */
    int64_t missing_ms; /* since when something cannot be read; 0: all can */
    struct names names; /* of what is being added up */
    double *sums;       /* theirs */
    size_t capacity;    /* of the sums */
    bool lives;         /* the instance just read has live figures */
    char instance[256]; /* its name; "": none has been read */
    redis_totals_gone *gone;
    void *context;
};

struct redis_totals *redis_totals_open(const char *url, const char *group, const char *topic, int partitions)
{
    struct redis_totals *totals = calloc(1, sizeof *totals);
    ensure(totals);
    totals->url = url;
    totals->group = group;
    totals->topic = topic;
    totals->partitions = partitions;
    redis_single_open(&totals->single, url);
    redis_key_totals(totals->single.key, group, topic);
    return totals;
}

static void totals_clear(struct redis_totals *totals)
{
    names_free(&totals->names);
    totals->names = (struct names){0};
}

void redis_totals_close(struct redis_totals *totals)
{
    totals_clear(totals);
    free(totals->sums);
    redis_view_close(totals->view);
    redis_single_close(&totals->single);
    free(totals);
}

/* ---- adding up */

static void totals_add(void *context, struct relance_str name, double value)
{
    struct redis_totals *totals = context;
    uint32_t count = totals->names.count, number = names_add(&totals->names, name);
    if (number >= totals->capacity) {
        totals->capacity = 2 * (size_t)number + 64;
        totals->sums = realloc(totals->sums, totals->capacity * sizeof *totals->sums);
        ensure(totals->sums);
    }
    if (number >= count) totals->sums[number] = 0;
    totals->sums[number] += value;
}

static void totals_end_instance(struct redis_totals *totals)
{
    if (!*totals->instance) return;
    if (totals->lives)
        totals_add(totals, STR("instances"), 1);
    else
        totals->gone(totals->context, str_of(totals->instance));
    *totals->instance = '\0';
}

/* An instance's entry in the list comes first, and then its figures, of which some make sense as sums. */
static void totals_take_live(void *context, struct relance_str instance, struct relance_str field,
                             struct relance_str value)
{
    static const char *const added[][2] = {{"partitions", "partitions_owned"},
                                           {"partitions_live", "partitions_live"},
                                           {"lag", "lag"},
                                           {"behind", "behind"}};
    struct redis_totals *totals = context;
    double number;
    if (str_equal(field, STR(REDIS_VIEW_ENTRY))) {
        totals_end_instance(totals);
        totals->lives = false;
        snprintf(totals->instance, sizeof totals->instance, "%.*s", STR_ARG(instance));
        return;
    }
    totals->lives = true;
    for (size_t i = 0; i < sizeof added / sizeof *added; i++)
        if (str_equal(field, str_of(added[i][0])) && text_number(value, &number))
            totals_add(totals, str_of(added[i][1]), number);
}

static void totals_begin(struct redis_totals *totals)
{
    static const char *const always[] = {"instances", "partitions_owned", "partitions_live", "lag", "behind"};
    totals_clear(totals);
    totals_add(totals, STR("partitions"), totals->partitions);
    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        totals_add(totals, str_of(always[i]), 0);
}

/* RELANCE_OK: all has been read; else the sentence names what could not be. */
static enum relance_status totals_read(struct redis_totals *totals, struct relance_error *error)
{
    struct relance_error why;
    enum relance_status status;
    if (!totals->view) totals->view = redis_view_of(totals->url, totals->group, totals->topic, error);
    if (!totals->view) return error->status;
    for (int p = 0; p < totals->partitions; p++) {
        status = redis_view_partition_counters(totals->view, p, totals_add, totals, &why);
        if (status != RELANCE_OK) return relance_error_set(error, status, "partition %d: %s", p, why.message);
    }
    status = redis_view_lives(totals->view, totals_take_live, totals, &why);
    if (status != RELANCE_OK) return relance_error_set(error, status, "instances: %s", why.message);
    totals_end_instance(totals);
    return RELANCE_OK;
}

/* ---- writing */

static struct relance_str totals_print_time(int64_t ms, char out[TOTALS_TIME_SIZE])
{
    relance_time_print(ms, out);
    return (struct relance_str){out, TOTALS_TIME_SIZE};
}

static void totals_put_sums(struct redis_totals *totals)
{
    char time[TOTALS_TIME_SIZE], value[TOTALS_VALUE_SIZE];
    redis_single_begin(&totals->single, totals->names.count + 1);
    redis_single_put(&totals->single, STR("at"), totals_print_time(clock_wall_ms(), time));
    for (uint32_t i = 0; i < totals->names.count; i++) {
        double sum = totals->sums[i];
        snprintf(value, sizeof value, sum == floor(sum) ? "%.0f" : "%.15g", sum);
        redis_single_put(&totals->single, totals->names.list[i], str_of(value));
    }
    redis_single_replace(&totals->single, STR(""));
}

static void totals_put_missing(struct redis_totals *totals, const char *why)
{
    char time[TOTALS_TIME_SIZE];
    REDIS_ASK(&totals->single.question, STR("HSET"), str_of(totals->single.key), STR("missing"), str_of(why),
              STR("missing_since"), totals_print_time(totals->missing_ms, time));
    redis_single_ask(&totals->single, redis_single_hear_counts, NULL);
}

void redis_totals_write(struct redis_totals *totals, bool is_last, redis_totals_gone *gone, void *context)
{
    struct relance_error error;
    int64_t began_us = clock_monotonic_us();
    if (began_us < totals->next_us && !is_last) return;
    totals->gone = gone;
    totals->context = context;
    totals_begin(totals);
    if (totals_read(totals, &error) == RELANCE_OK) {
        totals->missing_ms = 0;
        totals_put_sums(totals);
    } else {
        redis_view_close(totals->view);
        totals->view = NULL;
        if (!totals->missing_ms) totals->missing_ms = clock_wall_ms();
        totals_put_missing(totals, error.message);
    }
    totals->next_us = began_us + TOTALS_SHARE * (clock_monotonic_us() - began_us);
}
