/* The transaction that is on its way, and the checkpoints that follow it (DELIVERY.md §3.9). */
#include "delivery/work.h"
#include "host/clock.h"
#include "base/ensure.h"
#include "host/log.h"
#include <inttypes.h>

enum {
    FLIGHT_SAVE_IDLE_US = 1000000, /* between checkpoints of a partition, when there is time */
    FLIGHT_SAVE_LOAD_US = 5000000, /* the same under load */
    FLIGHT_PUBLISH_US = 250000,    /* between transactions, while batches are full */
    FLIGHT_OUTBOX_MAX = 32 << 20,  /* bytes of output: publish before deciding more */
};

/* ---- what becomes of a transaction */
/* A transaction that was larger than the usual one, and failed, may have been too large: it is tried again with fewer lines,
 * until those of a usual one are left. One as large that goes through makes room again. */
static void work_note_room(struct work *work, bool committed)
{
    struct workplace *place = &work->place;
    const struct flight *flight = &work->flight;
    size_t size = flight->outbox.bytes.size;
    if (committed && flight->lines_left)
        log_line(LOG_WARNING, "Decisions were left out of their topic: one record has brought too many.",
                 "member=%s count=%" PRIu64 " bytes=%zu", work->member, flight->lines_left, size);
    if (size <= WORK_LINES_LEAST) return;
    size_t room = committed ? place->lines_room * 2 : place->lines_room / 4;
    if (room > WORK_LINES_MAX) room = WORK_LINES_MAX;
    place->lines_room = room > WORK_LINES_LEAST ? room : WORK_LINES_LEAST;
}

static void work_note_failure(struct work *work)
{
    work->place.sink_spent = true;
    work->figures.failures++;
}

/* What the transaction carried is in Kafka: P is where it was when that was decided. A partition that was dropped meanwhile,
 * since its checkpoint was refused, reads its P when it is claimed. */
static void work_note_published(struct work *work)
{
    struct flight *flight = &work->flight;
    work->published_us = clock_monotonic_us();
    work->figures.transactions++;
    work->figures.actions += flight->action_count;
    outbox_clear(&flight->outbox);
    if (work->most < work->worker->plan.most) work->most++;
    for (size_t i = 0; i < flight->frontier_count; i++) {
        const struct sink_frontier *frontier = &flight->frontiers[i];
        struct partition *partition = work->by_number[frontier->partition];
        ensure(partition);
        if (partition->state == PARTITION_LIVE) partition_published(partition, &frontier->frontier);
    }
}

enum relance_status work_settle(struct work *work, struct relance_error *error)
{
    int64_t took_us;
    if (!work->flight.is_open) return RELANCE_OK;
    work->flight.is_open = false;
    contact_ask(&work->worker->kafka);
    enum relance_status status = sink_finish(work->place.sink, &took_us, error);
    contact_end(&work->worker->kafka);
    work_note_room(work, status == RELANCE_OK);
    if (status != RELANCE_OK) {
        work_note_failure(work);
        return status;
    }
    pulse_add_time(&work->figures.kafka, took_us);
    work_note_published(work);
    return RELANCE_OK;
}

/* ---- saving */
bool work_has_changed(const struct work *work, const struct partition *partition, size_t times)
{
    return relance_engine_changed_count(partition->engine) >= times * work->worker->plan.save_changed;
}

static bool work_is_save_due(const struct work *work, const struct partition *partition, int64_t now)
{
    if (!partition_is_dirty(partition) || partition->saving.is_on || now < partition->pace.retry_us)
        return false;
    int64_t pause = work->loaded ? FLIGHT_SAVE_LOAD_US : FLIGHT_SAVE_IDLE_US;
    return now - partition->pace.saved_us >= pause || work_has_changed(work, partition, 1);
}

/* A checkpoint has been written, or not: that is counted, and where it has, room is made. */
static enum relance_status work_note_saved(struct work *work, struct partition *partition,
                                           enum relance_status status)
{
    pulse_add_time(&work->figures.redis, partition->saving.took_us);
    work->figures.checkpoints++;
    if (status != RELANCE_OK) return status;
    int64_t share =
        work->place.options->cache_bytes / work->place.options->workers / work->place.input_partitions;
    relance_engine_evict(partition->engine, (size_t)share);
    return RELANCE_OK;
}

/* What is published is written, here and now; a checkpoint that was put together before is the one. */
static enum relance_status work_save(struct work *work, struct partition *partition,
                                     struct relance_error *error)
{
    return work_note_saved(work, partition, partition_checkpoint(partition, error));
}

static void work_write(void *context)
{
    struct work *work = context;
    for (size_t i = 0; i < work->saving_count; i++)
        partition_write_checkpoint(work->saving[i]);
}

/* What was put together behind the transaction, which has committed, is written from here on. */
static void work_begin_writing(struct work *work)
{
    if (work->saving_count) return; /* nothing was put together */
    for (size_t i = 0; i < work->own_count; i++) {
        struct partition *partition = work->own[i];
        if (!partition->saving.is_on) continue;
        partition_release_checkpoint(partition);
        work->saving[work->saving_count++] = partition;
    }
    if (work->saving_count) beside_begin(&work->place.saver, work_write, work);
}

void work_give_up_saving(struct work *work)
{
    beside_await(&work->place.saver);
    work->saving_count = 0;
}

/* Waits until what is being written has been, and takes what has come of it. What can be tried again gives way to what
 * cannot. */
static enum relance_status work_end_saving(struct work *work, struct relance_error *error)
{
    enum relance_status status = RELANCE_OK;
    size_t count = work->saving_count;
    work_give_up_saving(work);
    for (size_t i = 0; i < count; i++) {
        struct partition *partition = work->saving[i];
        struct relance_error later;
        if (work->by_number[partition->number] != partition) continue; /* the group has taken it meanwhile */
        enum relance_status next =
            work_note_saved(work, partition, partition_end_checkpoint(partition, &later));
        if (next == RELANCE_OK || (status != RELANCE_OK && status != RELANCE_AGAIN)) continue;
        status = next;
        *error = later;
    }
    return status;
}

static bool work_is_store_behind(const struct work *work)
{
    bool is_behind = false;
    for (size_t i = 0; i < work->own_count; i++)
        is_behind |= partition_is_dirty(work->own[i]) && work_has_changed(work, work->own[i], 2);
    return is_behind;
}

/* With the transaction on its way, the checkpoints that are due behind it: one, so that none waits for many, unless more have
 * fallen behind. None while others are still being written: what is put together is written as soon as the transaction has
 * committed, before P moves on. A store that does not keep up is waited for. */
static enum relance_status work_begin_saving(struct work *work, struct relance_error *error)
{
    int64_t now = clock_monotonic_us();
    bool is_enough = false;
    if (work->saving_count && work_is_store_behind(work)) {
        enum relance_status status = work_end_saving(work, error);
        if (status != RELANCE_OK) return status;
    }
    for (size_t i = 0; i < work->own_count && !work->saving_count; i++) {
        struct partition *partition = work->own[i];
        if (!work_is_save_due(work, partition, now)) continue;
        if (is_enough && !work_has_changed(work, partition, 2)) continue;
        enum relance_status status = partition_begin_checkpoint(partition, error);
        if (status != RELANCE_OK) return status;
        is_enough = work->loaded;
    }
    return RELANCE_OK;
}

enum relance_status work_land(struct work *work, struct relance_error *error)
{
    enum relance_status status = work_settle(work, error);
    if (status == RELANCE_OK) status = work_end_saving(work, error);
    for (size_t i = 0; i < work->own_count && status == RELANCE_OK; i++)
        if (work->own[i]->saving.is_on) status = work_save(work, work->own[i], error);
    return status;
}

/* The end of the transaction; what waits for it begins. */
static enum relance_status work_conclude(struct work *work, struct relance_error *error)
{
    enum relance_status status = work_settle(work, error);
    if (status == RELANCE_OK) work_begin_writing(work);
    return status;
}

enum relance_status work_look(struct work *work, struct relance_error *error)
{
    enum relance_status status = RELANCE_OK;
    if (work->saving_count && beside_is_done(&work->place.saver)) status = work_end_saving(work, error);
    bool has_ended = status == RELANCE_OK && work->flight.is_open && sink_is_done(work->place.sink);
    return has_ended ? work_conclude(work, error) : status;
}

/* ---- publishing */
/* The frontiers of all partitions that have moved. */
static size_t work_frontiers(struct work *work, struct sink_frontier *out)
{
    size_t count = 0;
    for (size_t i = 0; i < work->own_count; i++)
        if (partition_has_news(work->own[i])) out[count++] = partition_frontier(work->own[i]);
    return count;
}

/* What has been decided is the transaction's from here on; what is decided next goes into the outbox that the one before has
 * left empty. */
static enum relance_status work_launch(struct work *work, struct relance_error *error)
{
    struct workplace *place = &work->place;
    struct flight *flight = &work->flight;
    const struct membership *membership = source_membership(place->source);
    if (!membership) {
        work_note_failure(work);
        return relance_error_set(error, RELANCE_AGAIN, "no member of the group just now");
    }
    struct outbox outbox = flight->outbox;
    flight->outbox = place->outbox;
    place->outbox = outbox;
    flight->action_count = place->unpublished_count;
    flight->lines_left = place->lines_left;
    place->unpublished_count = 0;
    place->lines_left = 0;
    work->published_us = clock_monotonic_us();
    sink_begin(place->sink, &flight->outbox, flight->frontiers, flight->frontier_count, membership);
    flight->is_open = true;
    return work_begin_saving(work, error);
}

enum relance_status work_publish(struct work *work, struct relance_error *error)
{
    struct flight *flight = &work->flight;
    enum relance_status status = work_conclude(work, error);
    for (size_t i = 0; i < work->own_count && status == RELANCE_OK; i++)
        status = partition_say_zones(work->own[i], error);
    if (status != RELANCE_OK) return status;
    flight->frontier_count = work_frontiers(work, flight->frontiers);
    /* I3: output is of a partition that has moved */
    ensure(flight->frontier_count || !work->place.outbox.count);
    return flight->frontier_count ? work_launch(work, error) : RELANCE_OK;
}

/* While all that comes is read at once, what is decided behind a transaction that is on its way goes with the next one, and nobody waits
 * for its turn. After a failure each batch has its own. */
bool work_is_publish_due(const struct work *work)
{
    if (!work->place.unpublished_count) return false;
    if (work->most < work->worker->plan.most) return true;
    return work->has_more ? clock_monotonic_us() - work->published_us >= FLIGHT_PUBLISH_US
                          : !work->flight.is_open || sink_is_done(work->place.sink);
}

enum relance_status work_publish_much(struct work *work, struct relance_error *error)
{
    return work->place.outbox.bytes.size > FLIGHT_OUTBOX_MAX ? work_publish(work, error) : RELANCE_OK;
}

/* ---- saving at once */
enum relance_status work_publish_and_save(struct work *work, struct partition *partition,
                                          struct relance_error *error)
{
    enum relance_status status = partition_has_news(partition) ? work_publish(work, error) : RELANCE_OK;
    if (status == RELANCE_OK) status = work_land(work, error);
    return status == RELANCE_OK && partition_is_dirty(partition) ? work_save(work, partition, error) : status;
}

size_t work_count_unsaved(const struct work *work)
{
    size_t count = 0;
    for (size_t i = 0; i < work->own_count; i++)
        count += work->place.sink_spent || !partition_is_saved(work->own[i]);
    return count;
}

/* What is due goes with the next transaction, or is saved at once where there is nothing to publish, and none is open. */
static enum relance_status work_save_with_next(struct work *work, struct partition *partition,
                                               struct relance_error *error)
{
    if (work->flight.is_open) return RELANCE_OK;
    return partition_has_news(partition) ? work_publish(work, error) : work_save(work, partition, error);
}

enum relance_status work_save_due(struct work *work, bool all, struct relance_error *error)
{
    int64_t now = clock_monotonic_us();
    for (size_t i = 0; i < work->own_count; i++) {
        struct partition *partition = work->own[i];
        if (!partition_is_dirty(partition) || (!all && !work_is_save_due(work, partition, now))) continue;
        enum relance_status status =
            all ? work_publish_and_save(work, partition, error) : work_save_with_next(work, partition, error);
        if (status != RELANCE_OK) return status;
        if (partition->pace.is_failing && clock_monotonic_us() - now > WORK_SLOW_US) break;
        if (!all && work->loaded && !work_has_changed(work, partition, 1)) break;
    }
    return RELANCE_OK;
}

void work_note_whole(struct work *work)
{
    work->whole_us = clock_monotonic_us();
    for (size_t i = 0; i < work->own_count; i++)
        if (work->own[i]->state != PARTITION_UNCLAIMED && !partition_is_dirty(work->own[i]))
            work->own[i]->pace.whole_us = work->whole_us;
}
