/* The judge: after a history has come to rest, is what was published exactly what follows from the log? */
#ifndef FAULT_JUDGE_H
#define FAULT_JUDGE_H

#include "sim.h"

bool judge_all_is_said(void);        /* P is at the end of the input */
bool judge_all_is_saved(void);       /* and the checkpoints are at P */
bool judge_rules_are_in_force(void); /* by the checkpoints, those that stand in the files */
void judge_history(void);            /* sim_fail() for what is not so */

/* All actions of a history as one number that does not depend on their order between customers. */
uint64_t judge_digest(void);

#endif
