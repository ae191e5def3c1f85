#include "input/csv_time.h"
#include "host/text.h"

#include <time.h>

enum {
    TEXT_MAX = 64,          /* longer texts are no times */
    SECONDS_MS_DIGITS = 13, /* of ms since 1970 from 2001 to 2286; three fewer: seconds */
};

static const char *const year_first[] = {
    "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M",
    "%Y-%m-%d",          "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y/%m/%d",
};

/* ".120", ",5": milliseconds; digits beyond are cut off. */
static const char *read_fraction(const char *at, int64_t *ms)
{
    if ((*at != '.' && *at != ',') || at[1] < '0' || at[1] > '9') return at;
    int64_t unit = 100;
    for (at++; *at >= '0' && *at <= '9'; at++, unit /= 10)
        *ms += (*at - '0') * unit;
    return at;
}

static bool read_two(const char **at, int limit, int *out)
{
    const char *p = *at;
    if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9') return false;
    *out = (p[0] - '0') * 10 + p[1] - '0';
    *at += 2;
    return *out <= limit;
}

/* "", "Z", " UTC", "+02:00", "+0200", "-05". False: something else stands there. */
static bool read_offset(const char *at, bool *known, int64_t *ms)
{
    while (*at == ' ')
        at++;
    *known = *at != '\0';
    if (!*known || strcmp(at, "Z") == 0 || strcmp(at, "UTC") == 0 || strcmp(at, "GMT") == 0) return true;
    int sign = *at == '-' ? -1 : 1, hours, minutes = 0;
    if (*at != '+' && *at != '-') return false;
    at++;
    if (!read_two(&at, 23, &hours)) return false;
    if (*at == ':') at++;
    if (*at && !read_two(&at, 59, &minutes)) return false;
    *ms = sign * (hours * 60 + minutes) * INT64_C(60000);
    return *at == '\0';
}

static bool read_format(const struct csv_time *time, const char *text, const char *format, int64_t *out)
{
    struct tm tm = {.tm_mday = 1, .tm_year = -1}, asked;
    int64_t fraction_ms = 0, offset_ms = 0;
    bool known;
    const char *rest = strptime(text, format, &tm);
    if (!rest || !read_offset(read_fraction(rest, &fraction_ms), &known, &offset_ms)) return false;
    asked = tm;
    int64_t local_ms = (int64_t)timegm(&tm) * 1000 + fraction_ms;
    if (tm.tm_mday != asked.tm_mday || tm.tm_mon != asked.tm_mon) return false; /* 31 February */
    if (strstr(format, "%z")) offset_ms = asked.tm_gmtoff * INT64_C(1000), known = true;
    *out = local_ms - offset_ms;
    if (known || !time->zone.size) return true;
    return relance_ruleset_local_instant(time->rules, time->zone, local_ms, out);
}

/* 20260302, or seconds or milliseconds since 1970. */
static bool read_digits(const struct csv_time *time, const char *text, size_t size, int64_t *out)
{
    if (strspn(text, "0123456789") != size) return false;
    if (size == 8) return read_format(time, text, "%Y%m%d", out);
    if (size != SECONDS_MS_DIGITS && size != SECONDS_MS_DIGITS - 3) return false;
    if (!text_count((struct relance_str){text, size}, out)) return false;
    if (size != SECONDS_MS_DIGITS) *out *= 1000;
    return true;
}

bool csv_time_read(const struct csv_time *time, struct relance_str text, int64_t *ms)
{
    char copy[TEXT_MAX];
    text = str_trim(text);
    if (!text.size || text.size >= sizeof copy || memchr(text.data, '\0', text.size)) return false;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    for (size_t i = 0; i < time->format_count; i++)
        if (read_format(time, copy, time->formats[i], ms)) return true;
    if (time->format_count) return false;
    if (read_digits(time, copy, text.size, ms)) return true;
    for (size_t i = 0; i < sizeof year_first / sizeof *year_first; i++)
        if (read_format(time, copy, year_first[i], ms)) return true;
    return false;
}
