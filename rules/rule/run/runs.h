/* Runs: what run.c, cancel.c, step.c and trigger.c share. */
#ifndef RULES_RULE_RUN_RUNS_H
#define RULES_RULE_RUN_RUNS_H

#include "rule/run/engine_internal.h"

/* The place of the first run not before (rule, key). */
uint32_t run_place(const struct state *state, uint32_t rule, str key);
/* The run at a place if it is of that rule, else NULL. */
struct run *run_at(const struct state *state, uint32_t place, uint32_t rule);
struct run *run_find(const struct state *state, uint32_t rule, str key);

void run_decide(struct relance_engine *e, enum relance_outcome outcome, str key);
void run_end(struct relance_engine *e, struct run *run, enum relance_outcome outcome);

/* The id of the action of a run's step, from 0. (recall.c) */
str action_id(struct relance_engine *e, const struct run *run, uint32_t step, char out[32]);

/* Has a remembered event cancelled, after `time_ms`, what would start now? (cancel.c) */
bool run_is_overtaken(const struct relance_engine *e, uint32_t rule, str key, int64_t time_ms);

/* When a step's wait ends that begins at `base_ms`; `at_base`: the base itself may be the time of day. (step.c) */
int64_t step_wait_end(struct relance_engine *e, const struct step *step, int64_t base_ms, bool at_base);
/* The same for the step of that number of a rule. */
int64_t step_due(struct relance_engine *e, const struct rule *rule, uint32_t step, int64_t base_ms);
/* Performs the steps that are due by the horizon: at once, within the event or wait. The run may be gone then. */
void step_perform_due(struct relance_engine *e, struct run *run, int64_t horizon_ms);

#endif
