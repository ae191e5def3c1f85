/* relance serve: the live view of a group, its metrics over HTTP, and whether it works. What is shown is the business of
 * view/; who may ask, and where, is read here. */
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
#include "delivery/store.h"
#include "view/view.h"

#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { SERVE_LOOK_US = 50000, SERVE_COOKIE = 32 };
#define SERVE_LISTEN "127.0.0.1:8077"
#define SERVE_TOKEN  "RELANCE_TOKEN"

struct serve {
    const struct options *options;
    struct http_address address;
    struct http_door door;
    char *token;               /* NULL: none */
    char cookie[SERVE_COOKIE]; /* its name: browsers keep those of all ports of a host together */
    struct http_server *server;
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
    snprintf(serve->cookie, sizeof serve->cookie, "relance-%d", ntohs(serve->address.socket.v4.sin_port));
    serve->door = (struct http_door){
        .token = serve->token,
        .names = options->host,
        .cookie = serve->cookie,
        .has_view = true,
        .no_customers = options->no_customers,
    };
    return is_right;
}

/* ---- the command */
static int serve_failed(const struct relance_error *error)
{
    print_mistake("%s", error->message);
    return error->status == RELANCE_INVALID ? EXIT_STATUS_USAGE : EXIT_STATUS_FAILED;
}

static int serve_work(struct serve *serve)
{
    struct relance_error error;
    struct view *view;
    char text[HTTP_ADDRESS_TEXT];
    if (http_server_open(&serve->address, &serve->door, &serve->server, &error) != RELANCE_OK)
        return serve_failed(&error);
    if (view_start(serve->options, serve->server, &view, &error) != RELANCE_OK) {
        http_server_close(serve->server);
        return serve_failed(&error);
    }
    log_line(LOG_INFO, "Listening.", "address=%s", http_address_text(&serve->address, text));
    supervisor_tell("READY=1");
    while (!stop_requested()) {
        http_server_look(serve->server);
        clock_sleep_us(SERVE_LOOK_US);
    }
    supervisor_tell("STOPPING=1");
    view_join(view);
    http_server_close(serve->server);
    log_line(LOG_INFO, "Ended.", "status=%d", EXIT_STATUS_OK);
    return EXIT_STATUS_OK;
}

int cmd_serve(const struct options *options)
{
    struct serve serve = {.options = options};
    int status = EXIT_STATUS_USAGE;
    if (serve_check_options(&serve)) {
        mallopt(M_ARENA_MAX, 1); /* few threads ask for memory, and what one gives back is for all */
        stop_on_signals();
        signal(SIGPIPE, SIG_IGN); /* who has gone is an error of the write, no more */
        status = serve_work(&serve);
    }
    free(serve.token);
    return status;
}
