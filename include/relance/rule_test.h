/* The tests that stand in rule files (LANGUAGE.md §5), run in virtual time. */
#ifndef RELANCE_RULE_TEST_H
#define RELANCE_RULE_TEST_H

#include <relance/coverage.h>

/* What became of one test. Texts are valid until the callback returns. */
struct relance_test_result {
    struct relance_str rule; /* empty: all rules of the set ran together */
    struct relance_str name, file;
    size_t line;
    bool passed;
    /* Of a failed one: what was expected and what came, side by side, and why a send that is missing was not sent;
     * several lines, each with its line feed. */
    struct relance_str report;
};

typedef void relance_test_done(void *context, const struct relance_test_result *result);

struct relance_test_options {
    relance_test_done *done;
    void *context;
    struct relance_coverage *coverage; /* what the tests reach is noted there; NULL: nobody asks */
    size_t state_bytes;                /* as of the engine */
    struct relance_str filter; /* only tests that have it in their name, or in their rule's; empty: all */
};

/* How many tests there are for a filter. */
size_t relance_ruleset_test_count(const struct relance_ruleset *rules, struct relance_str filter);
/* Runs the tests of the set, in the order of the files. RELANCE_NO_MEMORY, or RELANCE_OK whatever failed. */
RELANCE_MUST enum relance_status relance_ruleset_test(const struct relance_ruleset *rules,
                                                      const struct relance_test_options *options,
                                                      struct relance_error *error);

#endif
