/* A worker: one thread with its consumer, its transactional producer and the partitions that the group gives
 * it. Workers share the versions of models, and know whether the others have joined the group. */
#ifndef CONSUMER_DELIVERY_WORKER_H
#define CONSUMER_DELIVERY_WORKER_H

#include "host/option.h"
#include "delivery/modelbook.h"
#include "delivery/pulse.h"
#include "delivery/reload.h"
#include "delivery/standing.h"
#include <stdatomic.h>

struct worker;

enum {
    WORKER_WAITS_MAX = 8192, /* that one mark ends: as many customers as a batch has records */
    /* Changed customers: save at once, since one EXEC of 20,000 holds Redis for 57 ms; read no further, where Redis takes none. */
    WORKER_SAVE_CHANGED = 16384,
    WORKER_CHANGED_MAX = 131072,
};

struct worker_plan {
    const struct options *options;
    const char *instance;
    int number;           /* from 0 */
    struct reload *rules; /* the rule files */
    const char *deciding; /* what decides besides rules, as text */
    const char *tzdata;   /* version of the time-zone data; NULL: not known */
    int input_partitions;
    int64_t from_ms;            /* partition.h, FROM_* or an instant */
    bool refuses_misplaced;     /* records in another partition than that of their key are dead letters */
    size_t most;                /* records that a batch may have: SOURCE_BATCH_MAX */
    size_t waits_most;          /* waits that one mark ends: WORKER_WAITS_MAX */
    size_t save_changed;        /* changed customers that are saved at once: WORKER_SAVE_CHANGED */
    size_t changed_most;        /* changed customers with which no more is read: WORKER_CHANGED_MAX */
    struct standing *standings; /* of the process, by partition */
    struct modelbook *models;   /* of the process; NULL: there are none */
    const struct worker *all;   /* workers of the process, in the order of their numbers, */
    size_t count;               /* so many; 0: this one alone */
};

/* The worse, the further down. */
enum worker_end {
    WORKER_ENDED_WELL,
    WORKER_ENDED_UNSAVED,  /* a stop was asked for, and something published is in no checkpoint */
    WORKER_ENDED_FAILED,   /* there was no going on */
    WORKER_ENDED_REPLACED, /* another process has our name */
    WORKER_ENDED_INVALID,  /* what was given to it is wrong: started again, it ends in the same way */
};

struct worker {
    struct worker_plan plan;
    struct pulse pulse;
    struct contact kafka;
    atomic_bool joined; /* the group has told it what is its own, be it nothing */
    atomic_bool at_end; /* --stop-at-end: all that its partitions held at the start is done with */
    /* how it has ended: a worker_end; the log says why */
    atomic_int end;
    atomic_bool saved; /* all that is to be published and saved is; what is left is to close the clients */
    atomic_bool ended; /* that too */
    pthread_t thread;
};

/* Runs until a stop is asked for, or there is no going on. A pthread start routine; the argument is the
 * worker. */
void *worker_run(void *worker);

#endif
