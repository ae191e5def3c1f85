#include "view/view.h"
#include "base/ensure.h"
#include "host/clock.h"
#include "host/log.h"
#include "host/stop.h"
#include "report/figures.h"
#include "http/question.h"
#include "view/now.h"
#include "view/page.h"

#include <pthread.h>
#include <stdlib.h>

enum { VIEW_EVERY_US = 1000000, VIEW_LOOK_US = 50000, VIEW_SENTENCE = 256 };

struct view {
    const struct options *options;
    struct http_server *server;
    struct redis_view *redis; /* NULL: none is open */
    struct figures figures;   /* the newest there are */
    char why[VIEW_SENTENCE];
    bool is_ready;
    bool is_away; /* has been said */
    pthread_t thread;
};

/* ---- showing */
static bool view_is_ready(const struct figures *figures, char why[VIEW_SENTENCE])
{
    size_t all = figures->partition_count, owned = all - figures_count_partitions(figures, FIGURES_NOBODY),
           first = 0;
    while (first < all && figures->partitions[first].owner)
        first++;
    if (first == all)
        snprintf(why, VIEW_SENTENCE, "%zu of %zu partitions have an owner.", owned, all);
    else
        snprintf(why, VIEW_SENTENCE, "%zu of %zu partitions have an owner; nobody has %zu.", owned, all,
                 first);
    return first == all;
}

/* `trouble` NULL: the figures are new. */
static void view_put_now(struct view *view, const char *trouble)
{
    const struct options *options = view->options;
    struct now now = {
        .figures = &view->figures,
        .group = options->group,
        .topic = options->input,
        .why = view->why,
        .is_ready = view->is_ready && !trouble,
        .trouble = trouble,
        .has_customers = !options->no_customers,
        .has_kafka = options_kafka(options, "bootstrap.servers") != NULL,
    };
    char *text = now_print(&now);
    http_server_put(view->server, HTTP_NOW, str_of(text), HTTP_JSON);
    free(text);
}

static void view_show(struct view *view)
{
    size_t size;
    view->is_ready = view_is_ready(&view->figures, view->why);
    char *text = figures_prometheus(&view->figures, view->options->group, view->options->input, &size);
    http_server_publish(view->server, (str){text, size}, view->is_ready, view->why);
    free(text);
    view_put_now(view, NULL);
}

/* ---- reading */
static enum relance_status view_read(struct view *view, struct relance_error *error)
{
    const struct options *options = view->options;
    struct figures figures;
    if (!view->redis) view->redis = redis_view_open(options->redis, options->group, options->input, error);
    if (!view->redis) return RELANCE_IO;
    enum relance_status status = figures_read(view->redis, &figures, error);
    if (status != RELANCE_OK) return status;
    figures_free(&view->figures);
    view->figures = figures;
    view_show(view);
    return RELANCE_OK;
}

/* What has failed once is opened anew: a line on which anything has failed is of no use any more. */
static void view_try(struct view *view)
{
    struct relance_error error;
    bool is_away = view_read(view, &error) != RELANCE_OK;
    if (is_away) {
        http_server_excuse(view->server, error.message);
        view_put_now(view, error.message);
        redis_view_close(view->redis);
        view->redis = NULL;
    }
    if (is_away && !view->is_away)
        log_line(LOG_WARNING, "There are no newer figures.", "why=\"%s\"", error.message);
    if (!is_away && view->is_away) log_line(LOG_INFO, "There are figures again.", "redis=1");
    view->is_away = is_away;
}

static void view_show_page_anew(const struct view *view)
{
    struct relance_error error;
    const char *dir = view->options->assets;
    if (dir && page_show(view->server, dir, &error) != RELANCE_OK)
        log_line(LOG_WARNING, "The page cannot be read.", "why=\"%s\"", error.message);
}

static void view_answer(struct view *view, struct http_question *question)
{
    (void)view;
    if (question) http_question_refuse(question, 501, "This is not answered yet.");
}

static void *view_read_on(void *context)
{
    struct view *view = context;
    while (!stop_requested()) {
        int64_t next_us = clock_monotonic_us() + VIEW_EVERY_US;
        view_try(view);
        view_show_page_anew(view);
        for (int64_t now_us = 0; !stop_requested() && now_us < next_us; now_us = clock_monotonic_us())
            view_answer(view, http_question_next(view->server, VIEW_LOOK_US));
    }
    redis_view_close(view->redis);
    return NULL;
}

enum relance_status view_start(const struct options *options, struct http_server *server, struct view **out,
                               struct relance_error *error)
{
    enum relance_status status = page_show(server, options->assets, error);
    if (status != RELANCE_OK)
        return relance_error_set(error, RELANCE_INVALID, "--assets: %s", error->message);
    struct view *view = calloc(1, sizeof *view);
    ensure(view);
    view->options = options;
    view->server = server;
    http_server_excuse(server, "they are being read");
    ensure(pthread_create(&view->thread, NULL, view_read_on, view) == 0);
    *out = view;
    return RELANCE_OK;
}

void view_join(struct view *view)
{
    pthread_join(view->thread, NULL);
    figures_free(&view->figures);
    free(view);
}
