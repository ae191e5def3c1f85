/* The source of a worker, for the files that make it up: source.c is a member of the group and asks, source_read.c reads. */
#ifndef CONSUMER_KAFKA_SOURCE_PARTS_H
#define CONSUMER_KAFKA_SOURCE_PARTS_H

#include "delivery/source.h"
#include "kafka/client.h"
#include "kafka/fetch.h"
#include "kafka/member.h"

struct source {
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue;
    /* Reads in place of the client, which has an empty assignment then; NULL: the client reads. */
    struct kafka_fetch *fetch;
    bool is_foreign; /* there are records that only the client can read: it stays so */
    int wake;        /* eventfd: something stands in the queue */
    struct source_config config;
    char topics[SOURCE_TOPICS][256];
    struct membership membership;      /* metadata NULL: none */
    char member_id[KAFKA_MEMBER_SIZE]; /* under which the group has known us last; "" never yet */
    bool is_assigned;                  /* told so to the listener */
    unsigned epoch;                    /* counts rebalances: a batch that saw one is thrown away */
    bool is_closing;
    rd_kafka_message_t *messages[SOURCE_BATCH_MAX];
    struct source_record records[SOURCE_BATCH_MAX];
    size_t message_count,
        record_count;          /* records that were fetched; the client's are described in source_gather */
    rd_kafka_message_t **held; /* came while nobody could take them (source_idle) */
    size_t held_count, held_capacity;
    bool is_paused; /* is what is assigned, all of it */
    bool is_in_listener;
    int64_t *read_to; /* by partition; -1: end not met since the start */
    size_t read_to_count;
};

/* The reader of its own goes; from now on the client reads what source_start says. */
void source_close_fetch(struct source *source);
/* Has the client ended for good? RELANCE_AGAIN: it had, and there is another. */
RELANCE_MUST enum relance_status source_check_client(struct source *source, struct relance_error *error);

void source_set_paused(struct source *source, bool pause);
void source_drop_held(struct source *source);
void source_set_read_to(struct source *source, int32_t partition, int64_t offset);

#endif
