/* relance learn: what goes with what, of a file of events, as `affinities` of the rules say (rules/LANGUAGE.md).
 *
 * A version is made at the begin of each day of the events' time, of all that came before; a state, too, so that it is counted
 * as by a learner that runs for days. With --evaluate, each event of the last days is first foretold by the day's version
 * (learn/foretelling.h), so nothing is asked of a version that it has been made of. */
#include "base/ensure.h"
#include "base/rfc3339.h"
#include "base/str.h"
#include "host/clock.h"
#include "host/command.h"
#include "host/option.h"
#include "host/print.h"
#include "host/progress.h"
#include "host/until.h"
#include "input/feed.h"
#include "delivery/reload.h"
#include "delivery/rulebook.h"
#include "delivery/store.h"
#include "host/stop.h"
#include "host/text.h"
#include "learn/days.h"
#include "learn/foretelling.h"
#include "learn/live.h"
#include "learn/saved.h"
#include "learn/verify.h"
#include "report/deaths.h"
#include "report/load.h"

#include <relance/affinity.h>
#include <relance/learn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { DATE_SIZE = 10 };

struct learning {
    const struct options *options;
    int64_t evaluated_days;
    int64_t wall_ms;
    struct relance_ruleset *rules;
    struct relance_mapping *mapping;
    struct days *days;
    struct foretelling **foretelling; /* of each affinity; NULL: --evaluate asks for none */
    FILE *saved;                      /* of --save; NULL: none */
    bool is_saving;                   /* the versions made now are the last */
    struct feed feed;
    struct feed_listener listener;
    struct progress progress;
    struct deaths deaths;
};

static void learning_dead(void *context, struct relance_str reason, struct relance_str sentence, int64_t line)
{
    struct learning *learning = context;
    deaths_take(&learning->deaths, reason, sentence, line + 1);
}

static void learning_passed(void *context, const struct relance_mapped *mapped, int64_t line)
{
    (void)context;
    (void)mapped;
    (void)line;
}

static void learning_foretell(void *context, const struct relance_given *given)
{
    struct learning *learning = context;
    foretelling_give(learning->foretelling[given->affinity], given,
                     days_model(learning->days, given->affinity), days_end_ms(learning->days) / DAYS_MS - 1);
}

/* ---- counting */

static void learning_counted_dead(void *context, struct relance_str reason, int64_t offset)
{
    struct learning *learning = context;
    deaths_take(&learning->deaths, reason, STR(""), offset + 1);
}

static void learning_version(void *context, size_t affinity, const struct relance_model *model,
                             struct relance_str bytes)
{
    struct learning *learning = context;
    if (learning->is_saving)
        saved_put(learning->saved, relance_ruleset_affinity_name(learning->rules, affinity), model, bytes);
}

static bool learning_feed(struct learning *learning)
{
    struct relance_record record;
    bool ok = true;
    progress_begin(&learning->progress, "events");
    while (ok && feed_next(&learning->feed, &record)) {
        ok = days_record(learning->days, &record);
        if (progress_step(&learning->progress))
            progress_show(&learning->progress, feed_part(&learning->feed));
    }
    progress_end(&learning->progress);
    return ok;
}

/* ---- telling */

static void print_served(const char *name, const struct served *served, uint64_t asked)
{
    double all = asked ? (double)asked : 1;
    print(stdout, "  %-12s  recall@20 %.3f  MRR@20 %.3f\n", name, (double)served->hits / all,
          served->reciprocal / all);
}

static void learning_print_foretold(const struct learning *learning, size_t affinity, int64_t day)
{
    int64_t days = learning->evaluated_days;
    const struct foretold sum = foretelling_sum(learning->foretelling[affinity], day, days);
    char span[32] = "day";
    if (days > 1) snprintf(span, sizeof span, "%lld days", (long long)days);
    print(stdout, "  of %llu products of the last %s that were new to customers who had had others:\n",
          (unsigned long long)sum.asked, span);
    print_served("learnt", &sum.learnt, sum.asked);
    print_served("most popular", &sum.popular, sum.asked);
}

static void learning_print_affinity(const struct learning *learning, size_t affinity)
{
    const struct relance_model *model = days_model(learning->days, affinity);
    const struct relance_model_head *head = relance_model_about(model);
    char date[RFC3339_SECONDS_SIZE];
    rfc3339_print_seconds(head->at_ms / 1000 - DAYS_MS / 1000, date);
    print(stdout, "%.*s: version %llu, up to %.*s: %llu events, %zu products, chain %016llx\n",
          STR_ARG(relance_ruleset_affinity_name(learning->rules, affinity)), (unsigned long long)head->number,
          DATE_SIZE, date, (unsigned long long)days_events(learning->days, affinity),
          relance_model_product_count(model), (unsigned long long)head->chain);
    if (learning->foretelling) learning_print_foretold(learning, affinity, head->at_ms / DAYS_MS - 1);
}

static void learning_print(struct learning *learning)
{
    if (days_end_ms(learning->days) == RELANCE_NEVER) {
        print(stdout, "No events that an affinity counts.\n");
        return;
    }
    learning->is_saving = learning->saved;
    days_end(learning->days, learning->saved);
    for (size_t i = 0; i < days_count(learning->days); i++)
        learning_print_affinity(learning, i);
}

/* ---- the whole */

static void learning_start_foretelling(struct learning *learning)
{
    size_t count = days_count(learning->days);
    ensure(learning->foretelling = calloc(count, sizeof *learning->foretelling));
    for (size_t i = 0; i < count; i++) {
        struct relance_affinity about = relance_ruleset_affinity(learning->rules, i);
        learning->foretelling[i] = foretelling_open(&about);
    }
}

static bool learning_start(struct learning *learning)
{
    const struct days_listener listener = {learning, learning_version,
                                           learning->evaluated_days ? learning_foretell : NULL,
                                           learning_counted_dead};
    learning->days = days_open(learning->rules, learning->wall_ms, &listener);
    if (!learning->days) {
        print_mistake("the rules declare no `affinities`: there is nothing to learn");
        return false;
    }
    if (learning->evaluated_days) learning_start_foretelling(learning);
    return true;
}

static bool learning_open_saved(struct learning *learning)
{
    const char *path = learning->options->save;
    if (!path) return true;
    learning->saved = fopen(path, "wb");
    if (!learning->saved) print_mistake("--save: %s: %s", path, strerror(errno));
    return learning->saved;
}

static bool learning_close_saved(struct learning *learning)
{
    if (!learning->saved) return true;
    bool written = !ferror(learning->saved);
    written &= fclose(learning->saved) == 0;
    if (!written) print_mistake("--save: %s: %s", learning->options->save, strerror(errno));
    return written;
}

static void learning_end(struct learning *learning)
{
    for (size_t i = 0; learning->foretelling && i < days_count(learning->days); i++)
        foretelling_close(learning->foretelling[i]);
    free(learning->foretelling);
    days_close(learning->days);
    relance_mapping_free(learning->mapping);
    relance_ruleset_free(learning->rules);
}

static int learning_events(struct learning *learning)
{
    if (!learning_open_saved(learning)) return EXIT_STATUS_USAGE;
    bool ok = learning_feed(learning);
    struct relance_str sentence = days_error(learning->days);
    if (!ok) print_mistake("%.*s", STR_ARG(sentence));
    deaths_print(&learning->deaths, "learn");
    ok &= feed_end(&learning->feed);
    if (ok) learning_print(learning);
    ok &= learning_close_saved(learning);
    return ok ? EXIT_STATUS_OK : EXIT_STATUS_FAILED;
}

static int learning_run(struct learning *learning)
{
    struct relance_error error;
    const struct options *options = learning->options;
    learning->evaluated_days = options->evaluate / DAYS_MS;
    if (learning->evaluated_days * DAYS_MS != options->evaluate ||
        learning->evaluated_days > FORETELLING_DAYS_MAX) {
        print_mistake("--evaluate: so many whole days, 1d to 366d");
        return EXIT_STATUS_USAGE;
    }
    if (!wall_read(options->wall, &learning->wall_ms)) return EXIT_STATUS_USAGE;
    learning->rules = load_rules_alone(&options->rules);
    if (!learning->rules || !load_only_mapping(&options->mapping, &learning->mapping) ||
        !learning_start(learning))
        return EXIT_STATUS_USAGE;
    learning->listener = (struct feed_listener){learning, learning_dead, learning_passed, learning_passed};
    if (!feed_open(&learning->feed, options->events, learning->mapping, &learning->listener, &error)) {
        print_mistake("%s", error.message);
        return EXIT_STATUS_USAGE;
    }
    int status = learning_events(learning);
    feed_close(&learning->feed);
    return status;
}

/* ---- live */
static unsigned live_check_options(const struct options *options)
{
    const struct {
        const char *option, *value;
    } names[] = {{"group", options->group}, {"input", options->input}, {"output", options->output}};
    unsigned mistakes = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!names[i].value || !text_is_name(names[i].value)) {
            print_mistake("--%s is needed, or --events: the topics of the engine, and its group",
                          names[i].option);
            mistakes++;
        }
    if (!options_kafka(options, "bootstrap.servers") && !options_kafka(options, "metadata.broker.list")) {
        print_mistake("--kafka.bootstrap.servers is needed: where Kafka is, HOST:PORT");
        mistakes++;
    }
    struct relance_error error;
    if (options->save) {
        print_mistake("--save goes with --events; what runs keeps its versions on OUTPUT.models");
        mistakes++;
    }
    if (options->redis && store_check_url(options->redis, &error) != RELANCE_OK) {
        print_mistake("%s", error.message);
        mistakes++;
    }
    if (!clock_read_option(options->clock)) {
        print_mistake("--clock: '%s' is not of the form TIME*FACTOR", options->clock);
        mistakes++;
    }
    if (options->every < 1000) {
        print_mistake("--every: 1s at least");
        mistakes++;
    }
    return mistakes;
}

/* The rules as an engine has them, their mapping among them. */
static int live_with_rules(const struct options *options, struct reload *reload)
{
    struct rulebook book = {0};
    const struct rulebook_set *set;
    struct relance_error error;
    enum relance_status status = reload_open(reload, &options->rules, &error);
    if (status == RELANCE_OK) status = rulebook_get(&book, str_of(reload_packed(reload)), &set, &error);
    int end = EXIT_STATUS_USAGE;
    if (status != RELANCE_OK)
        print_mistake("%s", error.message);
    else if (!reload->has_affinities)
        print_mistake("the rules declare no `affinities`: there is nothing to learn");
    else
        end = options->verify ? learn_verify(options, set->rules) : learn_live(options, set->rules);
    rulebook_free(&book);
    return end;
}

static int learning_live(const struct options *options)
{
    struct reload reload = {0};
    if (live_check_options(options)) return EXIT_STATUS_USAGE;
    stop_on_signals();
    int status = live_with_rules(options, &reload);
    reload_close(&reload);
    return status;
}

int cmd_learn(const struct options *options)
{
    struct learning learning = {.options = options};
    if (!options->events) return learning_live(options);
    if (options->verify) {
        print_mistake("--verify counts the events of --input again, so it goes without --events");
        return EXIT_STATUS_USAGE;
    }
    int status = learning_run(&learning);
    learning_end(&learning);
    return status;
}
