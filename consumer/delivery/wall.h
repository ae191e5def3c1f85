/* The wall clock as marks have it: the shell's clock, except that it may not run ahead of the monotonic one.
 * A clock that is set forward by mistake would make every wait end at once, and nothing could take that back. */
#ifndef CONSUMER_DELIVERY_WALL_H
#define CONSUMER_DELIVERY_WALL_H

#include <stdint.h>

void wall_start(void); /* before any thread */
int64_t wall_now_ms(void);

#endif
