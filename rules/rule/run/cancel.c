/* Cancels: events that end runs, and events remembered because a trigger that they overtook may still come
 * (LANGUAGE.md §4.6 and §4.7). */
#include "rule/run/bound.h"
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

/* The oldest remembered events go, each with all that it cancels, and with them `count` items. */
static void forget_overtakers(struct relance_engine *e, uint32_t count)
{
    struct vector *overtakers = &e->customer->state->overtakers;
    struct overtaker *items = overtakers->items;
    for (uint32_t i = 0; i < count; i++)
        bytes_release(&e->customers.pool, items[i].key);
    overtakers->count -= count;
    if (count) memmove(items, items + count, overtakers->count * sizeof *items);
}

static void trim_overtakers(struct relance_engine *e)
{
    struct state *state = e->customer->state;
    int64_t age_ms =
        e->options.lateness_ms > LIMIT_CANCEL_AGE_MS ? e->options.lateness_ms : LIMIT_CANCEL_AGE_MS;
    size_t events = 0;
    uint32_t gone = 0;
    VECTOR_EACH (state->overtakers, struct overtaker, overtaker)
        events += overtaker->first;
    for (; gone < state->overtakers.count; gone++) {
        const struct overtaker *overtaker = VECTOR_AT(state->overtakers, struct overtaker, gone);
        bool old = overtaker->time_ms < state->newest_ms - age_ms;
        if (overtaker->first && !old && events <= LIMIT_CANCELS) break;
        events -= overtaker->first;
    }
    forget_overtakers(e, gone);
}

/* Behind all remembered events not newer than this one. */
static void remember_cancel(struct relance_engine *e, uint32_t rule, const str *key, uint32_t *place)
{
    struct vector *overtakers = &e->customer->state->overtakers;
    bool first = *place == NAME_NONE;
    if (first)
        for (*place = 0; *place < overtakers->count; ++*place)
            if (VECTOR_AT(*overtakers, struct overtaker, *place)->time_ms > e->event.time_ms) break;
    struct bytes *owned = key ? or_fail(e, bytes_new(&e->customers.pool, *key)) : NULL;
    struct overtaker *item = or_fail(e, vector_insert(&e->customers.pool, overtakers, sizeof *item, *place));
    if (!item) return;
    *item = (struct overtaker){e->event.time_ms, rule, first, owned};
    ++*place;
}

/* Remembers what the event cancels, against triggers that it has overtaken. */
static void remember_cancels(struct relance_engine *e, const struct asked_cancel *asked, size_t count)
{
    uint32_t place = NAME_NONE;
    size_t keys = 0; /* of the event, over all rules */
    for (size_t i = 0; i < count; i++) {
        const struct cancel *cancel = asked[i].cancel;
        if (!cancel->remembered || asked[i].broken) continue;
        scope_enter_rule(e, &e->set->rules[cancel->rule], NULL);
        if (!condition_holds(e, cancel->condition)) continue;
        if (!cancel->key) remember_cancel(e, cancel->rule, NULL, &place);
        for (size_t k = 0; k < asked[i].keys.count; k++, keys++)
            if (keys < LIMIT_CANCEL_KEYS) remember_cancel(e, cancel->rule, &asked[i].keys.list[k], &place);
    }
    if (keys > LIMIT_CANCEL_KEYS)
        bound_count(e, RELANCE_FORGOT_CANCEL_KEYS, (uint32_t)(keys - LIMIT_CANCEL_KEYS));
    trim_overtakers(e);
}

void runs_cancel(struct relance_engine *e, const struct typed_event *type)
{
    if (!type->cancel_count) {
        trim_overtakers(e);
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
    remember_cancels(e, asked, type->cancel_count);
}

bool run_is_overtaken(const struct relance_engine *e, uint32_t rule, str key, int64_t time_ms)
{
    VECTOR_EACH (e->customer->state->overtakers, struct overtaker, o)
        if (o->rule == rule && o->time_ms > time_ms && (!o->key || str_equal(bytes_str(o->key), key)))
            return true;
    return false;
}
