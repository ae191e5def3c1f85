#include "kafka/conf.h"
#include "base/ensure.h"
#include "kafka/trouble.h"
#include "host/log.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CONF_ASK_MS = 10000 };

static const char conf_no_oidc[] =
    "was built without OIDC, as Debian 12's is; Debian 13's has it. SCRAM, PLAIN over TLS and "
    "certificates work with either";

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

/* ---- tokens (OAUTHBEARER) */
/* Is it that? Of what librdkafka does not know, no. */
static bool conf_is(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char found[1024];
    size_t size = sizeof found;
    return rd_kafka_conf_get(conf, name, found, &size) == RD_KAFKA_CONF_OK && strcasecmp(found, value) == 0;
}

static bool conf_has_oidc(rd_kafka_conf_t *conf)
{
    char features[1024];
    size_t size = sizeof features;
    return rd_kafka_conf_get(conf, "builtin.features", features, &size) == RD_KAFKA_CONF_OK &&
           strstr(features, "oidc");
}

/* A token that cannot be had is said here alone, to whoever polls. */
static void conf_fail(rd_kafka_t *rk, int code, const char *text, void *context)
{
    (void)rk, (void)context;
    if (code == RD_KAFKA_RESP_ERR__AUTHENTICATION) kafka_trouble_hear("FAIL", text);
    log_line(LOG_WARNING, "Kafka's client:", "says=\"%s\"", text);
}

/* Without somebody who gets tokens librdkafka waits for one, for ever. */
static enum relance_status conf_prepare_tokens(rd_kafka_conf_t *conf, struct relance_error *error)
{
    if (!conf_is(conf, "sasl.mechanism", "OAUTHBEARER")) return RELANCE_OK;
    if (!conf_is(conf, "sasl.oauthbearer.method", "oidc") &&
        !conf_is(conf, "enable.sasl.oauthbearer.unsecure.jwt", "true"))
        return relance_error_set(
            error, RELANCE_INVALID,
            "kafka.sasl.mechanism: OAUTHBEARER needs kafka.sasl.oauthbearer.method=oidc, which this "
            "librdkafka, %s, %s",
            rd_kafka_version_str(), conf_has_oidc(conf) ? "has" : conf_no_oidc);
    rd_kafka_conf_set_error_cb(conf, conf_fail);
    rd_kafka_conf_enable_sasl_queue(conf, 1);
    return RELANCE_OK;
}

static enum relance_status conf_set(rd_kafka_conf_t *conf, const char *name, const char *value,
                                    struct relance_error *error)
{
    char reason[256];
    if (rd_kafka_conf_set(conf, name, value, reason, sizeof reason) == RD_KAFKA_CONF_OK) return RELANCE_OK;
    if (strncmp(name, "sasl.oauthbearer.", 17) == 0 && !conf_has_oidc(conf))
        return relance_error_set(error, RELANCE_INVALID, "kafka.%s: this librdkafka, %s, %s", name,
                                 rd_kafka_version_str(), conf_no_oidc);
    return relance_error_set(error, RELANCE_INVALID, "kafka.%s: %s", name, reason);
}

/* Tokens are asked for on a thread of librdkafka's own, whether somebody polls or not. */
static void conf_start_tokens(rd_kafka_t *rk)
{
    rd_kafka_error_t *none = rd_kafka_sasl_background_callbacks_enable(rk);
    if (none) rd_kafka_error_destroy(none); /* it has no such mechanism */
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
    if (status == RELANCE_OK) status = conf_prepare_tokens(conf, error);
    if (status == RELANCE_OK && prepare) prepare(conf, context);
    *out = status == RELANCE_OK ? rd_kafka_new(type, conf, reason, sizeof reason) : NULL;
    if (*out) { /* it has the configuration */
        conf_start_tokens(*out);
        return RELANCE_OK;
    }
    rd_kafka_conf_destroy(conf);
    return status == RELANCE_OK ? relance_error_set(error, RELANCE_INVALID, "Kafka's client: %s", reason)
                                : status;
}

rd_kafka_resp_err_t kafka_conf_topic(rd_kafka_t *rk, const char *name, int timeout_ms,
                                     const struct rd_kafka_metadata **out)
{
    rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, name, NULL);
    ensure(topic);
    rd_kafka_resp_err_t code = rd_kafka_metadata(rk, 0, topic, out, timeout_ms);
    rd_kafka_topic_destroy(topic);
    if (code || (*out)->topic_cnt) return code;
    rd_kafka_metadata_destroy(*out);
    return RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
}

rd_kafka_resp_err_t kafka_conf_partitions(rd_kafka_t *rk, const char *name, int timeout_ms, int *count)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t code = kafka_conf_topic(rk, name, timeout_ms, &metadata);
    *count = 0;
    if (code) rd_kafka_poll(rk, 0); /* why there is no token is heard so */
    if (code) return code;
    code = metadata->topics[0].err;
    if (!code) *count = metadata->topics[0].partition_cnt;
    rd_kafka_metadata_destroy(metadata);
    return code;
}

rd_kafka_resp_err_t kafka_conf_offset(rd_kafka_t *rk, const char *topic, int32_t partition, int64_t instant,
                                      int timeout_ms, int64_t *offset)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    ensure(list);
    rd_kafka_topic_partition_t *element = rd_kafka_topic_partition_list_add(list, topic, partition);
    element->offset = instant;
    rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(rk, list, timeout_ms);
    if (!code) code = element->err;
    *offset = element->offset;
    rd_kafka_topic_partition_list_destroy(list);
    return code;
}

/* ---- topics that are to be made */
static void conf_take_retention(const rd_kafka_ConfigResource_t *resource, char out[KAFKA_RETENTION_SIZE])
{
    size_t count;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &count);
    const char *name = rd_kafka_ConfigResource_name(resource);
    if (kafka_is_forbidden(rd_kafka_ConfigResource_error(resource)))
        log_line(LOG_WARNING, "Kafka does not tell us how long a topic is kept.",
                 "topic=%s needed=\"DescribeConfigs on topic %s\"", name, name);
    for (size_t i = 0; i < count; i++) {
        const char *value = rd_kafka_ConfigEntry_value(entries[i]);
        if (value && strcmp(rd_kafka_ConfigEntry_name(entries[i]), "retention.ms") == 0)
            snprintf(out, KAFKA_RETENTION_SIZE, "%s", value);
    }
}

void kafka_conf_retention(rd_kafka_t *rk, const char *topic, char out[KAFKA_RETENTION_SIZE])
{
    rd_kafka_ConfigResource_t *asked = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    ensure(asked && queue);
    rd_kafka_DescribeConfigs(rk, &asked, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, CONF_ASK_MS);
    const rd_kafka_DescribeConfigs_result_t *result =
        event && !rd_kafka_event_error(event) ? rd_kafka_event_DescribeConfigs_result(event) : NULL;
    size_t count = 0;
    const rd_kafka_ConfigResource_t **found =
        result ? rd_kafka_DescribeConfigs_result_resources(result, &count) : NULL;
    *out = '\0';
    for (size_t i = 0; i < count; i++)
        conf_take_retention(found[i], out);
    if (event) rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_ConfigResource_destroy(asked);
}

static enum relance_status conf_created_one(const rd_kafka_topic_result_t *topic, struct relance_error *error)
{
    rd_kafka_resp_err_t err = rd_kafka_topic_result_error(topic);
    const char *name = rd_kafka_topic_result_name(topic);
    if (!err || err == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) return RELANCE_OK;
    if (kafka_is_forbidden(err))
        return kafka_trouble(error, RELANCE_REFUSED, err, (struct kafka_right){"Create", "topic", name},
                             "creating topic %s", name);
    return relance_error_set(error, RELANCE_IO, "creating topic %s: %s", name,
                             rd_kafka_topic_result_error_string(topic));
}

enum relance_status kafka_conf_created(rd_kafka_queue_t *queue, struct relance_error *error)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, CONF_ASK_MS);
    const rd_kafka_CreateTopics_result_t *result = event ? rd_kafka_event_CreateTopics_result(event) : NULL;
    enum relance_status status = RELANCE_OK;
    size_t count = 0;
    const rd_kafka_topic_result_t **topics =
        result ? rd_kafka_CreateTopics_result_topics(result, &count) : NULL;
    if (!event || rd_kafka_event_error(event))
        status = relance_error_set(error, RELANCE_IO, "creating topics: %s",
                                   event ? rd_kafka_event_error_string(event) : "no answer");
    for (size_t i = 0; i < count && status == RELANCE_OK; i++)
        status = conf_created_one(topics[i], error);
    if (event) rd_kafka_event_destroy(event);
    return status;
}

/* ---- the settings of a client that runs */
void kafka_conf_text(rd_kafka_t *rk, const char *name, char *out, size_t size)
{
    ensure(rd_kafka_conf_get(rd_kafka_conf(rk), name, out, &size) == RD_KAFKA_CONF_OK);
}

bool kafka_conf_says(rd_kafka_t *rk, const char *name, const char *value)
{
    char text[256];
    kafka_conf_text(rk, name, text, sizeof text);
    return strcmp(text, value) == 0;
}

int32_t kafka_conf_number(rd_kafka_t *rk, const char *name)
{
    char text[32];
    kafka_conf_text(rk, name, text, sizeof text);
    long number = strtol(text, NULL, 10);
    return number < 0 ? 0 : number > INT32_MAX ? INT32_MAX : (int32_t)number;
}
