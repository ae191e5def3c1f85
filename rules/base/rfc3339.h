/* RFC 3339 date-times, strictly: `2026-03-02T10:00:00.120Z`, `…T11:00:00+01:00`; `t` and `z` may be small.
 *
 * Years 1 to 9999, of the text and of the instant in UTC. Fraction digits beyond nanoseconds are cut off.
 * A leap second is read where one can be, at 23:59:60 UTC, as the second that follows it: instants here are
 * POSIX time, which has no other number for it. */
#ifndef RULES_BASE_RFC3339_H
#define RULES_BASE_RFC3339_H

#include "base/str.h"

#define RFC3339_MS_MIN (-62135596800000) /* 0001-01-01T00:00:00.000Z */
#define RFC3339_MS_MAX 253402300799999   /* 9999-12-31T23:59:59.999Z */

/* Seconds since 1970 and nanoseconds, 0 to 999,999,999. False, and nothing written, when it is none. */
bool rfc3339_parse(str text, int64_t *seconds, int32_t *nanos);

/* `2026-03-02T10:00:00`, in UTC: exactly 19 bytes, no NUL. The instant must be one of the years 1 to 9999. */
enum { RFC3339_SECONDS_SIZE = 19 };
void rfc3339_print_seconds(int64_t seconds, char out[RFC3339_SECONDS_SIZE]);

/* `2026-03-02T10:00:00.120Z`, always with three digits: exactly 24 bytes, no NUL. The instant must be within
 * RFC3339_MS_MIN and RFC3339_MS_MAX. */
enum { RFC3339_MS_SIZE = 24 };
void rfc3339_print_ms(int64_t ms, char out[RFC3339_MS_SIZE]);

/* Days since 1970-01-01 of a day in the proleptic Gregorian calendar, and back. */
int64_t rfc3339_days(int64_t year, unsigned month, unsigned day);
void rfc3339_date(int64_t days, int64_t *year, unsigned *month, unsigned *day);
unsigned rfc3339_month_days(int64_t year, unsigned month); /* 28 to 31 */

#endif
