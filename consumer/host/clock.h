/* The wall clock, as the shell sees it: the one of marks (staleness, ticks, the guard against the future), of
 * events that a simulated shop makes, of live figures. All of the shell asks here and nowhere else.
 *
 * For demonstrations it can run faster: from `origin` on, `speed` ms pass in each ms of the machine's clock.
 * The rule depends on these two numbers only, so that several processes given the same `--clock` agree, also
 * after a restart. Time-outs, pauses and measurements are not its business: they are monotonic. */
#ifndef CONSUMER_HOST_CLOCK_H
#define CONSUMER_HOST_CLOCK_H

#include <relance/text.h>
#include <stdbool.h>
#include <stdint.h>

/* Before any thread is started. Absent: the machine's clock. speed >= 1. */
void clock_speed_up(int64_t origin_ms, double speed);
/* The same from the text of `--clock`, "TIME*SPEED"; NULL: nothing to do. False: it is not of that form. */
bool clock_read_option(const char *text);

int64_t clock_wall_ms(void); /* ms since 1970 */
double clock_speed(void);    /* 1.0 as a rule */

int64_t clock_monotonic_us(void); /* for measuring and waiting */
void clock_sleep_us(int64_t us);

#endif
