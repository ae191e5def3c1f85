/* A record batch, made of what is to be published: one piece of one partition's log, as Kafka keeps it. For this room only.
 *
 * Format: kafka.apache.org/documentation/#recordbatch ("magic" 2); batches.h reads it. Its checksum is CRC-32C (RFC 3720 B.4), which
 * ISA-L calls iSCSI's. */
#ifndef CONSUMER_KAFKA_BATCH_PUT_H
#define CONSUMER_KAFKA_BATCH_PUT_H

#include "delivery/outbox.h"

#include <stdint.h>

/* Its records, one behind another. All zero: empty. Its memory stays when it is emptied. */
struct kafka_batch {
    struct buffer records;
    uint32_t count;
};

/* How many bytes of it a record takes at most. */
size_t kafka_batch_most(const struct outbox_record *record);
void kafka_batch_put(struct kafka_batch *batch, const struct outbox_record *record);
void kafka_batch_clear(struct kafka_batch *batch);
void kafka_batch_free(struct kafka_batch *batch);

/* Whose it is: a broker takes nothing of an older epoch of a producer, and of a partition's records each once, by their numbers
 * (KIP-98). */
struct kafka_batch_head {
    int64_t producer;
    int16_t epoch;
    int32_t sequence; /* number of the first record */
    int64_t now_ms;   /* the time of all of them, since 1970 */
    int codec, level; /* codec.h */
};
/* Puts it behind what is in `out`, as part of a transaction. */
void kafka_batch_write(const struct kafka_batch *batch, const struct kafka_batch_head *head,
                       struct buffer *out);

#endif
