/* Limits over all rules: quiet hours, in which a send waits, and caps, which drop it or make it wait
 * (LANGUAGE.md §3.5). Sends are kept for each cap that they passed: the newest N, which is all that it can ask for. */
#include "rule/run/coverage.h"

#include "base/rfc3339.h"

static bool limit_applies(struct relance_engine *e, const struct limit *limit, str send)
{
    if (limit->send.size && !str_equal(limit->send, send)) return false;
    if (!limit->condition) return true;
    struct cel_value value = engine_evaluate(e, limit->condition->program);
    bool applies = value.kind != CEL_BOOL || value.as.b; /* fails closed */
    cover_condition(e, limit->condition, applies);
    return applies;
}

/* The end of the quiet hours that hold `now`; RELANCE_NEVER: it is none of them. */
static int64_t quiet_end(struct relance_engine *e, const struct limit *limit)
{
    const struct zone *zone = customer_zone(e);
    int64_t today = local_day(zone, e->now_ms);
    for (int64_t day = today - 1; day <= today; day++) {
        int64_t begin_ms = local_instant(zone, day, limit->quiet_from);
        int64_t end_ms = local_instant(zone, day, limit->quiet_until);
        if (end_ms <= begin_ms) end_ms = local_instant(zone, day + 1, limit->quiet_until);
        if (begin_ms <= e->now_ms && e->now_ms < end_ms) return end_ms;
    }
    return RELANCE_NEVER;
}

/* The local days on which the calendar period of `day` begins, and the next one. */
static void period_days(enum limit_period period, int64_t day, int64_t *begin, int64_t *next)
{
    enum { THURSDAY = 3 }; /* 1970-01-01, counted from Monday */
    if (period == PERIOD_DAY) {
        *begin = day;
        *next = day + 1;
    } else if (period == PERIOD_WEEK) {
        int64_t weekday = ((day + THURSDAY) % 7 + 7) % 7;
        *begin = day - weekday;
        *next = *begin + 7;
    } else {
        int64_t year;
        unsigned month, dom;
        rfc3339_date(day, &year, &month, &dom);
        *begin = rfc3339_days(year, month, 1);
        *next = *begin + rfc3339_month_days(year, month);
    }
}

struct range {
    uint32_t begin, end;
};

static struct range sends_of(const struct state *state, uint32_t limit)
{
    const struct counted_send *sends = state->sends.items;
    struct range range = {0, 0};
    while (range.begin < state->sends.count && sends[range.begin].limit < limit)
        range.begin++;
    for (range.end = range.begin; range.end < state->sends.count && sends[range.end].limit == limit;)
        range.end++;
    return range;
}

/* Is the cap full? *room_ms is then the first instant at which there is room. */
static bool is_full(struct relance_engine *e, uint32_t number, int64_t *room_ms)
{
    const struct limit *limit = &e->set->limits[number];
    const struct state *state = e->customer->state;
    struct range range = sends_of(state, number);
    int64_t after_ms = e->now_ms - limit->window_ms, next = 0;
    const struct zone *zone = customer_zone(e);
    if (limit->period != PERIOD_ROLLING) {
        int64_t begin;
        period_days(limit->period, local_day(zone, e->now_ms), &begin, &next);
        after_ms = local_instant(zone, begin, 0) - 1;
    }
    const struct counted_send *sends = state->sends.items;
    while (range.begin < range.end && sends[range.begin].time_ms <= after_ms)
        range.begin++;
    uint32_t inside = range.end - range.begin;
    if (inside < limit->max) return false;
    bool rolling = limit->period == PERIOD_ROLLING;
    *room_ms =
        rolling ? sends[range.end - limit->max].time_ms + limit->window_ms : local_instant(zone, next, 0);
    return true;
}

struct verdict limits_check(struct relance_engine *e, str send)
{
    for (uint32_t i = 0; i < e->set->limit_count; i++) {
        const struct limit *limit = &e->set->limits[i];
        int64_t until_ms = RELANCE_NEVER;
        if (!limit_applies(e, limit, send)) continue;
        if (limit->quiet_from >= 0) {
            until_ms = quiet_end(e, limit);
            if (until_ms != RELANCE_NEVER) return (struct verdict){limit, until_ms};
        } else if (is_full(e, i, &until_ms)) {
            return (struct verdict){limit, limit->defer ? until_ms : RELANCE_NEVER};
        }
    }
    return (struct verdict){NULL, RELANCE_NEVER};
}

/* How long a send may count: a period is at most that long, wherever its zone moves it. */
static int64_t longest_ms(const struct limit *limit)
{
    static const int days[] = {[PERIOD_DAY] = 3, [PERIOD_WEEK] = 9, [PERIOD_MONTH] = 33};
    return limit->period == PERIOD_ROLLING ? limit->window_ms : days[limit->period] * 86400000LL;
}

/* Sends that count no more, and beyond the newest that can be asked for: all but `most`. */
static struct range drop_sends(struct relance_engine *e, const struct limit *limit, struct range range,
                               uint32_t most)
{
    struct vector *sends = &e->customer->state->sends;
    int64_t gone_ms = e->now_ms - longest_ms(limit);
    while (range.begin < range.end &&
           (range.end - range.begin > most ||
            VECTOR_AT(*sends, struct counted_send, range.begin)->time_ms <= gone_ms)) {
        vector_remove(sends, sizeof(struct counted_send), range.begin);
        range.end--;
    }
    return range;
}

void limits_count(struct relance_engine *e, str send)
{
    struct state *state = e->customer->state;
    for (uint32_t i = 0; i < e->set->limit_count; i++) {
        const struct limit *limit = &e->set->limits[i];
        if (limit->quiet_from >= 0 || !limit_applies(e, limit, send)) continue;
        struct range range = drop_sends(e, limit, sends_of(state, i), limit->max - 1);
        struct counted_send *place =
            or_fail(e, vector_insert(&e->customers.pool, &state->sends, sizeof *place, range.end));
        if (place) *place = (struct counted_send){i, e->now_ms};
    }
}
