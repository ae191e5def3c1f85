/* The waits of a checkpoint, read as they are needed. Redis has them in the order of their times, and a claim reads the first
 * part: so it takes as long with millions of customers as with a few. The engine says when it does not know what is due next
 * (RELANCE_WAITS), and in each cycle a part is read that nobody needs yet, since the store may be away when it is needed.
 *
 * The invariant: whatever is due before relance_engine_waits_known stands in the engine. The set changes by our own checkpoints
 * alone, so a customer's wait in it only after the customer was at hand; of whoever is at hand, or waits, the engine knows
 * more than the set and passes over what it has. */
#include "delivery/partition.h"
#include "host/clock.h"
#include "host/stop.h"

enum { WAITS_PAUSE_US = 30000000 /* the store is away: so long no part is read ahead */ };

struct waits_reading {
    struct relance_engine *engine;
    bool failed;
};

static void waits_take(void *context, struct relance_str customer, int64_t due_ms)
{
    struct waits_reading *reading = context;
    if (relance_engine_put_due(reading->engine, customer, due_ms) != RELANCE_OK) reading->failed = true;
}

enum relance_status partition_ask_waits(struct partition *partition, struct relance_error *error)
{
    struct waits_reading reading = {partition->engine, false};
    int64_t from_ms = relance_engine_waits_known(partition->engine), to_ms;
    partition_take_store(partition);
    enum relance_status status =
        store_read_dues(partition->store, from_ms, &to_ms, waits_take, &reading, error);
    if (reading.failed)
        return relance_error_set(error, RELANCE_NO_MEMORY, "no memory for the waits of partition %d",
                                 partition->number);
    if (status == RELANCE_OK) relance_engine_know_waits(partition->engine, to_ms);
    return status;
}

static enum relance_status waits_ask(struct partition *partition, struct relance_error *error)
{
    enum relance_status status = partition_ask_waits(partition, error);
    standing_store(partition->standing, STANDING_READS, status != RELANCE_AGAIN);
    return status;
}

enum relance_status partition_read_waits(struct partition *partition, struct relance_error *error)
{
    enum relance_status status;
    while ((status = waits_ask(partition, error)) == RELANCE_AGAIN) {
        status = partition_await_store(partition, error);
        if (status != RELANCE_OK) return status;
    }
    return status == RELANCE_REFUSED ? error->status = RELANCE_AGAIN : status;
}

/* Between two parts a stop is heard. */
static enum relance_status waits_read_on(struct partition *partition, struct relance_error *error)
{
    enum relance_status status = partition_read_waits(partition, error);
    if (status != RELANCE_OK || !stop_requested()) return status;
    return relance_error_set(error, RELANCE_AGAIN, "ending");
}

enum relance_status partition_find_next(struct partition *partition, int64_t before_ms,
                                        struct relance_error *error)
{
    const struct relance_engine *engine = partition->engine;
    enum relance_status status = RELANCE_OK;
    while (status == RELANCE_OK && relance_engine_waits_known(engine) < before_ms &&
           relance_engine_next_due(engine) == relance_engine_waits_known(engine))
        status = waits_read_on(partition, error);
    return status;
}

enum relance_status partition_know_waits(struct partition *partition, int64_t before_ms,
                                         struct relance_error *error)
{
    enum relance_status status = RELANCE_OK;
    while (status == RELANCE_OK && relance_engine_waits_known(partition->engine) < before_ms)
        status = waits_read_on(partition, error);
    return status;
}

enum relance_status partition_read_ahead(struct partition *partition, struct relance_error *error)
{
    struct workplace *place = partition->place;
    int64_t now_us = clock_monotonic_us();
    if (relance_engine_waits_known(partition->engine) == RELANCE_NEVER || partition->pace.is_failing ||
        now_us < place->ahead_us || stop_requested())
        return RELANCE_OK;
    enum relance_status status = waits_ask(partition, error);
    if (status == RELANCE_REFUSED) return error->status = RELANCE_AGAIN;
    if (status != RELANCE_AGAIN) return status;
    place->ahead_us = now_us + WAITS_PAUSE_US;
    return RELANCE_OK;
}
