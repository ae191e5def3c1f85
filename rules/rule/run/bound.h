/* The bound of a customer's state, in bytes of its form in full (--state-bytes). */
#ifndef RULES_RULE_RUN_BOUND_H
#define RULES_RULE_RUN_BOUND_H

#include "rule/run/engine_internal.h"

#include <relance/forgot.h>

/* The rules or the limit are others now: at how much memory a state has to be looked at. */
void bound_start(struct relance_engine *e);
/* After an event or wait, and within one where it may make a great deal: what does not fit is forgotten. */
void bound_state(struct relance_engine *e);
void bound_state_within(struct relance_engine *e);
/* So many of that kind have been forgotten, here or by another bound. */
void bound_take_count(struct relance_engine *e, enum relance_forgot_kind kind,
                      int64_t number); /* a visitor's */
/* Where two states change within one scope: what memory has been taken or given back until now is that of the customer in
 * scope; the other's is the customer's from here on; what has been taken or given back since then is the other's. */
void bound_note(struct relance_engine *e);
void bound_take_over(struct relance_engine *e, struct customer *from);
void bound_give(struct relance_engine *e, struct customer *to);
void bound_count(struct relance_engine *e, enum relance_forgot_kind kind, uint32_t number);

#endif
