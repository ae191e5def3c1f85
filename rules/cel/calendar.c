/* The calendar. Days are counted in eras of 400 years (146,097 days) that begin on 1 March, so that the leap
 * day is the last of its year and no table of months is needed. */
#include "cel/calendar.h"

#include "cel/cel.h"

enum { DAY = 86400, ERA_DAYS = 146097, EPOCH_OFFSET = 719468 /* days from 0000-03-01 to 1970-01-01 */ };

int64_t days_from_civil(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * ERA_DAYS + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - EPOCH_OFFSET;
}

struct civil civil_from_seconds(int64_t seconds)
{
    int64_t days = seconds / DAY, rest = seconds % DAY;
    if (rest < 0) {
        rest += DAY;
        days--;
    }
    int64_t z = days + EPOCH_OFFSET;
    int64_t era = (z >= 0 ? z : z - ERA_DAYS + 1) / ERA_DAYS;
    int64_t day_of_era = z - era * ERA_DAYS;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t m = (5 * day_of_year + 2) / 153;
    struct civil t = {
        .month = (int)(m < 10 ? m + 3 : m - 9),
        .day = (int)(day_of_year - (153 * m + 2) / 5 + 1),
        .hour = (int)(rest / 3600),
        .minute = (int)(rest / 60 % 60),
        .second = (int)(rest % 60),
        .weekday = (int)(((days + 4) % 7 + 7) % 7),
    };
    t.year = year_of_era + era * 400 + (t.month <= 2);
    t.yearday = (int)(days - days_from_civil(t.year, 1, 1));
    return t;
}

int days_in_month(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && leap ? 29 : days[month - 1];
}

bool timestamp_make(int64_t seconds, int64_t nanos, struct cel_value *out)
{
    if (nanos < 0) {
        nanos += 1000000000;
        seconds--;
    } else if (nanos >= 1000000000) {
        nanos -= 1000000000;
        seconds++;
    }
    if (seconds < TIMESTAMP_MIN || seconds > TIMESTAMP_MAX) return false;
    *out = (struct cel_value){.kind = CEL_TIMESTAMP, .nanos = (int32_t)nanos, .as.i = seconds};
    return true;
}

bool duration_make(int64_t seconds, int64_t nanos, struct cel_value *out)
{
    int64_t total;
    if (__builtin_mul_overflow(seconds, 1000000000, &total) || __builtin_add_overflow(total, nanos, &total)) return false;
    *out = (struct cel_value){.kind = CEL_DURATION, .nanos = (int32_t)(total % 1000000000), .as.i = total / 1000000000};
    return true;
}

/* ---- RFC 3339 */

/* `count` digits at text[*at]; false when there are fewer. */
static bool read_digits(str text, size_t *at, int count, int *out)
{
    *out = 0;
    for (int i = 0; i < count; i++, ++*at) {
        if (*at >= text.size || text.data[*at] < '0' || text.data[*at] > '9') return false;
        *out = *out * 10 + (text.data[*at] - '0');
    }
    return true;
}

static bool read_char(str text, size_t *at, char want)
{
    if (*at >= text.size || text.data[*at] != want) return false;
    ++*at;
    return true;
}

static bool read_either(str text, size_t *at, char a, char b)
{
    return read_char(text, at, a) || read_char(text, at, b);
}

static bool read_fraction(str text, size_t *at, int *nanos)
{
    *nanos = 0;
    if (!read_char(text, at, '.')) return true;
    int scale = 100000000, digits = 0;
    for (; *at < text.size && text.data[*at] >= '0' && text.data[*at] <= '9'; ++*at, digits++, scale /= 10)
        *nanos += (text.data[*at] - '0') * scale;
    return digits >= 1 && digits <= 9;
}

static bool read_offset(str text, size_t *at, int *seconds)
{
    *seconds = 0;
    if (read_either(text, at, 'Z', 'z')) return true;
    bool west = *at < text.size && text.data[*at] == '-';
    int hours, minutes;
    if (!read_either(text, at, '+', '-') || !read_digits(text, at, 2, &hours) || !read_char(text, at, ':') ||
        !read_digits(text, at, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *seconds = (hours * 3600 + minutes * 60) * (west ? -1 : 1);
    return true;
}

bool cel_parse_timestamp(str text, struct cel_value *out)
{
    int year, month, day, hour, minute, second, nanos, offset;
    size_t at = 0;
    bool formed = read_digits(text, &at, 4, &year) && read_char(text, &at, '-') && read_digits(text, &at, 2, &month) &&
                  read_char(text, &at, '-') && read_digits(text, &at, 2, &day) && read_either(text, &at, 'T', 't') &&
                  read_digits(text, &at, 2, &hour) && read_char(text, &at, ':') && read_digits(text, &at, 2, &minute) &&
                  read_char(text, &at, ':') && read_digits(text, &at, 2, &second) && read_fraction(text, &at, &nanos) &&
                  read_offset(text, &at, &offset) && at == text.size;
    if (!formed || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month)) return false;
    if (hour > 23 || minute > 59 || second > 59) return false;
    int64_t seconds = days_from_civil(year, month, day) * DAY + hour * 3600 + minute * 60 + second - offset;
    return timestamp_make(seconds, nanos, out);
}

/* ---- durations */

static const struct unit {
    const char *name;
    int64_t nanos;
} units[] = {
    {"ns", 1}, {"us", 1000}, {"\xC2\xB5s", 1000}, {"\xCE\xBCs", 1000}, {"ms", 1000000},
    {"h", 3600000000000}, {"m", 60000000000}, {"s", 1000000000},
};

static const struct unit *unit_at(str text, size_t at)
{
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (str_starts_with(str_slice(text, at, text.size), str_of(units[i].name))) return &units[i];
    return NULL;
}

/* One "1.5h": adds it to *total, of nanoseconds. What is beyond a nanosecond is cut off. */
static bool read_term(str text, size_t *at, uint64_t *total)
{
    uint64_t whole = 0, fraction = 0, scale = 1;
    size_t digits = 0;
    for (; *at < text.size && text.data[*at] >= '0' && text.data[*at] <= '9'; ++*at, digits++)
        if (__builtin_mul_overflow(whole, 10u, &whole) ||
            __builtin_add_overflow(whole, (uint64_t)(text.data[*at] - '0'), &whole))
            return false;
    if (read_char(text, at, '.'))
        for (; *at < text.size && text.data[*at] >= '0' && text.data[*at] <= '9'; ++*at, digits++)
            if (scale <= 1000000000000000) {
                fraction = fraction * 10 + (uint64_t)(text.data[*at] - '0');
                scale *= 10;
            }
    const struct unit *unit = digits ? unit_at(text, *at) : NULL;
    if (!unit || __builtin_mul_overflow(whole, (uint64_t)unit->nanos, &whole)) return false;
    *at += strlen(unit->name);
    uint64_t part = (uint64_t)((unsigned __int128)fraction * (uint64_t)unit->nanos / scale);
    return !__builtin_add_overflow(whole, part, &whole) && !__builtin_add_overflow(*total, whole, total);
}

bool cel_duration_parse(str text, struct cel_value *out)
{
    size_t at = 0;
    bool negative = read_char(text, &at, '-');
    if (!negative) read_char(text, &at, '+');
    uint64_t total = 0;
    if (at == text.size) return false;
    if (str_equal(str_slice(text, at, text.size), STR("0"))) return duration_make(0, 0, out);
    while (at < text.size)
        if (!read_term(text, &at, &total)) return false;
    if (total > (uint64_t)INT64_MAX + negative) return false;
    return duration_make(0, negative ? (int64_t)(0 - total) : (int64_t)total, out);
}
