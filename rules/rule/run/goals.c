/* Goals: a send opens a window; an event inside it is a success, recorded once (LANGUAGE.md §4.9). */
#include "rule/run/bound.h"
#include "rule/run/coverage.h"
#include "rule/run/explain.h"

#include <math.h>

static void window_remove(struct relance_engine *e, uint32_t at)
{
    state_item_remove(&e->customers.pool, e->customer->state, STATE_GOALS, at);
}

/* Windows that the clock has passed are closed: by the customer's events, and before one has to go for another. Not by
 * each wait, since a tick ends waits without moving the clock: what a state holds, and so what it has room for, is
 * not to depend on which of the two came first. */
static void close_passed(struct relance_engine *e)
{
    struct vector *goals = &e->customer->state->goals;
    for (uint32_t i = goals->count; i-- > 0;)
        if (VECTOR_AT(*goals, struct goal_window, i)->closes_ms < e->clock_ms) window_remove(e, i);
}

void goal_open(struct relance_engine *e, const struct run *run)
{
    struct vector *goals = &e->customer->state->goals;
    struct pool *pool = &e->customers.pool;
    if (!e->rule->goal.on.count) return;
    for (uint32_t i = goals->count; i-- > 0;) {
        struct goal_window *window = VECTOR_AT(*goals, struct goal_window, i);
        if (window->rule == run->rule && str_equal(bytes_str(window->key), bytes_str(run->key)))
            window_remove(e, i);
    }
    if (goals->count >= LIMIT_GOALS) close_passed(e);
    if (goals->count >= LIMIT_GOALS) {
        window_remove(e, 0);
        bound_count(e, RELANCE_FORGOT_GOAL_WINDOWS, 1);
    }
    struct goal_window window = {run->rule, e->now_ms, e->now_ms + e->rule->goal.within_ms,
                                 or_fail(e, bytes_new(pool, bytes_str(run->key))), NULL};
    if (run->variant) window.variant = or_fail(e, bytes_new(pool, bytes_str(run->variant)));
    struct goal_window *place = or_fail(e, vector_insert(pool, goals, sizeof window, goals->count));
    if (place) *place = window;
}

static double goal_value(struct relance_engine *e, const struct goal *goal)
{
    if (!goal->value) return 1.0;
    struct cel_value value = engine_evaluate(e, goal->value);
    switch (value.kind) {
    case CEL_INT: return (double)value.as.i;
    case CEL_UINT: return (double)value.as.u;
    case CEL_DOUBLE: break;
    default: return 0;
    }
    if (isfinite(value.as.d)) return value.as.d;
    engine_report_error(e, "a goal's value is NaN or infinite");
    return 0;
}

static void reach(struct relance_engine *e, const struct goal_window *window)
{
    struct relance_decision decision = {.outcome = RELANCE_OUTCOME_GOAL,
                                        .key = bytes_str(window->key),
                                        .variant = bytes_str(window->variant),
                                        .value = goal_value(e, &e->rule->goal),
                                        .due_ms = e->now_ms,
                                        .priority = e->rule->priority};
    decision.trigger_id = e->event.id;
    decision.trigger_type = e->event.type_name;
    decision.trigger_time_ms = e->event.time_ms;
    cover(e, e->rule->goal.point);
    engine_decide(e, &decision);
}

static bool window_holds(const struct goal_window *window, uint32_t rule, int64_t time_ms)
{
    return window->rule == rule && window->opened_ms <= time_ms && time_ms <= window->closes_ms;
}

/* With `key`: every window of one of the keys, in the order of keys. */
static void reach_keys(struct relance_engine *e, uint32_t rule, struct texts keys)
{
    struct vector *goals = &e->customer->state->goals;
    for (;;) {
        struct goal_window *next = NULL;
        uint32_t at = 0;
        for (uint32_t i = 0; i < goals->count; i++) {
            struct goal_window *window = VECTOR_AT(*goals, struct goal_window, i);
            if (!window_holds(window, rule, e->event.time_ms) || !texts_have(keys, bytes_str(window->key)))
                continue;
            if (next && str_compare(bytes_str(next->key), bytes_str(window->key)) < 0) continue;
            next = window;
            at = i;
        }
        if (!next) return;
        reach(e, next);
        window_remove(e, at);
    }
}

/* Without: the one opened last is reached, and all windows of the rule close, so that money counts once. */
static void reach_last(struct relance_engine *e, uint32_t rule)
{
    struct vector *goals = &e->customer->state->goals;
    const struct goal_window *last = NULL;
    VECTOR_EACH (*goals, struct goal_window, window)
        if (window_holds(window, rule, e->event.time_ms)) last = window;
    if (!last) return;
    reach(e, last);
    for (uint32_t i = goals->count; i-- > 0;)
        if (VECTOR_AT(*goals, struct goal_window, i)->rule == rule) window_remove(e, i);
}

static bool has_window(const struct relance_engine *e, uint32_t rule)
{
    VECTOR_EACH (e->customer->state->goals, struct goal_window, window)
        if (window_holds(window, rule, e->event.time_ms)) return true;
    return false;
}

void goals_reach(struct relance_engine *e, const struct typed_event *type)
{
    if (!e->customer->state->goals.count) return;
    close_passed(e);
    for (size_t i = 0; i < type->goals.count; i++) {
        uint32_t number = type->goals.types[i];
        const struct rule *rule = &e->set->rules[number];
        struct texts keys = {0};
        scope_enter_rule(e, rule, NULL);
        bool open = e->explaining && has_window(e, number);
        uint32_t before = e->customer->state->goals.count;
        if (!(open ? condition_holds_or_note(e, rule->goal.condition, RELANCE_NOTE_GOAL_IF, (str){0})
                   : condition_holds(e, rule->goal.condition)))
            continue;
        if (!rule->goal.key)
            reach_last(e, number);
        else if (engine_evaluate_texts(e, rule->goal.key, &keys))
            reach_keys(e, number, keys);
        if (open && e->customer->state->goals.count == before)
            explain_note_keys(e, RELANCE_NOTE_GOAL_KEY, (str){0}, keys);
    }
}
