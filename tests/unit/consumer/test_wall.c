/* The wall clock of marks: it may be set, but not far ahead of what the monotonic clock allows. */
#include "host/clock.h"
#include "delivery/wall.h"
#include <criterion/criterion.h>

enum { MINUTE = 60000, SLACK = 5000 }; /* ms */

static int64_t set_ahead_ms; /* somebody has set the machine's clock by so much */

int64_t __real_clock_wall_ms(void);
int64_t __wrap_clock_wall_ms(void);
int64_t __wrap_clock_wall_ms(void)
{
    return __real_clock_wall_ms() + set_ahead_ms;
}

static int64_t error_ms(int64_t expected_ahead_ms)
{
    int64_t error = wall_now_ms() - __real_clock_wall_ms() - expected_ahead_ms;
    return error < 0 ? -error : error;
}

Test(wall, follows_the_clock_by_up_to_five_minutes, .timeout = 30)
{
    wall_start();
    cr_expect_lt(error_ms(0), SLACK);
    set_ahead_ms = 4 * MINUTE;
    cr_expect_lt(error_ms(4 * MINUTE), SLACK);
    set_ahead_ms = -90 * MINUTE;
    cr_expect_lt(error_ms(-90 * MINUTE), SLACK, "going back ends no wait: marks keep the later instant");
}

Test(wall, a_jump_ahead_is_not_believed_until_a_restart, .timeout = 30)
{
    wall_start();
    set_ahead_ms = 6 * MINUTE;
    cr_expect_lt(error_ms(0), SLACK);
    set_ahead_ms = INT64_C(20) * 365 * 24 * 60 * MINUTE;
    cr_expect_lt(error_ms(0), SLACK);
    wall_start();
    cr_expect_lt(error_ms(set_ahead_ms), SLACK, "whoever starts anew takes the clock as it is");
}
