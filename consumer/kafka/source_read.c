/* What a worker reads: its records by kafka/fetch.c, or by the client where that cannot; what the group says by the client
 * alone, which is polled for it. */
#include "kafka/source_parts.h"
#include "base/ensure.h"
#include "host/clock.h"
#include "host/log.h"
#include "kafka/batches.h"
#include "kafka/trouble.h"

#include <stdlib.h>
#include <unistd.h>

enum {
    SOURCE_WINDOW_US = 250000, /* a batch is gathered at most so long */
    SOURCE_MUCH = 1024,        /* records that came at once: more are coming */
    SOURCE_MORE_MS = 5,        /* how long to wait for those */
};

/* ---- positions */
void source_set_read_to(struct source *source, int32_t partition, int64_t offset)
{
    size_t index = (size_t)partition;
    if (index >= source->read_to_count) {
        source->read_to = realloc(source->read_to, (index + 1) * sizeof *source->read_to);
        ensure(source->read_to);
        while (source->read_to_count <= index)
            source->read_to[source->read_to_count++] = -1;
    }
    source->read_to[index] = offset;
}

int64_t source_read_to(const struct source *source, int32_t partition)
{
    return (size_t)partition < source->read_to_count ? source->read_to[partition] : -1;
}

/* What is fetched already is thrown away by the client, and fetched anew from where we are when it goes on. */
void source_set_paused(struct source *source, bool pause)
{
    rd_kafka_topic_partition_list_t *list = NULL;
    if (source->fetch || source->is_paused == pause || rd_kafka_assignment(source->rk, &list)) return;
    rd_kafka_resp_err_t err =
        pause ? rd_kafka_pause_partitions(source->rk, list) : rd_kafka_resume_partitions(source->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (!err) source->is_paused = pause;
}

/* Before their client goes, which they keep alive, and with their assignment. */
void source_drop_held(struct source *source)
{
    for (size_t i = 0; i < source->held_count; i++)
        rd_kafka_message_destroy(source->held[i]);
    source->held_count = 0;
}

/* ---- what the client reads */
static size_t source_take_batch(struct source *source, int wait_ms, size_t most)
{
    if (source->message_count >= most) return 0;
    ssize_t count = rd_kafka_consume_batch_queue(
        source->queue, wait_ms, source->messages + source->message_count, most - source->message_count);
    if (count <= 0) return 0;
    source->message_count += (size_t)count;
    return (size_t)count;
}

static void source_take_one(struct source *source, int wait_ms)
{
    rd_kafka_message_t *message = rd_kafka_consumer_poll(source->rk, wait_ms);
    if (message) source->messages[source->message_count++] = message;
}

/* ---- waiting in the middle of a batch */
static void source_hold(struct source *source, rd_kafka_message_t *message)
{
    if (source->held_count == source->held_capacity) {
        source->held_capacity = source->held_capacity ? 2 * source->held_capacity : 64;
        source->held = realloc(source->held, source->held_capacity * sizeof *source->held);
        ensure(source->held);
    }
    source->held[source->held_count++] = message;
}

enum relance_status source_idle(struct source *source, int wait_ms, struct relance_error *error)
{
    unsigned epoch = source->epoch;
    if (source->is_in_listener) {
        clock_sleep_us(wait_ms * 1000);
        return RELANCE_OK;
    }
    source_set_paused(source, true);
    rd_kafka_message_t *message = rd_kafka_consumer_poll(source->rk, wait_ms);
    bool is_over = source->epoch != epoch || rd_kafka_fatal_error(source->rk, NULL, 0);
    if (message && is_over)
        rd_kafka_message_destroy(message);
    else if (message)
        source_hold(source, message);
    return is_over ? relance_error_set(error, RELANCE_AGAIN, "the group has gone on meanwhile") : RELANCE_OK;
}

static void source_take_held(struct source *source, size_t most)
{
    size_t count = source->held_count < most ? source->held_count : most;
    if (!count) return;
    memcpy(source->messages, source->held, count * sizeof *source->held);
    source->message_count = count;
    source->held_count -= count;
    memmove(source->held, source->held + count, source->held_count * sizeof *source->held);
}

/* Of the partition that the last record is from, does the log have more than have come? As of its last fetch. */
static bool source_is_behind(const struct source *source)
{
    const rd_kafka_message_t *message = source->messages[source->message_count - 1];
    int64_t low, high;
    return !message->err &&
           !rd_kafka_get_watermark_offsets(source->rk, source->topics[SOURCE_INPUT], message->partition, &low,
                                           &high) &&
           high - message->offset > SOURCE_MUCH;
}

/* ---- fetching ourselves */
/* The client goes on: for good where the log has what we cannot read, which would be met again; else until partitions are given anew. */
static enum relance_status source_leave_fetch(struct source *source, rd_kafka_resp_err_t why,
                                              int32_t partition, struct relance_error *error)
{
    size_t count;
    struct source_position *positions = kafka_fetch_positions(source->fetch, &count);
    source->is_foreign = why == RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED;
    log_line(source->is_foreign ? LOG_INFO : LOG_WARNING,
             source->is_foreign
                 ? "These records are of a form that is not ours to read: librdkafka reads them."
                 : "A broker does not let us in where librdkafka is in: librdkafka reads.",
             "topic=%s partition=%d", source->topics[SOURCE_INPUT], partition);
    source_close_fetch(source);
    enum relance_status status = source_start(source, positions, count, error);
    free(positions);
    return status;
}

static bool source_note_ends(struct source *source)
{
    int32_t partition;
    int64_t offset;
    bool some = false;
    for (; kafka_fetch_next_end(source->fetch, &partition, &offset); some = true)
        source_set_read_to(source, partition, offset);
    return some;
}

/* What has come by now: records, an end, or something that the group has to say. False: nothing. */
static bool source_fetch_some(struct source *source, size_t most)
{
    uint64_t woken;
    unsigned epoch = source->epoch;
    ssize_t ignored = read(source->wake, &woken, sizeof woken);
    (void)ignored; /* how often it was woken is of no interest */
    if (!source->message_count) source_take_one(source, 0);
    if (source->epoch != epoch) return true;
    source->record_count +=
        kafka_fetch_take(source->fetch, source->records + source->record_count, most - source->record_count);
    int32_t partition;
    bool has_end = source_note_ends(source);
    return source->message_count || source->record_count || has_end ||
           kafka_fetch_trouble(source->fetch, &partition);
}

/* Of the partition that the last record is from, does the log have more than have come? An answer is filled from its first on. */
static bool source_fetch_is_behind(const struct source *source)
{
    return kafka_fetch_behind(source->fetch, source->records[source->record_count - 1].partition) >
           SOURCE_MUCH;
}

static void source_take_fetched(struct source *source, int wait_ms, size_t most)
{
    int64_t now = clock_monotonic_us(), until = now + (int64_t)wait_ms * 1000;
    while (!source_fetch_some(source, most) && (now = clock_monotonic_us()) < until)
        kafka_fetch_wait(source->fetch, source->wake, (int)((until - now + 999) / 1000));
}

/* The batch call waits its whole time unless it is full, so it is given none until much is coming, and none where all has come
 * that the log has; the plain poll wakes with the first record. */
static void source_take_client(struct source *source, int wait_ms, size_t most)
{
    int64_t began = clock_monotonic_us();
    if (!source->message_count) source_take_one(source, wait_ms);
    if (!source->message_count) return;
    size_t last = source_take_batch(source, 0, most);
    while (last >= SOURCE_MUCH && source->message_count < most && source_is_behind(source) &&
           clock_monotonic_us() - began < SOURCE_WINDOW_US)
        last = source_take_batch(source, SOURCE_MORE_MS, most);
}

static void source_take(struct source *source, int wait_ms, size_t most)
{
    source_set_paused(source, false);
    source_take_held(source, most);
    if (source->fetch)
        source_take_fetched(source, source->message_count ? 0 : wait_ms, most);
    else
        source_take_client(source, wait_ms, most);
}

/* What there is no going on with. */
static enum relance_status source_take_trouble(struct source *source, rd_kafka_resp_err_t err,
                                               int32_t partition, struct relance_error *error)
{
    switch (err) {
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
        return relance_error_set(error, RELANCE_REFUSED,
                                 "%s, partition %d: records that are needed are no longer kept",
                                 source->topics[SOURCE_INPUT], partition);
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
        return relance_error_set(error, RELANCE_REFUSED, "topic %s is gone", source->topics[SOURCE_INPUT]);
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
        return kafka_trouble(
            error, RELANCE_REFUSED, err,
            kafka_client_right(err, source->config.options->group, source->topics[SOURCE_INPUT]),
            "reading events");
    default: return RELANCE_OK;
    }
}

/* What comes on the queue and is no record. Passing trouble is logged by the client itself, and heals. */
static enum relance_status source_take_event(struct source *source, const rd_kafka_message_t *message,
                                             struct relance_error *error)
{
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
        source_set_read_to(source, message->partition, message->offset);
    else
        log_line(LOG_DEBUG, "Kafka's consumer:", "says=\"%s\"", rd_kafka_message_errstr(message));
    return source_take_trouble(source, message->err, message->partition, error);
}

static enum relance_status source_check_fetch(struct source *source, struct relance_error *error)
{
    int32_t partition;
    rd_kafka_resp_err_t err = kafka_fetch_trouble(source->fetch, &partition);
    if (err != RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED && err != RD_KAFKA_RESP_ERR__AUTHENTICATION)
        return source_take_trouble(source, err, partition, error);
    return source->record_count ? RELANCE_OK : source_leave_fetch(source, err, partition, error);
}

static void source_describe(const rd_kafka_message_t *message, struct source_record *record)
{
    rd_kafka_timestamp_type_t type;
    int64_t timestamp = rd_kafka_message_timestamp(message, &type);
    record->key = (struct relance_str){message->key, message->key_len};
    record->value = (struct relance_str){message->payload, message->len};
    record->offset = message->offset;
    record->timestamp_ms = type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? RELANCE_NEVER : timestamp;
    record->partition = message->partition;
    record->message = message;
    record->headers = (str){0};
}

size_t source_headers(const struct source_record *record, struct relance_header out[SOURCE_HEADERS_MAX])
{
    rd_kafka_headers_t *headers;
    size_t count = 0, size;
    const char *name;
    const void *value;
    if (!record->message) return kafka_batches_headers(record->headers, out, SOURCE_HEADERS_MAX);
    if (rd_kafka_message_headers(record->message, &headers)) return 0;
    while (count < SOURCE_HEADERS_MAX && !rd_kafka_header_get_all(headers, count, &name, &value, &size)) {
        out[count].name = str_of(name);
        out[count++].value = (struct relance_str){value, value ? size : 0};
    }
    return count;
}

enum relance_status source_gather(struct source *source, int wait_ms, size_t most, struct source_batch *batch,
                                  struct relance_error *error)
{
    ensure(!source->message_count && !source->record_count && most <= SOURCE_BATCH_MAX);
    unsigned epoch = source->epoch;
    *batch = (struct source_batch){.records = source->records};
    source_take(source, wait_ms, most);
    enum relance_status status = source_check_client(source, error);
    if (source->epoch == epoch) batch->count = source->record_count;
    if (source->fetch && source->epoch == epoch && status == RELANCE_OK)
        status = source_check_fetch(source, error);
    for (size_t i = 0; i < source->message_count && source->epoch == epoch && status == RELANCE_OK; i++) {
        if (source->messages[i]->err)
            status = source_take_event(source, source->messages[i], error);
        else
            source_describe(source->messages[i], &source->records[batch->count++]);
    }
    batch->has_more =
        batch->count == most || (source->fetch && batch->count && source_fetch_is_behind(source));
    if (status != RELANCE_OK || !batch->count) source_release(source);
    return status;
}

void source_release(struct source *source)
{
    for (size_t i = 0; i < source->message_count; i++)
        rd_kafka_message_destroy(source->messages[i]);
    if (source->fetch) kafka_fetch_release(source->fetch);
    source->message_count = source->record_count = 0;
}

int64_t source_end(const struct source *source, int32_t partition)
{
    return source->fetch ? kafka_fetch_end(source->fetch, partition) : -1;
}

int64_t source_hidden_from(const struct source *source, int32_t partition)
{
    int64_t low, high, read_to = source_read_to(source, partition);
    if (source->fetch) return kafka_fetch_hidden_from(source->fetch, partition);
    if (read_to < 0 || source->is_paused ||
        rd_kafka_get_watermark_offsets(source->rk, source->topics[SOURCE_INPUT], partition, &low, &high))
        return -1;
    return high > read_to ? read_to : -1;
}
