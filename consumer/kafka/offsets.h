/* The offsets of a consumer group, from outside of it: for repairs, while no engine runs. */
#ifndef CONSUMER_KAFKA_OFFSETS_H
#define CONSUMER_KAFKA_OFFSETS_H

#include "delivery/sink.h"

struct kafka_offsets;

RELANCE_MUST enum relance_status kafka_offsets_open(const struct options *options, struct kafka_offsets **out,
                                                    struct relance_error *error);
void kafka_offsets_close(struct kafka_offsets *offsets);

/* Partitions of the input. */
RELANCE_MUST enum relance_status kafka_offsets_partitions(struct kafka_offsets *offsets, int *count,
                                                          struct relance_error *error);
/* P as it stands, and the first offset that the input does not have yet. */
RELANCE_MUST enum relance_status kafka_offsets_read(struct kafka_offsets *offsets, int32_t partition,
                                                    struct source_frontier *p, int64_t *end,
                                                    struct relance_error *error);
/* All at once. RELANCE_AGAIN: the group still has members (a process that was killed stays one until its
 * session is over). */
RELANCE_MUST enum relance_status kafka_offsets_write(struct kafka_offsets *offsets,
                                                     const struct sink_frontier *frontiers, size_t count,
                                                     struct relance_error *error);

#endif
