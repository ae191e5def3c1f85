#include "http/document.h"
#include "base/ensure.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct http_document *http_document_new(str text, const char *type)
{
    struct http_document *document = malloc(sizeof *document + text.size + 1);
    ensure(document);
    *document = (struct http_document){.holders = 1, .type = type, .size = text.size};
    snprintf(document->etag, sizeof document->etag, "\"%016" PRIx64 "\"", str_hash(text));
    if (text.size) memcpy(document->text, text.data, text.size);
    document->text[text.size] = '\0';
    return document;
}

struct http_document *http_document_hold(struct http_document *document)
{
    document->holders++;
    return document;
}

void http_document_leave(struct http_document *document)
{
    if (document && --document->holders == 0) free(document);
}

bool http_document_matches(const struct http_document *document, const char *if_none_match)
{
    if (!if_none_match) return false;
    return strcmp(if_none_match, "*") == 0 || strstr(if_none_match, document->etag);
}
