#include "kafka/writer_parts.h"
#include "base/ensure.h"
#include "base/murmur2.h"
#include "host/clock.h"
#include "kafka/client.h"
#include "kafka/codec.h"
#include "kafka/number.h"

#include <stdlib.h>
#include <time.h>

enum {
    WRITER_ALL_REPLICAS = -1,
    WRITER_PORTION = 2000000, /* bytes that are sent at once, but for a record that is larger */
    WRITER_LOOK_MS = 1000,    /* how long a question for leaders may take */
};

/* ---- start and end */
struct kafka_writer *kafka_writer_open(rd_kafka_t *rk, const struct sink_config *config)
{
    char codec[32], level[32];
    struct kafka_writer *writer = calloc(1, sizeof *writer);
    ensure(writer);
    if (!kafka_brokers_init(&writer->brokers, rk)) {
        free(writer);
        return NULL;
    }
    kafka_conf_text(rk, "compression.codec", codec, sizeof codec);
    kafka_conf_text(rk, "compression.level", level, sizeof level);
    ensure((writer->codec = kafka_codec_of(codec)) < KAFKA_CODECS);
    writer->level = atoi(level);
    writer->rk = rk;
    writer->config = *config;
    writer->transaction_ms = kafka_conf_number(rk, "transaction.timeout.ms");
    writer->pause_ms = kafka_conf_number(rk, "retry.backoff.ms");
    writer->refresh_ms = kafka_conf_number(rk, "topic.metadata.refresh.interval.ms");
    writer->batch_max = kafka_conf_number(rk, "batch.size");
    writer->coordinators[WRITER_GROUP] = writer->coordinators[WRITER_TRANSACTIONS] = KAFKA_NO_BROKER;
    for (int t = 0; t < OUTBOX_TOPICS; t++)
        kafka_topic_name(config->options, (enum outbox_topic)t, writer->topics[t].name);
    return writer;
}

void kafka_writer_close(struct kafka_writer *writer)
{
    if (!writer) return;
    for (int t = 0; t < OUTBOX_TOPICS; t++) {
        for (int32_t i = 0; i < writer->topics[t].count; i++)
            kafka_batch_free(&writer->topics[t].parts[i].batch);
        free(writer->topics[t].parts);
    }
    kafka_brokers_close(&writer->brokers);
    free(writer);
}

const char *kafka_writer_failure(const struct kafka_writer *writer)
{
    return writer->brokers.error.message;
}

/* ---- leaders */
static void writer_grow(struct writer_topic *topic, int32_t count)
{
    if (count <= topic->count) return;
    topic->parts = realloc(topic->parts, (size_t)count * sizeof *topic->parts);
    ensure(topic->parts);
    while (topic->count < count)
        topic->parts[topic->count++] = (struct writer_part){.leader = KAFKA_NO_BROKER};
}

static void writer_follow(struct kafka_writer *writer, struct writer_topic *topic,
                          const struct rd_kafka_metadata *metadata)
{
    const struct rd_kafka_metadata_topic *told = &metadata->topics[0];
    for (int i = 0; i < metadata->broker_cnt; i++) {
        const struct rd_kafka_metadata_broker *broker = &metadata->brokers[i];
        kafka_brokers_note(&writer->brokers, broker->id, broker->host, broker->port);
    }
    writer_grow(topic, told->partition_cnt);
    for (int i = 0; i < told->partition_cnt; i++) {
        const struct rd_kafka_metadata_partition *part = &told->partitions[i];
        if (part->id >= 0 && part->id < topic->count)
            topic->parts[part->id].leader = kafka_brokers_find(&writer->brokers, part->leader);
    }
}

static rd_kafka_resp_err_t writer_look(struct kafka_writer *writer, struct writer_topic *topic)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t code = kafka_conf_topic(writer->rk, topic->name, WRITER_LOOK_MS, &metadata);
    if (code) return code;
    code = metadata->topics[0].err;
    writer_follow(writer, topic, metadata);
    topic->looked_us = clock_monotonic_us();
    rd_kafka_metadata_destroy(metadata);
    return code;
}

/* ---- transactions */
static void writer_set_patience(struct kafka_writer *writer, int timeout_ms)
{
    writer->brokers.until_us = clock_monotonic_us() + (int64_t)timeout_ms * 1000;
}

/* Leaders are looked for now, so that the first action does not wait for them; the brokers among them tell the coordinators. */
rd_kafka_resp_err_t kafka_writer_start(struct kafka_writer *writer, int timeout_ms)
{
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
    writer_set_patience(writer, timeout_ms);
    for (int t = 0; t < OUTBOX_TOPICS; t++) {
        rd_kafka_resp_err_t one =
            *writer->topics[t].name ? writer_look(writer, &writer->topics[t]) : RD_KAFKA_RESP_ERR_NO_ERROR;
        if (one) code = one;
    }
    if (writer->brokers.count) code = writer_check_versions(writer);
    return code ? code : writer_init_producer(writer);
}

void kafka_writer_begin(struct kafka_writer *writer, int timeout_ms)
{
    int64_t stale_us = clock_monotonic_us() - (int64_t)writer->refresh_ms * 1000;
    for (int t = 0; t < OUTBOX_TOPICS; t++) {
        struct writer_topic *topic = &writer->topics[t];
        if (*topic->name && writer->refresh_ms && topic->looked_us < stale_us) writer_look(writer, topic);
        for (int32_t i = 0; i < topic->count; i++)
            topic->parts[i].is_added = false;
    }
    writer_set_patience(writer, timeout_ms);
}

/* ---- Produce */
static uint32_t writer_count_parts(const struct writer_topic *topic, int broker)
{
    uint32_t count = 0;
    for (int32_t i = 0; i < topic->count; i++)
        count += topic->parts[i].batch.count && topic->parts[i].leader == broker;
    return count;
}

static uint32_t writer_count_topics(const struct kafka_writer *writer, int broker)
{
    uint32_t count = 0;
    for (int t = 0; t < OUTBOX_TOPICS; t++)
        count += writer_count_parts(&writer->topics[t], broker) > 0;
    return count;
}

/* Of the machine's clock, which brokers compare it with, also where the wall clock of marks is another. */
static int64_t writer_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Behind its size. */
static void writer_put_batch(const struct kafka_writer *writer, struct buffer *out,
                             const struct writer_part *part)
{
    const struct kafka_batch_head head = {.producer = writer->producer,
                                          .epoch = writer->epoch,
                                          .sequence = part->sequence,
                                          .now_ms = writer_now_ms(),
                                          .codec = writer->codec,
                                          .level = writer->level};
    size_t at = out->size;
    kafka_put(out, 0, 4);
    kafka_batch_write(&part->batch, &head, out);
    kafka_set(out->data + at, out->size - at - 4, 4);
}

static void writer_put_topic(const struct kafka_writer *writer, struct buffer *out,
                             const struct writer_topic *topic, int broker)
{
    uint32_t count = writer_count_parts(topic, broker);
    if (!count) return;
    kafka_put_text(out, topic->name);
    kafka_put(out, count, 4);
    for (int32_t i = 0; i < topic->count; i++) {
        const struct writer_part *part = &topic->parts[i];
        if (!part->batch.count || part->leader != broker) continue;
        kafka_put(out, (uint32_t)i, 4);
        writer_put_batch(writer, out, part);
    }
}

static rd_kafka_resp_err_t writer_produce(struct kafka_writer *writer, int broker)
{
    struct buffer *out = kafka_brokers_begin(&writer->brokers, broker, KAFKA_PRODUCE, WRITER_PRODUCE_VERSION);
    if (!out) return RD_KAFKA_RESP_ERR__TRANSPORT;
    kafka_put_text(out, writer->config.member);
    kafka_put(out, (uint64_t)WRITER_ALL_REPLICAS, 2);
    kafka_put(out, (uint64_t)writer->transaction_ms, 4);
    kafka_put(out, writer_count_topics(writer, broker), 4);
    for (int t = 0; t < OUTBOX_TOPICS; t++)
        writer_put_topic(writer, out, &writer->topics[t], broker);
    kafka_brokers_ask(&writer->brokers, broker);
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static struct writer_part *writer_find_part(struct kafka_writer *writer, str name, int32_t number)
{
    for (int t = 0; t < OUTBOX_TOPICS; t++) {
        const struct writer_topic *topic = &writer->topics[t];
        bool is_it =
            name.size && strlen(topic->name) == name.size && memcmp(topic->name, name.data, name.size) == 0;
        if (is_it && number >= 0 && number < topic->count) return &topic->parts[number];
    }
    return NULL;
}

/* The log has them; where it had them before, by a request whose answer was lost, it says so. */
static void writer_note_sent(struct kafka_writer *writer, struct writer_part *part)
{
    writer->filled -= part->batch.records.size;
    part->sequence = (int32_t)(((uint32_t)part->sequence + part->batch.count) & INT32_MAX);
    kafka_batch_clear(&part->batch);
}

static rd_kafka_resp_err_t writer_read_part(struct kafka_writer *writer, str name, struct kafka_answer *in)
{
    struct writer_part *part = writer_find_part(writer, name, kafka_read_int32(in));
    rd_kafka_resp_err_t code = kafka_read_int16(in);
    kafka_read_int64(in); /* at which offset */
    kafka_read_int64(in); /* the log's own time */
    kafka_read_int64(in); /* and where it begins */
    if (code == RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER) code = RD_KAFKA_RESP_ERR_NO_ERROR;
    if (!part || !part->batch.count || in->failed) return RD_KAFKA_RESP_ERR__BAD_MSG;
    if (!code) writer_note_sent(writer, part);
    return code;
}

/* Of several what does not heal. */
static void writer_keep(rd_kafka_resp_err_t code, rd_kafka_resp_err_t *kept)
{
    if (code && (!*kept || kafka_is_passing(*kept))) *kept = code;
}

static rd_kafka_resp_err_t writer_read_produced(struct kafka_writer *writer, int broker)
{
    rd_kafka_resp_err_t kept = RD_KAFKA_RESP_ERR_NO_ERROR;
    struct kafka_answer in;
    if (!kafka_brokers_answer(&writer->brokers, broker, &in)) return RD_KAFKA_RESP_ERR__TRANSPORT;
    for (int32_t topics = kafka_read_int32(&in); topics > 0 && !in.failed; topics--) {
        str name = kafka_read_text(&in, kafka_read_int16(&in));
        for (int32_t parts = kafka_read_int32(&in); parts > 0 && !in.failed; parts--)
            writer_keep(writer_read_part(writer, name, &in), &kept);
    }
    return in.failed ? RD_KAFKA_RESP_ERR__BAD_MSG : kept;
}

/* One request for each broker that leads something, at the same time. Nothing is wrong, and something is left: a leader is not known. */
static rd_kafka_resp_err_t writer_send_once(struct kafka_writer *writer)
{
    rd_kafka_resp_err_t kept = RD_KAFKA_RESP_ERR_NO_ERROR;
    int count = writer->brokers.count;
    bool *is_asked = calloc((size_t)count + 1, sizeof *is_asked);
    ensure(is_asked);
    for (int i = 0; i < count; i++) {
        if (!writer_count_topics(writer, i)) continue;
        rd_kafka_resp_err_t code = writer_produce(writer, i);
        is_asked[i] = !code;
        writer_keep(code, &kept);
    }
    kafka_brokers_await(&writer->brokers);
    for (int i = 0; i < count; i++)
        if (is_asked[i]) writer_keep(writer_read_produced(writer, i), &kept);
    free(is_asked);
    return kept || !writer->filled ? kept : RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
}

static void writer_look_again(struct kafka_writer *writer)
{
    for (int t = 0; t < OUTBOX_TOPICS; t++) {
        struct writer_topic *topic = &writer->topics[t];
        bool is_waiting = false;
        for (int32_t i = 0; i < topic->count; i++)
            is_waiting |= topic->parts[i].batch.count > 0;
        if (is_waiting) writer_look(writer, topic);
    }
}

rd_kafka_resp_err_t kafka_writer_send(struct kafka_writer *writer)
{
    rd_kafka_resp_err_t code = writer_add_parts(writer);
    while (!code && writer->filled) {
        code = writer_send_once(writer);
        if (!code || !writer_may_try_again(writer, code)) continue;
        writer_look_again(writer);
        code = RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    return code;
}

/* ---- records */
/* Without a key it does not matter which; -1: the topic's partitions are not known. */
static int32_t writer_choose(struct kafka_writer *writer, const struct writer_topic *topic,
                             const struct outbox_record *record)
{
    if (record->partition >= 0 || !topic->count) return record->partition;
    return record->key.data ? murmur2_partition(record->key, topic->count)
                            : (int32_t)(writer->turn++ % (unsigned)topic->count);
}

static rd_kafka_resp_err_t writer_place(struct kafka_writer *writer, const struct outbox_record *record,
                                        struct writer_part **out)
{
    struct writer_topic *topic = &writer->topics[record->topic];
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
    int32_t number;
    while ((number = writer_choose(writer, topic, record)) < 0 || number >= topic->count) {
        if (code && !writer_may_try_again(writer, code)) return code;
        code = writer_look(writer, topic);
        if (!code) code = RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    }
    *out = &topic->parts[number];
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* How many bytes a record may have that is sent along with what waits. */
static size_t writer_room(const struct kafka_writer *writer, const struct writer_part *part)
{
    size_t portion = writer->filled < WRITER_PORTION ? WRITER_PORTION - writer->filled : 0;
    size_t filled = part->batch.records.size, most = (size_t)writer->batch_max;
    size_t batch = !part->batch.count ? SIZE_MAX : filled < most ? most - filled : 0;
    return batch < portion ? batch : portion;
}

rd_kafka_resp_err_t kafka_writer_put(struct kafka_writer *writer, const struct outbox_record *record)
{
    struct writer_part *part;
    rd_kafka_resp_err_t code = writer_place(writer, record, &part);
    if (code) return code;
    size_t before = part->batch.records.size;
    if (!kafka_batch_put(&part->batch, record, writer_room(writer, part))) {
        code = kafka_writer_send(writer);
        if (!code) code = writer_place(writer, record, &part); /* parts may have moved */
        if (code) return code;
        before = 0;
        ensure(kafka_batch_put(&part->batch, record, SIZE_MAX));
    }
    writer->filled += part->batch.records.size - before;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* ---- the end */
rd_kafka_resp_err_t kafka_writer_send_frontiers(struct kafka_writer *writer,
                                                const struct sink_frontier *frontiers, size_t count,
                                                const struct membership *membership)
{
    writer->frontiers = frontiers;
    writer->frontier_count = count;
    writer->membership = membership;
    rd_kafka_resp_err_t code = writer_add_offsets(writer);
    return code ? code : writer_commit_offsets(writer);
}

rd_kafka_resp_err_t kafka_writer_commit(struct kafka_writer *writer)
{
    return writer_end(writer);
}
