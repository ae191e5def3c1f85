/* Figures, health and the live view over HTTP. The room sees libmicrohttpd, and nobody else does.
 *
 * Whoever has something to show puts it there, about once a second, as a text that does not change any more; requests are
 * answered with the newest one, in a thread of the server's own. So a hundred who ask cost as much as one does, and
 * nobody who asks can make anything wait. What has to be looked up is a question (question.h).
 *
 *     /metrics    the text, while it is younger than HTTP_FRESH_MS; else 503 with a sentence
 *     /readyz     200 while that text is fresh and says that all is well; else 503; in both cases with a sentence
 *     /healthz    200: the process answers
 *     /login      200: the browser has got the token as a cookie, and goes on to /
 *     others      the text, however old; `Relance-Age` says how old, in seconds. 304 for whoever has it already
 *
 * door.h says which pages there are, and who is let in. A connection carries one request. Bounds: HTTP_CONNECTIONS at a
 * time, HTTP_HEADER_BYTES of headers, HTTP_REQUEST_MS from the beginning of a connection to its end; where many are
 * there, those that have asked for nothing yet make room for others, the oldest first. */
#ifndef CONSUMER_HTTP_SERVER_H
#define CONSUMER_HTTP_SERVER_H

#include "http/address.h"
#include "http/door.h"

enum {
    HTTP_FRESH_MS = 5000,
    HTTP_CONNECTIONS = 64,
    HTTP_CROWD = 48, /* connections from which on silent ones have to go */
    HTTP_HEADER_BYTES = 8192,
    HTTP_REQUEST_MS = 10000,
};
#define HTTP_JSON  "application/json; charset=utf-8"
#define HTTP_LINES "application/x-ndjson; charset=utf-8"

struct http_server;

/* Listens, and answers from then on. `door` is borrowed as long as the server is open. RELANCE_INVALID: nobody can listen
 * at this address, or somebody does. */
RELANCE_MUST enum relance_status http_server_open(const struct http_address *address,
                                                  const struct http_door *door, struct http_server **out,
                                                  struct relance_error *error);
/* Could one listen there now? Port 0 becomes one that is free. For whoever starts a server as a process of its own. */
bool http_server_could_listen(struct http_address *address);
/* Whoever answers questions has ended before. NULL: nothing. */
void http_server_close(struct http_server *server);

/* From here on `metrics`, Prometheus's text, is the answer, and `why` the sentence of /readyz; both are copied. Any
 * thread. */
void http_server_publish(struct http_server *server, str metrics, bool is_ready, const char *why);
/* There are no newer figures, for this reason; those that there are grow old. */
void http_server_excuse(struct http_server *server, const char *why);
/* From here on `text`, which is copied, is the answer of a page whose source is PUT. `type` is borrowed. Any thread. */
void http_server_put(struct http_server *server, enum http_page page, str text, const char *type);

/* Ends connections that have taken too long. To be called about once a second, by one thread. */
void http_server_look(struct http_server *server);

#endif
