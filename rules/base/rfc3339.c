/* One pass over fixed columns: up to the seconds every part of a date-time has its place, so the digits are
 * read without looking for separators first; only the fraction and the offset vary. */
#include "base/rfc3339.h"

#include "base/ensure.h"

enum { DATE_TIME_SIZE = 19 }; /* YYYY-MM-DDTHH:MM:SS */

struct date_time {
    unsigned year, month, day, hour, minute, second;
    int32_t nanos;
    int offset_minutes; /* east of UTC */
};

/* Two digits; a number above 99 where one of them is none. */
static inline unsigned two_digits(const char *p)
{
    unsigned tens = (unsigned char)p[0] - (unsigned)'0', ones = (unsigned char)p[1] - (unsigned)'0';
    return tens <= 9 && ones <= 9 ? tens * 10 + ones : 100;
}

/* Years begin in March here, so that the leap day is the last of its year, and repeat every 400 years. */
int64_t rfc3339_days(int64_t year, unsigned month, unsigned day)
{
    if (month <= 2) year--;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (int64_t)(month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
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
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && leap ? 29 : days[month - 1];
}

/* The fraction, with its dot, at text[at]; the place behind it, 0 when a dot has no digits. */
static size_t read_fraction(str text, size_t at, int32_t *nanos)
{
    *nanos = 0;
    if (at >= text.size || text.data[at] != '.') return at;
    size_t begin = ++at;
    int32_t unit = 100000000;
    for (; at < text.size && (unsigned char)(text.data[at] - '0') <= 9; at++, unit /= 10)
        *nanos += (text.data[at] - '0') * unit;
    return at == begin ? 0 : at;
}

/* `Z` or `+HH:MM` must be all that is left. */
static bool read_offset(str text, size_t at, int *minutes)
{
    size_t left = text.size - at;
    const char *p = text.data + at;
    *minutes = 0;
    if (left == 1) return (p[0] | 0x20) == 'z';
    if (left != 6 || (p[0] != '+' && p[0] != '-') || p[3] != ':') return false;
    unsigned hour = two_digits(p + 1), minute = two_digits(p + 4);
    if (hour > 23 || minute > 59) return false;
    *minutes = (int)(hour * 60 + minute);
    if (p[0] == '-') *minutes = -*minutes;
    return true;
}

static bool read_date_time(str text, struct date_time *t)
{
    if (text.size <= DATE_TIME_SIZE) return false;
    const char *p = text.data;
    if (p[4] != '-' || p[7] != '-' || (p[10] | 0x20) != 't' || p[13] != ':' || p[16] != ':') return false;
    unsigned century = two_digits(p), of_century = two_digits(p + 2);
    t->year = century * 100 + of_century;
    t->month = two_digits(p + 5);
    t->day = two_digits(p + 8);
    t->hour = two_digits(p + 11);
    t->minute = two_digits(p + 14);
    t->second = two_digits(p + 17);
    if (century > 99 || of_century > 99 || t->year == 0) return false;
    if (t->month - 1 > 11 || t->day - 1 >= rfc3339_month_days(t->year, t->month)) return false;
    if (t->hour > 23 || t->minute > 59 || t->second > 60) return false;
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
