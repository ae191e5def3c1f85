#include "learn/shelf.h"
#include "base/ensure.h"
#include "base/str.h"
#include "host/clock.h"
#include "host/log.h"
#include "host/text.h"
#include "kafka/client.h"
#include "kafka/trouble.h"
#include <stdlib.h>

enum {
    SHELF_ASK_MS = 10000,
    SHELF_COMMIT_MS = 60000, /* as long as the transaction's own time-out: a state has tens of MiB */
    SHELF_LOOKS = 20,        /* a topic made a moment ago is not known at once */
    SHELF_LOOK_US = 250000,
};

struct shelf {
    rd_kafka_t *rk;
    rd_kafka_topic_t *topic;
    char name[256], member[512];
};

static enum relance_status shelf_check(const struct shelf *shelf, rd_kafka_error_t *object, const char *doing,
                                       struct relance_error *error)
{
    if (!object) return RELANCE_OK;
    rd_kafka_resp_err_t code = rd_kafka_error_code(object);
    bool is_id = code == RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
    if (kafka_is_forbidden(code)) {
        rd_kafka_error_destroy(object);
        return kafka_trouble(error, RELANCE_REFUSED, code,
                             (struct kafka_right){"Write", is_id ? "transactional id" : "topic",
                                                  is_id ? shelf->member : shelf->name},
                             "%s", doing);
    }
    bool is_fenced = code == RD_KAFKA_RESP_ERR__FENCED || code == RD_KAFKA_RESP_ERR_PRODUCER_FENCED ||
                     code == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH;
    kafka_client_error(RELANCE_AGAIN, doing, object, error);
    if (!is_fenced) return error->status;
    return relance_error_set(error, RELANCE_REPLACED,
                             "another `relance learn` of this group has started: it has "
                             "taken over");
}

/* ---- the topic */
static int shelf_partitions(const struct shelf *shelf, rd_kafka_resp_err_t *err)
{
    const struct rd_kafka_metadata *metadata;
    int count = 0;
    *err = rd_kafka_metadata(shelf->rk, 0, shelf->topic, &metadata, SHELF_ASK_MS);
    if (*err) return 0;
    if (metadata->topic_cnt == 1) *err = metadata->topics[0].err;
    if (metadata->topic_cnt == 1 && !*err) count = metadata->topics[0].partition_cnt;
    rd_kafka_metadata_destroy(metadata);
    return count;
}

/* Versions are kept as long as the events that they decided about, since marks name them. */
static enum relance_status shelf_create(const struct shelf *shelf, const char *input,
                                        struct relance_error *error)
{
    char reason[256], retention[KAFKA_RETENTION_SIZE];
    rd_kafka_NewTopic_t *fresh = rd_kafka_NewTopic_new(shelf->name, 1, -1, reason, sizeof reason);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(shelf->rk);
    ensure(fresh && queue);
    kafka_conf_retention(shelf->rk, input, retention);
    if (*retention) rd_kafka_NewTopic_set_config(fresh, "retention.ms", retention);
    log_line(LOG_INFO, "Creating a topic.", "topic=%s partitions=1", shelf->name);
    rd_kafka_CreateTopics(shelf->rk, &fresh, 1, NULL, queue);
    enum relance_status status = kafka_conf_created(queue, error);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy(fresh);
    return status == RELANCE_IO ? (error->status = RELANCE_AGAIN) : status;
}

static enum relance_status shelf_judge(const struct shelf *shelf, int partitions, rd_kafka_resp_err_t err,
                                       struct relance_error *error)
{
    if (partitions == 1) return RELANCE_OK;
    if (partitions)
        return relance_error_set(
            error, RELANCE_INVALID,
            "topic %s has %d partitions and must have 1: versions come one after the other", shelf->name,
            partitions);
    bool is_missing =
        err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
    if (is_missing || !err)
        return relance_error_set(
            error, RELANCE_INVALID,
            "Kafka has no topic %s; create it, with one partition, or start with --create-topics",
            shelf->name);
    return kafka_trouble(error, RELANCE_AGAIN, err, (struct kafka_right){"Write", "topic", shelf->name},
                         "asking Kafka for topic %s", shelf->name);
}

static enum relance_status shelf_look(const struct shelf *shelf, const struct options *options,
                                      struct relance_error *error)
{
    rd_kafka_resp_err_t err;
    int partitions = shelf_partitions(shelf, &err);
    if (!partitions && options->create_topics && !kafka_is_forbidden(err)) {
        enum relance_status status = shelf_create(shelf, options->input, error);
        if (status != RELANCE_OK) return status;
    }
    for (int looks = 0; looks < SHELF_LOOKS && !partitions && options->create_topics; looks++) {
        clock_sleep_us(SHELF_LOOK_US);
        partitions = shelf_partitions(shelf, &err);
    }
    return shelf_judge(shelf, partitions, err, error);
}

/* ---- beginning and end */
/* As in sink.c: the report of a delivery wakes up whoever commits. */
static void shelf_delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    (void)rk, (void)message, (void)opaque;
}

static void shelf_prepare(rd_kafka_conf_t *conf, void *context)
{
    (void)context;
    rd_kafka_conf_set_dr_msg_cb(conf, shelf_delivered);
}

enum relance_status shelf_open(const struct options *options, struct shelf **out, struct relance_error *error)
{
    struct shelf *shelf = calloc(1, sizeof *shelf);
    ensure(shelf);
    snprintf(shelf->member, sizeof shelf->member, "%s/learn", options->group);
    kafka_models_name(options, shelf->name);
    const struct option_kafka fixed[] = {{"transactional.id", shelf->member},
                                         {"transaction.timeout.ms", "60000"},
                                         {"allow.auto.create.topics", "false"}};
    enum relance_status status = kafka_client_open(
        KAFKA_PRODUCER, options, fixed, sizeof fixed / sizeof *fixed, shelf_prepare, NULL, &shelf->rk, error);
    if (status == RELANCE_OK) {
        ensure(shelf->topic = rd_kafka_topic_new(shelf->rk, shelf->name, NULL));
        status = shelf_look(shelf, options, error);
    }
    if (status == RELANCE_OK)
        status = shelf_check(shelf, rd_kafka_init_transactions(shelf->rk, SHELF_ASK_MS),
                             "starting transactions", error);
    if (status == RELANCE_OK)
        *out = shelf;
    else
        shelf_close(shelf);
    return status;
}

void shelf_close(struct shelf *shelf)
{
    if (!shelf) return;
    if (shelf->topic) rd_kafka_topic_destroy(shelf->topic);
    if (shelf->rk) kafka_client_drop(shelf->rk);
    free(shelf);
}

/* ---- a transaction */
enum relance_status shelf_begin(struct shelf *shelf, struct relance_error *error)
{
    return shelf_check(shelf, rd_kafka_begin_transaction(shelf->rk), "beginning a transaction", error);
}

/* A full queue empties as the broker answers. */
static enum relance_status shelf_produce(struct shelf *shelf, struct relance_str key,
                                         struct relance_str value, const char *piece,
                                         struct relance_error *error)
{
    int64_t began = clock_monotonic_us();
    for (;;) {
        rd_kafka_headers_t *headers = rd_kafka_headers_new(1);
        ensure(headers);
        if (piece) rd_kafka_header_add(headers, "relance-piece", -1, piece, -1);
        rd_kafka_vu_t parts[] = {
            {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = shelf->topic},
            {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = 0},
            {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
            {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t)key.data, key.size}},
            {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)value.data, value.size}},
            {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
        };
        rd_kafka_error_t *object = rd_kafka_produceva(shelf->rk, parts, sizeof parts / sizeof *parts);
        if (!object) return RELANCE_OK;
        rd_kafka_headers_destroy(headers);
        bool full = rd_kafka_error_code(object) == RD_KAFKA_RESP_ERR__QUEUE_FULL;
        if (!full || clock_monotonic_us() - began > SHELF_COMMIT_MS * 1000)
            return shelf_check(shelf, object, "publishing", error);
        rd_kafka_error_destroy(object);
        rd_kafka_flush(shelf->rk, 10);
    }
}

enum relance_status shelf_put(struct shelf *shelf, const struct parcel_head *head, struct relance_str bytes,
                              struct relance_error *error)
{
    struct relance_str key = str_of(head->name);
    struct buffer text = {0};
    ensure(head->bytes == bytes.size);
    parcel_head_print(head, &text);
    enum relance_status status = shelf_produce(shelf, key, buffer_str(&text), NULL, error);
    buffer_free(&text);
    for (size_t i = 0, pieces = parcel_pieces(head); i < pieces && status == RELANCE_OK; i++) {
        char piece[TEXT_NUMBER_SIZE];
        size_t begin = i * PARCEL_PIECE_BYTES, end = begin + PARCEL_PIECE_BYTES;
        text_put_int(piece, (int64_t)i);
        status = shelf_produce(shelf, key, str_slice(bytes, begin, end < bytes.size ? end : bytes.size),
                               piece, error);
    }
    return status;
}

enum relance_status shelf_commit(struct shelf *shelf, struct relance_error *error)
{
    return shelf_check(
        shelf, kafka_client_reason(shelf->rk, rd_kafka_commit_transaction(shelf->rk, SHELF_COMMIT_MS)),
        "committing", error);
}
