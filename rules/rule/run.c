/* Runs: started, rearmed and cancelled by events, and their steps when they fall due (rules.md §4).
 *
 * A customer's runs stand in the order (rule, key); rules are numbered in the order in which they act, so going
 * through them in order is acting in order. */
#include "rule/engine_internal.h"

#include "base/buffer.h"
#include "state/pack.h"

#include <inttypes.h>
#include <xxhash.h>

/* ---- finding runs */

static int run_compare(const struct run *run, uint32_t rule, str key)
{
    if (run->rule != rule) return run->rule < rule ? -1 : 1;
    return str_compare(bytes_str(run->key), key);
}

/* The place of the first run not before (rule, key). */
static uint32_t run_place(const struct state *state, uint32_t rule, str key)
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

static struct run *run_at(const struct state *state, uint32_t place, uint32_t rule)
{
    if (place >= state->runs.count) return NULL;
    struct run *run = VECTOR_AT(state->runs, struct run, place);
    return run->rule == rule ? run : NULL;
}

static struct run *run_find(const struct state *state, uint32_t rule, str key)
{
    struct run *run = run_at(state, run_place(state, rule, key), rule);
    return run && str_equal(bytes_str(run->key), key) ? run : NULL;
}

static void run_remove(struct relance_engine *e, struct run *run)
{
    struct vector *runs = &e->customer->state->runs;
    size_t place = (size_t)(run - (struct run *)runs->items);
    scope_enter_rule(e, e->rule, NULL);
    run_release(&e->customers.pool, run);
    vector_remove(runs, sizeof *run, place);
}

int64_t runs_next_due(const struct state *state)
{
    int64_t due_ms = RELANCE_NEVER;
    if (!state) return due_ms;
    VECTOR_EACH(state->runs, struct run, run)
        if (run->due_ms < due_ms) due_ms = run->due_ms;
    return due_ms;
}

/* ---- decisions about a run */

static void decide_run(struct relance_engine *e, enum relance_outcome outcome, str key)
{
    struct relance_decision decision = {.outcome = outcome, .key = key};
    decide(e, &decision);
}

static void end_run(struct relance_engine *e, struct run *run, enum relance_outcome outcome)
{
    decide_run(e, outcome, bytes_str(run->key));
    run_remove(e, run);
}

void runs_drop(struct relance_engine *e)
{
    struct state *state = e->customer->state;
    VECTOR_EACH(state->dropped, struct dropped_run, dropped) {
        struct relance_decision decision = {.outcome = RELANCE_OUTCOME_DROPPED, .rule = bytes_str(dropped->rule), .key = bytes_str(dropped->key)};
        decide(e, &decision);
        bytes_release(&e->customers.pool, dropped->rule);
        bytes_release(&e->customers.pool, dropped->key);
    }
    state->dropped.count = 0;
    for (uint32_t i = 0; i < state->runs.count;) {
        struct run *run = VECTOR_AT(state->runs, struct run, i);
        const struct rule *rule = &e->set->rules[run->rule];
        if (run->step < rule->step_count) {
            i++;
            continue;
        }
        scope_enter_rule(e, rule, run);
        end_run(e, run, RELANCE_OUTCOME_DROPPED);
    }
}

/* ---- cancels */

/* One cancel of a rule, asked about an event: its keys, once, before the runs are gone through. */
struct asked_cancel {
    const struct cancel *cancel;
    struct texts keys;
    bool broken; /* its key could not be evaluated: it reaches nothing */
};

static bool cancel_reaches(struct relance_engine *e, const struct asked_cancel *asked, struct run *run)
{
    if (asked->broken) return false;
    if (asked->cancel->key && !texts_have(asked->keys, bytes_str(run->key))) return false;
    scope_enter_rule(e, &e->set->rules[run->rule], run);
    return holds(e, asked->cancel->condition);
}

static void cancel_runs_of(struct relance_engine *e, uint32_t rule, const struct asked_cancel *asked, size_t count)
{
    struct state *state = e->customer->state;
    for (uint32_t place = run_place(state, rule, (str){0}); run_at(state, place, rule);) {
        struct run *run = run_at(state, place, rule);
        bool reached = false;
        for (size_t i = 0; i < count && !reached && run->trigger_ms <= e->event.time_ms; i++)
            reached = cancel_reaches(e, &asked[i], run);
        if (!reached) {
            place++;
            continue;
        }
        scope_enter_rule(e, &e->set->rules[rule], run);
        end_run(e, run, RELANCE_OUTCOME_CANCELLED);
    }
}

/* The oldest remembered event goes, with all that it cancels. */
static void forget_overtaker(struct relance_engine *e)
{
    struct vector *overtakers = &e->customer->state->overtakers;
    do {
        bytes_release(&e->customers.pool, VECTOR_AT(*overtakers, struct overtaker, 0)->key);
        vector_remove(overtakers, sizeof(struct overtaker), 0);
    } while (overtakers->count && !VECTOR_AT(*overtakers, struct overtaker, 0)->first);
}

static void trim_overtakers(struct relance_engine *e)
{
    struct state *state = e->customer->state;
    int64_t age_ms = e->options.lateness_ms > LIMIT_CANCEL_AGE_MS ? e->options.lateness_ms : LIMIT_CANCEL_AGE_MS;
    size_t events = 0;
    VECTOR_EACH(state->overtakers, struct overtaker, overtaker) events += overtaker->first;
    while (events > 0) {
        bool old = VECTOR_AT(state->overtakers, struct overtaker, 0)->time_ms < state->newest_ms - age_ms;
        if (!old && events <= LIMIT_CANCELS) break;
        forget_overtaker(e);
        events--;
    }
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
    for (size_t i = 0; i < count; i++) {
        const struct cancel *cancel = asked[i].cancel;
        if (!cancel->remembered || asked[i].broken) continue;
        scope_enter_rule(e, &e->set->rules[cancel->rule], NULL);
        if (!holds(e, cancel->condition)) continue;
        if (!cancel->key) remember_cancel(e, cancel->rule, NULL, &place);
        for (size_t k = 0; k < asked[i].keys.count; k++) remember_cancel(e, cancel->rule, &asked[i].keys.list[k], &place);
    }
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
        if (asked[i].cancel->key) asked[i].broken = !evaluate_texts(e, asked[i].cancel->key, &asked[i].keys);
    }
    for (size_t i = 0, n; i < type->cancel_count; i += n) {
        uint32_t rule = asked[i].cancel->rule;
        for (n = 1; i + n < type->cancel_count && asked[i + n].cancel->rule == rule;) n++;
        cancel_runs_of(e, rule, &asked[i], n);
    }
    remember_cancels(e, asked, type->cancel_count);
}

static bool overtaken(const struct relance_engine *e, uint32_t rule, str key)
{
    VECTOR_EACH(e->customer->state->overtakers, struct overtaker, o)
        if (o->rule == rule && o->time_ms > e->event.time_ms && (!o->key || str_equal(bytes_str(o->key), key))) return true;
    return false;
}

/* ---- steps */

/* XXH3_128, canonical form, over rule NUL customer NUL key NUL origin NUL step. */
static str action_id(struct relance_engine *e, const struct run *run, char out[32])
{
    static const char digits[] = "0123456789abcdef";
    struct buffer text;
    buffer_init(&text, &e->scratch);
    str parts[] = {e->rule->name, customer_id(e->customer), bytes_str(run->key), bytes_str(run->origin)};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        buffer_put_str(&text, parts[i]);
        buffer_put_char(&text, '\0');
    }
    buffer_put_format(&text, "%" PRIu32, run->step + 1);
    if (text.failed) e->failed = true;
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(text.data, text.size));
    for (size_t i = 0; i < sizeof canonical.digest; i++) {
        out[2 * i] = digits[canonical.digest[i] >> 4];
        out[2 * i + 1] = digits[canonical.digest[i] & 15];
    }
    return (str){out, 32};
}

static bool render_splice(struct relance_engine *e, struct cel_value value, struct buffer *out)
{
    struct buffer plain, quoted;
    buffer_init(&plain, &e->scratch);
    buffer_init(&quoted, &e->scratch);
    if (!cel_print(value, &plain)) {
        cel_fail(&e->frame, CEL_ERROR_CONVERSION, "a list, a map or null cannot stand inside a text");
        return false;
    }
    buffer_put_json_string(&quoted, buffer_str(&plain));
    if (quoted.failed || plain.failed) e->failed = true;
    if (quoted.size >= 2) buffer_put(out, quoted.data + 1, quoted.size - 2);
    return true;
}

static bool render_piece(struct relance_engine *e, const struct piece *piece, struct buffer *out)
{
    if (piece->kind == PIECE_TEXT) {
        buffer_put_str(out, piece->text);
        return true;
    }
    struct cel_value value = cel_eval(piece->program, &e->frame);
    if (value.kind == CEL_ERROR && value.code == CEL_ERROR_MEMORY) e->failed = true;
    if (value.kind == CEL_ERROR) return false;
    if (piece->kind == PIECE_SPLICE) return render_splice(e, value, out);
    if (cel_print_json(value, out)) return true;
    cel_fail(&e->frame, CEL_ERROR_CONVERSION, "JSON has no form for this value (NaN, an infinity, a type, an optional)");
    return false;
}

/* Computes the payload; false: frame.error says why not. */
static bool render(struct relance_engine *e, struct template template, str *out)
{
    struct buffer text;
    buffer_init(&text, &e->scratch);
    for (size_t i = 0; i < template.count; i++)
        if (!render_piece(e, &template.pieces[i], &text)) return false;
    if (text.failed) e->failed = true;
    *out = buffer_str(&text);
    if (text.size <= LIMIT_ACTION_BYTES) return true;
    cel_fail(&e->frame, CEL_ERROR_LIMIT, "the payload has %zu bytes; at most %u are sent", text.size, LIMIT_ACTION_BYTES);
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
    while (at < cooldowns->count && VECTOR_AT(*cooldowns, struct cooldown, at)->rule < rule) at++;
    struct cooldown *cooldown = VECTOR_AT(*cooldowns, struct cooldown, at);
    if (at == cooldowns->count || cooldown->rule != rule) cooldown = or_fail(e, vector_insert(&e->customers.pool, cooldowns, sizeof *cooldown, at));
    if (cooldown) *cooldown = (struct cooldown){rule, e->now_ms};
}

static void describe_trigger(const struct run *run, struct relance_decision *decision)
{
    const struct bytes *packed = *VECTOR_AT(run->triggers, struct bytes *, run->triggers.count - 1);
    struct unpack in = unpack_of(bytes_str(packed));
    unpack_map(&in);
    unpack_str(&in), decision->trigger_id = unpack_str(&in);
    unpack_str(&in), decision->trigger_type = unpack_str(&in);
    decision->trigger_time_ms = run->trigger_ms;
}

/* What becomes of a step that is due, its `while` having held. */
static void perform_step(struct relance_engine *e, struct run *run, const struct step *step)
{
    char id[32];
    struct relance_decision decision = {.key = bytes_str(run->key), .step = run->step + 1, .id = action_id(e, run, id), .send = step->send,
                                        .variant = bytes_str(run->variant), .due_ms = run->due_ms, .priority = e->rule->priority};
    describe_trigger(run, &decision);
    if (!holds(e, step->condition)) {
        decision.outcome = RELANCE_OUTCOME_SKIPPED;
    } else if (!render(e, step->with, &decision.with)) {
        decision.outcome = RELANCE_OUTCOME_FAILED;
        decision.why = str_of(e->frame.error);
    } else if (is_stale(e, run)) {
        decision.outcome = RELANCE_OUTCOME_STALE;
        decision.with = (str){0};
    } else {
        decision.outcome = RELANCE_OUTCOME_SENT;
        note_send(e, run->rule);
    }
    decide(e, &decision);
}

/* A run's step is due: performs it. The run, waiting for its next step, or NULL when it has ended. */
static struct run *fall_due(struct relance_engine *e, struct run *run)
{
    const struct rule *rule = &e->set->rules[run->rule];
    scope_enter_rule(e, rule, run);
    if (!holds(e, rule->while_true)) {
        end_run(e, run, RELANCE_OUTCOME_ENDED);
        return NULL;
    }
    perform_step(e, run, &rule->steps[run->step]);
    scope_forget(e);
    if (++run->step == rule->step_count) {
        end_run(e, run, RELANCE_OUTCOME_FINISHED);
        return NULL;
    }
    run->due_ms = e->now_ms + rule->steps[run->step].after_ms;
    return run;
}

/* Performs the steps that are due by the horizon: at once, within the event or wait. */
static void perform_due(struct relance_engine *e, struct run *run, int64_t horizon_ms)
{
    while (run && run->due_ms <= horizon_ms) run = fall_due(e, run);
}

void runs_fall_due(struct relance_engine *e, int64_t due_ms)
{
    VECTOR_EACH(e->customer->state->runs, struct run, run) {
        if (run->due_ms != due_ms) continue;
        perform_due(e, run, due_ms);
        return;
    }
}

/* ---- triggers */

/* The event becomes the run's newest trigger. */
static bool take_trigger(struct relance_engine *e, struct run *run)
{
    struct pool *pool = &e->customers.pool;
    size_t bound = e->rule->trigger_count;
    struct bytes *packed = scope_pack_event(e, e->rule->keeps, NULL, 0);
    if (!packed) return false;
    while (run->triggers.count >= bound) {
        bytes_release(pool, *VECTOR_AT(run->triggers, struct bytes *, 0));
        vector_remove(&run->triggers, sizeof packed, 0);
    }
    struct bytes **place = or_fail(e, vector_insert(pool, &run->triggers, sizeof *place, run->triggers.count));
    if (!place) {
        bytes_release(pool, packed);
        return false;
    }
    *place = packed;
    run->trigger_ms = e->event.time_ms;
    return true;
}

static void arm(struct relance_engine *e, struct run *run, uint32_t step)
{
    run->step = step;
    run->due_ms = e->event.time_ms + e->rule->steps[step].after_ms;
}

static bool set_origin(struct relance_engine *e, struct run *run)
{
    bytes_release(&e->customers.pool, run->origin);
    run->started_ms = e->event.time_ms;
    run->origin = or_fail(e, bytes_new(&e->customers.pool, e->event.id));
    return run->origin;
}

static void trigger_again(struct relance_engine *e, struct run *run, int64_t horizon_ms)
{
    bool restart = e->rule->again == AGAIN_RESTART;
    if (e->rule->again == AGAIN_IGNORE || e->event.time_ms < run->trigger_ms) return;
    if (!take_trigger(e, run) || (restart && !set_origin(e, run))) return;
    arm(e, run, restart ? 0 : run->step);
    decide_run(e, restart ? RELANCE_OUTCOME_RESTARTED : RELANCE_OUTCOME_REARMED, bytes_str(run->key));
    perform_due(e, run, horizon_ms);
}

static bool is_cooling(const struct relance_engine *e, uint32_t rule)
{
    VECTOR_EACH(e->customer->state->cooldowns, struct cooldown, cooldown)
        if (cooldown->rule == rule) return e->now_ms < cooldown->sent_ms + e->rule->cooldown_ms;
    return false;
}

/* What stands against a new run; RELANCE_OUTCOME_STARTED: nothing. */
static enum relance_outcome refusal(const struct relance_engine *e, uint32_t rule, str key)
{
    if (overtaken(e, rule, key)) return RELANCE_OUTCOME_OVERTAKEN;
    if (is_cooling(e, rule)) return RELANCE_OUTCOME_COOLING;
    if (e->customer->state->runs.count >= LIMIT_RUNS) return RELANCE_OUTCOME_FULL;
    return RELANCE_OUTCOME_STARTED;
}

static void start_run(struct relance_engine *e, uint32_t rule, str key, int64_t horizon_ms)
{
    struct state *state = e->customer->state;
    struct pool *pool = &e->customers.pool;
    struct run run = {.rule = rule, .key = or_fail(e, bytes_new(pool, key))};
    arm(e, &run, 0);
    bool whole = run.key && set_origin(e, &run) && take_trigger(e, &run);
    struct run *place = whole ? or_fail(e, vector_insert(pool, &state->runs, sizeof run, run_place(state, rule, key))) : NULL;
    if (!place) {
        run_release(pool, &run);
        return;
    }
    *place = run;
    decide_run(e, RELANCE_OUTCOME_STARTED, key);
    perform_due(e, place, horizon_ms);
}

static void trigger_key(struct relance_engine *e, uint32_t rule, str key, int64_t horizon_ms)
{
    struct run *run = run_find(e->customer->state, rule, key);
    if (run) {
        trigger_again(e, run, horizon_ms);
        return;
    }
    enum relance_outcome outcome = refusal(e, rule, key);
    if (outcome == RELANCE_OUTCOME_STARTED)
        start_run(e, rule, key, horizon_ms);
    else
        decide_run(e, outcome, key);
}

static void trigger_rule(struct relance_engine *e, uint32_t number, int64_t horizon_ms)
{
    static const str no_key = {0};
    const struct rule *rule = &e->set->rules[number];
    struct texts keys = {&no_key, 1};
    scope_enter_rule(e, rule, NULL);
    if (!holds(e, rule->condition)) return;
    if (rule->key && !evaluate_texts(e, rule->key, &keys)) return;
    for (size_t i = 0; i < keys.count; i++) {
        scope_enter_rule(e, rule, NULL);
        trigger_key(e, number, keys.list[i], horizon_ms);
    }
}

void runs_trigger(struct relance_engine *e, const struct typed_event *type, int64_t horizon_ms)
{
    for (size_t i = 0; i < type->rules.count; i++) trigger_rule(e, type->rules.types[i], horizon_ms);
}
