/* The cycle of one partition: records and marks in, decisions out.
 *
 * I4: what depends on wall clock, rules or options comes from the mark in force, from nowhere else.
 * Everything that is asked of the world here (the clock, the rule files) is first made a mark. I5: order
 * within a customer is order in the partition; actions are produced in the order in which they were decided:
 * one engine a partition, one outbox a worker, nothing is ever sorted. */
#include "delivery/partition.h"
#include "delivery/wanted.h"
#include "host/clock.h"
#include "base/ensure.h"
#include "host/log.h"
#include "host/stop.h"
#include "base/str.h"
#include "delivery/wall.h"
#include <inttypes.h>
#include <stdlib.h>
#include <xxhash.h>

enum {
    PARTITION_LOOK =
        256, /* waits between two looks at what they have brought; more before a record are ticks of their own */
    PARTITION_DUE = 2048, /* waits whose states are asked for together, those that are due next */
    PARTITION_TICK_BYTES =
        32 << 20,                   /* in the outbox: the tick is to be gone on with in another transaction */
    PARTITION_WALL_AGE_MS = 10000,  /* an older wall clock is renewed before the next record */
    PARTITION_ASK_US = 50000,       /* the end of the input is asked for at most so often */
    PARTITION_RETRY_US = 100000,    /* Redis is away: how soon to try again */
    PARTITION_HIDDEN_US = 30000000, /* an open transaction in the input hides records for so long: say so */
};

struct partition *partition_new(struct workplace *place, int32_t number)
{
    struct partition *partition = calloc(1, sizeof *partition);
    const struct store_place where = {place->options->redis, place->options->group, place->options->input,
                                      number};
    ensure(partition);
    partition->number = number;
    published_init(&partition->recovery.published);
    partition->input_end.first = partition->input_end.hidden_from = -1;
    partition->lacked.offset = partition->anew_from = -1;
    partition->input_end.begin = -1;
    partition->tick_ms = RELANCE_NEVER;
    partition->place = place;
    partition->standing = &place->standings[number];
    partition->store = store_open(&where);
    return partition;
}

/* All that a claim brings, but for the engine and its rules. */
static void partition_reset(struct partition *partition)
{
    partition->state = PARTITION_UNCLAIMED;
    partition->in_force.rules_seen = NULL;
    partition->last.record = NULL;
    partition->tick_ms = RELANCE_NEVER;
    partition->is_halted = partition->touched = partition->recovery.is_approximate =
        partition->recovery.is_rebuild = partition->recovery.has_gaps = false;
    published_free(&partition->recovery.published);
    partition_forget_zones(partition);
    mark_list_drop(&partition->ahead, partition->ahead.count);
    counters_clear(&partition->counters);
    sums_clear(&partition->sums);
    counters_clear(&partition->saving.counters);
    sums_clear(&partition->saving.sums);
    partition->saving.is_on = partition->saving.is_writing = false;
}

void partition_drop_engine(struct partition *partition)
{
    relance_engine_free(partition->engine);
    partition->engine = NULL;
    partition->in_force.rules = NULL;
    partition_drop_models(partition);
    *partition->parked_stamp = '\0';
}

void partition_drop(struct partition *partition)
{
    partition_drop_engine(partition);
    partition_reset(partition);
}

bool partition_park(struct partition *partition)
{
    if (*partition->parked_stamp) return true;
    if (partition->state != PARTITION_LIVE || partition->pace.is_failing || partition_is_dirty(partition) ||
        partition_has_news(partition))
        return false;
    memcpy(partition->parked_stamp, store_stamp(partition->store), STAMP_SIZE);
    partition_reset(partition);
    return true;
}

void partition_free(struct partition *partition)
{
    partition_drop(partition);
    store_close(partition->store);
    mark_list_free(&partition->ahead);
    counters_free(&partition->counters);
    sums_free(&partition->sums);
    counters_free(&partition->saving.counters);
    sums_free(&partition->saving.sums);
    meta_free(&partition->meta);
    buffer_free(&partition->in_force.options);
    free(partition->in_force.adopted);
    free(partition);
}

bool partition_pause(int64_t us)
{
    if (!stop_requested()) clock_sleep_us(us);
    return !stop_requested();
}

enum relance_status partition_wait(struct workplace *place, int64_t us, struct relance_error *error)
{
    enum relance_status status = RELANCE_OK;
    place->is_halfway = true;
    if (!stop_requested()) status = source_idle(place->source, (int)(us / 1000), error);
    place->is_halfway = false;
    if (status != RELANCE_OK || !stop_requested()) return status;
    return relance_error_set(error, RELANCE_AGAIN, "ending");
}

/* ---- states from the store */
struct partition_fetching {
    struct partition *partition;
    struct relance_error *error;
    enum relance_status status;
};

static void partition_take_state(void *context, struct relance_str customer, struct relance_str state)
{
    struct partition_fetching *fetching = context;
    struct relance_engine *engine = fetching->partition->engine;
    if (fetching->status != RELANCE_OK || relance_engine_holds(engine, customer)) return;
    fetching->partition->fetched++;
    fetching->status = relance_engine_put(engine, customer, state, fetching->error);
}

enum relance_status partition_await_store(struct partition *partition, struct relance_error *error)
{
    if (!partition->pace.is_failing)
        log_line(LOG_WARNING, "Waiting for Redis to read customers.", "partition=%d why=\"%s\"",
                 partition->number, error->message);
    workplace_tell_unsaved(partition->place, partition->pace.whole_us, error->message);
    partition->pace.is_failing = true;
    return partition_wait(partition->place, PARTITION_RETRY_US, error);
}

/* One question to the store after another; what has come before one that fails need not be asked for again. Between two
 * of them a stop is heard. */
enum relance_status partition_fetch(struct partition *partition, const struct relance_str *customers,
                                    size_t count, struct relance_error *error)
{
    struct partition_fetching fetching = {partition, error, RELANCE_OK};
    partition_take_store(partition);
    for (size_t at = 0; at < count && fetching.status == RELANCE_OK;) {
        size_t asked = count - at;
        if (at && stop_requested()) return relance_error_set(error, RELANCE_AGAIN, "ending");
        enum relance_status status = store_read_states(partition->store, customers + at, &asked,
                                                       partition_take_state, &fetching, error);
        standing_store(partition->standing, STANDING_READS, status != RELANCE_AGAIN);
        if (status == RELANCE_REFUSED) return error->status = RELANCE_AGAIN;
        if (status == RELANCE_OK)
            at += asked;
        else if (status == RELANCE_AGAIN)
            status = partition_await_store(partition, error);
        if (status != RELANCE_OK) return status;
    }
    return fetching.status;
}

enum relance_status partition_fetch_needed(struct partition *partition, struct relance_error *error)
{
    struct relance_str customer = relance_engine_needed(partition->engine);
    return partition_fetch(partition, &customer, 1, error);
}

void partition_count_forgotten(struct partition *partition)
{
    const struct relance_forgot *now = relance_engine_forgot(partition->engine);
    if (now->total == partition->forgot.total) return;
    for (int kind = 0; kind < RELANCE_FORGOT_KINDS; kind++) {
        uint64_t more = now->of[kind] - partition->forgot.of[kind];
        counters_add(&partition->counters, (enum counter)(COUNTER_FORGOT_FIRST + kind), (int64_t)more);
        if (more) partition_tell_forgotten(partition, now, (enum relance_forgot_kind)kind);
    }
    partition->forgot = *now;
}

/* ---- visitors */
/* A record belongs to the partition of its key: the other of the two has to live there, too. One that has another key, of a
 * shop, say, brings all of the shop's there. */
bool partition_lives_here(void *context, struct relance_str customer, struct relance_str visitor)
{
    const struct partition *partition = context;
    struct relance_str key = partition->record->key, other = str_equal(key, customer) ? visitor : customer;
    if (!str_equal(key, customer) && !str_equal(key, visitor)) return true;
    return source_partition_of(other, partition->place->input_partitions) == partition->number;
}

void partition_count_links(struct partition *partition)
{
    const struct relance_links *now = relance_engine_links(partition->engine), *before = &partition->links;
    if (memcmp(now, before, sizeof *now) == 0) return;
    counters_add(&partition->counters, COUNTER_LINKS, (int64_t)(now->taken - before->taken));
    counters_add(&partition->counters, COUNTER_LINKS_DROPPED, (int64_t)(now->dropped - before->dropped));
    counters_add(&partition->counters, COUNTER_LINKS_OPEN, (int64_t)(now->open - before->open));
    counters_add(&partition->counters, COUNTER_FORWARDED, (int64_t)(now->forwarded - before->forwarded));
    counters_add(&partition->counters, COUNTER_VISITORS_SHARED, (int64_t)(now->shared - before->shared));
    counters_add(&partition->counters, COUNTER_RUNS_PARKED, (int64_t)(now->parked - before->parked));
    partition->links = *now;
}

static enum relance_status partition_engine_failed(struct partition *partition, struct relance_error *error)
{
    struct relance_str why = relance_engine_error(partition->engine);
    return relance_error_set(error, RELANCE_NO_MEMORY, "partition %d: %.*s", partition->number, STR_ARG(why));
}

/* While it catches up, the marks ahead have said what is used. */
static void partition_note_zone(void *context, struct relance_str name, uint64_t hash)
{
    struct partition *partition = context;
    char text[128];
    if (partition->state != PARTITION_LIVE) return;
    int size = snprintf(text, sizeof text, "%.*s %016" PRIx64, STR_ARG(name), hash);
    names_add(&partition->zones, (struct relance_str){text, (size_t)size});
}

static void partition_note_zones(struct partition *partition)
{
    if (partition->in_force.rules)
        relance_ruleset_take_zones(partition->in_force.rules->rules, partition_note_zone, partition);
}

void partition_forget_zones(struct partition *partition)
{
    names_free(&partition->zones);
    partition->zones_said = 0;
}

/* What a record or a tick has come to. One that was stopped is half decided, and so is whatever this engine has made
 * since its checkpoint: all is claimed again, by whoever comes next. */
enum relance_status partition_settle(struct partition *partition, enum relance_progress progress,
                                     struct relance_error *error)
{
    partition_note_zones(partition);
    if (progress == RELANCE_DONE) return RELANCE_OK;
    if (progress != RELANCE_STOPPED) return partition_engine_failed(partition, error);
    return relance_error_set(error, RELANCE_AGAIN, "partition %d: ending in the middle of an evaluation",
                             partition->number);
}

/* ---- marks */
static enum relance_status partition_apply_rules(struct partition *partition, const struct mark *mark,
                                                 struct relance_error *error)
{
    const struct rulebook_set *set;
    enum relance_status status = rulebook_get(partition->place->book, str_of(mark->rules), &set, error);
    if (status == RELANCE_REFUSED && partition->recovery.is_approximate) { /* they were another version's */
        log_line(LOG_WARNING, "Rules of before do not check any more; going on with those before them.",
                 "partition=%d mark=%" PRIu64 " why=\"%s\"", partition->number, mark->n, error->message);
        return RELANCE_OK;
    }
    if (status != RELANCE_OK) return status;
    partition->in_force.rules_mark = (int64_t)mark->n;
    partition->in_force.rules = set;
    if (relance_engine_set_rules(partition->engine, set->rules, partition->in_force.rules_mark) != RELANCE_OK)
        return partition_engine_failed(partition, error);
    partition_keep_models(partition);
    return RELANCE_OK;
}

static void partition_apply_options(struct partition *partition, const struct mark *mark)
{
    partition->in_force.options.size = 0;
    buffer_put(&partition->in_force.options, mark->options, strlen(mark->options));
}

static bool partition_is_to_go_on(enum relance_progress progress)
{
    return progress == RELANCE_NEEDS || progress == RELANCE_WAITS;
}

enum relance_status partition_apply_tick(struct partition *partition, int64_t before_ms, uint64_t waits,
                                         struct relance_error *error)
{
    enum relance_progress progress;
    uint64_t most = waits ? waits : UINT64_MAX;
    while (partition_is_to_go_on(progress = relance_engine_tick(partition->engine, before_ms, &most))) {
        enum relance_status status = progress == RELANCE_WAITS
                                         ? partition_read_waits(partition, error)
                                         : partition_fetch_due(partition, before_ms, PARTITION_DUE, error);
        if (status != RELANCE_OK) return status;
    }
    partition_count_forgotten(partition);
    partition_count_links(partition);
    return partition_settle(partition, progress, error);
}

static size_t partition_look(const struct partition *partition)
{
    size_t most = partition->place->waits_most;
    return most < PARTITION_LOOK ? most : PARTITION_LOOK;
}

/* A tick that is decided now: so many waits as one mark ends, and fewer once they have brought much. *waits is what its
 * mark says: how many have ended, or 0 where none are left. */
static enum relance_status partition_begin_tick(struct partition *partition, int64_t before_ms,
                                                uint64_t *waits, struct relance_error *error)
{
    const struct workplace *place = partition->place;
    enum relance_status status = RELANCE_OK;
    for (*waits = 0; status == RELANCE_OK;) {
        size_t look = partition_look(partition);
        if (*waits + look > place->waits_most || (*waits && place->outbox.bytes.size > PARTITION_TICK_BYTES))
            break;
        status = partition_apply_tick(partition, before_ms, look, error);
        *waits += look;
        if (status == RELANCE_OK && relance_engine_next_due(partition->engine) >= before_ms) *waits = 0;
        if (!*waits) break;
    }
    return status;
}

/* All that the mark says but for its tick. */
static enum relance_status partition_apply_facts(struct partition *partition, const struct mark *mark,
                                                 struct relance_error *error)
{
    enum relance_status status = RELANCE_OK;
    ensure(mark->n == partition->decided.marks + 1 || partition->recovery.is_approximate);
    partition->decided.marks = mark->n;
    partition->reached = mark->at;
    partition->told = 0;
    if (mark->options) partition_apply_options(partition, mark);
    if (mark->rules) status = partition_apply_rules(partition, mark, error);
    if (status == RELANCE_OK && mark->models)
        status = partition_apply_models(partition, str_of(mark->models), error);
    if (mark->wall != RELANCE_NEVER) {
        partition->in_force.wall_ms = mark->wall;
        relance_engine_set_wall(partition->engine, mark->wall);
    }
    return status;
}

static enum relance_status partition_apply(struct partition *partition, const struct mark *mark,
                                           struct relance_error *error)
{
    enum relance_status status = partition_apply_facts(partition, mark, error);
    if (status == RELANCE_OK && mark->tick != RELANCE_NEVER)
        status = partition_apply_tick(partition, mark->tick, mark->waits, error);
    if (status == RELANCE_OK && mark->links != RELANCE_NEVER)
        status = partition_apply_links(partition, mark->links, error);
    return status;
}

/* The marks that take effect before a record at `offset`. */
static enum relance_status partition_apply_ahead(struct partition *partition, int64_t offset,
                                                 struct relance_error *error)
{
    size_t done = 0;
    enum relance_status status = RELANCE_OK;
    while (status == RELANCE_OK && done < partition->ahead.count && partition->ahead.items[done].at <= offset)
        status = partition_apply(partition, &partition->ahead.items[done++], error);
    if (done) mark_list_drop(&partition->ahead, done);
    return status;
}

/* How far a tick goes shows when it is decided, so its mark is put behind what it decides, into the same transaction. */
static enum relance_status partition_decide_tick(struct partition *partition, struct mark *mark,
                                                 struct relance_error *error)
{
    enum relance_status status = partition_apply_facts(partition, mark, error);
    if (status == RELANCE_OK) status = partition_begin_tick(partition, mark->tick, &mark->waits, error);
    if (status != RELANCE_OK) return status;
    partition_put_mark(partition, mark);
    return RELANCE_OK;
}

/* What of the world has changed since the marks in force were made. */
static void partition_compare_world(struct partition *partition, struct mark *mark)
{
    const struct workplace *place = partition->place;
    int64_t now = wall_now_ms();
    partition->in_force.rules_seen = place->rules;
    if (partition->in_force.wall_ms == RELANCE_NEVER ||
        now > partition->in_force.wall_ms + PARTITION_WALL_AGE_MS)
        mark->wall = now;
    if (!partition->in_force.rules || strcmp(partition->in_force.rules->packed, place->rules) != 0)
        mark->rules = (char *)(uintptr_t)place->rules;
    if (!str_equal(buffer_str(&partition->in_force.options), str_of(place->deciding)))
        mark->options = (char *)(uintptr_t)place->deciding;
}

/* A mark of here and now: it is said, and takes effect. */
static enum relance_status partition_make_mark(struct partition *partition, struct mark *mark,
                                               struct relance_error *error)
{
    if (mark->wall == RELANCE_NEVER && mark->tick == RELANCE_NEVER && mark->links == RELANCE_NEVER &&
        !mark->rules && !mark->options && !mark->models)
        return RELANCE_OK;
    if (mark->rules && partition->in_force.rules)
        log_line(LOG_INFO, "New rules take effect.", "partition=%d offset=%" PRId64, partition->number,
                 partition->decided.offset);
    if (mark->models)
        log_line(LOG_INFO, "Versions of models take effect.", "partition=%d offset=%" PRId64 " models=%s",
                 partition->number, partition->decided.offset, mark->models);
    if (mark->tick != RELANCE_NEVER) return partition_decide_tick(partition, mark, error);
    partition_put_mark(partition, mark);
    return partition_apply(partition, mark, error);
}

/* Whatever of the world has changed becomes a mark, here, between two records. Versions of models are compared with the
 * rules in force: those of new rules come with the mark behind them, and a tick behind both. */
enum relance_status partition_freshen(struct partition *partition, int64_t tick, int64_t links,
                                      struct relance_error *error)
{
    struct buffer models = {0};
    struct mark mark = {.n = partition->decided.marks + 1,
                        .at = partition->decided.offset,
                        .wall = RELANCE_NEVER,
                        .tick = tick,
                        .links = links};
    partition_compare_world(partition, &mark);
    if (mark.rules) mark.tick = RELANCE_NEVER;
    if (!mark.rules) partition_find_models(partition, &models);
    if (models.size) mark.models = models.data;
    enum relance_status status = partition_make_mark(partition, &mark, error);
    buffer_free(&models);
    if (status != RELANCE_OK || !mark.rules) return status;
    return partition_freshen(partition, tick, RELANCE_NEVER, error);
}

enum relance_status partition_say_zones(struct partition *partition, struct relance_error *error)
{
    if (partition->state != PARTITION_LIVE || partition->zones_said == partition->zones.count)
        return RELANCE_OK;
    struct buffer text = {0};
    for (uint32_t i = partition->zones_said; i < partition->zones.count; i++) {
        struct relance_str zone = partition->zones.list[i];
        size_t name = (size_t)((const char *)memchr(zone.data, ' ', zone.size) - zone.data);
        buffer_put_format(&text, "%c\"%.*s\":\"%s\"", text.size ? ',' : '{', (int)name, zone.data,
                          zone.data + name + 1);
    }
    buffer_put(&text, "}", sizeof "}");
    partition->zones_said = partition->zones.count;
    const struct mark mark = {.n = partition->decided.marks + 1,
                              .at = partition->decided.offset,
                              .wall = RELANCE_NEVER,
                              .tick = RELANCE_NEVER,
                              .links = RELANCE_NEVER,
                              .zones = text.data};
    partition_put_mark(partition, &mark);
    enum relance_status status = partition_apply(partition, &mark, error);
    buffer_free(&text);
    return status;
}

/* ---- arriving at P */
bool partition_is_as_published(const struct partition *partition)
{
    const struct position *decided = &partition->decided, *p = &partition->published.position;
    return decided->seq == p->seq && decided->marks == p->marks &&
           (decided->chain == p->chain || partition->published.is_restored);
}

static enum relance_status partition_compare(struct partition *partition, struct relance_error *error)
{
    const struct position *decided = &partition->decided, *p = &partition->published.position;
    struct recovery *recovery = &partition->recovery;
    if (partition_is_as_published(partition)) return RELANCE_OK;
    enum relance_status status =
        partition_lacks(partition, partition->place->options->approximate || recovery->is_rebuild,
                        "--approximate goes on from there all the same", error,
                        "deciding again up to offset %" PRId64 " gave %" PRIu64
                        " actions and marks up to %" PRIu64 ", published were %" PRIu64 " and %" PRIu64 "%s",
                        p->offset, decided->seq, decided->marks, p->seq, p->marks,
                        decided->seq == p->seq ? ", with other content" : "");
    recovery->has_gaps |=
        partition->published.is_restored; /* its number of marks is that of those that are left */
    return status == RELANCE_OK ? partition_read_published(partition, error) : status;
}

static enum relance_status partition_arrive(struct partition *partition, struct relance_error *error)
{
    enum relance_status status =
        partition_apply_ahead(partition, partition->published.position.offset, error);
    if (status == RELANCE_OK && !partition->recovery.is_approximate)
        status = partition_compare(partition, error);
    if (status == RELANCE_OK && partition->recovery.is_approximate)
        status = partition_arrive_approximately(partition, error);
    if (status != RELANCE_OK) return status;
    partition->state = PARTITION_LIVE;
    log_line(LOG_INFO, "A partition is live.", "partition=%d offset=%" PRId64 " actions=%" PRIu64,
             partition->number, partition->decided.offset, partition->decided.seq);
    return RELANCE_OK;
}

enum relance_status partition_reach(struct partition *partition, int64_t offset, struct relance_error *error)
{
    if (partition->state == PARTITION_UNCLAIMED || partition->last.is_expected) return RELANCE_OK;
    if (offset > partition->decided.offset) partition->decided.offset = offset;
    if (partition->state == PARTITION_BEHIND &&
        partition->decided.offset >= partition->published.position.offset)
        return partition_arrive(partition, error);
    return RELANCE_OK;
}

/* ---- a record */
static uint64_t partition_hash(const struct source_record *record)
{
    return XXH3_64bits_withSeed(record->value.data, record->value.size, (uint64_t)record->offset);
}

/* Is the input still the topic that the checkpoint was made from? */
static enum relance_status partition_compare_last(struct partition *partition,
                                                  const struct source_record *record,
                                                  struct relance_error *error)
{
    partition->last.is_expected = false;
    if (record->offset == partition->last.offset && partition_hash(record) == partition->last.hash)
        return RELANCE_OK;
    partition->lacked = (struct lacked_record){partition->last.offset, partition->last.hash};
    return relance_error_set(error, RELANCE_AGAIN,
                             "%s, partition %d: the last record processed is another one",
                             partition->place->options->input, partition->number);
}

static void partition_count_event(struct partition *partition, const struct source_record *record,
                                  const struct relance_fate *fate)
{
    struct counters *counters = &partition->counters;
    counters_add(counters, COUNTER_EVENTS, 1);
    if (fate->declared) counters_add_named(counters, STR("events."), fate->type, 1);
    if (fate->kind == RELANCE_DUPLICATE) counters_add(counters, COUNTER_DUPLICATE, 1);
    if (fate->kind == RELANCE_IGNORED) counters_add(counters, COUNTER_IGNORED, 1);
    if (fate->late) counters_add(counters, COUNTER_LATE, 1);
    if (fate->future) counters_add(counters, COUNTER_FUTURE, 1);
    partition->sees_visitors |= fate->is_visitor;
    if (!str_equal(record->key, fate->customer)) {
        counters_add(counters, COUNTER_MISKEYED, 1);
        partition_tell_miskeyed(partition, record, fate);
    }
    partition_count_forgotten(partition);
    partition_count_links(partition);
}

/* Too many waits end before the record for one transaction and one checkpoint. A tick of its own ends some of them, as far as
 * the clock that the record brings: P and checkpoints can stand between that and the record. */
static enum relance_status partition_halt(struct partition *partition, struct relance_error *error)
{
    partition->is_halted = true;
    return partition_freshen(partition, relance_engine_much(partition->engine), RELANCE_NEVER, error);
}

/* One event of the record, or what it is instead. */
static enum relance_status partition_decide_next(struct partition *partition,
                                                 const struct source_record *record,
                                                 const struct relance_record *event,
                                                 struct relance_fate *fate, struct relance_error *error)
{
    enum relance_progress progress;
    partition->record = record;
    while (partition_is_to_go_on(progress = relance_engine_record(partition->engine, event, fate))) {
        enum relance_status status = progress == RELANCE_WAITS ? partition_read_waits(partition, error)
                                                               : partition_fetch_needed(partition, error);
        if (status != RELANCE_OK) return status;
    }
    if (progress == RELANCE_MUCH) return partition_halt(partition, error);
    enum relance_status status = partition_settle(partition, progress, error);
    if (status != RELANCE_OK) return status;
    counters_add(&partition->counters, COUNTER_UNMAPPED, (int64_t)fate->unmapped);
    counters_add(&partition->counters, COUNTER_INVALID, fate->fields_invalid);
    if (fate->kind == RELANCE_DEAD) {
        counters_add_named(&partition->counters, STR("dead."), fate->reason, 1);
        partition_dead_letter(partition, record, fate);
        partition_tell_dead(partition, record, fate);
    } else if (fate->kind != RELANCE_NOTHING) {
        partition_count_event(partition, record, fate);
    }
    if (fate->kind != RELANCE_DEAD) partition_tell_invalid(partition, record, fate);
    return RELANCE_OK;
}

static enum relance_status partition_decide(struct partition *partition, const struct source_record *record,
                                            struct relance_error *error)
{
    struct relance_header headers[SOURCE_HEADERS_MAX];
    struct relance_record event = {.topic = str_of(partition->place->options->input),
                                   .partition = record->partition,
                                   .offset = record->offset,
                                   .value = record->value,
                                   .timestamp_ms = record->timestamp_ms,
                                   .key = record->key,
                                   .waits_most =
                                       partition->state == PARTITION_LIVE ? partition_look(partition) : 0};
    if (relance_ruleset_reads_headers(partition->in_force.rules->rules)) {
        event.headers = headers;
        event.header_count = source_headers(record, headers);
    }
    struct relance_fate fate;
    enum relance_status status;
    do
        status = partition_decide_next(partition, record, &event, &fate, error);
    while (status == RELANCE_OK && !partition->is_halted && fate.more);
    return status;
}

/* Is a record that is not in the partition of its key a dead letter, and not to be decided? */
static bool partition_refuses(struct partition *partition, const struct source_record *record)
{
    static const struct relance_fate refused = {.kind = RELANCE_DEAD,
                                                .reason = {"misplaced", sizeof "misplaced" - 1}};
    struct workplace *place = partition->place;
    partition->is_misplaced = misplaced_is(record, place->input_partitions);
    if (!partition->is_misplaced) return false;
    if (partition->state == PARTITION_LIVE)
        misplaced_note(&place->misplaced, record, place->input_partitions);
    if (!place->refuses_misplaced) return false;
    counters_add_named(&partition->counters, STR("dead."), refused.reason, 1);
    partition_dead_letter(partition, record, &refused);
    return true;
}

/* What comes before the record itself: older marks, arrival at P, what has changed in the world. */
static enum relance_status partition_prepare(struct partition *partition, int64_t offset,
                                             struct relance_error *error)
{
    enum relance_status status = RELANCE_OK;
    if (partition->state == PARTITION_BEHIND) status = partition_apply_ahead(partition, offset, error);
    if (status == RELANCE_OK && partition->state == PARTITION_BEHIND &&
        offset >= partition->published.position.offset)
        status = partition_arrive(partition, error);
    if (status == RELANCE_OK && partition->state == PARTITION_LIVE && !partition->touched)
        status = partition_freshen(partition, RELANCE_NEVER, RELANCE_NEVER, error);
    return status;
}

static void partition_pass(struct partition *partition, const struct source_record *record)
{
    if (partition->is_misplaced) counters_add(&partition->counters, COUNTER_MISPLACED, 1);
    partition->decided.offset = record->offset + 1;
    partition->last.record = record;
    partition->events++;
}

enum relance_status partition_record(struct partition *partition, const struct source_record *record,
                                     struct relance_error *error)
{
    if (partition->last.is_expected) return partition_compare_last(partition, record, error);
    if (record->offset < partition->decided.offset) return RELANCE_OK;
    enum relance_status status = partition_prepare(partition, record->offset, error);
    if (status != RELANCE_OK) return status;
    if (partition->state == PARTITION_LIVE) partition->touched = true;
    partition->is_halted = partition->is_misplaced = false;
    if (record->value.data && !partition_refuses(partition, record))
        return partition_go_on(partition, record, error);
    if (!record->value.data) counters_add(&partition->counters, COUNTER_TOMBSTONES, 1);
    partition_pass(partition, record);
    return RELANCE_OK;
}

enum relance_status partition_go_on(struct partition *partition, const struct source_record *record,
                                    struct relance_error *error)
{
    partition->is_halted = false;
    partition->reached = record->offset + 1;
    partition->told = 0;
    enum relance_status status = partition_decide(partition, record, error);
    if (status != RELANCE_OK || partition->is_halted) return status; /* P must not pass it */
    partition_pass(partition, record);
    return RELANCE_OK;
}

void partition_note_last(struct partition *partition)
{
    if (!partition->last.record) return;
    partition->last.offset = partition->last.record->offset;
    partition->last.hash = partition_hash(partition->last.record);
    partition->last.record = NULL;
}

void partition_end_batch(struct partition *partition)
{
    partition->touched = false;
    partition_note_last(partition);
}

/* ---- ticks */
static void partition_want(void *context, struct relance_str customer)
{
    wanted_add(context, customer);
}

enum relance_status partition_fetch_due(struct partition *partition, int64_t before_ms, size_t most,
                                        struct relance_error *error)
{
    struct wanted wanted = {0};
    if (relance_engine_missing(partition->engine, before_ms, most, partition_want, &wanted) != RELANCE_OK)
        return relance_error_set(error, RELANCE_NO_MEMORY, "no memory for what is due");
    enum relance_status status =
        wanted.count ? partition_fetch(partition, wanted.customers, wanted.count, error) : RELANCE_OK;
    wanted_free(&wanted);
    return status;
}

/* Is the reader at the end, now? The end is the last stable offset: what an open transaction hides is to
 * come. */
static bool partition_is_at_end(struct partition *partition)
{
    int64_t high, now = clock_monotonic_us();
    struct relance_error error;
    if (source_read_to(partition->place->source, partition->number) < 0 ||
        now - partition->input_end.asked_us < PARTITION_ASK_US)
        return false;
    partition->input_end.asked_us = now;
    return source_bounds(partition->place->source, SOURCE_INPUT, partition->number, NULL, &high, &error) ==
               RELANCE_OK &&
           high <= partition->decided.offset;
}

void partition_tell_hidden(struct partition *partition)
{
    int64_t now = clock_monotonic_us(),
            from = partition->state == PARTITION_UNCLAIMED
                       ? -1 /* unread, whatever there is */
                       : source_hidden_from(partition->place->source, partition->number);
    if (from < 0 || from != partition->input_end.hidden_from) {
        partition->input_end.hidden_from = from;
        partition->input_end.hidden_us = now;
    } else if (partition->input_end.hidden_us != RELANCE_NEVER &&
               now - partition->input_end.hidden_us > PARTITION_HIDDEN_US) {
        partition->input_end.hidden_us = RELANCE_NEVER;
        log_line(LOG_WARNING, "A producer's transaction that does not end hides the records behind it.",
                 "topic=%s partition=%d transaction_begins_at_offset=%" PRId64,
                 partition->place->options->input, partition->number, from);
    }
}

/* A quiet partition adopts a version when it comes, as others do: it would keep the one before it in memory, and on the topic,
 * for as long as nothing happens. */
static enum relance_status partition_renew_models(struct partition *partition, struct relance_error *error)
{
    if (!partition_has_new_models(partition)) return RELANCE_OK;
    return partition_freshen(partition, RELANCE_NEVER, RELANCE_NEVER, error);
}

enum relance_status partition_tick(struct partition *partition, struct relance_error *error)
{
    if (partition->state != PARTITION_LIVE) return RELANCE_OK;
    int64_t before = partition->tick_ms;
    enum relance_status status = partition_read_ahead(partition, error);
    if (status == RELANCE_OK && before == RELANCE_NEVER) status = partition_renew_models(partition, error);
    if (status != RELANCE_OK) return status;
    if (before == RELANCE_NEVER) {
        before = wall_now_ms() - partition->place->options->lateness;
        if (relance_engine_next_due(partition->engine) >= before || !partition_is_at_end(partition))
            return RELANCE_OK;
    }
    status = partition_find_next(partition, before, error);
    if (status == RELANCE_OK && relance_engine_next_due(partition->engine) < before)
        status = partition_freshen(partition, before, RELANCE_NEVER, error);
    if (status != RELANCE_OK) return status;
    bool is_over = relance_engine_next_due(partition->engine) >= before;
    partition->tick_ms = is_over ? RELANCE_NEVER : before;
    return RELANCE_OK;
}

/* ---- what P says */
bool partition_has_news(const struct partition *partition)
{
    return partition->state == PARTITION_LIVE &&
           !position_is_same(partition->decided, partition->published.position);
}

struct sink_frontier partition_frontier(const struct partition *partition)
{
    struct sink_frontier frontier = {partition->number, partition->published};
    frontier.frontier.is_restored = false;
    frontier.frontier.position = partition->decided;
    return frontier;
}

void partition_published(struct partition *partition, const struct frontier *frontier)
{
    partition->published = *frontier;
}
