/* Goals: a send opens a window; an event inside it is a success, recorded once (LANGUAGE.md §4.9). */
#include "rule/run/bound.h"
#include "rule/run/coverage.h"
#include "rule/run/explain.h"
#include "rule/run/runs.h"

#include <math.h>
#include <stdlib.h>

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
    if (place)
        *place = window;
    else
        state_item_release(pool, STATE_GOALS, &window);
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

/* What a window has kept of its run, for the expressions of a goal. */
static struct run window_run(const struct goal_window *window)
{
    return (struct run){.rule = window->rule, .key = window->key, .variant = window->variant};
}

static void reach(struct relance_engine *e, const struct goal_window *window)
{
    const struct rule *rule = &e->set->rules[window->rule];
    struct run run = window_run(window);
    scope_enter_rule(e, rule, &run);
    struct relance_decision decision = {.outcome = RELANCE_OUTCOME_GOAL,
                                        .key = bytes_str(window->key),
                                        .variant = bytes_str(window->variant),
                                        .value = goal_value(e, &rule->goal),
                                        .due_ms = e->now_ms,
                                        .priority = rule->priority};
    decision.trigger_id = e->event.id;
    decision.trigger_type = e->event.type_name;
    decision.trigger_time_ms = e->event.time_ms;
    decision.traceparent = engine_traceparent(e);
    measure_goal(e, window->rule, &decision);
    cover(e, rule->goal.point);
    engine_decide(e, &decision);
    scope_enter_rule(e, rule, NULL);
}

/* Is `if` true of a window? */
static bool if_holds(struct relance_engine *e, const struct rule *rule, const struct goal_window *window)
{
    struct run run = window_run(window);
    scope_enter_rule(e, rule, &run);
    bool holds =
        condition_holds_or_note(e, rule->goal.condition, RELANCE_NOTE_GOAL_IF, bytes_str(window->key));
    scope_enter_rule(e, rule, NULL);
    return holds;
}

/* Windows, in the order of opening. */
struct windows {
    const struct goal_window **list;
    size_t count;
};

static void windows_add(struct windows *windows, const struct goal_window *window)
{
    windows->list[windows->count++] = window;
}

/* Windows of a rule in which the event lies, and those of them that have one of its keys. False: it has none. */
static bool with_keys(struct relance_engine *e, const struct rule *rule, struct windows *windows)
{
    struct texts keys;
    size_t count = 0;
    if (!rule->goal.key) return true;
    if (!engine_evaluate_texts(e, rule->goal.key, &keys)) return false;
    for (size_t i = 0; i < windows->count; i++)
        if (texts_have(keys, bytes_str(windows->list[i]->key))) windows->list[count++] = windows->list[i];
    if (!count) explain_note_keys(e, RELANCE_NOTE_GOAL_KEY, (str){0}, keys);
    windows->count = count;
    return true;
}

/* The windows of a rule that the event may reach. */
static struct windows candidates_of(struct relance_engine *e, uint32_t number)
{
    const struct rule *rule = &e->set->rules[number];
    const struct vector *goals = &e->customer->state->goals;
    struct windows open = {or_fail(e, arena_alloc(&e->scratch, (goals->count + 1) * sizeof *open.list)), 0};
    if (!open.list) return open;
    VECTOR_EACH (*goals, struct goal_window, window)
        if (window->rule == number && window->opened_ms <= e->event.time_ms &&
            e->event.time_ms <= window->closes_ms)
            windows_add(&open, window);
    if (!open.count) return open;
    scope_enter_rule(e, rule, NULL);
    if (!with_keys(e, rule, &open)) return (struct windows){0};
    struct windows reached = {open.list, 0};
    for (size_t i = 0; i < open.count; i++)
        if (if_holds(e, rule, open.list[i])) windows_add(&reached, open.list[i]);
    return reached;
}

static int key_order(const void *a, const void *b)
{
    const struct goal_window *const *x = a, *const *y = b;
    return str_compare(bytes_str((*x)->key), bytes_str((*y)->key));
}

/* Closes what has been reached; of a rule whose goal has no key all windows, so that money is counted once. */
static void close_reached(struct relance_engine *e, struct windows reached)
{
    struct vector *goals = &e->customer->state->goals;
    bool *closed = or_fail(e, arena_alloc_zero(&e->scratch, goals->count + 1));
    if (!closed) return;
    for (uint32_t i = 0; i < goals->count; i++)
        for (size_t n = 0; n < reached.count && !closed[i]; n++) {
            const struct goal_window *window = VECTOR_AT(*goals, struct goal_window, i);
            bool keyed = e->set->rules[window->rule].goal.key;
            closed[i] = window == reached.list[n] || (!keyed && window->rule == reached.list[n]->rule);
        }
    for (uint32_t i = goals->count; i-- > 0;)
        if (closed[i]) window_remove(e, i);
}

static void reach_all(struct relance_engine *e, struct windows reached)
{
    for (size_t i = 0; i < reached.count; i++)
        reach(e, reached.list[i]);
    close_reached(e, reached);
}

/* The one that was opened last: without a key only that is reached. */
static struct windows last_of(struct windows windows)
{
    return windows.count < 2 ? windows : (struct windows){windows.list + windows.count - 1, 1};
}

/* Every rule that the event reaches is credited: with a key each window that has it, in the order of keys. */
static void credit_each(struct relance_engine *e, const struct type_list *rules)
{
    for (size_t i = 0; i < rules->count; i++) {
        struct windows reached = candidates_of(e, rules->types[i]);
        if (!reached.count) continue;
        if (e->set->rules[rules->types[i]].goal.key)
            qsort(reached.list, reached.count, sizeof *reached.list, key_order);
        else
            reached = last_of(reached);
        reach_all(e, reached);
    }
}

/* One window is, over all rules: the one that was opened last; of those opened at the same time that of the rule that
 * goes first. The others stay open. */
static void credit_last(struct relance_engine *e, const struct type_list *rules)
{
    struct windows last = {0};
    for (size_t i = 0; i < rules->count; i++) {
        struct windows reached = last_of(candidates_of(e, rules->types[i]));
        if (!reached.count) continue;
        if (!last.count || reached.list[0]->opened_ms > last.list[0]->opened_ms) last = reached;
    }
    if (last.count) reach_all(e, last);
}

void goals_reach(struct relance_engine *e, const struct typed_event *type)
{
    if (!e->customer->state->goals.count) return;
    close_passed(e);
    (e->set->credit_last ? credit_last : credit_each)(e, &type->goals);
}
