#include "learn/stream.h"
#include "base/ensure.h"
#include "host/log.h"
#include "kafka/client.h"
#include "kafka/trouble.h"
#include <stdlib.h>

enum { STREAM_ASK_MS = 10000 };

struct stream {
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue;
    const char *topic;
    int partitions;
    int64_t *read_to; /* by partition: where its end was met last; -1: not yet */
    rd_kafka_message_t *messages[STREAM_BATCH_MAX]; /* handed out last */
    struct relance_record records[STREAM_BATCH_MAX];
    size_t count;
};

static const struct option_kafka stream_settings[] = {
    {"group.id", "relance-learn"}, /* wanted by librdkafka; nothing is committed */
    {"enable.auto.commit", "false"},  {"isolation.level", "read_committed"}, {"auto.offset.reset", "error"},
    {"enable.partition.eof", "true"}, {"allow.auto.create.topics", "false"},
};

static enum relance_status stream_connect(const struct options *options, rd_kafka_t **rk,
                                          struct relance_error *error)
{
    enum relance_status status =
        kafka_client_open(KAFKA_CONSUMER, options, stream_settings,
                          sizeof stream_settings / sizeof *stream_settings, NULL, NULL, rk, error);
    if (status == RELANCE_OK) rd_kafka_poll_set_consumer(*rk);
    return status;
}

enum relance_status stream_count(const struct options *options, int *partitions, struct relance_error *error)
{
    rd_kafka_t *rk;
    enum relance_status status = stream_connect(options, &rk, error);
    if (status != RELANCE_OK) return status;
    rd_kafka_resp_err_t code = kafka_conf_partitions(rk, options->input, STREAM_ASK_MS, partitions);
    if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC)
        status = relance_error_set(error, RELANCE_REFUSED, "Kafka has no topic %s", options->input);
    else if (code)
        status =
            kafka_trouble(error, RELANCE_AGAIN, code, (struct kafka_right){"Read", "topic", options->input},
                          "topic %s", options->input);
    rd_kafka_destroy(rk);
    return status;
}

static enum relance_status stream_begin(struct stream *stream, const int64_t *offsets,
                                        struct relance_error *error)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(stream->partitions);
    ensure(list && (stream->read_to = malloc((size_t)stream->partitions * sizeof *stream->read_to)));
    for (int p = 0; p < stream->partitions; p++) {
        stream->read_to[p] = -1;
        rd_kafka_topic_partition_list_add(list, stream->topic, p)->offset =
            offsets[p] == STREAM_BEGINNING ? RD_KAFKA_OFFSET_BEGINNING : offsets[p];
    }
    rd_kafka_resp_err_t err = rd_kafka_assign(stream->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    stream->queue = rd_kafka_queue_get_consumer(stream->rk);
    if (!err) return RELANCE_OK;
    return relance_error_set(error, RELANCE_AGAIN, "starting to read %s: %s", stream->topic,
                             rd_kafka_err2str(err));
}

enum relance_status stream_open(const struct options *options, const int64_t *offsets, int partitions,
                                struct stream **out, struct relance_error *error)
{
    struct stream *stream = calloc(1, sizeof *stream);
    ensure(stream);
    stream->topic = options->input;
    stream->partitions = partitions;
    enum relance_status status = stream_connect(options, &stream->rk, error);
    if (status == RELANCE_OK) status = stream_begin(stream, offsets, error);
    if (status == RELANCE_OK)
        *out = stream;
    else
        stream_close(stream);
    return status;
}

static void stream_release(struct stream *stream)
{
    for (size_t i = 0; i < stream->count; i++)
        rd_kafka_message_destroy(stream->messages[i]);
    stream->count = 0;
}

void stream_close(struct stream *stream)
{
    if (!stream) return;
    stream_release(stream);
    if (stream->queue) rd_kafka_queue_destroy(stream->queue);
    if (stream->rk) {
        rd_kafka_consumer_close(stream->rk);
        rd_kafka_destroy(stream->rk);
    }
    free(stream->read_to);
    free(stream);
}

/* ---- what comes */
/* What is no record: the end, or trouble. That which passes is logged by the client itself. */
static enum relance_status stream_hear(struct stream *stream, const rd_kafka_message_t *message,
                                       struct relance_error *error)
{
    switch (message->err) {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
        stream->read_to[message->partition] = message->offset;
        return RELANCE_OK;
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
        return relance_error_set(error, RELANCE_REFUSED,
                                 "%s, partition %d: records that are to be counted are no "
                                 "longer kept",
                                 stream->topic, message->partition);
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
        return kafka_trouble(error, RELANCE_REFUSED, message->err,
                             (struct kafka_right){"Read", "topic", stream->topic}, "reading events");
    default:
        log_line(LOG_DEBUG, "Kafka's reader of events:", "says=\"%s\"", rd_kafka_message_errstr(message));
        return RELANCE_OK;
    }
}

static void stream_show(struct stream *stream, rd_kafka_message_t *message, size_t at)
{
    rd_kafka_timestamp_type_t type;
    int64_t timestamp_ms = rd_kafka_message_timestamp(message, &type);
    stream->messages[at] = message;
    stream->records[at] = (struct relance_record){
        .topic = {stream->topic, strlen(stream->topic)},
        .partition = message->partition,
        .offset = message->offset,
        .value = {message->payload, message->payload ? message->len : 0},
        .timestamp_ms = type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? RELANCE_NEVER : timestamp_ms,
        .key = {message->key, message->key_len}};
}

enum relance_status stream_next(struct stream *stream, int wait_ms, const struct relance_record **records,
                                size_t *count, struct relance_error *error)
{
    enum relance_status status = RELANCE_OK;
    stream_release(stream);
    ssize_t got = rd_kafka_consume_batch_queue(stream->queue, wait_ms, stream->messages, STREAM_BATCH_MAX);
    for (ssize_t i = 0; i < got; i++) {
        rd_kafka_message_t *message = stream->messages[i];
        if (!message->err) {
            stream_show(stream, message, stream->count++);
            continue;
        }
        enum relance_status heard = stream_hear(stream, message, error);
        if (heard != RELANCE_OK) status = heard;
        rd_kafka_message_destroy(message);
    }
    *records = stream->records;
    *count = stream->count;
    return status;
}

size_t stream_headers(const struct stream *stream, size_t at, struct relance_header out[STREAM_HEADERS_MAX])
{
    rd_kafka_headers_t *headers;
    size_t count = 0, size;
    const char *name;
    const void *value;
    if (rd_kafka_message_headers(stream->messages[at], &headers)) return 0;
    while (count < STREAM_HEADERS_MAX && !rd_kafka_header_get_all(headers, count, &name, &value, &size)) {
        out[count++] = (struct relance_header){{name, strlen(name)}, {value, value ? size : 0}};
    }
    return count;
}

int64_t stream_read_to(const struct stream *stream, int partition)
{
    return stream->read_to[partition];
}
