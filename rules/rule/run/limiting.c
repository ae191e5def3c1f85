/* Limits over all rules: quiet hours, in which a send waits, caps, which drop it or make it wait, gates, which block it,
 * and groups for which it is held (LANGUAGE.md §3.5). Sends are kept for each cap that they passed: the newest N, which
 * is all that it can ask for. */
#include "rule/run/coverage.h"

#include "base/rfc3339.h"

#define DAY_MS 86400000LL

/* A limit that fails is closed; a group that fails is nobody's. */
static bool limit_applies(struct relance_engine *e, const struct limit *limit, str send)
{
    const struct relance_excerpt *excerpt = e->options.excerpt;
    if (excerpt && excerpt->limits && excerpt->limits != limit->point.source) return false;
    if (limit->send.size && !str_equal(limit->send, send)) return false;
    if (!limit->condition) return true;
    struct cel_value value = engine_evaluate(e, limit->condition->program);
    bool applies = value.kind == CEL_BOOL ? value.as.b : limit->kind != HOLD_OUT;
    cover_condition(e, limit->condition, applies);
    return applies;
}

static bool is_holiday(const struct relance_ruleset *set, int64_t day)
{
    int64_t year;
    unsigned month, dom;
    rfc3339_date(day, &year, &month, &dom);
    for (size_t i = 0; i < set->holiday_count; i++) {
        const struct calendar_day *holiday = &set->holidays[i];
        bool this_year = holiday->year == CALENDAR_EVERY_YEAR || holiday->year == year;
        if (this_year && holiday->month == month && holiday->day == dom) return true;
    }
    return false;
}

/* The end of the quiet hours that hold `now`, of those that began on the earliest day; RELANCE_NEVER: it is none of them.
 * Where clocks are put back over midnight, or forward over a day, hours that hold now may have begun on the day after
 * today, or on the one before yesterday; and those that a change leaves without an end before their beginning are none. */
static int64_t quiet_end(struct relance_engine *e, const struct limit *limit)
{
    const struct zone *zone = customer_zone(e);
    int64_t today = local_day(zone, e->now_ms), overnight = limit->quiet_until <= limit->quiet_from;
    for (int64_t day = today - 2; day <= today + 1; day++) {
        bool begins =
            limit->kind == QUIET_HOLIDAYS ? is_holiday(e->set, day) : weekdays_have(limit->quiet_days, day);
        if (!begins || local_instant(zone, day, limit->quiet_from) > e->now_ms) continue;
        int64_t end_ms = local_instant(zone, day + overnight, limit->quiet_until);
        if (e->now_ms < end_ms) return end_ms;
    }
    return RELANCE_NEVER;
}

/* The local days on which the calendar period of `day` begins, and the next one. */
static void period_days(enum limit_period period, int64_t day, int64_t *begin, int64_t *next)
{
    if (period == PERIOD_DAY) {
        *begin = day;
        *next = day + 1;
    } else if (period == PERIOD_WEEK) {
        *begin = day - weekday_of(day);
        *next = *begin + 7;
    } else {
        int64_t year;
        unsigned month, dom;
        rfc3339_date(day, &year, &month, &dom);
        *begin = rfc3339_days(year, month, 1);
        *next = *begin + rfc3339_month_days(year, month);
    }
}

/* When a local day after today's begins. Where clocks are put back over midnight it does so twice, and now may lie in
 * between. */
static int64_t day_to_come(const struct zone *zone, int64_t day, int64_t now_ms)
{
    int64_t first_ms = local_instant(zone, day, 0);
    if (first_ms > now_ms) return first_ms;
    return day * DAY_MS - zone_offset(zone, floor_div(now_ms, 1000)) * 1000LL;
}

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
    *room_ms = rolling ? sends[range.end - limit->max].time_ms + limit->window_ms
                       : day_to_come(zone, next, e->now_ms);
    return true;
}

/* Does it stand against a send that it concerns? *until_ms is when the send may be tried again. */
static bool limit_blocks(struct relance_engine *e, uint32_t number, int64_t *until_ms)
{
    const struct limit *limit = &e->set->limits[number];
    *until_ms = RELANCE_NEVER;
    switch (limit->kind) {
    case QUIET_HOURS:
    case QUIET_HOLIDAYS: *until_ms = quiet_end(e, limit); return *until_ms != RELANCE_NEVER;
    case CAP:
        if (!is_full(e, number, until_ms)) return false;
        if (!limit->defer) *until_ms = RELANCE_NEVER;
        return true;
    case GATE: return true;
    case HOLD_OUT: return false;
    }
    return false;
}

struct verdict limits_check(struct relance_engine *e, str send)
{
    struct verdict verdict = {NULL, RELANCE_NEVER, NULL};
    for (uint32_t i = 0; i < e->set->limit_count && !verdict.limit; i++) {
        const struct limit *limit = &e->set->limits[i];
        if ((limit->kind == HOLD_OUT && verdict.hold) || !limit_applies(e, limit, send)) continue;
        if (limit->kind == HOLD_OUT)
            verdict.hold = limit;
        else if (limit_blocks(e, i, &verdict.until_ms))
            verdict.limit = limit;
    }
    return verdict;
}

/* How long a send may count: a period is at most that long, wherever its zone moves it. */
static int64_t longest_ms(const struct limit *limit)
{
    static const int days[] = {[PERIOD_DAY] = 3, [PERIOD_WEEK] = 9, [PERIOD_MONTH] = 33};
    return limit->period == PERIOD_ROLLING ? limit->window_ms : days[limit->period] * DAY_MS;
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

void limits_trim(struct relance_engine *e, uint32_t limit)
{
    drop_sends(e, &e->set->limits[limit], sends_of(e->customer->state, limit), e->set->limits[limit].max);
}

void limits_count(struct relance_engine *e, str send)
{
    struct state *state = e->customer->state;
    for (uint32_t i = 0; i < e->set->limit_count; i++) {
        const struct limit *limit = &e->set->limits[i];
        if (limit->kind != CAP || !limit_applies(e, limit, send)) continue;
        struct range range = drop_sends(e, limit, sends_of(state, i), limit->max - 1);
        struct counted_send *place =
            or_fail(e, vector_insert(&e->customers.pool, &state->sends, sizeof *place, range.end));
        if (place) *place = (struct counted_send){i, e->now_ms};
    }
}
