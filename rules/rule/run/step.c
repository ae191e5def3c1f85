/* Steps that fall due: `while`, `if`, limits, payload, staleness, then sent or held, then `set`
 * (LANGUAGE.md §4.8). */
#include "rule/run/coverage.h"
#include "rule/run/explain.h"
#include "rule/run/runs.h"

#include "base/buffer.h"
#include "state/pack.h"

#include <math.h>

static bool render_splice(struct relance_engine *e, struct cel_value value, struct buffer *out)
{
    struct buffer plain, quoted;
    buffer_init(&plain, &e->scratch);
    buffer_init_bounded(&quoted, &e->scratch, LIMIT_ACTION_BYTES);
    if (value.kind == CEL_DOUBLE && !isfinite(value.as.d)) {
        cel_fail(&e->frame, CEL_ERROR_CONVERSION, "NaN and infinities cannot stand inside a text");
        return false;
    }
    if (!cel_print(value, &plain)) {
        cel_fail(&e->frame, CEL_ERROR_CONVERSION, "a list, a map or null cannot stand inside a text");
        return false;
    }
    buffer_put_json_string(&quoted, buffer_str(&plain));
    if (plain.failed || (quoted.failed && !quoted.over)) e->failed = true;
    if (quoted.over) out->failed = out->over = true;
    if (quoted.size >= 2) buffer_put(out, quoted.data + 1, quoted.size - 2);
    return true;
}

static bool render_piece(struct relance_engine *e, const struct piece *piece, struct buffer *out)
{
    if (piece->kind == PIECE_TEXT) {
        buffer_put_str(out, piece->text);
        return true;
    }
    struct cel_value value = engine_evaluate_quietly(e, piece->program);
    if (value.kind == CEL_ERROR) return false;
    if (piece->kind == PIECE_SPLICE) return render_splice(e, value, out);
    if (cel_print_json(value, out) || out->failed) return true;
    cel_fail(&e->frame, CEL_ERROR_CONVERSION,
             "JSON has no form for this value (NaN, an infinity, a type, an optional)");
    return false;
}

/* Computes the payload; false: frame.error says why not. */
static bool render(struct relance_engine *e, struct template template, str *out)
{
    struct buffer text;
    buffer_init_bounded(&text, &e->scratch, LIMIT_ACTION_BYTES);
    for (size_t i = 0; i < template.count && !text.failed; i++)
        if (!render_piece(e, &template.pieces[i], &text)) return false;
    *out = buffer_str(&text);
    if (!text.failed) return true;
    if (!text.over) e->failed = true;
    cel_fail(&e->frame, CEL_ERROR_LIMIT, "the payload has more than %u bytes, the most that are sent",
             LIMIT_ACTION_BYTES);
    return false;
}

static bool is_stale(const struct relance_engine *e, const struct run *run)
{
    bool wall = e->wall_ms != RELANCE_NEVER && e->wall_ms > e->now_ms;
    return (wall ? e->wall_ms : e->now_ms) - run->due_ms > e->rule->stale_ms;
}

static void note_send(struct relance_engine *e, uint32_t rule)
{
    struct vector *cooldowns = &e->customer->state->cooldowns;
    if (!e->rule->cooldown_ms) return;
    uint32_t at = 0;
    while (at < cooldowns->count && VECTOR_AT(*cooldowns, struct cooldown, at)->rule < rule)
        at++;
    struct cooldown *cooldown = at < cooldowns->count ? VECTOR_AT(*cooldowns, struct cooldown, at) : NULL;
    if (!cooldown || cooldown->rule != rule)
        cooldown = or_fail(e, vector_insert(&e->customers.pool, cooldowns, sizeof *cooldown, at));
    if (cooldown) *cooldown = (struct cooldown){rule, e->now_ms};
}

static void describe_trigger(const struct run *run, struct relance_decision *decision)
{
    const struct kept_event *newest = *VECTOR_AT(run->triggers, struct kept_event *, run->triggers.count - 1);
    struct unpack in = unpack_of(kept_event_str(newest));
    unpack_map(&in);
    unpack_str(&in), decision->trigger_id = unpack_str(&in);
    unpack_str(&in), decision->trigger_type = unpack_str(&in);
    decision->trigger_time_ms = run->trigger_ms;
}

/* A held send is of the variant that sends nothing but is measured. */
static bool is_held(const struct relance_engine *e, const struct run *run)
{
    for (size_t i = 0; i < e->rule->variant_count && run->variant; i++)
        if (e->rule->variants[i].holdout && str_equal(e->rule->variants[i].name, bytes_str(run->variant)))
            return true;
    return false;
}

/* Limits in file order, the first that blocks decides. True: the run is armed again for a later instant. */
static bool limited(struct relance_engine *e, struct run *run, const struct step *step,
                    struct relance_decision *decision, bool *blocked)
{
    struct verdict verdict = limits_check(e, step->send);
    *blocked = verdict.limit;
    if (!verdict.limit) return false;
    cover(e, verdict.limit->point);
    explain_limit(e, verdict.limit);
    decision->by = verdict.limit->label;
    if (verdict.until_ms == RELANCE_NEVER) {
        decision->outcome = RELANCE_OUTCOME_CAPPED;
        decision->why = verdict.limit->max_text;
        return false;
    }
    decision->outcome = RELANCE_OUTCOME_DEFERRED;
    decision->until_ms = run->due_ms = verdict.until_ms;
    return true;
}

static void send(struct relance_engine *e, struct run *run, const struct step *step,
                 struct relance_decision *decision)
{
    bool held = is_held(e, run);
    if (!render(e, step->with, &decision->with)) {
        decision->outcome = RELANCE_OUTCOME_FAILED;
        decision->why = str_of(e->frame.error);
    } else if (is_stale(e, run)) {
        decision->outcome = RELANCE_OUTCOME_STALE;
        decision->with = (str){0};
    } else {
        decision->outcome = held ? RELANCE_OUTCOME_HELD : RELANCE_OUTCOME_SENT;
        note_send(e, run->rule);
        if (!held) limits_count(e, step->send);
        goal_open(e, run);
    }
}

/* A duration as it is: the form that it has in JSON is for whoever reads an action, not the form of LANGUAGE.md §2. */
static bool set_duration(struct relance_engine *e, const struct set_attribute *set, struct cel_value *value)
{
    bool wanted = e->set->attributes[set->number].type->kind == CEL_TYPE_DURATION;
    if (!wanted || set->value.count != 1 || set->value.pieces[0].kind != PIECE_VALUE) return false;
    struct cel_value found = engine_evaluate_quietly(e, set->value.pieces[0].program);
    if (found.kind == CEL_DURATION) *value = cel_duration_ms(cel_timestamp_to_ms(found));
    return found.kind == CEL_DURATION;
}

static void set_value(struct relance_engine *e, const struct set_attribute *set, struct cel_value *value)
{
    str json;
    *value = (struct cel_value){.kind = CEL_ABSENT};
    if (set_duration(e, set, value)) return;
    if (!render(e, set->value, &json)) {
        engine_report_error(e, e->frame.error);
        return;
    }
    if (event_coerce_json(&e->scratch, json, e->set->attributes[set->number].type, value)) return;
    if (value->kind == CEL_ERROR) e->failed = true; /* else the answer would depend on the machine */
    value->kind = CEL_ABSENT;
    engine_report_error(e, "the value does not have the attribute's type");
}

/* Values of `set`: all are computed before the first is written. */
static void set_attributes(struct relance_engine *e, const struct step *step)
{
    struct cel_value *values = or_fail(e, arena_alloc(&e->scratch, (step->set_count + 1) * sizeof *values));
    if (!values) return;
    for (size_t i = 0; i < step->set_count; i++)
        set_value(e, &step->sets[i], &values[i]);
    for (size_t i = 0; i < step->set_count; i++)
        if (values[i].kind != CEL_ABSENT) attribute_write(e, step->sets[i].number, values[i], e->now_ms);
}

enum performed { PERFORMED, DEFERRED };

/* What becomes of a step that is due, its `while` having held. */
static enum performed perform_step(struct relance_engine *e, struct run *run, const struct step *step)
{
    char id[32];
    struct relance_decision decision = {.key = bytes_str(run->key),
                                        .step = run->step + 1,
                                        .id = action_id(e, run, run->step, id),
                                        .send = step->send,
                                        .variant = bytes_str(run->variant),
                                        .due_ms = run->due_ms,
                                        .priority = e->rule->priority,
                                        .said = run->step < run->said};
    describe_trigger(run, &decision);
    cover(e, step->point);
    bool blocked = false, deferred = false, skipped = !condition_holds_or_reason(e, step->condition);
    if (skipped)
        decision.outcome = RELANCE_OUTCOME_SKIPPED;
    else if (step->send.size && !(deferred = limited(e, run, step, &decision, &blocked)) && !blocked)
        send(e, run, step, &decision);
    if (skipped || step->send.size) engine_decide(e, &decision);
    bool sent = decision.outcome == RELANCE_OUTCOME_SENT || decision.outcome == RELANCE_OUTCOME_HELD;
    bool done = !skipped && (!step->send.size || sent);
    if (done) set_attributes(e, step);
    return deferred ? DEFERRED : PERFORMED;
}

/* A run's step is due: performs it. The run, waiting for what comes next, or NULL when it has ended. */
static struct run *fall_due(struct relance_engine *e, struct run *run)
{
    const struct rule *rule = &e->set->rules[run->rule];
    scope_enter_rule(e, rule, run);
    if (!condition_holds_or_reason(e, rule->while_true)) {
        run_end(e, run, RELANCE_OUTCOME_ENDED);
        return NULL;
    }
    enum performed performed = perform_step(e, run, &rule->steps[run->step]);
    scope_forget(e);
    if (performed == DEFERRED) return run;
    if (++run->step == rule->step_count) {
        run_end(e, run, RELANCE_OUTCOME_FINISHED);
        return NULL;
    }
    run->due_ms = run->first_due_ms = step_due(e, rule, run->step, e->now_ms);
    return run;
}

int64_t step_wait_end(struct relance_engine *e, const struct step *step, int64_t base_ms, bool at_base)
{
    if (step->at_minutes < 0) return base_ms + step->after_ms;
    return local_at(customer_zone(e), base_ms, step->after_days, step->at_minutes, at_base);
}

int64_t step_due(struct relance_engine *e, const struct rule *rule, uint32_t number, int64_t base_ms)
{
    bool at_base = number == 0 && (rule->kind == ON_YEARLY || rule->kind == ON_DATE);
    return step_wait_end(e, &rule->steps[number], base_ms, at_base);
}

void step_perform_due(struct relance_engine *e, struct run *run, int64_t horizon_ms)
{
    while (run && run->due_ms <= horizon_ms)
        run = fall_due(e, run);
}
