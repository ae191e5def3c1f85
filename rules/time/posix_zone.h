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

bool posix_zone_parse(str text, struct posix_zone *zone);
int32_t posix_zone_offset(const struct posix_zone *zone, int64_t seconds);

#endif
