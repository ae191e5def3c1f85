/* Triggers: what starts, rearms and restarts runs (LANGUAGE.md §4.5). */
#include "rule/run/bound.h"
#include "rule/run/coverage.h"
#include "rule/run/explain.h"
#include "rule/run/runs.h"

#include <inttypes.h>
#include <xxhash.h>

/* What triggers becomes the run's newest trigger. */
static bool take_trigger(struct relance_engine *e, struct run *run)
{
    struct pool *pool = &e->customers.pool;
    size_t bound = e->rule->trigger_count;
    struct kept_event *event = scope_keep_trigger(e, &e->rule->keeps);
    if (!event) return false;
    while (run->triggers.count >= bound) {
        kept_event_release(pool, *VECTOR_AT(run->triggers, struct kept_event *, 0));
        vector_remove(&run->triggers, sizeof event, 0);
    }
    struct kept_event **place =
        or_fail(e, vector_insert(pool, &run->triggers, sizeof *place, run->triggers.count));
    if (!place) {
        kept_event_release(pool, event);
        return false;
    }
    *place = event;
    run->trigger_ms = e->trigger.time_ms;
    return true;
}

static void arm(struct relance_engine *e, struct run *run, uint32_t step)
{
    run->step = step;
    run->due_ms = run->first_due_ms = step_due(e, e->rule, step, e->trigger.time_ms);
}

/* What the action ids of this start or restart are made of. */
static bool set_origin(struct relance_engine *e, struct run *run)
{
    bytes_release(&e->customers.pool, run->origin);
    run->started_ms = e->trigger.time_ms;
    run->said = 0;
    str origin = e->trigger.event ? e->trigger.id : arena_format(&e->scratch, "%" PRId64, run->started_ms);
    run->origin = or_fail(e, bytes_new(&e->customers.pool, origin));
    return run->origin;
}

static void trigger_again(struct relance_engine *e, struct run *run, int64_t horizon_ms)
{
    bool restart = e->rule->again == AGAIN_RESTART, ignore = e->rule->again == AGAIN_IGNORE;
    bool older = e->trigger.time_ms < run->trigger_ms;
    if (ignore || !older) cover(e, e->rule->again_point);
    if (ignore || older) {
        explain_note_run(e, ignore ? RELANCE_NOTE_LIVE : RELANCE_NOTE_OLDER, run);
        return;
    }
    if (!take_trigger(e, run) || (restart && !set_origin(e, run))) return;
    arm(e, run, restart ? 0 : run->step);
    run_decide(e, restart ? RELANCE_OUTCOME_RESTARTED : RELANCE_OUTCOME_REARMED, bytes_str(run->key));
    step_perform_due(e, run, horizon_ms);
}

/* When the rule's cooldown ends; RELANCE_NEVER: nothing has been sent yet. */
static int64_t cooldown_end(const struct relance_engine *e, uint32_t rule)
{
    VECTOR_EACH (e->customer->state->cooldowns, struct cooldown, cooldown)
        if (cooldown->rule == rule) return cooldown->sent_ms + e->rule->cooldown_ms;
    return RELANCE_NEVER;
}

static bool is_cooling(const struct relance_engine *e, uint32_t rule)
{
    int64_t end_ms = cooldown_end(e, rule);
    return end_ms != RELANCE_NEVER && e->now_ms < end_ms;
}

/* What stands against a new run; RELANCE_OUTCOME_STARTED: nothing. */
static enum relance_outcome refusal(const struct relance_engine *e, uint32_t rule, str key)
{
    if (run_is_overtaken(e, rule, key, e->trigger.time_ms)) return RELANCE_OUTCOME_OVERTAKEN;
    if (is_cooling(e, rule)) return RELANCE_OUTCOME_COOLING;
    if (e->customer->state->runs.count >= LIMIT_RUNS) return RELANCE_OUTCOME_FULL;
    return RELANCE_OUTCOME_STARTED;
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

static void start_run(struct relance_engine *e, uint32_t rule, str key, int64_t horizon_ms)
{
    struct state *state = e->customer->state;
    struct pool *pool = &e->customers.pool;
    struct run run = {.rule = rule, .key = or_fail(e, bytes_new(pool, key))};
    const struct variant *variant = choose_variant(e);
    if (variant) run.variant = or_fail(e, bytes_new(pool, variant->name));
    arm(e, &run, 0);
    bool whole = run.key && set_origin(e, &run) && take_trigger(e, &run);
    struct run *place =
        whole ? or_fail(e, vector_insert(pool, &state->runs, sizeof run, run_place(state, rule, key))) : NULL;
    if (!place) {
        state_item_release(pool, STATE_RUNS, &run);
        return;
    }
    *place = run;
    cover(e, e->rule->point);
    if (variant) cover(e, variant->point);
    run_decide(e, RELANCE_OUTCOME_STARTED, key);
    step_perform_due(e, place, horizon_ms);
}

static void trigger_key(struct relance_engine *e, uint32_t rule, str key, int64_t horizon_ms)
{
    struct run *run = run_find(e->customer->state, rule, key);
    if (run) {
        trigger_again(e, run, horizon_ms);
        return;
    }
    struct relance_decision decision = {.outcome = refusal(e, rule, key), .key = key};
    if (decision.outcome == RELANCE_OUTCOME_STARTED) {
        start_run(e, rule, key, horizon_ms);
        return;
    }
    if (decision.outcome == RELANCE_OUTCOME_COOLING) decision.until_ms = cooldown_end(e, rule);
    engine_decide(e, &decision);
}

/* Keys that may have been read from the state, of which something may go meanwhile. */
static bool own_texts(struct relance_engine *e, struct texts *texts)
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
    if (e->only != NAME_NONE && e->only != number) return;
    scope_enter_rule(e, rule, NULL);
    if (!condition_holds_or_note(e, rule->condition, RELANCE_NOTE_IF, (str){0})) return;
    if (rule->key && !engine_evaluate_texts(e, rule->key, &keys)) {
        explain_note(e, (struct relance_note){.kind = RELANCE_NOTE_KEY, .reason = str_of(e->frame.error)});
        return;
    }
    if (keys.count > 1 && !own_texts(e, &keys)) return;
    if (!keys.count) explain_note(e, (struct relance_note){.kind = RELANCE_NOTE_NO_KEY});
    for (size_t i = 0; i < keys.count; i++) {
        scope_enter_rule(e, rule, NULL);
        trigger_key(e, number, keys.list[i], horizon_ms);
        bound_state_within(e);
    }
}

void runs_trigger(struct relance_engine *e, const struct typed_event *type, int64_t horizon_ms)
{
    e->trigger = (struct trigger){true, e->event.id, e->event.type_name, e->event.time_ms};
    for (size_t i = 0; i < type->rules.count; i++)
        trigger_rule(e, type->rules.types[i], horizon_ms);
}
