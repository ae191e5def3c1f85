/* Counting again: whether a version on OUTPUT.models is what its input makes of it (DELIVERY.md §3.10).
 *
 * Its head says up to where it was counted, as far as the head of an older version does not: then the state beside it does.
 * Counting goes on from the last state before it, and a first version, where there is none, from the begin of the input. */
#ifndef CONSUMER_LEARN_VERIFY_H
#define CONSUMER_LEARN_VERIFY_H

#include "host/option.h"
#include <relance/ruleset.h>

/* Of each affinity that has a version of that number: says equal, or where it differs; an exit status. */
int learn_verify(const struct options *options, const struct relance_ruleset *rules);

#endif
