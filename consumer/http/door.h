/* Who is let in. A request is let in for a page, or answered with a status that says why not.
 *
 *     method     GET and HEAD, for there is nothing here that can be changed
 *     health     /healthz and /readyz need nothing more: what asks them can often send no header
 *     Host       an IP address, a name of this machine, or a name that was given. A page of somebody else's that a
 *                browser shows may have its own name lead to our address, and could read what we answer; with an address
 *                as Host it could not. So a name that nobody gave is refused.
 *     token      where there is one, in `Authorization: Bearer`, or in the cookie that /login?token= gives to a browser;
 *                compared in a time that does not tell how much of it fits
 *     customers  what is known of a customer is shown unless it is not to be
 *
 * Pure: it sees what a request says, and nothing else. */
#ifndef CONSUMER_HTTP_DOOR_H
#define CONSUMER_HTTP_DOOR_H

#include "base/str.h"

/* The files of view/page/; `/` is index.html. */
#define HTTP_FILES(PAGE)                                                                                     \
    PAGE(INDEX, "/", TOKEN, PUT)                                                                             \
    PAGE(STYLE, "/app.css", TOKEN, PUT)                                                                      \
    PAGE(APP_JS, "/app.js", TOKEN, PUT)                                                                      \
    PAGE(ASK_JS, "/ask.js", TOKEN, PUT)                                                                      \
    PAGE(CHART_JS, "/chart.js", TOKEN, PUT)                                                                  \
    PAGE(DOM_JS, "/dom.js", TOKEN, PUT)                                                                      \
    PAGE(OUTCOMES_JS, "/outcomes.js", TOKEN, PUT)                                                            \
    PAGE(PAGE_CHANNELS_JS, "/page_channels.js", TOKEN, PUT)                                                  \
    PAGE(PAGE_CUSTOMER_JS, "/page_customer.js", TOKEN, PUT)                                                  \
    PAGE(PAGE_LEARNT_JS, "/page_learnt.js", TOKEN, PUT)                                                      \
    PAGE(PAGE_OVERVIEW_JS, "/page_overview.js", TOKEN, PUT)                                                  \
    PAGE(PAGE_RULES_JS, "/page_rules.js", TOKEN, PUT)                                                        \
    PAGE(PAGE_SALES_JS, "/page_sales.js", TOKEN, PUT)                                                        \
    PAGE(PARTS_JS, "/parts.js", TOKEN, PUT)                                                                  \
    PAGE(SOURCE_JS, "/source.js", TOKEN, PUT)                                                                \
    PAGE(WORDS_JS, "/words.js", TOKEN, PUT)
/* The pages: what each takes to be let in, and who answers it. HTTP_ASKED is answered by whoever takes questions
 * (question.h), all others by the server from what was put there. */
#define HTTP_PAGES(PAGE)                                                                                     \
    PAGE(METRICS, "/metrics", TOKEN, PUT)                                                                    \
    PAGE(HEALTHZ, "/healthz", NOTHING, KNOWN)                                                                \
    PAGE(READYZ, "/readyz", NOTHING, KNOWN)                                                                  \
    /* from here on of the live view */                                                                      \
    PAGE(LOGIN, "/login", LOGIN, KNOWN)                                                                      \
    HTTP_FILES(PAGE)                                                                                         \
    PAGE(NOW, "/api/now", TOKEN, PUT)                                                                        \
    PAGE(REPORT, "/api/report", TOKEN, PUT)                                                                  \
    PAGE(RULES, "/api/rules", TOKEN, PUT)                                                                    \
    PAGE(LEARNT, "/api/learnt", TOKEN, PUT)                                                                  \
    PAGE(MINUTES, "/api/minutes", TOKEN, ASKED)                                                              \
    PAGE(ALSO, "/api/also", TOKEN, ASKED)                                                                    \
    PAGE(CUSTOMER, "/api/customer", CUSTOMERS, ASKED)                                                        \
    PAGE(STORY, "/api/story", CUSTOMERS, ASKED)                                                              \
    PAGE(EXAMPLES, "/api/examples", CUSTOMERS, ASKED)
enum http_page {
#define HTTP_PAGE(NAME, path, guard, source) HTTP_##NAME,
    HTTP_PAGES(HTTP_PAGE)
#undef HTTP_PAGE
        HTTP_PAGE_COUNT,
    HTTP_VIEW = HTTP_LOGIN,
    HTTP_FILES_BEGIN = HTTP_INDEX,
    HTTP_FILES_END = HTTP_NOW,
};
enum http_source { HTTP_SOURCE_PUT, HTTP_SOURCE_KNOWN, HTTP_SOURCE_ASKED };
enum http_source http_page_source(enum http_page page);
const char *http_page_path(enum http_page page);

struct http_door {
    const char *token;  /* NULL: whoever comes */
    const char *names;  /* let through as Host, with commas between them; NULL: none */
    const char *cookie; /* the name of the one that carries the token; NULL: none does */
    bool any_host;      /* no look at Host */
    bool has_view;      /* the pages of the live view are there */
    bool no_customers;  /* but for those that tell of a customer */
};

struct http_request {
    str method, path;
    str host, authorization, cookie; /* data NULL: it has no such header */
    str token;                       /* of the query; data NULL: none */
    bool is_doubtful;                /* it has a body, or something twice that may stand there once */
};

enum http_verdict {
    HTTP_LET_IN = 200,
    HTTP_DOUBTFUL = 400,
    HTTP_NO_TOKEN = 401,
    HTTP_NO_CUSTOMERS = 403,
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
/* A value of a query, as it was meant: %41 is A, + a blank. False: it is not of that form, or no UTF-8 without NUL.
 * `out` has room for text.size bytes. */
bool http_decode(str text, char *out, size_t *size);

#endif
