/* Figures and health over HTTP. The room sees libmicrohttpd, and nobody else does.
 *
 * Whoever has the figures publishes them about once a second, as one text that does not change any more; requests are
 * answered from the newest one, in a thread of the server's own. So a hundred who ask cost as much as one does, and
 * nobody who asks can make anything wait.
 *
 *     /metrics    the text, while it is younger than HTTP_FRESH_MS; else 503 with a sentence
 *     /readyz     200 while the text is fresh and says that all is well; else 503; in both cases with a sentence
 *     /healthz    200: the process answers
 *
 * door.h says who is let in. A connection carries one request. Bounds: HTTP_CONNECTIONS at a time, HTTP_HEADER_BYTES of
 * headers, HTTP_REQUEST_MS from the beginning of a connection to its end. */
#ifndef CONSUMER_HTTP_SERVER_H
#define CONSUMER_HTTP_SERVER_H

#include "http/address.h"
#include "http/door.h"

enum {
    HTTP_FRESH_MS = 5000,
    HTTP_CONNECTIONS = 64,
    HTTP_HEADER_BYTES = 8192,
    HTTP_REQUEST_MS = 10000,
};

struct http_server;

/* Listens, and answers from then on. `door` is borrowed as long as the server is open. RELANCE_INVALID: nobody can listen
 * at this address, or somebody does. */
RELANCE_MUST enum relance_status http_server_open(const struct http_address *address,
                                                  const struct http_door *door, struct http_server **out,
                                                  struct relance_error *error);
void http_server_close(struct http_server *server); /* NULL: nothing */

/* From here on `metrics`, Prometheus's text, is the answer, and `why` the sentence of /readyz; both are copied. Any
 * thread. */
void http_server_publish(struct http_server *server, str metrics, bool is_ready, const char *why);
/* There are no newer figures, for this reason; those that there are grow old. */
void http_server_excuse(struct http_server *server, const char *why);

/* Ends connections that have taken too long. To be called about once a second, by one thread. */
void http_server_look(struct http_server *server);

#endif
