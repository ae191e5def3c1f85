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
    sum->events += one->events, sum->actions += one->actions, sum->fetched += one->fetched;
    sum->transactions += one->transactions, sum->checkpoints += one->checkpoints,
        sum->failures += one->failures;
    sum->lag += one->lag, sum->partitions += one->partitions, sum->live += one->live;
    sum->bytes += one->bytes, sum->customers += one->customers, sum->waits += one->waits;
    live_add_times(&sum->cycles, &one->cycles);
    live_add_times(&sum->kafka, &one->kafka);
    live_add_times(&sum->redis, &one->redis);
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

/* Resident bytes of the process. */
static uint64_t live_rss(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file) return 0;
    if (fscanf(file, "%*u %lu", &pages) != 1) pages = 0;
    fclose(file);
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* ---- the figures */
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

static void live_put_text(struct live *live, const char *name, const char *text)
{
    ensure(live->count < LIVE_FIGURES_MAX);
    struct live_figure *figure = &live->figures[live->count++];
    figure->name = name;
    snprintf(figure->value, sizeof figure->value, "%s", text);
}

/* Of a hundred events, how many found their customer at hand. */
static uint64_t live_hits(uint64_t events, uint64_t fetched)
{
    return !events ? 100 : fetched >= events ? 0 : 100 - 100 * fetched / events;
}

void live_refresh(struct live *live)
{
    struct pulse_figures now = live_sum(live), *before = &live->before;
    int64_t now_us = clock_monotonic_us(), passed_us = now_us - live->before_us;
    uint64_t events = now.events - before->events;
    live->count = 0;
    live_put_text(live, "version", RELANCE_VERSION);
    live_put(live, "uptime_s", (uint64_t)(now_us - live->begun_us) / 1000000);
    live_put(live, "pid", (uint64_t)getpid());
    live_put(live, "partitions", now.partitions);
    live_put(live, "partitions_live", now.live);
    live_put(live, "lag", (uint64_t)now.lag);
    live_put(live, "events", now.events);
    live_put(live, "actions", now.actions);
    live_put(live, "events_per_s", passed_us > 0 ? events * 1000000 / (uint64_t)passed_us : 0);
    live_put_ms(live, "cycle_p50_ms", pulse_part(&now.cycles, &before->cycles, 0.5));
    live_put_ms(live, "cycle_p99_ms", pulse_part(&now.cycles, &before->cycles, 0.99));
    live_put_ms(live, "kafka_p50_ms", pulse_part(&now.kafka, &before->kafka, 0.5));
    live_put_ms(live, "kafka_p99_ms", pulse_part(&now.kafka, &before->kafka, 0.99));
    live_put_ms(live, "redis_p50_ms", pulse_part(&now.redis, &before->redis, 0.5));
    live_put_ms(live, "redis_p99_ms", pulse_part(&now.redis, &before->redis, 0.99));
    live_put(live, "transactions", now.transactions);
    live_put(live, "checkpoints", now.checkpoints);
    live_put(live, "transactions_failed", now.failures);
    live_put(live, "cache_bytes", now.bytes);
    live_put(live, "cache_hits_percent", live_hits(events, now.fetched - before->fetched));
    live_put(live, "customers", now.customers);
    live_put(live, "waits", now.waits);
    live_put(live, "rss_bytes", live_rss());
    live_put(live, "rules_taken", atomic_load(&live->rules->taken));
    live_put(live, "rules_refused", atomic_load(&live->rules->refused));
    live->before = now;
    live->before_us = now_us;
    live_store_write(live->store, live->figures, live->count);
}
