/* The tests that stand in mapping files (rules/README.md, "Mappings"): a record, and the events that it becomes. */
#ifndef RELANCE_MAPPING_TEST_H
#define RELANCE_MAPPING_TEST_H

#include <relance/mapping.h>
#include <relance/rule_test.h>

/* How many tests the file has whose names have `filter` in them; empty: all. Those of presets that it extends are theirs. */
size_t relance_mapping_test_count(const struct relance_mapping *mapping, struct relance_str filter);
/* Runs them in their order; `done` is told of each, whose `rule` is empty. RELANCE_NO_MEMORY, or RELANCE_OK whatever
 * failed. */
RELANCE_MUST enum relance_status relance_mapping_test(struct relance_mapping *mapping,
                                                      struct relance_str filter, relance_test_done *done,
                                                      void *context, struct relance_error *error);

/* Which rows of the file have been reached: a record came to them and their condition held. That is noted from the first
 * test of the mapping, or the first call of this, on. */
struct relance_mapping_coverage {
    size_t reached, all;
    const struct relance_gap *gaps; /* the others, in the order of the file; valid as long as the mapping */
    size_t gap_count;
};
RELANCE_MUST enum relance_status relance_mapping_covered(struct relance_mapping *mapping,
                                                         struct relance_mapping_coverage *coverage,
                                                         struct relance_error *error);

#endif
