#include "delivery/live.h"

#include "delivery/live_store.h"
#include "host/clock.h"
#include "base/ensure.h"
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

enum { LIVE_FIGURES_MAX = 32 };

struct live {
    struct live_store *store;
    struct worker *workers;
    size_t worker_count;
    const struct reload *rules;
    struct pulse_figures before; /* at the last refresh, for rates */
    int64_t begun_us, before_us;
    struct live_figure figures[LIVE_FIGURES_MAX];
    size_t count;
};

struct live *live_open(const char *url, const char *instance, struct worker *workers, size_t count,
                       const struct reload *rules)
{
    struct live *live = calloc(1, sizeof *live);
    ensure(live);
    live->store = live_store_open(url, instance);
    live->workers = workers;
    live->worker_count = count;
    live->rules = rules;
    live->begun_us = live->before_us = clock_monotonic_us();
    return live;
}

void live_close(struct live *live)
{
    live_store_close(live->store);
    free(live);
}

/* ---- sums over the workers */
static void live_add_times(struct pulse_times *sum, const struct pulse_times *times)
{
    for (size_t i = 0; i < PULSE_CLASSES; i++)
        sum->counts[i] += times->counts[i];
}

static void live_add(struct pulse_figures *sum, const struct pulse_figures *one)
{
#define FIGURE_SUM(field, kind, name, prose) sum->field += one->field;
#define FIGURE_TIMES(field, name, prose)     live_add_times(&sum->field, &one->field);
#define FIGURE_KEPT(field)                   sum->field += one->field;
#define FIGURE_MADE(field, kind, name, prose)
#include "figure.def"
}

static struct pulse_figures live_sum(const struct live *live)
{
    struct pulse_figures sum = {0}, one;
    for (size_t i = 0; i < live->worker_count; i++) {
        pulse_read(&live->workers[i].pulse, &one);
        live_add(&sum, &one);
    }
    return sum;
}

/* ---- the figures */
/* What a figure is made of: the sums now and at the last refresh, and what has passed between. */
struct live_look {
    const struct live *live;
    struct pulse_figures now, before;
    int64_t now_us, passed_us;
};

static uint64_t live_of_uptime(const struct live_look *look)
{
    return (uint64_t)(look->now_us - look->live->begun_us) / 1000000;
}

static uint64_t live_of_pid(const struct live_look *look)
{
    (void)look;
    return (uint64_t)getpid();
}

static uint64_t live_of_rate(const struct live_look *look)
{
    uint64_t events = look->now.events - look->before.events;
    return look->passed_us > 0 ? events * 1000000 / (uint64_t)look->passed_us : 0;
}

static uint64_t live_of_hits(const struct live_look *look)
{
    uint64_t events = look->now.events - look->before.events,
             fetched = look->now.fetched - look->before.fetched;
    return !events ? 100 : fetched >= events ? 0 : 100 - 100 * fetched / events;
}

static uint64_t live_of_rss(const struct live_look *look)
{
    (void)look;
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file) return 0;
    if (fscanf(file, "%*u %lu", &pages) != 1) pages = 0;
    fclose(file);
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t live_of_taken(const struct live_look *look)
{
    return atomic_load(&look->live->rules->taken);
}

static uint64_t live_of_refused(const struct live_look *look)
{
    return atomic_load(&look->live->rules->refused);
}

static void live_put(struct live *live, const char *name, uint64_t value)
{
    ensure(live->count < LIVE_FIGURES_MAX);
    struct live_figure *figure = &live->figures[live->count++];
    figure->name = name;
    snprintf(figure->value, sizeof figure->value, "%" PRIu64, value);
}

static void live_put_ms(struct live *live, const char *name, int64_t us)
{
    ensure(live->count < LIVE_FIGURES_MAX);
    struct live_figure *figure = &live->figures[live->count++];
    figure->name = name;
    snprintf(figure->value, sizeof figure->value, "%.3f", (double)us / 1000);
}

static void live_make(struct live *live, const struct live_look *look)
{
    const struct pulse_figures *now = &look->now, *before = &look->before;
    live->figures[0] = (struct live_figure){"version", RELANCE_VERSION};
    live->count = 1;
#define FIGURE_SUM(field, kind, name, prose) live_put(live, name, now->field);
#define FIGURE_TIMES(field, name, prose)                                                                     \
    live_put_ms(live, name "_p50_ms", pulse_part(&now->field, &before->field, 0.5));                         \
    live_put_ms(live, name "_p99_ms", pulse_part(&now->field, &before->field, 0.99));
#define FIGURE_KEPT(field)
#define FIGURE_MADE(field, kind, name, prose) live_put(live, name, live_of_##field(look));
#include "figure.def"
}

void live_refresh(struct live *live)
{
    int64_t now_us = clock_monotonic_us();
    struct live_look look = {live, live_sum(live), live->before, now_us, now_us - live->before_us};
    live_make(live, &look);
    live->before = look.now;
    live->before_us = now_us;
    live_store_write(live->store, live->figures, live->count);
}
