/* Reads marks with a consumer of its own, made for the purpose: that is needed at claims only, and only when
 * the checkpoint is behind the frontier. */
#include "delivery/marks.h"
#include "host/clock.h"
#include "kafka/client.h"
#include "kafka/scan.h"
#include "kafka/trouble.h"
#include "host/log.h"
#include "host/stop.h"

enum { MARKS_PATIENCE_MS = 10000, MARKS_POLL_MS = 100 };

struct marks_reader {
    rd_kafka_t *rk;
    rd_kafka_topic_t *topic;
    const struct marks_wanted *wanted;
    uint64_t next;
    struct mark_list *list;
};

static enum relance_status marks_gone(const struct marks_reader *reader, struct relance_error *error)
{
    return relance_error_set(
        error, RELANCE_REFUSED,
        "marks topic, partition %d: marks from number %llu on are needed, and are no longer kept",
        reader->wanted->partition, (unsigned long long)reader->next);
}

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
                                 reader->wanted->partition, (long long)message->offset);
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
                             reader->wanted->partition, (unsigned long long)reader->next,
                             (unsigned long long)n);
}

/* All is read that there is, and what is missing is not to come: it is of before the cut. */
static bool marks_end(const struct marks_reader *reader, const rd_kafka_message_t *message)
{
    return message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF && reader->wanted->is_cut &&
           message->offset >= reader->wanted->end;
}

static enum relance_status marks_read_all(struct marks_reader *reader, struct relance_error *error)
{
    int64_t began = clock_monotonic_us();
    enum relance_status status = RELANCE_OK;
    while (status == RELANCE_OK && reader->next <= reader->wanted->last) {
        if (stop_requested()) return relance_error_set(error, RELANCE_AGAIN, "ending");
        if (clock_monotonic_us() - began > MARKS_PATIENCE_MS * 1000)
            return relance_error_set(error, RELANCE_AGAIN,
                                     "marks topic, partition %d: mark %llu has not come",
                                     reader->wanted->partition, (unsigned long long)reader->next);
        rd_kafka_message_t *message =
            rd_kafka_consume(reader->topic, reader->wanted->partition, MARKS_POLL_MS);
        if (!message) continue;
        if (!message->err)
            status = marks_take(reader, message, error);
        else if (kafka_is_forbidden(message->err))
            status = kafka_trouble(error, RELANCE_REFUSED, message->err,
                                   (struct kafka_right){"Read", "topic", rd_kafka_topic_name(reader->topic)},
                                   "reading marks");
        else if (message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
                 message->err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE || marks_end(reader, message))
            status = marks_gone(reader, error);
        rd_kafka_message_destroy(message);
    }
    return status;
}

enum relance_status marks_read(const struct options *options, const struct marks_wanted *wanted,
                               struct mark_list *list, struct relance_error *error)
{
    const struct option_kafka fixed[] = {{"isolation.level", "read_committed"},
                                         {"auto.offset.reset", "error"},
                                         {"enable.partition.eof", "true"},
                                         {"fetch.wait.max.ms", "10"}};
    struct marks_reader reader = {.wanted = wanted, .next = wanted->after + 1, .list = list};
    char name[256];
    enum relance_status status = kafka_client_open(
        KAFKA_CONSUMER, options, fixed, sizeof fixed / sizeof *fixed, NULL, NULL, &reader.rk, error);
    if (status != RELANCE_OK) return status;
    kafka_topic_name(options, OUTBOX_MARKS, name);
    reader.topic = rd_kafka_topic_new(reader.rk, name, NULL);
    if (!reader.topic || rd_kafka_consume_start(reader.topic, wanted->partition, wanted->from) != 0) {
        status = relance_error_set(error, RELANCE_AGAIN, "marks topic: %s",
                                   rd_kafka_err2str(rd_kafka_last_error()));
    } else {
        status = marks_read_all(&reader, error);
        rd_kafka_consume_stop(reader.topic, wanted->partition);
    }
    if (reader.topic) rd_kafka_topic_destroy(reader.topic);
    rd_kafka_destroy(reader.rk);
    return status;
}

/* ---- those that are kept */
struct marks_kept {
    marks_see *see;
    void *context;
};

static void marks_begin_kept(void *context, int32_t partition, int64_t low)
{
    (void)context, (void)partition, (void)low;
}

static bool marks_see_kept(void *context, const struct kafka_scan_record *record)
{
    const struct marks_kept *kept = context;
    struct mark mark;
    struct relance_error error;
    if (mark_parse(record->value, &mark, &error) == RELANCE_OK)
        kept->see(kept->context, &mark);
    else
        log_line(LOG_WARNING, "The marks topic holds something else.", "partition=%d offset=%lld",
                 record->partition, (long long)record->offset);
    return true;
}

enum relance_status marks_each_kept(const struct options *options, int32_t partition, marks_see *see,
                                    void *context, struct relance_error *error)
{
    char topic[256];
    struct marks_kept kept = {see, context};
    kafka_topic_name(options, OUTBOX_MARKS, topic);
    enum relance_status status =
        kafka_scan_part(options, topic, partition, INT64_MIN, marks_begin_kept, marks_see_kept, &kept, error);
    return status == RELANCE_OK ? status : (error->status = RELANCE_AGAIN);
}

static void marks_list_kept(void *context, struct mark *mark)
{
    mark_list_add(context, *mark);
}

enum relance_status marks_read_kept(const struct options *options, int32_t partition, struct mark_list *list,
                                    struct relance_error *error)
{
    return marks_each_kept(options, partition, marks_list_kept, list, error);
}
