#include "delivery/standing.h"
#include "delivery/partition.h"
#include "host/clock.h"

static void note(_Atomic int64_t *since_us, bool holds)
{
    if (!holds)
        atomic_store(since_us, 0);
    else if (!atomic_load(since_us))
        atomic_store(since_us, clock_monotonic_us());
}

int64_t standing_earlier(int64_t a_us, int64_t b_us)
{
    return !a_us || (b_us && b_us < a_us) ? b_us : a_us;
}

void standing_leave(struct standing *standing)
{
    atomic_store(&standing->state, STANDING_ELSEWHERE);
    note(&standing->unsaved_us, false);
    atomic_store(&standing->model_ms, 0);
    for (int way = 0; way < STANDING_STORE_WAYS; way++)
        note(&standing->store_fails_us[way], false);
}

void standing_store(struct standing *standing, enum standing_store way, bool answers)
{
    note(&standing->store_fails_us[way], !answers);
}

int64_t standing_store_fails(const struct standing *standing)
{
    return standing_earlier(atomic_load(&standing->store_fails_us[STANDING_READS]),
                            atomic_load(&standing->store_fails_us[STANDING_WRITES]));
}

/* ---- a partition of ours */
/* Records from where it is to the end of the input, as far as is known; -1: that is not. */
static int64_t stand_lag(const struct partition *partition)
{
    bool waits = partition->state == PARTITION_UNCLAIMED;
    int64_t at = waits ? partition->input_end.begin : partition->decided.offset;
    if (at < 0) return -1;
    return partition->input_end.offset > at ? partition->input_end.offset - at : 0;
}

void partition_stand(const struct partition *partition, int64_t now_us)
{
    static const enum standing_state states[] = {[PARTITION_UNCLAIMED] = STANDING_UNCLAIMED,
                                                 [PARTITION_BEHIND] = STANDING_BEHIND,
                                                 [PARTITION_LIVE] = STANDING_LIVE};
    struct standing *standing = partition->standing;
    int64_t behind = partition->published.position.offset - partition->decided.offset;
    bool is_behind = partition->state == PARTITION_BEHIND && behind > 0,
         dirty = partition_is_dirty(partition);
    atomic_store(&standing->state, states[partition->state]);
    atomic_store(&standing->lag, stand_lag(partition));
    atomic_store(&standing->behind, is_behind ? behind : 0);
    atomic_store(&standing->published,
                 partition->state == PARTITION_UNCLAIMED ? -1 : partition->published.position.offset);
    atomic_store(&standing->clock_ms,
                 partition->engine ? relance_engine_clock(partition->engine) : INT64_MIN);
    atomic_store(&standing->model_ms, partition_oldest_model(partition));
    if (!dirty || !atomic_load(&standing->unsaved_us))
        atomic_store(&standing->unsaved_us, dirty ? now_us : 0);
}

/* ---- servers */
void contact_ask(struct contact *contact)
{
    note(&contact->asked_us, true);
}

void contact_end(struct contact *contact)
{
    note(&contact->asked_us, false);
}

void contact_answer(struct contact *contact, bool answers)
{
    if (answers || !atomic_load(&contact->fails_us))
        atomic_store(&contact->fails_us, answers ? 0 : atomic_load(&contact->asked_us));
    contact_end(contact);
}

int64_t contact_away(const struct contact *contact, int64_t now_us)
{
    int64_t fails = atomic_load(&contact->fails_us), asked = atomic_load(&contact->asked_us);
    if (fails) return fails;
    return asked && now_us - asked > CONTACT_PATIENCE_US ? asked : 0;
}
