/* relance explain CUSTOMER: the story of one customer.
 *
 *     --events FILE                       from a file, as `relance replay` reads it
 *     --input TOPIC --group NAME --from   from the live topic, by the rules in force (or --rules)
 *
 * All events of the file or of the customer's partition are decided, since those of others move the clock
 * too; the story is that of one. A customer who stands in several partitions, since a producer has chosen otherwise than by
 * murmur2 of the key, has a story in each. Live, a private consumer reads, in no group; nothing is committed, nothing
 * changed. What came before --from is not known, nor is the wall clock of the marks: see rules/README.md.
 *
 * A file is learnt from as it goes by. Live, where rules declare affinities, --output says where the marks and the versions
 * stand by which the engine has decided (delivery/hindsight.h). */
#include "base/murmur2.h"
#include "delivery/hindsight.h"
#include "host/clock.h"
#include "host/command.h"
#include "host/print.h"
#include "host/progress.h"
#include "input/feed.h"
#include "kafka/scan.h"
#include "learn/pupil.h"
#include "report/load.h"
#include "report/places.h"
#include "host/option.h"
#include "report/story.h"
#include "host/text.h"
#include "host/until.h"
#include "delivery/wall.h"

#include <inttypes.h>
#include <relance/affinity.h>
#include <stdlib.h>

enum { EXPLAIN_EVERY_US = 500000 };

struct explain {
    const struct options *options;
    struct relance_str customer;
    struct until until;
    int64_t wall_ms, from_ms; /* from_ms INT64_MIN: the beginning */
    struct relance_ruleset *rules;
    struct relance_engine *engine;
    struct saved *saved; /* --models; NULL: none */
    struct pupil pupil;  /* what is learnt of a file */
    struct hindsight
        *hindsight; /* of the live topic: the versions that decided; NULL: none did, or --models does */
    struct story story;
    struct progress progress;
    struct places places; /* of the live topic */
    int32_t partition;    /* of them, whose story is being told */
    int64_t from_offset;  /* of it */
    int64_t told_us;      /* when it was last told how far it has come, as a line */
    bool any, failed;     /* an event has come, whose ever; the engine has failed */
};

static int explain_failed(const struct explain *explain)
{
    struct relance_str sentence = pupil_error(&explain->pupil);
    print_mistake("%.*s", STR_ARG(sentence));
    return EXIT_STATUS_FAILED;
}

static bool explain_record(struct explain *explain, const struct relance_record *record)
{
    struct relance_fate fate = {0};
    if (!pupil_record(&explain->pupil, record)) return false;
    do {
        if (story_record(&explain->story, explain->engine, record, &fate) != RELANCE_DONE) return false;
        explain->any |= fate.kind != RELANCE_DEAD && fate.kind != RELANCE_NOTHING;
    } while (fate.more);
    return true;
}

/* For people on their terminal; for programs a line now and then, by which they know that it goes on. */
static void explain_progress(struct explain *explain, double part)
{
    bool is_due = progress_step(&explain->progress);
    if (explain->options->json && explain->progress.count % PROGRESS_STRIDE == 0) {
        int64_t now_us = clock_monotonic_us();
        if (now_us < explain->told_us + EXPLAIN_EVERY_US) return;
        explain->told_us = now_us;
        story_lines_progress(&explain->story, part, explain->progress.count);
        print_flush();
    } else if (is_due) {
        progress_show(&explain->progress, part);
    }
}

/* ---- from a file */

static int explain_feed(struct explain *explain, struct feed *feed)
{
    struct relance_record record;
    while (!print_failed() && feed_next(feed, &record)) {
        if (!explain_record(explain, &record)) return explain_failed(explain);
        explain_progress(explain, feed_part(feed));
    }
    return feed_end(feed) ? EXIT_STATUS_OK : EXIT_STATUS_FAILED;
}

static int explain_file(struct explain *explain)
{
    struct feed feed;
    struct relance_error error;
    struct relance_mapping *mapping;
    if (!load_only_mapping(&explain->options->mapping, &mapping)) return EXIT_STATUS_USAGE;
    int status = EXIT_STATUS_USAGE;
    if (feed_open(&feed, explain->options->events, mapping, NULL, &error)) {
        status = explain_feed(explain, &feed);
        feed_close(&feed);
    } else {
        print_mistake("%s", error.message);
    }
    relance_mapping_free(mapping);
    return status;
}

/* ---- from the live topic */

static void explain_unknown(void *context, struct relance_str affinity, const char *why)
{
    struct explain *explain = context;
    story_unknown(&explain->story, affinity, why);
}

/* By the very versions that the engine has decided by. Its marks are read when it is known where the records end, so none of
 * those that it has decided comes before the mark that it had. */
static void explain_look_back(struct explain *explain)
{
    const struct hindsight_for whom = {explain->engine, explain->rules, explain_unknown, explain};
    size_t count = relance_ruleset_affinity_count(explain->rules);
    if (!count || explain->options->models) return;
    if (explain->options->output)
        explain->hindsight =
            hindsight_open(explain->options, explain->partition, explain->from_offset, &whom);
    for (size_t i = 0; i < count && !explain->options->output; i++)
        story_unknown(&explain->story, relance_ruleset_affinity_name(explain->rules, i),
                      "--output was not given, beside which the versions stand");
}

static void explain_begin(void *context, int32_t partition, int64_t offset)
{
    struct explain *explain = context;
    explain->from_offset = offset;
    story_begin(&explain->story, explain->options->input, partition, offset);
    explain_look_back(explain);
}

/* Before the record at that offset. */
static bool explain_pass(struct explain *explain, int64_t offset)
{
    return !explain->hindsight || hindsight_pass(explain->hindsight, offset) == RELANCE_DONE;
}

/* As the engine does with --misplaced refuse. */
static bool explain_refuses(const struct explain *explain, const struct kafka_scan_record *message)
{
    return strcmp(explain->options->misplaced, "refuse") == 0 && message->key.size &&
           murmur2_partition(message->key, explain->places.partitions) != message->partition &&
           !kafka_scan_header(message, RELANCE_NATIVE_HEADER).data;
}

static bool explain_message(void *context, const struct kafka_scan_record *message)
{
    struct explain *explain = context;
    struct relance_header headers[SOURCE_HEADERS_MAX];
    struct relance_record record = {
        .topic = str_of(explain->options->input),
        .partition = message->partition,
        .offset = message->offset,
        .value = message->value,
        .key = message->key,
        .headers = headers,
        .header_count =
            relance_ruleset_reads_headers(explain->rules) ? kafka_scan_headers(message, headers) : 0,
        .timestamp_ms = message->timestamp_ms < 0 ? RELANCE_NEVER : message->timestamp_ms,
    };
    bool is_event = message->value.size && !explain_refuses(explain, message); /* empty: a tombstone */
    explain->failed =
        !explain_pass(explain, message->offset) || (is_event && !explain_record(explain, &record));
    explain_progress(explain, (double)(message->offset - explain->from_offset) /
                                  (double)(message->end - explain->from_offset));
    return !explain->failed && !print_failed();
}

static int explain_topic(struct explain *explain)
{
    struct relance_error error;
    if (kafka_scan_part(explain->options, explain->options->input, explain->partition, explain->from_ms,
                        explain_begin, explain_message, explain, &error) != RELANCE_OK) {
        print_mistake("%s", error.message);
        return EXIT_STATUS_FAILED;
    }
    if (explain->failed || !explain_pass(explain, INT64_MAX)) return explain_failed(explain);
    if (!explain->options->until) explain->until.instant_ms = wall_now_ms() - explain->options->lateness;
    return EXIT_STATUS_OK;
}

/* ---- the whole */

static int explain_end(struct explain *explain)
{
    int64_t until_ms = until_instant(&explain->until, explain->engine, explain->any);
    if (until_ms != RELANCE_NEVER && pupil_run_until(&explain->pupil, until_ms) != RELANCE_DONE)
        return explain_failed(explain);
    story_end(&explain->story, explain->engine);
    return relance_engine_error(explain->engine).size ? explain_failed(explain) : EXIT_STATUS_OK;
}

/* What is told with an engine that is ready. */
static int explain_with_engine(struct explain *explain)
{
    const struct options *given = explain->options;
    if (explain->wall_ms != RELANCE_NEVER) relance_engine_set_wall(explain->engine, explain->wall_ms);
    explain->pupil = (struct pupil){.engine = explain->engine, .rules = explain->rules};
    if (given->events || given->models) /* a partition alone does not say what a learner learns of all */
        pupil_begin(&explain->pupil, explain->wall_ms, given->models, explain->saved);
    progress_begin(&explain->progress, "events");
    int status = given->events ? explain_file(explain) : explain_topic(explain);
    progress_end(&explain->progress);
    if (status == EXIT_STATUS_OK) status = explain_end(explain);
    pupil_end(&explain->pupil);
    hindsight_close(explain->hindsight);
    explain->hindsight = NULL;
    return status;
}

/* One story, from its first event to its end. */
static int explain_tell(struct explain *explain)
{
    const struct options *given = explain->options;
    explain->story = (struct story){.customer = explain->customer,
                                    .is_visitor = given->visitor,
                                    .is_lines = given->json,
                                    .out = stdout,
                                    .path = given->events};
    explain->any = false;
    struct relance_engine_options options = {
        .rules = explain->rules,
        .lateness_ms = explain->options->lateness,
        .state_bytes = (size_t)explain->options->state_bytes,
        .forget_visitors_after_ms = explain->options->forget_visitors_after,
        .complete = true,
        .trust_future = true,
    };
    story_listen(&explain->story, &options);
    explain->engine = relance_engine_new(&options);
    if (!explain->engine) {
        print_mistake("out of memory");
        return EXIT_STATUS_FAILED;
    }
    int status = explain_with_engine(explain);
    relance_engine_free(explain->engine);
    story_free(&explain->story);
    return status;
}

/* By the rules in force, whom Redis knows where; by others, where records of that key stand. */
static enum relance_status explain_find(struct explain *explain, struct relance_error *error)
{
    const struct options *options = explain->options;
    struct places *places = &explain->places;
    char name[RELANCE_VISITOR_NAME_BYTES];
    struct relance_str state = explain->customer;
    if (options->rules.count)
        return places_in_topic(options, explain->customer, explain->from_ms, places, error);
    if (options->visitor) state = (struct relance_str){name, relance_visitor_name(state, name)};
    struct redis_view *view = redis_view_open(options->redis, options->group, options->input, error);
    if (!view) return error->status;
    enum relance_status status = places_in_redis(view, explain->customer, state, places, error);
    redis_view_close(view);
    return status;
}

static int explain_everywhere(struct explain *explain)
{
    struct relance_error error;
    const struct places *places = &explain->places;
    int status = EXIT_STATUS_OK;
    wall_start();
    if (explain_find(explain, &error) != RELANCE_OK) {
        print_mistake("%s", error.message);
        return EXIT_STATUS_FAILED;
    }
    explain->partition = places->home;
    if (!places->count) return explain_tell(explain);
    for (size_t i = 0; i < places->count && status == EXIT_STATUS_OK; i++) {
        if (i && !explain->options->json) fputc('\n', stdout);
        explain->partition = places->items[i];
        status = explain_tell(explain);
    }
    if (status == EXIT_STATUS_OK)
        places_tell(places, explain->options->visitor ? "visitor" : "customer", explain->customer);
    return status;
}

/* Either a file, which needs rules, or a topic, which needs rules or a group that has some. */
static bool explain_read_source(struct explain *explain)
{
    const struct options *options = explain->options;
    const char *missing = NULL;
    explain->from_ms = INT64_MIN;
    bool timed = options->from && strcmp(options->from, "earliest") != 0;
    if (!options->events == !options->input)
        missing = "either --events FILE or --input TOPIC is needed";
    else if (!options->rules.count && !(options->input && options->group))
        missing = "--rules is needed, or with --input the --group that has them";
    else if (timed && !text_instant(str_of(options->from), &explain->from_ms))
        missing = "--from is `earliest` or an instant such as 2026-03-02T10:00:00Z";
    if (missing) print_mistake("%s", missing);
    return !missing;
}

static bool explain_read_options(struct explain *explain)
{
    const struct options *options = explain->options;
    return wall_read(options->wall, &explain->wall_ms) && explain_read_source(explain) &&
           until_read(options->until, &explain->until);
}

static int explain_run(struct explain *explain)
{
    if (!explain_read_options(explain) || !pupil_load(explain->options->models, &explain->saved))
        return EXIT_STATUS_USAGE;
    const struct options *options = explain->options;
    if (!options->rules.count)
        explain->rules = load_live_rules(options, explain->customer);
    else
        explain->rules = options->events ? load_rules_alone(&options->rules) : load_rules(&options->rules);
    if (!explain->rules) return EXIT_STATUS_USAGE;
    return options->events ? explain_tell(explain) : explain_everywhere(explain);
}

int cmd_explain(const struct options *options)
{
    struct explain explain = {.options = options, .customer = str_of(options->args[0])};
    int status = explain_run(&explain);
    saved_close(explain.saved);
    relance_ruleset_free(explain.rules);
    places_free(&explain.places);
    return status;
}
