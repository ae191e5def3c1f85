/* Merging: what a visitor did becomes the customer's, once, when the two are linked (LANGUAGE.md §4.16). */
#ifndef RULES_RULE_RUN_MERGE_H
#define RULES_RULE_RUN_MERGE_H

#include "rule/run/engine_internal.h"

/* Merges `from`, the state of the visitor, into that of the customer in scope, whose `now` is that of the scope. Both are
 * numbered by the rule set in force; what is left of `from` is the caller's to release. Steps that are due by the horizon
 * are performed. */
void merge_state(struct relance_engine *e, str visitor, struct state *from, int64_t horizon_ms);

#endif
