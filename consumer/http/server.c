#include "http/document.h"
#include "http/inside.h"
#include "base/ensure.h"
#include "host/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    SERVER_BACKLOG = 64,
    SERVER_ANSWER_BYTES = 2048, /* of the head of an answer: it lies in the same memory as the request's */
    SERVER_IDLE_S = HTTP_REQUEST_MS / 1000,
    SERVER_SENTENCE = 512,
    SERVER_COOKIE_S = 30 * 86400,
};

/* A connection, so that it can be ended from outside. */
struct server_guest {
    int socket; /* -1: nobody is here */
    int64_t since_us, until_us;
    bool has_asked;
};

/* What was put at a page. */
struct server_page {
    struct http_document *document; /* NULL: nothing yet */
    int64_t made_us;                /* when it was put there last, though it be the same */
};

struct http_server {
    const struct http_door *door;
    struct MHD_Daemon *daemon;
    struct http_questions questions;
    pthread_mutex_t lock; /* of all that follows */
    struct server_page pages[HTTP_PAGE_COUNT];
    bool is_ready;
    char why[SERVER_SENTENCE];    /* of the figures */
    char excuse[SERVER_SENTENCE]; /* for there being none, or no newer ones */
    struct server_guest guests[HTTP_CONNECTIONS];
};

/* ---- connections */
static int server_socket_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

/* The guest with that socket, or, for -1, an empty place. */
static struct server_guest *server_guest(struct http_server *server, int socket)
{
    for (size_t i = 0; i < HTTP_CONNECTIONS; i++)
        if (server->guests[i].socket == socket) return &server->guests[i];
    return NULL;
}

/* ---- answers */
static const char *const server_headers[][2] = {
    {"Connection", "close"}, /* what stands behind a request is not looked at: it may be anything */
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
     "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
};
#define SERVER_TEXT "text/plain; charset=utf-8"

/* What every answer has. Only what is the same for everybody, and says nothing, may be kept by a browser. */
static struct MHD_Response *server_dress(struct MHD_Response *response, bool may_keep)
{
    ensure(response);
    for (size_t i = 0; i < sizeof server_headers / sizeof *server_headers; i++)
        MHD_add_response_header(response, server_headers[i][0], server_headers[i][1]);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, may_keep ? "no-cache" : "no-store");
    return response;
}

static struct MHD_Response *server_text(str body, const char *type)
{
    struct MHD_Response *response = server_dress(
        MHD_create_response_from_buffer(body.size, (void *)(uintptr_t)body.data, MHD_RESPMEM_MUST_COPY),
        false);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    return response;
}

/* A program that asks is answered in its own language. */
static struct MHD_Response *server_error(const char *sentence)
{
    struct buffer body = {0};
    http_put_error(&body, sentence);
    struct MHD_Response *response = server_text(buffer_str(&body), HTTP_JSON);
    buffer_free(&body);
    return response;
}

static struct MHD_Response *server_sentence(const char *sentence)
{
    char body[SERVER_SENTENCE + 2];
    snprintf(body, sizeof body, "%.*s\n", SERVER_SENTENCE, sentence);
    return server_text(str_of(body), SERVER_TEXT);
}

static struct MHD_Response *server_say(str path, const char *sentence)
{
    return str_starts_with(path, STR("/api/")) ? server_error(sentence) : server_sentence(sentence);
}

static enum MHD_Result server_give(struct MHD_Connection *connection, unsigned status,
                                   struct MHD_Response *response)
{
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response); /* the connection keeps it as long as it needs it */
    return result;
}

static const struct server_refusal {
    enum http_verdict verdict;
    const char *header, *value, *sentence;
} server_refusals[] = {
    {HTTP_DOUBTFUL, NULL, NULL,
     "A body is not expected, nor a second Host or Authorization, nor a query that is not UTF-8 or says a "
     "thing twice."},
    {HTTP_NO_TOKEN, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer realm=\"relance\"",
     "The token is needed: Authorization: Bearer TOKEN, or once, in a browser, /login?token=TOKEN."},
    {HTTP_NO_CUSTOMERS, NULL, NULL, "Nothing is told of customers here: --no-customers was said."},
    {HTTP_NO_PAGE, NULL, NULL,
     "There are /metrics, /healthz and /readyz, and of `relance serve` the view at /."},
    {HTTP_NO_METHOD, MHD_HTTP_HEADER_ALLOW, "GET, HEAD", "There is nothing here but to read: GET and HEAD."},
    {HTTP_NO_HOST, NULL, NULL,
     "Not under this name: ask by IP address or as localhost, or let it be given with --host."},
};

static enum MHD_Result server_refuse(struct MHD_Connection *connection, str path, enum http_verdict verdict)
{
    const struct server_refusal *refusal = server_refusals;
    while (refusal->verdict != verdict)
        refusal++;
    struct MHD_Response *response = server_say(path, refusal->sentence);
    if (refusal->header) MHD_add_response_header(response, refusal->header, refusal->value);
    return server_give(connection, verdict, response);
}

/* ---- pages that were put there */
/* Under the lock. */
static bool server_is_fresh(const struct http_server *server, char why[SERVER_SENTENCE])
{
    const struct server_page *metrics = &server->pages[HTTP_METRICS];
    int64_t age_us = clock_monotonic_us() - metrics->made_us;
    const char *excuse = *server->excuse ? server->excuse : "nobody makes any";
    if (metrics->document && age_us <= HTTP_FRESH_MS * 1000) return true;
    if (metrics->document)
        snprintf(why, SERVER_SENTENCE, "The newest figures are %lld s old: %.400s",
                 (long long)age_us / 1000000, excuse);
    else
        snprintf(why, SERVER_SENTENCE, "There are no figures yet: %.400s", excuse);
    return false;
}

static void server_drop_document(void *document)
{
    http_document_leave(document);
}

static bool server_may_be_kept(enum http_page page)
{
    return page >= HTTP_FILES_BEGIN && page < HTTP_FILES_END;
}

/* The document is given away. */
static enum MHD_Result server_show_document(struct MHD_Connection *connection, enum http_page page,
                                            struct http_document *document, int64_t made_us)
{
    const char *has = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_IF_NONE_MATCH);
    bool is_known = page != HTTP_METRICS && http_document_matches(document, has);
    char age[32];
    snprintf(age, sizeof age, "%.1f", (double)(clock_monotonic_us() - made_us) / 1e6);
    struct MHD_Response *response =
        server_dress(MHD_create_response_from_buffer_with_free_callback_cls(
                         is_known ? 0 : document->size, document->text, server_drop_document, document),
                     server_may_be_kept(page));
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, document->type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, document->etag);
    MHD_add_response_header(response, "Relance-Age", age);
    return server_give(connection, is_known ? MHD_HTTP_NOT_MODIFIED : MHD_HTTP_OK, response);
}

static enum MHD_Result server_show_put(struct http_server *server, struct MHD_Connection *connection,
                                       enum http_page page)
{
    char why[SERVER_SENTENCE];
    struct http_document *document = NULL;
    pthread_mutex_lock(&server->lock);
    const struct server_page *put = &server->pages[page];
    int64_t made_us = put->made_us;
    bool is_fresh = server_is_fresh(server, why);
    if (put->document && (is_fresh || page != HTTP_METRICS)) document = http_document_hold(put->document);
    pthread_mutex_unlock(&server->lock);
    if (document) return server_show_document(connection, page, document, made_us);
    return server_give(connection, MHD_HTTP_SERVICE_UNAVAILABLE,
                       server_say(str_of(http_page_path(page)), is_fresh ? "It is not there yet." : why));
}

/* The browser has the token from here on, and goes to the page by itself: of a redirect that somebody else's page began
 * it would not send the cookie along. */
static enum MHD_Result server_show_login(struct http_server *server, struct MHD_Connection *connection)
{
    static const str body =
        STR("<!doctype html><meta http-equiv=\"refresh\" content=\"0;url=/\"><title>Relance</title>"
            "<p><a href=\"/\">Go on</a></p>\n");
    char cookie[HTTP_TOKEN_MAX + 128];
    struct MHD_Response *response = server_text(body, "text/html; charset=utf-8");
    snprintf(cookie, sizeof cookie, "%s=%s; Path=/; Max-Age=%d; HttpOnly; SameSite=Strict",
             server->door->cookie, server->door->token ? server->door->token : "", SERVER_COOKIE_S);
    if (server->door->token) MHD_add_response_header(response, MHD_HTTP_HEADER_SET_COOKIE, cookie);
    return server_give(connection, MHD_HTTP_OK, response);
}

static enum MHD_Result server_show_ready(struct http_server *server, struct MHD_Connection *connection)
{
    char why[SERVER_SENTENCE];
    pthread_mutex_lock(&server->lock);
    bool is_fresh = server_is_fresh(server, why), is_ready = is_fresh && server->is_ready;
    if (is_fresh) memcpy(why, server->why, sizeof why);
    pthread_mutex_unlock(&server->lock);
    return server_give(connection, is_ready ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE,
                       server_sentence(why));
}

/* ---- questions */
struct http_questions *http_server_questions(struct http_server *server)
{
    return &server->questions;
}

static void server_put_address(struct MHD_Connection *connection, char out[HTTP_ADDRESS_TEXT])
{
    const struct sockaddr *from =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
    struct http_address address = {0};
    if (from->sa_family == AF_INET6)
        memcpy(&address.socket.v6, from, sizeof address.socket.v6);
    else
        memcpy(&address.socket.v4, from, sizeof address.socket.v4);
    http_address_text(&address, out);
}

/* Whoever looks something up may take longer than others. */
static void server_extend(struct http_server *server, struct MHD_Connection *connection)
{
    int socket = server_socket_of(connection);
    pthread_mutex_lock(&server->lock);
    struct server_guest *guest = server_guest(server, socket);
    if (guest) guest->until_us = clock_monotonic_us() + HTTP_STREAM_MS * 1000;
    pthread_mutex_unlock(&server->lock);
}

static enum MHD_Result server_answer(struct http_server *server, struct MHD_Connection *connection,
                                     struct http_question *question)
{
    unsigned status;
    struct MHD_Response *response = server_dress(http_question_response(question, &status), false);
    if (http_question_streams(question)) server_extend(server, connection);
    return server_give(connection, status, response);
}

/* ---- requests */
struct server_seen {
    struct http_request *request;
    unsigned hosts, authorizations;
    bool has_body, is_broken; /* the query is */
    struct http_value values[HTTP_VALUES];
    size_t value_count;
};

static enum MHD_Result server_take_header(void *context, enum MHD_ValueKind kind, const char *name,
                                          const char *value)
{
    struct server_seen *seen = context;
    (void)kind;
    if (strcasecmp(name, MHD_HTTP_HEADER_HOST) == 0) {
        seen->request->host = str_of(value);
        seen->hosts++;
    } else if (strcasecmp(name, MHD_HTTP_HEADER_AUTHORIZATION) == 0) {
        seen->request->authorization = str_of(value);
        seen->authorizations++;
    } else if (strcasecmp(name, MHD_HTTP_HEADER_COOKIE) == 0) {
        seen->request->cookie = str_of(value);
    } else if (strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0) {
        seen->has_body |= !value || strcmp(value, "0") != 0;
    } else if (strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0) {
        seen->has_body = true;
    }
    return MHD_YES;
}

static enum MHD_Result server_take_value(void *context, enum MHD_ValueKind kind, const char *name,
                                         const char *value)
{
    struct server_seen *seen = context;
    char text[HTTP_HEADER_BYTES];
    size_t size;
    str given = str_of(value ? value : "");
    (void)kind;
    for (size_t i = 0; i < seen->value_count; i++)
        seen->is_broken |= strcmp(seen->values[i].name, name) == 0 && strcmp(name, "name") != 0;
    seen->is_broken |= seen->value_count == HTTP_VALUES || given.size > sizeof text;
    if (seen->is_broken || !http_decode(given, text, &size) || size > HTTP_VALUE_MAX) {
        seen->is_broken = true;
        return MHD_NO;
    }
    struct http_value *taken = &seen->values[seen->value_count++];
    ensure((taken->name = strdup(name)) && (taken->text = strndup(text, size)));
    if (strcmp(name, "token") == 0) seen->request->token = str_of(taken->text);
    return MHD_YES;
}

static enum MHD_Result server_show(struct http_server *server, struct MHD_Connection *connection,
                                   enum http_page page)
{
    switch (page) {
    case HTTP_READYZ: return server_show_ready(server, connection);
    case HTTP_HEALTHZ: return server_give(connection, MHD_HTTP_OK, server_sentence("The process answers."));
    case HTTP_LOGIN: return server_show_login(server, connection);
    default: return server_show_put(server, connection, page);
    }
}

static enum MHD_Result server_ask(struct http_server *server, struct MHD_Connection *connection,
                                  enum http_page page, struct server_seen *seen, void **of_request)
{
    char who[HTTP_ADDRESS_TEXT];
    server_put_address(connection, who);
    *of_request =
        http_question_ask(&server->questions, connection, page, who, seen->values, seen->value_count);
    seen->value_count = 0; /* they are the question's */
    if (*of_request) return MHD_YES;
    return server_give(connection, MHD_HTTP_SERVICE_UNAVAILABLE, server_error("Too many ask at once."));
}

static enum MHD_Result server_judge(struct http_server *server, struct MHD_Connection *connection,
                                    struct server_seen *seen, void **of_request)
{
    struct http_request *request = seen->request;
    enum http_page page;
    MHD_get_connection_values(connection, MHD_HEADER_KIND, server_take_header, seen);
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, server_take_value, seen);
    request->is_doubtful = seen->hosts > 1 || seen->authorizations > 1 || seen->has_body || seen->is_broken;
    enum http_verdict verdict = http_judge(server->door, request, &page);
    if (verdict != HTTP_LET_IN) return server_refuse(connection, request->path, verdict);
    if (http_page_source(page) == HTTP_SOURCE_ASKED)
        return server_ask(server, connection, page, seen, of_request);
    return server_show(server, connection, page);
}

static void server_note_request(struct http_server *server, struct MHD_Connection *connection)
{
    int socket = server_socket_of(connection);
    pthread_mutex_lock(&server->lock);
    struct server_guest *guest = server_guest(server, socket);
    if (guest) guest->has_asked = true;
    pthread_mutex_unlock(&server->lock);
}

static enum MHD_Result server_handle(void *context, struct MHD_Connection *connection, const char *path,
                                     const char *method, const char *version, const char *body,
                                     size_t *body_size, void **of_request)
{
    struct http_server *server = context;
    struct http_request request = {.method = str_of(method), .path = str_of(path)};
    struct server_seen seen = {.request = &request};
    (void)version, (void)body, (void)body_size;
    if (*of_request) return server_answer(server, connection, *of_request);
    server_note_request(server, connection);
    enum MHD_Result result = server_judge(server, connection, &seen, of_request);
    for (size_t i = 0; i < seen.value_count; i++) {
        free(seen.values[i].name);
        free(seen.values[i].text);
    }
    return result;
}

static void server_end_request(void *context, struct MHD_Connection *connection, void **of_request,
                               enum MHD_RequestTerminationCode how)
{
    (void)context, (void)connection, (void)how;
    if (*of_request) http_question_leave(*of_request);
    *of_request = NULL;
}

/* Names in paths and queries are plain, and what is written in another way is none of them; values are decoded as they
 * are taken. */
static size_t server_unescape(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context, (void)connection;
    return strlen(text);
}

/* ---- who comes and goes: libmicrohttpd ends those that are silent, but not those that say a byte now and then */
/* Where it is crowded, whoever has been silent for longest goes. Under the lock. */
static void server_make_room(struct http_server *server)
{
    struct server_guest *oldest = NULL;
    size_t count = 0;
    for (size_t i = 0; i < HTTP_CONNECTIONS; i++) {
        struct server_guest *guest = &server->guests[i];
        if (guest->socket < 0) continue;
        count++;
        if (!guest->has_asked && (!oldest || guest->since_us < oldest->since_us)) oldest = guest;
    }
    if (count < HTTP_CROWD || !oldest) return;
    shutdown(oldest->socket, SHUT_RDWR);
    oldest->has_asked = true; /* once is enough */
}

/* A connection begins, or is about to be closed: until then its socket is its own. */
static void server_meet(void *context, struct MHD_Connection *connection, void **of_connection,
                        enum MHD_ConnectionNotificationCode what)
{
    struct http_server *server = context;
    (void)of_connection;
    int socket = server_socket_of(connection);
    bool begins = what == MHD_CONNECTION_NOTIFY_STARTED;
    int64_t now_us = clock_monotonic_us();
    pthread_mutex_lock(&server->lock);
    if (begins) server_make_room(server);
    struct server_guest *guest = server_guest(server, begins ? -1 : socket);
    if (guest)
        *guest = (struct server_guest){begins ? socket : -1, now_us, now_us + HTTP_REQUEST_MS * 1000, false};
    pthread_mutex_unlock(&server->lock);
}

void http_server_look(struct http_server *server)
{
    int64_t now_us = clock_monotonic_us();
    pthread_mutex_lock(&server->lock);
    for (size_t i = 0; i < HTTP_CONNECTIONS; i++)
        if (server->guests[i].socket >= 0 && server->guests[i].until_us < now_us)
            shutdown(server->guests[i].socket, SHUT_RDWR);
    pthread_mutex_unlock(&server->lock);
}

/* ---- beginning and end */
static enum relance_status server_listen(const struct http_address *address, int *out,
                                         struct relance_error *error)
{
    static const int yes = 1;
    char text[HTTP_ADDRESS_TEXT];
    int file = socket(address->socket.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool listens = file >= 0 && setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
                   bind(file, &address->socket.any, http_address_size(address)) == 0 &&
                   listen(file, SERVER_BACKLOG) == 0;
    if (listens) return *out = file, RELANCE_OK;
    enum relance_status status =
        relance_error_set(error, RELANCE_INVALID, "--listen: %s: %s", http_address_text(address, text),
                          errno == EADDRINUSE ? "somebody else listens there" : strerror(errno));
    if (file >= 0) close(file);
    return status;
}

bool http_server_could_listen(struct http_address *address)
{
    int file;
    struct relance_error error;
    socklen_t size = sizeof address->socket;
    if (server_listen(address, &file, &error) != RELANCE_OK) return false;
    bool is_known = getsockname(file, &address->socket.any, &size) == 0;
    close(file);
    return is_known;
}

static struct MHD_Daemon *server_start(struct http_server *server, int socket)
{
    const struct MHD_OptionItem options[] = {
        {MHD_OPTION_LISTEN_SOCKET, socket, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, HTTP_CONNECTIONS, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, HTTP_HEADER_BYTES + SERVER_ANSWER_BYTES, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, SERVER_IDLE_S, NULL},
        {MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
        {MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)server_unescape, NULL},
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)server_meet, server},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)server_end_request, server},
        {MHD_OPTION_END, 0, NULL},
    };
    return MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
                            server_handle, server, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}

enum relance_status http_server_open(const struct http_address *address, const struct http_door *door,
                                     struct http_server **out, struct relance_error *error)
{
    int file = -1;
    enum relance_status status = server_listen(address, &file, error);
    if (status != RELANCE_OK) return status;
    struct http_server *server = calloc(1, sizeof *server);
    ensure(server);
    server->door = door;
    pthread_mutex_init(&server->lock, NULL);
    http_questions_open(&server->questions);
    for (size_t i = 0; i < HTTP_CONNECTIONS; i++)
        server->guests[i].socket = -1;
    server->daemon = server_start(server, file);
    if (server->daemon) return *out = server, RELANCE_OK;
    http_server_close(server);
    return relance_error_set(error, RELANCE_IO, "libmicrohttpd does not start: %s", strerror(errno));
}

void http_server_close(struct http_server *server)
{
    if (!server) return;
    http_questions_close(&server->questions);
    if (server->daemon) MHD_stop_daemon(server->daemon);
    http_questions_free(&server->questions);
    for (size_t i = 0; i < HTTP_PAGE_COUNT; i++)
        http_document_leave(server->pages[i].document);
    pthread_mutex_destroy(&server->lock);
    free(server);
}

/* ---- what is shown */
/* Under the lock. What was there before is to be left: who is being answered with it keeps it. */
static struct http_document *server_exchange(struct http_server *server, enum http_page page,
                                             struct http_document *document)
{
    struct http_document *before = server->pages[page].document;
    server->pages[page] = (struct server_page){document, clock_monotonic_us()};
    return before;
}

void http_server_put(struct http_server *server, enum http_page page, str text, const char *type)
{
    struct http_document *document = http_document_new(text, type);
    pthread_mutex_lock(&server->lock);
    struct http_document *before = server_exchange(server, page, document);
    pthread_mutex_unlock(&server->lock);
    http_document_leave(before);
}

void http_server_publish(struct http_server *server, str metrics, bool is_ready, const char *why)
{
    struct http_document *document = http_document_new(metrics, "text/plain; version=0.0.4; charset=utf-8");
    pthread_mutex_lock(&server->lock);
    struct http_document *before = server_exchange(server, HTTP_METRICS, document);
    server->is_ready = is_ready;
    snprintf(server->why, sizeof server->why, "%s", why);
    server->excuse[0] = '\0';
    pthread_mutex_unlock(&server->lock);
    http_document_leave(before);
}

void http_server_excuse(struct http_server *server, const char *why)
{
    pthread_mutex_lock(&server->lock);
    snprintf(server->excuse, sizeof server->excuse, "%s", why);
    pthread_mutex_unlock(&server->lock);
}
