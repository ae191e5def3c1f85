/* Steps that wait for an event (LANGUAGE.md §4.8): it comes within their time, or it does not. */
#include "rule/run/bound.h"
#include "rule/run/coverage.h"
#include "rule/run/explain.h"
#include "rule/run/runs.h"

void run_forget_answer(struct relance_engine *e, struct run *run)
{
    bytes_release(&e->customers.pool, run->answer);
    run->answer = NULL;
}

static void decide(struct relance_engine *e, const struct run *run, enum relance_outcome outcome, str by)
{
    struct relance_decision decision = {
        .outcome = outcome, .key = bytes_str(run->key), .step = run->step + 1, .by = by};
    engine_decide(e, &decision);
}

struct run *wait_over(struct relance_engine *e, struct run *run, const struct awaited *awaited)
{
    cover(e, awaited->point);
    str why = e->explaining ? arena_format(&e->scratch, "no %.*s came", STR_ARG(awaited->label)) : (str){0};
    e->reason = why;
    decide(e, run, RELANCE_OUTCOME_UNANSWERED, (str){0});
    run->outcome = STATE_OUTCOME_UNANSWERED;
    run_forget_answer(e, run); /* of a wait before, where rules that changed have made a wait of this step */
    if (!awaited->ends) return step_go_on(e, run);
    e->reason = why;
    run_end(e, run, RELANCE_OUTCOME_ENDED);
    return NULL;
}

/* What the event says of one wait of a rule: its keys, asked once for all runs. */
struct asked_wait {
    const struct awaited *awaited;
    struct texts keys;
    bool broken; /* the key could not be evaluated: it answers nothing */
};

static void ask_keys(struct relance_engine *e, const struct awaited *awaited, struct asked_wait *asked)
{
    if (asked->awaited == awaited) return;
    *asked = (struct asked_wait){.awaited = awaited};
    if (!awaited->key) return;
    scope_enter_rule(e, e->rule, NULL);
    asked->broken = !engine_evaluate_texts(e, awaited->key, &asked->keys) ||
                    (asked->keys.count && !texts_own(e, &asked->keys));
}

static bool answers(struct relance_engine *e, struct run *run, const struct awaited *awaited,
                    struct asked_wait *asked)
{
    int64_t time_ms = e->event.time_ms;
    bool older = time_ms < run->base_ms;
    if (older || time_ms > run->due_ms) {
        explain_note_run(e, older ? RELANCE_NOTE_ANSWER_OLDER : RELANCE_NOTE_ANSWER_NEWER, run);
        return false;
    }
    ask_keys(e, awaited, asked);
    scope_enter_rule(e, e->rule, run);
    if (asked->broken) return false;
    if (awaited->key && !texts_have(asked->keys, bytes_str(run->key))) {
        explain_note_keys(e, RELANCE_NOTE_ANSWER_KEY, bytes_str(run->key), asked->keys);
        return false;
    }
    return condition_holds_or_note(e, awaited->condition, RELANCE_NOTE_ANSWER_IF, bytes_str(run->key));
}

/* The run is there no more, or waits for something else: one event answers one wait of a run. */
static void answer(struct relance_engine *e, struct run *run, const struct awaited *awaited,
                   int64_t horizon_ms)
{
    run_forget_answer(e, run); /* as above */
    run->answer = or_fail(e, scope_pack_answer(e, &awaited->keeps));
    run->outcome = STATE_OUTCOME_ANSWERED;
    cover(e, awaited->point);
    decide(e, run, RELANCE_OUTCOME_ANSWERED, e->event.type_name);
    step_perform_due(e, step_go_on(e, run), horizon_ms);
}

/* The first run of a rule behind a key. */
static uint32_t place_behind(const struct state *state, uint32_t rule, str key)
{
    uint32_t place = run_place(state, rule, key);
    return place + (run_find(state, rule, key) != NULL);
}

/* The runs of a rule, in order. Answering one can end it, what it then sets can end others that follow a date, and others
 * may go since there is no room. */
static void answer_runs_of(struct relance_engine *e, uint32_t number, const struct typed_event *type,
                           int64_t horizon_ms)
{
    struct state *state = e->customer->state;
    const struct rule *rule = &e->set->rules[number];
    struct asked_wait asked = {0};
    for (uint32_t place = run_place(state, number, (str){0}); run_at(state, place, number);) {
        struct run *run = run_at(state, place, number);
        const struct awaited *awaited = rule->steps[run->step].awaited;
        scope_enter_rule(e, rule, run);
        if (!awaited || run_is_parked(run) || !type_list_has(awaited->on, type->reader->number) ||
            !answers(e, run, awaited, &asked)) {
            place++;
            continue;
        }
        str key;
        if (!arena_copy_str(&e->scratch, bytes_str(run->key), &key)) e->failed = true;
        answer(e, run, awaited, horizon_ms);
        bound_state_within(e); /* each run keeps the answer */
        place = place_behind(state, number, key);
    }
}

void runs_answer(struct relance_engine *e, const struct typed_event *type, int64_t horizon_ms)
{
    uint32_t done = NAME_NONE;
    for (size_t i = 0; i < type->awaits.count && e->customer->state->runs.count; i++) {
        uint32_t rule = e->set->awaits[type->awaits.types[i]].rule;
        if (rule == done || !engine_runs_rule(e, rule)) continue;
        answer_runs_of(e, rule, type, horizon_ms);
        done = rule;
    }
}
