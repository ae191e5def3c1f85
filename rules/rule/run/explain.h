/* Notes for those who ask why (relance/explain.h): nothing, at the cost of one test, where nobody does. */
#ifndef RULES_RULE_RUN_EXPLAIN_H
#define RULES_RULE_RUN_EXPLAIN_H

#include "rule/run/engine_internal.h"

#include <relance/explain.h>

/* Is this the customer who is asked about? */
bool explain_is_on(const struct relance_engine *e, str customer);
/* of the rule in force, if no other is named */
void explain_note(struct relance_engine *e, struct relance_note note);
void explain_note_event(struct relance_engine *e, enum relance_note_kind kind);
void explain_note_run(struct relance_engine *e, enum relance_note_kind kind, const struct run *run);
/* the event's */
void explain_note_keys(struct relance_engine *e, enum relance_note_kind kind, str key, struct texts keys);
/* Does the condition hold? If not, why is noted, or becomes the reason of the decision that follows. */
bool condition_holds_or_note(struct relance_engine *e, const struct noted_program *condition,
                             enum relance_note_kind kind, str key);
bool condition_holds_or_reason(struct relance_engine *e, const struct noted_program *condition);
/* What the step asked of what has been learnt, for its decision. Before that changes anything. */
void explain_learnt(struct relance_engine *e, const struct step *step, struct relance_decision *decision);
/* "; goes_with version 17 of 2026-03-02T14:00Z (tent: mat 31, lamp 12), without mat: bought(p) == 0 is false (bought(p) = 1)":
 * of each question of a condition. `env` is that of the condition. */
void explain_questions(struct relance_engine *e, const struct noted_program *condition,
                       const struct cel_env *env, struct arena *arena, struct buffer *out);
/* The limit blocks: where its `if` cannot be evaluated, that is a reason, too. */
void explain_limit(struct relance_engine *e, const struct limit *limit);

#endif
