/* Reads the links topic with a client of its own, partition by partition: each has a queue of its own there, so that one
 * which takes long does not hold up the others. What has come waits here, a bounded part of it, until it is taken. */
#include "delivery/links.h"
#include "base/ensure.h"
#include "host/clock.h"
#include "host/log.h"
#include "host/stop.h"
#include "kafka/client.h"
#include <stdlib.h>

enum {
    LINKS_PATIENCE_MS = 10000, /* how long a record that a mark speaks of is waited for */
    LINKS_POLL_MS = 100,
    LINKS_BYTES_MAX =
        8 << 20, /* of a partition that wait here; more stay with the client, and on the broker */
    LINKS_COUNT_MAX = 4096,
};

/* What is known of one partition. */
struct links_partition {
    bool is_read;
    int64_t seen_to; /* all records below it that will ever stand there have come */
    rd_kafka_message_t **queue;
    size_t first, count, capacity; /* of the queue: those that wait */
    size_t bytes;
    rd_kafka_message_t *taken; /* handed out last */
};

struct links {
    rd_kafka_t *rk;
    rd_kafka_topic_t *topic;
    char name[256];
    const struct options *options;
    struct links_partition *partitions;
    size_t partition_count;
};

/* ---- beginning and end */
enum relance_status links_open(const struct options *options, struct links **out, struct relance_error *error)
{
    const struct option_kafka fixed[] = {{"isolation.level", "read_committed"},
                                         {"auto.offset.reset", "error"},
                                         {"enable.partition.eof", "true"},
                                         {"fetch.wait.max.ms", "500"}};
    struct links *links = calloc(1, sizeof *links);
    ensure(links);
    links->options = options;
    kafka_topic_name(options, OUTBOX_LINKS, links->name);
    enum relance_status status = kafka_client_open(
        KAFKA_CONSUMER, options, fixed, sizeof fixed / sizeof *fixed, NULL, NULL, &links->rk, error);
    if (status == RELANCE_OK) {
        ensure(links->topic = rd_kafka_topic_new(links->rk, links->name, NULL));
        *out = links;
    } else {
        links_close(links);
    }
    return status;
}

void links_close(struct links *links)
{
    for (size_t p = 0; p < links->partition_count; p++) {
        links_stop(links, (int32_t)p);
        free(links->partitions[p].queue);
    }
    free(links->partitions);
    if (links->topic) rd_kafka_topic_destroy(links->topic);
    if (links->rk) rd_kafka_destroy(links->rk);
    free(links);
}

static struct links_partition *links_at(struct links *links, int32_t partition)
{
    size_t index = (size_t)partition;
    if (index >= links->partition_count) {
        links->partitions = realloc(links->partitions, (index + 1) * sizeof *links->partitions);
        ensure(links->partitions);
        memset(links->partitions + links->partition_count, 0,
               (index + 1 - links->partition_count) * sizeof *links->partitions);
        links->partition_count = index + 1;
    }
    return &links->partitions[index];
}

static void links_drop_taken(struct links_partition *at)
{
    if (at->taken) rd_kafka_message_destroy(at->taken);
    at->taken = NULL;
}

void links_stop(struct links *links, int32_t partition)
{
    struct links_partition *at = links_at(links, partition);
    links_drop_taken(at);
    for (size_t i = 0; i < at->count; i++)
        rd_kafka_message_destroy(at->queue[at->first + i]);
    at->first = at->count = at->bytes = 0;
    if (at->is_read) rd_kafka_consume_stop(links->topic, partition);
    at->is_read = false;
}

enum relance_status links_start(struct links *links, int32_t partition, int64_t offset,
                                struct relance_error *error)
{
    struct links_partition *at = links_at(links, partition);
    links_stop(links, partition);
    if (rd_kafka_consume_start(links->topic, partition, offset) != 0)
        return relance_error_set(error, RELANCE_AGAIN, "starting to read %s/%d: %s", links->name, partition,
                                 rd_kafka_err2str(rd_kafka_last_error()));
    at->is_read = true;
    at->seen_to = offset;
    return RELANCE_OK;
}

/* ---- what comes */
static void links_keep(struct links_partition *at, rd_kafka_message_t *message)
{
    if (at->first && at->first + at->count == at->capacity) {
        memmove(at->queue, at->queue + at->first, at->count * sizeof *at->queue);
        at->first = 0;
    }
    if (at->count == at->capacity) {
        at->capacity = at->capacity ? 2 * at->capacity : 16;
        at->queue = realloc(at->queue, at->capacity * sizeof *at->queue);
        ensure(at->queue);
    }
    at->queue[at->first + at->count++] = message;
    at->bytes += message->len + message->key_len;
    at->seen_to = message->offset + 1;
}

/* What is no record: the end, or trouble. That which passes is logged by the client itself. */
static enum relance_status links_hear(struct links *links, struct links_partition *at,
                                      const rd_kafka_message_t *message, struct relance_error *error)
{
    switch (message->err) {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
        if (message->offset > at->seen_to) at->seen_to = message->offset;
        return RELANCE_OK;
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
        return relance_error_set(error, RELANCE_REFUSED,
                                 "%s, partition %d: link records that are needed are no longer kept",
                                 links->name, message->partition);
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
        return kafka_trouble(error, RELANCE_REFUSED, message->err,
                             (struct kafka_right){"Read", "topic", links->name}, "reading link records");
    default:
        log_line(LOG_DEBUG, "Kafka's reader of links:", "says=\"%s\"", rd_kafka_message_errstr(message));
        return RELANCE_OK;
    }
}

/* One thing that has come, waiting for it. *some: there was one. */
static enum relance_status links_poll(struct links *links, int32_t partition, int wait_ms, bool *some,
                                      struct relance_error *error)
{
    struct links_partition *at = links_at(links, partition);
    rd_kafka_message_t *message = rd_kafka_consume(links->topic, partition, wait_ms);
    *some = message;
    if (!message) return RELANCE_OK;
    if (!message->err) {
        links_keep(at, message);
        return RELANCE_OK;
    }
    enum relance_status status = links_hear(links, at, message, error);
    rd_kafka_message_destroy(message);
    return status;
}

enum relance_status links_look(struct links *links, int32_t partition, int64_t *to,
                               struct relance_error *error)
{
    struct links_partition *at = links_at(links, partition);
    enum relance_status status = RELANCE_OK;
    bool some = at->is_read;
    while (some && status == RELANCE_OK && at->bytes < LINKS_BYTES_MAX && at->count < LINKS_COUNT_MAX)
        status = links_poll(links, partition, 0, &some, error);
    *to = at->count ? at->seen_to : RELANCE_NEVER;
    return status;
}

static enum relance_status links_await(struct links *links, int32_t partition, int64_t before,
                                       struct relance_error *error)
{
    struct links_partition *at = links_at(links, partition);
    int64_t began = clock_monotonic_us();
    enum relance_status status = RELANCE_OK;
    while (status == RELANCE_OK && !at->count && at->seen_to < before) {
        bool some;
        if (stop_requested()) return relance_error_set(error, RELANCE_AGAIN, "ending");
        if (clock_monotonic_us() - began > LINKS_PATIENCE_MS * 1000)
            return relance_error_set(error, RELANCE_AGAIN,
                                     "%s, partition %d: the records from offset %lld on have not come",
                                     links->name, partition, (long long)at->seen_to);
        status = links_poll(links, partition, LINKS_POLL_MS, &some, error);
    }
    return status;
}

enum relance_status links_take(struct links *links, int32_t partition, int64_t before,
                               struct links_record *record, struct relance_error *error)
{
    struct links_partition *at = links_at(links, partition);
    *record = (struct links_record){.offset = -1};
    links_drop_taken(at);
    enum relance_status status = links_await(links, partition, before, error);
    if (status != RELANCE_OK || !at->count || at->queue[at->first]->offset >= before) return status;
    rd_kafka_message_t *message = at->taken = at->queue[at->first++];
    at->count--;
    at->bytes -= message->len + message->key_len;
    if (!at->count) at->first = 0;
    *record = (struct links_record){
        {message->key, message->key_len}, {message->payload, message->len}, message->offset};
    return RELANCE_OK;
}

void links_waiting(const struct links *links, int32_t partition, int64_t before, links_key *show,
                   void *context)
{
    const struct links_partition *at = &links->partitions[partition];
    for (size_t i = 0; i < at->count; i++) {
        const rd_kafka_message_t *message = at->queue[at->first + i];
        if (message->offset < before) show(context, (struct relance_str){message->key, message->key_len});
    }
}

int64_t links_read_to(const struct links *links, int32_t partition)
{
    const struct links_partition *at = &links->partitions[partition];
    return at->count ? -1 : at->seen_to;
}
