/* relance:GROUP:TOPIC:totals: the counters of all partitions, added up, and how many instances and partitions there are,
 * so that one HGETALL tells all. Only whole sums are written: where a partition or an instance cannot be read, the sums
 * before stay as they are, of the instant `at`, and `missing` says what could not be read, `missing_since` since when.
 * For files of this room only. */
#ifndef CONSUMER_REDIS_TOTALS_H
#define CONSUMER_REDIS_TOTALS_H

#include <relance/text.h>
#include <stdbool.h>

struct redis_totals;
struct redis_totals *redis_totals_open(const char *url, const char *group, const char *topic, int partitions);
void redis_totals_close(struct redis_totals *totals);

/* Reads all and writes the sums; but for the last time, not yet where Redis would be asked for more than a twentieth of
 * the time. Each instance that stands in the list and has no live figures is told. */
typedef void redis_totals_gone(void *context, struct relance_str instance);
void redis_totals_write(struct redis_totals *totals, bool is_last, redis_totals_gone *gone, void *context);

#endif
