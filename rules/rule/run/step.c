/* Steps that fall due: `while`, `if`, cooldown, limits, payload, staleness, then sent or held, then `set`
 * (LANGUAGE.md §4.8). */
#include "rule/run/coverage.h"
#include "rule/run/explain.h"
#include "rule/run/runs.h"

#include "state/pack.h"

static bool is_stale(const struct relance_engine *e, const struct run *run)
{
    bool wall = e->wall_ms != RELANCE_NEVER && e->wall_ms > e->now_ms;
    return (wall ? e->wall_ms : e->now_ms) - run->due_ms > e->rule->stale_ms;
}

static void describe_trigger(const struct run *run, struct relance_decision *decision)
{
    struct unpack in = unpack_of(kept_event_str(*run_newest_trigger(run)));
    unpack_map(&in);
    unpack_str(&in), decision->trigger_id = unpack_str(&in);
    unpack_str(&in), decision->trigger_type = unpack_str(&in);
    unpack_str(&in), decision->trigger_time_ms = unpack_int(&in);
    decision->traceparent = bytes_str(run->traceparent);
}

/* Is it of the variant that sends nothing but is measured? */
static bool is_held(const struct relance_engine *e, const struct run *run)
{
    for (size_t i = 0; i < e->rule->variant_count && run->variant; i++)
        if (e->rule->variants[i].holdout && str_equal(e->rule->variants[i].name, bytes_str(run->variant)))
            return true;
    return false;
}

/* Limits in file order, the first that blocks decides, and the first that holds gives the group. True: the run is armed
 * again for a later instant. */
static bool limited(struct relance_engine *e, struct run *run, const struct step *step,
                    struct relance_decision *decision, bool *blocked)
{
    struct verdict verdict = limits_check(e, step->send);
    *blocked = verdict.limit;
    if (verdict.hold) cover(e, verdict.hold->point);
    if (!verdict.limit) {
        decision->group = verdict.hold ? verdict.hold->text : (str){0};
        return false;
    }
    cover(e, verdict.limit->point);
    explain_limit(e, verdict.limit);
    decision->by = verdict.limit->label;
    decision->limit = verdict.limit->name;
    if (verdict.until_ms == RELANCE_NEVER) {
        decision->outcome = verdict.limit->kind == GATE ? RELANCE_OUTCOME_BLOCKED : RELANCE_OUTCOME_CAPPED;
        decision->why = verdict.limit->name;
        return false;
    }
    state_wait_moved(e->customer->state, run->due_ms, verdict.until_ms);
    decision->outcome = RELANCE_OUTCOME_DEFERRED;
    decision->until_ms = run->due_ms = verdict.until_ms;
    return true;
}

static void send(struct relance_engine *e, struct run *run, const struct step *step,
                 struct relance_decision *decision)
{
    bool held = decision->group.size || is_held(e, run);
    str group = decision->group;
    decision->group = (str){0};
    if (!template_render(e, step->with, &decision->with)) {
        decision->outcome = RELANCE_OUTCOME_FAILED;
        decision->why = str_of(e->frame.error);
    } else if (is_stale(e, run)) {
        decision->outcome = RELANCE_OUTCOME_STALE;
        decision->with = (str){0};
    } else {
        decision->outcome = held ? RELANCE_OUTCOME_HELD : RELANCE_OUTCOME_SENT;
        decision->group = group;
        if (e->models_asked) decision->models = affinity_models(e);
        if (e->explaining) explain_learnt(e, step, decision);
        cooldown_note(e, run);
        if (!held) limits_count(e, step->send);
        goal_open(e, run);
        if (!group.size) measure_reach(e, run, decision);
        run->sent++;
        run_set_action(e, run, run->step + 1);
    }
}

/* What `run.outcome` says of a step behind which a run goes on. */
static enum state_outcome outcome_of(const struct relance_decision *decision)
{
    switch (decision->outcome) {
    case RELANCE_OUTCOME_SENT: return STATE_OUTCOME_SENT;
    case RELANCE_OUTCOME_HELD: return STATE_OUTCOME_HELD;
    case RELANCE_OUTCOME_SKIPPED: return STATE_OUTCOME_SKIPPED;
    case RELANCE_OUTCOME_CAPPED: return STATE_OUTCOME_CAPPED;
    case RELANCE_OUTCOME_BLOCKED: return STATE_OUTCOME_BLOCKED;
    case RELANCE_OUTCOME_STALE: return STATE_OUTCOME_STALE;
    case RELANCE_OUTCOME_FAILED: return STATE_OUTCOME_FAILED;
    default: return STATE_OUTCOME_DONE;
    }
}

/* Dates are looked at anew at once. Runs that follow one may end there, and this one then stands elsewhere: e->run. */
static void set_attributes(struct relance_engine *e, struct run *run, const struct step *step)
{
    const struct rule *rule = e->rule;
    uint32_t number = run->rule;
    str key = bytes_str(run->key);
    struct relance_decision decision = {.outcome = RELANCE_OUTCOME_SET,
                                        .key = key,
                                        .step = run->step + 1,
                                        .variant = bytes_str(run->variant)};
    scope_forget(e);
    decision.set = attributes_set(e, step);
    if (!decision.set.size) return;
    engine_decide(e, &decision);
    dates_update(e);
    scope_enter_rule(e, rule, run_find(e->customer->state, number, key));
}

static struct relance_decision step_decision(struct relance_engine *e, const struct run *run,
                                             const struct step *step, char id[32])
{
    struct relance_decision decision = {.key = bytes_str(run->key),
                                        .step = run->step + 1,
                                        .id = action_id(e, customer_id(e->customer), run, run->step, id),
                                        .send = step->send,
                                        .variant = bytes_str(run->variant),
                                        .due_ms = run->due_ms,
                                        .priority = e->rule->priority,
                                        .said = run->step < run->said};
    describe_trigger(run, &decision);
    return decision;
}

enum performed { PERFORMED, DEFERRED, COOLED };

/* A run that has not sent anything yet ends where it would send within the cooldown. */
static enum performed cool(struct relance_engine *e, struct relance_decision *decision)
{
    decision->outcome = RELANCE_OUTCOME_COOLING;
    decision->variant = (str){0};
    engine_decide(e, decision);
    return COOLED;
}

/* What becomes of a step that is due, its `while` having held. The run is e->run then. */
static enum performed perform_step(struct relance_engine *e, struct run *run, const struct step *step)
{
    char id[32];
    struct relance_decision decision = step_decision(e, run, step, id);
    cover(e, step->point);
    bool blocked = false, deferred = false, skipped = !condition_holds_or_reason(e, step->condition);
    bool sends = !skipped && step->send.size;
    if (sends && !run->sent && cooldown_holds(e, run->rule, decision.key, &decision.until_ms))
        return cool(e, &decision);
    if (skipped)
        decision.outcome = RELANCE_OUTCOME_SKIPPED;
    else if (sends && !(deferred = limited(e, run, step, &decision, &blocked)) && !blocked)
        send(e, run, step, &decision);
    if (skipped || sends) engine_decide(e, &decision);
    if (deferred) return DEFERRED;
    bool sent = decision.outcome == RELANCE_OUTCOME_SENT || decision.outcome == RELANCE_OUTCOME_HELD;
    if (!skipped && (!sends || sent)) set_attributes(e, run, step);
    e->run->outcome = (uint8_t)(skipped || sends ? outcome_of(&decision) : STATE_OUTCOME_DONE);
    return PERFORMED;
}

/* A step before a date, whose time was over when its wait began, is skipped without being asked anything. */
static struct run *skip_late(struct relance_engine *e, struct run *run, const struct step *step)
{
    char id[32];
    struct relance_decision decision = step_decision(e, run, step, id);
    decision.outcome = RELANCE_OUTCOME_SKIPPED;
    if (e->explaining) e->reason = STR("its time before the date was over");
    engine_decide(e, &decision);
    run->outcome = STATE_OUTCOME_SKIPPED;
    return step_go_on(e, run);
}

struct run *step_go_on(struct relance_engine *e, struct run *run)
{
    scope_forget(e);
    if (run->step + 1 < e->rule->step_count) return step_arm(e, run, run->step + 1, e->now_ms);
    run->step++;
    run_end(e, run, RELANCE_OUTCOME_FINISHED);
    return NULL;
}

/* A run's step is due: performs it. The run, waiting for what comes next, or NULL when it has ended. */
static struct run *fall_due(struct relance_engine *e, struct run *run)
{
    const struct rule *rule = &e->set->rules[run->rule];
    const struct step *step = &rule->steps[run->step];
    scope_enter_rule(e, rule, run);
    e->models_asked = 0;
    if (run_parks(e))
        return step_arm(e, run, run->step, e->now_ms); /* the rule performed it until it changed */
    if (step->awaited) return wait_over(e, run, step->awaited);
    if (run->late) return skip_late(e, run, step);
    if (!condition_holds_or_reason(e, rule->while_true)) {
        run_end(e, run, RELANCE_OUTCOME_ENDED);
        return NULL;
    }
    switch (perform_step(e, run, step)) {
    case DEFERRED: scope_forget(e); return run;
    case COOLED: run_remove(e, run); return NULL;
    case PERFORMED: break;
    }
    return step_go_on(e, e->run);
}

void step_perform_due(struct relance_engine *e, struct run *run, int64_t horizon_ms)
{
    while (run && (run->late || run->due_ms <= horizon_ms))
        run = fall_due(e, run);
}
