#include "delivery/pulse.h"

/* Class 4k + j holds durations from (4 + j) * 2^(k - 2) us on. */
static unsigned pulse_class(int64_t us)
{
    if (us < 4) return us < 0 ? 0 : (unsigned)us;
    unsigned top = 63 - (unsigned)__builtin_clzll((uint64_t)us);
    unsigned class = 4 * (top - 1) + (unsigned)(us >> (top - 2) & 3);
    return class < PULSE_CLASSES ? class : PULSE_CLASSES - 1;
}

static int64_t pulse_floor(unsigned class)
{
    if (class < 4) return class;
    unsigned top = class / 4 + 1;
    return (int64_t)(4 + class % 4) << (top - 2);
}

void pulse_add_time(struct pulse_times *times, int64_t us)
{
    times->counts[pulse_class(us)]++;
}

int64_t pulse_part(const struct pulse_times *now, const struct pulse_times *before, double part)
{
    uint64_t total = 0, below = 0;
    for (unsigned i = 0; i < PULSE_CLASSES; i++)
        total += now->counts[i] - before->counts[i];
    if (!total) return 0;
    for (unsigned i = 0; i < PULSE_CLASSES; i++) {
        below += now->counts[i] - before->counts[i];
        if ((double)below >= part * (double)total) return pulse_floor(i + 1);
    }
    return pulse_floor(PULSE_CLASSES);
}

void pulse_init(struct pulse *pulse)
{
    *pulse = (struct pulse){0};
    pthread_mutex_init(&pulse->lock, NULL);
}

void pulse_write(struct pulse *pulse, const struct pulse_figures *figures)
{
    pthread_mutex_lock(&pulse->lock);
    pulse->figures = *figures;
    pthread_mutex_unlock(&pulse->lock);
}

void pulse_read(struct pulse *pulse, struct pulse_figures *figures)
{
    pthread_mutex_lock(&pulse->lock);
    *figures = pulse->figures;
    pthread_mutex_unlock(&pulse->lock);
}

void pulse_count(struct pulse *pulse, const struct counters *counters)
{
    pthread_mutex_lock(&pulse->lock);
    counters_add_all(&pulse->counters, counters);
    pthread_mutex_unlock(&pulse->lock);
}

void pulse_counters(struct pulse *pulse, counter_visit *visit, void *context)
{
    pthread_mutex_lock(&pulse->lock);
    counters_each(&pulse->counters, visit, context);
    pthread_mutex_unlock(&pulse->lock);
}

void pulse_free(struct pulse *pulse)
{
    pthread_mutex_destroy(&pulse->lock);
    counters_free(&pulse->counters);
}
