/* The engine's side of relance/coverage.h: nothing, at the cost of one test, where nobody asks. */
#ifndef RULES_RULE_RUN_COVERAGE_H
#define RULES_RULE_RUN_COVERAGE_H

#include "cel/parts.h"
#include "rule/run/engine_internal.h"

/* What a condition has come to. */
struct asked {
    unsigned outcomes;       /* enum cel_outcome of the whole */
    struct cel_parts *parts; /* NULL: not made yet */
};

struct relance_coverage {
    const struct relance_ruleset *set;
    struct arena arena, scratch;
    bool *reached;         /* by point */
    struct asked *asked;   /* by program, of those that are conditions */
    struct scopes *scopes; /* what conditions may name */
    bool failed;           /* out of memory: something is not known */
};

/* The condition was that: notes it, and what its parts are in the scope in force. */
void coverage_ask(struct relance_coverage *coverage, const struct noted_program *condition, bool value,
                  struct cel_frame *frame) __attribute__((noinline));

/* Compilers take a pointer for one that is not NULL, and a running engine pays for that guess. */
static inline bool covering(const struct relance_engine *e)
{
    return __builtin_expect(e->options.coverage != NULL, false);
}

static inline void cover(struct relance_engine *e, struct point point)
{
    if (covering(e)) e->options.coverage->reached[point.number] = true;
}

static inline void cover_condition(struct relance_engine *e, const struct noted_program *condition,
                                   bool value)
{
    if (covering(e)) coverage_ask(e->options.coverage, condition, value, &e->frame);
}

#endif
