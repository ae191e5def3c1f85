/* Days as people write them, and instants taken apart into the parts of a date; how days become dates is base/rfc3339.h's. */
#ifndef RULES_TIME_CALENDAR_H
#define RULES_TIME_CALENDAR_H

#include "base/str.h"

struct civil {
    int64_t year;
    unsigned month, day; /* from 1 */
    int hour, minute, second;
    int weekday; /* 0: Sunday */
    int yearday; /* from 0 */
};

/* A day as people write it: "2026-12-24", or "12-24" of every year. */
struct calendar_day {
    int64_t year; /* CALENDAR_EVERY_YEAR: of all that have this day */
    unsigned month, day;
};
#define CALENDAR_EVERY_YEAR INT64_MIN

/* False: no such text, or an impossible date, which never comes. */
bool calendar_day_parse(str text, struct calendar_day *out);

/* Of seconds since 1970, as if they were UTC. */
struct civil civil_from_seconds(int64_t seconds);

#endif
