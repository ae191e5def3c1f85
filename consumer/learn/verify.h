/* Counting again: whether a version on OUTPUT.models is what its input makes of it (DELIVERY.md §3.10).
 *
 * What says up to where a version was counted is the state beside it, so those that have one can be verified: the first of
 * each learner's start, and one a day. It goes on from the state before, and counts up to the offsets of this one. */
#ifndef CONSUMER_LEARN_VERIFY_H
#define CONSUMER_LEARN_VERIFY_H

#include "host/option.h"
#include <relance/ruleset.h>

/* Of each affinity that has a version of that number: says equal, or where it differs; an exit status. */
int learn_verify(const struct options *options, const struct relance_ruleset *rules);

#endif
