/* relance report: what orders bring in and what rules are worth.
 *
 *     --group NAME --input TOPIC     what stands in Redis
 *     --rules PATH --events FILE     of a file, as `relance replay` reads it: one partition, no server
 *
 * As tables, or with --json or --csv; the days from --from to --to are told one by one. */
#include "base/rfc3339.h"
#include "delivery/counter.h"
#include "delivery/sums.h"
#include "host/clock.h"
#include "host/command.h"
#include "host/option.h"
#include "host/print.h"
#include "host/progress.h"
#include "host/text.h"
#include "host/until.h"
#include "input/feed.h"
#include "learn/pupil.h"
#include "report/deaths.h"
#include "report/load.h"
#include "report/misfits.h"
#include "report/passed.h"
#include "report/report_read.h"

enum { REPORTING_DAYS = 14 }; /* for people, who read one by one */

struct reporting {
    const struct options *options;
    struct report_asked asked;
    struct relance_ruleset *rules;
    struct report report;

    /* of a file */
    struct until until;
    int64_t wall_ms;
    struct relance_mapping *mapping; /* NULL: the lines are native events */
    struct relance_engine *engine;
    struct saved *saved; /* --models; NULL: none */
    struct pupil pupil;
    struct counters counters;
    struct sums sums;
    struct feed feed;
    struct feed_listener listener;
    struct progress progress;
    struct deaths deaths;
    struct misfits misfits;
    struct passed passed;
    bool any; /* there has been an event */
};

/* ---- options */

/* Either a file, which needs rules, or a group and its topic. */
static bool reporting_read_source(const struct options *options)
{
    const char *missing = NULL;
    if (options->json && options->csv)
        missing = "either --json or --csv";
    else if (options->events && !options->rules.count)
        missing = "--rules is needed with --events";
    else if (options->models && !options->events)
        missing = "--models goes with --events: what stands in Redis has been decided";
    else if (!options->events && !(options->group && options->input))
        missing = "either --events FILE with --rules PATH is needed, or --group NAME with --input TOPIC";
    if (missing) print_mistake("%s", missing);
    return !missing;
}

static bool reporting_read_day(const char *name, const char *text, bool *has, int64_t *day)
{
    *has = text;
    if (!text || text_day(str_of(text), day)) return true;
    print_mistake("%s: '%s' is no day such as 2026-03-02", name, text);
    return false;
}

static bool reporting_read_days(struct reporting *reporting)
{
    struct report_asked *asked = &reporting->asked;
    if (!reporting_read_day("--from", reporting->options->from, &asked->has_from, &asked->from) ||
        !reporting_read_day("--to", reporting->options->to, &asked->has_to, &asked->to))
        return false;
    if (!reporting->options->json && !reporting->options->csv) asked->days = REPORTING_DAYS;
    bool in_order = !asked->has_from || !asked->has_to || asked->from <= asked->to;
    if (!in_order) print_mistake("--to is a day before --from");
    return in_order;
}

/* ---- from a file */

static void reporting_decide(void *context, const struct relance_decision *decision)
{
    struct reporting *reporting = context;
    counters_add_decision(&reporting->counters, decision);
}

static void reporting_add(void *context, const struct relance_addition *addition)
{
    struct reporting *reporting = context;
    sums_add(&reporting->sums, addition);
}

static void reporting_dead(void *context, struct relance_str reason, struct relance_str sentence,
                           int64_t line)
{
    struct reporting *reporting = context;
    deaths_take(&reporting->deaths, reason, sentence, line + 1);
}

static void reporting_passed(void *context, const struct relance_mapped *mapped, int64_t line)
{
    struct reporting *reporting = context;
    passed_take(&reporting->passed, mapped, line + 1);
}

static void reporting_misfits(void *context, const struct relance_mapped *mapped, int64_t line)
{
    struct reporting *reporting = context;
    misfits_take_mapped(&reporting->misfits, mapped, line + 1);
}

static bool reporting_record(struct reporting *reporting, const struct relance_record *record)
{
    struct relance_fate fate;
    if (!pupil_record(&reporting->pupil, record)) return false;
    do {
        if (relance_engine_record(reporting->engine, record, &fate) != RELANCE_DONE) return false;
        reporting->any |= fate.kind != RELANCE_DEAD && fate.kind != RELANCE_NOTHING;
        misfits_take(&reporting->misfits, &fate, record->offset + 1);
        if (fate.kind == RELANCE_DEAD)
            deaths_take(&reporting->deaths, fate.reason, STR(""), record->offset + 1);
    } while (fate.more);
    return true;
}

static bool reporting_feed(struct reporting *reporting)
{
    struct relance_record record;
    progress_begin(&reporting->progress, "events");
    bool ok = true;
    while (ok && feed_next(&reporting->feed, &record)) {
        ok = reporting_record(reporting, &record);
        if (progress_step(&reporting->progress))
            progress_show(&reporting->progress, feed_part(&reporting->feed));
    }
    progress_end(&reporting->progress);
    int64_t until_ms = until_instant(&reporting->until, reporting->engine, reporting->any);
    if (ok && until_ms != RELANCE_NEVER) ok = pupil_run_until(&reporting->pupil, until_ms) == RELANCE_DONE;
    return ok;
}

static void reporting_take_counter(void *context, struct relance_str name, bool whole, double value)
{
    (void)whole;
    report_add_counter(context, name, value);
}

static void reporting_take_sum(void *context, const struct relance_addition *sum)
{
    report_add(context, sum);
}

static void reporting_take(struct reporting *reporting)
{
    reporting->asked.at_ms =
        reporting->any ? relance_engine_newest(reporting->engine) : INT64_MIN; /* it knows no other time */
    counters_each(&reporting->counters, reporting_take_counter, &reporting->report);
    sums_each(&reporting->sums, reporting_take_sum, &reporting->report);
    report_ask(&reporting->report, &reporting->asked);
}

static int reporting_events(struct reporting *reporting)
{
    bool ok = reporting_feed(reporting);
    struct relance_str sentence = pupil_error(&reporting->pupil);
    if (!ok) print_mistake("%.*s", STR_ARG(sentence));
    deaths_print(&reporting->deaths, "report");
    misfits_print(&reporting->misfits, reporting->options->events);
    passed_print(&reporting->passed, reporting->options->events);
    ok &= feed_end(&reporting->feed);
    if (ok) reporting_take(reporting);
    return ok ? EXIT_STATUS_OK : EXIT_STATUS_FAILED;
}

static int reporting_with_engine(struct reporting *reporting)
{
    const struct options *options = reporting->options;
    struct relance_engine_options given = {
        .rules = reporting->rules,
        .lateness_ms = options->lateness,
        .state_bytes = (size_t)options->state_bytes,
        .forget_visitors_after_ms = options->forget_visitors_after,
        .decide = reporting_decide,
        .add = reporting_add,
        .context = reporting,
        .complete = true,
        .trust_future = true,
    };
    reporting->engine = relance_engine_new(&given);
    if (!reporting->engine) {
        print_mistake("out of memory");
        return EXIT_STATUS_FAILED;
    }
    if (reporting->wall_ms != RELANCE_NEVER) relance_engine_set_wall(reporting->engine, reporting->wall_ms);
    reporting->pupil = (struct pupil){.engine = reporting->engine, .rules = reporting->rules};
    pupil_begin(&reporting->pupil, reporting->wall_ms, options->models, reporting->saved);
    int status = reporting_events(reporting);
    pupil_end(&reporting->pupil);
    relance_engine_free(reporting->engine);
    return status;
}

static int reporting_from_file(struct reporting *reporting)
{
    struct relance_error error;
    const struct options *options = reporting->options;
    if (!until_read(options->until, &reporting->until) || !wall_read(options->wall, &reporting->wall_ms) ||
        !pupil_load(options->models, &reporting->saved))
        return EXIT_STATUS_USAGE;
    reporting->asked.rules = reporting->rules = load_rules_alone(&options->rules);
    if (!reporting->rules || !load_only_mapping(&options->mapping, &reporting->mapping))
        return EXIT_STATUS_USAGE;
    reporting->listener =
        (struct feed_listener){reporting, reporting_dead, reporting_passed, reporting_misfits};
    if (!feed_open(&reporting->feed, options->events, reporting->mapping, &reporting->listener, &error)) {
        print_mistake("%s", error.message);
        return EXIT_STATUS_USAGE;
    }
    int status = reporting_with_engine(reporting);
    feed_close(&reporting->feed);
    return status;
}

/* ---- from Redis */

static enum relance_status reporting_read(struct reporting *reporting, struct redis_view *view,
                                          struct relance_error *error)
{
    if (!reporting->options->rules.count && load_any_rules(view, &reporting->rules, error) != RELANCE_OK)
        return error->status;
    reporting->asked.rules = reporting->rules;
    reporting->asked.at_ms = clock_wall_ms();
    report_ask(&reporting->report, &reporting->asked);
    return report_read(&reporting->report, view, error);
}

static int reporting_from_redis(struct reporting *reporting)
{
    struct relance_error error;
    const struct options *options = reporting->options;
    if (options->rules.count && !(reporting->rules = load_rules(&options->rules))) return EXIT_STATUS_USAGE;
    reporting->asked.group = options->group;
    reporting->asked.topic = options->input;
    struct redis_view *view = redis_view_open(options->redis, options->group, options->input, &error);
    bool ok = view && reporting_read(reporting, view, &error) == RELANCE_OK;
    if (!ok) print_mistake("%s", error.message);
    redis_view_close(view);
    return ok ? EXIT_STATUS_OK : EXIT_STATUS_FAILED;
}

/* ---- the whole */

static void reporting_print(const struct reporting *reporting)
{
    if (reporting->options->json)
        report_print_json(&reporting->report, stdout);
    else if (reporting->options->csv)
        report_print_csv(&reporting->report, stdout);
    else
        report_print_tables(&reporting->report, stdout);
}

static int reporting_run(struct reporting *reporting)
{
    const struct options *options = reporting->options;
    if (!reporting_read_source(options) || !reporting_read_days(reporting)) return EXIT_STATUS_USAGE;
    int status = options->events ? reporting_from_file(reporting) : reporting_from_redis(reporting);
    if (status != EXIT_STATUS_OK) return status;
    report_end(&reporting->report);
    reporting_print(reporting);
    return EXIT_STATUS_OK;
}

int cmd_report(const struct options *options)
{
    struct reporting reporting = {.options = options};
    int status = reporting_run(&reporting);
    report_free(&reporting.report);
    counters_free(&reporting.counters);
    sums_free(&reporting.sums);
    saved_close(reporting.saved);
    relance_mapping_free(reporting.mapping);
    relance_ruleset_free(reporting.rules);
    return status;
}
