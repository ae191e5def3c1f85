/* Record batches as Kafka keeps and sends them: a piece of one partition's log, read in place.
 *
 *     answer to a Fetch  ──▶  kafka_batches_open  ──▶  kafka_batches_next, record by record
 *
 * Format: kafka.apache.org/documentation/#recordbatch ("magic" 2, since Kafka 0.11); a compressed batch is unpacked when its turn has come.
 * Nothing of it is trusted: whatever is of another format or broken is said when it is opened, or where it is met, and is somebody
 * else's to read. A batch that is cut off at the end is none: brokers send as many bytes as were asked for.
 *
 * Records of aborted transactions are left out, and so are transactions' markers, as of a consumer that reads what is committed
 * (KIP-98): a broker tells with each answer which transactions among those batches were aborted. */
#ifndef CONSUMER_KAFKA_BATCHES_H
#define CONSUMER_KAFKA_BATCHES_H

#include "delivery/source.h"
#include "kafka/codec.h"

/* An aborted transaction: whose, and the offset of its first record. */
struct kafka_aborted {
    int64_t producer, first;
};

struct kafka_batches {
    int64_t next; /* all records below are handed out, or are none to be handed out */
    int64_t end;  /* what `next` will be behind the last whole batch */
    int32_t partition;
    /* for this room */
    const unsigned char *at, *bound; /* whole batches that are not open yet */
    struct kafka_aborted *aborted;   /* by their first offset; memory of its own, or NULL */
    size_t aborted_count, aborted_begun;
    size_t aborted_open; /* of those that have begun these, the first, have met no marker yet */
    struct kafka_unpacker *unpacker;
    struct kafka_chunk *unpacked; /* what was compressed; records lie there */
    struct {
        const unsigned char *at, *bound;
        int64_t base, base_ms;
        int32_t last;  /* offset, from `base` */
        uint32_t left; /* records */
        bool is_log_time;
    } batch;
};

/* `bytes` begin with the batch that has the record `from`, or a later one, and stay while records are in use. Takes `aborted`, which was
 * allocated, in any order. False: there is something that cannot be read here; nothing is kept. */
bool kafka_batches_open(str bytes, int32_t partition, int64_t from, struct kafka_aborted *aborted,
                        size_t aborted_count, struct kafka_unpacker *unpacker, struct kafka_batches *out);
/* What records may still lie in joins the list `spent`. */
void kafka_batches_close(struct kafka_batches *batches, struct kafka_chunk **spent);

enum kafka_batches_answer {
    KAFKA_BATCHES_RECORD,
    KAFKA_BATCHES_END,   /* of what was there: `next` is `end` */
    KAFKA_BATCHES_BROKEN /* the record at `next` cannot be read */
};
enum kafka_batches_answer kafka_batches_next(struct kafka_batches *batches, struct source_record *record);

/* Those of a record's headers that are whole: how many, at most `max`. */
size_t kafka_batches_headers(str bytes, struct relance_header *out, size_t max);

#endif
