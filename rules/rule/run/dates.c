/* Rules on dates: anniversaries and single instants (LANGUAGE.md §3.2 and §4.11). For each such rule a customer's state
 * keeps when it is due next, what that was computed from, and what fired last. */
#include "rule/run/runs.h"

#include "base/buffer.h"
#include "base/rfc3339.h"

/* An instant that now has passed when it becomes known does not fire; one that is armed has been known before. */

/* ---- yearly: "YYYY-MM-DD" or "MM-DD" */

struct day_of_year {
    int64_t year; /* anniversaries are after it; INT64_MIN: all years */
    unsigned month, day;
};

static bool parse_digits(str text, size_t at, size_t count, unsigned *out)
{
    *out = 0;
    for (size_t i = at; i < at + count; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') return false;
        *out = *out * 10 + (unsigned)(text.data[i] - '0');
    }
    return true;
}

/* False: an impossible date, which never comes. */
static bool parse_day(str text, struct day_of_year *out)
{
    static const int64_t leap_year = 2000;
    unsigned year = 0;
    bool full = text.size == 10;
    size_t at = full ? 5 : 0;
    if ((!full && text.size != 5) || text.data[at + 2] != '-' || (full && text.data[4] != '-')) return false;
    if (full && !parse_digits(text, 0, 4, &year)) return false;
    if (!parse_digits(text, at, 2, &out->month) || !parse_digits(text, at + 3, 2, &out->day)) return false;
    out->year = full ? (int64_t)year : INT64_MIN;
    if (out->month < 1 || out->month > 12 || out->day < 1) return false;
    return out->day <= rfc3339_month_days(full ? out->year : leap_year, out->month);
}

bool yearly_possible(str text)
{
    struct day_of_year day;
    return parse_day(text, &day);
}

/* The local day of the anniversary in a year: 29 February falls on the 28th where there is none. */
static int64_t anniversary(const struct day_of_year *day, int64_t year)
{
    unsigned days = rfc3339_month_days(year, day->month);
    return rfc3339_days(year, day->month, day->day < days ? day->day : days);
}

static int64_t next_yearly(struct relance_engine *e, str text, const struct date_wait *date)
{
    struct day_of_year day;
    const struct zone *zone = customer_zone(e);
    int64_t year;
    unsigned month, dom;
    if (!parse_day(text, &day)) return RELANCE_NEVER;
    rfc3339_date(local_day(zone, e->now_ms), &year, &month, &dom);
    if (day.year != INT64_MIN && year <= day.year) year = day.year + 1;
    for (int64_t last = year + 8; year <= last && year <= 9999; year++) {
        int64_t local = anniversary(&day, year), due_ms = local_instant(zone, local, 0);
        bool late = due_ms < e->now_ms && due_ms != date->due_ms;
        if (!late && (date->fired == STATE_NO_TIME || local > date->fired)) return due_ms;
    }
    return RELANCE_NEVER;
}

static int64_t next_date(struct relance_engine *e, const struct rule *rule, int64_t date_ms,
                         const struct date_wait *date)
{
    if (date_ms == date->fired) return RELANCE_NEVER;
    int64_t due_ms = rule->is_early ? step_wait_end(e, &rule->early, date_ms, true) : date_ms;
    if (due_ms == date->due_ms) return due_ms;
    if (date_ms < e->now_ms) return RELANCE_NEVER;
    return due_ms < e->now_ms ? e->now_ms : due_ms; /* at once if the earlier instant is past */
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
    bool local = rule->kind == ON_YEARLY || (rule->is_early && rule->early.at_minutes >= 0);
    if (local && text.size) {
        buffer_put_char(&text, '\0');
        buffer_put_str(&text, customer_zone_name(e));
    }
    if (text.failed) e->failed = true;
    return buffer_str(&text);
}

/* A birthday that never comes, since none can be: "31.02.1990". Told once for each value. */
static const char *no_such_day(struct relance_engine *e, str text)
{
    enum { SHOWN_MAX = 40 };
    return arena_format(&e->scratch, "there is no day '%.*s': it is YYYY-MM-DD, or MM-DD",
                        (int)(text.size < SHOWN_MAX ? text.size : SHOWN_MAX), text.data)
        .data;
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
    if (value.kind == CEL_STRING && rule->kind == ON_YEARLY && value.size &&
        !yearly_possible(cel_text(value)))
        engine_report_error(e, no_such_day(e, cel_text(value)));
    if (value.kind == CEL_STRING && rule->kind == ON_YEARLY)
        date->due_ms = next_yearly(e, cel_text(value), date);
    else if (value.kind == CEL_TIMESTAMP && rule->kind == ON_DATE)
        date->due_ms = next_date(e, rule, cel_timestamp_to_ms(value), date);
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
    e->trigger = (struct trigger){.type = yearly ? STR("yearly") : STR("date"), .time_ms = due_ms};
    trigger_rule(e, number, horizon_ms);
}
