/* relance serve: the metrics of a group over HTTP, and whether it works. One thread reads Redis once a second and
 * publishes what it has found; those who ask get what was published last, so Redis has one reader however many they are.
 * A Redis that is away is no reason to end: what there was grows old, which is said, and it is asked again. */
#include "host/clock.h"
#include "host/command.h"
#include "base/ensure.h"
#include "http/server.h"
#include "host/file.h"
#include "host/log.h"
#include "host/option.h"
#include "host/print.h"
#include "host/stop.h"
#include "host/supervisor.h"
#include "report/figures.h"
#include "delivery/store.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { SERVE_EVERY_US = 1000000, SERVE_LOOK_US = 50000, SERVE_SENTENCE = 256 };
#define SERVE_LISTEN "127.0.0.1:8077"
#define SERVE_TOKEN  "RELANCE_TOKEN"

struct serve {
    const struct options *options;
    struct http_address address;
    struct http_door door;
    char *token; /* NULL: none */
    struct http_server *server;
    struct redis_view *view; /* NULL: none is open */
    bool is_away;            /* has been said */
};

/* ---- the configuration */
/* From the file, else from the environment. A token on a command line would be seen by everybody. */
static bool serve_read_token(struct serve *serve)
{
    struct relance_error error;
    const char *path = serve->options->token_file, *given = getenv(SERVE_TOKEN);
    char *text = NULL;
    size_t size = 0;
    if (!path && !given) return true;
    if (path && file_read(path, FILE_OPTIONS_MAX, &text, &size, &error) != RELANCE_OK) {
        print_mistake("--token-file: %s", error.message);
        return false;
    }
    str token = str_trim(path ? (str){text, size} : str_of(given));
    bool is_right = http_is_token(token);
    if (is_right) {
        log_hide(token);
        ensure(serve->token = strndup(token.data, token.size));
    } else
        print_mistake("%s: no token: %d to %d letters, digits and signs of -._~+/=, such as `openssl rand "
                      "-hex 16` prints",
                      path ? "--token-file" : SERVE_TOKEN, HTTP_TOKEN_MIN, HTTP_TOKEN_MAX);
    free(text);
    struct stat about;
    if (path && stat(path, &about) == 0 && (about.st_mode & S_IROTH))
        print_mistake("warning: --token-file: everybody may read %s; chmod o-r %s", path, path);
    return is_right;
}

static bool serve_check_options(struct serve *serve)
{
    const struct options *options = serve->options;
    struct relance_error error;
    const char *listen = options->listen ? options->listen : SERVE_LISTEN;
    bool is_right = serve_read_token(serve);
    if (http_address_read(listen, &serve->address, &error) != RELANCE_OK ||
        store_check_url(options->redis, &error) != RELANCE_OK) {
        print_mistake("%s", error.message);
        is_right = false;
    } else if (is_right && !serve->address.is_loopback && !serve->token) {
        print_mistake(
            "--listen: %s is open to other machines, which takes a token: --token-file FILE, or " SERVE_TOKEN
            " in the environment",
            listen);
        is_right = false;
    }
    if (options->host && !http_are_names(str_of(options->host))) {
        print_mistake("--host: '%s' is no list of names with commas between them", options->host);
        is_right = false;
    }
    serve->door = (struct http_door){.token = serve->token, .names = options->host};
    return is_right;
}

/* ---- reading */
static bool serve_is_ready(const struct figures *figures, char why[SERVE_SENTENCE])
{
    size_t all = figures->partition_count, owned = all - figures_count_partitions(figures, FIGURES_NOBODY),
           first = 0;
    while (first < all && figures->partitions[first].owner)
        first++;
    if (first == all)
        snprintf(why, SERVE_SENTENCE, "%zu of %zu partitions have an owner.", owned, all);
    else
        snprintf(why, SERVE_SENTENCE, "%zu of %zu partitions have an owner; nobody has %zu.", owned, all,
                 first);
    return first == all;
}

static void serve_publish(struct serve *serve, const struct figures *figures)
{
    char why[SERVE_SENTENCE];
    size_t size;
    bool is_ready = serve_is_ready(figures, why);
    char *text = figures_prometheus(figures, serve->options->group, serve->options->input, &size);
    http_server_publish(serve->server, (str){text, size}, is_ready, why);
    free(text);
}

static enum relance_status serve_read(struct serve *serve, struct relance_error *error)
{
    const struct options *options = serve->options;
    struct figures figures;
    if (!serve->view) serve->view = redis_view_open(options->redis, options->group, options->input, error);
    if (!serve->view) return RELANCE_IO;
    enum relance_status status = figures_read(serve->view, &figures, error);
    if (status != RELANCE_OK) return status;
    serve_publish(serve, &figures);
    figures_free(&figures);
    return RELANCE_OK;
}

/* What has failed once is opened anew: a line on which anything has failed is of no use any more. */
static void serve_try(struct serve *serve)
{
    struct relance_error error;
    bool is_away = serve_read(serve, &error) != RELANCE_OK;
    if (is_away) {
        http_server_excuse(serve->server, error.message);
        redis_view_close(serve->view);
        serve->view = NULL;
    }
    if (is_away && !serve->is_away)
        log_line(LOG_WARNING, "There are no newer figures.", "why=\"%s\"", error.message);
    if (!is_away && serve->is_away) log_line(LOG_INFO, "There are figures again.", "redis=1");
    serve->is_away = is_away;
}

static void *serve_read_on(void *context)
{
    struct serve *serve = context;
    while (!stop_requested()) {
        int64_t next_us = clock_monotonic_us() + SERVE_EVERY_US;
        serve_try(serve);
        while (!stop_requested() && clock_monotonic_us() < next_us)
            clock_sleep_us(SERVE_LOOK_US);
    }
    redis_view_close(serve->view);
    return NULL;
}

/* ---- the command */
static int serve_work(struct serve *serve)
{
    struct relance_error error;
    pthread_t reader;
    char text[HTTP_ADDRESS_TEXT];
    if (http_server_open(&serve->address, &serve->door, &serve->server, &error) != RELANCE_OK) {
        print_mistake("%s", error.message);
        return error.status == RELANCE_INVALID ? EXIT_STATUS_USAGE : EXIT_STATUS_FAILED;
    }
    log_line(LOG_INFO, "Listening.", "address=%s", http_address_text(&serve->address, text));
    http_server_excuse(serve->server, "they are being read");
    ensure(pthread_create(&reader, NULL, serve_read_on, serve) == 0);
    supervisor_tell("READY=1");
    while (!stop_requested()) {
        http_server_look(serve->server);
        clock_sleep_us(SERVE_LOOK_US);
    }
    supervisor_tell("STOPPING=1");
    pthread_join(reader, NULL);
    http_server_close(serve->server);
    log_line(LOG_INFO, "Ended.", "status=%d", EXIT_STATUS_OK);
    return EXIT_STATUS_OK;
}

int cmd_serve(const struct options *options)
{
    struct serve serve = {.options = options};
    int status = EXIT_STATUS_USAGE;
    if (serve_check_options(&serve)) {
        stop_on_signals();
        signal(SIGPIPE, SIG_IGN); /* who has gone is an error of the write, no more */
        status = serve_work(&serve);
    }
    free(serve.token);
    return status;
}
