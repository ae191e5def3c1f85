/* Tests of rule files while they run: what testing.c and why.c share. */
#ifndef RULES_RULE_TELL_TESTING_H
#define RULES_RULE_TELL_TESTING_H

#include "base/buffer.h"
#include "rule/run/engine_internal.h"

#include <relance/rule_test.h>

struct output { /* a send or a goal */
    struct output *next;
    int64_t time_ms;
    int64_t local_s; /* by the customer's zone then, in seconds, as if it were UTC */
    enum relance_outcome outcome;
    str rule, send, with;
    double value;
};

struct testing {
    const struct relance_ruleset *set;
    const struct rule_test *test;
    const struct relance_test_options *options;
    struct relance_engine *engine; /* that plays it */
    struct arena arena;            /* one test */
    struct output *first, **end;   /* what came */
    /* unread: what of `given` is no event; passed: what the mapping leaves out */
    struct buffer unread, passed, report;
    size_t whys; /* of what is missing, told so far */
    bool failed, no_memory;
    struct source_cursor place; /* of the test: they come mostly in the order of their files */
};

/* Plays the test in an engine of its own, whose callbacks are those of `options`, until so long after its beginning (RELANCE_NEVER:
 * to its end); to be freed; NULL: no memory. */
struct relance_engine *testing_play(struct testing *t, struct relance_engine_options options,
                                    int64_t until_ms);

/* why.c: puts into the report why what is expected is missing. `rule` is whose it is; empty: any rule's. */
void why_missing(struct testing *t, const struct expected *wanted, str rule);

#endif
