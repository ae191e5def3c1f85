/* Instants taken apart, and timestamps and durations made: the calendar itself is base/rfc3339.h's. */
#ifndef RULES_CEL_CALENDAR_H
#define RULES_CEL_CALENDAR_H

#include "cel/value.h"

struct civil {
    int64_t year;
    unsigned month, day;      /* from 1 */
    int hour, minute, second;
    int weekday;              /* 0: Sunday */
    int yearday;              /* from 0 */
};

/* Of seconds since 1970, as if they were UTC. */
struct civil civil_from_seconds(int64_t seconds);

/* CEL's duration text: "-1h30m", "1.5s", "100ms" (the rule language's own form is base/duration.h's); false
 * when malformed or out of range (int64 of ns). */
bool cel_duration_parse(str text, struct cel_value *out);
/* Keeps seconds and nanos in the form that value.h describes; false outside an int64 of nanoseconds. */
bool duration_make(int64_t seconds, int64_t nanos, struct cel_value *out);
/* False outside the years 1 to 9999. */
bool timestamp_make(int64_t seconds, int64_t nanos, struct cel_value *out);

#endif
