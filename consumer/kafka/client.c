#include "kafka/client.h"
#include "base/ensure.h"
#include <stdlib.h>

#define KAFKA_TEXT(number)  KAFKA_TEXT_(number)
#define KAFKA_TEXT_(number) #number

/* Beneath what the user says. */
static const struct option_kafka kafka_consumer_defaults[] = {
    {"client.id", "relance"},
    {"socket.nagle.disable", "true"},
    {"session.timeout.ms", "12000"},
    {"heartbeat.interval.ms", "250"},  /* with its answer comes that partitions are to be shared anew */
    {"fetch.wait.max.ms", "20"},       /* also how long a question waits behind a fetch that finds nothing */
    {"queued.min.messages", "200000"}, /* more would be memory; see source_gather on what fewer would cost */
    {"queued.max.messages.kbytes", "65536"},
};
static const struct option_kafka kafka_producer_defaults[] = {
    {"client.id", "relance"},
    {"socket.nagle.disable", "true"},
    {"transaction.timeout.ms", "10000"}, /* below the session's, so that a successor never waits long */
    {"message.max.bytes",
     KAFKA_TEXT(KAFKA_MESSAGE_MAX)}, /* the topics' own bounds count: rule sets are large */
    {"linger.ms", "1000"},     /* the end of a transaction asks for what still waits; see sink_produce */
    {"retry.backoff.ms", "5"}, /* else every second transaction waits 100 ms for the one before */
};

/* Defaults, then the user's: of two settings of one name the later counts. */
static size_t kafka_settings(enum kafka_kind kind, const struct options *options, struct option_kafka **out)
{
    const struct option_kafka *defaults =
        kind == KAFKA_CONSUMER ? kafka_consumer_defaults : kafka_producer_defaults;
    size_t count = kind == KAFKA_CONSUMER ? sizeof kafka_consumer_defaults / sizeof *defaults
                                          : sizeof kafka_producer_defaults / sizeof *defaults;
    struct option_kafka *all = calloc(count + options->kafka_count, sizeof *all);
    ensure(all);
    memcpy(all, defaults, count * sizeof *all);
    if (options->kafka_count) memcpy(all + count, options->kafka, options->kafka_count * sizeof *all);
    *out = all;
    return count + options->kafka_count;
}

enum relance_status kafka_client_open(enum kafka_kind kind, const struct options *options,
                                      const struct option_kafka *fixed, size_t fixed_count,
                                      void (*prepare)(rd_kafka_conf_t *conf, void *context), void *context,
                                      rd_kafka_t **out, struct relance_error *error)
{
    struct option_kafka *settings;
    rd_kafka_type_t type = kind == KAFKA_CONSUMER ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER;
    size_t count = kafka_settings(kind, options, &settings);
    enum relance_status status =
        kafka_conf_start(type, settings, count, fixed, fixed_count, prepare, context, out, error);
    free(settings);
    return status;
}

enum relance_status kafka_client_error(enum relance_status status, const char *doing,
                                       rd_kafka_error_t *object, struct relance_error *error)
{
    relance_error_set(error, status, "%s: %s", doing, rd_kafka_error_string(object));
    rd_kafka_error_destroy(object);
    return status;
}

/* ---- what source.c and relay.c, sink.c and relay.c have in common */
/* Assigns, and waits until fetchers that this stops have said so: librdkafka 2.0.2 aborts the process when a
 * partition is taken away a second time before that ("rktp->rktp_started"). Stop and answer stand in the queue
 * of its main thread, our question behind the one and any later assignment behind the other. A client that
 * closes throws that queue away, and would never answer; it makes no later assignment either. */
rd_kafka_resp_err_t kafka_client_assign(rd_kafka_t *consumer, const rd_kafka_topic_partition_list_t *list,
                                        bool is_closing)
{
    rd_kafka_topic_partition_list_t *assigned = NULL;
    rd_kafka_resp_err_t err = rd_kafka_assign(consumer, list);
    if (!is_closing && rd_kafka_assignment(consumer, &assigned) == RD_KAFKA_RESP_ERR_NO_ERROR)
        rd_kafka_topic_partition_list_destroy(assigned);
    return err;
}

/* A transaction that has failed in the meantime says so and no more; why, it says to whoever wants to begin another. */
rd_kafka_error_t *kafka_client_reason(rd_kafka_t *producer, rd_kafka_error_t *object)
{
    if (!object || rd_kafka_error_code(object) != RD_KAFKA_RESP_ERR__STATE) return object;
    rd_kafka_error_t *reason = rd_kafka_begin_transaction(producer);
    if (!reason) return object;
    rd_kafka_error_destroy(object);
    return reason;
}

void kafka_client_drop(rd_kafka_t *producer)
{
    rd_kafka_purge(producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_poll(producer, 0); /* the reports of what was purged */
    rd_kafka_destroy(producer);
}

/* ---- offsets */
enum { KAFKA_ASK_MS = 5000 };

struct kafka_right kafka_client_right(rd_kafka_resp_err_t code, const char *group, const char *topic)
{
    bool is_group = code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED;
    return is_group ? (struct kafka_right){"Read", "group", group}
                    : (struct kafka_right){"Read", "topic", topic};
}

enum relance_status kafka_client_frontier(rd_kafka_t *consumer, const char *group, const char *topic,
                                          int32_t partition, struct source_frontier *out,
                                          struct relance_error *error)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    ensure(list);
    rd_kafka_topic_partition_t *element = rd_kafka_topic_partition_list_add(list, topic, partition);
    rd_kafka_resp_err_t err = rd_kafka_committed(consumer, list, KAFKA_ASK_MS);
    if (!err) err = element->err;
    int64_t offset = element->offset >= 0 ? element->offset : -1;
    *out = (struct source_frontier){.frontier.position.offset = offset};
    struct relance_str metadata = {element->metadata, element->metadata_size};
    if (offset >= 0) out->is_foreign = !metadata.size || !frontier_parse(offset, metadata, &out->frontier);
    rd_kafka_topic_partition_list_destroy(list);
    if (!err) return RELANCE_OK;
    return kafka_trouble(error, RELANCE_AGAIN, err, kafka_client_right(err, group, topic),
                         "asking for the committed offset of %s/%d", topic, partition);
}

rd_kafka_topic_partition_list_t *kafka_client_frontiers(const char *topic,
                                                        const struct sink_frontier *frontiers, size_t count)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    ensure(list);
    for (size_t i = 0; i < count; i++) {
        char text[FRONTIER_TEXT_SIZE];
        rd_kafka_topic_partition_t *element =
            rd_kafka_topic_partition_list_add(list, topic, frontiers[i].partition);
        element->offset = frontiers[i].frontier.position.offset;
        element->metadata_size = frontier_print(&frontiers[i].frontier, text);
        ensure(element->metadata = strdup(text)); /* the list frees it */
    }
    return list;
}

void kafka_topic_name(const struct options *options, enum outbox_topic topic, char out[256])
{
    static const char *const suffixes[OUTBOX_TOPICS] = {[OUTBOX_ACTIONS] = "",
                                                        [OUTBOX_DEAD] = ".dead",
                                                        [OUTBOX_MARKS] = ".marks",
                                                        [OUTBOX_LINKS] = ".links",
                                                        [OUTBOX_DECISIONS] = ""};
    bool is_apart = topic == OUTBOX_DECISIONS;
    const char *base = is_apart ? options->decisions : options->output;
    snprintf(out, 256, "%s%s", base ? base : "", suffixes[topic]);
}

void kafka_models_name(const struct options *options, char out[256])
{
    snprintf(out, 256, "%s.models", options->output);
}
