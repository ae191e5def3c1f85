#include "time/written.h"

#include "base/rfc3339.h"

#include <time.h>

enum {
    TEXT_MAX = 64,       /* longer texts are no times */
    MS_DIGITS = 13,      /* of ms since 1970 from 2001 to 2286 */
    SECONDS_DIGITS = 10, /* the same in seconds */
    SECONDS_OF_DAY = 86400,
};

static const char *const year_first[] = {
    "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M",
    "%Y-%m-%d",          "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y/%m/%d",
};

bool time_format_is_sound(str format)
{
    if (str_equal(format, STR("%s"))) return true;
    bool directive = false;
    for (size_t i = 0; i < format.size; i++) {
        if (directive && format.data[i] == 's') return false;
        if (!format.data[i]) return false;
        directive = !directive && format.data[i] == '%';
    }
    return format.size > 0 && !directive;
}

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
static bool read_offset(const char *at, bool *known, int64_t *seconds)
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
    *seconds = sign * (hours * 60 + minutes) * INT64_C(60);
    return *at == '\0';
}

/* As if it were UTC. False: no such day. */
static bool local_seconds(const struct tm *tm, int64_t *seconds)
{
    int64_t year = (int64_t)tm->tm_year + 1900;
    unsigned month = (unsigned)tm->tm_mon + 1, day = (unsigned)tm->tm_mday;
    if (tm->tm_mon < 0 || month > 12 || tm->tm_mday < 1 || year < 1 || year > 9999) return false;
    if (day > rfc3339_month_days(year, month)) return false;
    *seconds = rfc3339_days(year, month, day) * SECONDS_OF_DAY + tm->tm_hour * INT64_C(3600) +
               tm->tm_min * INT64_C(60) + tm->tm_sec;
    return true;
}

static bool read_digits(const char *text, size_t size, int64_t *value)
{
    *value = 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9' || i == MS_DIGITS) return false;
        *value = *value * 10 + text[i] - '0';
    }
    return size > 0;
}

static bool read_format(const struct time_formats *formats, const char *text, const char *format, int64_t *ms)
{
    struct tm tm = {.tm_mday = 1, .tm_year = -1};
    int64_t fraction_ms = 0, offset_s = 0, seconds;
    bool known;
    if (strcmp(format, "%s") == 0) {
        if (!read_digits(text, strlen(text), &seconds)) return false;
        *ms = seconds * 1000;
        return *ms <= RFC3339_MS_MAX;
    }
    const char *rest = strptime(text, format, &tm);
    if (!rest || !read_offset(read_fraction(rest, &fraction_ms), &known, &offset_s)) return false;
    if (!local_seconds(&tm, &seconds)) return false;
    if (strstr(format, "%z")) offset_s = tm.tm_gmtoff, known = true;
    seconds = known || !formats->zone ? seconds - offset_s : zone_instant(formats->zone, seconds);
    *ms = seconds * 1000 + fraction_ms;
    return *ms >= RFC3339_MS_MIN && *ms <= RFC3339_MS_MAX;
}

/* 20260302, or seconds or milliseconds since 1970. */
static bool read_number(const struct time_formats *formats, const char *text, size_t size, int64_t *ms)
{
    if (!read_digits(text, size, ms)) return false;
    if (size == 8) return read_format(formats, text, "%Y%m%d", ms);
    if (size == SECONDS_DIGITS) *ms *= 1000;
    return size == MS_DIGITS || size == SECONDS_DIGITS;
}

bool time_formats_read(const struct time_formats *formats, str text, int64_t *ms)
{
    char copy[TEXT_MAX];
    text = str_trim(text);
    if (!text.size || text.size >= sizeof copy || memchr(text.data, '\0', text.size)) return false;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    for (size_t i = 0; i < formats->count; i++)
        if (read_format(formats, copy, formats->formats[i], ms)) return true;
    if (formats->count) return false;
    if (read_number(formats, copy, text.size, ms)) return true;
    for (size_t i = 0; i < sizeof year_first / sizeof *year_first; i++)
        if (read_format(formats, copy, year_first[i], ms)) return true;
    return false;
}
