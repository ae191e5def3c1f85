/* Times as exports write them: in formats of strptime, or, without one, in any form that has the year first. */
#ifndef CONSUMER_INPUT_CSV_TIME_H
#define CONSUMER_INPUT_CSV_TIME_H

#include <relance/ruleset.h>

enum { CSV_TIME_FORMATS_MAX = 8 };

struct csv_time {
    const char *formats[CSV_TIME_FORMATS_MAX]; /* tried in order; none: those with the year first */
    size_t format_count;
    struct relance_str zone;             /* of times without an offset; empty: UTC */
    const struct relance_ruleset *rules; /* knows the zones */
};

/* Behind what a format reads there may be a fraction of a second, and an offset (Z, UTC, +02:00). */
bool csv_time_read(const struct csv_time *time, struct relance_str text, int64_t *ms);

#endif
