/* relance run: checks that everything is as it must be, then starts the workers and tells how they are doing
 * until a signal comes or there is no going on. What is wrong with the configuration is said all at once;
 * what is wrong with the world (Redis, topics) one thing at a time, in the order in which one would repair
 * it. */
#include "host/clock.h"
#include "host/command.h"
#include "base/ensure.h"
#include "http/server.h"
#include "host/file.h"
#include "delivery/live.h"
#include "host/log.h"
#include "host/option.h"
#include "delivery/partition.h"
#include "host/print.h"
#include "redis/takeover.h"
#include "redis/view.h"
#include "delivery/reload.h"
#include "report/figures.h"
#include "host/stop.h"
#include "host/supervisor.h"
#include "host/text.h"
#include "delivery/topics.h"
#include "delivery/wall.h"
#include <malloc.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    RUN_WORKERS_MAX = 256,
    RUN_LIVE_US = 1000000,
    RUN_LOOK_US = 50000,
    RUN_CLOSE_LOOK_US = 5000,
    RUN_CLOSE_US = 5000000,
    RUN_TZDATA_MAX = 1 << 20,
    RUN_TAKEOVERS_MAX = 3, /* within a minute */
    RUN_SENTENCE = 256,
    RUN_EXTEND_US =
        20000000 /* so long a supervisor is to wait for us to be ready, from each time we tell it */
};

struct run {
    const struct options *options;
    struct relance_error error;
    char instance[OPTION_INSTANCE_SIZE];
    char deciding[256];
    char tzdata[64];
    struct reload rules;
    struct topics_found topics;
    int64_t from_ms;
    struct worker *workers;
    struct standing *standings; /* by partition */
    struct modelbook *models;
    pthread_t models_reader;
    struct live *live;
    struct http_address address;
    struct http_door door;
    struct http_server *server; /* NULL: nobody can ask */
    bool was_ready;
};

/* ---- the configuration beyond what the table can say */
__attribute__((format(printf, 2, 3))) static void run_mistake(unsigned *mistakes, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    print_mistake_list("", format, list);
    va_end(list);
    ++*mistakes;
}

static bool run_read_from(struct run *run)
{
    const char *from = run->options->from;
    run->from_ms = FROM_UNSET;
    if (!from) return true;
    if (strcmp(from, "earliest") == 0) return run->from_ms = FROM_EARLIEST, true;
    if (strcmp(from, "latest") == 0) return run->from_ms = FROM_LATEST, true;
    return text_instant(str_of(from), &run->from_ms);
}

/* A topic of its own: what reads the others would take lines for something else. */
static void run_check_decisions(const struct options *options, unsigned *mistakes)
{
    static const char *const suffixes[] = {"", ".dead", ".marks", ".links", ".models"};
    const char *topic = options->decisions;
    size_t base = strlen(options->output);
    if (!topic) return;
    if (!text_is_name(topic)) run_mistake(mistakes, "--decisions: '%s' is no name: " TEXT_NAME_FORM, topic);
    bool is_other = strcmp(topic, options->input) == 0;
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
        is_other |= strncmp(topic, options->output, base) == 0 && strcmp(topic + base, suffixes[i]) == 0;
    if (is_other)
        run_mistake(mistakes, "--decisions: %s holds something else; decisions need a topic of their own",
                    topic);
}

static unsigned run_check_options(struct run *run)
{
    const struct options *options = run->options;
    const struct {
        const char *option, *value;
    } names[] = {{"group", options->group},
                 {"instance", run->instance},
                 {"input", options->input},
                 {"output", options->output}};
    unsigned mistakes = 0;
    struct relance_error error;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!text_is_name(names[i].value))
            run_mistake(&mistakes, "--%s: '%s' is no name: " TEXT_NAME_FORM, names[i].option, names[i].value);
    if (options->workers < 1 || options->workers > RUN_WORKERS_MAX)
        run_mistake(&mistakes, "--workers: 1 to %d", RUN_WORKERS_MAX);
    if (!options_kafka(options, "bootstrap.servers") && !options_kafka(options, "metadata.broker.list"))
        run_mistake(&mistakes, "--kafka.bootstrap.servers is needed: where Kafka is, HOST:PORT");
    if (!run_read_from(run))
        run_mistake(&mistakes, "--from: '%s' is not earliest, latest or a time such as 2026-03-02T10:00:00Z",
                    options->from);
    if (store_check_url(options->redis, &error) != RELANCE_OK) run_mistake(&mistakes, "%s", error.message);
    if (!clock_read_option(options->clock))
        run_mistake(&mistakes, "--clock: '%s' is not of the form TIME*FACTOR", options->clock);
    if (options->listen && http_address_read(options->listen, &run->address, &error) != RELANCE_OK)
        run_mistake(&mistakes, "%s", error.message);
    if (strcmp(options->input, options->output) == 0)
        run_mistake(&mistakes, "--output: actions cannot go to the topic that events come from");
    run_check_decisions(options, &mistakes);
    return mistakes;
}

/* ---- what decides besides the rules: it travels in marks, and must be as it was for events that are decided
 * again */
static void run_tzdata_version(char *out, size_t size)
{
    char *text;
    size_t length;
    struct relance_error error;
    char path[512];
    snprintf(out, size, "none");
    snprintf(path, sizeof path, "%s/tzdata.zi", file_zone_folder());
    if (file_read(path, RUN_TZDATA_MAX, &text, &length, &error) != RELANCE_OK) return;
    static const char start[] = "# version ";
    if (strncmp(text, start, sizeof start - 1) == 0)
        snprintf(out, size, "%.*s", (int)strcspn(text + sizeof start - 1, "\n "), text + sizeof start - 1);
    free(text);
}

/* Before a reshard records that were sent while partitions were added are in their new place already, and none is refused. */
static bool run_refuses_misplaced(const struct run *run)
{
    return strcmp(run->options->misplaced, "refuse") == 0 && !run->options->drain;
}

/* Which records are refused follows from the number of partitions, too. */
static void run_describe_misplaced(const struct run *run, char *out, size_t size)
{
    if (run_refuses_misplaced(run))
        snprintf(out, size, "refuse/%d", run->topics.input_partitions);
    else
        snprintf(out, size, "warn");
}

static void run_describe_deciding(struct run *run)
{
    char misplaced[32];
    run_describe_misplaced(run, misplaced, sizeof misplaced);
    run_tzdata_version(run->tzdata, sizeof run->tzdata);
    snprintf(run->deciding, sizeof run->deciding,
             "engine=%s lateness=%lldms forget-after=%lldms forget-visitors-after=%lldms state-bytes=%lld "
             "misplaced=%s",
             RELANCE_VERSION, (long long)run->options->lateness, (long long)run->options->forget_after,
             (long long)run->options->forget_visitors_after, (long long)run->options->state_bytes, misplaced);
}

/* ---- the workers */
static void run_start_workers(struct run *run)
{
    size_t count = (size_t)run->options->workers;
    run->workers = calloc(count, sizeof *run->workers);
    run->standings = calloc((size_t)run->topics.input_partitions, sizeof *run->standings);
    ensure(run->workers && run->standings);
    run->models = modelbook_open(run->options);
    if (run->rules.has_affinities) modelbook_want(run->models);
    ensure(pthread_create(&run->models_reader, NULL, modelbook_run, run->models) == 0);
    for (size_t i = 0; i < count; i++) {
        struct worker *worker = &run->workers[i];
        worker->plan = (struct worker_plan){.options = run->options,
                                            .instance = run->instance,
                                            .number = (int)i,
                                            .rules = &run->rules,
                                            .deciding = run->deciding,
                                            .tzdata = run->tzdata,
                                            .input_partitions = run->topics.input_partitions,
                                            .from_ms = run->from_ms,
                                            .refuses_misplaced = run_refuses_misplaced(run),
                                            .most = SOURCE_BATCH_MAX,
                                            .waits_most = WORKER_WAITS_MAX,
                                            .save_changed = WORKER_SAVE_CHANGED,
                                            .changed_most = WORKER_CHANGED_MAX,
                                            .standings = run->standings,
                                            .models = run->models,
                                            .all = run->workers,
                                            .count = count};
        pulse_init(&worker->pulse);
        ensure(pthread_create(&worker->thread, NULL, worker_run, worker) == 0);
    }
}

static bool run_is_at_end(const struct run *run)
{
    bool all = run->options->stop_at_end || run->options->drain;
    for (int64_t i = 0; i < run->options->workers; i++)
        all &= atomic_load(&run->workers[i].at_end);
    return all;
}

/* ---- how it is doing, for whoever asks */
static bool run_has_joined(const struct run *run)
{
    bool all = true;
    for (int64_t i = 0; i < run->options->workers; i++)
        all &= atomic_load(&run->workers[i].joined);
    return all;
}

static int64_t run_figure(const struct live *live, const char *name)
{
    size_t count;
    int64_t value = 0;
    const struct live_figure *figures = live_figures(live, &count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(figures[i].name, name) == 0) text_count(str_of(figures[i].value), &value);
    return value;
}

static bool run_is_ready(const struct run *run, const struct live *live, char why[RUN_SENTENCE])
{
    int64_t own = run_figure(live, "partitions"), caught_up = run_figure(live, "partitions_live");
    const char *trouble = stop_requested()       ? "The engine is ending."
                          : !run_has_joined(run) ? "The group has not told yet which partitions are ours."
                          : run_figure(live, "redis_refuses")
                              ? "Redis does not answer, or refuses what is written."
                          : run_figure(live, "kafka_away") ? "Kafka does not answer."
                                                           : NULL;
    if (trouble)
        snprintf(why, RUN_SENTENCE, "%s", trouble);
    else
        snprintf(why, RUN_SENTENCE, "Of its %lld partitions %lld have caught up.", (long long)own,
                 (long long)caught_up);
    return !trouble && caught_up == own;
}

static void run_add_counter(void *context, struct relance_str name, bool whole, double value)
{
    (void)whole;
    figures_add_counter(context, name, value);
}

static void run_publish(const struct run *run, const struct live *live, bool is_ready, const char *why)
{
    struct figures figures = {0};
    size_t size, count;
    const struct live_figure *lives = live_figures(live, &count);
    const struct metric_counter *counter;
    for (size_t row = 0; (counter = metric_counter(row)); row++) /* so that what has not happened yet is 0 */
        if (!counter->is_family) figures_add_counter(&figures, str_of(counter->form), 0);
    for (int64_t i = 0; i < run->options->workers; i++)
        pulse_counters(&run->workers[i].pulse, run_add_counter, &figures);
    for (size_t i = 0; i < count; i++)
        figures_add_live(&figures, str_of(run->instance), str_of(lives[i].name), str_of(lives[i].value));
    figures_end(&figures, run->topics.input_partitions);
    char *text = figures_prometheus(&figures, run->options->group, run->options->input, &size);
    http_server_publish(run->server, (struct relance_str){text, size}, is_ready, why);
    free(text);
    figures_free(&figures);
}

/* Once a second. */
static void run_tell(struct run *run, struct live *live)
{
    char why[RUN_SENTENCE], lines[RUN_SENTENCE + 64];
    live_refresh(live);
    bool is_ready = run_is_ready(run, live, why), is_news = is_ready && !run->was_ready;
    run->was_ready |= is_ready;
    if (run->was_ready)
        snprintf(lines, sizeof lines, "%sSTATUS=%s", is_news ? "READY=1\n" : "", why);
    else
        snprintf(lines, sizeof lines, "EXTEND_TIMEOUT_USEC=%d\nSTATUS=%s", RUN_EXTEND_US, why);
    supervisor_tell(lines);
    if (run->server) run_publish(run, live, is_ready, why);
}

static void run_watch(struct run *run)
{
    run->live = live_open(&(struct live_plan){run->options, run->instance, run->workers,
                                              (size_t)run->options->workers, run->standings,
                                              run->topics.input_partitions, &run->rules});
    int64_t refreshed = 0;
    while (!stop_requested()) {
        if (run_is_at_end(run)) stop_request();
        reload_look(&run->rules);
        if (clock_monotonic_us() - refreshed >= RUN_LIVE_US) {
            refreshed = clock_monotonic_us();
            run_tell(run, run->live);
        }
        if (run->server) http_server_look(run->server);
        clock_sleep_us(RUN_LOOK_US);
    }
    supervisor_tell("STOPPING=1");
    run_tell(run, run->live);
}

/* What is saved last is part of the totals, too. */
static void run_await_saved(const struct run *run)
{
    for (int64_t i = 0; i < run->options->workers; i++)
        while (!atomic_load(&run->workers[i].saved))
            clock_sleep_us(RUN_CLOSE_LOOK_US);
}

/* A client of librdkafka 2.0.2 that closes while the broker takes its topic away may wait for ever for a partition
 * that nobody lets go. Whoever has saved everything need not wait for that. */
static bool run_join(struct worker *worker)
{
    int64_t saved_us = 0;
    while (!atomic_load(&worker->ended)) {
        clock_sleep_us(RUN_CLOSE_LOOK_US);
        if (!saved_us && atomic_load(&worker->saved)) saved_us = clock_monotonic_us();
        if (saved_us && clock_monotonic_us() - saved_us > RUN_CLOSE_US) return false;
    }
    pthread_join(worker->thread, NULL);
    return true;
}

/* Two supervisors that start engines of one name again and again would never stop. */
static int run_replaced(const struct run *run)
{
    int64_t times = takeover_note(run->options->redis, run->options->group, run->instance);
    if (times < RUN_TAKEOVERS_MAX) return EXIT_STATUS_FAILED;
    log_line(LOG_ERROR,
             "Engines of one name keep taking over from each other; this one gives up. Each process needs an "
             "--instance of its own.",
             "instance=%s takeovers=%lld within_s=%d", run->instance, (long long)times, TAKEOVER_WINDOW_S);
    return EXIT_STATUS_USAGE;
}

/* The worst that a worker has come to. */
static int run_status(const struct run *run)
{
    int worst = WORKER_ENDED_WELL;
    for (int64_t i = 0; i < run->options->workers; i++) {
        int end = atomic_load(&run->workers[i].end);
        worst = end > worst ? end : worst;
    }
    switch ((enum worker_end)worst) {
    case WORKER_ENDED_WELL: break;
    case WORKER_ENDED_UNSAVED: return EXIT_STATUS_UNSAVED;
    case WORKER_ENDED_FAILED: return EXIT_STATUS_FAILED;
    case WORKER_ENDED_REPLACED: return run_replaced(run);
    case WORKER_ENDED_INVALID: return EXIT_STATUS_USAGE;
    }
    return EXIT_STATUS_OK;
}

static int run_work(struct run *run)
{
    bool closed = true;
    wall_start();
    run_start_workers(run);
    run_watch(run);
    log_line(LOG_INFO, "Ending.", "workers=%lld", (long long)run->options->workers);
    run_await_saved(run);
    live_close(run->live);
    for (int64_t i = 0; i < run->options->workers; i++)
        closed &= run_join(&run->workers[i]);
    int status = run_status(run);
    if (!closed)
        log_line(LOG_WARNING, "A client of Kafka does not close; it is left as it is.", "after_ms=%d",
                 RUN_CLOSE_US / 1000);
    log_line(LOG_INFO, "Ended.", "status=%d", status);
    if (!closed) _exit(status); /* without what runs at exit: threads of the client go on */
    pthread_join(run->models_reader, NULL);
    modelbook_close(run->models);
    for (int64_t i = 0; i < run->options->workers; i++)
        pulse_free(&run->workers[i].pulse);
    free(run->workers);
    free(run->standings);
    return status;
}

static int run_refuse(const struct run *run)
{
    log_line(LOG_ERROR, "Cannot start:", "why=\"%s\"", run->error.message);
    return run->error.status == RELANCE_INVALID ? EXIT_STATUS_USAGE : EXIT_STATUS_FAILED;
}

/* Where only this machine gets, a browser on it does, too, with any page's name for Host. Elsewhere whoever runs us says
 * who gets there. */
static enum relance_status run_listen(struct run *run)
{
    if (!run->options->listen) return RELANCE_OK;
    run->door = (struct http_door){.any_host = !run->address.is_loopback};
    enum relance_status status = http_server_open(&run->address, &run->door, &run->server, &run->error);
    if (status == RELANCE_OK) http_server_excuse(run->server, "the engine is starting");
    return status;
}

static int run_checked(struct run *run)
{
    run->rules.watch = run->options->watch;
    enum relance_status status = reload_open(&run->rules, &run->options->rules, &run->error);
    if (status == RELANCE_IO)
        run->error.status = RELANCE_INVALID; /* no such file, or one that cannot be read */
    if (status == RELANCE_OK) status = run_listen(run);
    if (status == RELANCE_OK)
        status = topics_check(run->options, run->rules.has_affinities, &run->topics, &run->error);
    if (status == RELANCE_OK && run->options->drain) /* as many as there were, whatever the topic has now */
        status = redis_view_count(run->options->redis, run->options->group, run->options->input,
                                  &run->topics.input_partitions, &run->error);
    if (status == RELANCE_OK)
        status = store_check_server(
            &(struct store_place){run->options->redis, run->options->group, run->options->input, 0},
            run->topics.input_partitions, &run->error);
    if (status == RELANCE_OK) status = reload_bound(&run->rules, run->topics.mark_size_max, &run->error);
    if (status != RELANCE_OK) return run_refuse(run);
    run_describe_deciding(run);
    return run_work(run);
}

/* What a transaction has sent the client frees in a hundred thousand small blocks. Kept apart as "fast" ones they would be
 * joined one by one, far from each other in memory, as soon as anybody asks for a large block; without that each joins the
 * one freed before it, and the next transaction finds them whole.
 *
 * Each thread of the client has an arena, and gives its end back when more than a threshold is free there. By itself that
 * threshold grows with the largest block that was ever freed, up to 64 MiB an arena. One that is set does not, and keeps the size
 * from which on a block is a mapping of its own from growing, too: so that is set as well. */
static void run_set_memory(void)
{
    mallopt(M_MXFAST, 0);
    mallopt(M_TRIM_THRESHOLD, 1 << 20);
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
}

int cmd_run(const struct options *options)
{
    struct run run = {.options = options};
    options_instance(options, run.instance);
    int status = run_check_options(&run) ? EXIT_STATUS_USAGE : EXIT_STATUS_OK;
    if (status == EXIT_STATUS_OK) {
        run_set_memory();
        stop_on_signals();
        reload_on_signal();
        signal(SIGPIPE, SIG_IGN); /* a Redis that has gone is an error of the write, no more */
        status = run_checked(&run);
    }
    http_server_close(run.server);
    reload_close(&run.rules);
    return status;
}
