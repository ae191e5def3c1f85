/* The model of Kafka, as the scheduler and the judge see it; the shell sees source.h, sink.h and marks.h. */
#ifndef FAULT_KAFKA_H
#define FAULT_KAFKA_H

#include "delivery/frontier.h"
#include "sim.h"
#include "delivery/source.h"

/* A record of a topic that the engine writes; with whose transaction it stands or falls. */
struct kafka_said {
    struct kafka_txn *txn;
    struct relance_str key, value;
    /* ce_id, ce_time, relance-seq, relance-offset, -mark, -index, traceparent, where it has them */
    struct relance_str id, due, seq, offset, mark, index, traceparent;
    int32_t partition; /* of the input, that it follows from */
};
struct kafka_log {
    struct kafka_said *items;
    size_t count, capacity;
};
/* Of marks and of link records each partition is a log of its own. */
enum {
    KAFKA_ACTIONS,
    KAFKA_DEAD,
    KAFKA_DECISIONS,
    KAFKA_MARKS,
    KAFKA_LINKS = KAFKA_MARKS + SIM_PARTITIONS_MAX,
    KAFKA_LOGS = KAFKA_LINKS + SIM_PARTITIONS_MAX
};

void kafka_begin(void); /* of a history */
void kafka_set_down(int64_t us);
void kafka_settle(void); /* what has come to pass until now */
const struct kafka_log *kafka_log(int topic);
bool kafka_is_committed(const struct kafka_said *said);
size_t kafka_stable_end(int topic); /* the place of the first record that cannot be read yet */
/* P; false: none yet, or a transaction that could move it is open. */
bool kafka_frontier(int partition, struct frontier *frontier);
uint64_t kafka_commits(void); /* so far: for seeing that all is at rest */

#endif
