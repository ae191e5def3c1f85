/* Visitors who become customers, in the histories that have some: their events, and what has to be true of them in the end,
 * whatever the engines have told each other on the way. */
#ifndef FAULT_IDENTITY_H
#define FAULT_IDENTITY_H

#include "sim.h"
#include "workload.h"

/* Draws the people and their devices, and what these do; the records of all partitions. */
void identity_fill(struct input *inputs, int64_t length_us);

/* ---- for the judge: each partition is decided again, in turn, */
struct relance_decision;
void identity_begin(void);
void identity_record(int partition, int64_t offset); /* it is about to be decided */
void identity_decided(int partition, const struct relance_decision *decision);
/* and this is what its engine holds when all has come to rest, before everybody comes once more: that would heal links. */
void identity_collect(struct relance_engine *engine);
void identity_judge(void); /* sim_fail() for what is not so */

#endif
