/* How a worker is doing, for the live figures: written by the worker after each cycle, read by whoever shows
 * it. Copied whole under a lock. */
#ifndef CONSUMER_DELIVERY_PULSE_H
#define CONSUMER_DELIVERY_PULSE_H

#include "delivery/counter.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Durations in a histogram of a few hundred bytes: four classes to each doubling of the microsecond. */
enum { PULSE_CLASSES = 112 };
struct pulse_times {
    uint64_t counts[PULSE_CLASSES];
};
void pulse_add_time(struct pulse_times *times, int64_t us);
/* Of the durations between the two states the one that a share of `part` (0.5, 0.99) does not exceed; in us. */
int64_t pulse_part(const struct pulse_times *now, const struct pulse_times *before, double part);

/* figure.def says what each is. */
struct pulse_figures {
#define FIGURE_SUM(field, kind, name, prose) uint64_t field;
#define FIGURE_TIMES(field, name, prose)     struct pulse_times field;
#define FIGURE_KEPT(field)                   uint64_t field;
#define FIGURE_MADE(field, kind, name, prose)
#include "figure.def"
};

struct pulse {
    pthread_mutex_t lock;
    struct pulse_figures figures;
    struct counters counters; /* of the checkpoints that the worker has written since its start */
};

void pulse_init(struct pulse *pulse);
void pulse_write(struct pulse *pulse, const struct pulse_figures *figures);
void pulse_read(struct pulse *pulse, struct pulse_figures *figures);
void pulse_count(struct pulse *pulse, const struct counters *counters);
void pulse_counters(struct pulse *pulse, counter_visit *visit, void *context);
void pulse_free(struct pulse *pulse);

#endif
