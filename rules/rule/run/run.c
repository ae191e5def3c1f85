/* Runs of a customer, found, ended and dropped. They stand in the order (rule, key); rules are numbered in the
 * order in which they act, so going through them in order is acting in order. */
#include "rule/run/runs.h"

static int run_compare(const struct run *run, uint32_t rule, str key)
{
    if (run->rule != rule) return run->rule < rule ? -1 : 1;
    return str_compare(bytes_str(run->key), key);
}

uint32_t run_place(const struct state *state, uint32_t rule, str key)
{
    uint32_t low = 0, high = state->runs.count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (run_compare(VECTOR_AT(state->runs, struct run, middle), rule, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct run *run_at(const struct state *state, uint32_t place, uint32_t rule)
{
    if (place >= state->runs.count) return NULL;
    struct run *run = VECTOR_AT(state->runs, struct run, place);
    return run->rule == rule ? run : NULL;
}

struct run *run_find(const struct state *state, uint32_t rule, str key)
{
    if (state_lacks_rule(state, rule)) return NULL;
    struct run *run = run_at(state, run_place(state, rule, key), rule);
    return run && str_equal(bytes_str(run->key), key) ? run : NULL;
}

void run_remove(struct relance_engine *e, struct run *run)
{
    struct vector *runs = &e->customer->state->runs;
    uint32_t place = (uint32_t)(run - (struct run *)runs->items);
    scope_enter_rule(e, e->rule, NULL);
    state_waits_changed(e->customer->state);
    state_item_remove(&e->customers.pool, e->customer->state, STATE_RUNS, place);
}

void run_decide(struct relance_engine *e, enum relance_outcome outcome, str key)
{
    struct relance_decision decision = {.outcome = outcome, .key = key};
    engine_decide(e, &decision);
}

void run_end(struct relance_engine *e, struct run *run, enum relance_outcome outcome)
{
    struct relance_decision decision = {.outcome = outcome, .key = bytes_str(run->key)};
    if (outcome == RELANCE_OUTCOME_CANCELLED) decision.by = e->event.type_name;
    engine_decide(e, &decision);
    run_remove(e, run);
}

void runs_drop(struct relance_engine *e)
{
    struct state *state = e->customer->state;
    VECTOR_EACH (state->dropped, struct dropped_run, dropped) {
        struct relance_decision decision = {.outcome = RELANCE_OUTCOME_DROPPED,
                                            .rule = bytes_str(dropped->rule),
                                            .key = bytes_str(dropped->key)};
        engine_decide(e, &decision);
        bytes_release(&e->customers.pool, dropped->rule);
        bytes_release(&e->customers.pool, dropped->key);
    }
    state->dropped.count = 0;
    if (state->found.runs) return;
    state->found.rules = 0;
    for (uint32_t i = 0; i < state->runs.count;) {
        struct run *run = VECTOR_AT(state->runs, struct run, i);
        const struct rule *rule = &e->set->rules[run->rule];
        if (run->step < rule->step_count) {
            state->found.rules |= state_rule_bit(run->rule);
            i++;
            continue;
        }
        scope_enter_rule(e, rule, run);
        run_end(e, run, RELANCE_OUTCOME_DROPPED);
    }
    state->found.runs = true;
}
