/* A worker's place in the group: how it joins, and what the group gives it and takes from it.
 *
 * The workers of a process join one behind the other. Of two members that join at the same time the first is told that the
 * group begins anew, and its client waits for two seconds before it joins again, and everybody waits for it (librdkafka's pause
 * between two joins). So the others come behind the first, together: the group waits for what the first has to give away. That
 * is nothing, since it claims nothing until the others have joined, too. A group that lets the first one wait, as new ones do by
 * default (group.initial.rebalance.delay.ms), takes whoever comes in that time. */
#include "delivery/work.h"
#include "base/ensure.h"
#include "host/clock.h"
#include "host/log.h"
#include <string.h>

enum {
    MEMBERSHIP_FIRST_US = 1000000, /* the others wait so long for the first to have joined */
    MEMBERSHIP_LOOK_US = 5000,     /* and look so often */
    MEMBERSHIP_OTHERS_US = 500000, /* and it waits so long for them */
};

static bool worker_is_absent(const struct worker *worker)
{
    return !atomic_load(&worker->joined) && !atomic_load(&worker->ended);
}

void work_join_behind_first(const struct work *work)
{
    const struct worker_plan *plan = &work->worker->plan;
    int64_t until = clock_monotonic_us() + MEMBERSHIP_FIRST_US;
    if (!plan->number || !plan->count) return;
    while (worker_is_absent(&plan->all[0]) && clock_monotonic_us() < until &&
           partition_pause(MEMBERSHIP_LOOK_US))
        continue;
}

bool work_awaits_others(const struct work *work)
{
    const struct worker_plan *plan = &work->worker->plan;
    bool some = false;
    if (plan->number || clock_monotonic_us() - work->joined_us >= MEMBERSHIP_OTHERS_US) return false;
    for (size_t i = 1; i < plan->count; i++)
        some |= worker_is_absent(&plan->all[i]);
    return some;
}

/* ---- what the group says */
static void work_own(struct work *work, int32_t number)
{
    if (number >= work->place.input_partitions) {
        work->has_grown = !work->place.options->drain;
        return;
    }
    ensure(!work->by_number[number]);
    struct partition *partition = work->parked[number];
    work->parked[number] = NULL;
    if (!partition) partition = partition_new(&work->place, number);
    partition->pace.whole_us = clock_monotonic_us();
    partition->pace.was_saved = false;
    work->own[work->own_count++] = work->by_number[number] = partition;
}

void work_free_parked(struct work *work)
{
    for (int p = 0; p < work->place.input_partitions; p++)
        if (work->parked[p]) partition_free(work->parked[p]);
    memset(work->parked, 0, (size_t)work->place.input_partitions * sizeof *work->parked);
}

void work_assigned(void *context, const int32_t *partitions, size_t count)
{
    struct work *work = context;
    work->assigned = true;
    if (!atomic_load(&work->worker->joined)) work->joined_us = clock_monotonic_us();
    atomic_store(&work->worker->joined, true);
    work->left_unsaved = 0;
    for (size_t i = 0; i < count; i++)
        work_own(work, partitions[i]);
    work_free_parked(work);
    log_line(LOG_INFO, "The group has given us partitions.", "member=%s count=%zu", work->member, count);
}

/* In a rebalance all are taken from everybody, and most of them given back. */
static void work_park(struct work *work, struct partition *partition)
{
    work->events_gone += partition->events;
    work->fetched_gone += partition->fetched;
    partition->events = partition->fetched = 0;
    partition->input_end.begin = -1;
    standing_leave(partition->standing);
    work->by_number[partition->number] = NULL;
    if (!work->place.is_halfway && partition_park(partition)) {
        work->parked[partition->number] = partition;
        return;
    }
    partition->next_gone = work->gone;
    work->gone = partition;
}

void work_free_gone(struct work *work)
{
    while (work->gone) {
        struct partition *partition = work->gone;
        work->gone = partition->next_gone;
        partition_free(partition);
    }
}

void work_stop_links(struct work *work)
{
    for (int p = 0; p < work->place.input_partitions && work->has_left; p++)
        if (!work->by_number[p]) links_stop(work->place.links, p);
    work->has_left = false;
}

/* Where it fails, too, no transaction is left that was begun for it. */
static enum relance_status work_save_all(struct work *work, struct relance_error *error)
{
    struct relance_error later;
    enum relance_status status = work_save_due(work, true, error), end = work_settle(work, &later);
    if (status == RELANCE_OK && end != RELANCE_OK) *error = later;
    return status == RELANCE_OK ? end : status;
}

void work_revoked(void *context, bool lost)
{
    struct work *work = context;
    struct relance_error error;
    bool has_settled = work_settle(work, &error) == RELANCE_OK; /* I3: under the membership that is ending */
    bool may_save = has_settled && !lost && !work->place.sink_spent && !work->place.is_halfway;
    if (may_save && work_save_all(work, &error) != RELANCE_OK)
        log_line(LOG_WARNING, "Partitions go without a last checkpoint; whoever gets them catches up.",
                 "why=\"%s\"", error.message);
    work_give_up_saving(work);
    work->left_unsaved = work_count_unsaved(work);
    for (size_t i = 0; i < work->own_count; i++)
        work_park(work, work->own[i]);
    work->own_count = 0;
    work->assigned = false;
    work->has_left = true;
    work_clear(work);
    log_line(LOG_INFO, "The group has taken our partitions.", "member=%s lost=%d", work->member, lost);
}
