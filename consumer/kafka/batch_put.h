/* A record batch, made of what is to be published: one piece of one partition's log, as Kafka keeps it. For this room only.
 *
 * Format: batch_form.h; batches.h reads it. Its checksum is ISA-L's, which calls it iSCSI's. */
#ifndef CONSUMER_KAFKA_BATCH_PUT_H
#define CONSUMER_KAFKA_BATCH_PUT_H

#include "delivery/outbox.h"

#include <stdint.h>

/* Its records, one behind another. All zero: empty. Its memory stays when it is emptied. */
struct kafka_batch {
    struct buffer records;
    uint32_t count;
};

/* False: it takes more bytes than `room`. */
bool kafka_batch_put(struct kafka_batch *batch, const struct outbox_record *record, size_t room);
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
