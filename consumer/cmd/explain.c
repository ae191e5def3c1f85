/* relance explain CUSTOMER --rules PATH --events FILE: the story of one customer.
 *
 * All events of the file are decided, since those of others move the clock too; the story is that of one. No
 * server is asked, and nothing is changed. */
#include "command.h"
#include "feed.h"
#include "load.h"
#include "option.h"
#include "story.h"
#include "text.h"
#include "until.h"

#include <stdlib.h>

struct explain {
    const struct options *options;
    struct until until;
    int64_t wall_ms;
    struct relance_ruleset *rules;
    struct relance_engine *engine;
    struct story story;
    bool any; /* an event has come, whose ever */
};

static int explain_failed(const struct explain *explain)
{
    struct relance_str sentence = relance_engine_error(explain->engine);
    fprintf(stderr, "relance explain: %.*s\n", TEXT_ARG(sentence));
    return EXIT_STATUS_FAILED;
}

static bool explain_record(struct explain *explain, const struct relance_record *record)
{
    struct relance_fate fate = {0};
    if (story_record(&explain->story, explain->engine, record, &fate) != RELANCE_DONE) return false;
    explain->any |= fate.kind != RELANCE_DEAD;
    return true;
}

/* ---- from a file */

static int explain_feed(struct explain *explain, struct feed *feed)
{
    struct relance_record record;
    while (feed_next(feed, &record))
        if (!explain_record(explain, &record)) return explain_failed(explain);
    return feed_end(feed, "relance explain") ? EXIT_STATUS_OK : EXIT_STATUS_FAILED;
}

static int explain_file(struct explain *explain)
{
    struct feed feed;
    struct relance_error error;
    if (!feed_open(&feed, explain->options->events, explain->options->csv, explain->rules, &error)) {
        fprintf(stderr, "relance explain: %s\n", error.message);
        return EXIT_STATUS_USAGE;
    }
    int status = explain_feed(explain, &feed);
    feed_close(&feed);
    return status;
}

/* ---- the whole */

static int explain_end(struct explain *explain)
{
    int64_t until_ms = until_instant(&explain->until, explain->engine, explain->any);
    if (until_ms != RELANCE_NEVER && relance_engine_run_until(explain->engine, until_ms) != RELANCE_DONE)
        return explain_failed(explain);
    story_end(&explain->story, explain->engine);
    return EXIT_STATUS_OK;
}

static int explain_with_rules(struct explain *explain)
{
    struct relance_engine_options options = {
        .rules = explain->rules,
        .lateness_ms = explain->options->lateness,
        .complete = true,
        .trust_future = true,
    };
    story_listen(&explain->story, &options);
    explain->engine = relance_engine_new(&options);
    if (!explain->engine) {
        fputs("relance explain: out of memory\n", stderr);
        return EXIT_STATUS_FAILED;
    }
    if (explain->wall_ms != RELANCE_NEVER) relance_engine_set_wall(explain->engine, explain->wall_ms);
    int status = explain_file(explain);
    return status == EXIT_STATUS_OK ? explain_end(explain) : status;
}

static bool explain_read_options(struct explain *explain)
{
    const struct options *options = explain->options;
    explain->wall_ms = RELANCE_NEVER;
    if (options->wall && !text_instant(text_of(options->wall), &explain->wall_ms)) {
        fprintf(stderr, "relance explain: --wall: '%s' is no instant such as 2026-03-02T10:00:00Z\n",
                options->wall);
        return false;
    }
    return until_read("relance explain", options->until, &explain->until);
}

static int explain_run(struct explain *explain)
{
    if (!explain_read_options(explain)) return EXIT_STATUS_USAGE;
    explain->rules = load_rules("relance explain", explain->options->rules);
    return explain->rules ? explain_with_rules(explain) : EXIT_STATUS_USAGE;
}

int cmd_explain(int argc, char **argv)
{
    struct options options;
    if (!options_read(&options, COMMAND_EXPLAIN, argc, argv)) return options.status;
    struct explain explain = {.options = &options,
                              .story = {.customer = text_of(options.args[0]), .out = stdout}};
    int status = explain_run(&explain);
    relance_engine_free(explain.engine);
    relance_ruleset_free(explain.rules);
    story_free(&explain.story);
    options_free(&options);
    return status;
}
