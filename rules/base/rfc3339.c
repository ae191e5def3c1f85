/* One pass over fixed columns: up to the seconds every part of a date-time has its place, so the digits are
 * read without looking for separators first; only the fraction and the offset vary. Whether there are digits is
 * asked of eight columns at a time. */
#include "base/rfc3339.h"

#include "base/ensure.h"

enum { DATE_TIME_SIZE = 19 }; /* YYYY-MM-DDTHH:MM:SS */

struct date_time {
    unsigned year, month, day, hour, minute, second;
    int32_t nanos;
    int offset_minutes; /* east of UTC */
};

/* Is each of 8 bytes no less than that of `low` and no more than that of `high`, which are ASCII? */
static inline bool bytes_within(const char *p, const char low[9], const char high[9])
{
    const uint64_t tops = 0x8080808080808080u;
    uint64_t bytes, least, most;
    memcpy(&bytes, p, sizeof bytes);
    memcpy(&least, low, sizeof least);
    memcpy(&most, high, sizeof most);
    return (((bytes | tops) - least) & ((most | tops) - bytes) & ~bytes & tops) == tops;
}

/* Of what are digits. */
static inline unsigned two_digits(const char *p)
{
    return (unsigned)(unsigned char)p[0] * 10 + (unsigned char)p[1] - '0' * 11u;
}

/* Years begin in March here, so that the leap day is the last of its year. They are counted from one long before all
 * others, whose number 400 divides: what is left is not negative. */
int64_t rfc3339_days(int64_t year, unsigned month, unsigned day)
{
    const int64_t years = 400 * 1000 * 1000, days = years / 400 * 146097 + 719468; /* until 1970-01-01 */
    uint64_t since = (uint64_t)(year + years - (month <= 2));
    unsigned day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return (int64_t)(since * 365 + since / 4 - since / 100 + since / 400 + day_of_year) - days;
}

void rfc3339_date(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t march_month = (5 * day_of_year + 2) / 153;
    *day = (unsigned)(day_of_year - (153 * march_month + 2) / 5 + 1);
    *month = (unsigned)(march_month < 10 ? march_month + 3 : march_month - 9);
    *year = year_of_era + era * 400 + (*month <= 2);
}

unsigned rfc3339_month_days(int64_t year, unsigned month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (month != 2) return days[month - 1];
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
}

/* The fraction, with its dot, at text[at]; the place behind it, 0 when a dot has no digits. */
static size_t read_fraction(str text, size_t at, int32_t *nanos)
{
    static const int32_t units[] = {1000000000, 100000000, 10000000, 1000000, 100000,
                                    10000,      1000,      100,      10,      1};
    *nanos = 0;
    if (text.data[at] != '.') return at;
    size_t begin = ++at, digits;
    int32_t fraction = 0;
    for (; at < text.size && (unsigned char)(text.data[at] - '0') <= 9; at++)
        if (at - begin < 9) fraction = fraction * 10 + (text.data[at] - '0');
    digits = at - begin < 9 ? at - begin : 9;
    *nanos = fraction * units[digits];
    return digits ? at : 0;
}

/* `Z` or `+HH:MM` must be all that is left; more than two bytes stand before it. */
static bool read_offset(str text, size_t at, int *minutes)
{
    size_t left = text.size - at;
    const char *p = text.data + at;
    *minutes = 0;
    if (left == 1) return (p[0] | 0x20) == 'z';
    if (left != 6 || (p[0] != '+' && p[0] != '-')) return false;
    if (!bytes_within(p - 2, "\0\0+00:00", "99-29:59")) return false;
    unsigned hour = two_digits(p + 1), minute = two_digits(p + 4);
    if (hour > 23) return false;
    *minutes = (int)(hour * 60 + minute);
    if (p[0] == '-') *minutes = -*minutes;
    return true;
}

static bool read_date_time(str text, struct date_time *t)
{
    if (text.size <= DATE_TIME_SIZE) return false;
    const char *p = text.data;
    bool formed = bytes_within(p, "0000-00-", "9999-19-") && bytes_within(p + 8, "00T00:00", "39t29:59") &&
                  bytes_within(p + 11, "00:00:00", "29:59:69") && (p[10] | 0x20) == 't';
    if (!formed) return false;
    t->year = two_digits(p) * 100 + two_digits(p + 2);
    t->month = two_digits(p + 5);
    t->day = two_digits(p + 8);
    t->hour = two_digits(p + 11);
    t->minute = two_digits(p + 14);
    t->second = two_digits(p + 17);
    if (t->year == 0 || t->month - 1 > 11 || t->hour > 23 || t->second > 60) return false;
    if (t->day - 1 >= rfc3339_month_days(t->year, t->month)) return false;
    size_t at = read_fraction(text, DATE_TIME_SIZE, &t->nanos);
    return at && read_offset(text, at, &t->offset_minutes);
}

bool rfc3339_parse(str text, int64_t *seconds, int32_t *nanos)
{
    struct date_time t;
    if (!read_date_time(text, &t)) return false;
    int64_t minute = ((int64_t)t.hour * 60 + t.minute) - t.offset_minutes;
    int64_t instant = rfc3339_days(t.year, t.month, t.day) * 86400 + minute * 60 + t.second;
    if (t.second == 60 && instant % 86400 != 0) return false;
    if (instant < RFC3339_MS_MIN / 1000 || instant > RFC3339_MS_MAX / 1000) return false;
    *seconds = instant;
    *nanos = t.nanos;
    return true;
}

static void print_digits(char *out, size_t count, unsigned value)
{
    while (count-- > 0) {
        out[count] = (char)('0' + value % 10);
        value /= 10;
    }
}

void rfc3339_print_seconds(int64_t seconds, char out[RFC3339_SECONDS_SIZE])
{
    int64_t since_first = seconds - RFC3339_MS_MIN / 1000, year;
    ensure(since_first >= 0 && seconds <= RFC3339_MS_MAX / 1000);
    unsigned month, day, of_day = (unsigned)(since_first % 86400);
    rfc3339_date((since_first - of_day) / 86400 + RFC3339_MS_MIN / 86400000, &year, &month, &day);
    memcpy(out, "0000-00-00T00:00:00", RFC3339_SECONDS_SIZE);
    print_digits(out, 4, (unsigned)year);
    print_digits(out + 5, 2, month);
    print_digits(out + 8, 2, day);
    print_digits(out + 11, 2, of_day / 3600);
    print_digits(out + 14, 2, of_day / 60 % 60);
    print_digits(out + 17, 2, of_day % 60);
}

void rfc3339_print_ms(int64_t ms, char out[RFC3339_MS_SIZE])
{
    ensure(ms >= RFC3339_MS_MIN && ms <= RFC3339_MS_MAX);
    unsigned of_second = (unsigned)((ms - RFC3339_MS_MIN) % 1000);
    rfc3339_print_seconds((ms - of_second) / 1000, out);
    memcpy(out + RFC3339_SECONDS_SIZE, ".000Z", RFC3339_MS_SIZE - RFC3339_SECONDS_SIZE);
    print_digits(out + RFC3339_SECONDS_SIZE + 1, 3, of_second);
}
