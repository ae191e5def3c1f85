/* SIGINT and SIGTERM as a question that loops ask. A second one ends the process at once. */
#ifndef CONSUMER_HOST_STOP_H
#define CONSUMER_HOST_STOP_H

#include <stdbool.h>
#include <stdint.h>

void stop_on_signals(void);
bool stop_requested(void);
int64_t stop_requested_us(void); /* when that was, by the monotonic clock; -1: it is not */
void stop_request(void); /* as a signal would, from any thread */

#endif
