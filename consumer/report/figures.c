/* Metrics, read. A counter that no row of counter.def explains, from a newer engine, is kept as it is.
 *
 * Small and rare: a few hundred names, read once a second at most; memory that cannot be had ends the
 * program. */
#include "report/figures.h"
#include "base/ensure.h"
#include "host/text.h"

#include <stdio.h>
#include <stdlib.h>

static void *figures_must(void *memory)
{
    ensure(memory);
    return memory;
}

/* NULL: there is no such text. */
static char *figures_copy(struct relance_str text)
{
    return text.data ? text_copy(text) : NULL;
}

/* ---- reading */

/* NULL: it is none. */
static struct sales_name *figures_sum(const char *name)
{
    struct sales_name sum;
    if (!sales_name_read(str_of(name), &sum)) return NULL;
    struct sales_name *kept = figures_must(malloc(sizeof *kept));
    *kept = sum;
    return kept;
}

void figures_add_counter(struct figures *figures, struct relance_str name, double value)
{
    uint32_t at = names_add(&figures->names, name);
    if (at < figures->count) {
        figures->items[at].value += value;
        return;
    }
    figures->items = figures_must(realloc(figures->items, (figures->count + 1) * sizeof *figures->items));
    struct figure *figure = &figures->items[figures->count++];
    struct metric_parts parts = metric_take_apart(name);
    *figure = (struct figure){.name = figures_copy(name), .row = parts.row, .value = value};
    figure->first = figures_copy(parts.first);
    figure->outcome = figures_copy(parts.outcome);
    figure->variant = figures_copy(parts.variant);
    figure->step = figures_copy(parts.step);
    figure->event = figures_copy(parts.event);
    figure->feedback = figures_copy(parts.feedback);
    figure->by = figures_copy(parts.by);
    if (parts.row == METRIC_NO_ROW) figure->sum = figures_sum(figure->name);
}

void figures_add_live(struct figures *figures, struct relance_str instance, struct relance_str field,
                      struct relance_str value)
{
    figures->lives =
        figures_must(realloc(figures->lives, (figures->live_count + 1) * sizeof *figures->lives));
    figures->lives[figures->live_count++] =
        (struct figure_live){figures_copy(instance), figures_copy(field), figures_copy(value)};
}

static void figures_take_counter(void *context, struct relance_str name, double value)
{
    figures_add_counter(context, name, value);
}

static void figures_take_live(void *context, struct relance_str instance, struct relance_str field,
                              struct relance_str value)
{
    figures_add_live(context, instance, field, value);
}

/* ---- partitions, from what instances say of theirs */

bool figures_is_partition(const struct figure_live *live)
{
    return strncmp(live->field, FIGURES_PARTITION, strlen(FIGURES_PARTITION)) == 0;
}

/* The fact NAME=NUMBER of "STATE NAME=NUMBER NAME=NUMBER"; -1: it is not told. */
static double partition_fact(const char *told, const char *name)
{
    size_t size = strlen(name);
    double number;
    for (const char *at = told; (at = strchr(at, ' '));) {
        at++;
        if (strncmp(at, name, size) != 0 || at[size] != '=') continue;
        struct relance_str value = {at + size + 1, strcspn(at + size + 1, " ")};
        return text_number(value, &number) ? number : -1;
    }
    return -1;
}

/* Of two instances that tell of one partition, in a rebalance, the one that has come further with it is believed. */
static int partition_rank(const char *state)
{
    static const char *const states[] = {FIGURES_NOBODY, "unclaimed", "behind", "live"};
    int rank = (int)(sizeof states / sizeof *states) - 1;
    while (rank >= 0 && strcmp(states[rank], state) != 0)
        rank--;
    return rank;
}

static void figures_take_partition(struct figures *figures, const struct figure_live *live)
{
    int64_t number;
    struct figure_partition told = {0};
    if (!text_count(str_of(live->field + strlen(FIGURES_PARTITION)), &number)) return;
    if (number >= (int64_t)figures->partition_count) return;
    struct figure_partition *partition = &figures->partitions[number];
    snprintf(told.state, sizeof told.state, "%.*s", (int)strcspn(live->value, " "), live->value);
    if (partition_rank(told.state) < partition_rank(partition->state)) return;
    told.owner = strcmp(told.state, FIGURES_NOBODY) == 0 ? NULL : live->instance;
    told.lag = partition_fact(live->value, "lag");
    told.behind = partition_fact(live->value, "behind");
    told.published = partition_fact(live->value, "published");
    told.clock_behind_s = partition_fact(live->value, "clock_behind_s");
    told.checkpoint_age_s = partition_fact(live->value, "checkpoint_age_s");
    *partition = told;
}

static int64_t figures_expected(const struct figures *figures)
{
    int64_t most = 0, number;
    for (size_t i = 0; i < figures->live_count; i++)
        if (strcmp(figures->lives[i].field, "partitions_expected") == 0 &&
            text_count(str_of(figures->lives[i].value), &number) && number > most &&
            number <= FIGURES_PARTITIONS_MAX)
            most = number;
    return most;
}

static int figure_order(const void *a, const void *b)
{
    const struct figure *x = a, *y = b;
    if (x->row != y->row) return x->row < y->row ? -1 : 1;
    return strcmp(x->name, y->name);
}

void figures_end(struct figures *figures, int partitions)
{
    if (figures->count) qsort(figures->items, figures->count, sizeof *figures->items, figure_order);
    names_free(&figures->names); /* they stand in another order now */
    int64_t expected = figures_expected(figures);
    figures->partition_count = (size_t)(expected > partitions ? expected : partitions);
    figures->partitions = figures_must(calloc(figures->partition_count + 1, sizeof *figures->partitions));
    for (size_t i = 0; i < figures->partition_count; i++)
        figures->partitions[i] = (struct figure_partition){NULL, FIGURES_NOBODY, -1, -1, -1, -1, -1};
    for (size_t i = 0; i < figures->live_count; i++)
        if (figures_is_partition(&figures->lives[i])) figures_take_partition(figures, &figures->lives[i]);
}

enum relance_status figures_read(struct redis_view *view, struct figures *out, struct relance_error *error)
{
    struct figures figures = {.is_whole = true};
    enum relance_status status = redis_view_counters(view, figures_take_counter, &figures, error);
    if (status == RELANCE_OK) status = redis_view_lives(view, figures_take_live, &figures, error);
    if (status != RELANCE_OK) {
        figures_free(&figures);
        return status;
    }
    figures_end(&figures, redis_view_partitions(view));
    *out = figures;
    return RELANCE_OK;
}

void figures_free(struct figures *figures)
{
    for (size_t i = 0; i < figures->count; i++) {
        free(figures->items[i].name);
        free(figures->items[i].first);
        free(figures->items[i].outcome);
        free(figures->items[i].variant);
        free(figures->items[i].step);
        free(figures->items[i].event);
        free(figures->items[i].feedback);
        free(figures->items[i].by);
        free(figures->items[i].sum);
    }
    for (size_t i = 0; i < figures->live_count; i++) {
        free(figures->lives[i].instance);
        free(figures->lives[i].field);
        free(figures->lives[i].value);
    }
    names_free(&figures->names);
    free(figures->items);
    free(figures->lives);
    free(figures->partitions);
    *figures = (struct figures){0};
}

const struct figure *figures_find(const struct figures *figures, const char *name)
{
    for (size_t i = 0; i < figures->count; i++)
        if (strcmp(figures->items[i].name, name) == 0) return &figures->items[i];
    return NULL;
}

size_t figures_count_partitions(const struct figures *figures, const char *state)
{
    size_t count = 0;
    for (size_t i = 0; i < figures->partition_count; i++)
        count += strcmp(figures->partitions[i].state, state) == 0;
    return count;
}
