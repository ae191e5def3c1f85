#include "delivery/live.h"

#include "host/clock.h"
#include "base/ensure.h"
#include "delivery/wall.h"
#include "base/buffer.h"
#include "host/text.h"
#include <relance/decision.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    LIVE_ROWS_MAX = 64, /* of figure.def; each partition is a figure more */
    LIVE_WHO_SIZE = 256,
    LIVE_OTHER_US = 60000000, /* so long it is told that another process has our name */
};

/* Since when a server fails: by both clocks, so that it stays the same instant. */
struct live_since {
    int64_t us; /* 0: it does not */
    int64_t ms;
};

struct live {
    struct live_plan plan;
    struct live_store *store;
    struct pulse_figures before; /* at the last refresh, for rates */
    int64_t begun_us, begun_ms, before_us;
    struct live_since redis, kafka;
    char who[LIVE_WHO_SIZE]; /* this process, as the list of instances has it */

    pthread_mutex_t lock; /* of what the writer shares with whoever refreshes */
    pthread_cond_t changed;
    bool is_new, ends;
    struct live_figure *figures;
    size_t count;
    int64_t refused_us;        /* since when the store does not take the figures; 0: it does */
    char other[LIVE_WHO_SIZE]; /* another process that has used our name; "": none has */
    int64_t other_us;          /* when that was seen last */

    pthread_t writer; /* and what it has for itself */
    struct buffer entry;
    struct live_figure *written;
};

/* "host=H pid=N": names of hosts are made of what names may be made of. */
static void live_name_us(char out[LIVE_WHO_SIZE])
{
    char host[128] = "";
    if (gethostname(host, sizeof host - 1) != 0 || !text_is_name(host)) snprintf(host, sizeof host, "?");
    snprintf(out, LIVE_WHO_SIZE, "host=%s pid=%d", host, (int)getpid());
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
    for (size_t i = 0; i < live->plan.worker_count; i++) {
        pulse_read(&live->plan.workers[i].pulse, &one);
        live_add(&sum, &one);
    }
    return sum;
}

/* ---- how partitions and servers stand */
/* A partition of ours as it is told; -1: not known. */
struct live_partition {
    enum standing_state state;
    int64_t lag, behind, published, clock_behind_ms, unsaved_ms, model_age_ms;
};

static struct live_partition live_partition(const struct live *live, int number, int64_t now_us)
{
    const struct standing *standing = &live->plan.standings[number];
    int64_t unsaved = atomic_load(&standing->unsaved_us), clock = atomic_load(&standing->clock_ms);
    int64_t ahead = clock == INT64_MIN ? -1 : wall_now_ms() - clock;
    int64_t counted_ms = atomic_load(&standing->model_ms), age_ms = wall_now_ms() - counted_ms;
    return (struct live_partition){
        .state = atomic_load(&standing->state),
        .lag = atomic_load(&standing->lag),
        .behind = atomic_load(&standing->behind),
        .published = atomic_load(&standing->published),
        .clock_behind_ms = clock != INT64_MIN && ahead < 0 ? 0 : ahead,
        .unsaved_ms = unsaved && now_us > unsaved ? (now_us - unsaved) / 1000 : 0,
        .model_age_ms = counted_ms && age_ms > 0 ? age_ms : 0,
    };
}

/* All of ours: sums, and the worst. */
static struct live_partition live_partitions(const struct live *live, int64_t now_us)
{
    struct live_partition all = {0};
    for (int p = 0; p < live->plan.partitions; p++) {
        struct live_partition one = live_partition(live, p, now_us);
        if (one.state == STANDING_ELSEWHERE) continue;
        if (one.lag > 0) all.lag += one.lag;
        all.behind += one.behind;
        if (one.lag > 0 && one.clock_behind_ms > all.clock_behind_ms)
            all.clock_behind_ms = one.clock_behind_ms;
        if (one.unsaved_ms > all.unsaved_ms) all.unsaved_ms = one.unsaved_ms;
        if (one.model_age_ms > all.model_age_ms) all.model_age_ms = one.model_age_ms;
    }
    return all;
}

static int64_t live_redis_fails(const struct live *live)
{
    int64_t since = live->refused_us;
    for (int p = 0; p < live->plan.partitions; p++)
        since = standing_earlier(since, standing_store_fails(&live->plan.standings[p]));
    return since;
}

static int64_t live_kafka_away(const struct live *live, int64_t now_us)
{
    int64_t since = 0;
    for (size_t i = 0; i < live->plan.worker_count; i++)
        since = standing_earlier(since, contact_away(&live->plan.workers[i].kafka, now_us));
    return since;
}

static void live_note(struct live_since *since, int64_t us, int64_t now_us)
{
    if (us && us != since->us) since->ms = clock_wall_ms() - (now_us - us) / 1000;
    since->us = us;
}

/* ---- the figures */
/* What a figure is made of: the sums now and at the last refresh, and what has passed between. */
struct live_look {
    const struct live *live;
    struct pulse_figures now, before;
    struct live_partition partitions;
    int64_t now_us, passed_us;
};

static double live_of_uptime(const struct live_look *look)
{
    return (double)((look->now_us - look->live->begun_us) / 1000000);
}

static double live_of_pid(const struct live_look *look)
{
    (void)look;
    return getpid();
}

static double live_of_expected(const struct live_look *look)
{
    return look->live->plan.partitions;
}

static double live_of_lag(const struct live_look *look)
{
    return (double)look->partitions.lag;
}

static double live_of_behind(const struct live_look *look)
{
    return (double)look->partitions.behind;
}

static double live_of_clock_behind(const struct live_look *look)
{
    return (double)look->partitions.clock_behind_ms / 1000;
}

static double live_of_checkpoint_age(const struct live_look *look)
{
    return (double)look->partitions.unsaved_ms / 1000;
}

static double live_of_model_age(const struct live_look *look)
{
    return (double)look->partitions.model_age_ms / 1000;
}

static double live_of_redis_refuses(const struct live_look *look)
{
    return look->live->redis.us ? 1 : 0;
}

static double live_of_redis_refuses_since(const struct live_look *look)
{
    return look->live->redis.us ? (double)look->live->redis.ms / 1000 : 0;
}

static double live_of_kafka_away(const struct live_look *look)
{
    return look->live->kafka.us ? 1 : 0;
}

static double live_of_kafka_away_since(const struct live_look *look)
{
    return look->live->kafka.us ? (double)look->live->kafka.ms / 1000 : 0;
}

/* Has another process used our name a moment ago? */
static bool live_is_shared(const struct live *live)
{
    return *live->other && clock_monotonic_us() - live->other_us < LIVE_OTHER_US;
}

static double live_of_same_name(const struct live_look *look)
{
    return live_is_shared(look->live) ? 1 : 0;
}

static double live_of_rate(const struct live_look *look)
{
    uint64_t events = look->now.events - look->before.events;
    return look->passed_us > 0 ? (double)(events * 1000000 / (uint64_t)look->passed_us) : 0;
}

static double live_of_hits(const struct live_look *look)
{
    uint64_t events = look->now.events - look->before.events,
             fetched = look->now.fetched - look->before.fetched;
    return !events ? 100 : fetched >= events ? 0 : (double)(100 - 100 * fetched / events);
}

static double live_of_rss(const struct live_look *look)
{
    (void)look;
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file) return 0;
    if (fscanf(file, "%*u %lu", &pages) != 1) pages = 0;
    fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static double live_of_taken(const struct live_look *look)
{
    return (double)atomic_load(&look->live->plan.rules->taken);
}

static double live_of_refused(const struct live_look *look)
{
    return (double)atomic_load(&look->live->plan.rules->refused);
}

/* ---- as text */
static struct live_figure *live_next(struct live *live)
{
    ensure(live->count < LIVE_ROWS_MAX + (size_t)live->plan.partitions);
    return &live->figures[live->count++];
}

static void live_put(struct live *live, const char *name, double value)
{
    struct live_figure *figure = live_next(live);
    snprintf(figure->name, sizeof figure->name, "%s", name);
    snprintf(figure->value, sizeof figure->value, "%.15g", value);
}

static void live_put_ms(struct live *live, const char *name, int64_t us)
{
    struct live_figure *figure = live_next(live);
    snprintf(figure->name, sizeof figure->name, "%s", name);
    snprintf(figure->value, sizeof figure->value, "%.3f", (double)us / 1000);
}

/* NAME=VALUE, where that is known. */
static void live_add_fact(struct live_figure *figure, const char *name, double value)
{
    size_t size = strlen(figure->value);
    if (value >= 0) snprintf(figure->value + size, sizeof figure->value - size, " %s=%.15g", name, value);
}

/* "partition.3" is "live lag=12 behind=0 published=1852 clock_behind_s=0.3 checkpoint_age_s=0.9". */
static void live_put_partition(struct live *live, int number, const struct live_partition *partition)
{
    static const char *const names[] = {
#define STANDING_NAME(NAME, text) text,
        STANDING_STATES(STANDING_NAME)
#undef STANDING_NAME
    };
    struct live_figure *figure = live_next(live);
    snprintf(figure->name, sizeof figure->name, "partition.%d", number);
    snprintf(figure->value, sizeof figure->value, "%s", names[partition->state]);
    live_add_fact(figure, "lag", (double)partition->lag);
    live_add_fact(figure, "behind", (double)partition->behind);
    live_add_fact(figure, "published", (double)partition->published);
    live_add_fact(figure, "clock_behind_s",
                  partition->clock_behind_ms < 0 ? -1 : (double)partition->clock_behind_ms / 1000);
    live_add_fact(figure, "checkpoint_age_s", (double)partition->unsaved_ms / 1000);
}

static void live_make(struct live *live, const struct live_look *look)
{
    const struct pulse_figures *now = &look->now, *before = &look->before;
    live->figures[0] = (struct live_figure){"version", RELANCE_VERSION};
    live->count = 1;
#define FIGURE_SUM(field, kind, name, prose) live_put(live, name, (double)now->field);
#define FIGURE_TIMES(field, name, prose)                                                                     \
    live_put_ms(live, name "_p50_ms", pulse_part(&now->field, &before->field, 0.5));                         \
    live_put_ms(live, name "_p99_ms", pulse_part(&now->field, &before->field, 0.99));
#define FIGURE_KEPT(field)
#define FIGURE_MADE(field, kind, name, prose) live_put(live, name, live_of_##field(look));
#include "figure.def"
    for (int p = 0; p < live->plan.partitions; p++) {
        struct live_partition partition = live_partition(live, p, look->now_us);
        if (partition.state != STANDING_ELSEWHERE) live_put_partition(live, p, &partition);
    }
}

/* ---- the list of instances */
static void live_put_time(struct buffer *out, const char *name, int64_t ms)
{
    char time[24];
    relance_time_print(ms, time);
    buffer_put_format(out, " %s=%.*s", name, (int)sizeof time, time);
}

/* "host=a pid=12 since=2026-03-02T10:00:00.000Z seen=… version=0.1.0 partitions=0,3"; behind it, where another process
 * has used the same name, "same_name=host=b,pid=7". */
static struct relance_str live_describe(struct live *live)
{
    struct buffer *out = &live->entry;
    const char *before = " partitions=";
    out->size = 0;
    buffer_put_format(out, "%s", live->who);
    live_put_time(out, "since", live->begun_ms);
    live_put_time(out, "seen", clock_wall_ms());
    buffer_put_format(out, " version=%s", RELANCE_VERSION);
    for (int p = 0; p < live->plan.partitions; p++) {
        if (atomic_load(&live->plan.standings[p].state) == STANDING_ELSEWHERE) continue;
        buffer_put_format(out, "%s%d", before, p);
        before = ",";
    }
    if (live_is_shared(live)) buffer_put_format(out, " same_name=%s", live->other);
    return buffer_str(out);
}

/* Whoever has written the entry since we did is another process with our name. What stood there when we began may be
 * what a process before us has left. */
static void live_see_other(struct live *live, char *before, int64_t now_us)
{
    char *since = strstr(before, " since=");
    if (!since) return;
    *since = '\0';
    if (strcmp(before, live->who) == 0) return;
    live->other_us = now_us;
    snprintf(live->other, sizeof live->other, "%.*s", (int)sizeof live->other - 1, before);
    for (char *blank = live->other; (blank = strchr(blank, ' '));)
        *blank = ',';
}

/* ---- writing: a Redis that is away makes nobody wait but the thread that does it */
/* Under the lock, but for as long as Redis is asked. */
static void live_write(struct live *live)
{
    char before[LIVE_BEFORE_SIZE];
    size_t count = live->count;
    int64_t now_us = clock_monotonic_us();
    bool is_first = live->entry.size == 0;
    struct relance_str entry = live_describe(live);
    memcpy(live->written, live->figures, count * sizeof *live->figures);
    pthread_mutex_unlock(&live->lock);
    ensure(live->written);
    bool taken = live_store_write(live->store, live->written, count);
    bool entered = live_store_enter(live->store, entry, before);
    if (atomic_load(&live->plan.standings[0].state) != STANDING_ELSEWHERE)
        live_store_total(live->store, false);
    pthread_mutex_lock(&live->lock);
    if (entered && !is_first) live_see_other(live, before, now_us);
    if (taken || !live->refused_us) live->refused_us = taken ? 0 : now_us;
}

static void *live_write_on(void *context)
{
    struct live *live = context;
    pthread_mutex_lock(&live->lock);
    while (!live->ends) {
        if (!live->is_new) {
            pthread_cond_wait(&live->changed, &live->lock);
            continue;
        }
        live->is_new = false;
        live_write(live);
    }
    pthread_mutex_unlock(&live->lock);
    live_store_leave(live->store);
    live_store_total(live->store, true);
    return NULL;
}

void live_refresh(struct live *live)
{
    int64_t now_us = clock_monotonic_us();
    pthread_mutex_lock(&live->lock);
    live_note(&live->redis, live_redis_fails(live), now_us);
    live_note(&live->kafka, live_kafka_away(live, now_us), now_us);
    struct live_look look = {live,   live_sum(live),          live->before, live_partitions(live, now_us),
                             now_us, now_us - live->before_us};
    live_make(live, &look);
    live->before = look.now;
    live->before_us = now_us;
    live->is_new = true;
    pthread_cond_signal(&live->changed);
    pthread_mutex_unlock(&live->lock);
}

const struct live_figure *live_figures(const struct live *live, size_t *count)
{
    *count = live->count;
    return live->figures;
}

/* ---- beginning and end */
struct live *live_open(const struct live_plan *plan)
{
    struct live *live = calloc(1, sizeof *live);
    ensure(live);
    live->plan = *plan;
    live->figures = calloc(LIVE_ROWS_MAX + (size_t)plan->partitions, sizeof *live->figures);
    live->written = calloc(LIVE_ROWS_MAX + (size_t)plan->partitions, sizeof *live->written);
    ensure(live->figures && live->written);
    const struct live_store_place place = {plan->options->redis, plan->options->group, plan->options->input,
                                           plan->instance, plan->partitions};
    live->store = live_store_open(&place);
    live_name_us(live->who);
    live->begun_ms = clock_wall_ms();
    live->begun_us = live->before_us = clock_monotonic_us();
    pthread_mutex_init(&live->lock, NULL);
    pthread_cond_init(&live->changed, NULL);
    ensure(pthread_create(&live->writer, NULL, live_write_on, live) == 0);
    return live;
}

void live_close(struct live *live)
{
    pthread_mutex_lock(&live->lock);
    live->ends = true;
    pthread_cond_signal(&live->changed);
    pthread_mutex_unlock(&live->lock);
    pthread_join(live->writer, NULL);
    pthread_cond_destroy(&live->changed);
    pthread_mutex_destroy(&live->lock);
    live_store_close(live->store);
    buffer_free(&live->entry);
    free(live->figures);
    free(live->written);
    free(live);
}
