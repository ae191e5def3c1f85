/* Reads marks with a consumer of its own, made for the purpose: that is needed at claims only, and only when
 * the checkpoint is behind the frontier. */
#include "marks.h"
#include "clock.h"
#include "kafka_client.h"
#include "kafka_trouble.h"

enum { MARKS_PATIENCE_MS = 10000, MARKS_POLL_MS = 100 };

struct marks_reader {
    rd_kafka_t *rk;
    rd_kafka_topic_t *topic;
    int32_t partition;
    uint64_t next, last; /* wanted */
    struct mark_list *list;
};

/* Marks that are not wanted any more stand before those that are: `from` is only a lower bound. */
static enum relance_status marks_take(struct marks_reader *reader, const rd_kafka_message_t *message,
                                      struct relance_error *error)
{
    struct mark mark;
    enum relance_status status =
        mark_parse((struct relance_str){message->payload, message->len}, &mark, error);
    if (status != RELANCE_OK)
        return relance_error_set(error, RELANCE_REFUSED,
                                 "marks topic, partition %d, offset %lld holds something else",
                                 reader->partition, (long long)message->offset);
    if (mark.n == reader->next) {
        mark_list_add(reader->list, mark);
        reader->next++;
        return RELANCE_OK;
    }
    bool gap = mark.n > reader->next;
    uint64_t n = mark.n;
    mark_free(&mark);
    if (!gap) return RELANCE_OK;
    return relance_error_set(error, RELANCE_REFUSED,
                             "marks topic, partition %d: mark %llu is missing before %llu; the checkpoint "
                             "cannot be caught up from",
                             reader->partition, (unsigned long long)reader->next, (unsigned long long)n);
}

static enum relance_status marks_read_all(struct marks_reader *reader, struct relance_error *error)
{
    int64_t began = clock_monotonic_us();
    enum relance_status status = RELANCE_OK;
    while (status == RELANCE_OK && reader->next <= reader->last) {
        if (clock_monotonic_us() - began > MARKS_PATIENCE_MS * 1000)
            return relance_error_set(error, RELANCE_AGAIN,
                                     "marks topic, partition %d: mark %llu has not come", reader->partition,
                                     (unsigned long long)reader->next);
        rd_kafka_message_t *message = rd_kafka_consume(reader->topic, reader->partition, MARKS_POLL_MS);
        if (!message) continue;
        if (!message->err)
            status = marks_take(reader, message, error);
        else if (kafka_is_forbidden(message->err))
            status = kafka_trouble(error, RELANCE_REFUSED, message->err,
                                   (struct kafka_right){"Read", "topic", rd_kafka_topic_name(reader->topic)},
                                   "reading marks");
        else if (message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
                 message->err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE)
            status = relance_error_set(error, RELANCE_REFUSED,
                                       "marks topic, partition %d: marks that are needed are no longer kept",
                                       reader->partition);
        rd_kafka_message_destroy(message);
    }
    return status;
}

enum relance_status marks_read(const struct options *options, int32_t partition, int64_t from, uint64_t after,
                               uint64_t last, struct mark_list *list, struct relance_error *error)
{
    const struct option_kafka fixed[] = {
        {"isolation.level", "read_committed"}, {"auto.offset.reset", "error"}, {"fetch.wait.max.ms", "10"}};
    struct marks_reader reader = {.partition = partition, .next = after + 1, .last = last, .list = list};
    char name[256];
    enum relance_status status = kafka_client_open(
        KAFKA_CONSUMER, options, fixed, sizeof fixed / sizeof *fixed, NULL, NULL, &reader.rk, error);
    if (status != RELANCE_OK) return status;
    kafka_topic_name(options, OUTBOX_MARKS, name);
    reader.topic = rd_kafka_topic_new(reader.rk, name, NULL);
    if (!reader.topic || rd_kafka_consume_start(reader.topic, partition, from) != 0) {
        status = relance_error_set(error, RELANCE_AGAIN, "marks topic: %s",
                                   rd_kafka_err2str(rd_kafka_last_error()));
    } else {
        status = marks_read_all(&reader, error);
        rd_kafka_consume_stop(reader.topic, partition);
    }
    if (reader.topic) rd_kafka_topic_destroy(reader.topic);
    rd_kafka_destroy(reader.rk);
    return status;
}
