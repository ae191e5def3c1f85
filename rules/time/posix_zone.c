/* POSIX's TZ rules, as they stand at the end of zone files. */
#include "time/posix_zone.h"

#include "base/rfc3339.h"
#include "time/calendar.h"

struct reader {
    str text;
    size_t at;
};

static char peek(const struct reader *r)
{
    return r->at < r->text.size ? r->text.data[r->at] : '\0';
}

static bool accept(struct reader *r, char c)
{
    if (peek(r) != c) return false;
    r->at++;
    return true;
}

/* "CET" or "<+03>" */
static bool read_name(struct reader *r)
{
    size_t begin = r->at;
    if (accept(r, '<')) {
        while (peek(r) && peek(r) != '>')
            r->at++;
        return accept(r, '>');
    }
    while ((peek(r) >= 'A' && peek(r) <= 'Z') || (peek(r) >= 'a' && peek(r) <= 'z'))
        r->at++;
    return r->at - begin >= 3;
}

static bool read_number(struct reader *r, int max, int *out)
{
    size_t begin = r->at;
    int value = 0;
    for (; peek(r) >= '0' && peek(r) <= '9' && value <= max; r->at++)
        value = value * 10 + (peek(r) - '0');
    *out = value;
    return r->at > begin && value <= max;
}

/* [+-]hh[:mm[:ss]] */
static bool read_time(struct reader *r, int32_t *seconds)
{
    bool negative = accept(r, '-');
    if (!negative) accept(r, '+');
    int hours, minutes = 0, rest = 0;
    if (!read_number(r, 167, &hours)) return false;
    if (accept(r, ':') && !read_number(r, 59, &minutes)) return false;
    if (accept(r, ':') && !read_number(r, 59, &rest)) return false;
    *seconds = (hours * 3600 + minutes * 60 + rest) * (negative ? -1 : 1);
    return true;
}

static bool read_change(struct reader *r, struct posix_change *change)
{
    if (!accept(r, ',')) return false;
    bool formed;
    if (accept(r, 'M')) {
        change->form = CHANGE_MONTH;
        formed = read_number(r, 12, &change->month) && accept(r, '.') && read_number(r, 5, &change->week) &&
                 accept(r, '.') && read_number(r, 6, &change->day) && change->month >= 1 && change->week >= 1;
    } else {
        change->form = accept(r, 'J') ? CHANGE_JULIAN : CHANGE_DAY;
        formed = read_number(r, 365, &change->day) && (change->form == CHANGE_DAY || change->day >= 1);
    }
    change->time = 7200;
    return formed && (!accept(r, '/') || read_time(r, &change->time));
}

bool posix_zone_parse(str text, struct posix_zone *zone)
{
    struct reader r = {text, 0};
    *zone = (struct posix_zone){0};
    if (!read_name(&r) || !read_time(&r, &zone->standard)) return false;
    zone->standard = -zone->standard; /* POSIX counts west */
    if (r.at == text.size) return true;
    if (!read_name(&r)) return false;
    zone->changes = true;
    zone->summer = zone->standard + 3600;
    if (peek(&r) != ',') {
        if (!read_time(&r, &zone->summer)) return false;
        zone->summer = -zone->summer;
    }
    return read_change(&r, &zone->begin) && read_change(&r, &zone->end) && r.at == text.size;
}

/* The local second of the change in a year, as if it were UTC. */
static int64_t change_time(const struct posix_change *change, int64_t year)
{
    int64_t day;
    if (change->form == CHANGE_MONTH) {
        int64_t first = rfc3339_days(year, (unsigned)change->month, 1);
        int64_t weekday = ((first + 4) % 7 + 7) % 7, ahead = (change->day - weekday + 7) % 7;
        day = ahead + (change->week - 1) * 7;
        if (day >= rfc3339_month_days(year, (unsigned)change->month)) day -= 7; /* week 5 is the last */
        day += first;
    } else {
        bool after_february =
            change->form == CHANGE_JULIAN && change->day >= 60 && rfc3339_month_days(year, 2) == 29;
        day = rfc3339_days(year, 1, 1) + change->day - (change->form == CHANGE_JULIAN) + after_february;
    }
    return day * 86400 + change->time;
}

static struct posix_year year_of(const struct posix_zone *zone, int64_t seconds)
{
    int64_t year = civil_from_seconds(seconds + zone->standard).year;
    return (struct posix_year){.from = rfc3339_days(year, 1, 1) * 86400 - zone->standard,
                               .until = rfc3339_days(year + 1, 1, 1) * 86400 - zone->standard,
                               .begin = change_time(&zone->begin, year) - zone->standard,
                               .end = change_time(&zone->end, year) - zone->summer};
}

int32_t posix_zone_offset(const struct posix_zone *zone, int64_t seconds, struct posix_year *year)
{
    if (!zone->changes) return zone->standard;
    if (seconds < year->from || seconds >= year->until) *year = year_of(zone, seconds);
    int64_t begin = year->begin, end = year->end;
    bool summer = begin < end ? seconds >= begin && seconds < end : seconds >= begin || seconds < end;
    return summer ? zone->summer : zone->standard;
}
