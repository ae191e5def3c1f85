/* Reads the topic of versions with a client of its own. Records are large, and few; those of a version and of the state beside
 * it are to have room in the client's queue, which makes the fetcher sleep for up to 1 s each time that it is full
 * (librdkafka 2.0.2). */
#include "delivery/models.h"
#include "base/ensure.h"
#include "host/clock.h"
#include "host/log.h"
#include "host/text.h"
#include "kafka/client.h"
#include "kafka/conf.h"
#include "kafka/trouble.h"
#include <stdlib.h>

enum { MODELS_ASK_MS = 10000, MODELS_RECENT_DAYS = 3 };

struct models {
    rd_kafka_t *rk;
    rd_kafka_topic_t *topic;
    rd_kafka_message_t *message; /* handed out last */
    char name[256];
};

/* The first record of the last days; the beginning where that is not known, or there is none. */
static int64_t models_find_recent(const struct models *models)
{
    int64_t since_ms = clock_wall_ms() - MODELS_RECENT_DAYS * INT64_C(86400000), offset;
    rd_kafka_resp_err_t err =
        kafka_conf_offset(models->rk, models->name, 0, since_ms, MODELS_ASK_MS, &offset);
    return err || offset < 0 ? RD_KAFKA_OFFSET_BEGINNING : offset;
}

static enum relance_status models_begin(struct models *models, int64_t from, struct relance_error *error)
{
    if (from == MODELS_BEGINNING) from = RD_KAFKA_OFFSET_BEGINNING;
    if (from == MODELS_RECENT) from = models_find_recent(models);
    ensure(models->topic = rd_kafka_topic_new(models->rk, models->name, NULL));
    if (rd_kafka_consume_start(models->topic, 0, from) == 0) return RELANCE_OK;
    rd_kafka_topic_destroy(models->topic);
    models->topic = NULL;
    return relance_error_set(error, RELANCE_AGAIN, "starting to read %s: %s", models->name,
                             rd_kafka_err2str(rd_kafka_last_error()));
}

enum relance_status models_open(const struct options *options, int64_t from, struct models **out,
                                struct relance_error *error)
{
    const struct option_kafka fixed[] = {
        {"isolation.level", "read_committed"}, {"auto.offset.reset", "error"},
        {"enable.partition.eof", "true"},      {"fetch.wait.max.ms", "500"},
        {"queued.min.messages", "1000"},       {"queued.max.messages.kbytes", "65536"},
    };
    struct models *models = calloc(1, sizeof *models);
    ensure(models);
    kafka_models_name(options, models->name);
    enum relance_status status = kafka_client_open(
        KAFKA_CONSUMER, options, fixed, sizeof fixed / sizeof *fixed, NULL, NULL, &models->rk, error);
    if (status == RELANCE_OK) status = models_begin(models, from, error);
    if (status == RELANCE_OK)
        *out = models;
    else
        models_close(models);
    return status;
}

static void models_drop(struct models *models)
{
    if (models->message) rd_kafka_message_destroy(models->message);
    models->message = NULL;
}

void models_close(struct models *models)
{
    if (!models) return;
    models_drop(models);
    if (models->topic) {
        rd_kafka_consume_stop(models->topic, 0);
        rd_kafka_topic_destroy(models->topic);
    }
    if (models->rk) rd_kafka_destroy(models->rk);
    free(models);
}

enum relance_status models_check(const struct options *options, struct relance_error *error)
{
    struct models *models;
    int partitions;
    enum relance_status status = models_open(options, MODELS_BEGINNING, &models, error);
    if (status != RELANCE_OK) return status;
    rd_kafka_resp_err_t code = kafka_conf_partitions(models->rk, models->name, MODELS_ASK_MS, &partitions);
    bool is_missing =
        code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC || code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    if (code)
        status = kafka_trouble(error,
                               kafka_is_forbidden(code) ? RELANCE_INVALID
                               : is_missing             ? RELANCE_REFUSED
                                                        : RELANCE_AGAIN,
                               code, (struct kafka_right){"Read", "topic", models->name}, "topic '%s'",
                               models->name);
    models_close(models);
    return status;
}

static int32_t models_piece(const rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers;
    const void *value;
    size_t size;
    int64_t piece;
    if (rd_kafka_message_headers(message, &headers) ||
        rd_kafka_header_get_last(headers, "relance-piece", &value, &size) ||
        !text_count((struct relance_str){value, size}, &piece) || piece > INT32_MAX)
        return -1;
    return (int32_t)piece;
}

/* What is no record: the end, or trouble. That which passes is logged by the client itself. */
static enum relance_status models_hear(const struct models *models, const rd_kafka_message_t *message,
                                       bool *at_end, struct relance_error *error)
{
    switch (message->err) {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF: *at_end = true; return RELANCE_OK;
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
        return relance_error_set(error, RELANCE_REFUSED, "%s does not have what is needed any more",
                                 models->name);
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
        return relance_error_set(error, RELANCE_REFUSED, "there is no topic %s", models->name);
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
        kafka_trouble(error, RELANCE_INVALID, message->err,
                      (struct kafka_right){"Read", "topic", models->name}, "reading models");
        return error->status = RELANCE_INVALID; /* nothing is lost that could be accepted */
    default:
        log_line(LOG_DEBUG, "Kafka's reader of models:", "says=\"%s\"", rd_kafka_message_errstr(message));
        return RELANCE_OK;
    }
}

enum relance_status models_next(struct models *models, int wait_ms, struct parcel_record *record,
                                bool *at_end, struct relance_error *error)
{
    models_drop(models);
    *record = (struct parcel_record){.offset = -1};
    *at_end = false;
    rd_kafka_message_t *message = models->message = rd_kafka_consume(models->topic, 0, wait_ms);
    if (!message) return RELANCE_OK;
    if (message->err) return models_hear(models, message, at_end, error);
    *record = (struct parcel_record){
        {message->payload, message->payload ? message->len : 0}, message->offset, models_piece(message)};
    return RELANCE_OK;
}
