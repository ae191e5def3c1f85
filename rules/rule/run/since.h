/* Since which mark each declaration of a rule set has been there (DELIVERY.md §4).
 *
 * A state is read under other rules than it was written under. What is no longer declared is forgotten, at once
 * where the state is at hand and at the next touch where it is not. So that both come to the same, a declaration
 * that has gone and come back must not find what the one before it left: it is younger than that state. */
#ifndef RULES_RULE_RUN_SINCE_H
#define RULES_RULE_RUN_SINCE_H

#include "rule/set.h"

/* `before` is what since_pack gave for the set in force until now (empty: there was none): a declaration that it
 * has keeps its mark, any other is of this one. False without memory. */
bool since_make(const struct relance_ruleset *set, str before, int64_t mark, struct arena *arena,
                struct state_since *out);

/* As MessagePack, to be kept beside the states: {"cFviews": 17, "r-cart": 17, …}, a letter for the kind, of
 * counts one for the form, and the name. */
void since_pack(const struct relance_ruleset *set, const struct state_since *since, struct buffer *out);

#endif
