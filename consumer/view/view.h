/* What `relance serve` shows: one thread reads Redis once a second and puts up what it has found; between that it answers
 * what has to be looked up. So Redis has one reader, however many ask. A Redis that is away is no reason to end: what there
 * was stays, with a word on it, and it is asked again. */
#ifndef CONSUMER_VIEW_VIEW_H
#define CONSUMER_VIEW_VIEW_H

#include "host/option.h"
#include "http/server.h"

struct view;

/* Begins to read, until a stop is asked for (host/stop.h). Both are borrowed. RELANCE_INVALID: --assets holds no page. */
RELANCE_MUST enum relance_status view_start(const struct options *options, struct http_server *server,
                                            struct view **out, struct relance_error *error);
/* Waits until it has ended. */
void view_join(struct view *view);

#endif
