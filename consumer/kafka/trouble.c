/* librdkafka tells why a connection failed in its log alone, and whoever waits for an answer gets a time-out. So the
 * last such line is kept, for all clients of the process: they all go to the same brokers with the same password. */
#include "kafka/trouble.h"
#include "host/clock.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { TROUBLE_FRESH_US = 20000000, TROUBLE_SIZE = 400 }; /* what was said longer ago has healed since */

static struct {
    pthread_mutex_t lock;
    char text[TROUBLE_SIZE];
    int64_t heard_us;
} trouble_last = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* "[thrd:NAME]: what happened" */
void kafka_trouble_hear(const char *facility, const char *text)
{
    if (strcmp(facility, "FAIL") != 0) return;
    const char *behind = strncmp(text, "[thrd:", 6) == 0 ? strstr(text, "]: ") : NULL;
    pthread_mutex_lock(&trouble_last.lock);
    snprintf(trouble_last.text, sizeof trouble_last.text, "%s", behind ? behind + 3 : text);
    trouble_last.heard_us = clock_monotonic_us();
    pthread_mutex_unlock(&trouble_last.lock);
}

static bool trouble_recall(char out[TROUBLE_SIZE])
{
    pthread_mutex_lock(&trouble_last.lock);
    bool fresh = *trouble_last.text && clock_monotonic_us() - trouble_last.heard_us < TROUBLE_FRESH_US;
    memcpy(out, trouble_last.text, TROUBLE_SIZE);
    pthread_mutex_unlock(&trouble_last.lock);
    return fresh;
}

bool kafka_is_forbidden(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
           code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED ||
           code == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED ||
           code == RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
}

bool kafka_is_passing(rd_kafka_resp_err_t code)
{
    switch (code) {
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR_UNKNOWN:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION:
    case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_COORDINATOR:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND:
    case RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS:
    case RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR:
    case RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH:
    case RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH:
    case RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE: return true;
    default: return false;
    }
}

static bool trouble_is_unreached(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__TIMED_OUT ||
           code == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT || code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
}

/* What librdkafka says too tersely, or wrongly. */
static const char *trouble_hint(const char *why)
{
    enum { SCRAM_MENDED = 0x020601ff };
    if (strstr(why, "unexpected eof while reading")) return "; is it a listener without TLS?";
    if (strstr(why, "invalid credentials with SASL mechanism SCRAM") && rd_kafka_version() < SCRAM_MENDED)
        return "; a Kafka from 4.0 on says so of every password, since this librdkafka is older than 2.6.1: "
               "use "
               "PLAIN over TLS, or certificates";
    return "";
}

enum relance_status kafka_trouble(struct relance_error *error, enum relance_status status,
                                  rd_kafka_resp_err_t code, struct kafka_right right, const char *doing, ...)
{
    char what[256], why[TROUBLE_SIZE];
    const char *called = rd_kafka_err2str(code);
    va_list list;
    va_start(list, doing);
    vsnprintf(what, sizeof what, doing, list);
    va_end(list);
    if (kafka_is_forbidden(code))
        return relance_error_set(error, RELANCE_REFUSED, "%s: %s; this user needs %s on %s %s", what, called,
                                 right.operation, right.resource, right.name);
    if (trouble_is_unreached(code) && trouble_recall(why))
        return relance_error_set(error, status, "%s: %s; %s%s", what, called, why, trouble_hint(why));
    return relance_error_set(error, status, "%s: %s", what, called);
}
