#include "kafka/conf.h"
#include "base/ensure.h"
#include "kafka/trouble.h"
#include "host/log.h"
#include <string.h>

/* A broker that is away is retried for ever and heals by itself: nothing that the client says is an error of ours. */
static void conf_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    (void)rk;
    if (strstr(text, "will be ignored by this"))
        return; /* one set of settings is for consumer and producer */
    kafka_trouble_hear(facility, text);
    log_line(level <= 4   ? LOG_WARNING
             : level <= 6 ? LOG_INFO
                          : LOG_DEBUG,
             "Kafka's client:", "facility=%s says=\"%s\"", facility, text);
}

static enum relance_status conf_set(rd_kafka_conf_t *conf, const char *name, const char *value,
                                    struct relance_error *error)
{
    char reason[256];
    if (rd_kafka_conf_set(conf, name, value, reason, sizeof reason) == RD_KAFKA_CONF_OK) return RELANCE_OK;
    return relance_error_set(error, RELANCE_INVALID, "kafka.%s: %s", name, reason);
}

enum relance_status kafka_conf_start(rd_kafka_type_t type, const struct option_kafka *options,
                                     size_t option_count, const struct option_kafka *fixed,
                                     size_t fixed_count, kafka_conf_prepare *prepare, void *context,
                                     rd_kafka_t **out, struct relance_error *error)
{
    char reason[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, conf_log);
    enum relance_status status = RELANCE_OK;
    for (size_t i = 0; i < option_count && status == RELANCE_OK; i++)
        status = conf_set(conf, options[i].name, options[i].value, error);
    for (size_t i = 0; i < fixed_count && status == RELANCE_OK; i++)
        status = conf_set(conf, fixed[i].name, fixed[i].value, error);
    if (status == RELANCE_OK && prepare) prepare(conf, context);
    *out = status == RELANCE_OK ? rd_kafka_new(type, conf, reason, sizeof reason) : NULL;
    if (*out) return RELANCE_OK; /* it has the configuration */
    rd_kafka_conf_destroy(conf);
    return status == RELANCE_OK ? relance_error_set(error, RELANCE_INVALID, "Kafka's client: %s", reason)
                                : status;
}

rd_kafka_resp_err_t kafka_conf_partitions(rd_kafka_t *rk, const char *name, int timeout_ms, int *count)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, name, NULL);
    ensure(topic);
    rd_kafka_resp_err_t code = rd_kafka_metadata(rk, 0, topic, &metadata, timeout_ms);
    rd_kafka_topic_destroy(topic);
    *count = 0;
    if (code) return code;
    code = metadata->topic_cnt ? metadata->topics[0].err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    if (!code) *count = metadata->topics[0].partition_cnt;
    rd_kafka_metadata_destroy(metadata);
    return code;
}
