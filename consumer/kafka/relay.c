/* A consumer and a transactional producer that work hand in hand.
 *
 * Partitions are assigned by the range assignor, all at once. As in source.c the callback takes note and gives the
 * client an empty assignment; reading begins in relay_gather, at the offsets that the group has then. So beginning anew
 * after a failure, after a pause and after a rebalance is one thing: relay_start.
 *
 * The member has no name of its own in the group: it leaves when it ends, and any number of processes may come and go.
 * The producer's name is the same as long as the process lives: what has become of a transaction whose answer was lost
 * is settled by init_transactions of its successor, before the group's offsets are asked for. */
#include "intake/relay.h"
#include "host/clock.h"
#include "base/ensure.h"
#include "kafka/client.h"
#include "kafka/member.h"
#include "host/log.h"
#include "host/stop.h"
#include "host/text.h"
#include <stdlib.h>

enum {
    RELAY_WINDOW_US = 250000, /* a batch is gathered at most so long */
    RELAY_MUCH = 512,         /* records that came at once: more are coming */
    RELAY_MORE_MS = 5,        /* how long to wait for those */
    RELAY_ASK_MS = 5000,      /* how long a question to the brokers may take */
    RELAY_SLICE_MS = 1000,    /* a stop that is asked for is heard so often */
    RELAY_COMMIT_US =
        10000000, /* as long as the transaction's own time-out: what is slower is not believed */
    RELAY_NAMES_SIZE = 1024,
};

struct relay {
    const struct options *options;
    char member[256]; /* the transactional id */
    rd_kafka_t *consumer, *producer;
    rd_kafka_topic_t *topics[RELAY_TOPICS];
    rd_kafka_queue_t *queue;
    rd_kafka_consumer_group_metadata_t *metadata; /* of the assignment; NULL: no member */
    rd_kafka_topic_partition_list_t *given;       /* the assignment; NULL: none */
    rd_kafka_topic_partition_list_t *moved;       /* how far its partitions have come since the last commit */
    rd_kafka_topic_partition_t *last_moved;       /* the one that moved last; NULL: to be looked for */
    bool is_reading, is_closing;
    bool is_open;  /* a transaction is */
    bool is_spent; /* the producer has failed and is to be replaced */
    bool is_ready; /* the producer's older transactions are settled */
    int64_t rest_until_us;
    unsigned epoch; /* counts rebalances: a batch that saw one is thrown away */
    rd_kafka_message_t *messages[RELAY_BATCH_MAX];
    size_t message_count, message_next;
    struct relance_header headers[RELAY_HEADERS_MAX];
};

/* ---- rights */
/* What it takes to do what was refused with `code`; which of several topics it was, the client says in its log alone. */
static struct kafka_right relay_right(const struct relay *relay, rd_kafka_resp_err_t code,
                                      char names[RELAY_NAMES_SIZE])
{
    if (code == RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
        return (struct kafka_right){"Write", "transactional id", relay->member};
    if (code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED)
        return (struct kafka_right){"Read", "group", relay->options->group};
    snprintf(names, RELAY_NAMES_SIZE, "%s and %s.dead, and Read on topic %s", relay->options->output,
             relay->options->output, relay->options->input);
    return (struct kafka_right){"Write", "topics", names};
}

static enum relance_status relay_check(struct relay *relay, rd_kafka_error_t *object, const char *doing,
                                       struct relance_error *error)
{
    char names[RELAY_NAMES_SIZE];
    if (!object) return RELANCE_OK;
    rd_kafka_resp_err_t code = rd_kafka_error_code(object);
    relay->is_spent = true;
    if (!kafka_is_forbidden(code)) return kafka_client_error(RELANCE_AGAIN, doing, object, error);
    rd_kafka_error_destroy(object);
    return kafka_trouble(error, RELANCE_REFUSED, code, relay_right(relay, code, names), "%s", doing);
}

/* ---- the producer */
/* As in sink.c: the report of a delivery wakes up whoever commits. */
static void relay_delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    (void)rk, (void)message, (void)opaque;
}

static void relay_prepare_producer(rd_kafka_conf_t *conf, void *context)
{
    (void)context;
    rd_kafka_conf_set_dr_msg_cb(conf, relay_delivered);
}

static void relay_drop_producer(struct relay *relay)
{
    for (int i = 0; i < RELAY_TOPICS; i++)
        if (relay->topics[i]) rd_kafka_topic_destroy(relay->topics[i]);
    memset(relay->topics, 0, sizeof relay->topics);
    if (relay->producer) kafka_client_drop(relay->producer);
    relay->producer = NULL;
    relay->is_open = relay->is_spent = relay->is_ready = false;
}

static enum relance_status relay_make_producer(struct relay *relay, struct relance_error *error)
{
    const struct option_kafka fixed[] = {{"transactional.id", relay->member},
                                         {"partitioner", "murmur2_random"}};
    static const char *const suffixes[RELAY_TOPICS] = {[RELAY_EVENTS] = "", [RELAY_DEAD] = ".dead"};
    enum relance_status status =
        kafka_client_open(KAFKA_PRODUCER, relay->options, fixed, sizeof fixed / sizeof *fixed,
                          relay_prepare_producer, NULL, &relay->producer, error);
    for (int i = 0; i < RELAY_TOPICS && status == RELANCE_OK; i++) {
        char name[256];
        snprintf(name, sizeof name, "%s%s", relay->options->output, suffixes[i]);
        ensure(relay->topics[i] = rd_kafka_topic_new(relay->producer, name, NULL));
    }
    return status;
}

/* A call that has run out of time goes on where it was when it is made again. */
static enum relance_status relay_settle(struct relay *relay, struct relance_error *error)
{
    if (relay->is_ready) return RELANCE_OK;
    if (!relay->producer) {
        enum relance_status status = relay_make_producer(relay, error);
        if (status != RELANCE_OK) return status;
    }
    rd_kafka_error_t *object = rd_kafka_init_transactions(relay->producer, RELAY_SLICE_MS);
    if (object && rd_kafka_error_is_retriable(object)) {
        rd_kafka_resp_err_t code = rd_kafka_error_code(object);
        rd_kafka_error_destroy(object);
        return kafka_trouble(error, RELANCE_AGAIN, code, (struct kafka_right){0}, "starting transactions");
    }
    enum relance_status status = relay_check(relay, object, "starting transactions", error);
    relay->is_ready = status == RELANCE_OK;
    return status;
}

/* ---- the group */
static void relay_forget_assignment(struct relay *relay)
{
    if (relay->metadata) rd_kafka_consumer_group_metadata_destroy(relay->metadata);
    if (relay->given) rd_kafka_topic_partition_list_destroy(relay->given);
    relay->metadata = NULL;
    relay->given = NULL;
    relay->is_reading = false;
}

static void relay_assigned(struct relay *relay, const rd_kafka_topic_partition_list_t *list)
{
    char member[KAFKA_MEMBER_SIZE];
    rd_kafka_topic_partition_list_t *none = rd_kafka_topic_partition_list_new(0);
    ensure(none);
    relay->metadata = rd_kafka_consumer_group_metadata(relay->consumer);
    relay->given = rd_kafka_topic_partition_list_copy(list);
    kafka_client_assign(relay->consumer, none, relay->is_closing);
    rd_kafka_topic_partition_list_destroy(none);
    if (kafka_member_read(relay->metadata, member, NULL))
        log_line(LOG_INFO, "The group has given us partitions.", "partitions=%d", list->cnt);
    else
        relay_forget_assignment(relay); /* the group has gone on already, and will call again */
}

static void relay_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t err, rd_kafka_topic_partition_list_t *list,
                            void *opaque)
{
    struct relay *relay = opaque;
    relay->consumer = rk;
    relay->epoch++;
    ensure(relay->is_closing ||
           !relay->is_open); /* what is committed belongs to the assignment it was read under */
    relay_forget_assignment(relay);
    if (err == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS)
        relay_assigned(relay, list);
    else
        kafka_client_assign(rk, NULL, relay->is_closing);
}

static void relay_prepare_consumer(rd_kafka_conf_t *conf, void *context)
{
    rd_kafka_conf_set_opaque(conf, context);
    rd_kafka_conf_set_rebalance_cb(conf, relay_rebalance);
}

static enum relance_status relay_make_consumer(struct relay *relay, struct relance_error *error)
{
    const struct option_kafka fixed[] = {
        {"group.id", relay->options->group},
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {"auto.offset.reset", relay->options->accept_loss ? "earliest" : "error"},
        {"isolation.level", "read_committed"},
        {"partition.assignment.strategy", "range"},
        {"allow.auto.create.topics", "false"},
    };
    enum relance_status status =
        kafka_client_open(KAFKA_CONSUMER, relay->options, fixed, sizeof fixed / sizeof *fixed,
                          relay_prepare_consumer, relay, &relay->consumer, error);
    if (status != RELANCE_OK) return status;
    rd_kafka_poll_set_consumer(relay->consumer);
    relay->queue = rd_kafka_queue_get_consumer(relay->consumer);
    return RELANCE_OK;
}

/* ---- opening */
enum relance_status relay_open(const struct options *options, const char *member, struct relay **out,
                               struct relance_error *error)
{
    struct relay *relay = calloc(1, sizeof *relay);
    ensure(relay);
    relay->options = options;
    snprintf(relay->member, sizeof relay->member, "%s", member);
    ensure(relay->moved = rd_kafka_topic_partition_list_new(16));
    enum relance_status status = relay_make_consumer(relay, error);
    int64_t began = clock_monotonic_us();
    do
        if (status == RELANCE_OK || status == RELANCE_AGAIN) status = relay_settle(relay, error);
    while (status == RELANCE_AGAIN && clock_monotonic_us() - began < RELAY_COMMIT_US && !stop_requested());
    if (status == RELANCE_OK)
        *out = relay;
    else
        relay_close(relay);
    return status;
}

static void relay_release(struct relay *relay)
{
    for (size_t i = 0; i < relay->message_count; i++)
        rd_kafka_message_destroy(relay->messages[i]);
    relay->message_count = relay->message_next = 0;
}

void relay_close(struct relay *relay)
{
    relay->is_closing = true;
    relay_drop_producer(relay);
    relay_release(relay);
    if (relay->queue) rd_kafka_queue_destroy(relay->queue);
    if (relay->consumer) {
        rd_kafka_consumer_close(relay->consumer);
        rd_kafka_destroy(relay->consumer);
    }
    relay_forget_assignment(relay);
    rd_kafka_topic_partition_list_destroy(relay->moved);
    free(relay);
}

/* ---- topics */
enum relance_status relay_topics(struct relay *relay, struct names *out, struct relance_error *error)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t err = rd_kafka_metadata(relay->consumer, 1, NULL, &metadata, RELAY_ASK_MS);
    if (err)
        return kafka_trouble(error, RELANCE_AGAIN, err,
                             (struct kafka_right){"Describe", "cluster", "kafka-cluster"},
                             "asking Kafka for its topics");
    for (int i = 0; i < metadata->topic_cnt; i++)
        if (!metadata->topics[i].err) names_add(out, str_of(metadata->topics[i].topic));
    rd_kafka_metadata_destroy(metadata);
    return RELANCE_OK;
}

enum relance_status relay_look(struct relay *relay, const char *operation, const char *topic, int *partitions,
                               struct relance_error *error)
{
    rd_kafka_resp_err_t err = kafka_conf_partitions(relay->consumer, topic, RELAY_ASK_MS, partitions);
    if (!err || err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC)
        return RELANCE_OK;
    return kafka_trouble(error, RELANCE_AGAIN, err, (struct kafka_right){operation, "topic", topic},
                         "asking Kafka for topic %s", topic);
}

enum relance_status relay_subscribe(struct relay *relay, const struct names *topics,
                                    struct relance_error *error)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)topics->count);
    ensure(list);
    for (uint32_t i = 0; i < topics->count; i++)
        rd_kafka_topic_partition_list_add(list, topics->list[i].data, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t err =
        list->cnt ? rd_kafka_subscribe(relay->consumer, list) : rd_kafka_unsubscribe(relay->consumer);
    rd_kafka_topic_partition_list_destroy(list);
    return err ? relance_error_set(error, RELANCE_IO, "subscribing: %s", rd_kafka_err2str(err)) : RELANCE_OK;
}

/* ---- reading */
/* Waits for transactions that others have left open. */
static rd_kafka_resp_err_t relay_ask_offsets(struct relay *relay, rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_resp_err_t err = RD_KAFKA_RESP_ERR__TIMED_OUT;
    for (int ms = 0; ms < RELAY_ASK_MS && err == RD_KAFKA_RESP_ERR__TIMED_OUT && !stop_requested();
         ms += RELAY_SLICE_MS)
        err = rd_kafka_committed(relay->consumer, list, RELAY_SLICE_MS);
    return err;
}

/* Begins where the group is; a partition that it has no offset of, at its first record. */
static enum relance_status relay_start(struct relay *relay, struct relance_error *error)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_copy(relay->given);
    rd_kafka_resp_err_t err = relay_ask_offsets(relay, list);
    for (int i = 0; i < list->cnt && !err; i++) {
        err = list->elems[i].err;
        if (list->elems[i].offset < 0) list->elems[i].offset = RD_KAFKA_OFFSET_BEGINNING;
    }
    if (!err) err = kafka_client_assign(relay->consumer, list, false);
    rd_kafka_topic_partition_list_destroy(list);
    relay->is_reading = !err;
    if (!err) return RELANCE_OK;
    return kafka_trouble(error, RELANCE_AGAIN, err,
                         kafka_client_right(err, relay->options->group, relay->options->input),
                         "asking for the group's offsets");
}

static size_t relay_take_more(struct relay *relay, int wait_ms)
{
    ssize_t count =
        rd_kafka_consume_batch_queue(relay->queue, wait_ms, relay->messages + relay->message_count,
                                     RELAY_BATCH_MAX - relay->message_count);
    if (count <= 0) return 0;
    relay->message_count += (size_t)count;
    return (size_t)count;
}

/* The plain poll wakes with the first record; the batch call waits its whole time unless it is full. */
static void relay_take(struct relay *relay, int wait_ms)
{
    int64_t began = clock_monotonic_us();
    unsigned epoch = relay->epoch;
    rd_kafka_message_t *message = rd_kafka_consumer_poll(relay->consumer, wait_ms);
    if (message) {
        relay->messages[relay->message_count++] = message;
        size_t last = relay_take_more(relay, 0);
        while (last >= RELAY_MUCH && relay->message_count < RELAY_BATCH_MAX &&
               clock_monotonic_us() - began < RELAY_WINDOW_US)
            last = relay_take_more(relay, RELAY_MORE_MS);
    }
    if (relay->epoch != epoch) relay_release(relay);
}

/* What comes on the queue and is no record. Passing trouble is logged by the client itself, and heals. */
static enum relance_status relay_take_event(struct relay *relay, const rd_kafka_message_t *message,
                                            struct relance_error *error)
{
    const char *topic = message->rkt ? rd_kafka_topic_name(message->rkt) : relay->options->input;
    switch (message->err) {
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
        return relance_error_set(error, RELANCE_REFUSED,
                                 "%s, partition %d: records that are needed are no longer kept; with "
                                 "--accept-loss intake goes on with the first that is there",
                                 topic, message->partition);
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
        return kafka_trouble(error, RELANCE_REFUSED, message->err,
                             kafka_client_right(message->err, relay->options->group, topic),
                             "reading records");
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
        log_line(LOG_WARNING, "A topic has gone; the others are read on.", "topic=%s", topic);
        return RELANCE_OK;
    default:
        log_line(LOG_DEBUG, "Kafka's consumer:", "says=\"%s\"", rd_kafka_message_errstr(message));
        return RELANCE_OK;
    }
}

static enum relance_status relay_check_consumer(const struct relay *relay, struct relance_error *error)
{
    char reason[256];
    if (!rd_kafka_fatal_error(relay->consumer, reason, sizeof reason)) return RELANCE_OK;
    return relance_error_set(error, RELANCE_REFUSED, "Kafka's client: %s", reason);
}

enum relance_status relay_gather(struct relay *relay, int wait_ms, struct relance_error *error)
{
    ensure(!relay->is_open);
    relay_release(relay);
    enum relance_status status = relay_settle(relay, error);
    if (status == RELANCE_OK && relay->given && !relay->is_reading &&
        clock_monotonic_us() >= relay->rest_until_us)
        status = relay_start(relay, error);
    if (status != RELANCE_OK) return status;
    relay_take(relay, wait_ms);
    status = relay_check_consumer(relay, error);
    for (size_t i = 0; i < relay->message_count && status == RELANCE_OK; i++)
        if (relay->messages[i]->err) status = relay_take_event(relay, relay->messages[i], error);
    return status;
}

static size_t relay_read_headers(struct relay *relay, const rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers;
    size_t count = 0, size;
    const char *name;
    const void *value;
    if (rd_kafka_message_headers(message, &headers)) return 0;
    while (count < RELAY_HEADERS_MAX && !rd_kafka_header_get_all(headers, count, &name, &value, &size)) {
        relay->headers[count++] = (struct relance_header){str_of(name), {value, size}};
    }
    return count;
}

bool relay_next(struct relay *relay, struct relay_record *record)
{
    while (relay->message_next < relay->message_count && relay->messages[relay->message_next]->err)
        relay->message_next++;
    if (relay->message_next == relay->message_count) return false;
    rd_kafka_message_t *message = relay->messages[relay->message_next++];
    rd_kafka_timestamp_type_t type;
    int64_t timestamp = rd_kafka_message_timestamp(message, &type);
    struct relance_str topic = str_of(rd_kafka_topic_name(message->rkt));
    record->foreign = (struct relance_foreign){.topic = topic,
                                               .partition = message->partition,
                                               .offset = message->offset,
                                               .key = {message->key, message->key_len},
                                               .value = {message->payload, message->len},
                                               .headers = relay->headers};
    record->foreign.header_count = relay_read_headers(relay, message);
    record->timestamp_ms = type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? RELANCE_NEVER : timestamp;
    record->source = (uint32_t)(str_hash(topic) + (uint32_t)message->partition * 2654435761u);
    return true;
}

/* ---- writing */
static enum relance_status relay_begin(struct relay *relay, struct relance_error *error)
{
    if (relay->is_open) return RELANCE_OK;
    enum relance_status status =
        relay_check(relay, rd_kafka_begin_transaction(relay->producer), "beginning a transaction", error);
    relay->is_open = status == RELANCE_OK;
    return status;
}

static rd_kafka_headers_t *relay_headers(const struct relay_output *output)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(output->header_count);
    ensure(headers);
    for (size_t i = 0; i < output->header_count; i++) {
        const struct relance_header *header = &output->headers[i];
        rd_kafka_header_add(headers, header->name.data, (ssize_t)header->name.size, header->value.data,
                            (ssize_t)header->value.size);
    }
    return headers;
}

static rd_kafka_error_t *relay_produce(struct relay *relay, const struct relay_output *output)
{
    rd_kafka_headers_t *headers = output->header_count ? relay_headers(output) : NULL;
    int64_t timestamp = output->timestamp_ms == RELANCE_NEVER ? 0 : output->timestamp_ms; /* 0: now */
    rd_kafka_vu_t parts[] = {
        {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = relay->topics[output->topic]},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = timestamp},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t)output->key.data, output->key.size}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)output->value.data, output->value.size}},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
    };
    rd_kafka_error_t *object = rd_kafka_produceva(relay->producer, parts, headers ? 6 : 5);
    if (object && headers) rd_kafka_headers_destroy(headers);
    return object;
}

/* A full queue empties as the broker answers. */
enum relance_status relay_put(struct relay *relay, const struct relay_output *output,
                              struct relance_error *error)
{
    int64_t began = clock_monotonic_us();
    enum relance_status status = relay_begin(relay, error);
    while (status == RELANCE_OK) {
        rd_kafka_error_t *object = relay_produce(relay, output);
        if (!object) return RELANCE_OK;
        bool is_full = rd_kafka_error_code(object) == RD_KAFKA_RESP_ERR__QUEUE_FULL;
        if (!is_full || clock_monotonic_us() - began > RELAY_COMMIT_US || stop_requested())
            return relay_check(relay, kafka_client_reason(relay->producer, object), "writing", error);
        rd_kafka_error_destroy(object);
        rd_kafka_flush(relay->producer, 10);
    }
    return status;
}

void relay_done(struct relay *relay, const struct relay_record *record)
{
    const char *topic = record->foreign.topic.data;
    int32_t partition = record->foreign.partition;
    rd_kafka_topic_partition_t *moved = relay->last_moved;
    if (!moved || moved->partition != partition || strcmp(moved->topic, topic) != 0)
        moved = rd_kafka_topic_partition_list_find(relay->moved, topic, partition);
    if (!moved) moved = rd_kafka_topic_partition_list_add(relay->moved, topic, partition);
    moved->offset = record->foreign.offset + 1;
    relay->last_moved = moved;
}

static void relay_forget_moved(struct relay *relay)
{
    rd_kafka_topic_partition_list_destroy(relay->moved);
    ensure(relay->moved = rd_kafka_topic_partition_list_new(16));
    relay->last_moved = NULL;
}

/* One of the two calls that end a transaction. What takes longer than a slice goes on where it was, until the
 * transaction has run out of time. */
static enum relance_status relay_call(struct relay *relay, bool is_end, int64_t began,
                                      struct relance_error *error)
{
    for (;;) {
        rd_kafka_error_t *object =
            is_end ? rd_kafka_commit_transaction(relay->producer, RELAY_SLICE_MS)
                   : rd_kafka_send_offsets_to_transaction(relay->producer, relay->moved, relay->metadata,
                                                          RELAY_SLICE_MS);
        bool is_late = clock_monotonic_us() - began > RELAY_COMMIT_US || stop_requested();
        if (!object || is_late || !rd_kafka_error_is_retriable(object))
            return relay_check(relay, kafka_client_reason(relay->producer, object),
                               is_end ? "committing" : "committing offsets", error);
        rd_kafka_error_destroy(object);
    }
}

enum relance_status relay_commit(struct relay *relay, struct relance_error *error)
{
    int64_t began = clock_monotonic_us();
    if (!relay->moved->cnt && !relay->is_open) return RELANCE_OK;
    ensure(relay->moved->cnt && relay->metadata);
    enum relance_status status = relay_begin(relay, error);
    if (status == RELANCE_OK) status = relay_call(relay, false, began, error);
    if (status == RELANCE_OK) status = relay_call(relay, true, began, error);
    if (status != RELANCE_OK) return status;
    relay->is_open = false;
    relay_forget_moved(relay);
    return RELANCE_OK;
}

void relay_rest(struct relay *relay, int64_t rest_us)
{
    rd_kafka_topic_partition_list_t *none = rd_kafka_topic_partition_list_new(0);
    ensure(none);
    if (relay->is_open || relay->is_spent) relay_drop_producer(relay);
    relay_release(relay);
    relay_forget_moved(relay);
    if (relay->is_reading) kafka_client_assign(relay->consumer, none, false);
    relay->is_reading = false;
    relay->rest_until_us = clock_monotonic_us() + rest_us;
    rd_kafka_topic_partition_list_destroy(none);
}
