/* The engine's own: what its files share. engine.c is the seam; happen.c deals with one event, run.c with runs
 * and their steps, counting.c with counts, scope.c with what expressions see. */
#ifndef RULES_RULE_ENGINE_INTERNAL_H
#define RULES_RULE_ENGINE_INTERNAL_H

#include "base/limits.h"
#include "rule/customers.h"
#include "rule/set.h"

#include <relance/engine.h>

struct relance_engine {
    struct relance_engine_options options;
    const struct relance_ruleset *set;
    struct arena arena;            /* the engine itself */
    struct arena frame_arena;      /* slots, for the rule set in force */
    struct arena scratch;          /* one event or wait */
    struct customers customers;
    struct event_reader *reader;
    struct event event;            /* the one being processed */
    int64_t clock_ms, wall_ms, newest_ms; /* STATE_NO_TIME, RELANCE_NEVER, STATE_NO_TIME: none */
    str needed;                    /* whose state was missing */
    bool failed;                   /* out of memory: the engine must not go on */

    /* the scope in force: whom and what expressions are asked about */
    struct cel_frame frame;
    struct customer *customer;
    int64_t now_ms;
    const struct rule *rule;       /* NULL: none */
    struct run *run;               /* NULL: none; then `trigger` is the event */
    uint32_t *resolved;            /* slots to be unset when the scope changes */
    size_t resolved_count;
};

/* ---- scope.c */
bool scope_init(struct relance_engine *e);
void scope_forget(struct relance_engine *e); /* something that expressions may have read has changed */
void scope_enter_customer(struct relance_engine *e, struct customer *customer, int64_t now_ms);
void scope_enter_rule(struct relance_engine *e, const struct rule *rule, struct run *run);
/* Puts the envelope of the present event into its slots. */
void scope_set_event(struct relance_engine *e);
/* The present event as stored for a run or for `last`: the envelope and the fields wanted, packed. NULL
 * without memory. */
struct bytes *scope_pack_event(struct relance_engine *e, const bool *keeps, const uint32_t *fields, size_t count);

/* Evaluates a condition; NULL is true, an error is false and reported. */
bool holds(struct relance_engine *e, const struct cel_program *condition);
struct cel_value evaluate(struct relance_engine *e, const struct cel_program *program); /* errors reported */
void report_error(struct relance_engine *e, const char *sentence);

/* Texts of a key or of a count's `by`: one, or the distinct elements of a list in order. False: an error. */
struct texts {
    const str *list;
    size_t count;
};
bool evaluate_texts(struct relance_engine *e, const struct cel_program *program, struct texts *out);
bool texts_have(struct texts texts, str text);

/* ---- counting.c */
void count_event(struct relance_engine *e, const struct typed_event *type);
/* Does a bucket count at `now_ms`? */
bool count_in_window(const struct count_rule *rule, int64_t bucket, int64_t now_ms);
struct cel_value count_value_at(struct relance_engine *e, uint32_t number, str by);

/* ---- happen.c */
void happen_event(struct relance_engine *e, struct customer *customer);
bool happen_is_duplicate(const struct relance_engine *e, const struct state *state);

/* ---- run.c */
void runs_cancel(struct relance_engine *e, const struct typed_event *type);
void runs_trigger(struct relance_engine *e, const struct typed_event *type, int64_t horizon_ms);
void runs_fall_due(struct relance_engine *e, int64_t due_ms); /* the customer's first wait at that instant */
void runs_drop(struct relance_engine *e);                     /* those whose rule or step is gone */
int64_t runs_next_due(const struct state *state);

/* ---- decision.c */
void decide(struct relance_engine *e, const struct relance_decision *decision);

/* Out of memory: noted once, reported by the seam; what is under way is finished as well as can be. */
static inline void *or_fail(struct relance_engine *e, void *p)
{
    if (!p) e->failed = true;
    return p;
}

#endif
