#include "kafka/newest.h"
#include "base/ensure.h"
#include "kafka/conf.h"
#include "kafka/trouble.h"

#include <stdlib.h>

enum { NEWEST_ASK_MS = 5000 };

struct kafka_newest {
    rd_kafka_t *rk;
    char *topic;
    int partitions;
    rd_kafka_message_t *message; /* handed out last */
};

static const struct option_kafka newest_settings[] = {
    {"group.id", "relance-newest"}, /* wanted by librdkafka; nothing is committed */
    {"enable.auto.commit", "false"},        {"isolation.level", "read_committed"},
    {"auto.offset.reset", "latest"},        {"allow.auto.create.topics", "false"},
    {"queued.max.messages.kbytes", "1024"}, {"fetch.message.max.bytes", "131072"},
};

static enum relance_status newest_failed(const struct kafka_newest *newest, rd_kafka_resp_err_t code,
                                         struct relance_error *error)
{
    return kafka_trouble(error, RELANCE_IO, code, (struct kafka_right){"Read", "topic", newest->topic},
                         "topic '%s'", newest->topic);
}

enum relance_status kafka_newest_skip(struct kafka_newest *newest, int back, struct relance_error *error)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(newest->partitions);
    for (int p = 0; p < newest->partitions; p++)
        rd_kafka_topic_partition_list_add(list, newest->topic, p)->offset = RD_KAFKA_OFFSET_TAIL(back);
    rd_kafka_resp_err_t code = rd_kafka_assign(newest->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    return code ? newest_failed(newest, code, error) : RELANCE_OK;
}

static enum relance_status newest_start(struct kafka_newest *newest, const struct options *options, int back,
                                        struct relance_error *error)
{
    enum relance_status status =
        kafka_conf_start(RD_KAFKA_CONSUMER, options->kafka, options->kafka_count, newest_settings,
                         sizeof newest_settings / sizeof *newest_settings, NULL, NULL, &newest->rk, error);
    if (status != RELANCE_OK) return status;
    rd_kafka_poll_set_consumer(newest->rk);
    rd_kafka_resp_err_t code =
        kafka_conf_partitions(newest->rk, newest->topic, NEWEST_ASK_MS, &newest->partitions);
    return code ? newest_failed(newest, code, error) : kafka_newest_skip(newest, back, error);
}

enum relance_status kafka_newest_open(const struct options *options, const char *topic, int back,
                                      struct kafka_newest **out, struct relance_error *error)
{
    struct kafka_newest *newest = calloc(1, sizeof *newest);
    ensure(newest && (newest->topic = strdup(topic)));
    enum relance_status status = newest_start(newest, options, back, error);
    if (status == RELANCE_OK) return *out = newest, RELANCE_OK;
    kafka_newest_close(newest);
    return status;
}

static void newest_drop_message(struct kafka_newest *newest)
{
    if (newest->message) rd_kafka_message_destroy(newest->message);
    newest->message = NULL;
}

void kafka_newest_close(struct kafka_newest *newest)
{
    if (!newest) return;
    newest_drop_message(newest);
    if (newest->rk) {
        rd_kafka_consumer_close(newest->rk);
        rd_kafka_destroy(newest->rk);
    }
    free(newest->topic);
    free(newest);
}

/* The group is asked for though nothing is committed, and there need be no right to it. Of what else goes wrong librdkafka
 * makes good what it can. */
static enum relance_status newest_trouble(const struct kafka_newest *newest, rd_kafka_resp_err_t code,
                                          struct relance_error *error)
{
    bool is_of_group = code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED;
    return is_of_group || !kafka_is_forbidden(code) ? RELANCE_AGAIN : newest_failed(newest, code, error);
}

enum relance_status kafka_newest_next(struct kafka_newest *newest, int timeout_ms,
                                      struct kafka_scan_record *record, struct relance_error *error)
{
    newest_drop_message(newest);
    rd_kafka_message_t *message = newest->message = rd_kafka_consumer_poll(newest->rk, timeout_ms);
    if (!message) return RELANCE_AGAIN;
    if (message->err) return newest_trouble(newest, message->err, error);
    kafka_scan_read(message, record);
    return RELANCE_OK;
}
