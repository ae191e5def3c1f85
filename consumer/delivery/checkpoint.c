/* The checkpoint of a partition: changed customers, their waits, counters, sums and meta in one EXEC.
 *
 * I1: O <= P and M <= MARKS. A checkpoint at X is written only after a transaction of this claim with P = X
 * has committed, with all marks in force. So a checkpoint is never ahead of what has been published: what it
 * lacks can be decided again, what it has need not be published again.
 *
 * It is put together at X, written once the transaction has ended, and what has come of that is looked at later still: more is
 * decided all the while. */
#include "host/clock.h"
#include "base/ensure.h"
#include "host/log.h"
#include "delivery/partition.h"
#include "base/str.h"
#include "delivery/wall.h"

enum { CHECKPOINT_RETRY_US = 1000000, CHECKPOINT_SETTLE_US = 50000 };

bool partition_is_dirty(const struct partition *partition)
{
    return partition->state == PARTITION_LIVE && !position_is_same(partition->decided, partition->saved);
}

bool partition_is_saved(const struct partition *partition)
{
    if (partition->state == PARTITION_UNCLAIMED) return partition->pace.was_saved;
    return position_is_same(partition->published.position, partition->saved);
}

struct checkpoint_counting {
    struct store *store;
    char minute[17]; /* 2026-03-02T10:00 */
};

static void checkpoint_put_change(void *context, const struct relance_change *change)
{
    store_put_change(context, change);
}

static void checkpoint_put_counter(void *context, struct relance_str name, bool whole, double value)
{
    struct checkpoint_counting *counting = context;
    if (whole)
        store_put_count(counting->store, name, (int64_t)value, counting->minute);
    else
        store_put_sum(counting->store, name, value, counting->minute);
}

static void checkpoint_put_addition(void *context, const struct relance_addition *addition)
{
    store_put_addition(context, addition);
}

static void checkpoint_put_counters(struct partition *partition)
{
    struct checkpoint_counting counting = {.store = partition->store};
    char time[24];
    relance_time_print(
        partition->in_force.wall_ms == RELANCE_NEVER ? wall_now_ms() : partition->in_force.wall_ms, time);
    memcpy(counting.minute, time, sizeof counting.minute - 1);
    counters_each(&partition->saving.counters, checkpoint_put_counter, &counting);
}

/* Past what follows the last record that was taken and is none: so that a topic of which nothing is left but its end
 * lacks nothing. */
static int64_t checkpoint_links(const struct partition *partition)
{
    int64_t read_to = links_read_to(partition->place->links, partition->number);
    return read_to > partition->links_to ? read_to : partition->links_to;
}

static void checkpoint_fill_meta(const struct partition *partition, struct meta *meta)
{
    char stamp[STAMP_SIZE];
    meta_make_stamp(stamp);
    meta_set_text(&meta->stamp, stamp);
    meta_set_text(&meta->store, partition->published.store);
    meta_set_text(&meta->version, RELANCE_VERSION);
    meta->format = META_FORMAT;
    meta->offset = partition->decided.offset;
    meta->marks = (int64_t)partition->decided.marks;
    meta->links = checkpoint_links(partition);
    meta->clock = relance_engine_clock(partition->engine);
    meta->wall = partition->in_force.wall_ms;
    meta->seq = (int64_t)partition->decided.seq;
    meta->chain = partition->decided.chain;
    meta_set_text(&meta->rules, partition->in_force.rules ? partition->in_force.rules->packed : "");
    meta_set_text(&meta->rules_hash, partition->in_force.rules ? partition->in_force.rules->hash : "");
    meta->rules_mark = partition->in_force.rules_mark;
    meta->since.size = 0;
    buffer_put_str(&meta->since, relance_engine_since(partition->engine));
    partition_print_models(partition, &meta->models);
    meta->names.size = 0;
    buffer_put_str(&meta->names, relance_engine_names(partition->engine));
    meta->options.size = 0;
    buffer_put_str(&meta->options, buffer_str(&partition->in_force.options));
    meta->partitions = partition->place->input_partitions;
    meta->last_offset = partition->last.offset;
    meta->last_hash = partition->last.hash;
}

static void checkpoint_end(struct partition *partition)
{
    counters_clear(&partition->saving.counters);
    sums_clear(&partition->saving.sums);
    partition->saving.is_on = partition->saving.is_writing = false;
}

static void checkpoint_done(struct partition *partition)
{
    relance_engine_saved(partition->engine);
    pulse_count(partition->place->pulse, &partition->saving.counters);
    partition->saved = partition->saving.at;
    partition->pace.whole_us = clock_monotonic_us();
    partition->anew_from = -1;
    checkpoint_end(partition);
    if (partition->pace.is_failing)
        log_line(LOG_INFO, "Redis takes checkpoints again.", "partition=%d", partition->number);
    partition->pace.is_failing = false;
}

/* What it had is offered again, with what has changed since. */
static enum relance_status checkpoint_undone(struct partition *partition, struct relance_error *error)
{
    if (relance_engine_unsaved(partition->engine) != RELANCE_OK)
        return relance_error_set(error, RELANCE_NO_MEMORY, "no memory for a checkpoint");
    counters_add_all(&partition->counters, &partition->saving.counters);
    sums_add_all(&partition->sums, &partition->saving.sums);
    checkpoint_end(partition);
    if (!partition->pace.is_failing)
        log_line(LOG_WARNING, "Redis takes no checkpoint; the state is kept and offered again.",
                 "partition=%d why=\"%s\"", partition->number, error->message);
    workplace_tell_unsaved(partition->place, partition->pace.whole_us, error->message);
    partition->pace.is_failing = true;
    partition->pace.retry_us = clock_monotonic_us() + CHECKPOINT_RETRY_US;
    return RELANCE_OK;
}

/* The answer was lost: nothing is decided until it is known whether the checkpoint counts, since what has
 * changed is changed against the one or the other. */
static enum relance_status checkpoint_settle(struct partition *partition, struct relance_error *error)
{
    enum relance_status status;
    log_line(LOG_WARNING, "The answer to a checkpoint was lost; asking whether it counts.",
             "partition=%d why=\"%s\"", partition->number, error->message);
    while ((status = store_settle(partition->store, error)) == RELANCE_IO) {
        standing_store(partition->standing, STANDING_WRITES, false);
        if (partition_wait(partition->place, CHECKPOINT_SETTLE_US, error) != RELANCE_OK)
            return RELANCE_REFUSED; /* ending, or not ours any more: dropped, and decided again */
    }
    return status;
}

/* What has been counted goes into the checkpoint; what is counted from here on, into the next. */
static void checkpoint_put_counts(struct partition *partition)
{
    struct saving *saving = &partition->saving;
    struct counters counters = saving->counters;
    struct sums sums = saving->sums;
    saving->counters = partition->counters;
    saving->sums = partition->sums;
    partition->counters = counters;
    partition->sums = sums;
    checkpoint_put_counters(partition);
    sums_each(&saving->sums, checkpoint_put_addition, partition->store);
}

enum relance_status partition_begin_checkpoint(struct partition *partition, struct relance_error *error)
{
    ensure(partition->state == PARTITION_LIVE && !partition->saving.is_on);
    store_begin(partition->store);
    if (relance_engine_changes(partition->engine, checkpoint_put_change, partition->store) != RELANCE_OK)
        return relance_error_set(error, RELANCE_NO_MEMORY, "no memory for a checkpoint");
    relance_engine_saving(partition->engine);
    checkpoint_put_counts(partition);
    partition_note_last(partition);
    checkpoint_fill_meta(partition, &partition->meta);
    partition_forget_zones(partition);
    partition->saving.is_on = true;
    partition->saving.at = partition->decided;
    partition->pace.saved_us = clock_monotonic_us();
    return RELANCE_OK;
}

void partition_release_checkpoint(struct partition *partition)
{
    struct saving *saving = &partition->saving;
    ensure(saving->is_on && !saving->is_writing &&
           position_is_same(saving->at, partition->published.position)); /* I1 */
    saving->is_writing = true;
}

void partition_write_checkpoint(struct partition *partition)
{
    struct saving *saving = &partition->saving;
    int64_t began = clock_monotonic_us();
    saving->status = store_commit(partition->store, &partition->meta, &saving->error);
    saving->took_us = clock_monotonic_us() - began;
}

enum relance_status partition_end_checkpoint(struct partition *partition, struct relance_error *error)
{
    enum relance_status status = partition->saving.status;
    ensure(partition->saving.is_writing);
    if (status != RELANCE_OK) *error = partition->saving.error;
    if (status == RELANCE_IO) status = checkpoint_settle(partition, error);
    standing_store(partition->standing, STANDING_WRITES, status != RELANCE_AGAIN);
    if (status == RELANCE_OK) checkpoint_done(partition);
    if (status == RELANCE_REFUSED) {
        partition_drop(partition); /* never offered again: it may be there already, or be somebody else's */
        return error->status = RELANCE_AGAIN;
    }
    return status == RELANCE_AGAIN ? checkpoint_undone(partition, error) : status;
}

void partition_take_store(struct partition *partition)
{
    if (partition->saving.is_writing) beside_await(&partition->place->saver);
}

enum relance_status partition_checkpoint(struct partition *partition, struct relance_error *error)
{
    enum relance_status status = RELANCE_OK;
    if (!partition->saving.is_on) {
        ensure(!partition_has_news(partition)); /* I1 */
        status = partition_begin_checkpoint(partition, error);
    }
    if (status != RELANCE_OK) return status;
    partition_release_checkpoint(partition);
    partition_write_checkpoint(partition);
    return partition_end_checkpoint(partition, error);
}
