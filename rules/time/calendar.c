/* Instants taken apart into the parts of a date. */
#include "time/calendar.h"

#include "base/rfc3339.h"

enum { DAY = 86400 };

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
