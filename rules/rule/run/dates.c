/* Rules on dates: anniversaries and single dates (LANGUAGE.md §3.2 and §4.11).
 *
 * A date is an instant, or a local day, which is an instant in a zone only. Its trigger falls due with the earliest of the
 * steps that come before it, and runs that wait for such a step follow the date when it moves. For each such rule a
 * customer's state keeps when the trigger falls due, what that was computed from, and which date fired last. */
#include "rule/run/coverage.h"
#include "rule/run/explain.h"
#include "rule/run/runs.h"

#include "base/buffer.h"
#include "base/rfc3339.h"
#include "time/calendar.h"

#define DAY_MS 86400000

/* ---- what an expression means */

struct meant {
    enum { MEANT_NOTHING, MEANT_INSTANT, MEANT_DAY, MEANT_YEARLY } kind;
    int64_t ms;
    struct calendar_day day;
};

static struct meant meaning(const struct rule *rule, struct cel_value value)
{
    struct meant meant = {.kind = MEANT_NOTHING};
    if (value.kind == CEL_TIMESTAMP && rule->kind == ON_DATE)
        meant = (struct meant){.kind = MEANT_INSTANT, .ms = cel_timestamp_to_ms(value)};
    if (value.kind != CEL_STRING || !calendar_day_parse(cel_text(value), &meant.day)) return meant;
    if (rule->kind == ON_YEARLY)
        meant.kind = MEANT_YEARLY;
    else if (meant.day.year != CALENDAR_EVERY_YEAR)
        meant.kind = MEANT_DAY;
    return meant;
}

bool date_possible(const struct rule *rule, struct cel_value value)
{
    return value.kind != CEL_STRING || !value.size || meaning(rule, value).kind != MEANT_NOTHING;
}

const char *date_form(const struct rule *rule)
{
    return rule->kind == ON_YEARLY ? "YYYY-MM-DD, or MM-DD" : "YYYY-MM-DD";
}

struct date {
    int64_t ms;
    int64_t day; /* since 1970; STATE_NO_TIME: an instant */
};

static struct date local_date(struct relance_engine *e, int64_t day)
{
    return (struct date){local_instant(customer_zone(e), day, 0), day};
}

/* The day in a year: 29 February falls on the 28th where there is none. */
static struct date anniversary(struct relance_engine *e, const struct calendar_day *day, int64_t year)
{
    unsigned days = rfc3339_month_days(year, day->month);
    return local_date(e, rfc3339_days(year, day->month, day->day < days ? day->day : days));
}

/* Where anniversaries begin: last year's may be armed still. With a year, the first is one later. */
static int64_t first_year(struct relance_engine *e, const struct calendar_day *day)
{
    int64_t year;
    unsigned month, dom;
    rfc3339_date(local_day(customer_zone(e), e->now_ms), &year, &month, &dom);
    return day->year != CALENDAR_EVERY_YEAR && day->year >= year - 1 ? day->year + 1 : year - 1;
}

/* The dates that are meant, ascending, from n = 0 on; false: there are no more. */
static bool nth_date(struct relance_engine *e, const struct meant *meant, int n, struct date *out)
{
    enum { ANNIVERSARIES = 8, YEAR_MAX = 9999 };
    if (meant->kind == MEANT_YEARLY) {
        int64_t year = first_year(e, &meant->day) + n;
        if (n >= ANNIVERSARIES || year > YEAR_MAX) return false;
        *out = anniversary(e, &meant->day, year);
        return true;
    }
    if (n > 0 || meant->kind == MEANT_NOTHING) return false;
    if (meant->kind == MEANT_INSTANT)
        *out = (struct date){meant->ms, STATE_NO_TIME};
    else
        *out = local_date(e, rfc3339_days(meant->day.year, meant->day.month, meant->day.day));
    return true;
}

/* A date as `fired_ms` has it. */
static int64_t date_mark(struct date date)
{
    return date.day == STATE_NO_TIME ? date.ms : date.day * DAY_MS;
}

static struct trigger date_trigger(const struct rule *rule, struct date date, int64_t due_ms)
{
    return (struct trigger){.type = rule->kind == ON_YEARLY ? STR("yearly") : STR("date"),
                            .time_ms = due_ms,
                            .shown_ms = date.ms,
                            .day = date.day};
}

/* ---- steps before a date */

static int64_t time_before(struct relance_engine *e, struct date date, const struct timing *timing)
{
    const struct zone *zone = customer_zone(e);
    if (timing->at.minutes < 0) return date.ms - timing->ms;
    int64_t day = date.day == STATE_NO_TIME ? local_day(zone, date.ms) : date.day;
    return local_instant(zone, day - timing->days, timing->at.minutes);
}

/* When the first of them is due: that is when the trigger falls due. Without any, at the date. */
static int64_t earliest_step(struct relance_engine *e, const struct rule *rule, struct date date)
{
    int64_t earliest_ms = RELANCE_NEVER;
    for (size_t i = 0; i < rule->step_count; i++) {
        const struct timing *timing = &rule->steps[i].timing;
        int64_t ms = timing->before ? time_before(e, date, timing) : RELANCE_NEVER;
        if (ms < earliest_ms) earliest_ms = ms;
    }
    return earliest_ms == RELANCE_NEVER ? date.ms : earliest_ms;
}

/* The date of its newest trigger: a day in the customer's present zone. */
static struct date run_date(struct relance_engine *e, const struct run *run)
{
    if (run->day != STATE_NO_TIME) return local_date(e, run->day);
    return (struct date){kept_event_time(*run_newest_trigger(run)), STATE_NO_TIME};
}

int64_t date_step_time(struct relance_engine *e, const struct run *run, const struct timing *timing)
{
    return time_before(e, run_date(e, run), timing);
}

/* ---- runs follow their date */

/* `trigger.time` becomes the new date; when the trigger fell due, and whatever that decided, stays. */
static bool move_trigger(struct relance_engine *e, struct run *run, struct date date)
{
    struct kept_event **newest = run_newest_trigger(run), *moved;
    struct trigger present = e->trigger;
    e->trigger = date_trigger(e->rule, date, run->trigger_ms);
    moved = scope_keep_trigger(e, &e->rule->keeps);
    e->trigger = present;
    if (!moved) return false;
    kept_event_release(&e->customers.pool, *newest);
    *newest = moved;
    run->day = date.day;
    return true;
}

/* A step that does not move stays as it is, and so does one that has fallen due and was deferred, unless it comes later
 * now. */
static void move_run(struct relance_engine *e, struct run *run, struct date date)
{
    if (!move_trigger(e, run, date) || run_is_parked(run)) return;
    int64_t due_ms = time_before(e, date, &e->rule->steps[run->step].timing);
    bool deferred = run->due_ms != run->first_due_ms;
    if (due_ms == run->first_due_ms || (deferred && due_ms <= e->now_ms)) return;
    run_wait_before_date(e, run, due_ms, e->now_ms);
    explain_note_run(e, RELANCE_NOTE_MOVED, run);
}

static void end_run(struct relance_engine *e, struct run *run)
{
    struct relance_decision decision = {.outcome = RELANCE_OUTCOME_CANCELLED,
                                        .key = bytes_str(run->key),
                                        .by = STR("its date, which is gone")};
    engine_decide(e, &decision);
    run_remove(e, run);
}

/* The date that runs follow to when the expression has a new value. */
static bool coming_date(struct relance_engine *e, const struct meant *meant, struct date *out)
{
    for (int n = 0; nth_date(e, meant, n, out); n++)
        if (meant->kind != MEANT_YEARLY || out->ms >= e->now_ms) return true;
    return false;
}

/* The value is new, or only the zone. A run that performs a step meanwhile, which is known by its key, does not follow
 * what it sets itself. */
static void runs_follow(struct relance_engine *e, struct date_wait *wait, const struct meant *meant,
                        bool is_new, const struct bytes *performing)
{
    const struct rule *rule = &e->set->rules[wait->rule];
    struct run *run;
    struct date date;
    bool comes = rule->has_before && coming_date(e, meant, &date);
    for (uint32_t place = run_place(e->customer->state, wait->rule, (str){0});
         rule->has_before && (run = run_at(e->customer->state, place, wait->rule));) {
        bool ends = is_new && !comes;
        bool follows = run->key != performing && rule->steps[run->step].timing.before;
        place += !(follows && ends);
        if (!follows) continue;
        scope_enter_rule(e, rule, run);
        if (ends)
            end_run(e, run);
        else
            move_run(e, run, is_new ? date : run_date(e, run));
        if (is_new && comes) wait->fired_ms = date_mark(date);
    }
}

/* ---- when the trigger falls due */

/* Nor does a local day come that is not after the one that fired last. */
static bool has_fired(struct date date, const struct date_wait *wait)
{
    if (wait->fired_ms == STATE_NO_TIME) return false;
    return date.day == STATE_NO_TIME ? date.ms == wait->fired_ms : date_mark(date) <= wait->fired_ms;
}

/* One that is past when it becomes known does not come; one that is armed has been known before. */
static void arm(struct relance_engine *e, struct date_wait *wait, const struct meant *meant)
{
    const struct rule *rule = &e->set->rules[wait->rule];
    struct date_wait armed = *wait;
    struct date date;
    state_waits_changed(e->customer->state);
    wait->due_ms = RELANCE_NEVER;
    for (int n = 0; wait->due_ms == RELANCE_NEVER && nth_date(e, meant, n, &date); n++) {
        if (has_fired(date, wait)) continue;
        wait->date_ms = date.ms;
        wait->first_ms = earliest_step(e, rule, date);
        if (armed.date_ms == date.ms && armed.first_ms == wait->first_ms)
            wait->due_ms = armed.due_ms;
        else if (date.ms >= e->now_ms)
            wait->due_ms = wait->first_ms > e->now_ms ? wait->first_ms : e->now_ms;
    }
    if (wait->due_ms == RELANCE_NEVER) wait->date_ms = wait->first_ms = RELANCE_NEVER;
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
    if (date)
        *date = (struct date_wait){rule, RELANCE_NEVER, RELANCE_NEVER, RELANCE_NEVER, STATE_NO_TIME, NULL};
    return date;
}

/* Is there a value? An empty text is none. */
static bool is_given(struct cel_value value)
{
    return value.kind == CEL_TIMESTAMP || (value.kind == CEL_STRING && value.size);
}

/* What all is computed from, as text: the value, which may be none, and the zone, in which runs go on towards the date that
 * they have. */
static str date_basis(struct relance_engine *e, struct cel_value value)
{
    struct buffer text;
    buffer_init(&text, &e->scratch);
    if (is_given(value)) cel_print(value, &text);
    buffer_put_char(&text, '\0');
    buffer_put_str(&text, customer_zone_name(e));
    if (text.failed) e->failed = true;
    return buffer_str(&text);
}

/* The value in a basis: what stands in front of the zone. */
static str basis_value(str basis)
{
    size_t size = basis.size;
    while (size > 0 && basis.data[size - 1])
        size--;
    return (str){basis.data, size > 0 ? size - 1 : 0};
}

/* A birthday that never comes, since none can be: "31.02.1990". Told once for each value. */
static const char *no_such_day(struct relance_engine *e, const struct rule *rule, str text)
{
    enum { SHOWN_MAX = 40 };
    return arena_format(&e->scratch, "there is no day '%.*s': it is %s",
                        (int)(text.size < SHOWN_MAX ? text.size : SHOWN_MAX), text.data, date_form(rule))
        .data;
}

static void date_update(struct relance_engine *e, uint32_t number, const struct bytes *performing)
{
    const struct rule *rule = &e->set->rules[number];
    scope_enter_rule(e, rule, NULL);
    struct cel_value value = engine_evaluate(e, rule->date);
    struct date_wait *date = NULL;
    VECTOR_EACH (e->customer->state->dates, struct date_wait, known)
        if (known->rule == number) date = known;
    if (!date && !is_given(value)) return;
    str basis = date_basis(e, value);
    if (date && str_equal(bytes_str(date->basis), basis)) return;
    if (!date) date = date_place(e, number);
    if (!date) return;
    bool is_new = !str_equal(basis_value(bytes_str(date->basis)), basis_value(basis));
    bytes_release(&e->customers.pool, date->basis);
    date->basis = or_fail(e, bytes_new(&e->customers.pool, basis));
    if (is_new && !date_possible(rule, value)) engine_report_error(e, no_such_day(e, rule, cel_text(value)));
    struct meant meant = meaning(rule, value);
    runs_follow(e, date, &meant, is_new, performing);
    arm(e, date, &meant);
}

/* Rules that are on no date any more, since other rules are in force: theirs does not come. */
static void drop_undated(struct relance_engine *e)
{
    struct state *state = e->customer->state;
    for (uint32_t i = state->dates.count; i-- > 0;)
        if (!rule_is_dated(&e->set->rules[VECTOR_AT(state->dates, struct date_wait, i)->rule])) {
            state_waits_changed(state);
            state_item_remove(&e->customers.pool, state, STATE_DATES, i);
        }
}

/* Dates depend on attributes and events of `last`, and on no instant. One that fails is asked again, since it says so each
 * time. */
void dates_update(struct relance_engine *e)
{
    const struct bytes *performing = e->run ? e->run->key : NULL;
    struct state_found *found = &e->customer->state->found;
    uint64_t errors = e->errors;
    bool any = false;
    if (found->dates && !covering(e)) {
        scope_forget(e);
        scope_enter_rule(e, NULL, NULL);
        return;
    }
    drop_undated(e);
    found->dates = true; /* unless what follows changes something */
    for (size_t i = 0; i < e->set->dated.count; i++) {
        uint32_t rule = e->set->dated.types[i];
        if (!engine_runs_rule(e, rule)) continue;
        any = true;
        date_update(e, rule, performing);
    }
    if (!any || e->errors != errors) found->dates = false;
    scope_enter_rule(e, NULL, NULL);
}

int64_t dates_next_due(const struct state *state)
{
    int64_t due_ms = RELANCE_NEVER;
    VECTOR_EACH (state->dates, struct date_wait, date)
        if (date->due_ms < due_ms) due_ms = date->due_ms;
    return due_ms;
}

/* The one that is armed. Which day it is does not follow from the instant where a zone leaves out a whole one. */
static struct date armed_date(struct relance_engine *e, const struct meant *meant,
                              const struct date_wait *wait)
{
    struct date date;
    for (int n = 0; nth_date(e, meant, n, &date); n++)
        if (date.ms == wait->date_ms && !has_fired(date, wait)) return date;
    return (struct date){wait->date_ms, local_day(customer_zone(e), wait->date_ms)};
}

/* The trigger itself; what comes after it is known before, since what it sets off may ask again. */
void date_fall_due(struct relance_engine *e, struct date_wait *wait, int64_t horizon_ms)
{
    uint32_t number = wait->rule;
    const struct rule *rule = &e->set->rules[number];
    scope_enter_rule(e, rule, NULL);
    struct meant meant = meaning(rule, engine_evaluate(e, rule->date));
    struct date date = armed_date(e, &meant, wait);
    e->trigger = date_trigger(rule, date, wait->due_ms);
    wait->fired_ms = date_mark(date);
    arm(e, wait, &meant);
    trigger_rule(e, number, horizon_ms);
}
