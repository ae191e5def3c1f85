/* SIGINT and SIGTERM as a question that loops ask. A second one ends the process at once.
 *
 * Whoever hears it comes to the end of the step that it is in, since then nothing has to be done again. Who is still
 * in the middle of one STOP_PATIENCE_MS later gives it up: an evaluation looks at stop_flag(). */
#ifndef CONSUMER_HOST_STOP_H
#define CONSUMER_HOST_STOP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { STOP_PATIENCE_MS = 700 };

void stop_on_signals(void);
bool stop_requested(void);
int64_t stop_requested_us(void);   /* when a stop was asked for, by the monotonic clock; -1: it was not */
void stop_request(void);           /* as a signal would, from any thread */
const atomic_int *stop_flag(void); /* not 0: a stop was asked for, and nobody waits any more */

#endif
