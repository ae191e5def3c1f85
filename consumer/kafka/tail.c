#include "kafka/tail.h"
#include "kafka/conf.h"

#include <stdlib.h>

struct kafka_tail {
    rd_kafka_t *consumer;
    rd_kafka_message_t *message; /* handed out last */
};

static const struct option_kafka tail_settings[] = {
    {"group.id", "tail"}, /* wanted by librdkafka; nothing is committed */
    {"enable.auto.commit", "false"},
    {"isolation.level", "read_committed"},
    {"fetch.wait.max.ms", "50"},
};

static enum relance_status tail_start(struct kafka_tail *tail, const struct option_kafka *settings,
                                      size_t count, struct relance_error *error)
{
    enum relance_status status =
        kafka_conf_start(RD_KAFKA_CONSUMER, settings, count, tail_settings,
                         sizeof tail_settings / sizeof *tail_settings, NULL, NULL, &tail->consumer, error);
    if (status == RELANCE_OK) rd_kafka_poll_set_consumer(tail->consumer);
    return status;
}

static enum relance_status tail_assign(struct kafka_tail *tail, const char *topic, int partitions,
                                       struct relance_error *error)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
    for (int p = 0; p < partitions; p++)
        rd_kafka_topic_partition_list_add(list, topic, p)->offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_resp_err_t code = rd_kafka_assign(tail->consumer, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (!code) return RELANCE_OK;
    return relance_error_set(error, RELANCE_IO, "topic '%s': %s", topic, rd_kafka_err2str(code));
}

struct kafka_tail *kafka_tail_open(const struct option_kafka *settings, size_t count, const char *topic,
                                   int partitions, struct relance_error *error)
{
    struct kafka_tail *tail = calloc(1, sizeof *tail);
    if (!tail) {
        relance_error_set(error, RELANCE_NO_MEMORY, "out of memory");
        return NULL;
    }
    if (tail_start(tail, settings, count, error) == RELANCE_OK &&
        tail_assign(tail, topic, partitions, error) == RELANCE_OK)
        return tail;
    kafka_tail_close(tail);
    return NULL;
}

static void tail_drop_message(struct kafka_tail *tail)
{
    if (tail->message) rd_kafka_message_destroy(tail->message);
    tail->message = NULL;
}

bool kafka_tail_next(struct kafka_tail *tail, int timeout_ms, struct kafka_tail_record *record)
{
    tail_drop_message(tail);
    tail->message = rd_kafka_consumer_poll(tail->consumer, timeout_ms);
    if (!tail->message || tail->message->err) return false; /* errors pass: librdkafka goes on trying */
    record->key = (struct relance_str){tail->message->key, tail->message->key_len};
    record->value = (struct relance_str){tail->message->payload, tail->message->len};
    return true;
}

void kafka_tail_close(struct kafka_tail *tail)
{
    if (!tail) return;
    tail_drop_message(tail);
    if (tail->consumer) {
        rd_kafka_consumer_close(tail->consumer);
        rd_kafka_destroy(tail->consumer);
    }
    free(tail);
}
