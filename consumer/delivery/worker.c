/* The cycle, from top to bottom:
 *
 *     claim      what the group has given us and is not ours yet
 *     gather     records: a lone one at once, many together
 *     fetch      the states that these need and that are not at hand, each once, in as few questions as bounds allow
 *     decide     each record in turn; what it causes goes to the outbox
 *     link       what other partitions have told
 *     tick       waits that nothing but time ends
 *     publish    one Kafka transaction: marks, dead letters, actions, link records, lines and the new frontiers
 *     save       a checkpoint in Redis, when it is time
 *
 * A transaction is begun by `publish` and goes on while more is decided, into a second outbox. Checkpoints that are due are put
 * together behind its beginning, and written, in a thread, once it has committed. Whoever needs to know what has become of it
 * waits for its end first (work_settle): the next `publish`, claims, and whatever gives partitions away. So at most one is open,
 * and published is what has been committed, not what has been begun. Claims, and whatever gives partitions away or drops them,
 * wait for what is being written, too, so the group may take partitions away between any two steps. Whenever
 * a transaction fails in whatever way, nothing is guessed: the producer is thrown away with all state, with what was
 * decided meanwhile, too, and everything is claimed again from what Redis and Kafka then say.
 *
 * I3: a transaction that carries output of p also carries p's new P, under the membership in force. Every
 * transaction here carries the frontiers of all partitions that have moved. */
#include "delivery/work.h"
#include "host/clock.h"
#include "base/ensure.h"
#include "host/log.h"
#include "host/stop.h"
#include "base/str.h"
#include "delivery/wall.h"
#include <stdlib.h>

enum {
    WORKER_IDLE_MS = 20,      /* longest wait for records: ticks are looked for in between */
    WORKER_BUSY_MS = 1,       /* the same while states wait for being packed, or actions for their turn */
    WORKER_MUCH = 1024,       /* a batch of so many records means that we are under load */
    WORKER_LEAST = 256,       /* records of the smallest batch, after failures */
    WORKER_RELIEF = 4 << 20,  /* bytes of output within a record: five requests of a producer's */
    WORKER_RETRY_US = 300000, /* pause after a failure */
    WORKER_EXPECT = 8,        /* so many records ahead */
    WORKER_EXPECT_KEY = 20,   /* likewise: its key, then what the engine has under that */
    WORKER_EXPECT_PLACE = 12,
    WORKER_EXPECT_CUSTOMER = 8,
    WORKER_EXPECT_STATE = 5,
    WORKER_EXPECT_PARTS = 2,
    WORKER_FORESEEN = 32, /* more than that, a power of two */
    WORKER_CACHE_LINE = 64,
    WORKER_EXPECT_BYTES = 512, /* of a record that are asked of memory before it is read */
    WORKER_ECHO_US = 1000000,  /* what link records cause elsewhere has shown by then */
};

/* ---- claiming */
static enum relance_status work_start_reading(struct work *work, struct relance_error *error)
{
    struct source_position *positions = calloc((size_t)work->place.input_partitions, sizeof *positions);
    size_t count = 0;
    ensure(positions);
    for (size_t i = 0; i < work->own_count; i++) {
        struct partition *partition = work->own[i];
        if (partition->state == PARTITION_UNCLAIMED) continue;
        positions[count++] = (struct source_position){partition->number, partition->last.is_expected
                                                                             ? partition->last.offset
                                                                             : partition->decided.offset};
    }
    enum relance_status status = source_start(work->place.source, positions, count, error);
    free(positions);
    return status;
}

static enum relance_status work_claim(struct work *work, struct relance_error *error)
{
    bool claimed = false;
    int64_t now = clock_monotonic_us();
    if (work_awaits_others(work)) return RELANCE_OK;
    for (size_t i = 0; i < work->own_count; i++) {
        struct partition *partition = work->own[work->turn++ % work->own_count];
        if (partition->state != PARTITION_UNCLAIMED || now < partition->pace.retry_us ||
            work->place.sink_spent || stop_requested())
            continue;
        enum relance_status status = work_land(work, error);
        if (status != RELANCE_OK) return status;
        status = partition_claim(partition, error);
        if (status != RELANCE_OK && status != RELANCE_AGAIN) return status;
        claimed |= status == RELANCE_OK;
        if (status == RELANCE_AGAIN && clock_monotonic_us() - now > WORK_SLOW_US) break;
    }
    return claimed ? work_start_reading(work, error) : RELANCE_OK;
}

/* A new producer fences whoever has our name, so only a member of the group may start one: whoever has slept
 * while another process took that name learns it here, and ends. And where the transaction failed because the
 * group has gone on, this is where we follow it: a claim that commits would fail for ever under the old
 * membership. What is read is dropped, since everything is claimed again. */
static enum relance_status work_check_member(struct work *work, struct relance_error *error)
{
    struct source *source = work->place.source;
    struct source_batch batch;
    if (!source) return RELANCE_OK;
    enum relance_status status = source_gather(source, 0, SOURCE_BATCH_MAX, &batch, error);
    source_release(source);
    if (status != RELANCE_OK || source_membership(source)) return status;
    return relance_error_set(error, RELANCE_AGAIN, "no member of the group just now");
}

/* After a transaction that failed: its successor's start settles what became of it. */
static enum relance_status work_renew_sink(struct work *work, struct relance_error *error)
{
    const struct sink_config config = {work->place.options, work->member};
    if (work->place.sink) sink_close(work->place.sink);
    work->place.sink = NULL;
    enum relance_status status = work_check_member(work, error);
    if (status != RELANCE_OK) return status;
    contact_ask(&work->worker->kafka);
    status = sink_open(&config, &work->place.sink, error);
    contact_answer(&work->worker->kafka, status != RELANCE_AGAIN);
    if (status != RELANCE_OK) return status;
    work->place.sink_spent = false;
    if (work->most > WORKER_LEAST) work->most /= 2;
    return RELANCE_OK;
}

void work_clear(struct work *work)
{
    outbox_clear(&work->place.outbox);
    outbox_clear(&work->flight.outbox);
    work->place.unpublished_count = 0;
    work->place.lines_left = 0;
}

/* Whatever was being decided is not published and not saved: what a failure has left half done would go out with the
 * next transaction, even if that is the last one of a process that was told to end. What was decided before and is
 * published by now is saved. Another than RELANCE_OK: the transaction that was open has shown that there is no going on. */
static enum relance_status work_abandon(struct work *work, struct relance_error *error)
{
    enum relance_status status = work->place.sink_spent ? work_settle(work, error) : work_land(work, error);
    work_give_up_saving(work);
    for (size_t i = 0; i < work->own_count; i++) {
        struct partition *partition = work->own[i];
        partition->pace.was_saved = !work->place.sink_spent && partition_is_saved(partition);
        partition_drop(partition);
    }
    work_clear(work);
    return status == RELANCE_AGAIN ? RELANCE_OK : status;
}

/* Everything is claimed again: after a failed transaction with a new producer, after a foreign stamp in Redis
 * with the one we have. */
static enum relance_status work_start_over(struct work *work, struct relance_error *error)
{
    if (work->place.sink) log_line(LOG_WARNING, "Claiming everything again.", "why=\"%s\"", error->message);
    bool sound = work->place.sink && !work->place.sink_spent;
    return sound ? RELANCE_OK : work_renew_sink(work, error);
}

/* ---- fetching */
static struct partition *work_partition(const struct work *work, int32_t number)
{
    struct partition *partition = number < work->place.input_partitions ? work->by_number[number] : NULL;
    return partition && partition->state != PARTITION_UNCLAIMED ? partition : NULL;
}

static void work_want(struct work *work, const struct partition *partition, struct relance_str name)
{
    if (!relance_engine_holds(partition->engine, name)) wanted_add(&work->wanted, name);
}

/* The key is nearly always the customer, or the visitor where there are any; where it is not, the engine asks. */
static enum relance_status work_fetch(struct work *work, const struct source_batch *batch,
                                      struct partition *partition, struct relance_error *error)
{
    struct wanted *wanted = &work->wanted;
    wanted_clear(wanted);
    char *name = partition->sees_visitors
                     ? buffer_room(&work->names, batch->count * RELANCE_VISITOR_NAME_BYTES)
                     : NULL;
    for (size_t i = 0; i < batch->count; i++) {
        const struct source_record *record = &batch->records[i];
        if (record->partition != partition->number || !record->key.size) continue;
        work_want(work, partition, record->key);
        if (!name) continue;
        size_t size = relance_visitor_name(record->key, name);
        work_want(work, partition, (struct relance_str){name, size});
        name += size;
    }
    return wanted->count ? partition_fetch(partition, wanted->customers, wanted->count, error) : RELANCE_OK;
}

static enum relance_status work_fetch_all(struct work *work, const struct source_batch *batch,
                                          struct relance_error *error)
{
    for (size_t i = 0; i < work->own_count; i++) {
        struct partition *partition = work->own[i];
        if (partition->state == PARTITION_UNCLAIMED || relance_engine_holds(partition->engine, STR("")))
            continue;
        enum relance_status status = work_fetch(work, batch, partition, error);
        if (status != RELANCE_OK) return status;
    }
    return RELANCE_OK;
}

/* ---- deciding */
static bool work_has_changed_too_much(const struct work *work, const struct partition *partition)
{
    return relance_engine_changed_count(partition->engine) > work->worker->plan.changed_most;
}

/* In the middle of a record that ends very many waits: they leave in several transactions, with the checkpoints that are due
 * behind these, while the next are decided. A Redis that takes none is waited for, as it is between two batches. */
static enum relance_status work_relieve(struct work *work, struct partition *partition,
                                        struct relance_error *error)
{
    enum relance_status status = work_look(work, error);
    if (status != RELANCE_OK) return status; /* the partition may be without an engine */
    if (work->place.outbox.bytes.size >= WORKER_RELIEF || work_has_changed(work, partition, 1))
        status = work_publish(work, error);
    while (status == RELANCE_OK && work_has_changed_too_much(work, partition)) {
        status = partition_wait(&work->place, WORKER_RETRY_US, error);
        if (status == RELANCE_OK && clock_monotonic_us() >= partition->pace.retry_us)
            status = work_publish_and_save(work, partition, error);
    }
    return status;
}

static enum relance_status work_decide_one(struct work *work, const struct source_record *record,
                                           struct relance_error *error)
{
    struct partition *partition = work_partition(work, record->partition);
    if (!partition) return RELANCE_OK;
    enum relance_status status = partition_record(partition, record, error);
    while (status == RELANCE_OK && partition->is_halted && !stop_requested()) {
        status = work_relieve(work, partition, error);
        if (status == RELANCE_OK) status = partition_go_on(partition, record, error);
    }
    return status == RELANCE_OK ? work_publish_much(work, error) : status;
}

/* Records lie where another thread has put them: one that is decided in a moment is asked of memory now, which is slow. */
static void work_expect(const struct source_batch *batch, size_t at)
{
    if (at >= batch->count) return;
    const struct source_record *record = &batch->records[at];
    __builtin_prefetch(record->key.data);
    for (size_t line = 0; line < record->value.size && line < WORKER_EXPECT_BYTES; line += WORKER_CACHE_LINE)
        __builtin_prefetch(record->value.data + line);
}

/* By what the customers of the next records are found, by the number of the record. */
struct foreseen {
    uint32_t places[WORKER_FORESEEN];
};

static void work_expect_state(const struct work *work, const struct source_batch *batch, size_t at,
                              const struct foreseen *foreseen, enum relance_expect step)
{
    if (at >= batch->count) return;
    const struct partition *partition = work_partition(work, batch->records[at].partition);
    if (partition) relance_engine_expect(partition->engine, foreseen->places[at % WORKER_FORESEEN], step);
}

/* The key tells whose state it will be, nearly always. */
static void work_expect_customer(const struct work *work, const struct source_batch *batch, size_t at,
                                 struct foreseen *foreseen)
{
    size_t key = at + WORKER_EXPECT_KEY, place = at + WORKER_EXPECT_PLACE;
    if (key < batch->count) __builtin_prefetch(batch->records[key].key.data);
    if (place < batch->count)
        foreseen->places[place % WORKER_FORESEEN] = relance_engine_place(batch->records[place].key);
    work_expect_state(work, batch, place, foreseen, RELANCE_EXPECT_PLACE);
    work_expect_state(work, batch, at + WORKER_EXPECT_CUSTOMER, foreseen, RELANCE_EXPECT_CUSTOMER);
    work_expect_state(work, batch, at + WORKER_EXPECT_STATE, foreseen, RELANCE_EXPECT_STATE);
    work_expect_state(work, batch, at + WORKER_EXPECT_PARTS, foreseen, RELANCE_EXPECT_PARTS);
}

static bool work_is_cold(const struct work *work)
{
    for (size_t i = 0; i < work->own_count; i++)
        if (work->own[i]->state != PARTITION_UNCLAIMED && relance_engine_is_cold(work->own[i]->engine))
            return true;
    return false;
}

/* All of the batch, or, when a stop is asked for, up to some record of it. */
static enum relance_status work_decide(struct work *work, const struct source_batch *batch,
                                       struct relance_error *error)
{
    enum relance_status status = RELANCE_OK;
    struct foreseen foreseen = {{0}}; /* of the first ones nothing, which does no harm */
    bool is_cold = work_is_cold(work);
    for (size_t i = 0; i < batch->count && status == RELANCE_OK && !stop_requested(); i++) {
        work_expect(batch, i + WORKER_EXPECT);
        if (is_cold) work_expect_customer(work, batch, i, &foreseen);
        status = work_decide_one(work, &batch->records[i], error);
    }
    for (size_t i = 0; i < work->own_count; i++)
        partition_end_batch(work->own[i]);
    return status;
}

/* The end of the input may lie behind its last record: control records of producers' transactions. */
static enum relance_status work_reach(struct work *work, struct relance_error *error)
{
    enum relance_status status = RELANCE_OK;
    for (size_t i = 0; i < work->own_count && status == RELANCE_OK; i++) {
        struct partition *partition = work->own[i];
        status = partition_reach(partition, source_read_to(work->place.source, partition->number), error);
    }
    return status;
}

static enum relance_status work_link(struct work *work, struct relance_error *error)
{
    enum relance_status status = RELANCE_OK;
    for (size_t i = 0; i < work->own_count && status == RELANCE_OK; i++) {
        status = partition_take_links(work->own[i], error);
        if (status == RELANCE_OK) status = work_publish_much(work, error);
    }
    return status;
}

/* As much as one mark may end; what is left is the next cycle's, with whatever has come in the meantime. */
static enum relance_status work_tick(struct work *work, struct relance_error *error)
{
    work->ticking = false;
    for (size_t i = 0; i < work->own_count; i++) {
        struct partition *partition = work->own[i];
        enum relance_status status = partition_tick(partition, error);
        work->ticking |= partition->tick_ms != RELANCE_NEVER;
        if (status == RELANCE_OK) status = work_publish_much(work, error);
        if (status != RELANCE_OK) return status;
    }
    return RELANCE_OK;
}

/* ---- the rules */
/* Sets that no partition runs any more go, once all run the new one. (Where there are own ones, none is left.) */
static void work_forget_rules(struct work *work)
{
    for (size_t i = 0; i < work->own_count; i++) {
        const struct partition *partition = work->own[i];
        bool runs_it = partition->state == PARTITION_LIVE && partition->in_force.rules &&
                       strcmp(partition->in_force.rules->packed, work->place.rules) == 0;
        if (!runs_it) return;
    }
    rulebook_keep(&work->book, str_of(work->place.rules));
}

/* Between two cycles: a changed set becomes a mark in every partition that is live, and in the others when they
 * are; whether records come or not. */
static enum relance_status work_take_rules(struct work *work, struct relance_error *error)
{
    bool took = false;
    work->place.rules = reload_packed(work->worker->plan.rules);
    for (size_t i = 0; i < work->own_count; i++) {
        struct partition *partition = work->own[i];
        if (partition->state != PARTITION_LIVE || partition->in_force.rules_seen == work->place.rules)
            continue;
        enum relance_status status = partition_freshen(partition, RELANCE_NEVER, RELANCE_NEVER, error);
        if (status != RELANCE_OK) return status;
        took = true;
    }
    if (took) work_forget_rules(work);
    return RELANCE_OK;
}

/* ---- the cycle */
/* Redis takes nothing any more, and what it does not have grows: no more is read until it does. The group goes on
 * hearing from us: others would wait for us in a rebalance, and whoever is not heard of for 5 min is no member. */
static bool work_is_full(const struct work *work)
{
    for (size_t i = 0; i < work->own_count; i++) {
        const struct partition *partition = work->own[i];
        if (partition->state == PARTITION_LIVE && partition->pace.is_failing &&
            work_has_changed_too_much(work, partition))
            return true;
    }
    return false;
}

/* Fetches and decides what has been read. A stop during the fetch leaves all of it undecided, and all that has been
 * decided before as it is, for the last checkpoint. */
static enum relance_status work_deal(struct work *work, const struct source_batch *batch,
                                     struct relance_error *error)
{
    enum relance_status status = work_fetch_all(work, batch, error);
    if (status == RELANCE_AGAIN && stop_requested()) return RELANCE_OK;
    return status == RELANCE_OK ? work_decide(work, batch, error) : status;
}

/* A batch that a stop has cut off is the last one: the end of the input, which may have been met behind it, is not
 * reached, and nothing is due. */
static enum relance_status work_take(struct work *work, struct relance_error *error)
{
    struct source_batch batch;
    bool is_busy = work->is_resting || work->place.unpublished_count;
    int wait_ms = work->ticking ? 0 : is_busy ? WORKER_BUSY_MS : WORKER_IDLE_MS;
    enum relance_status status = source_gather(work->place.source, wait_ms, work->most, &batch, error);
    if (status != RELANCE_OK) return status;
    int64_t began = clock_monotonic_us();
    work->loaded = batch.count >= WORKER_MUCH || work->ticking;
    work->was_loaded |= work->loaded;
    work->has_more = batch.has_more || work->ticking;
    if (batch.count) status = work_deal(work, &batch, error);
    bool some = batch.count > 0, is_cut = stop_requested();
    source_release(work->place.source);
    if (status == RELANCE_OK && !is_cut) status = work_reach(work, error);
    if (status == RELANCE_OK && !is_cut) status = work_link(work, error);
    if (status == RELANCE_OK && !is_cut) status = work_tick(work, error);
    if (status == RELANCE_OK && work_is_publish_due(work)) status = work_publish(work, error);
    if (some) pulse_add_time(&work->figures.cycles, clock_monotonic_us() - began);
    return status;
}

/* While nothing can be read. */
static enum relance_status work_rest(struct work *work, struct relance_error *error)
{
    enum relance_status status = work->place.unpublished_count ? work_publish(work, error) : RELANCE_OK;
    return status == RELANCE_OK ? source_idle(work->place.source, WORKER_IDLE_MS, error) : status;
}

/* Has the partition taken all that others have told it? */
static bool work_is_linked(const struct work *work, const struct partition *partition)
{
    int64_t high;
    struct relance_error error;
    return source_bounds(work->place.source, SOURCE_LINKS, partition->number, NULL, &high, &error) ==
               RELANCE_OK &&
           links_read_to(work->place.links, partition->number) >= high;
}

/* --stop-at-end: is all that there was at the start decided, is nothing due any more, and is all told that was to be told,
 * and answered? */
static bool work_is_at_end(const struct work *work)
{
    int64_t now = wall_now_ms() - work->place.options->lateness;
    if (!work->place.options->stop_at_end && !work->place.options->drain) return false;
    if (!work->assigned || work->place.outbox.count || work->flight.is_open) return false;
    if (work->place.told_us && clock_monotonic_us() - work->place.told_us < WORKER_ECHO_US) return false;
    for (size_t i = 0; i < work->own_count; i++) {
        const struct partition *partition = work->own[i];
        if (partition->state != PARTITION_LIVE || partition->decided.offset < partition->input_end.first ||
            relance_engine_next_due(partition->engine) < now || !work_is_linked(work, partition))
            return false;
    }
    return true;
}

static enum relance_status work_cycle(struct work *work, struct relance_error *error)
{
    if (work->has_grown)
        return relance_error_set(error, RELANCE_REFUSED,
                                 "%s has more partitions than the %d it had: customers change their "
                                 "partition. `relance run --drain` and "
                                 "then `relance reshard` move them",
                                 work->place.options->input, work->place.input_partitions);
    work_free_gone(work);
    work_stop_links(work);
    enum relance_status status = work_look(work, error);
    if (status == RELANCE_OK) status = work_take_rules(work, error);
    if (status == RELANCE_OK) status = work_claim(work, error);
    if (status == RELANCE_OK && work->place.sink_spent) status = RELANCE_AGAIN;
    if (status == RELANCE_OK) status = work_is_full(work) ? work_rest(work, error) : work_take(work, error);
    /* At the end all is saved now: whoever is told to end gives Redis little time. */
    bool at_end = status == RELANCE_OK && work_is_at_end(work);
    if (status == RELANCE_OK) status = work_save_due(work, at_end, error);
    if (status == RELANCE_OK) work_put_to_rest(work);
    if (status == RELANCE_OK) work_note_whole(work);
    if (status == RELANCE_OK) work_ask_end(work);
    work_tell_misplaced(work, false);
    work_tell(work);
    atomic_store(&work->worker->at_end, status == RELANCE_OK && at_end);
    return status;
}

static enum relance_status work_until_stopped(struct work *work, struct relance_error *error)
{
    while (!stop_requested()) {
        enum relance_status status = work_cycle(work, error);
        if (status == RELANCE_AGAIN) {
            workplace_tell_unsaved(&work->place, work->whole_us, error->message);
            status = work_abandon(work, error);
            if (status != RELANCE_OK) return status;
            if (!partition_pause(WORKER_RETRY_US)) break;
            status = work_start_over(work, error);
            if (status == RELANCE_AGAIN)
                status = RELANCE_OK; /* the sink stays spent: the next cycle comes here again */
        }
        if (status != RELANCE_OK) return status;
    }
    return RELANCE_OK;
}

/* ---- beginning and end */
static enum relance_status work_open(struct work *work, struct relance_error *error)
{
    const struct source_config config = {
        work->place.options, work->member, {work, work_assigned, work_revoked}};
    enum relance_status status;
    do
        status = work_start_over(work, error); /* before we join the group: fences our predecessor */
    while (status == RELANCE_AGAIN && partition_pause(WORKER_RETRY_US));
    if (status == RELANCE_AGAIN)
        return RELANCE_OK; /* told to end before Kafka answered: that is no failure */
    work->most = work->worker->plan.most;
    if (status == RELANCE_OK) status = links_open(work->place.options, &work->place.links, error);
    if (status != RELANCE_OK) return status;
    work_join_behind_first(work);
    return source_open(&config, &work->place.source, error);
}

static void work_init(struct work *work, struct worker *worker)
{
    const struct worker_plan *plan = &worker->plan;
    *work = (struct work){.worker = worker, .most = plan->most, .whole_us = clock_monotonic_us()};
    snprintf(work->member, sizeof work->member, "%s/%s/%d", plan->options->group, plan->instance,
             plan->number);
    work->by_number = calloc((size_t)plan->input_partitions, sizeof *work->by_number);
    work->parked = calloc((size_t)plan->input_partitions, sizeof *work->parked);
    work->own = calloc((size_t)plan->input_partitions, sizeof *work->own);
    work->saving = calloc((size_t)plan->input_partitions, sizeof *work->saving);
    work->flight.frontiers = calloc((size_t)plan->input_partitions, sizeof *work->flight.frontiers);
    ensure(work->by_number && work->parked && work->own && work->saving && work->flight.frontiers);
    work->place = (struct workplace){
        .options = plan->options,
        .member = work->member,
        .rules = reload_packed(plan->rules),
        .deciding = plan->deciding,
        .tzdata = plan->tzdata,
        .input_partitions = plan->input_partitions,
        .from_ms = plan->from_ms,
        .standings = plan->standings,
        .pulse = &worker->pulse,
        .book = &work->book,
        .models = plan->models,
        .refuses_misplaced = plan->refuses_misplaced,
        .lines_room = WORK_LINES_MAX,
        .waits_most = plan->waits_most,
    };
}

/* The last checkpoint of this process: what cannot be saved will be decided again. A partition that was dropped may have left
 * something to be published behind, which the group's farewell must not find. */
static void work_save_last(struct work *work)
{
    struct relance_error error = {.message = "Redis takes none, or the partition could not be claimed"},
                         later;
    enum relance_status status = work_settle(work, &error);
    if (status == RELANCE_OK && work->place.source && !work->place.sink_spent)
        status = work_save_due(work, true, &error); /* what is not saved is looked for */
    if (status != RELANCE_OK) (void)work_abandon(work, &later);
    size_t unsaved = work->left_unsaved + work_count_unsaved(work);
    if (unsaved && atomic_load(&work->worker->end) == WORKER_ENDED_WELL) {
        log_line(LOG_ERROR,
                 "Ending without a last checkpoint: no upgrade and no change of options must begin on this. "
                 "The same engine catches up at its next start.",
                 "partitions=%zu why=\"%s\"", unsaved, error.message);
        atomic_store(&work->worker->end, WORKER_ENDED_UNSAVED);
    }
    atomic_store(&work->worker->saved, true);
}

static void work_close(struct work *work)
{
    work_give_up_saving(work);
    if (work->place.source) source_close(work->place.source);
    if (work->place.sink) sink_close(work->place.sink);
    if (work->place.links) links_close(work->place.links);
    for (size_t i = 0; i < work->own_count; i++)
        partition_free(work->own[i]);
    work_free_parked(work);
    work_free_gone(work);
    outbox_free(&work->place.outbox);
    outbox_free(&work->flight.outbox);
    free(work->flight.frontiers);
    buffer_free(&work->place.body);
    rulebook_free(&work->book);
    free(work->by_number);
    free(work->parked);
    free(work->own);
    free(work->saving);
    wanted_free(&work->wanted);
    buffer_free(&work->names);
}

void *worker_run(void *argument)
{
    struct worker *worker = argument;
    struct work work;
    struct relance_error error;
    work_init(&work, worker);
    enum relance_status status = work_open(&work, &error);
    if (status == RELANCE_OK) status = work_until_stopped(&work, &error);
    if (status != RELANCE_OK) {
        log_line(LOG_ERROR, "There is no going on.", "member=%s why=\"%s\"", work.member, error.message);
        work.place.sink_spent = true; /* nothing more is published or saved */
        atomic_store(&worker->end, status == RELANCE_INVALID    ? WORKER_ENDED_INVALID
                                   : status == RELANCE_REPLACED ? WORKER_ENDED_REPLACED
                                                                : WORKER_ENDED_FAILED);
        stop_request();
    }
    work_save_last(&work);
    work_tell_misplaced(&work, true);
    work_close(&work);
    atomic_store(&worker->ended, true);
    return NULL;
}
