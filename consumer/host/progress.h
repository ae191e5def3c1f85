/* How far something that takes its time has come: a line on standard error, drawn over and over and wiped at the end.
 *
 *     1,234,000 events, 410,000 a second, 62%, 3s left
 *
 * Only a terminal gets one, and only behind the first second. Whoever prints something else meanwhile wipes it before
 * (print_status_wipe); it comes again. An interrupt that ends the process wipes it, too. */
#ifndef CONSUMER_HOST_PROGRESS_H
#define CONSUMER_HOST_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#define PROGRESS_UNKNOWN (-1.0) /* how much there is in all nobody knows */

enum { PROGRESS_STRIDE = 256 };

struct progress {
    const char *what; /* "events" */
    bool wanted;      /* standard error is a terminal */
    uint64_t count;
    int64_t begin_us, drawn_us;
};

void progress_begin(struct progress *progress, const char *what);
/* So much of the whole is done, 0 to 1. */
void progress_show(struct progress *progress, double part);
void progress_end(struct progress *progress);

/* One more is done. True: it is to be shown, where steps are so short that the clock is not asked at each. */
static inline bool progress_step(struct progress *progress)
{
    return ++progress->count % PROGRESS_STRIDE == 0 && progress->wanted;
}

#endif
