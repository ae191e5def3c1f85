/* Days as people write them, and instants taken apart into the parts of a date. */
#include "time/calendar.h"

#include "base/rfc3339.h"

enum { DAY = 86400 };

static bool parse_digits(str text, size_t at, size_t count, unsigned *out)
{
    *out = 0;
    for (size_t i = at; i < at + count; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') return false;
        *out = *out * 10 + (unsigned)(text.data[i] - '0');
    }
    return true;
}

bool calendar_day_parse(str text, struct calendar_day *out)
{
    static const int64_t leap_year = 2000;
    unsigned year = 0;
    bool full = text.size == 10;
    size_t at = full ? 5 : 0;
    if ((!full && text.size != 5) || text.data[at + 2] != '-' || (full && text.data[4] != '-')) return false;
    if (full && !parse_digits(text, 0, 4, &year)) return false;
    if (!parse_digits(text, at, 2, &out->month) || !parse_digits(text, at + 3, 2, &out->day)) return false;
    out->year = full ? (int64_t)year : CALENDAR_EVERY_YEAR;
    if (out->month < 1 || out->month > 12 || out->day < 1) return false;
    return out->day <= rfc3339_month_days(full ? out->year : leap_year, out->month);
}

struct civil civil_from_seconds(int64_t seconds)
{
    int64_t days = seconds / DAY, rest = seconds % DAY;
    if (rest < 0) {
        rest += DAY;
        days--;
    }
    struct civil t = {
        .hour = (int)(rest / 3600),
        .minute = (int)(rest / 60 % 60),
        .second = (int)(rest % 60),
        .weekday = (int)(((days + 4) % 7 + 7) % 7),
    };
    rfc3339_date(days, &t.year, &t.month, &t.day);
    t.yearday = (int)(days - rfc3339_days(t.year, 1, 1));
    return t;
}
