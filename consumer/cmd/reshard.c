/* relance reshard: the input has more partitions than it had, so customers have changed theirs. Moves their states
 * and waits to where their events come in from now on, and makes checkpoints and offsets for the new partitions.
 *
 * Offline: no engine runs, and all that the old partitions hold has been decided (`relance run --drain`). It is done
 * in steps that can be done again: customers are written to their new place before they are taken from the old one,
 * then each checkpoint learns of the new count, the new ones first, then the group gets its offsets. Until the last
 * checkpoint has learnt it, no engine starts.
 *
 * Status 0: done; 1: interrupted or refused half-way, to be called again; 2: nothing was done. */
#include "base/murmur2.h"
#include "host/command.h"
#include "base/ensure.h"
#include "host/file.h"
#include "host/print.h"
#include "kafka/offsets.h"
#include "host/option.h"
#include "redis/move.h"
#include "host/stop.h"
#include "delivery/store.h"
#include "base/str.h"

#include <relance/engine.h>
#include <inttypes.h>
#include <stdlib.h>

struct resharding { /* a partition */
    struct store *store;
    struct meta meta;
    struct source_frontier p;
    int64_t end;
};

struct reshard {
    const struct options *options;
    struct kafka_offsets *offsets;
    struct relance_ruleset *rules;
    struct resharding *partitions;
    int before, now; /* how many there were and are */
    struct relance_error *error;
};

static enum relance_status reshard_refuse(struct reshard *reshard, int partition, const char *sentence)
{
    return relance_error_set(reshard->error, RELANCE_REFUSED, "%s, partition %d: %s", reshard->options->input,
                             partition, sentence);
}

/* ---- looking */
/* Claiming keeps an engine that was forgotten somewhere from writing behind our back. */
static enum relance_status reshard_look(struct reshard *reshard, int partition)
{
    struct resharding *at = &reshard->partitions[partition];
    char stamp[STAMP_SIZE];
    const struct store_place place = {reshard->options->redis, reshard->options->group,
                                      reshard->options->input, partition};
    at->store = store_open(&place);
    meta_make_stamp(stamp);
    enum relance_status status = store_claim(at->store, stamp, &at->meta, reshard->error);
    if (status == RELANCE_OK && store_is_part(at->store))
        status = reshard_refuse(reshard, partition,
                                "Redis has carried out a part of a checkpoint that it had lost: "
                                "`relance run --drain --rebuild` decides all records again");
    if (status == RELANCE_OK)
        status = kafka_offsets_read(reshard->offsets, partition, &at->p, &at->end, reshard->error);
    return status;
}

/* Partitions that there were: those with a checkpoint of another count, or, where a call before this one has come
 * that far, with one and an offset. */
static void reshard_count_before(struct reshard *reshard)
{
    for (int p = 0; p < reshard->now; p++) {
        const struct meta *meta = &reshard->partitions[p].meta;
        if (meta_has_checkpoint(meta) && meta->partitions != reshard->now)
            reshard->before = (int)meta->partitions;
    }
}

static bool reshard_has_begun(const struct reshard *reshard)
{
    for (int p = 0; p < reshard->now; p++)
        if (reshard->partitions[p].meta.partitions == reshard->now) return true;
    return false;
}

static enum relance_status reshard_check_partition(struct reshard *reshard, int partition)
{
    const struct resharding *at = &reshard->partitions[partition], *first = &reshard->partitions[0];
    char sentence[256];
    if (!meta_has_checkpoint(&at->meta)) return reshard_refuse(reshard, partition, "Redis has no checkpoint");
    if (at->meta.format < META_FORMAT_OLDEST || at->meta.format > META_FORMAT)
        return reshard_refuse(reshard, partition, "the checkpoint is of another version's format");
    if (at->p.frontier.position.offset < 0 || at->p.is_foreign)
        return reshard_refuse(reshard, partition,
                              "the group has no offset of ours; `relance restore-offsets` finds it again");
    bool is_behind = at->meta.offset != at->p.frontier.position.offset ||
                     (uint64_t)at->meta.marks != at->p.frontier.position.marks;
    if (is_behind || at->p.frontier.position.offset < at->end) {
        snprintf(sentence, sizeof sentence,
                 "records from offset %" PRId64 " to %" PRId64
                 " are still to be decided: end the engines and call `relance run --drain`",
                 at->meta.offset, at->end);
        return reshard_refuse(reshard, partition, sentence);
    }
    if (!str_equal(buffer_str(&at->meta.rules), buffer_str(&first->meta.rules)) ||
        !str_equal(buffer_str(&at->meta.options), buffer_str(&first->meta.options)))
        return reshard_refuse(
            reshard, partition,
            "its rules or options are not those of partition 0: `relance run --drain` makes them so");
    return RELANCE_OK;
}

static struct sink_frontier *reshard_frontiers(int count)
{
    ensure(count >= 0);
    struct sink_frontier *frontiers = calloc((size_t)count + 1, sizeof *frontiers);
    ensure(frontiers);
    return frontiers;
}

/* The offsets as they are, committed again: only a group without members takes that. */
static enum relance_status reshard_check_group(struct reshard *reshard)
{
    struct sink_frontier *frontiers = reshard_frontiers(reshard->before);
    size_t count = 0;
    for (int p = 0; p < reshard->before; p++) {
        const struct source_frontier *at = &reshard->partitions[p].p;
        if (at->frontier.position.offset >= 0) frontiers[count++] = (struct sink_frontier){p, at->frontier};
    }
    enum relance_status status = kafka_offsets_write(reshard->offsets, frontiers, count, reshard->error);
    free(frontiers);
    if (status != RELANCE_AGAIN) return status;
    return relance_error_set(reshard->error, RELANCE_REFUSED,
                             "group %s has members: end the engines, and wait until their sessions are over",
                             reshard->options->group);
}

static enum relance_status reshard_check(struct reshard *reshard)
{
    enum relance_status status = RELANCE_OK;
    if (reshard->before > reshard->now)
        return relance_error_set(reshard->error, RELANCE_REFUSED,
                                 "%s had %d partitions and has %d: events are missing",
                                 reshard->options->input, reshard->before, reshard->now);
    for (int p = 0; p < reshard->before && status == RELANCE_OK && !reshard_has_begun(reshard); p++)
        status = reshard_check_partition(reshard, p);
    return status == RELANCE_OK ? reshard_check_group(reshard) : status;
}

static enum relance_status reshard_load_rules(struct reshard *reshard)
{
    struct file_set set;
    struct relance_report *report = NULL;
    enum relance_status status =
        file_set_unpack(buffer_str(&reshard->partitions[0].meta.rules), &set, reshard->error);
    if (status != RELANCE_OK) return status;
    status = file_set_compile(&set, &reshard->rules, &report, reshard->error);
    relance_report_free(report);
    file_set_free(&set);
    return status;
}

/* ---- moving */
/* Events of visitors are keyed by the bare id. */
static struct relance_str reshard_key(struct relance_str customer)
{
    bool visitor = customer.size && customer.data[0] == RELANCE_VISITOR_MARK;
    return visitor ? (struct relance_str){customer.data + 1, customer.size - 1} : customer;
}

/* A customer whose events came in somewhere else than where the key says stays: nobody knows where they go now. */
static int reshard_home(void *context, struct relance_str customer, int from)
{
    const struct reshard *reshard = context;
    struct relance_str key = reshard_key(customer);
    bool known = murmur2_partition(key, reshard->before) == from;
    return known ? murmur2_partition(key, reshard->now) : from;
}

static bool reshard_carry(void *context, struct relance_str state, int from, int to, struct buffer *out)
{
    const struct reshard *reshard = context;
    const struct meta *there = &reshard->partitions[to].meta;
    int64_t mark = meta_has_checkpoint(there) ? there->rules_mark : 0;
    struct relance_str since = buffer_str(&reshard->partitions[from].meta.since);
    size_t room = state.size + 64,
           size = relance_state_carry(reshard->rules, since, state, mark, buffer_room(out, room), room);
    if (size > room)
        size = relance_state_carry(reshard->rules, since, state, mark, buffer_room(out, size), size);
    out->size += size;
    return size > 0;
}

static enum relance_status reshard_move(struct reshard *reshard)
{
    const struct options *options = reshard->options;
    const struct redis_move_plan plan = {options->redis, options->group, options->input,
                                         reshard,        reshard_home,   reshard_carry};
    struct redis_move *move = NULL;
    enum relance_status status = redis_move_open(&plan, &move, reshard->error);
    for (int p = 0; p < reshard->before && status == RELANCE_OK; p++) {
        int64_t moved = 0, stayed = 0;
        if (stop_requested())
            status = relance_error_set(reshard->error, RELANCE_IO, "interrupted: call it again");
        if (status == RELANCE_OK) status = redis_move_partition(move, p, &moved, &stayed, reshard->error);
        print(stdout, "partition %d: %" PRId64 " customers moved, %" PRId64 " stay\n", p, moved, stayed);
        print_flush();
    }
    redis_move_close(move);
    return status;
}

/* ---- the new count */
/* A new partition begins at its first record, under the rules of the others, with the least of their clocks: what
 * waits there is to come. */
static void reshard_begin(struct reshard *reshard, int partition)
{
    struct resharding *at = &reshard->partitions[partition];
    const struct meta *model = &reshard->partitions[0].meta;
    if (at->p.frontier.position.offset < 0) frontier_make_store(at->p.frontier.store);
    meta_set_text(&at->meta.store, at->p.frontier.store);
    meta_set_text(&at->meta.version, RELANCE_VERSION);
    at->meta.format = META_FORMAT;
    at->meta.offset = 0;
    at->meta.clock = model->clock;
    at->meta.wall = model->wall;
    for (int p = 0; p < reshard->before; p++) {
        const struct meta *other = &reshard->partitions[p].meta;
        if (other->clock < at->meta.clock) at->meta.clock = other->clock;
        if (other->wall > at->meta.wall) at->meta.wall = other->wall;
    }
    const struct {
        struct buffer *to;
        const struct buffer *from;
    } texts[] = {{&at->meta.rules, &model->rules},
                 {&at->meta.rules_hash, &model->rules_hash},
                 {&at->meta.options, &model->options}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        texts[i].to->size = 0;
        buffer_put_str(texts[i].to, buffer_str(texts[i].from));
    }
}

static enum relance_status reshard_switch(struct reshard *reshard, int partition)
{
    struct resharding *at = &reshard->partitions[partition];
    char stamp[STAMP_SIZE];
    if (at->meta.partitions == reshard->now) return RELANCE_OK;
    if (partition >= reshard->before) reshard_begin(reshard, partition);
    meta_make_stamp(stamp);
    meta_set_text(&at->meta.stamp, stamp);
    at->meta.partitions = reshard->now;
    store_begin(at->store);
    enum relance_status status = store_commit(at->store, &at->meta, reshard->error);
    return status == RELANCE_IO ? store_settle(at->store, reshard->error) : status;
}

static enum relance_status reshard_switch_all(struct reshard *reshard)
{
    enum relance_status status = RELANCE_OK;
    for (int p = reshard->now - 1; p >= 0 && status == RELANCE_OK; p--)
        status = reshard_switch(reshard, p);
    return status;
}

static enum relance_status reshard_commit(struct reshard *reshard)
{
    struct sink_frontier *frontiers = reshard_frontiers(reshard->now);
    size_t count = 0;
    for (int p = 0; p < reshard->now; p++) {
        const struct resharding *at = &reshard->partitions[p];
        if (at->p.frontier.position.offset >= 0 || !meta_has_checkpoint(&at->meta)) continue;
        struct sink_frontier *first = &frontiers[count++];
        first->partition = p;
        snprintf(first->frontier.store, sizeof first->frontier.store, "%.*s",
                 STR_ARG(buffer_str(&at->meta.store)));
    }
    enum relance_status status =
        count ? kafka_offsets_write(reshard->offsets, frontiers, count, reshard->error) : RELANCE_OK;
    free(frontiers);
    return status;
}

/* ---- the whole */
static enum relance_status reshard_open(struct reshard *reshard)
{
    enum relance_status status = kafka_offsets_open(reshard->options, &reshard->offsets, reshard->error);
    if (status == RELANCE_OK)
        status = kafka_offsets_partitions(reshard->offsets, &reshard->now, reshard->error);
    reshard->partitions = calloc((size_t)reshard->now + 1, sizeof *reshard->partitions);
    ensure(reshard->partitions);
    for (int p = 0; p < reshard->now && status == RELANCE_OK; p++)
        status = reshard_look(reshard, p);
    reshard->before = reshard->now;
    reshard_count_before(reshard);
    return status;
}

static int reshard_run(struct reshard *reshard)
{
    enum relance_status status = reshard_open(reshard);
    if (status == RELANCE_OK) status = reshard_check(reshard);
    if (status == RELANCE_OK) status = reshard_load_rules(reshard);
    if (status != RELANCE_OK) return EXIT_STATUS_USAGE;
    if (!reshard_has_begun(reshard)) status = reshard_move(reshard);
    if (status == RELANCE_OK) status = reshard_switch_all(reshard);
    if (status == RELANCE_OK) status = reshard_commit(reshard);
    if (status == RELANCE_OK)
        print(stdout, "%s: %d partitions, %d before\n", reshard->options->input, reshard->now,
              reshard->before);
    return status == RELANCE_OK ? EXIT_STATUS_OK : EXIT_STATUS_FAILED;
}

static void reshard_close(struct reshard *reshard)
{
    for (int p = 0; p < reshard->now; p++) {
        if (reshard->partitions[p].store) store_close(reshard->partitions[p].store);
        meta_free(&reshard->partitions[p].meta);
    }
    free(reshard->partitions);
    relance_ruleset_free(reshard->rules);
    kafka_offsets_close(reshard->offsets);
}

int cmd_reshard(const struct options *options)
{
    struct relance_error error = {0};
    stop_on_signals();
    struct reshard reshard = {.options = options, .error = &error};
    int status = reshard_run(&reshard);
    reshard_close(&reshard); /* before the reason is told: what the client still has to say comes first */
    if (*error.message) print_mistake("%s", error.message);
    return status;
}
