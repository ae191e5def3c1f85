/* How a record batch lies in bytes, for whoever reads one (batches.h) and whoever makes one (batch_put.h). For this room only.
 *
 * Source: kafka.apache.org/documentation/#recordbatch, "magic" 2. */
#ifndef CONSUMER_KAFKA_BATCH_FORM_H
#define CONSUMER_KAFKA_BATCH_FORM_H

/* Where it has what, from its start, which is the offset of its first record. */
enum {
    BATCH_LENGTH = 8, /* of what comes behind this field */
    BATCH_PREFIX = 12,
    BATCH_LEADER_EPOCH = 12,
    BATCH_MAGIC = 16, /* the format; at the same place in all of them */
    BATCH_SUM = 17,   /* CRC-32C (RFC 3720 B.4) of all that comes behind it */
    BATCH_FLAGS = 21,
    BATCH_LAST = 23, /* offset of the last record, from the first's */
    BATCH_FIRST_MS = 27,
    BATCH_MAX_MS = 35,
    BATCH_PRODUCER = 43,
    BATCH_PRODUCER_EPOCH = 51,
    BATCH_SEQUENCE = 53,
    BATCH_COUNT = 57, /* of records */
    BATCH_RECORDS = 61,
};

enum { BATCH_FORMAT = 2 };

/* In its flags. */
enum {
    BATCH_CODEC_MASK = 7,
    BATCH_IS_LOG_TIME = 8, /* the records' time is the broker's, of the batch */
    BATCH_IS_TRANSACTIONAL = 16,
    BATCH_IS_MARKER = 32,
};

#endif
