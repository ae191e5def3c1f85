/* Rules on dates: anniversaries and single instants (LANGUAGE.md §3.2 and §4.11). For each such rule a customer's state
 * keeps when it is due next, what that was computed from, and what fired last. */
#include "rule/run/runs.h"

#include "base/buffer.h"
#include "base/rfc3339.h"
#include "time/calendar.h"

/* An instant that now has passed when it becomes known does not fire; one that is armed has been known before. */

/* ---- yearly: "YYYY-MM-DD" or "MM-DD" */

bool yearly_possible(str text)
{
    struct calendar_day day;
    return calendar_day_parse(text, &day);
}

/* The local day of the anniversary in a year: 29 February falls on the 28th where there is none. */
static int64_t anniversary(const struct calendar_day *day, int64_t year)
{
    unsigned days = rfc3339_month_days(year, day->month);
    return rfc3339_days(year, day->month, day->day < days ? day->day : days);
}

static int64_t next_yearly(struct relance_engine *e, str text, const struct date_wait *date)
{
    struct calendar_day day;
    const struct zone *zone = customer_zone(e);
    int64_t year;
    unsigned month, dom;
    if (!calendar_day_parse(text, &day)) return RELANCE_NEVER;
    rfc3339_date(local_day(zone, e->now_ms), &year, &month, &dom);
    if (day.year != CALENDAR_EVERY_YEAR && year <= day.year) year = day.year + 1;
    for (int64_t last = year + 8; year <= last && year <= 9999; year++) {
        int64_t local = anniversary(&day, year), due_ms = local_instant(zone, local, 0);
        bool late = due_ms < e->now_ms && due_ms != date->due_ms;
        if (!late && (date->fired == STATE_NO_TIME || local > date->fired)) return due_ms;
    }
    return RELANCE_NEVER;
}

static int64_t next_date(struct relance_engine *e, int64_t date_ms, const struct date_wait *date)
{
    if (date_ms == date->fired) return RELANCE_NEVER;
    return date_ms == date->due_ms || date_ms >= e->now_ms ? date_ms : RELANCE_NEVER;
}

int64_t date_step_time(struct relance_engine *e, const struct run *run, const struct timing *timing)
{
    const struct zone *zone = customer_zone(e);
    const struct kept_event *newest = *VECTOR_AT(run->triggers, struct kept_event *, run->triggers.count - 1);
    int64_t date_ms = run->day == STATE_NO_TIME ? kept_event_time(newest) : local_instant(zone, run->day, 0);
    if (timing->at.minutes < 0) return date_ms - timing->ms;
    int64_t day = run->day == STATE_NO_TIME ? local_day(zone, date_ms) : run->day;
    return local_instant(zone, day - timing->days, timing->at.minutes);
}

/* ---- keeping up */

static struct date_wait *date_place(struct relance_engine *e, uint32_t rule)
{
    struct vector *dates = &e->customer->state->dates;
    uint32_t at = 0;
    while (at < dates->count && VECTOR_AT(*dates, struct date_wait, at)->rule < rule)
        at++;
    if (at < dates->count && VECTOR_AT(*dates, struct date_wait, at)->rule == rule)
        return VECTOR_AT(*dates, struct date_wait, at);
    struct date_wait *date = or_fail(e, vector_insert(&e->customers.pool, dates, sizeof *date, at));
    if (date) *date = (struct date_wait){rule, RELANCE_NEVER, STATE_NO_TIME, NULL};
    return date;
}

/* What the next instant is computed from, as text: the value, and the zone where a local time is meant. */
static str date_basis(struct relance_engine *e, const struct rule *rule, struct cel_value value)
{
    struct buffer text;
    buffer_init(&text, &e->scratch);
    if (value.kind == CEL_STRING || value.kind == CEL_TIMESTAMP) cel_print(value, &text);
    bool local = rule->kind == ON_YEARLY;
    if (local && text.size) {
        buffer_put_char(&text, '\0');
        buffer_put_str(&text, customer_zone_name(e));
    }
    if (text.failed) e->failed = true;
    return buffer_str(&text);
}

static void date_update(struct relance_engine *e, uint32_t number)
{
    const struct rule *rule = &e->set->rules[number];
    scope_enter_rule(e, rule, NULL);
    struct cel_value value = engine_evaluate(e, rule->date);
    str basis = date_basis(e, rule, value);
    struct date_wait *date = NULL;
    VECTOR_EACH (e->customer->state->dates, struct date_wait, known)
        if (known->rule == number) date = known;
    if (date ? str_equal(bytes_str(date->basis), basis) : basis.size == 0) return;
    if (!date) date = date_place(e, number);
    if (!date) return;
    bytes_release(&e->customers.pool, date->basis);
    date->basis = or_fail(e, bytes_new(&e->customers.pool, basis));
    if (value.kind == CEL_STRING && rule->kind == ON_YEARLY)
        date->due_ms = next_yearly(e, cel_text(value), date);
    else if (value.kind == CEL_TIMESTAMP && rule->kind == ON_DATE)
        date->due_ms = next_date(e, cel_timestamp_to_ms(value), date);
    else
        date->due_ms = RELANCE_NEVER;
}

void dates_update(struct relance_engine *e)
{
    for (size_t i = 0; i < e->set->dated.count; i++) {
        uint32_t rule = e->set->dated.types[i];
        if (e->only == NAME_NONE || e->only == rule) date_update(e, rule);
    }
}

int64_t dates_next_due(const struct state *state)
{
    int64_t due_ms = RELANCE_NEVER;
    VECTOR_EACH (state->dates, struct date_wait, date)
        if (date->due_ms < due_ms) due_ms = date->due_ms;
    return due_ms;
}

/* The trigger itself; what comes after it is known before, since what it sets off may ask again. */
void date_fall_due(struct relance_engine *e, struct date_wait *date, int64_t horizon_ms)
{
    uint32_t number = date->rule;
    const struct rule *rule = &e->set->rules[number];
    int64_t due_ms = date->due_ms;
    bool yearly = rule->kind == ON_YEARLY;
    scope_enter_rule(e, rule, NULL);
    struct cel_value value = engine_evaluate(e, rule->date);
    date->fired = yearly                        ? local_day(customer_zone(e), due_ms)
                  : value.kind == CEL_TIMESTAMP ? cel_timestamp_to_ms(value)
                                                : due_ms;
    date->due_ms = yearly && value.kind == CEL_STRING ? next_yearly(e, cel_text(value), date) : RELANCE_NEVER;
    e->trigger = (struct trigger){.type = yearly ? STR("yearly") : STR("date"),
                                  .time_ms = due_ms,
                                  .shown_ms = due_ms,
                                  .day = yearly ? date->fired : STATE_NO_TIME};
    trigger_rule(e, number, horizon_ms);
}
