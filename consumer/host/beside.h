/* A function that runs beside its caller, in a thread that lives as long as it does. A port: host/beside.c has threads, a
 * simulator has its own.
 *
 * What the function reads and writes is its own until beside_await has returned, or beside_is_done has said so. */
#ifndef CONSUMER_HOST_BESIDE_H
#define CONSUMER_HOST_BESIDE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

/* All zero: nothing has been begun. Stays where it is while the function runs. */
struct beside {
    void (*run)(void *context);
    void *context;
    pthread_t thread;
    bool is_begun, has_thread;
    atomic_bool is_done;
};

/* One function at a time: the one before has been awaited. Where the system has no thread left, it runs here and now. */
void beside_begin(struct beside *beside, void (*run)(void *context), void *context);
/* Has what was begun last come to its end, so that beside_await does not wait? */
bool beside_is_done(const struct beside *beside);
/* Waits for its end; nothing to do where nothing runs. */
void beside_await(struct beside *beside);

#endif
