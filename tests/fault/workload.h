/* What happens in the shop of a history: its rules in their editions, and the records of its input. */
#ifndef FAULT_WORKLOAD_H
#define FAULT_WORKLOAD_H

#include "delivery/rulebook.h"
#include "sim.h"

#define WORKLOAD_TOUCH_MS (80 * 86400 * 1000LL) /* when everybody comes once more */

struct input_record {
    struct relance_str key, value; /* value.data NULL: a tombstone */
    int64_t timestamp_ms;
    int64_t seen_us; /* from when on a reader sees it: its producer's transaction has ended */
    bool gap;        /* a control record, or of a transaction that was aborted: only its offset is there */
};
struct input {
    struct input_record *records; /* by offset */
    int64_t count;
};

void workload_load(void); /* once: reads and compiles the rule files */
void workload_free(void);
void workload_begin(void); /* of a history: sets sim.partitions and sim.input_end_us */
const struct input *workload_input(int partition);
/* Of a record, for as long as the history; empty: it has none. */
struct relance_str workload_traceparent(int partition, int64_t offset);
int64_t workload_stable_end(int partition); /* offset behind the last record that can be seen now */
int workload_editions(void);
const char *workload_rules(int edition); /* packed */
bool workload_ignores_wall(void);        /* what the rules decide does not depend on when it is decided */
const struct rulebook_set *workload_set(struct relance_str packed); /* NULL: none of ours */

#endif
