/* Requests and answers: kafka.apache.org/protocol, Fetch, version 4 (KIP-98). Of those that know transactions, every broker has this one,
 * and Kafka 4 has none below. */
#include "kafka/fetch.h"
#include "base/ensure.h"
#include "host/clock.h"
#include "host/log.h"
#include "kafka/batches.h"
#include "kafka/conf.h"
#include "kafka/form.h"
#include "kafka/line.h"
#include "kafka/trouble.h"

#include <poll.h>
#include <stdlib.h>

enum {
    FETCH_VERSION = 4,
    FETCH_AS_CONSUMER = -1,
    FETCH_COMMITTED = 1,
    FETCH_ANSWER_MAX = 2097152, /* bytes, as many as a batch has; but for one record batch that is larger */
    /* Likewise over TLS: what sockets hold, so that a broker has enciphered an answer when we come to it. */
    FETCH_ANSWER_TLS_MAX = 524288,
    FETCH_LOOK_MS = 1000,      /* how long a question for leaders may take */
    FETCH_PATIENCE_MS = 10000, /* with a broker that says nothing; a setting may ask for less */
    FETCH_LOOK_US = 250000,    /* between two of them */
    FETCH_FRESH_US = 1000000,  /* so long what an answer has told is news */
    /* A topic that brokers do not know for so long is gone; one that has just started may not know it yet. */
    FETCH_GONE_US = 30000000,
    FETCH_REFUSALS = 10, /* in a row, some 8 s: files are renewed, and brokers come back, sooner as a rule */
    FETCH_NO_LINE = -1,
};

/* A partition that is read. */
struct fetch_part {
    int32_t number;
    int line;                     /* of its leader; FETCH_NO_LINE: none is known */
    int64_t next;                 /* all records below have been taken */
    int64_t end;                  /* as of its last answer; -1: none yet */
    int64_t log_end;              /* the same, with what open transactions hide */
    int64_t answered_us;          /* when that came */
    int64_t told_end;             /* that was said; -1: none */
    struct kafka_batches batches; /* where `chunk` is set */
    struct kafka_chunk *chunk;    /* it has records that are not handed out */
};

struct fetch_broker {
    int32_t id;
    struct kafka_line line;
    struct kafka_chunk *chunk; /* its last answer, while parts have some of it */
    uint32_t asked;            /* number of its last request */
    int64_t pause_us;          /* asked no sooner, since it wants less */
};

struct kafka_fetch {
    rd_kafka_t *rk;
    struct kafka_access access; /* the lines' */
    char topic[256], client[256];
    int wait_ms, timeout_ms;
    int32_t least, part_max, answer_max; /* bytes */
    struct fetch_part *parts;
    size_t part_count, turn; /* whose records are handed out next */
    struct fetch_broker *brokers;
    size_t broker_count;
    int64_t look_us; /* when leaders are asked for; INT64_MAX: they are known */
    int64_t gone_us; /* since when the topic is not known; 0: it is */
    struct kafka_chunk *spare, *spent;
    struct kafka_unpacker *unpacker;
    rd_kafka_resp_err_t trouble;
    int32_t troubled; /* partition */
};

/* ---- settings */
struct kafka_fetch *kafka_fetch_open(rd_kafka_t *rk, const char *topic)
{
    struct kafka_fetch *fetch = calloc(1, sizeof *fetch);
    ensure(fetch);
    if (!kafka_access_read(rk, &fetch->access) || !kafka_conf_says(rk, "check.crcs", "false") ||
        !kafka_conf_says(rk, "client.rack", "")) {
        free(fetch);
        return NULL;
    }
    fetch->rk = rk;
    snprintf(fetch->topic, sizeof fetch->topic, "%s", topic);
    kafka_conf_text(rk, "client.id", fetch->client, sizeof fetch->client);
    fetch->wait_ms = kafka_conf_number(rk, "fetch.wait.max.ms");
    fetch->timeout_ms = kafka_conf_number(rk, "socket.timeout.ms");
    if (fetch->timeout_ms > FETCH_PATIENCE_MS) fetch->timeout_ms = FETCH_PATIENCE_MS;
    fetch->timeout_ms += fetch->wait_ms;
    fetch->least = kafka_conf_number(rk, "fetch.min.bytes");
    fetch->part_max = kafka_conf_number(rk, "fetch.message.max.bytes");
    fetch->answer_max = kafka_conf_number(rk, "fetch.max.bytes");
    int32_t most = fetch->access.is_tls ? FETCH_ANSWER_TLS_MAX : FETCH_ANSWER_MAX;
    if (fetch->answer_max > most) fetch->answer_max = most;
    fetch->look_us = INT64_MAX;
    fetch->unpacker = kafka_unpacker_new(&fetch->spare);
    return fetch;
}

/* ---- chunks */
static void fetch_part_close(struct kafka_fetch *fetch, struct fetch_part *part)
{
    struct kafka_chunk *chunk = part->chunk;
    if (!chunk) return;
    kafka_batches_close(&part->batches, &fetch->spent);
    part->chunk = NULL;
    if (--chunk->users) return;
    for (size_t i = 0; i < fetch->broker_count; i++)
        if (fetch->brokers[i].chunk == chunk) fetch->brokers[i].chunk = NULL;
    kafka_chunk_push(&fetch->spent, chunk);
}

void kafka_fetch_release(struct kafka_fetch *fetch)
{
    kafka_chunk_give(&fetch->spare, fetch->spent);
    fetch->spent = NULL;
}

/* ---- start and end */
static void fetch_stop(struct kafka_fetch *fetch)
{
    for (size_t i = 0; i < fetch->part_count; i++)
        fetch_part_close(fetch, &fetch->parts[i]);
    for (size_t i = 0; i < fetch->broker_count; i++)
        kafka_line_close(&fetch->brokers[i].line);
    free(fetch->parts);
    free(fetch->brokers);
    fetch->parts = NULL;
    fetch->brokers = NULL;
    fetch->part_count = fetch->broker_count = fetch->turn = 0;
    fetch->look_us = INT64_MAX;
    fetch->gone_us = 0;
    fetch->trouble = RD_KAFKA_RESP_ERR_NO_ERROR;
}

void kafka_fetch_start(struct kafka_fetch *fetch, const struct source_position *positions, size_t count)
{
    fetch_stop(fetch);
    if (!count) return;
    fetch->parts = calloc(count, sizeof *fetch->parts);
    ensure(fetch->parts);
    fetch->part_count = count;
    for (size_t i = 0; i < count; i++)
        fetch->parts[i] = (struct fetch_part){.number = positions[i].partition,
                                              .line = FETCH_NO_LINE,
                                              .next = positions[i].offset,
                                              .end = -1,
                                              .log_end = -1,
                                              .told_end = -1};
    fetch->look_us = 0;
}

void kafka_fetch_close(struct kafka_fetch *fetch)
{
    if (!fetch) return;
    fetch_stop(fetch);
    kafka_fetch_release(fetch);
    kafka_chunk_free(fetch->spare);
    kafka_unpacker_free(fetch->unpacker);
    free(fetch);
}

/* ---- trouble */
static void fetch_set_trouble(struct kafka_fetch *fetch, rd_kafka_resp_err_t trouble, int32_t partition)
{
    if (fetch->trouble) return;
    fetch->trouble = trouble;
    fetch->troubled = partition;
}

/* ---- leaders */
static void fetch_look_later(struct kafka_fetch *fetch)
{
    int64_t later = clock_monotonic_us() + FETCH_LOOK_US;
    if (later < fetch->look_us) fetch->look_us = later;
}

static int fetch_line_of(struct kafka_fetch *fetch, const struct rd_kafka_metadata_broker *broker)
{
    size_t i = 0;
    while (i < fetch->broker_count && fetch->brokers[i].id != broker->id)
        i++;
    if (i == fetch->broker_count) {
        fetch->brokers = realloc(fetch->brokers, (i + 1) * sizeof *fetch->brokers);
        ensure(fetch->brokers);
        fetch->brokers[i] = (struct fetch_broker){.id = broker->id};
        kafka_line_init(&fetch->brokers[i].line, &fetch->access, broker->host, broker->port,
                        fetch->timeout_ms);
        fetch->broker_count++;
    }
    kafka_line_move(&fetch->brokers[i].line, broker->host, broker->port);
    return (int)i;
}

static int fetch_find_line(struct kafka_fetch *fetch, const struct rd_kafka_metadata *metadata, int32_t id)
{
    for (int i = 0; i < metadata->broker_cnt; i++)
        if (metadata->brokers[i].id == id) return fetch_line_of(fetch, &metadata->brokers[i]);
    return FETCH_NO_LINE;
}

static void fetch_note_topic(struct kafka_fetch *fetch, rd_kafka_resp_err_t err)
{
    int64_t now = clock_monotonic_us();
    if (err != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
        fetch->gone_us = 0;
    else if (!fetch->gone_us)
        fetch->gone_us = now;
    else if (now - fetch->gone_us > FETCH_GONE_US)
        fetch_set_trouble(fetch, err, fetch->parts[0].number);
}

static void fetch_follow(struct kafka_fetch *fetch, const struct rd_kafka_metadata *metadata)
{
    const struct rd_kafka_metadata_topic *topic = metadata->topics;
    for (size_t i = 0; i < fetch->part_count; i++) {
        struct fetch_part *part = &fetch->parts[i];
        part->line = FETCH_NO_LINE;
        for (int k = 0; k < topic->partition_cnt; k++)
            if (topic->partitions[k].id == part->number)
                part->line = fetch_find_line(fetch, metadata, topic->partitions[k].leader);
        if (part->line == FETCH_NO_LINE) fetch_look_later(fetch);
    }
    fetch_note_topic(fetch, topic->err);
}

static void fetch_look(struct kafka_fetch *fetch)
{
    const struct rd_kafka_metadata *metadata;
    if (clock_monotonic_us() < fetch->look_us) return;
    rd_kafka_resp_err_t err = kafka_conf_topic(fetch->rk, fetch->topic, FETCH_LOOK_MS, &metadata);
    fetch->look_us = INT64_MAX;
    if (err) {
        fetch_look_later(fetch);
        return;
    }
    fetch_follow(fetch, metadata);
    rd_kafka_metadata_destroy(metadata);
}

/* ---- asking */
/* From where its answer is to go on. */
static int64_t fetch_part_end(const struct fetch_part *part)
{
    return part->chunk ? part->batches.end : part->next;
}

static void fetch_put_part(const struct kafka_fetch *fetch, struct buffer *out, const struct fetch_part *part)
{
    kafka_put(out, (uint32_t)part->number, 4);
    kafka_put(out, (uint64_t)fetch_part_end(part), 8);
    kafka_put(out, (uint32_t)fetch->part_max, 4);
}

/* An answer is filled from the first partition on: so each time another one is the first. */
static void fetch_ask(struct kafka_fetch *fetch, size_t index)
{
    struct fetch_broker *broker = &fetch->brokers[index];
    uint32_t count = 0;
    for (size_t i = 0; i < fetch->part_count; i++)
        count += fetch->parts[i].line == (int)index;
    if (!count || clock_monotonic_us() < broker->pause_us) return;
    if (broker->pause_us) kafka_line_freshen(&broker->line);
    broker->pause_us = 0;
    if (broker->line.state != KAFKA_LINE_FREE) return;
    struct buffer *out = kafka_line_begin(&broker->line);
    kafka_put_head(out, KAFKA_FETCH, FETCH_VERSION, ++broker->asked, fetch->client);
    kafka_put(out, (uint64_t)FETCH_AS_CONSUMER, 4);
    kafka_put(out, (uint32_t)fetch->wait_ms, 4);
    kafka_put(out, (uint32_t)fetch->least, 4);
    kafka_put(out, (uint32_t)fetch->answer_max, 4);
    kafka_put(out, FETCH_COMMITTED, 1);
    kafka_put(out, 1, 4);
    kafka_put_text(out, fetch->topic);
    kafka_put(out, count, 4);
    for (size_t i = 0; i < fetch->part_count; i++) {
        const struct fetch_part *part = &fetch->parts[(broker->asked + i) % fetch->part_count];
        if (part->line == (int)index) fetch_put_part(fetch, out, part);
    }
    kafka_line_ask(&broker->line);
}

/* ---- answers */
static struct kafka_aborted *fetch_take_aborted(struct kafka_answer *in, size_t *count)
{
    enum { SIZE = 16 };
    int32_t announced = kafka_read_int32(in);
    *count = 0;
    if (announced <= 0 || in->failed) return NULL;
    in->failed = announced > (in->bound - in->at) / SIZE;
    struct kafka_aborted *aborted = in->failed ? NULL : malloc((size_t)announced * sizeof *aborted);
    ensure(aborted || in->failed);
    while (!in->failed && *count < (size_t)announced) {
        int64_t producer = kafka_read_int64(in);
        aborted[(*count)++] = (struct kafka_aborted){producer, kafka_read_int64(in)};
    }
    return aborted;
}

/* What a broker says of a partition instead of records. A topic that is gone is one that leaders are looked for in vain; what is not
 * known here is librdkafka's, such as the codec zstd that a topic asks for, which brokers tell of version 10 on alone. */
static void fetch_take_trouble(struct kafka_fetch *fetch, struct fetch_part *part, int16_t code)
{
    rd_kafka_resp_err_t trouble = (rd_kafka_resp_err_t)code;
    bool is_told = trouble == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || !kafka_is_passing(trouble);
    log_line(is_told ? LOG_WARNING : LOG_DEBUG, "A broker has no records of a partition for us.",
             "topic=%s partition=%d why=\"%s\"", fetch->topic, part->number, rd_kafka_err2str(trouble));
    if (kafka_is_passing(trouble)) {
        part->line = FETCH_NO_LINE;
        fetch_look_later(fetch);
    } else if (trouble == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE ||
               trouble == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
        fetch_set_trouble(fetch, trouble, part->number);
    else
        fetch_set_trouble(fetch, RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED, part->number);
}

/* NULL: it is not asked of that broker any more, or has something of the leader that it had before. */
static struct fetch_part *fetch_find_part(struct kafka_fetch *fetch, size_t index, int32_t number)
{
    for (size_t i = 0; i < fetch->part_count; i++) {
        struct fetch_part *part = &fetch->parts[i];
        if (part->number == number) return part->line == (int)index && !part->chunk ? part : NULL;
    }
    return NULL;
}

static void fetch_take_part(struct kafka_fetch *fetch, size_t index, struct kafka_answer *in)
{
    int32_t number = kafka_read_int32(in);
    int16_t code = kafka_read_int16(in);
    int64_t log_end = kafka_read_int64(in), end = kafka_read_int64(in);
    size_t aborted_count;
    struct kafka_aborted *aborted = fetch_take_aborted(in, &aborted_count);
    str bytes = kafka_read_text(in, kafka_read_int32(in));
    struct fetch_part *part = in->failed ? NULL : fetch_find_part(fetch, index, number);
    if (!part || code) {
        free(aborted);
        if (part) fetch_take_trouble(fetch, part, code);
        return;
    }
    part->log_end = log_end;
    part->end = end < 0 ? log_end : end;
    part->answered_us = clock_monotonic_us();
    if (!kafka_batches_open(bytes, number, part->next, aborted, aborted_count, fetch->unpacker,
                            &part->batches)) {
        fetch_set_trouble(fetch, RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED, number);
        return;
    }
    part->chunk = fetch->brokers[index].chunk;
    part->chunk->users++;
}

/* An answer that is not of the form that was asked for is left to librdkafka, too. */
static void fetch_take_answer(struct kafka_fetch *fetch, size_t index)
{
    struct fetch_broker *broker = &fetch->brokers[index];
    struct kafka_chunk *chunk = broker->chunk = kafka_line_answer(&broker->line);
    struct kafka_answer in = {.at = chunk->bytes, .bound = chunk->bytes + chunk->size};
    chunk->users = 1; /* us */
    in.failed = (uint32_t)kafka_read_int32(&in) != broker->asked;
    int32_t throttle_ms = kafka_read_int32(&in);
    if (throttle_ms > 0) broker->pause_us = clock_monotonic_us() + (int64_t)throttle_ms * 1000;
    for (int32_t topics = kafka_read_int32(&in); topics > 0 && !in.failed; topics--) {
        kafka_read_text(&in, kafka_read_int16(&in));
        for (int32_t parts = kafka_read_int32(&in); parts > 0 && !in.failed; parts--)
            fetch_take_part(fetch, index, &in);
    }
    if (in.failed) fetch_set_trouble(fetch, RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED, fetch->parts[0].number);
    if (--chunk->users) return;
    broker->chunk = NULL;
    kafka_chunk_give(&fetch->spare, chunk);
}

/* ---- going on */
static void fetch_tell_failure(const struct fetch_broker *broker, const struct relance_error *error)
{
    enum log_level level =
        broker->line.failures == 1 ? LOG_INFO : LOG_DEBUG; /* the group's client says more */
    log_line(level, "A broker cannot be read from.", "broker=%s:%d why=\"%s\"", broker->line.host,
             broker->line.port, error->message);
}

static void fetch_move(struct kafka_fetch *fetch, struct fetch_broker *broker)
{
    struct relance_error error;
    if (kafka_line_go_on(&broker->line, &fetch->spare, &error)) return;
    fetch_tell_failure(broker, &error);
    if (broker->line.is_refused && broker->line.failures >= FETCH_REFUSALS)
        fetch_set_trouble(fetch, RD_KAFKA_RESP_ERR__AUTHENTICATION, fetch->parts[0].number);
    fetch_look_later(fetch);
}

/* Of the answer before, all has to be handed out, since a partition has one piece at a time. */
static void fetch_go_on_with(struct kafka_fetch *fetch, size_t index)
{
    struct fetch_broker *broker = &fetch->brokers[index];
    if (broker->chunk) return;
    fetch_move(fetch, broker);
    if (broker->line.state == KAFKA_LINE_ANSWERED) fetch_take_answer(fetch, index);
    if (broker->line.state != KAFKA_LINE_FREE || fetch->trouble) return;
    fetch_ask(fetch, index);
    if (broker->line.state == KAFKA_LINE_ASKED) fetch_move(fetch, broker);
}

static bool fetch_leads(const struct kafka_fetch *fetch, size_t index)
{
    for (size_t i = 0; i < fetch->part_count; i++)
        if (fetch->parts[i].line == (int)index) return true;
    return false;
}

static void fetch_go_on(struct kafka_fetch *fetch)
{
    fetch_look(fetch);
    for (size_t i = 0; i < fetch->broker_count; i++)
        if (fetch_leads(fetch, i)) fetch_go_on_with(fetch, i);
}

/* ---- handing out */
static size_t fetch_take_from(struct kafka_fetch *fetch, struct fetch_part *part,
                              struct source_record *records, size_t most)
{
    enum kafka_batches_answer answer = KAFKA_BATCHES_RECORD;
    size_t count = 0;
    while (count < most &&
           (answer = kafka_batches_next(&part->batches, &records[count])) == KAFKA_BATCHES_RECORD)
        count++;
    part->next = part->batches.next;
    if (answer == KAFKA_BATCHES_BROKEN)
        fetch_set_trouble(fetch, RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED, part->number);
    if (answer != KAFKA_BATCHES_RECORD) fetch_part_close(fetch, part);
    return count;
}

static size_t fetch_take_all(struct kafka_fetch *fetch, struct source_record *records, size_t most)
{
    size_t count = 0;
    for (size_t i = 0; i < fetch->part_count && count < most; i++) {
        struct fetch_part *part = &fetch->parts[fetch->turn];
        if (part->chunk) count += fetch_take_from(fetch, part, records + count, most - count);
        if (!part->chunk) fetch->turn = (fetch->turn + 1) % fetch->part_count;
    }
    return count;
}

static bool fetch_has_some(const struct kafka_fetch *fetch)
{
    for (size_t i = 0; i < fetch->part_count; i++)
        if (fetch->parts[i].chunk) return true;
    return false;
}

size_t kafka_fetch_take(struct kafka_fetch *fetch, struct source_record *records, size_t most)
{
    size_t count = 0, before;
    do {
        before = count;
        count += fetch_take_all(fetch, records + count, most - count);
        if (count < most && !fetch->trouble) fetch_go_on(fetch);
    } while (count < most && (count > before || fetch_has_some(fetch)));
    return count;
}

/* ---- what is known */
rd_kafka_resp_err_t kafka_fetch_trouble(const struct kafka_fetch *fetch, int32_t *partition)
{
    *partition = fetch->troubled;
    return fetch->trouble;
}

struct source_position *kafka_fetch_positions(const struct kafka_fetch *fetch, size_t *count)
{
    struct source_position *positions = calloc(fetch->part_count + 1, sizeof *positions);
    ensure(positions);
    for (*count = 0; *count < fetch->part_count; ++*count)
        positions[*count] = (struct source_position){fetch->parts[*count].number, fetch->parts[*count].next};
    return positions;
}

bool kafka_fetch_next_end(struct kafka_fetch *fetch, int32_t *partition, int64_t *offset)
{
    for (size_t i = 0; i < fetch->part_count; i++) {
        struct fetch_part *part = &fetch->parts[i];
        if (part->chunk || part->end < 0 || part->next < part->end || part->told_end == part->next) continue;
        *partition = part->number;
        *offset = part->told_end = part->next;
        return true;
    }
    return false;
}

static const struct fetch_part *fetch_part_of(const struct kafka_fetch *fetch, int32_t partition)
{
    for (size_t i = 0; i < fetch->part_count; i++)
        if (fetch->parts[i].number == partition) return &fetch->parts[i];
    return NULL;
}

int64_t kafka_fetch_behind(const struct kafka_fetch *fetch, int32_t partition)
{
    const struct fetch_part *part = fetch_part_of(fetch, partition);
    return part && part->end > part->next ? part->end - part->next : 0;
}

int64_t kafka_fetch_end(const struct kafka_fetch *fetch, int32_t partition)
{
    const struct fetch_part *part = fetch_part_of(fetch, partition);
    return part && part->end >= 0 && clock_monotonic_us() - part->answered_us < FETCH_FRESH_US ? part->end
                                                                                               : -1;
}

int64_t kafka_fetch_hidden_from(const struct kafka_fetch *fetch, int32_t partition)
{
    const struct fetch_part *part = fetch_part_of(fetch, partition);
    return part && part->end >= 0 && part->next >= part->end && part->log_end > part->end ? part->next : -1;
}

/* ---- waiting */
void kafka_fetch_wait(struct kafka_fetch *fetch, int wake, int wait_ms)
{
    int64_t now = clock_monotonic_us(), until = now + (int64_t)wait_ms * 1000;
    struct pollfd *ready = calloc(fetch->broker_count + 1, sizeof *ready);
    ensure(ready);
    ready[0] = (struct pollfd){.fd = wake, .events = POLLIN};
    if (fetch->look_us < until) until = fetch->look_us;
    for (size_t i = 0; i < fetch->broker_count; i++) {
        const struct fetch_broker *broker = &fetch->brokers[i];
        int64_t due =
            broker->line.state == KAFKA_LINE_FREE ? broker->pause_us : kafka_line_until(&broker->line);
        short events = kafka_line_events(&broker->line);
        bool is_wanted = fetch_leads(fetch, i);
        ready[i + 1] = (struct pollfd){.fd = is_wanted && events ? broker->line.fd : -1, .events = events};
        if (is_wanted && due < until) until = due;
    }
    if (until > now) poll(ready, fetch->broker_count + 1, (int)((until - now + 999) / 1000));
    free(ready);
}
