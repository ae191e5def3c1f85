/* Runs of a customer, found, ended and dropped. They stand in the order (rule, key); rules are numbered in the
 * order in which they act, so going through them in order is acting in order. */
#include "rule/run/runs.h"

static int run_compare(const struct run *run, uint32_t rule, str key)
{
    if (run->rule != rule) return run->rule < rule ? -1 : 1;
    return str_compare(bytes_str(run->key), key);
}

/* Among which runs those of the rule stand. */
static struct range stretch_of(const struct state *state, uint32_t rule)
{
    const struct state_found *found = &state->found;
    uint32_t stretch = rule >> found->rules_shift;
    if (!found->runs || stretch >= STATE_STRETCHES) return (struct range){0, state->runs.count};
    return (struct range){stretch ? found->ends[stretch - 1] : 0, found->ends[stretch]};
}

uint32_t run_place(const struct state *state, uint32_t rule, str key)
{
    struct range range = stretch_of(state, rule);
    uint32_t low = range.begin, high = range.end;
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

/* Of the rule there are so many runs more. */
static void shift_ends(struct state_found *found, uint32_t rule, int more)
{
    for (uint32_t i = rule >> found->rules_shift; i < STATE_STRETCHES; i++)
        found->ends[i] = (uint16_t)(found->ends[i] + more);
}

struct run *run_insert(struct relance_engine *e, const struct run *run)
{
    struct state *state = e->customer->state;
    uint32_t at = run_place(state, run->rule, bytes_str(run->key));
    struct run *place = or_fail(e, vector_insert(&e->customers.pool, &state->runs, sizeof *run, at));
    if (!place) return NULL;
    *place = *run;
    state->found.rules |= state_rule_bit(run->rule);
    shift_ends(&state->found, run->rule, 1);
    state_waits_changed(state);
    return place;
}

void run_set_action(struct relance_engine *e, struct run *run, uint32_t step)
{
    run->action_step = step;
    bytes_release(&e->customers.pool, run->sent_to);
    run->sent_to = NULL;
}

void run_remove(struct relance_engine *e, struct run *run)
{
    struct vector *runs = &e->customer->state->runs;
    uint32_t place = (uint32_t)(run - (struct run *)runs->items);
    scope_enter_rule(e, e->rule, NULL);
    state_wait_moved(e->customer->state, run->due_ms, RELANCE_NEVER);
    shift_ends(&e->customer->state->found, run->rule, -1);
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

static void find_ends(struct state *state, size_t rule_count)
{
    struct state_found *found = &state->found;
    memset(found->ends, 0, sizeof found->ends);
    found->rules_shift = 0;
    while (rule_count > (size_t)STATE_STRETCHES << found->rules_shift)
        found->rules_shift++;
    VECTOR_EACH (state->runs, struct run, run)
        shift_ends(found, run->rule, 1);
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
    find_ends(state, e->set->rule_count);
    state->found.runs = true;
}
