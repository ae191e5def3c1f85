/* Runs: what the files share that deal with them. */
#ifndef RULES_RULE_RUN_RUNS_H
#define RULES_RULE_RUN_RUNS_H

#include "rule/run/engine_internal.h"

/* ---- run.c */

/* The place of the first run not before (rule, key). */
uint32_t run_place(const struct state *state, uint32_t rule, str key);
/* The run at a place if it is of that rule, else NULL. */
struct run *run_at(const struct state *state, uint32_t place, uint32_t rule);
struct run *run_find(const struct state *state, uint32_t rule, str key);

void run_decide(struct relance_engine *e, enum relance_outcome outcome, str key);
void run_end(struct relance_engine *e, struct run *run, enum relance_outcome outcome);
/* A copy of it, at its place; what it owns becomes the state's. NULL without memory: noted, and it owns that still. */
struct run *run_insert(struct relance_engine *e, const struct run *run);
void run_remove(struct relance_engine *e, struct run *run); /* its end has been told */
/* Its last send was that step's, from 1, to the customer; 0: it has sent nothing. */
void run_set_action(struct relance_engine *e, struct run *run, uint32_t step);

/* The id of the action of a run's step, from 0, to that customer. (recall.c) */
str action_id(struct relance_engine *e, str customer, const struct run *run, uint32_t step, char out[32]);

/* ---- timing.c, step.c, wait.c: of the run in scope. Those that give a run give NULL where it has ended. */

/* Does a run of the customer and the rule in scope wait for nothing but its visitor's becoming known? */
bool run_parks(const struct relance_engine *e);
/* The run waits for that step from `base_ms` on; or it is parked there. */
struct run *step_arm(struct relance_engine *e, struct run *run, uint32_t step, int64_t base_ms);
/* Its present step, which comes before a date, is due then; one that was due before the base is late, and due at the base. */
void run_wait_before_date(struct relance_engine *e, struct run *run, int64_t due_ms, int64_t base_ms);
/* Its present step is over: it waits for the next, from now on. */
struct run *step_go_on(struct relance_engine *e, struct run *run);
/* Performs the steps that are due by the horizon: at once, within the event or wait. NULL is let through. */
void step_perform_due(struct relance_engine *e, struct run *run, int64_t horizon_ms);

void run_forget_answer(struct relance_engine *e, struct run *run); /* there is none (any more) */
/* The event has not come within its time. */
struct run *wait_over(struct relance_engine *e, struct run *run, const struct awaited *awaited);

/* ---- cooldown.c: of the rule in scope */

/* Does it hold for that key? *until_ms is then when it ends; RELANCE_NEVER: it does not. */
bool cooldown_holds(const struct relance_engine *e, uint32_t rule, str key, int64_t *until_ms);
void cooldown_take(struct relance_engine *e, struct cooldown *given); /* a visitor's becomes the customer's */
void cooldown_note(struct relance_engine *e, const struct run *run);  /* the run has sent */

/* ---- measure.c: what a rule with a goal is measured by */

/* The run has sent, or was held as its variant says; and an event reached a goal of that rule. Each completes the decision
 * that says so. */
void measure_reach(struct relance_engine *e, const struct run *run, struct relance_decision *decision);
void measure_goal(struct relance_engine *e, uint32_t rule, struct relance_decision *decision);

/* ---- overtake.c: has an event that cancels come before a trigger of that time, though it happened later? */

/* By what is remembered in that state: the customer's own, or at a link the other one's. Which it was becomes the
 * decision's `by`. Certainly: one that is not remembered any more. */
bool overtaken_unasked(struct relance_engine *e, const struct state *memory, uint32_t rule, int64_t time_ms,
                       struct relance_decision *decision);
/* Perhaps: one that is. */
bool overtaken_perhaps(const struct state *memory, int64_t time_ms);
/* One of these says so of the run that would start. */
bool overtaken(struct relance_engine *e, const struct state *memory, struct run *run, int64_t time_ms,
               struct relance_decision *decision);

/* ---- payload.c */

/* The payload as JSON, empty where there is none; false: frame.error says why not. */
bool template_render(struct relance_engine *e, struct template template, str *out);
/* Performs `set`: all values are computed before the first is written, one that fails leaves its attribute as it was. What
 * has been set, as JSON; empty: nothing. */
str attributes_set(struct relance_engine *e, const struct step *step);

/* ---- dates.c */

/* The instant that many hours or days before the date of the run's newest trigger. */
int64_t date_step_time(struct relance_engine *e, const struct run *run, const struct timing *timing);

#endif
