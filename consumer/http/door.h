/* Who is let in. A request is let in for a page, or answered with a status that says why not.
 *
 *     method     GET and HEAD, for there is nothing here that can be changed
 *     health     /healthz and /readyz need nothing more: what asks them can often send no header
 *     Host       an IP address, a name of this machine, or a name that was given. A page of somebody else's that a
 *                browser shows may have its own name lead to our address, and could read what we answer; with an address
 *                as Host it could not. So a name that nobody gave is refused.
 *     token      where there is one, in `Authorization: Bearer`; compared in a time that does not tell how much of it fits
 *
 * Pure: it sees what a request says, and nothing else. */
#ifndef CONSUMER_HTTP_DOOR_H
#define CONSUMER_HTTP_DOOR_H

#include "base/str.h"

enum http_page { HTTP_METRICS, HTTP_HEALTHZ, HTTP_READYZ };

struct http_door {
    const char *token; /* NULL: whoever comes */
    const char *names; /* let through as Host, with commas between them; NULL: none */
    bool any_host;     /* no look at Host */
};

struct http_request {
    str method, path;
    str host, authorization; /* data NULL: it has no such header */
    bool is_doubtful;        /* it has a body, or a header twice that may stand there once */
};

enum http_verdict {
    HTTP_LET_IN = 200,
    HTTP_DOUBTFUL = 400,
    HTTP_NO_TOKEN = 401,
    HTTP_NO_PAGE = 404,
    HTTP_NO_METHOD = 405,
    HTTP_NO_HOST = 421,
};
/* *page is set where it is let in. */
enum http_verdict http_judge(const struct http_door *door, const struct http_request *request,
                             enum http_page *page);

/* Can it be a token: 16 to 256 of the letters, digits and -._~+/= that a header may carry? */
enum { HTTP_TOKEN_MIN = 16, HTTP_TOKEN_MAX = 256 };
bool http_is_token(str text);
/* Is it a list of names of hosts with commas between them? */
bool http_are_names(str text);

#endif
