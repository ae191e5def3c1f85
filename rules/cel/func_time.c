/* Parts of timestamps, in UTC or in a zone, and of durations. */
#include "cel/func.h"

#include "time/calendar.h"

static bool digit_pair(str text, size_t at, int32_t *value)
{
    if (at + 2 > text.size) return false;
    unsigned tens = (unsigned)(text.data[at] - '0'), ones = (unsigned)(text.data[at + 1] - '0');
    *value = (int32_t)(tens * 10 + ones);
    return tens <= 9 && ones <= 9;
}

/* "+02:00", "-09:30", "02:00"; false when it has not this form. */
static bool fixed_offset(str text, int32_t *seconds)
{
    bool sign = text.size && (text.data[0] == '+' || text.data[0] == '-');
    size_t at = sign;
    int32_t hours, minutes;
    if (text.size != at + 5 || text.data[at + 2] != ':' || !digit_pair(text, at, &hours) ||
        !digit_pair(text, at + 3, &minutes))
        return false;
    if (hours > 23 || minutes > 59) return false;
    *seconds = (hours * 3600 + minutes * 60) * (sign && text.data[0] == '-' ? -1 : 1);
    return true;
}

bool time_zone_is(struct zones *zones, str name)
{
    int32_t seconds;
    return !name.size || str_equal(name, STR("UTC")) || fixed_offset(name, &seconds) ||
           zone_find(zones, name);
}

/* Seconds east of UTC; false when there is no such zone. */
static bool offset_in(struct machine *m, str name, int64_t instant, int32_t *seconds)
{
    enum { LOOKED_UP = 20, UNKNOWN = 500 }; /* steps: a known zone, one that may have to be read */
    *seconds = 0;
    if (name.size == 0 || str_equal(name, STR("UTC")) || fixed_offset(name, seconds)) return true;
    if (!machine_spend(m, LOOKED_UP)) return false;
    const struct zone *zone = m->zones ? zone_find(m->zones, name) : NULL;
    if (!zone) return machine_spend(m, UNKNOWN) && false;
    *seconds = zone_offset(zone, instant);
    return true;
}

static struct cel_value fail_zone(struct machine *m, str name)
{
    return cel_fail(m->frame, CEL_ERROR_ARGUMENT, "unknown time zone '%.*s'",
                    (int)(name.size < 80 ? name.size : 80), name.data);
}

/* Each part twice: in UTC, and in the zone that the second argument names. */
#define TIME_PART(part, expression)                                                                          \
    struct cel_value time_##part(struct machine *m, const struct cel_value *a)                               \
    {                                                                                                        \
        (void)m;                                                                                             \
        struct civil t = civil_from_seconds(a->as.i);                                                        \
        return cel_int(expression);                                                                          \
    }                                                                                                        \
    struct cel_value time_##part##_in(struct machine *m, const struct cel_value *a)                          \
    {                                                                                                        \
        int32_t offset;                                                                                      \
        if (!offset_in(m, cel_text(a[1]), a->as.i, &offset)) return fail_zone(m, cel_text(a[1]));            \
        struct civil t = civil_from_seconds(a->as.i + offset);                                               \
        return cel_int(expression);                                                                          \
    }

TIME_PART(date, t.day)
TIME_PART(day_of_month, t.day - 1)
TIME_PART(day_of_week, t.weekday)
TIME_PART(day_of_year, t.yearday)
TIME_PART(year, t.year)
TIME_PART(month, t.month - 1)
TIME_PART(hours, t.hour)
TIME_PART(minutes, t.minute)
TIME_PART(seconds, t.second)
TIME_PART(milliseconds, t.second * 0 + a->nanos / 1000000)

struct cel_value duration_hours(struct machine *m, const struct cel_value *a)
{
    (void)m;
    return cel_int(a->as.i / 3600);
}

struct cel_value duration_minutes(struct machine *m, const struct cel_value *a)
{
    (void)m;
    return cel_int(a->as.i / 60);
}

struct cel_value duration_seconds(struct machine *m, const struct cel_value *a)
{
    (void)m;
    return cel_int(a->as.i);
}

struct cel_value duration_milliseconds(struct machine *m, const struct cel_value *a)
{
    (void)m;
    return cel_int(a->nanos / 1000000);
}
