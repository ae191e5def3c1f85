/* How a worker is doing, for the live figures: written by the worker after each cycle, read by whoever shows
 * it. Copied whole under a lock. */
#ifndef CONSUMER_DELIVERY_PULSE_H
#define CONSUMER_DELIVERY_PULSE_H

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

struct pulse_figures {
    uint64_t events, actions, fetched; /* since the start of the process */
    uint64_t transactions, checkpoints, failures;
    int64_t lag;                             /* records between where we are and the end of the input, as last asked for */
    uint64_t partitions, live;               /* partitions that are ours; those of them that have caught up */
    uint64_t bytes, customers, waits;        /* held by the engines */
    struct pulse_times cycles, kafka, redis; /* how long a cycle with events, a transaction, a checkpoint takes */
};

struct pulse {
    pthread_mutex_t lock;
    struct pulse_figures figures;
};

void pulse_init(struct pulse *pulse);
void pulse_write(struct pulse *pulse, const struct pulse_figures *figures);
void pulse_read(struct pulse *pulse, struct pulse_figures *figures);

#endif
