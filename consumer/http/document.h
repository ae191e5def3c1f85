/* A text that is given to whoever asks, as it was when it was put there: it does not change any more, and goes when the
 * last one who is being answered with it has gone. For files of this room only. */
#ifndef CONSUMER_HTTP_DOCUMENT_H
#define CONSUMER_HTTP_DOCUMENT_H

#include "base/str.h"

#include <stdatomic.h>

enum { HTTP_ETAG_SIZE = 20 };

struct http_document {
    _Atomic unsigned holders;
    const char *type;          /* of its content; borrowed */
    char etag[HTTP_ETAG_SIZE]; /* with its quotes; the same text has the same */
    size_t size;
    char text[];
};

struct http_document *http_document_new(str text, const char *type);
struct http_document *http_document_hold(struct http_document *document);
void http_document_leave(struct http_document *document); /* NULL: nothing to do */
/* Does a header If-None-Match name it? `*` does, and so does a weak one. */
bool http_document_matches(const struct http_document *document, const char *if_none_match);

#endif
