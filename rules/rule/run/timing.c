/* When steps are due: a wait begins at its base, the moment of the previous step or the trigger's time
 * (LANGUAGE.md §3.3). */
#include "rule/run/coverage.h"
#include "rule/run/runs.h"

#include <math.h>

/* `after` and `at` as CEL may give what cannot be waited for: then the run ends. */
static struct run *fail(struct relance_engine *e, struct run *run, const char *why)
{
    struct relance_decision decision = {.outcome = RELANCE_OUTCOME_FAILED,
                                        .key = bytes_str(run->key),
                                        .step = run->step + 1,
                                        .why = str_of(why)};
    engine_decide(e, &decision);
    run_remove(e, run);
    return NULL;
}

/* `after`, cut to whole ms; NULL: fine. */
static const char *ask_after(struct relance_engine *e, const struct timing *timing, int64_t *after_ms)
{
    *after_ms = timing->ms;
    if (!timing->after) return NULL;
    struct cel_value value = engine_evaluate_quietly(e, timing->after);
    if (value.kind == CEL_ERROR) return e->frame.error;
    if (value.kind != CEL_DURATION) return "'after' is not a duration";
    *after_ms = cel_timestamp_to_ms(value);
    return *after_ms < 0 ? "'after' is negative" : NULL;
}

static const char *ask_at(struct relance_engine *e, const struct timing *timing, struct time_of_day *at)
{
    *at = timing->at;
    if (!timing->at_text) return NULL;
    struct cel_value value = engine_evaluate_quietly(e, timing->at_text);
    if (value.kind == CEL_ERROR) return e->frame.error;
    bool is_time = value.kind == CEL_STRING && time_of_day_parse(cel_text(value), at);
    return is_time ? NULL : "'at' is not a time of day";
}

/* When the wait for `after` and `at` ends; NULL: fine. */
static const char *ask_end(struct relance_engine *e, const struct run *run, int64_t base_ms, int64_t *due_ms)
{
    const struct timing *timing = &e->rule->steps[run->step].timing;
    bool at_base = rule_is_dated(e->rule) && run->step == 0;
    struct time_of_day at;
    int64_t after_ms;
    const char *why = ask_at(e, timing, &at);
    if (!why) why = ask_after(e, timing, &after_ms);
    if (why) return why;
    if (at.minutes < 0)
        *due_ms = base_ms + after_ms;
    else
        *due_ms = local_at(customer_zone(e), base_ms, timing->days, at, at_base);
    return NULL;
}

static void wait_until(struct relance_engine *e, struct run *run, int64_t due_ms)
{
    state_wait_moved(e->customer->state, run->due_ms, due_ms);
    run->late = false;
    run->due_ms = run->first_due_ms = due_ms;
}

void run_wait_before_date(struct relance_engine *e, struct run *run, int64_t due_ms, int64_t base_ms)
{
    bool late = due_ms < base_ms;
    wait_until(e, run, late ? base_ms : due_ms);
    run->late = late;
}

static void park(struct relance_engine *e, struct run *run)
{
    run->base_ms = STATE_NO_TIME;
    wait_until(e, run, RELANCE_NEVER);
}

bool run_parks(const struct relance_engine *e)
{
    return !e->rule->visitors && customer_is_visitor(e->customer);
}

struct run *step_arm(struct relance_engine *e, struct run *run, uint32_t number, int64_t base_ms)
{
    int64_t due_ms;
    const struct step *step = &e->rule->steps[number];
    run->step = number;
    if (run_parks(e)) {
        park(e, run);
        return run;
    }
    run->base_ms = step->awaited ? base_ms : STATE_NO_TIME;
    if (step->awaited) {
        run_forget_answer(e, run);
        wait_until(e, run, base_ms + step->awaited->within_ms);
    } else if (step->timing.before) {
        run_wait_before_date(e, run, date_step_time(e, run, &step->timing), base_ms);
    } else {
        scope_enter_rule(e, e->rule, run);
        scope_forget(e);
        const char *why = ask_end(e, run, base_ms, &due_ms);
        if (why) return fail(e, run, why);
        wait_until(e, run, due_ms);
    }
    return run;
}
