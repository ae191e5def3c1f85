/* Coverage: what of a rule set engines have reached, and what none of them has (`relance test --coverage`).
 *
 *     struct relance_coverage *coverage = relance_coverage_new(rules);
 *     … engines with options.coverage = coverage …
 *     relance_coverage_sum(coverage, &sum, &error);
 */
#ifndef RELANCE_COVERAGE_H
#define RELANCE_COVERAGE_H

#include <relance/ruleset.h>

/* Branches are what may come out one way or another: conditions and their parts, each true and false; variants,
 * `again`, limits, goals. */
enum relance_covered {
    RELANCE_COVERED_RULES,
    RELANCE_COVERED_STEPS,
    RELANCE_COVERED_CANCELS,
    RELANCE_COVERED_BRANCHES,
    RELANCE_COVERED_COUNT,
};

struct relance_total {
    struct relance_str name; /* "rules" */
    size_t reached, all;
};

struct relance_gap { /* something that nobody has reached */
    struct relance_str file;
    size_t line;
    struct relance_str sentence; /* "step 2 of rule 'cart' never fell due" */
};

struct relance_coverage_sum {
    struct relance_total totals[RELANCE_COVERED_COUNT];
    /* in the order of the files; of a rule that was never started, only itself */
    const struct relance_gap *gaps;
    size_t gap_count;
};

struct relance_coverage;

struct relance_coverage *relance_coverage_new(const struct relance_ruleset *rules); /* NULL: no memory */
void relance_coverage_free(struct relance_coverage *coverage);
/* What there is to say by now; valid as long as the coverage. RELANCE_NO_MEMORY: something is not known. */
RELANCE_MUST enum relance_status relance_coverage_sum(struct relance_coverage *coverage,
                                                      struct relance_coverage_sum *sum,
                                                      struct relance_error *error);

#endif
