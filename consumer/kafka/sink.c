/* The transactional producer of one worker: our own (writer.h), or librdkafka's where that knows more. A transaction is begun, filled, given the frontiers and committed
 * in one call, by the worker itself, or by a thread that lives as long as the transaction, while the worker decides
 * more. Whatever goes wrong, the producer is given up: init_transactions of the next one settles what had become of
 * the transaction, and the frontier then read says it. */
#include "delivery/sink.h"
#include "host/beside.h"
#include "host/clock.h"
#include "base/ensure.h"
#include "kafka/client.h"
#include "kafka/trouble.h"
#include "kafka/writer.h"
#include <stdlib.h>

enum {
    SINK_INIT_MS = 10000,
    SINK_COMMIT_MS = 10000, /* as long as the transaction's own time-out: what is slower is not believed */
    SINK_WARM_MS = 5000,
    SINK_DRAIN_MS = 10,     /* of waiting, when the queue is full */
    SINK_PORTION = 2000000, /* bytes */
    SINK_PORTION_MS =
        1000, /* how long it may take until the broker has one; where it takes longer, the rest goes at once */
    SINK_NAMES_SIZE = 1024,
};

/* A transaction that a thread carries out: what it is given, and then what has come of it. */
struct sink_errand {
    const struct outbox *outbox;
    const struct sink_frontier *frontiers;
    size_t frontier_count;
    const struct membership *membership;
    enum relance_status status;
    struct relance_error error;
    int64_t took_us;
};

struct sink {
    rd_kafka_t *rk;
    struct kafka_writer *writer; /* produces in place of the client; NULL: the client does */
    rd_kafka_topic_t *topics[OUTBOX_TOPICS];
    struct sink_config config;
    struct sink_errand errand;
    struct beside beside; /* carries it out */
};

/* Asks for the topics' metadata now, so that the first action does not wait for it. */
static void sink_warm(struct sink *sink)
{
    for (int i = 0; i < OUTBOX_TOPICS; i++) {
        const struct rd_kafka_metadata *metadata;
        if (!sink->topics[i]) continue;
        if (rd_kafka_metadata(sink->rk, 0, sink->topics[i], &metadata, SINK_WARM_MS) ==
            RD_KAFKA_RESP_ERR_NO_ERROR)
            rd_kafka_metadata_destroy(metadata);
    }
}

/* What it takes to do what was refused with `code`. The client says in its log which of the topics it was, and
 * nowhere else. */
static struct kafka_right sink_right(const struct sink *sink, rd_kafka_resp_err_t code,
                                     char names[SINK_NAMES_SIZE])
{
    const struct options *options = sink->config.options;
    if (code == RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
        return (struct kafka_right){"Write", "transactional id", sink->config.member};
    if (code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED)
        return (struct kafka_right){"Read", "group", options->group};
    snprintf(names, SINK_NAMES_SIZE, "%s, %s.dead, %s.marks%s%s and %s.links, and Read on topic %s",
             options->output, options->output, options->output, options->decisions ? ", " : "",
             options->decisions ? options->decisions : "", options->output, options->input);
    return (struct kafka_right){"Write", "topics", names};
}

/* A producer is fenced by another process of our name, or by a transaction that took longer than it may, as
 * after a sleep: librdkafka 2.0.2 tells these two alike. Which it was the group knows: it has our name given
 * to the other one, says so when offsets are committed and to our consumer, and only that is the end of us. */
static enum relance_status sink_fail(const struct sink *sink, rd_kafka_resp_err_t code, const char *why,
                                     const char *doing, struct relance_error *error)
{
    char names[SINK_NAMES_SIZE];
    if (kafka_is_forbidden(code))
        return kafka_trouble(error, RELANCE_REFUSED, code, sink_right(sink, code, names), "%s", doing);
    if (code != RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID)
        return relance_error_set(error, RELANCE_AGAIN, "%s: %s", doing, why);
    return relance_error_set(error, RELANCE_REPLACED,
                             "another process has started under our --instance; it has taken over");
}

static enum relance_status sink_check(const struct sink *sink, rd_kafka_error_t *object, const char *doing,
                                      struct relance_error *error)
{
    if (!object) return RELANCE_OK;
    enum relance_status status =
        sink_fail(sink, rd_kafka_error_code(object), rd_kafka_error_string(object), doing, error);
    rd_kafka_error_destroy(object);
    return status;
}

static enum relance_status sink_check_writer(const struct sink *sink, rd_kafka_resp_err_t code,
                                             const char *doing, struct relance_error *error)
{
    const char *failure = kafka_writer_failure(sink->writer);
    bool is_told = code == RD_KAFKA_RESP_ERR__TRANSPORT && *failure;
    return code ? sink_fail(sink, code, is_told ? failure : rd_kafka_err2str(code), doing, error)
                : RELANCE_OK;
}

/* Nothing is to be done for a record that has been delivered. But its report wakes up whoever commits: without
 * reports librdkafka 2.0.2 looks every 10 ms whether all are (rd_kafka_flush). */
static void sink_delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    (void)rk, (void)message, (void)opaque;
}

static void sink_prepare(rd_kafka_conf_t *conf, void *context)
{
    (void)context;
    rd_kafka_conf_set_dr_msg_cb(conf, sink_delivered);
}

static enum relance_status sink_start_client(struct sink *sink, struct relance_error *error)
{
    enum relance_status status =
        sink_check(sink, rd_kafka_init_transactions(sink->rk, SINK_INIT_MS), "starting transactions", error);
    for (int i = 0; i < OUTBOX_TOPICS && status == RELANCE_OK; i++) {
        char name[256];
        kafka_topic_name(sink->config.options, (enum outbox_topic)i, name);
        if (*name) ensure(sink->topics[i] = rd_kafka_topic_new(sink->rk, name, NULL));
    }
    if (status == RELANCE_OK) sink_warm(sink);
    return status;
}

static enum relance_status sink_start(struct sink *sink, struct relance_error *error)
{
    sink->writer = kafka_writer_open(sink->rk, &sink->config);
    if (!sink->writer) return sink_start_client(sink, error);
    rd_kafka_resp_err_t code = kafka_writer_start(sink->writer, SINK_INIT_MS);
    if (code != RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION)
        return sink_check_writer(sink, code, "starting transactions", error);
    kafka_writer_close(sink->writer);
    sink->writer = NULL;
    return sink_start_client(sink, error);
}

enum relance_status sink_open(const struct sink_config *config, struct sink **out,
                              struct relance_error *error)
{
    const struct option_kafka fixed[] = {{"transactional.id", config->member},
                                         {"partitioner", "murmur2_random"}};
    struct sink *sink = calloc(1, sizeof *sink);
    ensure(sink);
    sink->config = *config;
    enum relance_status status =
        kafka_client_open(KAFKA_PRODUCER, config->options, fixed, sizeof fixed / sizeof *fixed, sink_prepare,
                          NULL, &sink->rk, error);
    if (status == RELANCE_OK) status = sink_start(sink, error);
    if (status != RELANCE_OK) {
        sink_close(sink);
        return status;
    }
    *out = sink;
    return RELANCE_OK;
}

void sink_close(struct sink *sink)
{
    beside_await(&sink->beside);
    for (int i = 0; i < OUTBOX_TOPICS; i++)
        if (sink->topics[i]) rd_kafka_topic_destroy(sink->topics[i]);
    kafka_writer_close(sink->writer);
    if (sink->rk) kafka_client_drop(sink->rk);
    free(sink);
}

/* ---- one transaction, by the client */
static rd_kafka_headers_t *sink_headers(const struct outbox_record *record)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(record->header_count);
    ensure(headers);
    for (size_t i = 0; i < record->header_count; i++)
        rd_kafka_header_add(headers, record->headers[i].name, -1, record->headers[i].value.data,
                            (ssize_t)record->headers[i].value.size);
    return headers;
}

/* What fills no batch waits for the end of the transaction, which flushes. Sent as it comes it would go in requests of a few
 * records each, of which the client has five on their way at most, and as long as more are waiting behind these, its
 * thread spins (librdkafka 2.0.2). A full queue empties as the broker answers. */
static enum relance_status sink_produce(struct sink *sink, const struct outbox_record *record,
                                        struct relance_error *error)
{
    int64_t began = clock_monotonic_us();
    for (;;) {
        rd_kafka_headers_t *headers = record->header_count ? sink_headers(record) : NULL;
        rd_kafka_vu_t parts[] = {
            {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = sink->topics[record->topic]},
            {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = record->partition},
            {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
            {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t)record->key.data, record->key.size}},
            {.vtype = RD_KAFKA_VTYPE_VALUE,
             .u.mem = {(void *)(uintptr_t)record->value.data, record->value.size}},
            {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
        };
        rd_kafka_error_t *object = rd_kafka_produceva(sink->rk, parts, headers ? 6 : 5);
        if (!object) return RELANCE_OK;
        if (headers) rd_kafka_headers_destroy(headers);
        bool full = rd_kafka_error_code(object) == RD_KAFKA_RESP_ERR__QUEUE_FULL;
        if (!full || clock_monotonic_us() - began > SINK_COMMIT_MS * 1000)
            return sink_check(sink, object, "publishing", error);
        rd_kafka_error_destroy(object);
        rd_kafka_flush(sink->rk, SINK_DRAIN_MS);
    }
}

/* The client has five requests on their way to a broker at most, and while records for others wait, its thread spins until the
 * broker has answered (librdkafka 2.0.2): up to a fifth of all that an engine under load used. So it is given a portion at a time, and
 * we wait, which it can do without spinning. */
static enum relance_status sink_produce_all(struct sink *sink, const struct outbox *outbox,
                                            struct relance_error *error)
{
    struct outbox_record record;
    enum relance_status status = RELANCE_OK;
    size_t portion = SINK_PORTION;
    for (size_t at = 0; status == RELANCE_OK && outbox_next(outbox, &at, &record);) {
        status = sink_produce(sink, &record, error);
        if (status != RELANCE_OK || at < portion) continue;
        bool is_slow = rd_kafka_flush(sink->rk, SINK_PORTION_MS) != RD_KAFKA_RESP_ERR_NO_ERROR;
        portion = is_slow ? SIZE_MAX : at + SINK_PORTION;
    }
    return status;
}

static enum relance_status sink_send_frontiers(struct sink *sink, const struct sink_frontier *frontiers,
                                               size_t count, const struct membership *membership,
                                               struct relance_error *error)
{
    rd_kafka_topic_partition_list_t *list =
        kafka_client_frontiers(sink->config.options->input, frontiers, count);
    rd_kafka_error_t *object =
        rd_kafka_send_offsets_to_transaction(sink->rk, list, membership->metadata, SINK_COMMIT_MS);
    rd_kafka_topic_partition_list_destroy(list);
    return sink_check(sink, kafka_client_reason(sink->rk, object), "committing offsets", error);
}

static enum relance_status sink_commit_client(struct sink *sink, const struct outbox *outbox,
                                              const struct sink_frontier *frontiers, size_t count,
                                              const struct membership *membership,
                                              struct relance_error *error)
{
    enum relance_status status =
        sink_check(sink, rd_kafka_begin_transaction(sink->rk), "beginning a transaction", error);
    if (status == RELANCE_OK) status = sink_produce_all(sink, outbox, error);
    if (status == RELANCE_OK) status = sink_send_frontiers(sink, frontiers, count, membership, error);
    if (status == RELANCE_OK)
        status = sink_check(sink, rd_kafka_commit_transaction(sink->rk, SINK_COMMIT_MS), "committing", error);
    return status;
}

static enum relance_status sink_commit_writer(struct sink *sink, const struct outbox *outbox,
                                              const struct sink_frontier *frontiers, size_t count,
                                              const struct membership *membership,
                                              struct relance_error *error)
{
    struct kafka_writer *writer = sink->writer;
    struct outbox_record record;
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
    kafka_writer_begin(writer, SINK_COMMIT_MS);
    for (size_t at = 0; !code && outbox_next(outbox, &at, &record);)
        code = kafka_writer_put(writer, &record);
    if (!code) code = kafka_writer_send(writer);
    if (code) return sink_check_writer(sink, code, "publishing", error);
    code = kafka_writer_send_frontiers(writer, frontiers, count, membership);
    if (code) return sink_check_writer(sink, code, "committing offsets", error);
    return sink_check_writer(sink, kafka_writer_commit(writer), "committing", error);
}

enum relance_status sink_commit(struct sink *sink, const struct outbox *outbox,
                                const struct sink_frontier *frontiers, size_t count,
                                const struct membership *membership, struct relance_error *error)
{
    ensure(membership && count); /* I3 */
    int64_t began = clock_monotonic_us();
    enum relance_status status = (sink->writer ? sink_commit_writer : sink_commit_client)(
        sink, outbox, frontiers, count, membership, error);
    if (status != RELANCE_OK || clock_monotonic_us() - began < SINK_COMMIT_MS * 1000) return status;
    return relance_error_set(error, RELANCE_AGAIN, "the transaction took longer than a transaction may");
}

/* ---- beside the worker */
static void sink_run(void *context)
{
    struct sink *sink = context;
    struct sink_errand *errand = &sink->errand;
    int64_t began = clock_monotonic_us();
    errand->status = sink_commit(sink, errand->outbox, errand->frontiers, errand->frontier_count,
                                 errand->membership, &errand->error);
    errand->took_us = clock_monotonic_us() - began;
}

void sink_begin(struct sink *sink, const struct outbox *outbox, const struct sink_frontier *frontiers,
                size_t count, const struct membership *membership)
{
    sink->errand = (struct sink_errand){
        .outbox = outbox, .frontiers = frontiers, .frontier_count = count, .membership = membership};
    beside_begin(&sink->beside, sink_run, sink);
}

bool sink_is_done(const struct sink *sink)
{
    return beside_is_done(&sink->beside);
}

enum relance_status sink_finish(struct sink *sink, int64_t *took_us, struct relance_error *error)
{
    const struct sink_errand *errand = &sink->errand;
    ensure(sink->beside.is_begun);
    beside_await(&sink->beside);
    *took_us = errand->took_us;
    if (errand->status != RELANCE_OK) *error = errand->error;
    return errand->status;
}
