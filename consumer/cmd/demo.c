/* relance demo: the whole thing in one place, for a minute, with nothing to configure.
 *
 *     shop ──→ topic shop ──→ relance run ──→ topic shop.actions ──→ this screen
 *    (here)    (mock Kafka,     (child)  ⇅        (mock Kafka)         (here)
 *                 here)              redis-server
 *                                      (child)
 *
 * The engine is the real one, started as anybody would start it; only Kafka is a stand-in. Time is sped up
 * for the shop and the engine alike (clock.h), so waits of hours take seconds and are hours nevertheless.
 *
 * Everything lives in one private directory and ends with this process: at the end of its time, on Ctrl-C, on
 * any failure. Only a SIGKILL leaves the directory behind, but no process. */
#include "host/clock.h"
#include "host/command.h"
#include "host/print.h"
#include "report/figures.h"
#include "http/server.h"
#include "kafka/feed.h"
#include "kafka/mock.h"
#include "kafka/tail.h"
#include "host/option.h"
#include "host/process.h"
#include "report/reason.h"
#include "input/shop.h"
#include "host/stop.h"
#include "base/str.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PARTITIONS = 4,
    START_TIMEOUT_MS = 30000, /* for each of the servers; a loaded machine is slow */
    STOP_TIMEOUT_MS = 5000,
    NAP_US = 20000,
    TAIL_WAIT_MS = 5,
    LAST_ACTIONS_MS = 1500, /* after closing time: what the engine is about to publish */
    LOG_LINES_SHOWN = 12,
    TOLD_CUSTOMERS_MAX = 100, /* of a larger shop only the actions are shown */
    PATH_SIZE = 512,
};
#define GROUP  "demo"
#define INPUT  "shop"
#define OUTPUT "shop.actions"
#define VIEW   "127.0.0.1:8077"

struct demo {
    const struct options *options;
    struct file_paths rules; /* that were given, or the shipped ones */
    char shipped[PATH_SIZE], *shipped_path;
    char dir[PATH_SIZE], redis_url[PATH_SIZE], clock[64];
    struct process redis, engine, learner, serve;
    struct http_address address; /* where the live view is */
    struct kafka_mock *mock;
    struct option_kafka kafka[2]; /* where the mock listens; no warnings about its being a mock */
    struct kafka_feed *feed;
    struct kafka_tail *tail;
    struct shop *shop;
    struct shop_event event; /* the next that is to come */
    bool colours;
    uint64_t event_count, action_count;
};

static void demo_path(const struct demo *demo, const char *name, char out[PATH_SIZE])
{
    snprintf(out, PATH_SIZE, "%.*s/%s", PATH_SIZE - 64, demo->dir, name);
}

/* ---- the private directory */

static enum relance_status demo_make_dir(struct demo *demo, struct relance_error *error)
{
    const char *parent = getenv("TMPDIR");
    /* A socket's path is short by law (108 bytes): no deep TMPDIR. */
    if (!parent || strlen(parent) > 64) parent = "/tmp";
    snprintf(demo->dir, sizeof demo->dir, "%s/relance-demo-XXXXXX", parent);
    if (mkdtemp(demo->dir)) return RELANCE_OK;
    relance_error_set(error, RELANCE_IO, "no directory can be made in %s: %s", parent, strerror(errno));
    demo->dir[0] = '\0';
    return RELANCE_IO;
}

static int demo_remove_entry(const char *path, const struct stat *about, int kind, struct FTW *walk)
{
    (void)about, (void)kind, (void)walk;
    return remove(path);
}

static void demo_remove_dir(struct demo *demo)
{
    if (demo->dir[0]) nftw(demo->dir, demo_remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- what the program brings along: itself, and the shipped rules near it */

/* Looks for DIR/rules/scenarios, or where an installation puts them, with DIR the place of `path` and all
 * above. */
static bool demo_find_rules_from(const char *path, char out[PATH_SIZE])
{
    static const char *const where[] = {"rules/scenarios", "share/relance/scenarios"};
    char dir[PATH_MAX];
    snprintf(dir, sizeof dir, "%s", path);
    for (char *slash; (slash = strrchr(dir, '/')) != NULL;) {
        *slash = '\0';
        for (size_t i = 0; i < sizeof where / sizeof *where; i++)
            if (snprintf(out, PATH_SIZE, "%s/%s", dir, where[i]) < PATH_SIZE && access(out, R_OK) == 0)
                return true;
    }
    return false;
}

static enum relance_status demo_find_rules(struct demo *demo, struct relance_error *error)
{
    char program[PATH_MAX] = "", here[PATH_MAX] = "";
    demo->rules = demo->options->rules;
    if (demo->rules.count) return RELANCE_OK;
    demo->shipped_path = demo->shipped;
    demo->rules = (struct file_paths){.items = &demo->shipped_path, .count = 1};
    ssize_t size = readlink("/proc/self/exe", program, sizeof program - 1);
    program[size > 0 ? size : 0] = '\0';
    if (getcwd(here, sizeof here - 1)) strcat(here, "/");
    if (demo_find_rules_from(program, demo->shipped) || demo_find_rules_from(here, demo->shipped))
        return RELANCE_OK;
    return relance_error_set(error, RELANCE_IO,
                             "the shipped rules are not found; --rules rules/scenarios says where they are");
}

/* ---- servers */

/* What a server has said last, when it did not do what it should. */
static void demo_show_log(const struct demo *demo, const char *name)
{
    char path[PATH_SIZE], *line = NULL, *last[LOG_LINES_SHOWN] = {NULL};
    size_t size = 0, count = 0;
    demo_path(demo, name, path);
    FILE *log = fopen(path, "r");
    if (!log) return;
    while (getline(&line, &size, log) > 0) {
        free(last[count % LOG_LINES_SHOWN]);
        last[count++ % LOG_LINES_SHOWN] = strdup(line);
    }
    fclose(log);
    free(line);
    for (size_t i = 0; i < LOG_LINES_SHOWN; i++) {
        char *said = last[(count + i) % LOG_LINES_SHOWN];
        if (!said) continue;
        fputs("  ", stderr);
        print_lines(str_of(said), stderr);
        free(said);
    }
}

typedef bool demo_ready(struct demo *demo);

/* Waits until it is there; fails when it has ended, at Ctrl-C, and when it takes too long. */
static enum relance_status demo_await(struct demo *demo, struct process *process, demo_ready *ready,
                                      const char *log, struct relance_error *error)
{
    int64_t until_us = clock_monotonic_us() + (int64_t)START_TIMEOUT_MS * 1000;
    while (!stop_requested()) {
        if (ready(demo)) return RELANCE_OK;
        bool running = process_running(process);
        if (!running || clock_monotonic_us() > until_us) {
            demo_show_log(demo, log);
            return relance_error_set(error, RELANCE_IO,
                                     running ? "%s is not there after %d s" : "%s has ended", process->name,
                                     START_TIMEOUT_MS / 1000);
        }
        clock_sleep_us(NAP_US);
    }
    return relance_error_set(error, RELANCE_AGAIN, "interrupted");
}

static bool demo_redis_ready(struct demo *demo)
{
    return redis_view_ping(demo->redis_url);
}

static enum relance_status demo_start_redis(struct demo *demo, struct relance_error *error)
{
    char socket[PATH_SIZE], log[PATH_SIZE];
    demo_path(demo, "redis.sock", socket);
    demo_path(demo, "redis.log", log);
    snprintf(demo->redis_url, sizeof demo->redis_url, "unix://%.*s", PATH_SIZE - 16, socket);
    /* clang-format off */
    const char *words[] = {
        "redis-server",
        "--port", "0",
        "--unixsocket", socket,
        "--dir", demo->dir,
        "--save", "",
        "--appendonly", "yes",
        "--appendfsync", "no",
        "--maxmemory-policy", "noeviction",
        NULL,
    };
    /* clang-format on */
    enum relance_status status = process_start(&demo->redis, "redis-server", words, log, error);
    return status == RELANCE_OK ? demo_await(demo, &demo->redis, demo_redis_ready, "redis.log", error)
                                : status;
}

static enum relance_status demo_start_kafka(struct demo *demo, struct relance_error *error)
{
    static const struct {
        const char *name;
        int partitions;
    } topics[] = {
        {INPUT, PARTITIONS},           {OUTPUT, PARTITIONS},          {OUTPUT ".dead", PARTITIONS},
        {OUTPUT ".marks", PARTITIONS}, {OUTPUT ".links", PARTITIONS}, {OUTPUT ".models", 1},
    };
    demo->mock = kafka_mock_start(error);
    if (!demo->mock) return error->status;
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++) {
        enum relance_status status =
            kafka_mock_create_topic(demo->mock, topics[i].name, topics[i].partitions, error);
        if (status != RELANCE_OK) return status;
    }
    demo->kafka[0] = (struct option_kafka){"bootstrap.servers", kafka_mock_servers(demo->mock)};
    demo->kafka[1] = (struct option_kafka){"log_level", "2"};
    demo->feed = kafka_feed_open(demo->kafka, 2, INPUT, error);
    if (demo->feed) demo->tail = kafka_tail_open(demo->kafka, 2, OUTPUT, PARTITIONS, error);
    return demo->tail ? RELANCE_OK : error->status;
}

/* The engine has claimed its partitions once each of them has a stamp in Redis. */
static bool demo_engine_ready(struct demo *demo)
{
    return redis_view_claimed(demo->redis_url, GROUP, INPUT, PARTITIONS);
}

/* A command of this program, with the rules of the demonstration. */
static enum relance_status demo_start_with_rules(struct demo *demo, struct process *process, const char *name,
                                                 const char *const *begin, size_t count, const char *log_name,
                                                 struct relance_error *error)
{
    char log[PATH_SIZE];
    demo_path(demo, log_name, log);
    const char **words = calloc(count + 2 * demo->rules.count + 1, sizeof *words);
    if (!words) return relance_error_set(error, RELANCE_NO_MEMORY, "no memory to start %s", name);
    memcpy(words, begin, count * sizeof *words);
    for (size_t i = 0; i < demo->rules.count; i++) {
        words[count + 2 * i] = "--rules";
        words[count + 2 * i + 1] = demo->rules.items[i];
    }
    enum relance_status status = process_start(process, name, words, log, error);
    free(words);
    return status;
}

static enum relance_status demo_start_engine(struct demo *demo, struct relance_error *error)
{
    snprintf(demo->clock, sizeof demo->clock, "%lld*%g", (long long)clock_wall_ms(), demo->options->speed);
    if (!clock_read_option(demo->clock))
        return relance_error_set(error, RELANCE_INVALID, "--speed: 1 to 1000000");
    /* clang-format off */
    const char *const words[] = {
        "/proc/self/exe", "run",
        "--input", INPUT,
        "--output", OUTPUT,
        "--group", GROUP,
        "--instance", "demo",
        "--from", "earliest",
        "--redis", demo->redis_url,
        "--clock", demo->clock,
        "--log-level", demo->options->log_level,
        "--kafka.bootstrap.servers", demo->kafka[0].value,
    };
    /* clang-format on */
    enum relance_status status = demo_start_with_rules(demo, &demo->engine, "the engine", words,
                                                       sizeof words / sizeof *words, "engine.log", error);
    return status == RELANCE_OK ? demo_await(demo, &demo->engine, demo_engine_ready, "engine.log", error)
                                : status;
}

/* What goes with what; nobody waits for it, for until it has made a version, rules find nothing. Of rules without affinities
 * there is nothing to be learnt, and it ends. */
static enum relance_status demo_start_learner(struct demo *demo, struct relance_error *error)
{
    /* clang-format off */
    const char *const words[] = {
        "/proc/self/exe", "learn",
        "--input", INPUT,
        "--output", OUTPUT,
        "--group", GROUP,
        "--every", "5s",
        "--redis", demo->redis_url,
        "--clock", demo->clock,
        "--log-level", demo->options->log_level,
        "--kafka.bootstrap.servers", demo->kafka[0].value,
    };
    /* clang-format on */
    return demo_start_with_rules(demo, &demo->learner, "the learner", words, sizeof words / sizeof *words,
                                 "learner.log", error);
}

/* ---- the live view */

/* Where it was said, or where it usually is; another port, where somebody is there already. */
static enum relance_status demo_find_address(struct demo *demo, struct relance_error *error)
{
    const char *listen = demo->options->listen;
    enum relance_status status = http_address_read(listen ? listen : VIEW, &demo->address, error);
    if (status != RELANCE_OK) return status;
    if (!demo->address.is_loopback)
        return relance_error_set(error, RELANCE_INVALID,
                                 "--listen: the demonstration is shown on this machine alone");
    if (http_server_could_listen(&demo->address)) return RELANCE_OK;
    if (listen)
        return relance_error_set(error, RELANCE_INVALID, "--listen: %s: somebody else listens there", listen);
    demo->address.socket.v4.sin_port = 0;
    return http_server_could_listen(&demo->address)
               ? RELANCE_OK
               : relance_error_set(error, RELANCE_IO, "nobody can listen on this machine");
}

static bool demo_serve_ready(struct demo *demo)
{
    struct http_address address = demo->address;
    return !http_server_could_listen(&address);
}

static enum relance_status demo_start_serve(struct demo *demo, struct relance_error *error)
{
    char log[PATH_SIZE], text[HTTP_ADDRESS_TEXT];
    demo_path(demo, "serve.log", log);
    /* clang-format off */
    const char *const words[] = {
        "/proc/self/exe", "serve",
        "--listen", http_address_text(&demo->address, text),
        "--input", INPUT,
        "--output", OUTPUT,
        "--group", GROUP,
        "--redis", demo->redis_url,
        "--kafka.bootstrap.servers", demo->kafka[0].value,
        NULL,
    };
    /* clang-format on */
    enum relance_status status = process_start(&demo->serve, "the live view", words, log, error);
    return status == RELANCE_OK ? demo_await(demo, &demo->serve, demo_serve_ready, "serve.log", error)
                                : status;
}

/* ---- what is to be seen */

static void demo_colour(const struct demo *demo, const char *code)
{
    if (demo->colours) print_control(code, stdout);
}

/* "Mon 10:42", UTC. */
static void demo_put_time(int64_t ms)
{
    static const char *const days[] = {"Thu", "Fri", "Sat", "Sun",
                                       "Mon", "Tue", "Wed"}; /* 1970 began on a Thursday */
    int64_t minutes = ms / 60000;
    print(stdout, "%s %02d:%02d", days[minutes / 1440 % 7], (int)(minutes / 60 % 24), (int)(minutes % 60));
}

static void demo_tell_event(const struct demo *demo)
{
    const struct shop_event *event = &demo->event;
    if (!event->told.size || demo->options->customers > TOLD_CUSTOMERS_MAX) return;
    demo_colour(demo, "\033[2m");
    demo_put_time(event->time_ms);
    print(stdout, "  %-9.*s %.*s", STR_ARG(event->customer), STR_ARG(event->told));
    demo_colour(demo, "\033[0m");
    fputc('\n', stdout);
}

static void demo_tell_action(struct demo *demo, struct relance_str body)
{
    struct reason reason;
    if (!reason_read(body, &reason)) return;
    demo->action_count++;
    demo_put_time(reason.due_ms);
    fputs("  ", stdout);
    demo_colour(demo, "\033[1;32m");
    print(stdout, "%-9s ← %s step %d", reason.customer, reason.rule, reason.step);
    demo_colour(demo, "\033[0m");
    print(stdout, ": %s\n", reason.why);
}

/* ---- the minute */

static void demo_tell_actions(struct demo *demo, int64_t for_us)
{
    struct kafka_tail_record record;
    int64_t until_us = clock_monotonic_us() + for_us;
    do {
        while (kafka_tail_next(demo->tail, TAIL_WAIT_MS, &record))
            demo_tell_action(demo, record.value);
    } while (clock_monotonic_us() < until_us);
    print_flush();
}

/* Everything that has happened in the shop until now. */
static enum relance_status demo_feed_events(struct demo *demo, struct relance_error *error)
{
    while (demo->event.time_ms <= clock_wall_ms()) {
        const struct shop_event *event = &demo->event;
        enum relance_status status =
            kafka_feed_put(demo->feed, event->customer, event->json, event->time_ms, error);
        if (status != RELANCE_OK) return status;
        demo_tell_event(demo);
        demo->event_count++;
        shop_next(demo->shop, &demo->event);
    }
    return RELANCE_OK;
}

static enum relance_status demo_open_shop(struct demo *demo, struct relance_error *error)
{
    struct shop_options shop = {
        .seed = (uint64_t)demo->options->seed,
        .customers = (uint32_t)demo->options->customers,
        .start_ms = clock_wall_ms(),
    };
    demo->shop = shop_new(&shop);
    if (!demo->shop) return relance_error_set(error, RELANCE_NO_MEMORY, "out of memory");
    shop_next(demo->shop, &demo->event);
    return RELANCE_OK;
}

static enum relance_status demo_live(struct demo *demo, struct relance_error *error)
{
    int64_t seconds = demo->options->seconds, until_us = clock_monotonic_us() + seconds * 1000000;
    while (!stop_requested() && !print_failed() && (seconds == 0 || clock_monotonic_us() < until_us)) {
        enum relance_status status = demo_feed_events(demo, error);
        if (status != RELANCE_OK) return status;
        demo_tell_actions(demo, 0);
        if (!process_running(&demo->engine)) {
            demo_show_log(demo, "engine.log");
            return relance_error_set(error, RELANCE_IO, "the engine has ended");
        }
    }
    demo_tell_actions(demo, LAST_ACTIONS_MS * 1000);
    return RELANCE_OK;
}

/* The engine writes a last checkpoint as it leaves: only then the figures are whole. */
static enum relance_status demo_close(struct demo *demo, struct relance_error *error)
{
    if (!process_stop(&demo->engine, STOP_TIMEOUT_MS)) {
        demo_show_log(demo, "engine.log");
        return relance_error_set(error, RELANCE_IO, "the engine did not end well");
    }
    struct figures figures;
    struct redis_view *view = redis_view_open(demo->redis_url, GROUP, INPUT, error);
    enum relance_status status = view ? figures_read(view, &figures, error) : error->status;
    redis_view_close(view);
    /* Who has interrupted it is not kept waiting by Redis, and gets no table on a slow machine. */
    if (status != RELANCE_OK) return stop_requested() ? RELANCE_AGAIN : status;
    print(stdout, "\n%llu events, %llu actions. The metrics, as `relance metrics` prints them:\n\n",
          (unsigned long long)demo->event_count, (unsigned long long)demo->action_count);
    figures_print_table(&figures, NULL, 0, stdout);
    figures_free(&figures);
    return RELANCE_OK;
}

static void demo_introduce(const struct demo *demo)
{
    print(stdout, "A shop with %lld customers; %g h pass in a second", (long long)demo->options->customers,
          demo->options->speed / 3600);
    if (demo->options->seconds) print(stdout, "; it closes after %lld s", (long long)demo->options->seconds);
    char rules[FILE_PATHS_SHOWN], address[HTTP_ADDRESS_TEXT];
    print(stdout, ". Ctrl-C ends it early.\nRules: %s\n", file_paths_show(&demo->rules, rules));
    fputs("To be seen in a browser: ", stdout);
    demo_colour(demo, "\033[1m");
    print(stdout, "http://%s/", http_address_text(&demo->address, address));
    demo_colour(demo, "\033[0m");
    fputs("\n\n", stdout);
    print_flush();
}

static enum relance_status demo_play(struct demo *demo, struct relance_error *error)
{
    enum relance_status status = demo_find_rules(demo, error);
    if (status == RELANCE_OK) status = demo_find_address(demo, error);
    if (status == RELANCE_OK) status = demo_make_dir(demo, error);
    fputs("Starting a Redis, a stand-in for Kafka and the engine …\n", stderr);
    if (status == RELANCE_OK) status = demo_start_redis(demo, error);
    if (status == RELANCE_OK) status = demo_start_kafka(demo, error);
    if (status == RELANCE_OK) status = demo_start_engine(demo, error);
    if (status == RELANCE_OK) status = demo_start_learner(demo, error);
    if (status == RELANCE_OK) status = demo_start_serve(demo, error);
    if (status == RELANCE_OK) status = demo_open_shop(demo, error);
    if (status != RELANCE_OK) return status;
    demo_introduce(demo);
    status = demo_live(demo, error);
    return status == RELANCE_OK ? demo_close(demo, error) : status;
}

/* Whatever has been started, in the order that lets each end in peace. */
static void demo_clean_up(struct demo *demo)
{
    process_stop(&demo->serve, STOP_TIMEOUT_MS);
    process_stop(&demo->engine, STOP_TIMEOUT_MS);
    process_stop(&demo->learner, STOP_TIMEOUT_MS);
    kafka_feed_close(demo->feed);
    kafka_tail_close(demo->tail);
    kafka_mock_stop(demo->mock);
    process_stop(&demo->redis, STOP_TIMEOUT_MS);
    shop_free(demo->shop);
    demo_remove_dir(demo);
}

static int demo_run(const struct options *options)
{
    struct relance_error error;
    struct demo demo = {.options = options, .colours = isatty(STDOUT_FILENO)};
    stop_on_signals();
    enum relance_status status = demo_play(&demo, &error);
    demo_clean_up(&demo);
    if (status == RELANCE_OK || status == RELANCE_AGAIN) return EXIT_STATUS_OK; /* Ctrl-C is no failure */
    print_mistake("%s", error.message);
    return EXIT_STATUS_FAILED;
}

int cmd_demo(const struct options *options)
{
    int status = EXIT_STATUS_USAGE;
    if (options->customers < 1 || options->customers > 100000)
        print_mistake("--customers: 1 to 100000");
    else if (options->seconds > 86400)
        print_mistake("--seconds: at most 86400; 0 goes on until interrupted");
    else
        status = demo_run(options);
    return status;
}
