/* Explaining: notes for the one customer whom somebody has asked about (relance/explain.h). Conditions are asked
 * again, part by part, in the scope in which they were not true; nothing that decides is touched. */
#include "rule/run/explain.h"

#include "base/buffer.h"
#include "cel/explain.h"
#include "rule/compile/compile.h"
#include "event/misfit.h"
#include "rule/tell/telling.h"

bool explain_is_on(const struct relance_engine *e, str customer)
{
    return e->options.explain && str_equal(customer, e->options.explained);
}

void explain_note(struct relance_engine *e, struct relance_note note)
{
    if (!e->explaining) return;
    if (!note.rule.size && e->rule) note.rule = e->rule->name;
    if (note.kind != RELANCE_NOTE_EVENT) note.time_ms = e->now_ms;
    e->options.explain(e->options.explain_context, &note);
}

static void explain_misfit(struct relance_engine *e, const struct relance_misfit *misfit)
{
    struct arena arena;
    struct buffer text;
    arena_init(&arena, 0);
    buffer_init(&text, &arena);
    event_put_misfit(&text, misfit);
    e->failed |= text.failed;
    explain_note(e, (struct relance_note){.kind = RELANCE_NOTE_MISFIT, .reason = buffer_str(&text)});
    arena_free(&arena);
}

void explain_note_event(struct relance_engine *e, enum relance_note_kind kind)
{
    if (!e->explaining) return;
    struct relance_note note = {
        .kind = kind, .time_ms = e->event.time_ms, .subject = e->event.type_name, .id = e->event.id};
    e->options.explain(e->options.explain_context, &note);
    for (size_t i = 0; i < e->event.misfit_count && kind == RELANCE_NOTE_EVENT; i++)
        explain_misfit(e, &e->event.misfits[i]);
}

/* ---- conditions */

static void explain_program(struct relance_engine *e, const struct noted_program *condition,
                            struct arena *arena, struct buffer *out);

/* A condition that reads a segment is explained by the segment's own, too. */
static void explain_segments(struct relance_engine *e, const struct noted_program *condition,
                             struct arena *arena, struct buffer *out)
{
    const uint32_t *slots;
    size_t count = cel_program_slots(condition->program, &slots);
    for (size_t i = 0; i < count; i++) {
        if (slots[i] < e->set->slots.segments || slots[i] >= e->set->slots.lasts) continue;
        const struct segment_rule *segment = &e->set->segments[slots[i] - e->set->slots.segments];
        if (segment_value_now(e, slots[i] - e->set->slots.segments).as.b) continue;
        buffer_put_format(out, "; %.*s: ", STR_ARG(segment->name));
        explain_program(e, segment->condition, arena, out);
    }
}

/* What the conditions of the set in force may name, found once for all of them; NULL without memory. */
struct scopes *explain_scopes(struct relance_engine *e)
{
    if (e->scopes) return e->scopes;
    e->scopes = ARENA_NEW(&e->frame_arena, struct scopes);
    if (e->scopes) scopes_init(e->scopes, e->set, &e->frame_arena, &e->frame_arena);
    return e->scopes;
}

static void explain_program(struct relance_engine *e, const struct noted_program *condition,
                            struct arena *arena, struct buffer *out)
{
    struct scopes *scopes = explain_scopes(e);
    const struct cel_env *env = scopes ? scope_env_again(scopes, condition, arena) : NULL;
    if (!env || !cel_explain(arena, env, condition->text, &e->frame, out)) e->failed = true;
    explain_segments(e, condition, arena, out);
    if (env) explain_questions(e, condition, env, arena, out);
}

/* Why the condition is not true, in the scope in force; the text is the arena's. */
static str explain_condition(struct relance_engine *e, const struct noted_program *condition,
                             struct arena *arena)
{
    struct buffer out;
    buffer_init(&out, arena);
    explain_program(e, condition, arena, &out);
    e->failed |= out.failed;
    return buffer_str(&out);
}

bool condition_holds_or_note(struct relance_engine *e, const struct noted_program *condition,
                             enum relance_note_kind kind, str key)
{
    if (condition_holds(e, condition)) return true;
    if (!e->explaining) return false;
    struct arena arena;
    arena_init(&arena, 0);
    explain_note(e, (struct relance_note){
                        .kind = kind, .key = key, .reason = explain_condition(e, condition, &arena)});
    arena_free(&arena);
    return false;
}

bool condition_holds_or_reason(struct relance_engine *e, const struct noted_program *condition)
{
    if (condition_holds(e, condition)) return true;
    if (!e->explaining) return false;
    struct arena arena;
    arena_init(&arena, 0);
    if (!arena_copy_str(&e->scratch, explain_condition(e, condition, &arena), &e->reason)) e->failed = true;
    arena_free(&arena);
    return false;
}

void explain_limit(struct relance_engine *e, const struct limit *limit)
{
    if (!e->explaining || !limit->condition) return;
    if (cel_eval(limit->condition->program, &e->frame).kind != CEL_ERROR) return;
    e->reason = arena_format(&e->scratch, "its `if` fails, which counts as true: %s", e->frame.error);
    if (!e->reason.size) e->failed = true;
}

void explain_note_keys(struct relance_engine *e, enum relance_note_kind kind, str key, struct texts keys)
{
    if (!e->explaining) return;
    struct arena arena;
    struct buffer text;
    arena_init(&arena, 0);
    buffer_init(&text, &arena);
    for (size_t i = 0; i < keys.count; i++)
        buffer_put_format(&text, "%s%.*s", i ? ", " : "", STR_ARG(keys.list[i]));
    e->failed |= text.failed;
    explain_note(e, (struct relance_note){
                        .kind = kind, .key = key, .reason = keys.count ? buffer_str(&text) : STR("none")});
    arena_free(&arena);
}

/* ---- as things stand */

static void note_segment(struct relance_engine *e, const struct segment_change *change, struct arena *arena)
{
    const struct segment_rule *segment = &e->set->segments[change->segment];
    struct relance_note told = {.kind = change->enter ? RELANCE_NOTE_ON_ENTER : RELANCE_NOTE_ON_LEAVE,
                                .subject = segment->name};
    bool inside = e->customer && segment_value_now(e, change->segment).as.b;
    if (inside)
        told.reason = STR("the customer is in it");
    else if (e->customer && change->enter)
        told.reason = explain_condition(e, segment->condition, arena);
    else
        told.reason = STR("the customer is not in it");
    explain_note(e, told);
}

static void note_date(struct relance_engine *e, const struct rule *rule, struct arena *arena)
{
    struct relance_note told = {.kind = RELANCE_NOTE_ON_DATE, .due_ms = RELANCE_NEVER};
    struct buffer text;
    buffer_init(&text, arena);
    if (e->customer) {
        struct cel_value value = cel_eval(rule->date, &e->frame);
        if (value.kind == CEL_ERROR)
            buffer_put_str(&text, str_of(e->frame.error));
        else
            cel_explain_value(value, &text);
        if (!date_possible(rule, value))
            buffer_put_format(&text, ", which is no day: it is %s", date_form(rule));
        VECTOR_EACH (e->customer->state->dates, struct date_wait, date)
            if (&e->set->rules[date->rule] == rule) told.due_ms = date->due_ms;
    }
    told.reason = buffer_str(&text);
    e->failed |= text.failed;
    explain_note(e, told);
}

static void note_events(struct relance_engine *e, const struct rule *rule, struct arena *arena)
{
    struct buffer text;
    buffer_init(&text, arena);
    telling_put_types(&text, e->set, rule->on);
    e->failed |= text.failed;
    explain_note(e, (struct relance_note){.kind = RELANCE_NOTE_ON_EVENT, .subject = buffer_str(&text)});
}

static void note_rule(struct relance_engine *e, const struct rule *rule)
{
    struct arena arena;
    arena_init(&arena, 0);
    scope_enter_rule(e, rule, NULL);
    if (rule->kind == ON_EVENTS)
        note_events(e, rule, &arena);
    else if (rule->kind != ON_SEGMENTS)
        note_date(e, rule, &arena);
    for (size_t i = 0; i < rule->change_count; i++)
        note_segment(e, &rule->changes[i], &arena);
    arena_free(&arena);
}

void explain_note_run(struct relance_engine *e, enum relance_note_kind kind, const struct run *run)
{
    const struct rule *rule = &e->set->rules[run->rule];
    const struct awaited *awaited = run->step < rule->step_count ? rule->steps[run->step].awaited : NULL;
    explain_note(e, (struct relance_note){.kind = kind,
                                          .key = bytes_str(run->key),
                                          .rule = rule->name,
                                          .step = run->step + 1,
                                          .due_ms = run->due_ms,
                                          .awaited = awaited ? awaited->label : (str){0}});
}

void relance_engine_explain(struct relance_engine *e)
{
    if (!e->options.explain) return;
    struct customer *customer = customers_find(&e->customers, e->options.explained);
    bool known = customer && rest_wake(e, customer) && customer->held && customer->state;
    arena_reset(&e->scratch);
    scope_enter_customer(e, known ? customer : NULL,
                         known && customer->state->now_ms > e->clock_ms ? customer->state->now_ms
                                                                        : e->clock_ms);
    e->explaining = true;
    for (size_t i = 0; i < e->set->rule_count; i++)
        note_rule(e, &e->set->rules[i]);
    scope_enter_rule(e, NULL, NULL);
    if (known)
        VECTOR_EACH (customer->state->runs, struct run, run)
            explain_note_run(e, RELANCE_NOTE_RUNNING, run);
}
