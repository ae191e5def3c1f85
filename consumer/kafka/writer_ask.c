/* What is asked of coordinators. */
#include "kafka/writer_parts.h"
#include "base/ensure.h"
#include "host/clock.h"
#include "kafka/client.h"
#include "kafka/member.h"
#include "kafka/trouble.h"

enum {
    WRITER_LONG_PAUSE_MS =
        50, /* until another broker may have taken over; the transaction before ends sooner */
};

struct writer_question {
    enum kafka_request request;
    int version;
    enum writer_role role;
    bool is_flexible;
    bool is_once; /* not asked again, once it may have arrived */
    void (*put)(const struct kafka_writer *writer, struct buffer *out);
    rd_kafka_resp_err_t (*read)(struct kafka_writer *writer, struct kafka_answer *in);
};

/* ---- asking */
bool writer_may_try_again(struct kafka_writer *writer, rd_kafka_resp_err_t code)
{
    int64_t pause_ms =
        code == RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS ? writer->pause_ms : WRITER_LONG_PAUSE_MS;
    if (!kafka_is_passing(code) || clock_monotonic_us() >= writer->brokers.until_us) return false;
    clock_sleep_us(pause_ms * 1000);
    return true;
}

static bool writer_await(struct kafka_writer *writer, int broker, struct kafka_answer *in)
{
    kafka_brokers_ask(&writer->brokers, broker);
    kafka_brokers_await(&writer->brokers);
    return kafka_brokers_answer(&writer->brokers, broker, in);
}

/* Behind what answers to all but ApiVersions begin with: how long the broker makes us wait, which it does by itself. */
static bool writer_await_body(struct kafka_writer *writer, int broker, bool is_flexible,
                              struct kafka_answer *in)
{
    if (!writer_await(writer, broker, in)) return false;
    if (is_flexible) kafka_read_tags(in);
    kafka_read_int32(in);
    return true;
}

static rd_kafka_resp_err_t writer_find(struct kafka_writer *writer, enum writer_role role)
{
    struct kafka_brokers *brokers = &writer->brokers;
    struct kafka_answer in;
    if (!brokers->count) return RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE;
    int asked = (int)(writer->turn++ % (unsigned)brokers->count);
    struct buffer *out = kafka_brokers_begin(brokers, asked, KAFKA_FIND_COORDINATOR, WRITER_FIND_VERSION);
    if (!out) return RD_KAFKA_RESP_ERR__TRANSPORT;
    kafka_put_text(out, role == WRITER_GROUP ? writer->config.options->group : writer->config.member);
    kafka_put(out, role, 1);
    if (!writer_await_body(writer, asked, false, &in)) return RD_KAFKA_RESP_ERR__TRANSPORT;
    rd_kafka_resp_err_t code = kafka_read_int16(&in);
    kafka_read_text(&in, kafka_read_int16(&in)); /* the same in words */
    int32_t id = kafka_read_int32(&in);
    str host = kafka_read_text(&in, kafka_read_int16(&in));
    int32_t port = kafka_read_int32(&in);
    if (in.failed) return RD_KAFKA_RESP_ERR__BAD_MSG;
    if (code) return code;
    char name[256];
    snprintf(name, sizeof name, "%.*s", (int)host.size, host.data);
    writer->coordinators[role] = kafka_brokers_note(brokers, id, name, port);
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_resp_err_t writer_ask_once(struct kafka_writer *writer,
                                           const struct writer_question *question, bool *has_asked)
{
    struct kafka_answer in;
    int *broker = &writer->coordinators[question->role];
    *has_asked = false;
    if (*broker == KAFKA_NO_BROKER) {
        rd_kafka_resp_err_t code = writer_find(writer, question->role);
        if (code) return code;
    }
    struct buffer *out = kafka_brokers_begin(&writer->brokers, *broker, question->request, question->version);
    if (!out) return RD_KAFKA_RESP_ERR__TRANSPORT;
    if (question->is_flexible) kafka_put_no_tags(out);
    question->put(writer, out);
    *has_asked = true;
    if (!writer_await_body(writer, *broker, question->is_flexible, &in)) return RD_KAFKA_RESP_ERR__TRANSPORT;
    rd_kafka_resp_err_t code = question->read(writer, &in);
    return in.failed ? RD_KAFKA_RESP_ERR__BAD_MSG : code;
}

static rd_kafka_resp_err_t writer_ask(struct kafka_writer *writer, const struct writer_question *question)
{
    rd_kafka_resp_err_t code;
    bool has_asked, may_have_arrived;
    do {
        code = writer_ask_once(writer, question, &has_asked);
        if (!code) return code;
        may_have_arrived = has_asked && code == RD_KAFKA_RESP_ERR__TRANSPORT;
        if (code != RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS)
            writer->coordinators[question->role] = KAFKA_NO_BROKER;
    } while (!(may_have_arrived && question->is_once) && writer_may_try_again(writer, code));
    return code;
}

/* ---- ApiVersions */
static const struct writer_version {
    int16_t request, version;
} writer_versions[] = {
    {KAFKA_PRODUCE, WRITER_PRODUCE_VERSION},
    {KAFKA_FIND_COORDINATOR, WRITER_FIND_VERSION},
    {KAFKA_INIT_PRODUCER_ID, WRITER_INIT_VERSION},
    {KAFKA_ADD_PARTITIONS_TO_TXN, WRITER_ADD_VERSION},
    {KAFKA_ADD_OFFSETS_TO_TXN, WRITER_ADD_VERSION},
    {KAFKA_TXN_OFFSET_COMMIT, WRITER_OFFSETS_VERSION},
    {KAFKA_END_TXN, WRITER_END_VERSION},
};
enum { WRITER_VERSIONS = sizeof writer_versions / sizeof *writer_versions };

/* How many of ours lie in what a broker knows of a request. */
static int versions_count(struct kafka_answer *in)
{
    int16_t request = kafka_read_int16(in), first = kafka_read_int16(in), last = kafka_read_int16(in);
    int count = 0;
    for (int i = 0; i < WRITER_VERSIONS; i++)
        count += writer_versions[i].request == request && writer_versions[i].version >= first &&
                 writer_versions[i].version <= last;
    return count;
}

static rd_kafka_resp_err_t versions_ask(struct kafka_writer *writer, int broker)
{
    struct kafka_answer in;
    int count = 0;
    if (!kafka_brokers_begin(&writer->brokers, broker, KAFKA_API_VERSIONS, 0) ||
        !writer_await(writer, broker, &in))
        return writer->brokers.all[broker].line.is_refused ? RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION
                                                           : RD_KAFKA_RESP_ERR__TRANSPORT;
    rd_kafka_resp_err_t code = kafka_read_int16(&in);
    for (int32_t requests = kafka_read_int32(&in); requests > 0 && !in.failed; requests--)
        count += versions_count(&in);
    if (in.failed) return RD_KAFKA_RESP_ERR__BAD_MSG;
    return code || count == WRITER_VERSIONS ? code : RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION;
}

/* Of the first that answers: brokers of a cluster are of one version, but for while it is being updated. One that does not let us in, where
 * librdkafka has come in by the same settings, is one that it alone can speak with. */
rd_kafka_resp_err_t writer_check_versions(struct kafka_writer *writer)
{
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__TRANSPORT;
    for (int i = 0; i < writer->brokers.count && code == RD_KAFKA_RESP_ERR__TRANSPORT; i++)
        code = versions_ask(writer, i);
    return code;
}

/* ---- what questions have in common */
static rd_kafka_resp_err_t ask_read_code(struct kafka_writer *writer, struct kafka_answer *in)
{
    (void)writer;
    return kafka_read_int16(in);
}

static void ask_put_producer(const struct kafka_writer *writer, struct buffer *out)
{
    kafka_put_text(out, writer->config.member);
    kafka_put(out, (uint64_t)writer->producer, 8);
    kafka_put(out, (uint64_t)writer->epoch, 2);
}

/* ---- InitProducerId */
static void ask_put_init(const struct kafka_writer *writer, struct buffer *out)
{
    kafka_put_text(out, writer->config.member);
    kafka_put(out, (uint64_t)writer->transaction_ms, 4);
}

static rd_kafka_resp_err_t ask_read_init(struct kafka_writer *writer, struct kafka_answer *in)
{
    rd_kafka_resp_err_t code = kafka_read_int16(in);
    writer->producer = kafka_read_int64(in);
    writer->epoch = kafka_read_int16(in);
    return code;
}

rd_kafka_resp_err_t writer_init_producer(struct kafka_writer *writer)
{
    static const struct writer_question question = {.request = KAFKA_INIT_PRODUCER_ID,
                                                    .version = WRITER_INIT_VERSION,
                                                    .role = WRITER_TRANSACTIONS,
                                                    .put = ask_put_init,
                                                    .read = ask_read_init};
    return writer_ask(writer, &question);
}

/* ---- AddPartitionsToTxn */
static uint32_t ask_count_new(const struct writer_topic *topic)
{
    uint32_t count = 0;
    for (int32_t i = 0; i < topic->count; i++)
        count += topic->parts[i].batch.count && !topic->parts[i].is_added;
    return count;
}

static void ask_put_parts(const struct kafka_writer *writer, struct buffer *out)
{
    uint32_t topics = 0;
    for (int t = 0; t < OUTBOX_TOPICS; t++)
        topics += ask_count_new(&writer->topics[t]) > 0;
    ask_put_producer(writer, out);
    kafka_put(out, topics, 4);
    for (int t = 0; t < OUTBOX_TOPICS; t++) {
        const struct writer_topic *topic = &writer->topics[t];
        uint32_t count = ask_count_new(topic);
        if (!count) continue;
        kafka_put_text(out, topic->name);
        kafka_put(out, count, 4);
        for (int32_t i = 0; i < topic->count; i++)
            if (topic->parts[i].batch.count && !topic->parts[i].is_added) kafka_put(out, (uint32_t)i, 4);
    }
}

/* Of several the one that says most: where one partition is refused, the others are not even tried. */
static void ask_keep(rd_kafka_resp_err_t code, rd_kafka_resp_err_t *kept)
{
    if (code && (!*kept || *kept == RD_KAFKA_RESP_ERR_OPERATION_NOT_ATTEMPTED)) *kept = code;
}

static rd_kafka_resp_err_t ask_read_parts(struct kafka_writer *writer, struct kafka_answer *in)
{
    rd_kafka_resp_err_t kept = RD_KAFKA_RESP_ERR_NO_ERROR;
    (void)writer;
    for (int32_t topics = kafka_read_int32(in); topics > 0 && !in->failed; topics--) {
        kafka_read_text(in, kafka_read_int16(in));
        for (int32_t parts = kafka_read_int32(in); parts > 0 && !in->failed; parts--) {
            kafka_read_int32(in);
            ask_keep(kafka_read_int16(in), &kept);
        }
    }
    return kept;
}

rd_kafka_resp_err_t writer_add_parts(struct kafka_writer *writer)
{
    static const struct writer_question question = {.request = KAFKA_ADD_PARTITIONS_TO_TXN,
                                                    .version = WRITER_ADD_VERSION,
                                                    .role = WRITER_TRANSACTIONS,
                                                    .put = ask_put_parts,
                                                    .read = ask_read_parts};
    uint32_t count = 0;
    for (int t = 0; t < OUTBOX_TOPICS; t++)
        count += ask_count_new(&writer->topics[t]);
    rd_kafka_resp_err_t code = count ? writer_ask(writer, &question) : RD_KAFKA_RESP_ERR_NO_ERROR;
    for (int t = 0; t < OUTBOX_TOPICS && !code; t++)
        for (int32_t i = 0; i < writer->topics[t].count; i++)
            writer->topics[t].parts[i].is_added |= writer->topics[t].parts[i].batch.count > 0;
    return code;
}

/* ---- AddOffsetsToTxn */
static void ask_put_group(const struct kafka_writer *writer, struct buffer *out)
{
    ask_put_producer(writer, out);
    kafka_put_text(out, writer->config.options->group);
}

rd_kafka_resp_err_t writer_add_offsets(struct kafka_writer *writer)
{
    static const struct writer_question question = {.request = KAFKA_ADD_OFFSETS_TO_TXN,
                                                    .version = WRITER_ADD_VERSION,
                                                    .role = WRITER_TRANSACTIONS,
                                                    .put = ask_put_group,
                                                    .read = ask_read_code};
    return writer_ask(writer, &question);
}

/* ---- TxnOffsetCommit */
static void ask_put_frontier(struct buffer *out, const struct sink_frontier *frontier)
{
    char text[FRONTIER_TEXT_SIZE];
    frontier_print(&frontier->frontier, text);
    kafka_put(out, (uint32_t)frontier->partition, 4);
    kafka_put(out, (uint64_t)frontier->frontier.position.offset, 8);
    kafka_put(out, UINT32_MAX, 4); /* of which leader's epoch: not told */
    kafka_put_compact(out, text);
    kafka_put_no_tags(out);
}

static void ask_put_offsets(const struct kafka_writer *writer, struct buffer *out)
{
    char member[KAFKA_MEMBER_SIZE];
    int32_t generation;
    ensure(kafka_member_read(writer->membership->metadata, member,
                             &generation)); /* else nobody would be fenced */
    kafka_put_compact(out, writer->config.member);
    kafka_put_compact(out, writer->config.options->group);
    kafka_put(out, (uint64_t)writer->producer, 8);
    kafka_put(out, (uint64_t)writer->epoch, 2);
    kafka_put(out, (uint32_t)generation, 4);
    kafka_put_compact(out, member);
    kafka_put_compact(out, writer->config.member); /* group.instance.id */
    kafka_put_compact_size(out, 1);
    kafka_put_compact(out, writer->config.options->input);
    kafka_put_compact_size(out, writer->frontier_count);
    for (size_t i = 0; i < writer->frontier_count; i++)
        ask_put_frontier(out, &writer->frontiers[i]);
    kafka_put_no_tags(out);
    kafka_put_no_tags(out);
}

static rd_kafka_resp_err_t ask_read_offsets(struct kafka_writer *writer, struct kafka_answer *in)
{
    rd_kafka_resp_err_t kept = RD_KAFKA_RESP_ERR_NO_ERROR;
    (void)writer;
    for (size_t topics = kafka_read_compact_size(in); topics && !in->failed; topics--) {
        kafka_read_text(in, (int32_t)kafka_read_compact_size(in));
        for (size_t parts = kafka_read_compact_size(in); parts && !in->failed; parts--) {
            kafka_read_int32(in);
            ask_keep(kafka_read_int16(in), &kept);
            kafka_read_tags(in);
        }
        kafka_read_tags(in);
    }
    return kept;
}

rd_kafka_resp_err_t writer_commit_offsets(struct kafka_writer *writer)
{
    static const struct writer_question question = {.request = KAFKA_TXN_OFFSET_COMMIT,
                                                    .version = WRITER_OFFSETS_VERSION,
                                                    .role = WRITER_GROUP,
                                                    .is_flexible = true,
                                                    .is_once = true,
                                                    .put = ask_put_offsets,
                                                    .read = ask_read_offsets};
    return writer_ask(writer, &question);
}

/* ---- EndTxn */
static void ask_put_end(const struct kafka_writer *writer, struct buffer *out)
{
    enum { COMMIT = 1 };
    ask_put_producer(writer, out);
    kafka_put(out, COMMIT, 1);
}

rd_kafka_resp_err_t writer_end(struct kafka_writer *writer)
{
    static const struct writer_question question = {.request = KAFKA_END_TXN,
                                                    .version = WRITER_END_VERSION,
                                                    .role = WRITER_TRANSACTIONS,
                                                    .is_once = true,
                                                    .put = ask_put_end,
                                                    .read = ask_read_code};
    return writer_ask(writer, &question);
}
