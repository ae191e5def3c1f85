#include "view/view.h"
#include "base/ensure.h"
#include "host/clock.h"
#include "host/log.h"
#include "host/stop.h"
#include "report/figures.h"
#include "report/report_read.h"
#include "view/answer.h"
#include "view/examples.h"
#include "view/learnt.h"
#include "view/now.h"
#include "view/page.h"
#include "view/teller.h"

#include <cjson/cJSON.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>

enum {
    VIEW_REPORT_US = 3000000,
    VIEW_REPORT_SHARE = 20 /* of the time that it may take: one in so many parts */
};
enum { VIEW_EVERY_US = 1000000, VIEW_LOOK_US = 50000, VIEW_SENTENCE = 256, VIEW_STILL_MS = 48 * 3600000 };

struct view {
    const struct options *options;
    struct http_server *server;
    struct redis_view *redis; /* NULL: none is open */
    struct figures figures;   /* the newest there are, and what follows likewise */
    struct checkpoints checkpoints;
    struct rulesets rulesets;
    struct minutes *minutes;
    struct teller *teller;
    struct examples *examples;
    struct learnt *learnt;
    char why[VIEW_SENTENCE];
    bool is_ready;
    bool is_away;           /* has been said */
    int64_t next_report_us; /* when the report may be made anew */
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
        .checkpoints = &view->checkpoints,
        .group = options->group,
        .topic = options->input,
        .why = view->why,
        .is_ready = view->is_ready && !trouble,
        .trouble = trouble,
        .has_customers = !options->no_customers,
        .has_kafka = options_kafka(options, "bootstrap.servers") != NULL,
        .has_output = examples_are_read(options),
    };
    char *text = now_print(&now);
    http_server_put(view->server, HTTP_NOW, str_of(text), HTTP_JSON);
    free(text);
}

/* The wall clock that the shop goes by: ours, unless events of another time are decided. One that has stood still since
 * nothing happens is ours as well. */
static int64_t view_now_ms(const struct view *view)
{
    int64_t ours = clock_wall_ms(), theirs = checkpoints_wall(&view->checkpoints);
    return theirs > ours || (theirs != CHECKPOINT_NONE && theirs < ours - VIEW_STILL_MS) ? theirs : ours;
}

static double view_lag(const struct figures *figures)
{
    double lag = -1;
    for (size_t i = 0; i < figures->partition_count; i++)
        if (figures->partitions[i].lag >= 0) lag = (lag < 0 ? 0 : lag) + figures->partitions[i].lag;
    return lag;
}

static void view_show(struct view *view)
{
    size_t size;
    view->is_ready = view_is_ready(&view->figures, view->why);
    char *text = figures_prometheus(&view->figures, view->options->group, view->options->input, &size);
    http_server_publish(view->server, (str){text, size}, view->is_ready, view->why);
    free(text);
    view_put_now(view, NULL);
    text = rulesets_print(&view->rulesets, &view->checkpoints);
    if (text) http_server_put(view->server, HTTP_RULES, str_of(text), HTTP_JSON);
    free(text);
    text = learnt_print(view->learnt, &view->rulesets, &view->checkpoints, view_now_ms(view));
    http_server_put(view->server, HTTP_LEARNT, str_of(text), HTTP_JSON);
    free(text);
    minutes_take_lag(view->minutes, view_now_ms(view), view_lag(&view->figures));
}

/* ---- reading */
/* What it takes is a question for each partition and each day, so it is not made at every reading, and where that is slow
 * more seldom. */
static enum relance_status view_report(struct view *view, struct relance_error *error)
{
    int64_t began_us = clock_monotonic_us();
    struct report report = {0};
    const struct report_asked asked = {
        .rules = view->rulesets.count ? view->rulesets.items[0].rules : NULL,
        .at_ms = view_now_ms(view),
        .group = view->options->group,
        .topic = view->options->input,
    };
    if (began_us < view->next_report_us) return RELANCE_OK;
    report_ask(&report, &asked);
    enum relance_status status = report_read(&report, view->redis, error);
    if (status == RELANCE_OK) {
        report_end(&report);
        char *text = report_json(&report);
        http_server_put(view->server, HTTP_REPORT, str_of(text), HTTP_JSON);
        cJSON_free(text);
    }
    report_free(&report);
    int64_t now_us = clock_monotonic_us(), wait_us = (now_us - began_us) * VIEW_REPORT_SHARE;
    view->next_report_us = now_us + (wait_us > VIEW_REPORT_US ? wait_us : VIEW_REPORT_US);
    return status;
}

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
    status = checkpoints_read(&view->checkpoints, view->redis, error);
    if (status == RELANCE_OK) status = rulesets_read(&view->rulesets, &view->checkpoints, view->redis, error);
    if (status == RELANCE_OK) view_show(view);
    return status == RELANCE_OK ? view_report(view, error) : status;
}

static void view_close(struct view *view)
{
    redis_view_close(view->redis);
    view->redis = NULL;
}

/* What has failed once is opened anew: a line on which anything has failed is of no use any more. */
static void view_try(struct view *view)
{
    struct relance_error error;
    bool is_away = view_read(view, &error) != RELANCE_OK;
    if (is_away) {
        http_server_excuse(view->server, error.message);
        view_put_now(view, error.message);
        view_close(view);
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

/* By the rules of its partition, and as that decides: all do so alike. */
static void view_tell(struct view *view, struct http_question *question)
{
    struct relance_error error;
    char *decides = NULL;
    size_t size;
    int64_t from_ms;
    if (!answer_from(question, 0, &from_ms) || !answer_whom(question, "A customer's story was asked for.")) {
        http_question_refuse(
            question, 400,
            "id=… is needed, and from is `earliest` or an instant such as 2026-03-02T10:00:00Z.");
        return;
    }
    if (view->redis && redis_view_field(view->redis, 0, REDIS_VIEW_META, STR("options"), &decides, &size,
                                        &error) != RELANCE_OK)
        view_close(view);
    if (view->redis)
        teller_tell(view->teller, question, decides);
    else
        http_question_refuse(question, 502, "Redis does not answer.");
    free(decides);
}

static void view_answer(struct view *view, struct http_question *question)
{
    const struct answering answering = {view->redis, &view->checkpoints, &view->rulesets, view->minutes,
                                        view_now_ms(view)};
    switch (http_question_page(question)) {
    case HTTP_MINUTES:
    case HTTP_CUSTOMER:
        if (!answer_question(&answering, question)) view_close(view);
        break;
    case HTTP_STORY: view_tell(view, question); break;
    case HTTP_EXAMPLES: examples_answer(view->examples, question); break;
    case HTTP_ALSO: learnt_answer(view->learnt, &view->rulesets, question); break;
    default: http_question_refuse(question, 404, "There is no such page."); break;
    }
}

/* Until it is time to read again. */
static void view_answer_until(struct view *view, int64_t until_us)
{
    for (int64_t now_us = 0; !stop_requested() && now_us < until_us; now_us = clock_monotonic_us()) {
        struct http_question *question = http_question_next(view->server, VIEW_LOOK_US);
        if (question) view_answer(view, question);
    }
}

static void *view_read_on(void *context)
{
    struct view *view = context;
    while (!stop_requested()) {
        int64_t next_us = clock_monotonic_us() + VIEW_EVERY_US;
        view_try(view);
        view_show_page_anew(view);
        malloc_trim(0); /* what documents are made of is many times as large, and needed for a moment */
        view_answer_until(view, next_us);
    }
    view_close(view);
    return NULL;
}

enum relance_status view_start(const struct options *options, struct http_server *server, struct view **out,
                               struct relance_error *error)
{
    struct relance_error why;
    if (page_show(server, options->assets, &why) != RELANCE_OK)
        return relance_error_set(error, RELANCE_INVALID, "--assets: %s", why.message);
    struct view *view = calloc(1, sizeof *view);
    ensure(view);
    view->options = options;
    view->server = server;
    view->minutes = minutes_new();
    view->teller = teller_new(options);
    view->examples = examples_start(options);
    view->learnt = learnt_start(options);
    http_server_excuse(server, "they are being read");
    view_put_now(view, "They are being read.");
    ensure(pthread_create(&view->thread, NULL, view_read_on, view) == 0);
    *out = view;
    return RELANCE_OK;
}

void view_join(struct view *view)
{
    pthread_join(view->thread, NULL);
    teller_free(view->teller);
    examples_join(view->examples);
    learnt_join(view->learnt);
    figures_free(&view->figures);
    checkpoints_free(&view->checkpoints);
    rulesets_free(&view->rulesets);
    minutes_free(view->minutes);
    free(view);
}
