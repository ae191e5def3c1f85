/* /api/learnt and /api/also: what has been learnt. Which versions are in force stands in the checkpoints; what a version lists is
 * read from OUTPUT.models, by a thread of its own, once rules that are in force ask for models. Of each affinity the newest version
 * is kept that was counted as those rules declare it: an engine takes it within a second, so that it is the one in force. */
#ifndef CONSUMER_VIEW_LEARNT_H
#define CONSUMER_VIEW_LEARNT_H

#include "host/option.h"
#include "http/question.h"
#include "view/rulesets.h"

enum { LEARNT_POPULAR = 20 /* that /api/learnt lists */ };

struct learnt;

/* Begins to read, if it has been told where; until a stop is asked for. The options are borrowed. */
struct learnt *learnt_start(const struct options *options);
void learnt_join(struct learnt *learnt);

/* /api/learnt, to be freed; ages are those at `now_ms`. */
char *learnt_print(struct learnt *learnt, const struct rulesets *rulesets,
                   const struct checkpoints *checkpoints, int64_t now_ms);
/* /api/also. */
void learnt_answer(struct learnt *learnt, const struct rulesets *rulesets, struct http_question *question);

#endif
