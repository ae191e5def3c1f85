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
    if (state_lacks_rule(state, rule)) return;
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

/* Those that belong to the rule, from the first of them on; they stand in the order of rules. */
static struct range cancels_of(const struct typed_event *type, uint32_t rule)
{
    size_t begin = 0, end = type->cancel_count;
    while (begin < end) {
        size_t middle = begin + (end - begin) / 2;
        if (type->cancels[middle]->rule < rule)
            begin = middle + 1;
        else
            end = middle;
    }
    while (end < type->cancel_count && type->cancels[end]->rule == rule)
        end++;
    return (struct range){(uint32_t)begin, (uint32_t)end};
}

/* None of the type has a key, so that nothing has to be asked of rules without a run: a customer with few runs is soon
 * dealt with, whatever the number of rules. */
static void cancel_unkeyed(struct relance_engine *e, const struct typed_event *type)
{
    struct asked_cancel asked[LIMIT_RULE_CANCELS];
    const struct vector *runs = &e->customer->state->runs;
    scope_enter_rule(e, &e->set->rules[type->cancels[type->cancel_count - 1]->rule], NULL);
    for (uint32_t place = 0; place < runs->count;) {
        uint32_t rule = VECTOR_AT(*runs, struct run, place)->rule;
        struct range range = cancels_of(type, rule);
        for (uint32_t i = range.begin; i < range.end; i++)
            asked[i - range.begin] = (struct asked_cancel){.cancel = type->cancels[i]};
        if (range.end > range.begin) cancel_runs_of(e, rule, asked, range.end - range.begin);
        place = run_place(e->customer->state, rule + 1, (str){0});
    }
}

void runs_cancel(struct relance_engine *e, const struct typed_event *type)
{
    if (!type->cancel_count) return;
    if (!type->cancels_keyed) {
        cancel_unkeyed(e, type);
        return;
    }
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
