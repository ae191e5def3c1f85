/* The rule behind a zone file's table: POSIX's TZ, "CET-1CEST,M3.5.0,M10.5.0/3". */
#ifndef RULES_TIME_POSIX_ZONE_H
#define RULES_TIME_POSIX_ZONE_H

#include "base/str.h"

struct posix_change { /* when the clock changes, in every year */
    /* Mm.w.d; Jn, 29 February not counted; n from 0 */
    enum { CHANGE_MONTH, CHANGE_JULIAN, CHANGE_DAY } form;
    int month, week, day;
    int32_t time; /* seconds after local midnight; may be negative or beyond a day */
};

struct posix_zone {
    int32_t standard, summer; /* seconds east of UTC */
    bool changes;             /* there is a summer time */
    struct posix_change begin, end;
};

/* When summer time begins and ends in a year, which is one of standard time: for all instants from `from` until before `until`.
 * Seconds since 1970. All of it 0: no year. */
struct posix_year {
    int64_t from, until, begin, end;
};

bool posix_zone_parse(str text, struct posix_zone *zone);
/* Seconds east of UTC. *year is of this zone, or none, and becomes the one asked for: the same again costs little. */
int32_t posix_zone_offset(const struct posix_zone *zone, int64_t seconds, struct posix_year *year);

#endif
