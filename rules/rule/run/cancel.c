/* Cancels: events that end runs (LANGUAGE.md §4.6). */
#include "rule/run/coverage.h"
#include "rule/run/explain.h"
#include "rule/run/runs.h"

/* One cancel of a rule, asked about an event: its keys, once, before the runs are gone through. */
struct asked_cancel {
    const struct cancel *cancel;
    struct texts keys;
    bool broken; /* its key could not be evaluated: it reaches nothing */
};

static bool cancel_reaches(struct relance_engine *e, const struct asked_cancel *asked, struct run *run)
{
    if (asked->broken) return false;
    scope_enter_rule(e, &e->set->rules[run->rule], run);
    if (asked->cancel->key && !texts_have(asked->keys, bytes_str(run->key))) {
        explain_note_keys(e, RELANCE_NOTE_CANCEL_KEY, bytes_str(run->key), asked->keys);
        return false;
    }
    if (!condition_holds_or_note(e, asked->cancel->condition, RELANCE_NOTE_CANCEL_IF, bytes_str(run->key)))
        return false;
    cover(e, asked->cancel->point);
    return true;
}

static void cancel_runs_of(struct relance_engine *e, uint32_t rule, const struct asked_cancel *asked,
                           size_t count)
{
    struct state *state = e->customer->state;
    for (uint32_t place = run_place(state, rule, (str){0}); run_at(state, place, rule);) {
        struct run *run = run_at(state, place, rule);
        bool reached = false, newer = run->trigger_ms > e->event.time_ms;
        if (newer) explain_note_run(e, RELANCE_NOTE_CANCEL_OLDER, run);
        for (size_t i = 0; i < count && !reached && !newer; i++)
            reached = cancel_reaches(e, &asked[i], run);
        if (!reached) {
            place++;
            continue;
        }
        scope_enter_rule(e, &e->set->rules[rule], run);
        run_end(e, run, RELANCE_OUTCOME_CANCELLED);
    }
}

void runs_cancel(struct relance_engine *e, const struct typed_event *type)
{
    if (!type->cancel_count) return;
    struct asked_cancel *asked = or_fail(e, arena_alloc(&e->scratch, type->cancel_count * sizeof *asked));
    if (!asked) return;
    for (size_t i = 0; i < type->cancel_count; i++) {
        asked[i] = (struct asked_cancel){.cancel = type->cancels[i]};
        scope_enter_rule(e, &e->set->rules[asked[i].cancel->rule], NULL);
        if (asked[i].cancel->key)
            asked[i].broken = !engine_evaluate_texts(e, asked[i].cancel->key, &asked[i].keys);
    }
    for (size_t i = 0, n; i < type->cancel_count; i += n) {
        uint32_t rule = asked[i].cancel->rule;
        for (n = 1; i + n < type->cancel_count && asked[i + n].cancel->rule == rule;)
            n++;
        cancel_runs_of(e, rule, &asked[i], n);
    }
}
