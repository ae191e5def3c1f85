/* States at rest: what nothing has happened to for a while is packed, a little in each cycle. */
#include "delivery/work.h"
#include "host/clock.h"
#include <malloc.h>

enum {
    RESTING_IDLE_US = 1000000,  /* between rounds in which untouched states are packed, when there is time */
    RESTING_LOAD_US = 10000000, /* the same under load */
    RESTING_US = 2000,          /* a cycle packs for so long */
    RESTING_STATES = 256,       /* and looks at the clock after so many */
};

/* One partition after the other: true: the round is over. */
static bool work_rest_on(struct work *work, int64_t until_us)
{
    while (work->resting < work->own_count) {
        struct partition *partition = work->own[work->resting];
        bool live = partition->state == PARTITION_LIVE;
        enum relance_rest rest =
            live ? relance_engine_rest(partition->engine, RESTING_STATES) : RELANCE_REST_DONE;
        work->has_freed |= rest == RELANCE_REST_FREED;
        if (rest != RELANCE_REST_MORE && live && !work->loaded && !partition->saving.is_on)
            work->has_freed |= store_rest(partition->store);
        work->resting += rest != RELANCE_REST_MORE;
        if (clock_monotonic_us() >= until_us) return false;
    }
    return true;
}

void work_put_to_rest(struct work *work)
{
    int64_t now = clock_monotonic_us(), pause = work->loaded ? RESTING_LOAD_US : RESTING_IDLE_US;
    if (!work->is_resting && now - work->rested_us < pause) return;
    if (!work->is_resting) work->rested_us = now;
    work->is_resting = !work_rest_on(work, now + RESTING_US);
    if (work->is_resting) return;
    work->resting = 0;
    bool is_drained = work->was_loaded && !work->loaded;
    if (work->has_freed || is_drained) malloc_trim(0);
    if (is_drained) work->was_loaded = false;
    work->has_freed = false;
}
