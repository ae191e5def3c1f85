/* Counters over time, from the hashes of minutes that Redis keeps for 48 hours. What has been read of a counter is kept, for
 * those that were asked for last, since a minute that is over does not change: only the newest ones are read again. */
#ifndef CONSUMER_VIEW_MINUTES_H
#define CONSUMER_VIEW_MINUTES_H

#include "base/buffer.h"
#include "redis/view.h"

enum { MINUTES_MAX = 2880, MINUTES_SERIES_MAX = 48, MINUTES_NAMES_MAX = 8 };

struct minutes;

struct minutes *minutes_new(void);
void minutes_free(struct minutes *minutes);

/* What is not in Redis: the lag, as it is now; of each minute the greatest is kept. Negative: not known. */
void minutes_take_lag(struct minutes *minutes, int64_t now_ms, double lag);
#define MINUTES_LAG "lag" /* the name of its series */

/* Puts {"from_ms", "step_ms", "minutes", "series"} of these counters, up to the minute of `now_ms`; `from_ms` earlier than
 * 48 hours ago is that. */
RELANCE_MUST enum relance_status minutes_print(struct minutes *minutes, struct redis_view *view,
                                               const char *const *names, size_t count, int64_t from_ms,
                                               int64_t now_ms, struct buffer *to,
                                               struct relance_error *error);

#endif
