#include "http/server.h"
#include "base/ensure.h"
#include "host/clock.h"

#include <errno.h>
#include <microhttpd.h>
#include <pthread.h>
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
};

/* A connection, so that it can be ended from outside. */
struct server_guest {
    int socket; /* -1: nobody is here */
    int64_t since_us;
};

struct http_server {
    const struct http_door *door;
    struct MHD_Daemon *daemon;
    pthread_mutex_t lock; /* of all that follows */
    struct MHD_Response
        *metrics; /* NULL: none yet. Not changed any more: it is given to everybody who asks */
    int64_t made_us;
    bool is_ready;
    char why[SERVER_SENTENCE];    /* of the figures */
    char excuse[SERVER_SENTENCE]; /* for there being none, or no newer ones */
    struct server_guest guests[HTTP_CONNECTIONS];
};

/* ---- answers */
static const char *const server_headers[][2] = {
    {"Connection", "close"}, /* what stands behind a request is not looked at: it may be anything */
    {"Cache-Control", "no-store"},
    {"Content-Security-Policy",
     "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
};

static struct MHD_Response *server_response(str body, const char *type)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body.size, (void *)(uintptr_t)body.data, MHD_RESPMEM_MUST_COPY);
    ensure(response);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    for (size_t i = 0; i < sizeof server_headers / sizeof *server_headers; i++)
        MHD_add_response_header(response, server_headers[i][0], server_headers[i][1]);
    return response;
}

static struct MHD_Response *server_sentence(const char *sentence)
{
    char body[SERVER_SENTENCE + 2];
    snprintf(body, sizeof body, "%.*s\n", SERVER_SENTENCE, sentence);
    return server_response(str_of(body), "text/plain; charset=utf-8");
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
    {HTTP_DOUBTFUL, NULL, NULL, "Neither a body nor a second Host or Authorization is expected."},
    {HTTP_NO_TOKEN, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer realm=\"relance\"",
     "The token is needed: Authorization: Bearer TOKEN."},
    {HTTP_NO_PAGE, NULL, NULL, "There are /metrics, /healthz and /readyz."},
    {HTTP_NO_METHOD, MHD_HTTP_HEADER_ALLOW, "GET, HEAD", "There is nothing here but to read: GET and HEAD."},
    {HTTP_NO_HOST, NULL, NULL,
     "Not under this name: ask by IP address or as localhost, or let it be given with --host."},
};

static enum MHD_Result server_refuse(struct MHD_Connection *connection, enum http_verdict verdict)
{
    const struct server_refusal *refusal = server_refusals;
    while (refusal->verdict != verdict)
        refusal++;
    struct MHD_Response *response = server_sentence(refusal->sentence);
    if (refusal->header) MHD_add_response_header(response, refusal->header, refusal->value);
    return server_give(connection, verdict, response);
}

/* Under the lock. */
static bool server_is_fresh(const struct http_server *server, char why[SERVER_SENTENCE])
{
    int64_t age_us = clock_monotonic_us() - server->made_us;
    const char *excuse = *server->excuse ? server->excuse : "nobody makes any";
    if (server->metrics && age_us <= HTTP_FRESH_MS * 1000) return true;
    if (server->metrics)
        snprintf(why, SERVER_SENTENCE, "The newest figures are %lld s old: %.400s",
                 (long long)age_us / 1000000, excuse);
    else
        snprintf(why, SERVER_SENTENCE, "There are no figures yet: %.400s", excuse);
    return false;
}

static enum MHD_Result server_show_metrics(struct http_server *server, struct MHD_Connection *connection)
{
    char why[SERVER_SENTENCE];
    enum MHD_Result result = MHD_NO;
    pthread_mutex_lock(&server->lock);
    bool is_fresh = server_is_fresh(server, why);
    if (is_fresh) result = MHD_queue_response(connection, MHD_HTTP_OK, server->metrics);
    pthread_mutex_unlock(&server->lock);
    return is_fresh ? result : server_give(connection, MHD_HTTP_SERVICE_UNAVAILABLE, server_sentence(why));
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

/* ---- requests */
struct server_headers {
    struct http_request *request;
    unsigned hosts, authorizations;
    bool has_body;
};

static enum MHD_Result server_take_header(void *context, enum MHD_ValueKind kind, const char *name,
                                          const char *value)
{
    struct server_headers *headers = context;
    (void)kind;
    if (strcasecmp(name, MHD_HTTP_HEADER_HOST) == 0) {
        headers->request->host = str_of(value);
        headers->hosts++;
    } else if (strcasecmp(name, MHD_HTTP_HEADER_AUTHORIZATION) == 0) {
        headers->request->authorization = str_of(value);
        headers->authorizations++;
    } else if (strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0) {
        headers->has_body |= !value || strcmp(value, "0") != 0;
    } else if (strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0) {
        headers->has_body = true;
    }
    return MHD_YES;
}

static enum MHD_Result server_handle(void *context, struct MHD_Connection *connection, const char *path,
                                     const char *method, const char *version, const char *body,
                                     size_t *body_size, void **request_context)
{
    struct http_server *server = context;
    struct http_request request = {.method = str_of(method), .path = str_of(path)};
    struct server_headers headers = {.request = &request};
    enum http_page page;
    (void)version, (void)body, (void)body_size, (void)request_context;
    MHD_get_connection_values(connection, MHD_HEADER_KIND, server_take_header, &headers);
    request.is_doubtful = headers.hosts > 1 || headers.authorizations > 1 || headers.has_body;
    enum http_verdict verdict = http_judge(server->door, &request, &page);
    if (verdict != HTTP_LET_IN) return server_refuse(connection, verdict);
    switch (page) {
    case HTTP_METRICS: return server_show_metrics(server, connection);
    case HTTP_READYZ: return server_show_ready(server, connection);
    case HTTP_HEALTHZ: break;
    }
    return server_give(connection, MHD_HTTP_OK, server_sentence("The process answers."));
}

/* Pages have plain names: what is written in another way is none of them. */
static size_t server_unescape(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context, (void)connection;
    return strlen(text);
}

/* ---- connections: libmicrohttpd ends those that are silent, but not those that say a byte now and then */
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

/* A connection begins, or is about to be closed: until then its socket is its own. */
static void server_meet(void *context, struct MHD_Connection *connection, void **of_connection,
                        enum MHD_ConnectionNotificationCode what)
{
    struct http_server *server = context;
    (void)of_connection;
    int socket = server_socket_of(connection);
    bool begins = what == MHD_CONNECTION_NOTIFY_STARTED;
    pthread_mutex_lock(&server->lock);
    struct server_guest *guest = server_guest(server, begins ? -1 : socket);
    if (guest) *guest = (struct server_guest){begins ? socket : -1, clock_monotonic_us()};
    pthread_mutex_unlock(&server->lock);
}

void http_server_look(struct http_server *server)
{
    int64_t before_us = clock_monotonic_us() - HTTP_REQUEST_MS * 1000;
    pthread_mutex_lock(&server->lock);
    for (size_t i = 0; i < HTTP_CONNECTIONS; i++)
        if (server->guests[i].socket >= 0 && server->guests[i].since_us < before_us)
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
        {MHD_OPTION_END, 0, NULL},
    };
    return MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC, 0, NULL, NULL, server_handle, server,
                            MHD_OPTION_ARRAY, options, MHD_OPTION_END);
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
    if (server->daemon) MHD_stop_daemon(server->daemon);
    if (server->metrics) MHD_destroy_response(server->metrics);
    pthread_mutex_destroy(&server->lock);
    free(server);
}

/* ---- what is shown */
void http_server_publish(struct http_server *server, str metrics, bool is_ready, const char *why)
{
    struct MHD_Response *response = server_response(metrics, "text/plain; version=0.0.4; charset=utf-8");
    pthread_mutex_lock(&server->lock);
    struct MHD_Response *before = server->metrics;
    server->metrics = response;
    server->made_us = clock_monotonic_us();
    server->is_ready = is_ready;
    snprintf(server->why, sizeof server->why, "%s", why);
    server->excuse[0] = '\0';
    pthread_mutex_unlock(&server->lock);
    if (before) MHD_destroy_response(before); /* who is being answered with it keeps it */
}

void http_server_excuse(struct http_server *server, const char *why)
{
    pthread_mutex_lock(&server->lock);
    snprintf(server->excuse, sizeof server->excuse, "%s", why);
    pthread_mutex_unlock(&server->lock);
}
