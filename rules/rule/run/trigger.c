/* Triggers: what starts, rearms and restarts runs (LANGUAGE.md §4.5). */
#include "rule/run/bound.h"
#include "rule/run/coverage.h"
#include "rule/run/explain.h"
#include "rule/run/runs.h"

#include <inttypes.h>
#include <xxhash.h>

/* What triggers is kept at that place among the run's triggers; of too many the oldest goes. */
static bool keep_trigger(struct relance_engine *e, struct run *run, uint32_t at)
{
    struct pool *pool = &e->customers.pool;
    bool full = run->triggers.count && run->triggers.count >= e->rule->trigger_count;
    if (full)
        __builtin_prefetch(*VECTOR_AT(run->triggers, struct kept_event *, 0), 1); /* which is about to go */
    struct kept_event *event = scope_keep_trigger(e, &e->rule->keeps);
    struct kept_event **place =
        event ? or_fail(e, vector_insert(pool, &run->triggers, sizeof *place, at)) : NULL;
    if (!place) {
        kept_event_release(pool, event);
        return false;
    }
    *place = event;
    while (run->triggers.count > e->rule->trigger_count) {
        kept_event_release(pool, *VECTOR_AT(run->triggers, struct kept_event *, 0));
        vector_remove(&run->triggers, sizeof event, 0);
    }
    return true;
}

/* Of a rule that keeps the newest trigger alone: the time of another, at its place; of too many the oldest goes. */
static bool keep_time(struct relance_engine *e, struct run *run, uint32_t at, int64_t time_ms)
{
    int64_t *place = or_fail(e, vector_insert(&e->customers.pool, &run->earlier, sizeof *place, at));
    if (place) *place = time_ms;
    if (run->earlier.count >= LIMIT_TRIGGERS) vector_remove(&run->earlier, sizeof *place, 0);
    return place;
}

/* Of the record that triggers, if it is one. */
static bool take_traceparent(struct relance_engine *e, struct run *run)
{
    str traceparent = e->happening && !rule_is_dated(e->rule) ? engine_traceparent(e) : (str){0};
    bytes_release(&e->customers.pool, run->traceparent);
    run->traceparent = traceparent.size ? or_fail(e, bytes_new(&e->customers.pool, traceparent)) : NULL;
    return run->traceparent || !traceparent.size;
}

/* What triggers becomes the run's newest trigger. */
static bool take_trigger(struct relance_engine *e, struct run *run)
{
    bool others = e->rule->counts_late && run->triggers.count;
    if (others && !keep_time(e, run, run->earlier.count, run->trigger_ms)) return false;
    if (!keep_trigger(e, run, run->triggers.count) || !take_traceparent(e, run)) return false;
    run->trigger_ms = e->trigger.time_ms;
    run->day = e->trigger.day;
    return true;
}

/* What the action ids of this start or restart are made of. */
static bool set_origin(struct relance_engine *e, struct run *run)
{
    bytes_release(&e->customers.pool, run->origin);
    run->started_ms = e->trigger.time_ms;
    run->said = run->sent = 0;
    run_set_action(e, run, 0);
    run->outcome = STATE_OUTCOME_NONE;
    str origin = e->trigger.event ? e->trigger.id : arena_format(&e->scratch, "%" PRId64, run->started_ms);
    run->origin = or_fail(e, bytes_new(&e->customers.pool, origin));
    return run->origin;
}

/* The present wait begins again from the trigger, or the first one. */
static void begin_again(struct relance_engine *e, struct run *run, bool restart, int64_t horizon_ms)
{
    if (restart && !set_origin(e, run)) return;
    if (restart) run_forget_answer(e, run);
    run_decide(e, restart ? RELANCE_OUTCOME_RESTARTED : RELANCE_OUTCOME_REARMED, bytes_str(run->key));
    scope_forget(e);
    step_perform_due(e, step_arm(e, run, restart ? 0 : run->step, e->trigger.time_ms), horizon_ms);
}

static void trigger_again(struct relance_engine *e, struct run *run, int64_t horizon_ms)
{
    cover(e, e->rule->again_point);
    if (!take_trigger(e, run)) return;
    scope_forget(e);
    if (e->rule->again == AGAIN_COLLECT)
        run_decide(e, RELANCE_OUTCOME_COLLECTED, bytes_str(run->key));
    else
        begin_again(e, run, e->rule->again == AGAIN_RESTART, horizon_ms);
}

static bool join_times(struct relance_engine *e, struct run *run, int64_t time_ms)
{
    uint32_t at = run->earlier.count;
    while (at && *VECTOR_AT(run->earlier, int64_t, at - 1) > time_ms)
        at--;
    return run->earlier.count - at + 1 < LIMIT_TRIGGERS && keep_time(e, run, at, time_ms);
}

static bool join_triggers(struct relance_engine *e, struct run *run, int64_t time_ms)
{
    uint32_t at = run->triggers.count;
    while (at && kept_event_time(*VECTOR_AT(run->triggers, struct kept_event *, at - 1)) > time_ms)
        at--;
    return run->triggers.count - at < LIMIT_TRIGGERS && keep_trigger(e, run, at);
}

/* A late trigger joins the others at its place in time, behind those of its own; with as many newer ones as are kept it is
 * let go. A rule that does not read `triggers` keeps the newest alone, and of the others the times. */
static void join_late(struct relance_engine *e, struct run *run)
{
    bool (*join)(struct relance_engine *, struct run *, int64_t) =
        e->rule->trigger_count > 1 ? join_triggers : join_times;
    if (!join(e, run, e->trigger.time_ms)) {
        explain_note_run(e, RELANCE_NOTE_OLDER, run);
        return;
    }
    scope_forget(e);
    if (e->explaining) e->reason = STR("the event is older than the run's newest trigger");
    run_decide(e, RELANCE_OUTCOME_COLLECTED, bytes_str(run->key));
}

/* The first variant whose cumulative weight exceeds XXH3_64(salt NUL customer) mod the sum; NULL: no split. */
static const struct variant *choose_variant(struct relance_engine *e)
{
    const struct rule *rule = e->rule;
    if (!rule->variant_count) return NULL;
    for (size_t i = 0; i < rule->variant_count; i++)
        if (e->options.variant.size && str_equal(rule->variants[i].name, e->options.variant))
            return &rule->variants[i];
    str text =
        arena_format(&e->scratch, "%.*s%c%.*s", STR_ARG(rule->salt), '\0', STR_ARG(customer_id(e->customer)));
    uint64_t point = XXH3_64bits(text.data, text.size) % rule->weight_sum;
    size_t i = 0;
    while (rule->variants[i].weight_until <= point)
        i++;
    return &rule->variants[i];
}

static void cover_variant(struct relance_engine *e, str name)
{
    for (size_t i = 0; i < e->rule->variant_count; i++)
        if (str_equal(e->rule->variants[i].name, name)) cover(e, e->rule->variants[i].point);
}

/* The run that would start; false: without memory. */
static bool make_run(struct relance_engine *e, uint32_t rule, str key, struct run *run)
{
    struct pool *pool = &e->customers.pool;
    const struct variant *variant = choose_variant(e);
    *run = (struct run){.rule = rule, .base_ms = STATE_NO_TIME, .key = or_fail(e, bytes_new(pool, key))};
    if (variant) run->variant = or_fail(e, bytes_new(pool, variant->name));
    return run->key && set_origin(e, run) && take_trigger(e, run);
}

static void start_run(struct relance_engine *e, uint32_t rule, str key, int64_t horizon_ms)
{
    struct run run, *place = make_run(e, rule, key, &run) ? run_insert(e, &run) : NULL;
    if (!place) {
        state_item_release(&e->customers.pool, STATE_RUNS, &run);
        return;
    }
    cover(e, e->rule->point);
    cover_variant(e, bytes_str(run.variant));
    run_decide(e, RELANCE_OUTCOME_STARTED, key);
    if (run_parks(e)) e->links.parked++;
    scope_enter_rule(e, e->rule, place);
    step_perform_due(e, step_arm(e, place, 0, e->trigger.time_ms), horizon_ms);
}

/* Would an event that came before have cancelled what this trigger starts or joins? Which one it was is noted. */
static bool is_overtaken(struct relance_engine *e, uint32_t rule, struct relance_decision *decision)
{
    struct run run;
    int64_t time_ms = e->trigger.time_ms;
    const struct state *memory = e->customer->state;
    if (overtaken_unasked(e, memory, rule, time_ms, decision)) return true;
    if (!overtaken_perhaps(memory, time_ms)) return false;
    bool reached = make_run(e, rule, decision->key, &run) && overtaken(e, memory, &run, time_ms, decision);
    state_item_release(&e->customers.pool, STATE_RUNS, &run);
    scope_forget(e);
    return reached;
}

static void trigger_late(struct relance_engine *e, struct run *run)
{
    struct relance_decision decision = {.outcome = RELANCE_OUTCOME_OVERTAKEN, .key = bytes_str(run->key)};
    if (is_overtaken(e, run->rule, &decision))
        engine_decide(e, &decision);
    else
        join_late(e, run);
}

static void trigger_live(struct relance_engine *e, struct run *run, int64_t horizon_ms)
{
    if (e->rule->again == AGAIN_IGNORE) {
        cover(e, e->rule->again_point);
        explain_note_run(e, RELANCE_NOTE_LIVE, run);
    } else if (e->trigger.time_ms >= run->trigger_ms) {
        trigger_again(e, run, horizon_ms);
    } else {
        trigger_late(e, run);
    }
}

static void trigger_new(struct relance_engine *e, uint32_t rule, str key, int64_t horizon_ms)
{
    struct relance_decision decision = {.key = key};
    if (is_overtaken(e, rule, &decision))
        decision.outcome = RELANCE_OUTCOME_OVERTAKEN;
    else if (cooldown_holds(e, rule, key, &decision.until_ms))
        decision.outcome = RELANCE_OUTCOME_COOLING;
    else if (e->customer->state->runs.count >= LIMIT_RUNS)
        decision.outcome = RELANCE_OUTCOME_FULL;
    else
        start_run(e, rule, key, horizon_ms);
    if (decision.outcome != RELANCE_OUTCOME_STARTED) engine_decide(e, &decision);
}

static void trigger_key(struct relance_engine *e, uint32_t rule, str key, int64_t horizon_ms)
{
    struct run *run = run_find(e->customer->state, rule, key);
    if (run)
        trigger_live(e, run, horizon_ms);
    else
        trigger_new(e, rule, key, horizon_ms);
}

bool texts_own(struct relance_engine *e, struct texts *texts)
{
    str *owned = or_fail(e, arena_alloc(&e->scratch, texts->count * sizeof *owned));
    for (size_t i = 0; owned && i < texts->count; i++)
        if (!arena_copy_str(&e->scratch, texts->list[i], &owned[i])) owned = or_fail(e, NULL);
    texts->list = owned;
    return owned;
}

void trigger_rule(struct relance_engine *e, uint32_t number, int64_t horizon_ms)
{
    static const str no_key = {0};
    const struct rule *rule = &e->set->rules[number];
    struct texts keys = {&no_key, 1};
    if (!engine_runs_rule(e, number)) return;
    scope_enter_rule(e, rule, NULL);
    if (!condition_holds_or_note(e, rule->condition, RELANCE_NOTE_IF, (str){0})) return;
    if (rule->key && !engine_evaluate_texts(e, rule->key, &keys)) {
        explain_note(e, (struct relance_note){.kind = RELANCE_NOTE_KEY, .reason = str_of(e->frame.error)});
        return;
    }
    if (keys.count > 1 && !texts_own(e, &keys)) return;
    if (!keys.count) explain_note(e, (struct relance_note){.kind = RELANCE_NOTE_NO_KEY});
    for (size_t i = 0; i < keys.count; i++) {
        scope_enter_rule(e, rule, NULL);
        trigger_key(e, number, keys.list[i], horizon_ms);
        bound_state_within(e);
    }
}

/* An error in what is asked next is told under the name of the rule in scope: the last that runs, also where it was passed
 * by. */
static void enter_last(struct relance_engine *e, const struct type_list *rules, uint32_t asked)
{
    size_t count = rules->count;
    while (count && !engine_runs_rule(e, rules->types[count - 1]))
        count--;
    if (!count || rules->types[count - 1] == asked) return;
    scope_enter_rule(e, &e->set->rules[rules->types[count - 1]], NULL);
}

void runs_trigger(struct relance_engine *e, const struct typed_event *type, int64_t horizon_ms)
{
    e->trigger = (struct trigger){.event = true,
                                  .id = e->event.id,
                                  .type = e->event.type_name,
                                  .time_ms = e->event.time_ms,
                                  .shown_ms = e->event.time_ms,
                                  .day = STATE_NO_TIME};
    struct picked rules = engine_pick(e, &type->rules);
    uint32_t asked = NAME_NONE;
    for (uint32_t number; pick_next(&rules, &number);) {
        trigger_rule(e, number, horizon_ms);
        if (engine_runs_rule(e, number)) asked = number;
    }
    enter_last(e, &type->rules.all, asked);
}
