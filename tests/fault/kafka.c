/* The model of Kafka: topics that the engine writes, transactions, one consumer group. Behind source.h, sink.h
 * and marks.h; the input itself is workload.c's.
 *
 * What it keeps true is what a broker keeps true, no more: a record stands or falls with its transaction; who
 * comes later under a transactional id ends what was open before; offsets in a transaction are taken only from
 * a member of the present generation; a committed offset is not told while an open transaction may move it.
 * Everything else is as late, as lost or as doubtful as chance will have it: answers do not come, requests
 * arrive after their sender has given up, a transaction's markers stand in each partition at a time of its
 * own, so that P may be seen before the marks are.
 *
 * Nothing happens by itself: kafka_settle() does what has fallen due, whenever somebody looks. */
#include "kafka.h"
#include "base/ensure.h"
#include "base/murmur2.h"
#include "delivery/links.h"
#include "delivery/marks.h"
#include "delivery/published.h"
#include "delivery/sink.h"
#include "host/text.h"
#include "workload.h"
#include <inttypes.h>

enum {
    KAFKA_SESSION_US = 2000000,
    KAFKA_REBALANCE_US = 3000000,
    KAFKA_TRANSACTION_US = 10000000,
    KAFKA_TIMEOUT_US = 5000000, /* of a client's request */
    KAFKA_PATIENCE_US = 10000000,
    KAFKA_LATE_MAX = 16,
    KAFKA_ASK_US = 20000,   /* between questions whose answer is still to come */
    KAFKA_IDLE_US = 150000, /* an idle consumer is looked at so often: more often tells nothing new */
};

/* ---- transactions */
enum kafka_fate { TXN_OPEN, TXN_COMMITTED, TXN_ABORTED };
enum { MARKER_OFFSETS, MARKER_LOGS, MARKERS = MARKER_LOGS + KAFKA_LOGS };

struct kafka_txn {
    int slot, epoch;
    enum kafka_fate fate;
    int64_t began_us, marker_us[MARKERS];
    struct sink_frontier frontiers[SIM_PARTITIONS_MAX];
    size_t frontier_count;
    bool done; /* its offsets are where they belong */
};

struct kafka_member {
    bool in, joined, told;
    int id; /* of the process that has the name now */
    const struct process *process;
    unsigned mask; /* its partitions */
};

static struct {
    struct kafka_log logs[KAFKA_LOGS];
    struct kafka_txn **txns; /* those that are not done */
    size_t txn_count, txn_capacity;
    struct {
        int epoch;
        struct kafka_txn *txn; /* the last one */
    } producers[SIM_SLOTS_MAX];
    struct {
        int64_t at_us;
        struct kafka_txn *txn;
    } late[KAFKA_LATE_MAX]; /* EndTxn requests that are still on their way */
    size_t late_count;
    struct {
        bool there;
        int64_t offset;
        char metadata[FRONTIER_TEXT_SIZE];
    } committed[SIM_PARTITIONS_MAX];
    struct kafka_member members[SIM_SLOTS_MAX];
    int generation, last_id;
    bool preparing;
    int64_t rebalance_us; /* when it ends at the latest */
    int64_t down_until_us;
    uint64_t commits;
} kafka;

void kafka_begin(void)
{
    memset(&kafka, 0, sizeof kafka);
}

void kafka_set_down(int64_t us)
{
    kafka.down_until_us = sim.now_us + us;
    if (us) sim_tell("Kafka is away for %.3f s", (double)us / 1e6);
}

static bool kafka_marker_stands(const struct kafka_txn *txn, int marker)
{
    return txn->fate != TXN_OPEN && txn->marker_us[marker] <= sim.now_us;
}

static void kafka_end_txn(struct kafka_txn *txn, enum kafka_fate fate)
{
    txn->fate = fate;
    for (int i = 0; i < MARKERS; i++)
        txn->marker_us[i] =
            sim.now_us + (sim_chance(sim.rates.late_marker) ? sim_between(0, 2000000) : sim_between(0, 500));
    if (fate == TXN_COMMITTED) kafka.commits++;
}

static struct kafka_txn *kafka_begin_txn(int slot)
{
    struct kafka_txn *txn = sim_keep(sizeof *txn);
    *txn = (struct kafka_txn){.slot = slot, .epoch = kafka.producers[slot].epoch, .began_us = sim.now_us};
    if (kafka.txn_count == kafka.txn_capacity) {
        size_t capacity = kafka.txn_capacity ? 2 * kafka.txn_capacity : 16;
        struct kafka_txn **grown = sim_keep(capacity * sizeof *grown);
        if (kafka.txn_count) memcpy(grown, kafka.txns, kafka.txn_count * sizeof *grown);
        kafka.txns = grown, kafka.txn_capacity = capacity;
    }
    return kafka.txns[kafka.txn_count++] = kafka.producers[slot].txn = txn;
}

static void kafka_put_frontier(const struct sink_frontier *frontier)
{
    sim_tell("P of partition %d is %" PRId64, frontier->partition, frontier->frontier.position.offset);
    kafka.committed[frontier->partition].there = true;
    kafka.committed[frontier->partition].offset = frontier->frontier.position.offset;
    frontier_print(&frontier->frontier, kafka.committed[frontier->partition].metadata);
}

/* Offsets become P when their marker stands; the earlier marker first. */
static void kafka_settle_offsets(void)
{
    for (;;) {
        struct kafka_txn *next = NULL;
        for (size_t i = 0; i < kafka.txn_count; i++) {
            struct kafka_txn *txn = kafka.txns[i];
            if (!txn->done && kafka_marker_stands(txn, MARKER_OFFSETS) &&
                (!next || txn->marker_us[MARKER_OFFSETS] < next->marker_us[MARKER_OFFSETS]))
                next = txn;
        }
        if (!next) break;
        next->done = true;
        for (size_t i = 0; next->fate == TXN_COMMITTED && i < next->frontier_count; i++)
            kafka_put_frontier(&next->frontiers[i]);
    }
    size_t kept = 0;
    for (size_t i = 0; i < kafka.txn_count; i++)
        if (!kafka.txns[i]->done) kafka.txns[kept++] = kafka.txns[i];
    kafka.txn_count = kept;
}

/* A request that arrives late counts if nobody has come after it under the same id. */
static void kafka_settle_late(void)
{
    for (size_t i = 0; i < kafka.late_count;) {
        if (kafka.late[i].at_us > sim.now_us) {
            i++;
            continue;
        }
        struct kafka_txn *txn = kafka.late[i].txn;
        if (txn->fate == TXN_OPEN && txn->epoch == kafka.producers[txn->slot].epoch) {
            sim_tell("a commit of i%d arrives late, and counts", txn->slot);
            kafka_end_txn(txn, TXN_COMMITTED);
        }
        kafka.late[i] = kafka.late[--kafka.late_count];
    }
}

static void kafka_settle_slow(void)
{
    for (size_t i = 0; i < kafka.txn_count; i++) {
        struct kafka_txn *txn = kafka.txns[i];
        if (txn->fate != TXN_OPEN || sim.now_us - txn->began_us < KAFKA_TRANSACTION_US) continue;
        sim_tell("a transaction of i%d has been open for too long and is aborted", txn->slot);
        kafka.producers[txn->slot].epoch++;
        kafka_end_txn(txn, TXN_ABORTED);
    }
}

/* ---- the group */
static void group_begin_rebalance(const char *why)
{
    if (!kafka.preparing) sim_tell("the group rebalances: %s", why);
    kafka.preparing = true;
    kafka.rebalance_us = sim.now_us + KAFKA_REBALANCE_US;
    for (int i = 0; i < SIM_SLOTS_MAX; i++)
        kafka.members[i].joined = false;
}

/* The range assignor: members by name, each its share. */
static void group_assign(void)
{
    int count = 0, index = 0;
    for (int i = 0; i < SIM_SLOTS_MAX; i++)
        count += kafka.members[i].in;
    for (int i = 0; i < SIM_SLOTS_MAX; i++) {
        struct kafka_member *member = &kafka.members[i];
        if (!member->in) continue;
        member->mask = 0;
        member->told = false;
        for (int p = 0; p < sim.partitions; p++)
            if (p * count / sim.partitions == index) member->mask |= 1u << p;
        index++;
    }
}

/* Another process in its place: it is dead, and has been for some time. */
static bool group_is_silent(const struct process *process, int slot)
{
    return process->slot != slot || (process->silent_from_us != RELANCE_NEVER &&
                                     sim.now_us - process->silent_from_us >= KAFKA_SESSION_US);
}

static void group_settle(void)
{
    bool all = true;
    for (int i = 0; i < SIM_SLOTS_MAX; i++) {
        struct kafka_member *member = &kafka.members[i];
        if (!member->in || !group_is_silent(member->process, i)) continue;
        member->in = false;
        group_begin_rebalance("a member has been silent for too long");
    }
    if (!kafka.preparing) return;
    for (int i = 0; i < SIM_SLOTS_MAX; i++)
        all &= !kafka.members[i].in || kafka.members[i].joined;
    if (!all && sim.now_us < kafka.rebalance_us) return;
    for (int i = 0; i < SIM_SLOTS_MAX; i++)
        kafka.members[i].in &= kafka.members[i].joined;
    kafka.preparing = false;
    kafka.generation++;
    group_assign();
    sim_tell("the group has generation %d", kafka.generation);
}

void kafka_settle(void)
{
    kafka_settle_late();
    kafka_settle_slow();
    kafka_settle_offsets();
    group_settle();
}

/* ---- requests: there, the effect, and back. Death may come at either end. */
static bool kafka_is_down(void)
{
    return sim.now_us < kafka.down_until_us;
}

/* False: the request has not arrived, and its sender has waited in vain or is dead. */
static bool kafka_go(int64_t timeout_us)
{
    if (!sim_enter()) return false;
    if (kafka_is_down() || sim_chance(sim.rates.lose_request)) {
        sim_wait(timeout_us);
        return false;
    }
    bool alive = sim_wait(sim_network_us());
    kafka_settle();
    return alive || sim_between(0, 1); /* what is on its way arrives, or does not */
}

/* False: no answer. */
static bool kafka_return(int64_t timeout_us)
{
    if (!sim_enter()) return false;
    if (!kafka_is_down() && !sim_chance(sim.rates.lose_reply)) return sim_wait(sim_network_us());
    sim_wait(timeout_us);
    return false;
}

static enum relance_status kafka_silent(struct relance_error *error)
{
    return relance_error_set(error, RELANCE_AGAIN, "the model of Kafka is silent");
}

/* ---- logs */
const struct kafka_log *kafka_log(int topic)
{
    return &kafka.logs[topic];
}

bool kafka_is_committed(const struct kafka_said *said)
{
    return said->txn->fate == TXN_COMMITTED;
}

static void kafka_append(int topic, const struct kafka_said *said)
{
    struct kafka_log *log = &kafka.logs[topic];
    if (log->count == log->capacity) {
        size_t capacity = log->capacity ? 2 * log->capacity : 64;
        struct kafka_said *grown = sim_keep(capacity * sizeof *grown);
        if (log->count) memcpy(grown, log->items, log->count * sizeof *grown);
        log->items = grown, log->capacity = capacity;
    }
    log->items[log->count++] = *said;
}

/* The last stable offset: of the first record whose transaction is open, or whose marker is not there yet. */
size_t kafka_stable_end(int topic)
{
    const struct kafka_log *log = &kafka.logs[topic];
    size_t end = log->count;
    for (size_t i = log->count; i-- > 0;)
        if (!kafka_marker_stands(log->items[i].txn, MARKER_LOGS + topic)) end = i;
    return end;
}

/* ---- the producer: sink.h */
struct sink {
    int slot, epoch;
    int64_t began_us;
    struct kafka_txn *txn;
    /* what has been begun */
    const struct outbox *outbox;
    const struct sink_frontier *frontiers;
    size_t frontier_count;
    const struct membership *membership;
    enum relance_status status;
    struct relance_error error;
};

/* A producer that has been fenced cannot tell a successor from a transaction that took too long. */
static enum relance_status sink_fenced(struct relance_error *error)
{
    return relance_error_set(error, RELANCE_AGAIN, "the model of Kafka has fenced this producer");
}

/* All markers of the last transaction under this id are waited for: until then there is no other. */
static bool sink_await_markers(int slot)
{
    const struct kafka_txn *txn = kafka.producers[slot].txn;
    int64_t settled_us = sim.now_us;
    for (int i = 0; txn && txn->fate != TXN_OPEN && i < MARKERS; i++)
        if (txn->marker_us[i] > settled_us) settled_us = txn->marker_us[i];
    if (settled_us > sim.now_us && !sim_wait(settled_us - sim.now_us)) return false;
    kafka_settle();
    return true;
}

static bool sink_end_predecessor(int slot)
{
    struct kafka_txn *txn = kafka.producers[slot].txn;
    if (txn && txn->fate == TXN_OPEN) kafka_end_txn(txn, TXN_ABORTED);
    kafka.producers[slot].epoch++;
    return sink_await_markers(slot);
}

enum relance_status sink_open(const struct sink_config *config, struct sink **out,
                              struct relance_error *error)
{
    (void)config;
    int slot = sim.running->slot;
    if (!kafka_go(KAFKA_PATIENCE_US)) return kafka_silent(error);
    int epoch = kafka.producers[slot].epoch + 1;
    if (!sink_end_predecessor(slot) || !kafka_return(KAFKA_PATIENCE_US)) return kafka_silent(error);
    struct sink *sink = sim_keep(sizeof *sink);
    *sink = (struct sink){.slot = slot, .epoch = epoch};
    *out = sink;
    return RELANCE_OK;
}

void sink_close(struct sink *sink)
{
    (void)sink;
    sim_await_beside(SIM_TRANSACTION); /* there is one, under sabotage */
}

static bool sink_is_current(const struct sink *sink)
{
    return sink->epoch == kafka.producers[sink->slot].epoch;
}

static struct kafka_txn kafka_committed = {
    .fate = TXN_COMMITTED}; /* sabotage: whatever the transaction comes to */

static void sink_take(struct sink *sink, const struct outbox_record *record)
{
    struct kafka_said said = {.txn = sink->txn,
                              .key = sim_keep_text(record->key),
                              .value = sim_keep_text(record->value),
                              .partition = record->partition};
    const struct {
        const char *name;
        struct relance_str *value;
    } wanted[] = {{"ce_id", &said.id},
                  {"ce_time", &said.due},
                  {"relance-seq", &said.seq},
                  {"relance-offset", &said.offset},
                  {"relance-mark", &said.mark},
                  {"relance-index", &said.index},
                  {"traceparent", &said.traceparent}};
    for (size_t i = 0; i < record->header_count; i++) {
        const struct outbox_header *header = &record->headers[i];
        int64_t number;
        for (size_t w = 0; w < sizeof wanted / sizeof *wanted; w++)
            if (strcmp(header->name, wanted[w].name) == 0) *wanted[w].value = sim_keep_text(header->value);
        if (strcmp(header->name, "relance-partition") == 0 && text_count(header->value, &number))
            said.partition = (int32_t)number;
    }
    int topic = record->topic == OUTBOX_ACTIONS ? KAFKA_ACTIONS : KAFKA_DEAD;
    if (record->topic == OUTBOX_DECISIONS) topic = KAFKA_DECISIONS;
    if (record->topic == OUTBOX_MARKS) topic = KAFKA_MARKS + record->partition;
    if (record->topic == OUTBOX_LINKS) topic = KAFKA_LINKS + record->partition;
    if (sabotage(BUG_LINKS_EARLY) && record->topic == OUTBOX_LINKS) said.txn = &kafka_committed;
    if (sabotage(BUG_DECISIONS_BESIDE) && record->topic == OUTBOX_DECISIONS) said.txn = &kafka_committed;
    kafka_append(topic, &said);
}

/* A request of a transaction, the first of which begins it, once the one before is over. */
static enum relance_status sink_reach(struct sink *sink, struct relance_error *error)
{
    if (!kafka_go(KAFKA_PATIENCE_US)) return kafka_silent(error);
    if (!sink->txn && !sink_await_markers(sink->slot)) return kafka_silent(error);
    if (!sink_is_current(sink)) return sink_fenced(error);
    if (!sink->txn) sink->txn = kafka_begin_txn(sink->slot);
    return RELANCE_OK;
}

/* Some records a request; the first one begins the transaction at the broker. */
static enum relance_status sink_produce(struct sink *sink, const struct outbox *outbox,
                                        struct relance_error *error)
{
    struct outbox_record record;
    size_t at = 0;
    bool more = outbox_next(outbox, &at, &record);
    while (more) {
        enum relance_status status = sink_reach(sink, error);
        if (status != RELANCE_OK) return status;
        int64_t some = sim.undisturbed ? INT64_MAX : sim_between(1, 40);
        for (; more && some > 0; some--) {
            sink_take(sink, &record);
            more = outbox_next(outbox, &at, &record);
        }
        if (!kafka_return(KAFKA_PATIENCE_US)) return kafka_silent(error);
    }
    return RELANCE_OK;
}

struct membership {
    int generation, id;
};

static bool group_knows(int slot, const struct membership *membership)
{
    const struct kafka_member *member = &kafka.members[slot];
    return member->in && member->id == membership->id && kafka.generation == membership->generation;
}

static enum relance_status group_fenced(struct relance_error *error)
{
    sim.running->fenced = true;
    return relance_error_set(error, RELANCE_REPLACED, "another process has our name");
}

static enum relance_status sink_send_frontiers(struct sink *sink, const struct sink_frontier *frontiers,
                                               size_t count, const struct membership *membership,
                                               struct relance_error *error)
{
    enum relance_status status = sink_reach(sink, error);
    if (status != RELANCE_OK) return status;
    if (kafka.members[sink->slot].id != membership->id) return group_fenced(error);
    if (!group_knows(sink->slot, membership))
        return relance_error_set(error, RELANCE_AGAIN, "the model of Kafka does not know this member");
    sink->txn->frontier_count = count;
    memcpy(sink->txn->frontiers, frontiers, count * sizeof *frontiers);
    if (sabotage(BUG_OFFSET_OUTSIDE)) {
        for (size_t i = 0; i < count; i++)
            kafka_put_frontier(&frontiers[i]);
        sink->txn->frontier_count = 0;
    }
    return kafka_return(KAFKA_PATIENCE_US) ? RELANCE_OK : kafka_silent(error);
}

/* The request that decides. It may also arrive when its sender has long given up. */
static enum relance_status sink_end(struct sink *sink, struct relance_error *error)
{
    if (!kafka_go(KAFKA_PATIENCE_US)) {
        bool late = kafka.late_count < KAFKA_LATE_MAX && sim_chance(16384);
        if (late) {
            kafka.late[kafka.late_count].at_us = sim.now_us + sim_between(0, 1000000);
            kafka.late[kafka.late_count++].txn = sink->txn;
        }
        return sabotage(BUG_GUESS) ? RELANCE_OK : kafka_silent(error);
    }
    if (!sink_is_current(sink)) return sink_fenced(error);
    if (sink->txn->fate != TXN_OPEN) return kafka_silent(error);
    kafka_end_txn(sink->txn, TXN_COMMITTED);
    if (!kafka_return(KAFKA_PATIENCE_US)) return sabotage(BUG_GUESS) ? RELANCE_OK : kafka_silent(error);
    return RELANCE_OK;
}

static bool outbox_has_output(const struct outbox *outbox)
{
    struct outbox_record record;
    for (size_t at = 0; outbox_next(outbox, &at, &record);)
        if (record.topic != OUTBOX_MARKS) return true;
    return false;
}

enum relance_status sink_commit(struct sink *sink, const struct outbox *outbox,
                                const struct sink_frontier *frontiers, size_t count,
                                const struct membership *membership, struct relance_error *error)
{
    ensure(membership && count);
    if (sabotage(BUG_AHEAD) && frontiers->frontier.position.marks && !outbox_has_output(outbox))
        return RELANCE_OK;
    sink->txn = NULL;
    sink->began_us = sim.now_us;
    enum relance_status status = sink_produce(sink, outbox, error);
    if (status == RELANCE_OK) status = sink_send_frontiers(sink, frontiers, count, membership, error);
    if (status == RELANCE_OK) status = sink_end(sink, error);
    if (status == RELANCE_OK && sim.now_us - sink->began_us >= KAFKA_TRANSACTION_US && !sabotage(BUG_GUESS))
        status =
            relance_error_set(error, RELANCE_AGAIN, "the transaction took longer than a transaction may");
    sim_tell("transaction of %zu records, offset %" PRId64 " of partition %d: %s", outbox->count,
             frontiers->frontier.position.offset, frontiers->partition,
             status == RELANCE_OK ? "done" : error->message);
    sim.running->spent = status != RELANCE_OK;
    return status;
}

static void sink_run(void *context)
{
    struct sink *sink = context;
    sink->status = sink_commit(sink, sink->outbox, sink->frontiers, sink->frontier_count, sink->membership,
                               &sink->error);
}

/* Under sabotage the worker goes on to use what it has given us. */
static const struct outbox *sink_copy(const struct outbox *outbox)
{
    struct outbox *copy = sim_keep(sizeof *copy);
    struct relance_str bytes = {outbox->bytes.data, outbox->bytes.size};
    *copy = *outbox;
    if (bytes.size) copy->bytes.data = (char *)(uintptr_t)sim_keep_text(bytes).data;
    return copy;
}

void sink_begin(struct sink *sink, const struct outbox *outbox, const struct sink_frontier *frontiers,
                size_t count, const struct membership *membership)
{
    sim_await_beside(SIM_TRANSACTION); /* there is one, under sabotage */
    sim.running->sent = sink->outbox = outbox;
    sink->frontiers = frontiers;
    sink->frontier_count = count;
    sink->membership = membership;
    if (sabotage(BUG_NO_AWAIT)) {
        struct sink_frontier *kept = sim_keep(count * sizeof *kept);
        memcpy(kept, frontiers, count * sizeof *kept);
        sink->outbox = sink_copy(outbox);
        sink->frontiers = kept;
    }
    sim_begin_beside(SIM_TRANSACTION, sink_run, sink);
}

bool sink_is_done(const struct sink *sink)
{
    (void)sink;
    return !sim_is_beside(SIM_TRANSACTION);
}

enum relance_status sink_finish(struct sink *sink, int64_t *took_us, struct relance_error *error)
{
    *took_us = sim.now_us - sink->began_us;
    if (sabotage(BUG_NO_AWAIT) && sim_is_beside(SIM_TRANSACTION) && !sim.running->killed) return RELANCE_OK;
    sim_await_beside(SIM_TRANSACTION);
    if (sink->status != RELANCE_OK) *error = sink->error;
    return sink->status;
}

/* ---- the consumer: source.h */
struct source {
    int slot, id; /* member id; 0: has not joined */
    struct source_listener listener;
    struct membership membership;
    bool assigned; /* the listener has been told of an assignment, of */
    bool is_in_listener;
    unsigned mask;
    int64_t next[SIM_PARTITIONS_MAX]; /* to be handed out; -1: not started */
    int64_t read_to[SIM_PARTITIONS_MAX];
    struct source_record *records;
    struct source_frontier early[SIM_PARTITIONS_MAX]; /* sabotage: as they were when we joined */
};

static void source_stop_reading(struct source *source)
{
    for (int p = 0; p < SIM_PARTITIONS_MAX; p++)
        source->next[p] = source->read_to[p] = -1;
}

enum relance_status source_open(const struct source_config *config, struct source **out,
                                struct relance_error *error)
{
    if (!sim_enter()) return kafka_silent(error);
    struct source *source = sim_keep(sizeof *source);
    int64_t most = 0;
    for (int p = 0; p < sim.partitions; p++)
        most += workload_input(p)->count;
    *source = (struct source){.slot = sim.running->slot, .listener = config->listener};
    source->records = sim_keep((size_t)most * sizeof *source->records);
    source_stop_reading(source);
    *out = source;
    return RELANCE_OK;
}

/* Closing revokes; being static, the member stays in the group until its session is over. */
void source_close(struct source *source)
{
    if (source->assigned && !sim.running->killed) {
        bool lost = kafka.members[source->slot].id != source->id || !kafka.members[source->slot].in;
        source->listener.revoked(source->listener.context, lost);
    }
}

const struct membership *source_membership(const struct source *source)
{
    return source->assigned ? &source->membership : NULL;
}

int64_t source_read_to(const struct source *source, int32_t partition)
{
    return source->read_to[partition];
}

enum relance_status source_start(struct source *source, const struct source_position *positions, size_t count,
                                 struct relance_error *error)
{
    if (!sim_enter()) return kafka_silent(error);
    source_stop_reading(source);
    for (size_t i = 0; i < count; i++)
        source->next[positions[i].partition] = positions[i].offset;
    return RELANCE_OK;
}

/* ---- joining and leaving, inside source_gather */
static void kafka_read_frontier(int partition, struct source_frontier *out)
{
    int64_t offset = kafka.committed[partition].offset;
    out->frontier.position.offset = offset;
    out->is_foreign = !frontier_parse(offset, str_of(kafka.committed[partition].metadata), &out->frontier);
}

static void source_remember_frontiers(struct source *source)
{
    for (int p = 0; p < sim.partitions; p++) {
        struct source_frontier *early = &source->early[p];
        *early = (struct source_frontier){.frontier.position.offset = -1};
        if (!kafka.committed[p].there) continue;
        kafka_read_frontier(p, early);
    }
}

/* A name that the group knows comes back under the same generation, with another member id. */
static void source_join(struct source *source, struct kafka_member *member)
{
    source->id = ++kafka.last_id;
    member->id = source->id;
    member->process = sim.running;
    member->told = false;
    if (!member->in) group_begin_rebalance("a member has joined");
    member->in = true;
    if (kafka.preparing) member->joined = true;
    source_remember_frontiers(source);
}

static void source_revoke(struct source *source, bool lost)
{
    source_stop_reading(source);
    source->is_in_listener = true;
    if (source->assigned) source->listener.revoked(source->listener.context, lost);
    source->is_in_listener = false;
    source->assigned = false;
}

static void source_assign(struct source *source, struct kafka_member *member)
{
    int32_t partitions[SIM_PARTITIONS_MAX];
    size_t count = 0;
    for (int32_t p = 0; p < sim.partitions; p++)
        if (member->mask & 1u << p) partitions[count++] = p;
    member->told = true;
    source->membership = (struct membership){kafka.generation, source->id};
    source->assigned = true;
    source->listener.assigned(source->listener.context, partitions, count);
}

/* What the group has to say. *changed: something came or went. */
static enum relance_status source_poll_group(struct source *source, bool *changed,
                                             struct relance_error *error)
{
    struct kafka_member *member = &kafka.members[source->slot];
    kafka_settle();
    *changed = true;
    if (source->id && member->id != source->id) return group_fenced(error);
    if (source->id && !member->in) {
        source_revoke(source, true);
        if (!sim.running->killed && member->id == source->id) source_join(source, member);
    } else if (!source->id) {
        source_join(source, member);
    } else if (kafka.preparing && !member->joined) {
        source_revoke(source, false);
        source_remember_frontiers(source);
        if (!sim.running->killed && member->id == source->id) member->joined = true;
    } else if (!kafka.preparing && !member->told) {
        source_assign(source, member);
    } else {
        *changed = false;
    }
    return RELANCE_OK;
}

/* ---- records */
/* Hands out some of what can be seen; having seen all, the reader knows the end. */
static void source_take(struct source *source, int32_t partition, size_t most, struct source_batch *batch)
{
    const struct input *input = workload_input(partition);
    int64_t end = workload_stable_end(partition), begin = source->next[partition];
    if (begin < 0) return;
    int64_t until = !sim.undisturbed && begin < end && sim_between(0, 3) ? sim_between(begin, end) : end;
    for (; source->next[partition] < until && batch->count < most; source->next[partition]++) {
        const struct input_record *record = &input->records[source->next[partition]];
        if (record->gap) continue;
        source->records[batch->count++] = (struct source_record){.key = record->key,
                                                                 .value = record->value,
                                                                 .offset = source->next[partition],
                                                                 .timestamp_ms = record->timestamp_ms,
                                                                 .partition = partition};
    }
    if (source->next[partition] == end) source->read_to[partition] = end;
}

static int64_t source_next_arrival(const struct source *source)
{
    int64_t next = RELANCE_NEVER;
    for (int p = 0; p < sim.partitions; p++) {
        int64_t end = workload_stable_end(p);
        if (source->next[p] < 0 || end == workload_input(p)->count) continue;
        int64_t seen_us = workload_input(p)->records[end].seen_us;
        if (seen_us < next) next = seen_us;
    }
    return next;
}

enum relance_status source_gather(struct source *source, int wait_ms, size_t most, struct source_batch *batch,
                                  struct relance_error *error)
{
    (void)wait_ms;
    *batch = (struct source_batch){.records = source->records};
    int64_t until_us = sim.now_us + sim_between(KAFKA_IDLE_US / 8, KAFKA_IDLE_US);
    for (;;) {
        bool changed;
        if (!sim_enter()) return kafka_silent(error);
        if (kafka_is_down()) return sim_wait(sim_between(1000, 100000)), RELANCE_OK;
        enum relance_status status = source_poll_group(source, &changed, error);
        if (status != RELANCE_OK || changed) return status;
        int first = (int)sim_between(0, sim.partitions - 1);
        for (int i = 0; i < sim.partitions; i++)
            source_take(source, (first + i) % sim.partitions, most, batch);
        batch->has_more = batch->count == most;
        if (batch->count || sim.now_us >= until_us) return RELANCE_OK;
        int64_t next_us = source_next_arrival(source);
        if (next_us > until_us) next_us = until_us;
        if (!sim_wait(next_us > sim.now_us ? next_us - sim.now_us : 1)) return kafka_silent(error);
    }
}

/* Nothing is handed out; what there is to be heard, by whoever waits for Redis in the middle of a record. */
enum relance_status source_idle(struct source *source, int wait_ms, struct relance_error *error)
{
    bool changed = false;
    if (source->is_in_listener) {
        sim_wait(wait_ms * 1000);
        return RELANCE_OK;
    }
    if (!sim_enter() || !sim_wait(wait_ms * 1000)) return kafka_silent(error);
    enum relance_status status = kafka_is_down() ? RELANCE_OK : source_poll_group(source, &changed, error);
    if (status != RELANCE_OK || !changed) return status;
    return relance_error_set(error, RELANCE_AGAIN, "the group has gone on meanwhile");
}

void source_release(struct source *source)
{
    (void)source;
}

/* ---- questions */
static bool kafka_is_unstable(int partition)
{
    for (size_t i = 0; i < kafka.txn_count; i++)
        for (size_t k = 0; k < kafka.txns[i]->frontier_count; k++)
            if (kafka.txns[i]->frontiers[k].partition == partition) return true;
    return false;
}

bool kafka_frontier(int partition, struct frontier *frontier)
{
    return kafka.committed[partition].there && !kafka_is_unstable(partition) &&
           frontier_parse(kafka.committed[partition].offset, str_of(kafka.committed[partition].metadata),
                          frontier);
}

size_t source_headers(const struct source_record *record, struct relance_header out[SOURCE_HEADERS_MAX])
{
    out[0] =
        (struct relance_header){STR("traceparent"), workload_traceparent(record->partition, record->offset)};
    return out[0].value.size > 0;
}

int64_t source_hidden_from(const struct source *source, int32_t partition)
{
    (void)source, (void)partition; /* only told of */
    return -1;
}

int64_t source_end(const struct source *source, int32_t partition)
{
    (void)source, (void)partition; /* so it is asked for */
    return -1;
}

/* A transaction that may move it is waited for, up to a time. */
enum relance_status source_frontier(struct source *source, int32_t partition, struct source_frontier *out,
                                    struct relance_error *error)
{
    int64_t until_us = sim.now_us + KAFKA_TIMEOUT_US;
    do {
        if (!kafka_go(KAFKA_TIMEOUT_US) || sim.now_us > until_us) return kafka_silent(error);
    } while (kafka_is_unstable(partition) && !sabotage(BUG_FRONTIER_EARLY) && sim_wait(KAFKA_ASK_US));
    *out = (struct source_frontier){.frontier.position.offset = -1};
    if (sabotage(BUG_FRONTIER_EARLY) && kafka.committed[partition].there) {
        *out = source->early[partition];
    } else if (kafka.committed[partition].there) {
        kafka_read_frontier(partition, out);
    }
    return kafka_return(KAFKA_TIMEOUT_US) ? RELANCE_OK : kafka_silent(error);
}

int source_partition_of(struct relance_str key, int partitions)
{
    return (int)((murmur2(key) & INT32_MAX) % (uint32_t)partitions);
}

enum relance_status source_bounds(struct source *source, enum source_topic topic, int32_t partition,
                                  int64_t *low, int64_t *high, struct relance_error *error)
{
    (void)source;
    if (!kafka_go(KAFKA_TIMEOUT_US)) return kafka_silent(error);
    if (low) *low = 0;
    static const int logs[SOURCE_TOPICS] = {[SOURCE_MARKS] = KAFKA_MARKS, [SOURCE_LINKS] = KAFKA_LINKS};
    *high = topic == SOURCE_INPUT ? workload_stable_end(partition)
                                  : (int64_t)kafka_stable_end(logs[topic] + partition);
    return kafka_return(KAFKA_TIMEOUT_US) ? RELANCE_OK : kafka_silent(error);
}

enum relance_status source_offset_at(struct source *source, int32_t partition, int64_t instant_ms,
                                     int64_t *offset, struct relance_error *error)
{
    (void)instant_ms; /* histories begin at the beginning */
    return source_bounds(source, SOURCE_INPUT, partition, NULL, offset, error);
}

/* ---- marks.h */
/* Those of `after`..`last` that can be read now; how many of them are in the list. */
static enum relance_status marks_take(int32_t partition, int64_t from, uint64_t *next, uint64_t last,
                                      struct mark_list *list, struct relance_error *error)
{
    size_t end = kafka_stable_end(KAFKA_MARKS + partition);
    for (size_t i = (size_t)from; i < end && *next <= last; i++) {
        const struct kafka_said *said = &kafka.logs[KAFKA_MARKS + partition].items[i];
        struct mark mark;
        if (!kafka_is_committed(said)) continue;
        enum relance_status status = mark_parse(said->value, &mark, error);
        if (status != RELANCE_OK) return status;
        if (mark.n == *next) {
            if (sabotage(BUG_LINKS_NOW) && mark.links != RELANCE_NEVER)
                mark.links = (int64_t)kafka_stable_end(KAFKA_LINKS + partition);
            if (sabotage(BUG_TICK_PARTS)) mark.waits = 0;
            mark_list_add(list, mark);
            ++*next;
            continue;
        }
        bool gap = mark.n > *next;
        mark_free(&mark);
        if (gap) return relance_error_set(error, RELANCE_REFUSED, "mark %" PRIu64 " is missing", *next);
    }
    return RELANCE_OK;
}

enum relance_status marks_read(const struct options *options, const struct marks_wanted *wanted,
                               struct mark_list *list, struct relance_error *error)
{
    (void)options;
    uint64_t next = wanted->after + 1, last = wanted->last;
    for (int64_t until_us = sim.now_us + KAFKA_PATIENCE_US; next <= last;) {
        if (!kafka_go(KAFKA_TIMEOUT_US) || sim.now_us > until_us) return kafka_silent(error);
        enum relance_status status = marks_take(wanted->partition, wanted->from, &next, last, list, error);
        if (status != RELANCE_OK) return status;
        if (next <= last && !sim_wait(KAFKA_ASK_US)) return kafka_silent(error);
    }
    return RELANCE_OK;
}

/* What can be read now; there is no reading on while transactions are open. */
enum relance_status marks_read_kept(const struct options *options, int32_t partition, struct mark_list *list,
                                    struct relance_error *error)
{
    (void)options;
    if (!kafka_go(KAFKA_TIMEOUT_US)) return kafka_silent(error);
    size_t end = kafka_stable_end(KAFKA_MARKS + partition);
    for (size_t i = 0; i < end; i++) {
        const struct kafka_said *said = &kafka.logs[KAFKA_MARKS + partition].items[i];
        struct mark mark;
        if (!kafka_is_committed(said)) continue;
        ensure(mark_parse(said->value, &mark, error) == RELANCE_OK);
        mark_list_add(list, mark);
    }
    return RELANCE_OK;
}

/* ---- links.h */
struct links {
    int64_t next[SIM_PARTITIONS_MAX]; /* -1: is not read */
};

enum relance_status links_open(const struct options *options, struct links **out, struct relance_error *error)
{
    (void)options;
    if (!sim_enter()) return kafka_silent(error);
    *out = sim_keep(sizeof **out);
    for (int p = 0; p < SIM_PARTITIONS_MAX; p++)
        (*out)->next[p] = -1;
    return RELANCE_OK;
}

void links_close(struct links *links)
{
    (void)links;
}

enum relance_status links_start(struct links *links, int32_t partition, int64_t offset,
                                struct relance_error *error)
{
    if (!sim_enter()) return kafka_silent(error);
    links->next[partition] = offset;
    return RELANCE_OK;
}

void links_stop(struct links *links, int32_t partition)
{
    links->next[partition] = -1;
}

int64_t links_read_to(const struct links *links, int32_t partition)
{
    return links->next[partition];
}

/* The place of the first committed record from `next` on that can be read; `end`: there is none. */
static int64_t links_first(int32_t partition, int64_t next, int64_t end)
{
    while (next < end && !kafka_is_committed(&kafka.logs[KAFKA_LINKS + partition].items[next]))
        next++;
    return next;
}

/* Some of what can be read has come. */
enum relance_status links_look(struct links *links, int32_t partition, int64_t *to,
                               struct relance_error *error)
{
    *to = RELANCE_NEVER;
    if (!sim_enter()) return kafka_silent(error);
    if (sim_chance(sim.rates.late_links)) return RELANCE_OK;
    kafka_settle();
    int64_t end = (int64_t)kafka_stable_end(KAFKA_LINKS + partition),
            first = links_first(partition, links->next[partition], end);
    if (!kafka_is_down() && first < end) *to = sim.undisturbed ? end : sim_between(first + 1, end);
    return RELANCE_OK;
}

enum relance_status links_take(struct links *links, int32_t partition, int64_t before,
                               struct links_record *record, struct relance_error *error)
{
    int64_t until_us = sim.now_us + KAFKA_PATIENCE_US, *next = &links->next[partition];
    *record = (struct links_record){.offset = -1};
    for (;;) {
        int64_t end = (int64_t)kafka_stable_end(KAFKA_LINKS + partition);
        *next = links_first(partition, *next, end < before ? end : before);
        if (*next >= before) return RELANCE_OK;
        if (*next < end) break;
        if (!kafka_go(KAFKA_TIMEOUT_US) || sim.now_us > until_us) return kafka_silent(error);
    }
    const struct kafka_said *said = &kafka.logs[KAFKA_LINKS + partition].items[*next];
    *record = (struct links_record){said->key, said->value, (*next)++};
    return RELANCE_OK;
}

/* All that stands there has come: some of it may be taken only after a while, which is no matter here. */
void links_waiting(const struct links *links, int32_t partition, int64_t before, links_key *show,
                   void *context)
{
    int64_t end = (int64_t)kafka_stable_end(KAFKA_LINKS + partition);
    if (end > before) end = before;
    for (int64_t at = links_first(partition, links->next[partition], end); at < end;
         at = links_first(partition, at + 1, end))
        show(context, kafka.logs[KAFKA_LINKS + partition].items[at].key);
}

/* ---- published.h */
enum relance_status published_read(const struct options *options, int32_t partition, uint64_t after,
                                   struct published *out, struct relance_error *error)
{
    (void)options;
    if (!kafka_go(KAFKA_TIMEOUT_US)) return kafka_silent(error);
    size_t end = kafka_stable_end(KAFKA_ACTIONS);
    for (size_t i = 0; i < end; i++) {
        const struct kafka_said *said = &kafka.logs[KAFKA_ACTIONS].items[i];
        struct published_action action = {.id = said->id};
        int64_t seq;
        if (said->partition != partition || !kafka_is_committed(said)) continue;
        ensure(text_count(said->seq, &seq) && text_count(said->offset, &action.offset) &&
               text_instant(said->due, &action.due_ms));
        action.seq = (uint64_t)seq;
        published_add(out, &action, after);
    }
    published_sort(out);
    return RELANCE_OK;
}

uint64_t kafka_commits(void)
{
    return kafka.commits;
}
