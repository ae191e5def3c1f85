/* The producer of a sink, for the files that make it up: writer.c has topics and records, writer_ask.c whom transactions are asked of. */
#ifndef CONSUMER_KAFKA_WRITER_PARTS_H
#define CONSUMER_KAFKA_WRITER_PARTS_H

#include "kafka/batch_put.h"
#include "kafka/brokers.h"
#include "kafka/writer.h"

struct writer_part {
    int leader;       /* KAFKA_NO_BROKER: not known */
    int32_t sequence; /* of the next record */
    bool is_added;    /* to the transaction */
    struct kafka_batch batch;
};

struct writer_topic {
    char name[256]; /* "": is not written to */
    struct writer_part *parts;
    int32_t count;
    int64_t looked_us; /* when its leaders were told last */
};

/* Versions of requests: the lowest that Kafka 4 has, unless more is said. */
enum {
    WRITER_PRODUCE_VERSION = 7, /* the first that takes zstd */
    WRITER_FIND_VERSION = 1,
    WRITER_INIT_VERSION = 0,
    WRITER_ADD_VERSION = 0,
    WRITER_OFFSETS_VERSION = 3, /* the first that bears a generation (KIP-447); flexible */
    WRITER_END_VERSION = 0,
};

/* Who is asked: the coordinator of our transactions, or that of the group. */
enum writer_role { WRITER_GROUP, WRITER_TRANSACTIONS, WRITER_ROLES };

struct kafka_writer {
    rd_kafka_t *rk;
    struct sink_config config;
    int32_t transaction_ms, pause_ms, refresh_ms, batch_max; /* settings; refresh_ms 0: never */
    int codec, level;                                        /* codec.h */
    struct kafka_brokers brokers;
    int coordinators[WRITER_ROLES]; /* KAFKA_NO_BROKER: not known */
    unsigned turn;                  /* who is asked next where anybody may be */
    int64_t producer;               /* under which brokers know us */
    int16_t epoch;
    struct writer_topic topics[OUTBOX_TOPICS];
    size_t filled; /* bytes in batches, before they are packed */
    /* of the transaction that ends */
    const struct sink_frontier *frontiers;
    size_t frontier_count;
    const struct membership *membership;
};

/* RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION: brokers do not know all of these. */
rd_kafka_resp_err_t writer_check_versions(struct kafka_writer *writer);
/* One of these, asked until there is an answer or nobody may wait any more. */
rd_kafka_resp_err_t writer_init_producer(struct kafka_writer *writer);
rd_kafka_resp_err_t writer_add_parts(struct kafka_writer *writer);
rd_kafka_resp_err_t writer_add_offsets(struct kafka_writer *writer);
rd_kafka_resp_err_t writer_commit_offsets(struct kafka_writer *writer);
rd_kafka_resp_err_t writer_end(struct kafka_writer *writer);

/* Has it failed with what heals, while there is time? Then there has been a pause. */
bool writer_may_try_again(struct kafka_writer *writer, rd_kafka_resp_err_t code);

#endif
