/* Tests of mapping files: what tests.c reads and checks, and testing.c runs. Inside rules/mapping only. */
#ifndef RULES_MAPPING_TESTS_H
#define RULES_MAPPING_TESTS_H

#include "mapping/gather.h"

struct expected_item {
    const struct json *event; /* NULL: a dead letter */
    str reason;               /* of a dead letter; empty: any */
};

struct mapping_test {
    size_t begin; /* in the mapping's source */
    str name;
    struct relance_foreign given;
    struct expected_item *expect;
    size_t expect_count;
};

struct mapping_tests {
    const struct source *source;
    struct mapping_test *items;
    size_t count;
};

/* Reads the tests of a file; mistakes go to `diag`. What is read lies in `keep`, as does the tree. */
struct mapping_tests mapping_tests_read(struct arena *keep, struct said tests, struct diagnostics *diag);

#endif
