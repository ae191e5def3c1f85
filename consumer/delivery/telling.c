/* What a worker tells of itself, and what it asks for that. */
#include "delivery/work.h"
#include "host/clock.h"

enum {
    TELLING_ASK_US = 100000,       /* between questions for the end of the input, under load */
    TELLING_ASK_IDLE_US = 1000000, /* in so long all partitions are asked for, when there is time */
    TELLING_ASK_LEAST_US = 250000, /* and between two of them */
};

static bool work_is_time_to_ask(const struct work *work, int64_t now_us)
{
    int64_t pause = TELLING_ASK_IDLE_US / (int64_t)(work->own_count ? work->own_count : 1);
    if (pause < TELLING_ASK_LEAST_US) pause = TELLING_ASK_LEAST_US;
    return now_us - work->asked_us >= (work->loaded ? TELLING_ASK_US : pause);
}

/* Where the partition would go on, once it is claimed. Nobody but us moves that, so one answer will do. */
static void work_ask_begin(struct work *work, struct partition *partition, int64_t low, int64_t high)
{
    struct source_frontier p;
    struct relance_error error;
    if (partition->state != PARTITION_UNCLAIMED || partition->input_end.begin >= 0) return;
    if (source_frontier(work->place.source, partition->number, &p, &error) != RELANCE_OK) return;
    int64_t first = work->place.from_ms == FROM_LATEST ? high : low, offset = p.frontier.position.offset;
    partition->input_end.begin = offset < 0 ? first : offset;
}

/* The end of a partition, and of one that is not claimed, its beginning. What came with records is enough where one of ours reads them;
 * else the worker waits for an answer. */
static enum relance_status work_find_end(struct work *work, const struct partition *partition, int64_t *low,
                                         int64_t *high)
{
    struct relance_error error;
    bool is_waiting = partition && partition->state == PARTITION_UNCLAIMED;
    *high = partition && !is_waiting ? source_end(work->place.source, partition->number) : -1;
    return *high >= 0 ? RELANCE_OK
                      : source_bounds(work->place.source, SOURCE_INPUT, partition ? partition->number : 0,
                                      is_waiting ? low : NULL, high, &error);
}

/* Looking for the end under load tells the lag, and where librdkafka reads, it wakes the client's broker thread,
 * which sleeps for up to a second once its queue has been full, though it has long been drained
 * (librdkafka 2.0.2): what is queued lasts longer than the pause between two questions. One partition a time, in turn,
 * so that every broker is asked. Without a partition of our own it tells at least that Kafka answers. */
void work_ask_end(struct work *work)
{
    int64_t now = clock_monotonic_us(), low = 0, high;
    if (!work_is_time_to_ask(work, now)) return;
    work->asked_us = now;
    if (work->own_count) work->asked = (work->asked + 1) % work->own_count;
    struct partition *partition = work->own_count ? work->own[work->asked] : NULL;
    contact_ask(&work->worker->kafka);
    enum relance_status status = work_find_end(work, partition, &low, &high);
    contact_answer(&work->worker->kafka, status == RELANCE_OK);
    if (!partition) return;
    if (status == RELANCE_OK) {
        partition->input_end.offset = high;
        work_ask_begin(work, partition, low, high);
    }
    partition_tell_hidden(partition);
}

void work_tell(struct work *work)
{
    struct pulse_figures *figures = &work->figures;
    int64_t now = clock_monotonic_us();
    figures->events = work->events_gone;
    figures->fetched = work->fetched_gone;
    figures->partitions = figures->live = figures->bytes = figures->customers = figures->waits = 0;
    for (size_t i = 0; i < work->own_count; i++) {
        struct partition *partition = work->own[i];
        partition_stand(partition, now);
        figures->events += partition->events;
        figures->fetched += partition->fetched;
        figures->partitions++;
        if (partition->state == PARTITION_UNCLAIMED) continue;
        figures->live += partition->state == PARTITION_LIVE;
        struct relance_engine_size size = relance_engine_size(partition->engine);
        figures->bytes += size.bytes;
        figures->customers += size.customers;
        figures->waits += size.waits;
    }
    pulse_write(&work->worker->pulse, figures);
}

void work_tell_misplaced(struct work *work, bool now)
{
    struct workplace *place = &work->place;
    misplaced_tell(&place->misplaced, place->input_partitions, place->refuses_misplaced, now);
}
