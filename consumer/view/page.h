/* The files of the live view, which the program carries, or which stand in a directory while somebody works on them. */
#ifndef CONSUMER_VIEW_PAGE_H
#define CONSUMER_VIEW_PAGE_H

#include "http/server.h"

struct page_text {
    const char *name; /* "app.js"; NULL behind the last */
    const struct relance_str *text;
};
extern const struct page_text page_texts[]; /* those that the program carries; made when the program is */

/* Puts them up. `dir` NULL: those of the program. Otherwise to be called now and then, since they change. */
RELANCE_MUST enum relance_status page_show(struct http_server *server, const char *dir,
                                           struct relance_error *error);

#endif
