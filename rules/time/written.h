/* Times as shops' exports write them: in formats of strptime, or, without one, in any form that has the year first.
 *
 * Behind what a format reads there may be a fraction of a second, and an offset (Z, UTC, +02:00); a time without one is
 * local time of its zone. */
#ifndef RULES_TIME_WRITTEN_H
#define RULES_TIME_WRITTEN_H

#include "base/str.h"
#include "time/zone.h"

enum { TIME_FORMATS_MAX = 8 };

struct time_formats {
    const char *formats[TIME_FORMATS_MAX]; /* tried in order; none: those with the year first */
    size_t count;
    const struct zone *zone; /* of times without an offset; NULL: UTC */
};

/* Does strptime read it the same way everywhere? `%s` is a format alone, and not part of one: the C library reads it in
 * the machine's own zone. */
bool time_format_is_sound(str format);
/* In ms since 1970. False: it is written otherwise, or such a day does not exist. */
bool time_formats_read(const struct time_formats *formats, str text, int64_t *ms);

#endif
