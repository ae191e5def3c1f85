/* The model of Redis, as the scheduler and the judge see it; the shell's redis/store.c sees hiredis. */
#ifndef FAULT_REDIS_H
#define FAULT_REDIS_H

#include "sim.h"

void redis_begin(void); /* of a history */
void redis_set_down(int64_t us);
void redis_set_full(int64_t us);
/* All connections are gone; what was written last may be, too. `old`: a backup comes back, however old. */
void redis_restart(bool lose_tail, bool old);
void redis_forget(void); /* it comes back empty */
/* Another server takes the partition over: key by key, or a replica that may lack what was written last. */
void redis_move(int partition);
void redis_fail_over(int partition);
void redis_calm_down(void);         /* whatever is under way comes to its end */
bool redis_is_torn(void);           /* its next start carries out part of an EXEC that it has lost */
bool redis_has_part(int partition); /* part of an EXEC that it had lost has been carried out some time */

/* One field of a partition's meta; empty: it is not there. */
struct relance_str redis_meta(int partition, const char *name);
enum redis_hash {
    REDIS_META,
    REDIS_CUSTOMERS,
    REDIS_TIMERS,
    REDIS_METRICS,
    REDIS_COHORTS,
    REDIS_SALES, /* which days have sums, */
    REDIS_DAYS,  /* and these, of all days: "2026-03-02 NAME" */
    REDIS_HASHES
};
struct redis_field {
    struct relance_str name, value;
};
size_t redis_fields(int partition, enum redis_hash hash, const struct redis_field **out);
uint64_t redis_writes(void); /* EXECs so far */

#endif
