/* GET over HTTP and HTTPS, for the schema registry and for an engine's health: the only file that sees libcurl is client.c.
 *
 * One connection, kept open. An answer that does not come in time, and any answer but a whole one, is an error
 * with a sentence; a stop that is asked for (host/stop.h) ends the wait. Redirects are not followed. Passwords are
 * never in a sentence. */
#ifndef CONSUMER_HTTP_CLIENT_H
#define CONSUMER_HTTP_CLIENT_H

#include "base/str.h"

enum {
    HTTP_CLIENT_MS = 10000,          /* for a whole answer, unless told otherwise */
    HTTP_CLIENT_BYTES_MAX = 4 << 20, /* of an answer */
};

struct http_client;

struct http_client_options {
    const char *who; /* is asked, for messages: "the schema registry"; needed */
    const char *url; /* https://registry:8081/path, user:password@ before the host allowed; needed */
    const char *user, *password; /* NULL: those of the URL, if any */
    const char *ca_file;         /* PEM; NULL: those that the machine trusts */
    int timeout_ms;              /* 0: HTTP_CLIENT_MS */
    bool is_direct;              /* whatever proxy the environment names is passed by */
};

/* RELANCE_INVALID: it is no URL. */
RELANCE_MUST enum relance_status http_client_open(const struct http_client_options *options,
                                                  struct http_client **out, struct relance_error *error);
void http_client_close(struct http_client *http);

/* Gets the pieces of a path below the URL, each of them escaped: `schemas`, `ids`, `7`. RELANCE_OK: *code
 * is the status and *body what came, valid until the next call. RELANCE_IO: no answer. */
RELANCE_MUST enum relance_status http_client_get(struct http_client *http, const str *pieces, size_t count,
                                                 long *code, str *body, struct relance_error *error);
/* The URL without user and password, for messages. */
const char *http_client_url(const struct http_client *http);

#endif
