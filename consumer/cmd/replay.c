/* relance replay --rules PATH FILE: what would the rules have done with these events? (LANGUAGE.md §6)
 *
 *     lines of FILE → engine → decisions → lines, or with --summary a table
 *
 * What goes with what is learnt as the events go by: each day of their time is decided by the version that its begin has made
 * of all before it, or all of it by the versions of --models (learn/pupil.h). Rules without affinities learn nothing.
 *
 * One partition, no wall clock unless given, no server. Lines of the file are read in place: what a line costs is
 * what the engine costs. A line that is no event is a dead letter: it is counted, and told at the end on standard
 * error; the replay goes on. */
#include "base/nearest.h"
#include "host/command.h"
#include "host/print.h"
#include "host/progress.h"
#include "report/deaths.h"
#include "report/diff.h"
#include "input/feed.h"
#include "learn/pupil.h"
#include "report/load.h"
#include "report/misfits.h"
#include "report/passed.h"
#include "host/option.h"
#include "host/text.h"
#include "host/until.h"
#include <relance/engine.h>

#include <stdio.h>
#include <stdlib.h>

enum { LINE_ROOM = 4096 }; /* bytes offered to a decision at first: most take 300 */

/* So many events ahead memory is asked for what the engine has of their customers, each time for what is found by what came before. */
enum { AHEAD_PARTS = 4, AHEAD_STATE = 8, AHEAD_CUSTOMER = 12, AHEAD_PLACE = 16, AHEAD_ROOM = 32 };
struct ahead {
    bool pays;
    size_t seen, done;           /* events: those up to which has been looked, and those that have come */
    uint32_t places[AHEAD_ROOM]; /* of their customers */
};

struct replay {
    const struct options *options;
    uint32_t wanted; /* set of outcomes to print */
    struct until until;
    int64_t wall_ms;

    struct replay_side {
        struct replay *replay;
        enum diff_side number;
        struct relance_ruleset *rules;
        struct relance_engine *engine;
        struct pupil pupil; /* what it learns */
    } sides[DIFF_SIDES];    /* with --diff two, else the first alone */
    size_t side_count;
    struct saved *saved;             /* --models; NULL: none */
    struct relance_mapping *mapping; /* NULL: the lines are native events */
    struct feed_listener listener;
    struct feed feed;
    struct ahead ahead;
    struct progress progress;
    int64_t runs_from_ms, runs_until_ms; /* behind the last event the clock runs on; equal: it does not */
    struct buffer line;                  /* of the decision being printed */
    struct diff diff;                    /* --diff; of --summary its first half */

    uint64_t fates[RELANCE_FATES];
    struct deaths deaths;
    struct misfits misfits;
    struct passed passed; /* records, or parts of them, that no row of the mapping is for */
    uint64_t late;        /* events older than the clock */
};

/* ---- options */

static bool replay_wants(struct replay *replay, struct relance_str word)
{
    struct relance_str names[RELANCE_OUTCOME_COUNT];
    for (int i = 0; i < RELANCE_OUTCOME_COUNT; i++) {
        names[i] = relance_outcome_text((enum relance_outcome)i);
        if (!str_equal(word, names[i])) continue;
        replay->wanted |= 1u << i;
        return true;
    }
    struct relance_str near = nearest_of(word, names, RELANCE_OUTCOME_COUNT);
    if (near.size)
        print_mistake("--only: there is no outcome '%.*s'; did you mean '%.*s'?", STR_ARG(word),
                      STR_ARG(near));
    else
        print_mistake("--only: there is no outcome '%.*s'", STR_ARG(word));
    return false;
}

/* "sent,goal" */
static bool replay_read_only(struct replay *replay)
{
    if (!replay->options->only) {
        replay->wanted = ~(1u << RELANCE_OUTCOME_SET); /* what steps set is told where it is asked for */
        return true;
    }
    struct relance_str rest = str_of(replay->options->only);
    bool ok = true;
    for (bool more = true; more;) {
        const char *comma = memchr(rest.data, ',', rest.size);
        struct relance_str word = {rest.data, comma ? (size_t)(comma - rest.data) : rest.size};
        ok &= replay_wants(replay, str_trim(word));
        more = comma;
        if (more) rest = (struct relance_str){comma + 1, rest.size - word.size - 1};
    }
    return ok;
}

static bool replay_read_options(struct replay *replay)
{
    bool only = replay_read_only(replay), until = until_read(replay->options->until, &replay->until),
         wall = wall_read(replay->options->wall, &replay->wall_ms);
    return only && until && wall;
}

/* ---- decisions */

static void replay_print(struct replay *replay, const struct relance_decision *decision)
{
    struct buffer *line = &replay->line;
    size_t size = relance_decision_print(decision, buffer_room(line, LINE_ROOM), LINE_ROOM);
    if (size > LINE_ROOM) relance_decision_print(decision, buffer_room(line, size), size);
    print_status_wipe();
    print_text((struct relance_str){line->data, size}, stdout);
    fputc('\n', stdout);
}

static void replay_decide(void *context, const struct relance_decision *decision)
{
    const struct replay_side *side = context;
    struct replay *replay = side->replay;
    if (replay->runs_until_ms > replay->runs_from_ms && progress_step(&replay->progress))
        progress_show(&replay->progress, (double)(decision->time_ms - replay->runs_from_ms) /
                                             (double)(replay->runs_until_ms - replay->runs_from_ms));
    if (!(replay->wanted & 1u << decision->outcome)) return;
    if (replay->options->diff.count)
        diff_take(&replay->diff, side->number, decision);
    else if (replay->options->summary)
        summary_take(&replay->diff.summaries[DIFF_NOW], decision);
    else
        replay_print(replay, decision);
}

/* ---- events */

static int replay_failed(struct relance_str sentence)
{
    print_mistake("%.*s", STR_ARG(sentence));
    return EXIT_STATUS_FAILED;
}

/* Counted by the first side: what an event is does not depend on rules, but for types that only one declares. */
static void replay_count_fate(struct replay *replay, const struct relance_fate *fate, int64_t line)
{
    replay->fates[fate->kind]++;
    replay->late += fate->late;
    misfits_take(&replay->misfits, fate, line + 1);
    if (fate->kind == RELANCE_DEAD) deaths_take(&replay->deaths, fate->reason, STR(""), line + 1);
}

/* ---- what a mapping makes of records, besides events */

static void replay_mapped_dead(void *context, struct relance_str reason, struct relance_str sentence,
                               int64_t line)
{
    struct replay *replay = context;
    replay->fates[RELANCE_DEAD]++;
    deaths_take(&replay->deaths, reason, sentence, line + 1);
}

static void replay_mapped_passed(void *context, const struct relance_mapped *mapped, int64_t line)
{
    struct replay *replay = context;
    passed_take(&replay->passed, mapped, line + 1);
}

static void replay_mapped_misfits(void *context, const struct relance_mapped *mapped, int64_t line)
{
    struct replay *replay = context;
    misfits_take_mapped(&replay->misfits, mapped, line + 1);
}

/* ---- the feed */

static int replay_record(struct replay *replay, struct replay_side *side, const struct relance_record *record)
{
    struct relance_fate fate;
    if (!pupil_record(&side->pupil, record)) return replay_failed(pupil_error(&side->pupil));
    do {
        if (relance_engine_record(side->engine, record, &fate) != RELANCE_DONE)
            return replay_failed(relance_engine_error(side->engine));
        if (side->number == DIFF_NOW) replay_count_fate(replay, &fate, record->offset);
    } while (fate.more);
    return EXIT_STATUS_OK;
}

/* ---- ahead of the feed */

static void replay_expect(const struct replay *replay, size_t ahead, enum relance_expect step)
{
    size_t event = replay->ahead.done + ahead;
    if (event >= replay->ahead.seen) return;
    for (size_t i = 0; i < replay->side_count; i++)
        relance_engine_expect(replay->sides[i].engine, replay->ahead.places[event % AHEAD_ROOM], step);
}

/* It costs a tenth of a microsecond an event. What an event looks at has to be more than the processor keeps near by, and
 * several things of each customer. */
static bool replay_looks_far(const struct replay *replay)
{
    enum { NEAR_BYTES = 64 << 20, FEW_BYTES = 1024 };
    struct relance_engine_size size = relance_engine_size(replay->sides[DIFF_NOW].engine);
    return size.bytes > NEAR_BYTES && size.bytes / FEW_BYTES > size.held;
}

/* Before each event. */
static void replay_look_ahead(struct replay *replay)
{
    enum { ASKED_AGAIN = 4096 };
    struct ahead *ahead = &replay->ahead;
    struct relance_str customer;
    if (ahead->done++ % ASKED_AGAIN == 0) ahead->pays = replay_looks_far(replay);
    if (!ahead->pays) return;
    if (ahead->seen < ahead->done) ahead->seen = ahead->done;
    while (ahead->seen - ahead->done < AHEAD_PLACE && feed_ahead(&replay->feed, &customer)) {
        ahead->places[ahead->seen++ % AHEAD_ROOM] = relance_engine_place(customer);
        replay_expect(replay, ahead->seen - 1 - ahead->done, RELANCE_EXPECT_PLACE);
    }
    replay_expect(replay, AHEAD_CUSTOMER, RELANCE_EXPECT_CUSTOMER);
    replay_expect(replay, AHEAD_STATE, RELANCE_EXPECT_STATE);
    replay_expect(replay, AHEAD_PARTS, RELANCE_EXPECT_PARTS);
}

static int replay_feed(struct replay *replay)
{
    struct relance_record record;
    int status = EXIT_STATUS_OK;
    progress_begin(&replay->progress, "events");
    while (!print_failed() && feed_next(&replay->feed, &record)) {
        replay_look_ahead(replay);
        for (size_t i = 0; i < replay->side_count && status == EXIT_STATUS_OK; i++)
            status = replay_record(replay, &replay->sides[i], &record);
        if (status != EXIT_STATUS_OK) return status;
        if (progress_step(&replay->progress)) progress_show(&replay->progress, feed_part(&replay->feed));
    }
    return EXIT_STATUS_OK;
}

static int replay_run_side_on(struct replay_side *side, int64_t until_ms)
{
    bool done = pupil_run_until(&side->pupil, until_ms) == RELANCE_DONE;
    return done ? EXIT_STATUS_OK : replay_failed(pupil_error(&side->pupil));
}

static int replay_run_on(struct replay *replay)
{
    bool any =
        replay->fates[RELANCE_EVENT] + replay->fates[RELANCE_DUPLICATE] + replay->fates[RELANCE_IGNORED];
    int64_t until_ms = until_instant(&replay->until, replay->sides[DIFF_NOW].engine, any);
    if (until_ms == RELANCE_NEVER) return EXIT_STATUS_OK;
    replay->runs_from_ms = relance_engine_newest(replay->sides[DIFF_NOW].engine);
    replay->runs_until_ms = until_ms;
    progress_begin(&replay->progress, "decisions");
    int status = EXIT_STATUS_OK;
    for (size_t i = 0; i < replay->side_count && status == EXIT_STATUS_OK; i++)
        status = replay_run_side_on(&replay->sides[i], until_ms);
    return status;
}

/* ---- what is said at the end */

/* With --summary and --diff. */
static void replay_print_tables(struct replay *replay)
{
    if (replay->options->diff.count)
        diff_print(&replay->diff, stdout);
    else
        summary_print(&replay->diff.summaries[DIFF_NOW], stdout);
    print(stdout, "%llu events, %llu duplicate, %llu ignored, %llu dead letters",
          (unsigned long long)(replay->fates[RELANCE_EVENT] + replay->fates[RELANCE_DUPLICATE] +
                               replay->fates[RELANCE_IGNORED]),
          (unsigned long long)replay->fates[RELANCE_DUPLICATE],
          (unsigned long long)replay->fates[RELANCE_IGNORED],
          (unsigned long long)replay->fates[RELANCE_DEAD]);
    if (replay->mapping)
        print(stdout, ", %llu passed over, %llu values left out", (unsigned long long)replay->passed.count,
              (unsigned long long)replay->misfits.count);
    print(stdout, "\n");
}

/* A shop's export is often sorted otherwise. */
static void replay_print_late(const struct replay *replay)
{
    if (replay->late)
        print_mistake("%s: %llu event%s older than one before: sort the file by time, or give --lateness",
                      replay->options->args[0], (unsigned long long)replay->late,
                      replay->late == 1 ? "" : "s");
}

/* ---- from the inside out: events, engines, rules, options */

static int replay_events(struct replay *replay)
{
    int status = replay_feed(replay);
    if (status == EXIT_STATUS_OK) status = replay_run_on(replay);
    progress_end(&replay->progress);
    if (replay->options->summary || replay->options->diff.count) replay_print_tables(replay);
    deaths_print(&replay->deaths, "replay");
    misfits_print(&replay->misfits, replay->options->args[0]);
    passed_print(&replay->passed, replay->options->args[0]);
    if (replay->mapping) replay_print_late(replay);
    return feed_end(&replay->feed) ? status : EXIT_STATUS_FAILED;
}

static bool replay_open_engine(struct replay *replay, struct replay_side *side)
{
    struct relance_engine_options options = {
        .rules = side->rules,
        .lateness_ms = replay->options->lateness,
        .state_bytes = (size_t)replay->options->state_bytes,
        .forget_visitors_after_ms = replay->options->forget_visitors_after,
        .decide = replay_decide,
        .context = side,
        .errors = replay->options->errors ||
                  (replay->options->only && replay->wanted & 1u << RELANCE_OUTCOME_ERROR),
        .complete = true,
        .trust_future = true,
    };
    side->engine = relance_engine_new(&options);
    if (side->engine && replay->wall_ms != RELANCE_NEVER)
        relance_engine_set_wall(side->engine, replay->wall_ms);
    if (!side->engine) return false;
    side->pupil = (struct pupil){.engine = side->engine, .rules = side->rules};
    bool learns_beside = side->number != DIFF_NOW && pupil_join(&side->pupil, &replay->sides[DIFF_NOW].pupil);
    if (!learns_beside) pupil_begin(&side->pupil, replay->wall_ms, replay->options->models, replay->saved);
    return true;
}

static int replay_with_feed(struct replay *replay)
{
    bool ready = true;
    for (size_t i = 0; i < replay->side_count; i++)
        ready &= replay_open_engine(replay, &replay->sides[i]);
    int status = EXIT_STATUS_FAILED;
    if (ready)
        status = replay_events(replay);
    else
        print_mistake("out of memory");
    return status;
}

static bool replay_load(struct replay *replay)
{
    const struct file_paths *paths[DIFF_SIDES] = {&replay->options->rules, &replay->options->diff};
    for (enum diff_side i = 0; i < DIFF_SIDES && paths[i]->count; i++) {
        struct replay_side *side = &replay->sides[replay->side_count++];
        *side = (struct replay_side){.replay = replay, .number = i, .rules = load_rules_alone(paths[i])};
        if (!side->rules) return false;
    }
    return true;
}

static int replay_run(struct replay *replay)
{
    struct relance_error error;
    if (!replay_read_options(replay) || !replay_load(replay) ||
        !pupil_load(replay->options->models, &replay->saved))
        return EXIT_STATUS_USAGE;
    if (!load_only_mapping(&replay->options->mapping, &replay->mapping)) return EXIT_STATUS_USAGE;
    replay->listener =
        (struct feed_listener){replay, replay_mapped_dead, replay_mapped_passed, replay_mapped_misfits};
    if (!feed_open(&replay->feed, replay->options->args[0], replay->mapping, &replay->listener, &error)) {
        print_mistake("%s", error.message);
        return EXIT_STATUS_USAGE;
    }
    int status = replay_with_feed(replay);
    feed_close(&replay->feed);
    return status;
}

int cmd_replay(const struct options *options)
{
    struct replay replay = {.options = options};
    int status = replay_run(&replay);
    for (size_t i = 0; i < replay.side_count; i++) {
        pupil_end(&replay.sides[i].pupil);
        relance_engine_free(replay.sides[i].engine);
        relance_ruleset_free(replay.sides[i].rules);
    }
    saved_close(replay.saved);
    relance_mapping_free(replay.mapping);
    diff_free(&replay.diff);
    buffer_free(&replay.line);
    return status;
}
