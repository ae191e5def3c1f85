/* The versions of models of a history: what a learner has published on OUTPUT.models, and when. Behind models.h.
 *
 * Some are aborted, and what they held is counted again under the same number; some come twice; some are open for long.
 * There are two recipes, as rules are edited. What no mark speaks of is no longer kept, in the end. All of it is drawn from
 * a stream of its own, so that other histories stay as they were. */
#ifndef FAULT_VERSIONS_H
#define FAULT_VERSIONS_H

#include "delivery/mark.h"
#include "sim.h"
#include <relance/model.h>

void versions_begin(void); /* of a history: after the workload */
void versions_end(void);
/* The version that a mark names, and was committed before; NULL: there is no such. */
const struct relance_model *versions_find(struct relance_str name, struct relance_str version);
/* When the last one is committed. */
int64_t versions_last_us(void);

#endif
