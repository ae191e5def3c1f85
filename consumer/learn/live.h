/* The learner that runs: reads the input, counts, and writes versions to OUTPUT.models (DELIVERY.md §3.10).
 *
 * It keeps nothing: no checkpoint, no file. Once a day it writes a state, with a full version beside it, and where the input
 * was read up to; the next learner goes on from the last of them that is committed, and counts again what came after it. What
 * is counted is a function of the records, so what a crash has taken away comes out alike. Two of one group cannot write: the
 * older is fenced, and ends with a sentence. */
#ifndef CONSUMER_LEARN_LIVE_H
#define CONSUMER_LEARN_LIVE_H

#include "host/option.h"
#include <relance/ruleset.h>

/* Runs until a stop is asked for; an exit status. */
int learn_live(const struct options *options, const struct relance_ruleset *rules);

#endif
