#include "delivery/wall.h"
#include "host/clock.h"
#include "host/log.h"
#include <stdatomic.h>

enum { WALL_AHEAD_MAX_MS = 300000 };

static int64_t wall_begin_ms, wall_begin_us;
static atomic_bool wall_refused;

void wall_start(void)
{
    wall_begin_ms = clock_wall_ms();
    wall_begin_us = clock_monotonic_us();
}

int64_t wall_now_ms(void)
{
    int64_t now = clock_wall_ms();
    int64_t passed = (int64_t)((double)(clock_monotonic_us() - wall_begin_us) / 1000 * clock_speed());
    int64_t steady = wall_begin_ms + passed;
    int64_t allowed = steady + (int64_t)((double)WALL_AHEAD_MAX_MS * clock_speed());
    bool refused = now > allowed;
    if (refused && !atomic_exchange(&wall_refused, true))
        log_line(LOG_WARNING,
                 "The wall clock has jumped ahead; going on without that jump. Restart to accept it.",
                 "ahead_ms=%lld", (long long)(now - steady));
    return refused ? steady : now;
}
