/* CEL's timestamps and durations: made within their ranges, and durations read from texts. */
#ifndef RULES_CEL_TIMESTAMP_H
#define RULES_CEL_TIMESTAMP_H

#include "cel/value.h"

/* CEL's duration text: "-1h30m", "1.5s", "100ms" (the rule language's own form is base/duration.h's); false
 * when malformed or out of range (int64 of ns). */
bool cel_duration_parse(str text, struct cel_value *out);
/* Keeps seconds and nanos in the form that value.h describes; false outside an int64 of nanoseconds. */
bool duration_make(int64_t seconds, int64_t nanos, struct cel_value *out);
/* False outside the years 1 to 9999. */
bool timestamp_make(int64_t seconds, int64_t nanos, struct cel_value *out);

#endif
