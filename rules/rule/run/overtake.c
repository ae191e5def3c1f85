/* Events that cancel, remembered because a trigger that they overtook may still come (LANGUAGE.md §4.7). The newest are
 * kept with what cancels read of them, so that a late trigger can be asked about each of them as if it had come first;
 * of those that are kept no more, by number or age, the newest time of each type. */
#include "rule/run/runs.h"

/* Is a cancel of a rule that runs `on` it? In a test not all do. */
static bool may_overtake(const struct relance_engine *e, const struct typed_event *type)
{
    for (size_t i = 0; i < type->cancel_count; i++)
        if (engine_runs_rule(e, type->cancels[i]->rule)) return true;
    return false;
}

void overtakers_remember(struct relance_engine *e, const struct typed_event *type)
{
    struct vector *overtakers = &e->customer->state->overtakers;
    uint32_t at = overtakers->count;
    if (!may_overtake(e, type)) return;
    while (at && VECTOR_AT(*overtakers, struct overtaker, at - 1)->time_ms > e->event.time_ms)
        at--;
    struct bytes *packed = scope_pack_event(e, type->cancel_fields, type->cancel_field_count);
    struct overtaker *place =
        packed ? or_fail(e, vector_insert(&e->customers.pool, overtakers, sizeof *place, at)) : NULL;
    if (place)
        *place = (struct overtaker){e->event.time_ms, packed};
    else
        bytes_release(&e->customers.pool, packed);
}

void overtakers_note_past(struct relance_engine *e, uint32_t type, int64_t time_ms)
{
    struct vector *past = &e->customer->state->past_overtakers;
    uint32_t at = 0;
    while (at < past->count && VECTOR_AT(*past, struct past_overtaker, at)->type < type)
        at++;
    struct past_overtaker *place = at < past->count ? VECTOR_AT(*past, struct past_overtaker, at) : NULL;
    if (!place || place->type != type) {
        place = or_fail(e, vector_insert(&e->customers.pool, past, sizeof *place, at));
        if (place) *place = (struct past_overtaker){type, time_ms};
    }
    if (place && place->time_ms < time_ms) place->time_ms = time_ms;
}

static void forget(struct relance_engine *e, const struct overtaker *overtaker)
{
    uint32_t type = scope_type_of_event(e, bytes_str(overtaker->packed));
    if (type != NAME_NONE) overtakers_note_past(e, type, overtaker->time_ms);
}

/* While what a visitor did is still to come from another partition, it may be as old as it likes. */
static bool awaits_visitor(const struct state *state)
{
    VECTOR_EACH (state->links, struct link, link)
        if (link->open) return true;
    return false;
}

void overtakers_trim(struct relance_engine *e)
{
    struct state *state = e->customer->state;
    if (!state->overtakers.count) return;
    int64_t age_ms =
        e->options.lateness_ms > LIMIT_CANCEL_AGE_MS ? e->options.lateness_ms : LIMIT_CANCEL_AGE_MS;
    if (awaits_visitor(state)) age_ms = STATE_TIME_MAX;
    while (state->overtakers.count) {
        const struct overtaker *oldest = state->overtakers.items;
        if (oldest->time_ms >= state->newest_ms - age_ms && state->overtakers.count <= LIMIT_CANCELS) return;
        forget(e, oldest);
        state_item_remove(&e->customers.pool, state, STATE_OVERTAKERS, 0);
    }
}

/* Does the rule's cancel reach the run, the remembered event being `event`? */
static bool cancels(struct relance_engine *e, const struct cancel *cancel, struct run *run)
{
    struct texts keys;
    if (cancel->key) {
        scope_enter_rule(e, e->rule, NULL);
        if (!engine_evaluate_texts(e, cancel->key, &keys) || !texts_have(keys, bytes_str(run->key)))
            return false;
    }
    scope_enter_rule(e, e->rule, run);
    return condition_holds(e, cancel->condition);
}

/* Scratch is taken only meanwhile: one trigger may ask about each remembered event for each of its keys. */
static bool event_cancels(struct relance_engine *e, const struct overtaker *overtaker,
                          const struct typed_event *type, struct run *run)
{
    bool reached = false;
    struct arena_mark before = arena_mark(&e->scratch);
    struct shadowed_event *shadowed = scope_shadow_event(e, bytes_str(overtaker->packed));
    for (size_t i = 0; shadowed && i < type->cancel_count && !reached; i++)
        if (type->cancels[i]->rule == run->rule) reached = cancels(e, type->cancels[i], run);
    if (shadowed) scope_unshadow_event(e, shadowed);
    arena_rewind(&e->scratch, before);
    return reached;
}

static bool type_cancels(const struct typed_event *type, uint32_t rule)
{
    for (size_t i = 0; i < type->cancel_count; i++)
        if (type->cancels[i]->rule == rule) return true;
    return false;
}

static void note_by(const struct relance_engine *e, uint32_t type, int64_t time_ms,
                    struct relance_decision *decision)
{
    decision->by = e->set->types[type].reader->name;
    decision->by_ms = time_ms;
}

bool overtaken_unasked(struct relance_engine *e, const struct state *memory, uint32_t rule, int64_t time_ms,
                       struct relance_decision *decision)
{
    VECTOR_EACH (memory->past_overtakers, struct past_overtaker, past) {
        if (past->time_ms < time_ms || !type_cancels(&e->set->types[past->type], rule)) continue;
        note_by(e, past->type, past->time_ms, decision);
        if (e->explaining) e->reason = STR("nothing but its time is remembered");
        return true;
    }
    return false;
}

bool overtaken_perhaps(const struct state *memory, int64_t time_ms)
{
    const struct vector *overtakers = &memory->overtakers;
    return overtakers->count &&
           VECTOR_AT(*overtakers, struct overtaker, overtakers->count - 1)->time_ms > time_ms;
}

bool overtaken(struct relance_engine *e, const struct state *memory, struct run *run, int64_t time_ms,
               struct relance_decision *decision)
{
    const struct vector *overtakers = &memory->overtakers;
    bool reached = false;
    for (uint32_t i = overtakers->count; i-- > 0 && !reached;) {
        const struct overtaker *overtaker = VECTOR_AT(*overtakers, struct overtaker, i);
        if (overtaker->time_ms <= time_ms) break;
        uint32_t type = scope_type_of_event(e, bytes_str(overtaker->packed));
        reached = type != NAME_NONE && type_cancels(&e->set->types[type], run->rule) &&
                  event_cancels(e, overtaker, &e->set->types[type], run);
        if (reached) note_by(e, type, overtaker->time_ms, decision);
    }
    scope_enter_rule(e, e->rule, NULL);
    return reached;
}
