/* Reading a topic's records from the brokers that lead its partitions, without a copy and without a thread.
 *
 *     worker                               socket                broker
 *       │  what is read is asked further  ──────────────────────▶  Fetch (version 4)
 *       │  decides what it has               the answer waits  ◀──  sends it meanwhile
 *       │  kafka_fetch_take  ◀─────────────  in the kernel
 *
 * librdkafka makes an object of each record in a thread of its own, which costs more than all that is decided about it
 * (tests/bench/NOTES.md). It stays whom the group, offsets, leaders and transactions are asked of; here is only the one request that
 * brings records. Where that takes more than we can (kafka_fetch_open, kafka_fetch_trouble), librdkafka reads.
 *
 * A connection that fails, a leader that moves, a broker that is away: asked again, with a growing pause, for ever; the log says so. */
#ifndef CONSUMER_KAFKA_FETCH_H
#define CONSUMER_KAFKA_FETCH_H

#include "delivery/source.h"

#include <librdkafka/rdkafka.h>

struct kafka_fetch;

/* NULL: the client's settings ask for what librdkafka alone can. `rk` is asked for its settings and for leaders, and stays. */
struct kafka_fetch *kafka_fetch_open(rd_kafka_t *rk, const char *topic);
void kafka_fetch_close(struct kafka_fetch *fetch);

/* Reads these and no others from now on. What was read of any and not taken is dropped. */
void kafka_fetch_start(struct kafka_fetch *fetch, const struct source_position *positions, size_t count);

/* What has come, without waiting: at most `most` records, which stay until kafka_fetch_release. */
size_t kafka_fetch_take(struct kafka_fetch *fetch, struct source_record *records, size_t most);
void kafka_fetch_release(struct kafka_fetch *fetch);
/* What keeps a partition from going on, once all before it is taken: RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE, the record is no longer kept;
 * RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED; RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, the topic is gone; RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED,
 * it cannot be read here; or nothing. */
rd_kafka_resp_err_t kafka_fetch_trouble(const struct kafka_fetch *fetch, int32_t *partition);
/* Where it stands, for whoever goes on in its place: memory of the caller's. */
struct source_position *kafka_fetch_positions(const struct kafka_fetch *fetch, size_t *count);

/* Until something has come, or `wake` can be read from, or the time is over. */
void kafka_fetch_wait(struct kafka_fetch *fetch, int wake, int wait_ms);

/* A partition whose end has been met, with all before it taken, since this was last said; false: none. */
bool kafka_fetch_next_end(struct kafka_fetch *fetch, int32_t *partition, int64_t *offset);
/* How many offsets of what is committed are still to be taken, as of the last answer. */
int64_t kafka_fetch_behind(const struct kafka_fetch *fetch, int32_t partition);
/* Where what is committed ends, as of an answer that is less than a second old; -1: there is none. */
int64_t kafka_fetch_end(const struct kafka_fetch *fetch, int32_t partition);
/* The first of the records that an open transaction hides, once all before them are taken; -1: none, as of the last answer. */
int64_t kafka_fetch_hidden_from(const struct kafka_fetch *fetch, int32_t partition);

#endif
