/* /api/examples: what was published of late, from the newest records of the output topic. Of each rule and outcome the newest
 * EXAMPLES_EACH are kept, EXAMPLES_MAX in all, so that a rule that sends little is not driven out by one that sends much. Of a
 * topic that gets more than EXAMPLES_A_SECOND some are passed over. */
#ifndef CONSUMER_VIEW_EXAMPLES_H
#define CONSUMER_VIEW_EXAMPLES_H

#include "host/option.h"
#include "http/question.h"

enum { EXAMPLES_EACH = 10, EXAMPLES_MAX = 500, EXAMPLES_A_SECOND = 500, EXAMPLES_BYTES = 16 << 10 };

struct examples;

/* Begins to read, if it has been told where; until a stop is asked for. */
struct examples *examples_start(const struct options *options);
void examples_join(struct examples *examples);
/* Has it been told where to read? */
bool examples_are_read(const struct options *options);

void examples_answer(struct examples *examples, struct http_question *question);

#endif
