/* Durations as people write them in rule files and events: `45m`, `1h30m`, `7d`, `2w`, `-1d` (LANGUAGE.md §2).
 * CEL's own duration() has another form; that one is the business of rules/cel. */
#ifndef RULES_BASE_DURATION_H
#define RULES_BASE_DURATION_H

#include "base/buffer.h"

#define DURATION_MS_MAX 315576000000000 /* 10,000 years of 365.25 days: as far as CEL's durations reach */

/* Units w d h m s, each at most once, descending, whole numbers; a `-` in front negates all of it. False, and
 * nothing written, for anything else and for what is longer than DURATION_MS_MAX. */
bool duration_parse(str text, int64_t *ms);
/* As options have it: also `250ms`, the least unit, and `0`; never negative. */
bool duration_parse_fine(str text, int64_t *ms);
/* The same backwards, in days at most: `14d`, `1h30m`, `0m`; milliseconds, which it has no unit for, as `1s+5ms`. */
void duration_put(struct buffer *out, int64_t ms);

#endif
