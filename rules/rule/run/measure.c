/* What a rule with a goal is measured by: of each customer whom it has reached, the variant, and what came of it. So
 * people are counted once however often they are sent to, and their goals under the variant that they met first, whatever
 * becomes of the split meanwhile. That is kept with the customer's state: it is bounded by the number of rules. */
#include "rule/run/runs.h"

#include <math.h>

/* Its place among those of the customer; *found: is it there? */
static uint32_t place_of(const struct relance_engine *e, uint32_t rule, bool *found)
{
    const struct vector *measured = &e->customer->state->measured;
    uint32_t at = 0;
    while (at < measured->count && VECTOR_AT(*measured, struct measured, at)->rule < rule)
        at++;
    *found = at < measured->count && VECTOR_AT(*measured, struct measured, at)->rule == rule;
    return at;
}

void measure_reach(struct relance_engine *e, const struct run *run, struct relance_decision *decision)
{
    struct pool *pool = &e->customers.pool;
    bool found;
    uint32_t at = place_of(e, run->rule, &found);
    if (found || !e->rule->goal.on.count) return;
    struct measured *measured =
        or_fail(e, vector_insert(pool, &e->customer->state->measured, sizeof *measured, at));
    if (!measured) return;
    *measured = (struct measured){.rule = run->rule};
    if (run->variant) measured->variant = or_fail(e, bytes_new(pool, bytes_str(run->variant)));
    decision->measure =
        (struct relance_measure){.counts = true, .reached = true, .variant = bytes_str(run->variant)};
}

/* To the nearest ten-thousandth, halves away from 0; within bounds, so that none overflows. */
static int64_t with_goal(int64_t value, double goal)
{
    enum { PARTS = 10000 };
    double most = (double)STATE_VALUE_MAX, parts = round(goal * PARTS);
    int64_t sum = value + (int64_t)(parts > most ? most : parts < -most ? -most : parts);
    return sum > STATE_VALUE_MAX ? STATE_VALUE_MAX : sum < -STATE_VALUE_MAX ? -STATE_VALUE_MAX : sum;
}

void measure_goal(struct relance_engine *e, uint32_t rule, struct relance_decision *decision)
{
    bool found;
    uint32_t at = place_of(e, rule, &found);
    if (!found) return; /* held for a limit's group, or reached before there was this memory */
    struct measured *measured = VECTOR_AT(e->customer->state->measured, struct measured, at);
    decision->measure = (struct relance_measure){.counts = true,
                                                 .won = !measured->won,
                                                 .variant = bytes_str(measured->variant),
                                                 .value_before = measured->value,
                                                 .value = with_goal(measured->value, decision->value)};
    measured->won = true;
    measured->value = decision->measure.value;
}
