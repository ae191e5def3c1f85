#include "kafka/feed.h"
#include "kafka/conf.h"
#include "kafka/trouble.h"

#include "base/str.h"
#include <relance/engine.h>

#include <stdlib.h>
#include <string.h>

struct kafka_feed {
    rd_kafka_t *producer;
    char *topic;
    rd_kafka_resp_err_t failed; /* why the first delivery that failed did; 0: none has */
    int64_t offset;             /* of the last event that was acknowledged; -1: none was */
};

static const struct option_kafka feed_settings[] = {
    {"enable.idempotence", "true"},
    {"partitioner", "murmur2"},
    {"linger.ms", "5"},
};

static void feed_delivered(rd_kafka_t *producer, const rd_kafka_message_t *message, void *context)
{
    (void)producer;
    struct kafka_feed *feed = context;
    if (message->err && !feed->failed) feed->failed = message->err;
    if (!message->err) feed->offset = message->offset;
}

static void feed_prepare(rd_kafka_conf_t *conf, void *feed)
{
    rd_kafka_conf_set_opaque(conf, feed);
    rd_kafka_conf_set_dr_msg_cb(conf, feed_delivered);
}

static enum relance_status feed_start(struct kafka_feed *feed, const struct option_kafka *settings,
                                      size_t count, struct relance_error *error)
{
    return kafka_conf_start(RD_KAFKA_PRODUCER, settings, count, feed_settings,
                            sizeof feed_settings / sizeof *feed_settings, feed_prepare, feed, &feed->producer,
                            error);
}

struct kafka_feed *kafka_feed_open(const struct option_kafka *settings, size_t count, const char *topic,
                                   struct relance_error *error)
{
    struct kafka_feed *feed = calloc(1, sizeof *feed);
    if (feed) feed->offset = -1;
    if (feed) feed->topic = strdup(topic);
    if (!feed || !feed->topic) {
        relance_error_set(error, RELANCE_NO_MEMORY, "out of memory");
        free(feed);
        return NULL;
    }
    if (feed_start(feed, settings, count, error) == RELANCE_OK) return feed;
    kafka_feed_close(feed);
    return NULL;
}

static enum relance_status feed_error(const struct kafka_feed *feed, rd_kafka_resp_err_t code,
                                      struct relance_error *error)
{
    return kafka_trouble(error, RELANCE_IO, code, (struct kafka_right){"Write", "topic", feed->topic},
                         "topic '%s'", feed->topic);
}

/* What is handed over; the copy is librdkafka's (F_COPY). */
struct feed_record {
    int32_t partition;
    struct relance_str key, value;
    const struct relance_header *headers;
    size_t header_count;
    int64_t timestamp_ms;
};

/* NULL: there are none. */
static rd_kafka_headers_t *feed_headers(const struct feed_record *record)
{
    if (!record->header_count) return NULL;
    rd_kafka_headers_t *headers = rd_kafka_headers_new(record->header_count);
    for (size_t i = 0; i < record->header_count; i++) {
        const struct relance_header *header = &record->headers[i];
        rd_kafka_header_add(headers, header->name.data, (ssize_t)header->name.size, header->value.data,
                            (ssize_t)header->value.size);
    }
    return headers;
}

static rd_kafka_resp_err_t feed_produce(struct kafka_feed *feed, const struct feed_record *record)
{
    rd_kafka_headers_t *headers = feed_headers(record);
    /* librdkafka's macros drop const and hide a compound literal */
    rd_kafka_resp_err_t code = rd_kafka_producev(
        feed->producer, RD_KAFKA_V_TOPIC(feed->topic), RD_KAFKA_V_PARTITION(record->partition),
        RD_KAFKA_V_KEY(record->key.data, record->key.size),
        RD_KAFKA_V_VALUE((void *)(uintptr_t)record->value.data, record->value.size),
        RD_KAFKA_V_TIMESTAMP(record->timestamp_ms), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
    if (code && headers) rd_kafka_headers_destroy(headers);
    return code;
}

static enum relance_status feed_put(struct kafka_feed *feed, const struct feed_record *record,
                                    struct relance_error *error)
{
    rd_kafka_resp_err_t code;
    while ((code = feed_produce(feed, record)) == RD_KAFKA_RESP_ERR__QUEUE_FULL && !feed->failed)
        rd_kafka_poll(feed->producer, 100);
    rd_kafka_poll(feed->producer, 0);
    if (feed->failed) code = feed->failed;
    return code ? feed_error(feed, code, error) : RELANCE_OK;
}

enum relance_status kafka_feed_put_native(struct kafka_feed *feed, int32_t partition, struct relance_str key,
                                          struct relance_str value, int64_t timestamp_ms,
                                          struct relance_error *error)
{
    static const struct relance_header native = {STR(RELANCE_NATIVE_HEADER), STR("1")};
    const struct feed_record record = {partition, key, value, &native, 1, timestamp_ms};
    return feed_put(feed, &record, error);
}

enum relance_status kafka_feed_put(struct kafka_feed *feed, struct relance_str key, struct relance_str value,
                                   int64_t timestamp_ms, struct relance_error *error)
{
    const struct feed_record record = {
        .partition = RD_KAFKA_PARTITION_UA, .key = key, .value = value, .timestamp_ms = timestamp_ms};
    return feed_put(feed, &record, error);
}

enum relance_status kafka_feed_put_record(struct kafka_feed *feed, struct relance_str key,
                                          struct relance_str value, const struct relance_header *headers,
                                          size_t count, int64_t timestamp_ms, struct relance_error *error)
{
    const struct feed_record record = {RD_KAFKA_PARTITION_UA, key, value, headers, count, timestamp_ms};
    return feed_put(feed, &record, error);
}

int64_t kafka_feed_offset(const struct kafka_feed *feed)
{
    return feed->offset;
}

enum relance_status kafka_feed_flush(struct kafka_feed *feed, int timeout_ms, struct relance_error *error)
{
    rd_kafka_resp_err_t code = rd_kafka_flush(feed->producer, timeout_ms);
    if (feed->failed) code = feed->failed;
    return code ? feed_error(feed, code, error) : RELANCE_OK;
}

void kafka_feed_close(struct kafka_feed *feed)
{
    if (!feed) return;
    if (feed->producer) {
        rd_kafka_purge(feed->producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        rd_kafka_poll(feed->producer, 0); /* the reports of what was purged */
        rd_kafka_destroy(feed->producer);
    }
    free(feed->topic);
    free(feed);
}
