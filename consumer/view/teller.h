/* /api/story: tells a customer's story, by a process of its own, `relance explain --json`, whose lines are passed on as they
 * come. So an engine that decides ten million records does so in nobody's way and leaves no memory behind, and it can be
 * ended at any time: when whoever asked has gone, when it has taken TELLER_MS, when it has read TELLER_RECORDS. One at a
 * time.
 *
 * It is given what `serve` was given, in its environment where it is a secret, and what the checkpoint says of how the engine
 * decides. */
#ifndef CONSUMER_VIEW_TELLER_H
#define CONSUMER_VIEW_TELLER_H

#include "host/option.h"
#include "http/question.h"

enum { TELLER_MS = 30000, TELLER_RECORDS = 10000000 };

struct teller;

struct teller *teller_new(const struct options *options);
void teller_free(struct teller *teller); /* waits for the one that is being told, which ends at a stop */

/* Begins to tell; the question is answered, now or later. `decides` is the field `options` of a checkpoint, NULL: none. */
void teller_tell(struct teller *teller, struct http_question *question, const char *decides);

#endif
