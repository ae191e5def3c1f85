/* Instants taken apart into the parts of a date; how days become dates is base/rfc3339.h's. */
#ifndef RULES_TIME_CALENDAR_H
#define RULES_TIME_CALENDAR_H

#include <stdint.h>

struct civil {
    int64_t year;
    unsigned month, day; /* from 1 */
    int hour, minute, second;
    int weekday; /* 0: Sunday */
    int yearday; /* from 0 */
};

/* Of seconds since 1970, as if they were UTC. */
struct civil civil_from_seconds(int64_t seconds);

#endif
