/* GET over HTTP and HTTPS, for the schema registry: the only file that sees libcurl is http.c.
 *
 * One connection, kept open. An answer that does not come in WIRE_HTTP_MS, and any answer but a whole one, is an error
 * with a sentence; a stop that is asked for (host/stop.h) ends the wait. Redirects are not followed. Passwords are
 * never in a sentence. */
#ifndef CONSUMER_WIRE_HTTP_H
#define CONSUMER_WIRE_HTTP_H

#include "base/str.h"

enum {
    WIRE_HTTP_MS = 10000,          /* for a whole answer */
    WIRE_HTTP_BYTES_MAX = 4 << 20, /* of an answer */
};

struct http;

struct http_options {
    const char *url; /* https://registry:8081/path, user:password@ before the host allowed; needed */
    const char *user, *password; /* NULL: those of the URL, if any */
    const char *ca_file;         /* PEM; NULL: those that the machine trusts */
};

/* RELANCE_INVALID: it is no URL. */
RELANCE_MUST enum relance_status http_open(const struct http_options *options, struct http **out,
                                           struct relance_error *error);
void http_close(struct http *http);

/* Gets the pieces of a path below the URL, each of them escaped: `schemas`, `ids`, `7`. RELANCE_OK: *code
 * is the status and *body what came, valid until the next call. RELANCE_IO: no answer. */
RELANCE_MUST enum relance_status http_get(struct http *http, const str *pieces, size_t count, long *code,
                                          str *body, struct relance_error *error);
/* The URL without user and password, for messages. */
const char *http_url(const struct http *http);

#endif
