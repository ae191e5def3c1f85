/* The cycle, from top to bottom:
 *
 *     look       which topics there are, where a pattern says which are read
 *     gather     records: a lone one at once, many together
 *     map        each in turn, into an open transaction
 *     commit     events, dead letters and the group's offsets, in that one transaction
 *
 * Mapping knows nothing but its record: so whatever fails, the group's offsets say all that there is to know, and the
 * records behind them are read and mapped again. Of one partition everything is written in the order in which it was
 * read; so a customer's events from one partition stay in their order. */
#include "intake/intake.h"
#include "intake/scatter.h"
#include "intake/ledger.h"
#include "base/ensure.h"
#include "base/limits.h"
#include "host/clock.h"
#include "host/log.h"
#include "host/mishap.h"
#include "host/stop.h"
#include "host/text.h"
#include <inttypes.h>
#include <relance/engine.h>
#include <stdlib.h>

enum {
    INTAKE_WAIT_MS = 100,           /* longest wait for records: a stop that is asked for is heard so often */
    INTAKE_COMMIT_US = 1000000,     /* a transaction is filled for so long, at most */
    INTAKE_COMMIT_BYTES = 32 << 20, /* and with so much */
    INTAKE_WAIT_US = 1000000,       /* pause before the schema registry is asked again */
    INTAKE_RETRY_US = 300000,       /* pause after a failure */
    INTAKE_LOOK_US = 10000000,      /* between looks for topics that a pattern fits */
    INTAKE_TELL_US = 1000000,
    INTAKE_REPORT_US = 60000000,   /* between lines that say what has been done */
    INTAKE_COMPLAIN_US = 10000000, /* between lines that say the same is still wrong */
    INTAKE_FUTURE_MS =
        900000, /* a record further ahead of the wall clock is from the future, as for engines */
    INTAKE_EVENT_MAX = 1000000,  /* bytes of an event: what topics take without being told to take more */
    INTAKE_DEAD_MAX = 512 << 10, /* a larger dead letter goes with its head only */
    INTAKE_DEAD_HEAD = 16 << 10, /* of a key it is all that goes */
    INTAKE_DEAD_HEADERS_MAX = 128 << 10, /* bytes of the record's own headers that go with it */
    INTAKE_TRACE_MAX = 256,              /* bytes of a `traceparent`: a longer one is none (W3C: 55) */
    INTAKE_HEADERS_ADDED = 8,
};

struct intake {
    const struct intake_config *config;
    struct names topics;  /* that are read now */
    struct names without; /* topics that a pattern fits and that have no mapping: said once */
    struct ledger ledger;
    struct scatter *scatter;
    struct sampler *sampler; /* dead letters, a part of them for the log */
    const char *last_topic;  /* of the record before, and its mapping */
    uint32_t last_mapping;
    int64_t looked_us, told_us, reported_us, failed_us, complained_us, began_us;
    size_t bytes; /* put since the last commit */
    int64_t reported_records;
    bool is_failing;
    bool is_waiting; /* the cycle ended at a record whose schema the registry did not give */
    struct intake_wait {
        int64_t since_us, last_us; /* since 0: all such records have been read */
        uint32_t source;           /* of the record */
        int64_t offset;
    } wait;
};

/* ---- which topics */
static enum relance_status intake_look_at(const struct intake_config *config, const char *operation,
                                          struct relance_str topic, struct relance_error *error)
{
    int partitions;
    enum relance_status status = relay_look(config->relay, operation, topic.data, &partitions, error);
    if (status != RELANCE_OK || partitions) return status;
    return relance_error_set(error, RELANCE_INVALID, "Kafka has no topic %s; create it", topic.data);
}

static enum relance_status intake_look_at_output(const struct intake_config *config, const char *suffix,
                                                 struct relance_error *error)
{
    char name[256];
    snprintf(name, sizeof name, "%s%s", config->plan->output, suffix);
    return intake_look_at(config, "Write", str_of(name), error);
}

static enum relance_status intake_check_named(const struct intake_config *config, const struct names *all,
                                              struct relance_error *error)
{
    char why[PLAN_WHY_SIZE];
    for (uint32_t i = 0; i < config->plan->topics.count; i++) {
        struct relance_str topic = config->plan->topics.list[i];
        if (plan_refuses(config->plan, all, topic, why))
            return relance_error_set(error, RELANCE_INVALID, "--input: %s", why);
        enum relance_status status = intake_look_at(config, "Read", topic, error);
        if (status != RELANCE_OK) return status;
    }
    return RELANCE_OK;
}

static enum relance_status intake_check_pattern(const struct intake_config *config, const struct names *all,
                                                struct relance_error *error)
{
    for (uint32_t i = 0; i < all->count; i++)
        if (plan_takes(config->plan, all, all->list[i]) &&
            plan_mapping_of(config->plan, all->list[i]) == PLAN_NO_MAPPING)
            return relance_error_set(error, RELANCE_INVALID,
                                     "--mapping: topic %s has none; --mapping %s=PRESET or FILE gives it one",
                                     all->list[i].data, all->list[i].data);
    return RELANCE_OK;
}

enum relance_status intake_check(const struct intake_config *config, struct relance_error *error)
{
    struct names all = {0};
    char why[PLAN_WHY_SIZE];
    enum relance_status status = intake_look_at_output(config, "", error);
    if (status == RELANCE_OK) status = intake_look_at_output(config, ".dead", error);
    if (status == RELANCE_OK) status = relay_topics(config->relay, &all, error);
    if (status == RELANCE_OK && plan_is_engines(&all, str_of(config->plan->output), why))
        status = relance_error_set(error, RELANCE_INVALID, "--output: %s", why);
    if (status == RELANCE_OK) status = intake_check_named(config, &all, error);
    if (status == RELANCE_OK && config->plan->is_pattern) status = intake_check_pattern(config, &all, error);
    names_free(&all);
    return status;
}

/* Of the topics that there are, those that a pattern takes and that have a mapping. */
static void intake_choose(struct intake *intake, const struct names *all, struct names *out)
{
    const struct plan *plan = intake->config->plan;
    for (uint32_t i = 0; i < all->count; i++) {
        if (!plan_takes(plan, all, all->list[i])) continue;
        if (plan_mapping_of(plan, all->list[i]) != PLAN_NO_MAPPING) {
            names_add(out, all->list[i]);
            continue;
        }
        if (names_find(&intake->without, all->list[i]) == NAME_NONE)
            log_line(LOG_WARNING, "A topic that the pattern fits has no mapping: it is not read.", "topic=%s",
                     all->list[i].data);
        names_add(&intake->without, all->list[i]);
    }
}

static bool intake_same(const struct names *a, const struct names *b)
{
    if (a->count != b->count) return false;
    for (uint32_t i = 0; i < a->count; i++)
        if (names_find(b, a->list[i]) == NAME_NONE) return false;
    return true;
}

/* Takes `topics` over. */
static enum relance_status intake_read_these(struct intake *intake, struct names *topics,
                                             struct relance_error *error)
{
    names_free(&intake->topics);
    intake->topics = *topics;
    *topics = (struct names){0};
    for (uint32_t i = 0; i < intake->topics.count; i++)
        log_line(LOG_INFO, "Reading a topic.", "topic=%s mapping=%s", intake->topics.list[i].data,
                 intake->config->plan->mappings[plan_mapping_of(intake->config->plan, intake->topics.list[i])]
                     .value);
    if (!intake->topics.count) log_line(LOG_WARNING, "No topic fits --input.", "topics=0");
    return relay_subscribe(intake->config->relay, &intake->topics, error);
}

static enum relance_status intake_look(struct intake *intake, struct relance_error *error)
{
    int64_t now = clock_monotonic_us();
    bool is_first = !intake->looked_us;
    const struct plan *plan = intake->config->plan;
    if (!is_first && (!plan->is_pattern || now - intake->looked_us < INTAKE_LOOK_US)) return RELANCE_OK;
    struct names all = {0}, chosen = {0};
    enum relance_status status = RELANCE_OK;
    intake->looked_us = now;
    if (plan->is_pattern) {
        status = relay_topics(intake->config->relay, &all, error);
        if (status == RELANCE_OK) intake_choose(intake, &all, &chosen);
    } else {
        for (uint32_t i = 0; i < plan->topics.count; i++)
            names_add(&chosen, plan->topics.list[i]);
    }
    if (status == RELANCE_OK && (is_first || !intake_same(&chosen, &intake->topics)))
        status = intake_read_these(intake, &chosen, error);
    names_free(&all);
    names_free(&chosen);
    return status;
}

/* ---- what becomes of a record */
static enum relance_status intake_put(struct intake *intake, const struct relay_output *output,
                                      struct relance_error *error)
{
    intake->bytes += output->key.size + output->value.size;
    return relay_put(intake->config->relay, output, error);
}

/* The record's time; of one from the future, which topics refuse if it is too far ahead, when it is written. */
static int64_t intake_time(const struct relay_record *record)
{
    bool is_future = record->timestamp_ms > clock_wall_ms() + INTAKE_FUTURE_MS;
    return is_future ? RELANCE_NEVER : record->timestamp_ms;
}

/* The record's own headers, as many as there is room for, and none that a dead letter brought along from elsewhere. */
static size_t intake_keep_headers(const struct relance_foreign *record, struct relance_header *out)
{
    size_t count = 0, bytes = 0;
    for (size_t i = 0; i < record->header_count; i++) {
        const struct relance_header *header = &record->headers[i];
        bytes += header->name.size + header->value.size;
        if (bytes > INTAKE_DEAD_HEADERS_MAX) break;
        if (!str_starts_with(header->name, STR("relance-"))) out[count++] = *header;
    }
    return count;
}

struct intake_dead {
    struct relance_str reason, sentence;
    const struct relance_mapped_item *item; /* NULL: the whole record */
};

/* A value that has to be decoded first is no JSON anywhere. */
static void intake_tell_dead(struct intake *intake, const struct relance_foreign *foreign,
                             const struct intake_dead *dead)
{
    struct mishap_record record = {foreign->topic, foreign->partition, foreign->offset, foreign->value};
    if (intake->config->wires[intake->last_mapping]) record.value = (struct relance_str){0};
    mishap_tell_dead(intake->sampler, &record, dead->reason, dead->sentence);
}

static enum relance_status intake_bury(struct intake *intake, const struct relay_record *record,
                                       const struct intake_dead *dead, struct relance_error *error)
{
    const struct relance_foreign *foreign = &record->foreign;
    char partition[TEXT_NUMBER_SIZE], offset[TEXT_NUMBER_SIZE], size[TEXT_NUMBER_SIZE],
        event[TEXT_NUMBER_SIZE];
    struct relance_header headers[RELAY_HEADERS_MAX + INTAKE_HEADERS_ADDED];
    bool is_cut = foreign->value.size > INTAKE_DEAD_MAX;
    size_t count = intake_keep_headers(foreign, headers);
    const struct relance_header added[INTAKE_HEADERS_ADDED] = {
        {STR("relance-reason"), dead->reason},
        {STR("relance-sentence"), dead->sentence},
        {STR("relance-topic"), foreign->topic},
        {STR("relance-partition"), {partition, text_put_int(partition, foreign->partition)}},
        {STR("relance-offset"), {offset, text_put_int(offset, foreign->offset)}},
        {STR("relance-event"), {event, dead->item ? text_put_int(event, (int64_t)dead->item->number) : 0}},
        {STR("relance-size"), {size, is_cut ? text_put_int(size, (int64_t)foreign->value.size) : 0}},
    };
    for (size_t i = 0; i < INTAKE_HEADERS_ADDED; i++)
        if (added[i].value.size) headers[count++] = added[i];
    struct relay_output output = {.topic = RELAY_DEAD,
                                  .key = foreign->key,
                                  .value = foreign->value,
                                  .timestamp_ms = intake_time(record),
                                  .headers = headers,
                                  .header_count = count};
    if (is_cut) output.value.size = INTAKE_DEAD_HEAD;
    if (output.key.size > INTAKE_DEAD_HEAD) output.key.size = INTAKE_DEAD_HEAD;
    ledger_add_dead(&intake->ledger, dead->reason);
    intake_tell_dead(intake, foreign, dead);
    return intake_put(intake, &output, error);
}

static enum relance_status intake_write(struct intake *intake, const struct relay_record *record,
                                        const struct relance_mapped_item *item, struct relance_error *error)
{
    struct relay_output output = {.topic = RELAY_EVENTS,
                                  .key = item->customer,
                                  .value = item->event,
                                  .timestamp_ms = intake_time(record)};
    for (size_t i = 0; i < record->foreign.header_count && !output.headers; i++)
        if (str_equal(record->foreign.headers[i].name, STR("traceparent")) &&
            record->foreign.headers[i].value.size <= INTAKE_TRACE_MAX)
            output.headers = &record->foreign.headers[i];
    output.header_count = output.headers ? 1 : 0;
    ledger_add(&intake->ledger, INTAKE_EVENTS, 1);
    if (scatter_note(intake->scatter, item->customer, record->source))
        ledger_add(&intake->ledger, INTAKE_SCATTERED, 1);
    return intake_put(intake, &output, error);
}

static enum relance_status intake_take_item(struct intake *intake, const struct relay_record *record,
                                            const struct relance_mapped_item *item,
                                            struct relance_error *error)
{
    struct intake_dead dead = {item->reason, item->sentence, item};
    if (!item->event.size) return intake_bury(intake, record, &dead, error);
    if (item->event.size + item->customer.size <= INTAKE_EVENT_MAX)
        return intake_write(intake, record, item, error);
    dead.reason = STR("size");
    dead.sentence = STR("the event is larger than 1,000,000 bytes");
    return intake_bury(intake, record, &dead, error);
}

static enum relance_status intake_take_mapped(struct intake *intake, const struct relay_record *record,
                                              const struct relance_mapped *mapped,
                                              struct relance_error *error)
{
    enum relance_status status = RELANCE_OK;
    ledger_add(&intake->ledger, INTAKE_INVALID, mapped->fields_invalid);
    ledger_add(&intake->ledger, INTAKE_UNMAPPED, (int64_t)mapped->unmapped);
    switch (mapped->kind) {
    case RELANCE_UNMAPPED: break;
    case RELANCE_UNREADABLE:
        return intake_bury(intake, record, &(struct intake_dead){mapped->reason, mapped->sentence, NULL},
                           error);
    case RELANCE_MAPPED:
        for (size_t i = 0; i < mapped->count && status == RELANCE_OK; i++)
            status = intake_take_item(intake, record, &mapped->items[i], error);
    }
    return status;
}

/* Records of one topic come together. */
static uint32_t intake_mapping_of(struct intake *intake, struct relance_str topic)
{
    if (intake->last_topic == topic.data) return intake->last_mapping;
    intake->last_topic = topic.data;
    intake->last_mapping = plan_mapping_of(intake->config->plan, topic);
    ensure(intake->last_mapping != PLAN_NO_MAPPING); /* it was subscribed to */
    return intake->last_mapping;
}

/* Makes JSON of a value. A record whose schema cannot be asked for now is read again. */
static enum relance_status intake_decode(struct intake *intake, struct wire *wire, struct relance_str *value,
                                         struct relance_str *reason, struct relance_error *error)
{
    struct wire_decoded decoded;
    switch (wire_decode(wire, *value, &decoded, error)) {
    case WIRE_OK: *value = decoded.json; return RELANCE_OK;
    case WIRE_DEAD: *reason = decoded.reason; return RELANCE_OK;
    case WIRE_AWAY: intake->is_waiting = true; break;
    case WIRE_NO_MEMORY: break;
    }
    return error->status = RELANCE_AGAIN;
}

/* A topic of decisions may have any name, and a pattern may fit it: what an engine has decided is no event, or engine and
 * intake would go on for ever. */
static bool intake_is_decision(const struct relance_foreign *record)
{
    bool is_decision = false;
    for (size_t i = 0; i < record->header_count && !is_decision; i++)
        is_decision = str_equal(record->headers[i].name, STR("relance-index"));
    return is_decision;
}

static enum relance_status intake_take(struct intake *intake, const struct relay_record *record,
                                       struct relance_error *error)
{
    uint32_t number = intake_mapping_of(intake, record->foreign.topic);
    struct wire *wire = intake->config->wires[number];
    struct relance_foreign foreign = record->foreign;
    struct relance_str reason = {0};
    struct relance_mapped mapped;
    if (!record->foreign.value.data) { /* what has been deleted */
        ledger_add(&intake->ledger, INTAKE_TOMBSTONES, 1);
        return RELANCE_OK;
    }
    if (intake_is_decision(&record->foreign)) {
        ledger_add(&intake->ledger, INTAKE_DECISIONS, 1);
        return RELANCE_OK;
    }
    enum relance_status status =
        wire ? intake_decode(intake, wire, &foreign.value, &reason, error) : RELANCE_OK;
    if (status != RELANCE_OK) return status;
    if (reason.size)
        return intake_bury(intake, record, &(struct intake_dead){reason, str_of(error->message), NULL},
                           error);
    if (relance_mapping_map(intake->config->mappings[number], &foreign, &mapped) != RELANCE_OK)
        return relance_error_set(error, RELANCE_AGAIN, "no memory for a record of %.*s",
                                 STR_ARG(record->foreign.topic));
    return intake_take_mapped(intake, record, &mapped, error);
}

/* ---- the cycle */
static enum relance_status intake_commit(struct intake *intake, struct relance_error *error)
{
    enum relance_status status = relay_commit(intake->config->relay, error);
    if (status != RELANCE_OK) return status;
    ledger_add(&intake->ledger, INTAKE_TRANSACTIONS, 1);
    ledger_keep(&intake->ledger);
    intake->bytes = 0;
    intake->began_us = clock_monotonic_us();
    if (intake->is_failing)
        log_line(LOG_INFO, "It goes on.", "after_ms=%" PRId64,
                 (clock_monotonic_us() - intake->failed_us) / 1000);
    intake->is_failing = false;
    return RELANCE_OK;
}

static bool intake_is_full(const struct intake *intake)
{
    return intake->bytes > INTAKE_COMMIT_BYTES ||
           clock_monotonic_us() - intake->began_us > INTAKE_COMMIT_US || stop_requested();
}

/* That the registry is away is told once, and when it is back; one that another process waits for now, some time later. */
static void intake_wait(struct intake *intake, const struct relay_record *record,
                        const struct relance_error *error)
{
    int64_t now = clock_monotonic_us();
    struct intake_wait *wait = &intake->wait;
    if (!wait->since_us || now - wait->last_us > INTAKE_REPORT_US) {
        log_line(LOG_WARNING, "The schema registry is away; reading waits for it.",
                 "topic=%.*s partition=%d offset=%" PRId64 " why=\"%s\"", STR_ARG(record->foreign.topic),
                 (int)record->foreign.partition, record->foreign.offset, error->message);
        wait->since_us = now;
    }
    wait->last_us = now;
    wait->source = record->source;
    wait->offset = record->foreign.offset;
}

static void intake_end_wait(struct intake *intake, const struct relay_record *record)
{
    struct intake_wait *wait = &intake->wait;
    if (!wait->since_us || wait->source != record->source || wait->offset > record->foreign.offset) return;
    log_line(LOG_INFO, "The schema registry answers again.", "after_ms=%" PRId64,
             (clock_monotonic_us() - wait->since_us) / 1000);
    wait->since_us = 0;
}

/* Commits what was taken before the cycle's end; `status` says what that end was. */
static enum relance_status intake_keep(struct intake *intake, enum relance_status status,
                                       struct relance_error *error)
{
    struct relance_error other;
    enum relance_status kept = intake_commit(intake, &other);
    if (kept == RELANCE_OK) return status;
    *error = other;
    intake->is_waiting = false;
    return kept;
}

static enum relance_status intake_cycle(struct intake *intake, struct relance_error *error)
{
    struct relay *relay = intake->config->relay;
    struct relay_record record;
    size_t open = 0; /* records since the last commit */
    enum relance_status status = intake_look(intake, error);
    if (status == RELANCE_OK) status = relay_gather(relay, INTAKE_WAIT_MS, error);
    intake->began_us = clock_monotonic_us();
    intake->last_topic = NULL;
    intake->is_waiting = false;
    while (status == RELANCE_OK && !(stop_requested() && !open) && relay_next(relay, &record)) {
        status = intake_take(intake, &record, error);
        if (intake->is_waiting) intake_wait(intake, &record, error);
        if (status != RELANCE_OK) break;
        intake_end_wait(intake, &record);
        ledger_add(&intake->ledger, INTAKE_RECORDS, 1);
        relay_done(relay, &record);
        open++;
        if (!intake_is_full(intake)) continue;
        status = intake_commit(intake, error);
        open = 0;
    }
    if ((status == RELANCE_OK || intake->is_waiting) && open) status = intake_keep(intake, status, error);
    return status;
}

/* The same trouble is told now and then, and its end once. */
static void intake_complain(struct intake *intake, const struct relance_error *error)
{
    int64_t now = clock_monotonic_us();
    if (intake->is_failing && now - intake->complained_us < INTAKE_COMPLAIN_US) return;
    log_line(LOG_WARNING, "Beginning anew where the group is.", "why=\"%s\"", error->message);
    intake->complained_us = now;
    if (!intake->is_failing) intake->failed_us = now;
    intake->is_failing = true;
}

static void intake_report(struct intake *intake)
{
    int64_t records = intake->ledger.kept.plain[INTAKE_RECORDS], now = clock_monotonic_us();
    if (now - intake->reported_us < INTAKE_REPORT_US || records == intake->reported_records) return;
    intake->reported_us = now;
    intake->reported_records = records;
    ledger_log(&intake->ledger, "So far:");
}

static void intake_tell(struct intake *intake, const char *trouble)
{
    int64_t now = clock_monotonic_us();
    if (!intake->config->hear || now - intake->told_us < INTAKE_TELL_US) return;
    intake->told_us = now;
    intake->config->hear(intake->config->context, &intake->ledger, trouble);
}

enum relance_status intake_run(const struct intake_config *config, struct relance_error *error)
{
    struct intake intake = {.config = config, .reported_us = clock_monotonic_us()};
    enum relance_status status = RELANCE_OK;
    ensure(intake.scatter = calloc(1, sizeof *intake.scatter));
    ensure(intake.sampler = calloc(1, sizeof *intake.sampler));
    while (!stop_requested() && (status == RELANCE_OK || status == RELANCE_AGAIN)) {
        status = intake_cycle(&intake, error);
        if (status == RELANCE_AGAIN && !stop_requested()) {
            ledger_drop(&intake.ledger);
            if (intake.is_waiting)
                ledger_add(&intake.ledger, INTAKE_WAITS, 1);
            else
                intake_complain(&intake, error);
            relay_rest(config->relay, intake.is_waiting ? INTAKE_WAIT_US : INTAKE_RETRY_US);
        }
        intake_report(&intake);
        intake_tell(&intake, status == RELANCE_OK ? NULL : error->message);
    }
    ledger_log(&intake.ledger, "In all:");
    names_free(&intake.topics);
    names_free(&intake.without);
    ledger_free(&intake.ledger);
    free(intake.scatter);
    free(intake.sampler);
    return status == RELANCE_AGAIN ? RELANCE_OK : status;
}
