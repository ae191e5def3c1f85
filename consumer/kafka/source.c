/* The consumer of one worker.
 *
 * Partitions are assigned by the range assignor, all at once (no cooperative protocol): what comes after a
 * rebalance is a new assignment, even of the same partitions. In the callback we only take note, and give the
 * client an empty assignment; reading begins with source_start, in the worker's own time, since a claim needs
 * Redis and Kafka and may take long.
 *
 * I3: a transaction that carries output of p also carries p's new P, under group metadata captured together
 * with the ownership of p, captured anew inside each rebalance callback, with generation >= 0 and a member
 * id; nothing is committed without. The capture is here. */
#include "base/murmur2.h"
#include "delivery/source.h"
#include "host/clock.h"
#include "base/ensure.h"
#include "kafka/client.h"
#include "kafka/conf.h"
#include "kafka/member.h"
#include "kafka/trouble.h"
#include "host/log.h"
#include "base/str.h"
#include <stdlib.h>

enum {
    SOURCE_WINDOW_US = 250000, /* a batch is gathered at most so long */
    SOURCE_MUCH = 1024,        /* records that came at once: more are coming */
    SOURCE_MORE_MS = 5,        /* how long to wait for those */
    SOURCE_ASK_MS = 5000,      /* how long a question to the broker may take */
};

struct source {
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue;
    struct source_config config;
    char topics[SOURCE_TOPICS][256];
    struct membership membership;      /* metadata NULL: none */
    char member_id[KAFKA_MEMBER_SIZE]; /* under which the group has known us last; "" never yet */
    bool is_assigned;                  /* told so to the listener */
    unsigned epoch;                    /* counts rebalances: a batch that saw one is thrown away */
    bool is_closing;
    rd_kafka_message_t *messages[SOURCE_BATCH_MAX];
    struct source_record records[SOURCE_BATCH_MAX];
    size_t message_count;
    rd_kafka_message_t **held; /* came while nobody could take them (source_idle) */
    size_t held_count, held_capacity;
    bool is_paused; /* is what is assigned, all of it */
    bool is_in_listener;
    int64_t *read_to; /* by partition; -1: end not met since the start */
    size_t read_to_count;
};

/* ---- membership */
static void source_forget_membership(struct source *source)
{
    if (source->membership.metadata) rd_kafka_consumer_group_metadata_destroy(source->membership.metadata);
    source->membership.metadata = NULL;
}

static void source_capture_membership(struct source *source)
{
    source_forget_membership(source);
    source->membership.metadata = rd_kafka_consumer_group_metadata(source->rk);
    if (kafka_member_read(source->membership.metadata, source->member_id)) return;
    source_forget_membership(source);
}

const struct membership *source_membership(const struct source *source)
{
    bool fenced = rd_kafka_fatal_error(source->rk, NULL, 0) != RD_KAFKA_RESP_ERR_NO_ERROR;
    return source->membership.metadata && !fenced ? &source->membership : NULL;
}

/* ---- rebalance */
/* What is fetched already is thrown away by the client, and fetched anew from where we are when it goes on. */
static void source_set_paused(struct source *source, bool pause)
{
    rd_kafka_topic_partition_list_t *list = NULL;
    if (source->is_paused == pause || rd_kafka_assignment(source->rk, &list)) return;
    rd_kafka_resp_err_t err =
        pause ? rd_kafka_pause_partitions(source->rk, list) : rd_kafka_resume_partitions(source->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (!err) source->is_paused = pause;
}

/* What is paused is resumed first, while it is still assigned: the client keeps a partition paused after it has been
 * taken away, and would not read it when it comes back. */
static rd_kafka_resp_err_t source_assign(struct source *source, const rd_kafka_topic_partition_list_t *list)
{
    if (!source->is_closing) source_set_paused(source, false);
    return kafka_client_assign(source->rk, list, source->is_closing);
}

static void source_assigned(struct source *source, const rd_kafka_topic_partition_list_t *list)
{
    int32_t *partitions = calloc((size_t)list->cnt + 1, sizeof *partitions);
    rd_kafka_topic_partition_list_t *none = rd_kafka_topic_partition_list_new(0);
    ensure(partitions && none);
    for (int i = 0; i < list->cnt; i++)
        partitions[i] = list->elems[i].partition;
    source_capture_membership(source);
    source_assign(source, none);
    source->is_assigned = true;
    source->config.listener.assigned(source->config.listener.context, partitions, (size_t)list->cnt);
    rd_kafka_topic_partition_list_destroy(none);
    free(partitions);
}

static void source_revoke(struct source *source, bool lost)
{
    source->config.listener.revoked(source->config.listener.context, lost);
    source->is_assigned = false;
    source_forget_membership(source);
}

static void source_revoked(struct source *source)
{
    source_revoke(source, rd_kafka_assignment_lost(source->rk));
    source_assign(source, NULL);
}

/* Before their client goes, which they keep alive, and with their assignment. */
static void source_drop_held(struct source *source)
{
    for (size_t i = 0; i < source->held_count; i++)
        rd_kafka_message_destroy(source->held[i]);
    source->held_count = 0;
}

static void source_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t err, rd_kafka_topic_partition_list_t *list,
                             void *opaque)
{
    struct source *source = opaque;
    source->rk = rk;
    source->epoch++;
    source_drop_held(source);
    source->is_in_listener = true;
    if (err == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS)
        source_assigned(source, list);
    else
        source_revoked(source);
    source->is_in_listener = false;
}

/* ---- opening */
static void source_prepare(rd_kafka_conf_t *conf, void *context)
{
    rd_kafka_conf_set_opaque(conf, context);
    rd_kafka_conf_set_rebalance_cb(conf, source_rebalance);
}

static enum relance_status source_subscribe(struct source *source, struct relance_error *error)
{
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    ensure(topics);
    rd_kafka_topic_partition_list_add(topics, source->topics[SOURCE_INPUT], RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t err = rd_kafka_subscribe(source->rk, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    return err ? relance_error_set(error, RELANCE_IO, "subscribing to %s: %s", source->topics[SOURCE_INPUT],
                                   rd_kafka_err2str(err))
               : RELANCE_OK;
}

/* A client that has subscribed; after a failure source_close frees what there is. */
static enum relance_status source_connect(struct source *source, struct relance_error *error)
{
    const struct options *options = source->config.options;
    const struct option_kafka fixed[] = {
        {"group.id", options->group},
        {"group.instance.id", source->config.member},
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {"auto.offset.reset", "error"},
        {"isolation.level", "read_committed"},
        {"partition.assignment.strategy", "range"},
        {"enable.partition.eof", "true"},
    };
    enum relance_status status =
        kafka_client_open(KAFKA_CONSUMER, options, fixed, sizeof fixed / sizeof *fixed, source_prepare,
                          source, &source->rk, error);
    if (status != RELANCE_OK) return status;
    rd_kafka_poll_set_consumer(source->rk);
    source->queue = rd_kafka_queue_get_consumer(source->rk);
    return source_subscribe(source, error);
}

enum relance_status source_open(const struct source_config *config, struct source **out,
                                struct relance_error *error)
{
    struct source *source = calloc(1, sizeof *source);
    ensure(source);
    source->config = *config;
    snprintf(source->topics[SOURCE_INPUT], sizeof *source->topics, "%s", config->options->input);
    kafka_topic_name(config->options, OUTBOX_MARKS, source->topics[SOURCE_MARKS]);
    kafka_topic_name(config->options, OUTBOX_LINKS, source->topics[SOURCE_LINKS]);
    enum relance_status status = source_connect(source, error);
    if (status == RELANCE_OK)
        *out = source;
    else
        source_close(source);
    return status;
}

/* Being a static member, closing does not leave the group: whoever comes back under the name has its
 * partitions at once, and others have them when the session is over. */
void source_close(struct source *source)
{
    source->is_closing = true;
    source_release(source);
    source_drop_held(source);
    if (source->queue) rd_kafka_queue_destroy(source->queue);
    if (source->rk) {
        rd_kafka_consumer_close(source->rk);
        rd_kafka_destroy(source->rk);
    }
    source_forget_membership(source);
    free(source->held);
    free(source->read_to);
    free(source);
}

/* ---- positions */
static void source_set_read_to(struct source *source, int32_t partition, int64_t offset)
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

enum relance_status source_start(struct source *source, const struct source_position *positions, size_t count,
                                 struct relance_error *error)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    ensure(list);
    for (size_t i = 0; i < count; i++) {
        rd_kafka_topic_partition_list_add(list, source->topics[SOURCE_INPUT], positions[i].partition)
            ->offset = positions[i].offset;
        source_set_read_to(source, positions[i].partition, -1);
    }
    rd_kafka_resp_err_t err = source_assign(source, list);
    rd_kafka_topic_partition_list_destroy(list);
    return err ? relance_error_set(error, RELANCE_AGAIN, "starting to read %s: %s",
                                   source->topics[SOURCE_INPUT], rd_kafka_err2str(err))
               : RELANCE_OK;
}

/* ---- gathering */
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

/* The batch call waits its whole time unless it is full, so it is given none until much is coming, and none where all has come
 * that the log has; the plain poll wakes with the first record. */
static void source_take(struct source *source, int wait_ms, size_t most)
{
    int64_t began = clock_monotonic_us();
    source_set_paused(source, false);
    source_take_held(source, most);
    if (!source->message_count) source_take_one(source, wait_ms);
    if (!source->message_count) return;
    size_t last = source_take_batch(source, 0, most);
    while (last >= SOURCE_MUCH && source->message_count < most && source_is_behind(source) &&
           clock_monotonic_us() - began < SOURCE_WINDOW_US)
        last = source_take_batch(source, SOURCE_MORE_MS, most);
}

/* What comes on the queue and is no record. Passing trouble is logged by the client itself, and heals. */
static enum relance_status source_take_event(struct source *source, const rd_kafka_message_t *message,
                                             struct relance_error *error)
{
    switch (message->err) {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
        source_set_read_to(source, message->partition, message->offset);
        return RELANCE_OK;
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
        return relance_error_set(error, RELANCE_REFUSED,
                                 "%s, partition %d: records that are needed are no longer kept",
                                 source->topics[SOURCE_INPUT], message->partition);
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
        return relance_error_set(error, RELANCE_REFUSED, "topic %s is gone", source->topics[SOURCE_INPUT]);
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
        return kafka_trouble(
            error, RELANCE_REFUSED, message->err,
            kafka_client_right(message->err, source->config.options->group, source->topics[SOURCE_INPUT]),
            "reading events");
    default:
        log_line(LOG_DEBUG, "Kafka's consumer:", "says=\"%s\"", rd_kafka_message_errstr(message));
        return RELANCE_OK;
    }
}

/* Is it another process that has our name? librdkafka 2.0.2 says so, and ends for good, also when there is none: it
 * forgets its member id when a session times out, as it does when the broker was away, and until we have let go of
 * what we have it sends heartbeats without one, which the broker takes for those of somebody else (librdkafka issue
 * 3437). The group knows. */
static enum relance_status source_check_name(struct source *source, struct relance_error *error)
{
    char id[KAFKA_MEMBER_SIZE];
    enum relance_status status =
        kafka_member_of(source->rk, source->config.options->group, source->config.member, id, error);
    if (status != RELANCE_OK || !*id || strcmp(id, source->member_id) == 0) return status;
    return relance_error_set(error, RELANCE_REPLACED,
                             "another process has started under our --instance; it has taken over");
}

/* Begins anew with another client: one that has ended for good cannot be used again. */
static enum relance_status source_join_anew(struct source *source, struct relance_error *error)
{
    rd_kafka_queue_destroy(source->queue);
    rd_kafka_destroy_flags(source->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    source->queue = NULL;
    source->rk = NULL;
    enum relance_status status = source_connect(source, error);
    return status == RELANCE_OK
               ? relance_error_set(error, RELANCE_AGAIN, "the session was over; joining the group anew")
               : status;
}

/* A client that has ended for good says so once, on the queue, and may do so behind a rebalance, where what is on
 * the queue is thrown away: so it is asked. */
static enum relance_status source_check_client(struct source *source, struct relance_error *error)
{
    char reason[256];
    enum relance_status status;
    switch (rd_kafka_fatal_error(source->rk, reason, sizeof reason)) {
    case RD_KAFKA_RESP_ERR_NO_ERROR: return RELANCE_OK;
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
        source_release(source); /* messages keep their client alive */
        source_drop_held(source);
        source->is_paused = false;
        if (source->is_assigned) source_revoke(source, true); /* librdkafka does not say so any more */
        status = source_check_name(source, error);
        return status == RELANCE_OK ? source_join_anew(source, error) : status;
    default: return relance_error_set(error, RELANCE_REFUSED, "Kafka's client: %s", reason);
    }
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
}

size_t source_headers(const struct source_record *record, struct relance_header out[SOURCE_HEADERS_MAX])
{
    rd_kafka_headers_t *headers;
    size_t count = 0, size;
    const char *name;
    const void *value;
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
    ensure(!source->message_count && most <= SOURCE_BATCH_MAX);
    unsigned epoch = source->epoch;
    *batch = (struct source_batch){source->records, 0};
    source_take(source, wait_ms, most);
    enum relance_status status = source_check_client(source, error);
    for (size_t i = 0; i < source->message_count && source->epoch == epoch && status == RELANCE_OK; i++) {
        if (source->messages[i]->err)
            status = source_take_event(source, source->messages[i], error);
        else
            source_describe(source->messages[i], &source->records[batch->count++]);
    }
    if (status != RELANCE_OK || !batch->count) source_release(source);
    return status;
}

void source_release(struct source *source)
{
    for (size_t i = 0; i < source->message_count; i++)
        rd_kafka_message_destroy(source->messages[i]);
    source->message_count = 0;
}

int64_t source_hidden_from(const struct source *source, int32_t partition)
{
    int64_t low, high, read_to = source_read_to(source, partition);
    if (read_to < 0 || source->is_paused ||
        rd_kafka_get_watermark_offsets(source->rk, source->topics[SOURCE_INPUT], partition, &low, &high))
        return -1;
    return high > read_to ? read_to : -1;
}

/* ---- questions */
enum relance_status source_frontier(struct source *source, int32_t partition, struct source_frontier *out,
                                    struct relance_error *error)
{
    return kafka_client_frontier(source->rk, source->config.options->group, source->topics[SOURCE_INPUT],
                                 partition, out, error);
}

int source_partition_of(struct relance_str key, int partitions)
{
    return murmur2_partition(key, partitions);
}

enum relance_status source_bounds(struct source *source, enum source_topic topic, int32_t partition,
                                  int64_t *low, int64_t *high, struct relance_error *error)
{
    const char *name = source->topics[topic];
    rd_kafka_resp_err_t err = RD_KAFKA_RESP_ERR_NO_ERROR;
    if (low)
        err = kafka_conf_offset(source->rk, name, partition, RD_KAFKA_OFFSET_BEGINNING, SOURCE_ASK_MS, low);
    if (!err) err = kafka_conf_offset(source->rk, name, partition, RD_KAFKA_OFFSET_END, SOURCE_ASK_MS, high);
    if (!err) return RELANCE_OK;
    return kafka_trouble(error, RELANCE_AGAIN, err,
                         kafka_client_right(err, source->config.options->group, name),
                         "asking for the bounds of %s/%d", name, partition);
}

enum relance_status source_offset_at(struct source *source, int32_t partition, int64_t instant_ms,
                                     int64_t *offset, struct relance_error *error)
{
    rd_kafka_resp_err_t err = kafka_conf_offset(source->rk, source->topics[SOURCE_INPUT], partition,
                                                instant_ms, SOURCE_ASK_MS, offset);
    if (err)
        return kafka_trouble(
            error, RELANCE_AGAIN, err,
            kafka_client_right(err, source->config.options->group, source->topics[SOURCE_INPUT]),
            "asking for an offset of %s/%d", source->topics[SOURCE_INPUT], partition);
    return *offset >= 0 ? RELANCE_OK : source_bounds(source, SOURCE_INPUT, partition, NULL, offset, error);
}
