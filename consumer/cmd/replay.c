/* relance replay --rules PATH FILE: what would the rules have done with these events? (rules.md §6)
 *
 *     lines of FILE → engine → decisions → lines, or with --summary a table
 *
 * One partition, no wall clock unless given, no server. Lines of the file are read in place and decisions are
 * printed into one large buffer: what a line costs is what the engine costs. A line that is no event is a dead
 * letter: it is counted, and said at the end on standard error; the replay goes on. */
#include "command.h"
#include "feed.h"
#include "file.h"
#include "option.h"
#include "output.h"
#include "table.h"
#include "text.h"
#include <relance/engine.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    LINE_ROOM = 4096,    /* bytes offered to a decision at first: most take 300 */
    REASONS_MAX = 16,    /* reasons of dead letters; the engine has 8 */
};

/* Heads of the summary's columns. */
static const char *const outcome_heads[RELANCE_OUTCOME_COUNT] = {
#define OUTCOME_HEAD(name, text, prose) text,
    RELANCE_OUTCOME_TABLE(OUTCOME_HEAD)
#undef OUTCOME_HEAD
};

struct replay_rule {
    char *name;
    uint64_t counts[RELANCE_OUTCOME_COUNT];
};

/* Dead letters of one reason. */
struct replay_dead {
    char reason[32];
    uint64_t count;
    int64_t first_line;
};

struct replay {
    const struct options *options;
    uint32_t wanted; /* set of outcomes to print */
    int64_t until_ms, until_after_ms; /* --until: an instant, or so long after the newest event; else NEVER */
    int64_t wall_ms;

    struct relance_engine *engine;
    struct feed feed;
    struct output output;

    uint64_t fates[RELANCE_DEAD + 1];
    struct replay_dead dead[REASONS_MAX];
    size_t dead_count;
    uint64_t invalid, late;  /* values that were not of their declared type; events older than the clock */
    int64_t invalid_line; /* of the first */
    struct replay_rule *rules; /* in the order of their first decision */
    size_t rule_count, rule_last;
};

/* ---- options */

static bool replay_wants(struct replay *replay, struct relance_str word)
{
    struct relance_str names[RELANCE_OUTCOME_COUNT];
    for (int i = 0; i < RELANCE_OUTCOME_COUNT; i++) {
        names[i] = relance_outcome_text((enum relance_outcome)i);
        if (!text_equal(word, names[i])) continue;
        replay->wanted |= 1u << i;
        return true;
    }
    struct relance_str near = text_nearest(word, names, RELANCE_OUTCOME_COUNT);
    fprintf(stderr, "relance replay: --only: there is no outcome '%.*s'", TEXT_ARG(word));
    if (near.size) fprintf(stderr, "; did you mean '%.*s'?", TEXT_ARG(near));
    fputc('\n', stderr);
    return false;
}

/* "sent,goal" */
static bool replay_read_only(struct replay *replay)
{
    if (!replay->options->only) {
        replay->wanted = ~0u;
        return true;
    }
    struct relance_str rest = text_of(replay->options->only);
    bool ok = true;
    for (bool more = true; more;) {
        const char *comma = memchr(rest.data, ',', rest.size);
        struct relance_str word = {rest.data, comma ? (size_t)(comma - rest.data) : rest.size};
        ok &= replay_wants(replay, text_trim(word));
        more = comma;
        if (more) rest = (struct relance_str){comma + 1, rest.size - word.size - 1};
    }
    return ok;
}

static bool replay_read_until(struct replay *replay)
{
    replay->until_ms = replay->until_after_ms = RELANCE_NEVER;
    if (!replay->options->until) return true;
    struct relance_str text = text_of(replay->options->until);
    if (text_duration(text, &replay->until_after_ms) || text_instant(text, &replay->until_ms)) return true;
    fprintf(stderr, "relance replay: --until: '%.*s' is neither an instant such as 2026-03-02T10:00:00Z nor a duration such as 7d\n",
            TEXT_ARG(text));
    return false;
}

static bool replay_read_wall(struct replay *replay)
{
    replay->wall_ms = RELANCE_NEVER;
    if (!replay->options->wall) return true;
    if (text_instant(text_of(replay->options->wall), &replay->wall_ms)) return true;
    fprintf(stderr, "relance replay: --wall: '%s' is no instant such as 2026-03-02T10:00:00Z\n", replay->options->wall);
    return false;
}

static bool replay_read_options(struct replay *replay)
{
    if (replay->options->diff) fputs("relance replay: --diff is not yet supported\n", stderr);
    bool only = replay_read_only(replay), until = replay_read_until(replay), wall = replay_read_wall(replay);
    return only && until && wall && !replay->options->diff;
}

/* ---- decisions */

static struct replay_rule *replay_rule(struct replay *replay, struct relance_str name)
{
    for (size_t i = 0; i < replay->rule_count; i++) {
        size_t at = (replay->rule_last + i) % replay->rule_count; /* mostly the same rule again */
        if (!text_equal(text_of(replay->rules[at].name), name)) continue;
        replay->rule_last = at;
        return &replay->rules[at];
    }
    struct replay_rule *larger = realloc(replay->rules, (replay->rule_count + 1) * sizeof *larger);
    if (!larger) abort(); /* one row for each rule of the set */
    replay->rules = larger;
    replay->rule_last = replay->rule_count;
    struct replay_rule *rule = &larger[replay->rule_count++];
    *rule = (struct replay_rule){.name = strndup(name.data, name.size)};
    if (!rule->name) abort();
    return rule;
}

static void replay_print(struct replay *replay, const struct relance_decision *decision)
{
    struct output *output = &replay->output;
    char *room = output_room(output, LINE_ROOM);
    if (!room) return;
    size_t size = relance_decision_print(decision, room, LINE_ROOM - 1);
    if (size >= LINE_ROOM) {
        room = output_room(output, size + 1);
        if (!room) return;
        size = relance_decision_print(decision, room, size);
    }
    room[size] = '\n';
    output_take(output, size + 1);
}

static void replay_decide(void *context, const struct relance_decision *decision)
{
    struct replay *replay = context;
    if (!(replay->wanted & 1u << decision->outcome)) return;
    if (replay->options->summary)
        replay_rule(replay, decision->rule)->counts[decision->outcome]++;
    else
        replay_print(replay, decision);
}

/* ---- events */

static void replay_count_dead(struct replay *replay, struct relance_str reason, int64_t line)
{
    size_t i = 0;
    while (i < replay->dead_count && !text_equal(text_of(replay->dead[i].reason), reason)) i++;
    if (i == REASONS_MAX) return;
    struct replay_dead *dead = &replay->dead[i];
    if (i == replay->dead_count) {
        replay->dead_count++;
        snprintf(dead->reason, sizeof dead->reason, "%.*s", TEXT_ARG(reason));
        dead->first_line = line;
    }
    dead->count++;
}

static void replay_count_invalid(struct replay *replay, uint32_t count, int64_t line)
{
    if (count && !replay->invalid) replay->invalid_line = line;
    replay->invalid += count;
}

static int replay_engine_failed(const struct replay *replay)
{
    struct relance_str sentence = relance_engine_error(replay->engine);
    fprintf(stderr, "relance replay: %.*s\n", TEXT_ARG(sentence));
    return EXIT_STATUS_FAILED;
}

static int replay_feed(struct replay *replay)
{
    struct relance_record record;
    struct relance_fate fate;
    while (feed_next(&replay->feed, &record)) {
        if (relance_engine_record(replay->engine, &record, &fate) != RELANCE_DONE) return replay_engine_failed(replay);
        replay->fates[fate.kind]++;
        replay->late += fate.late;
        replay_count_invalid(replay, fate.fields_invalid, record.offset);
        if (fate.kind == RELANCE_DEAD) replay_count_dead(replay, fate.reason, record.offset);
    }
    return EXIT_STATUS_OK;
}

static int replay_run_on(struct replay *replay)
{
    int64_t until_ms = replay->until_ms;
    bool any = replay->fates[RELANCE_EVENT] + replay->fates[RELANCE_DUPLICATE] + replay->fates[RELANCE_IGNORED];
    if (replay->until_after_ms != RELANCE_NEVER && any &&
        __builtin_add_overflow(relance_engine_newest(replay->engine), replay->until_after_ms, &until_ms))
        until_ms = RELANCE_NEVER - 1;
    if (until_ms == RELANCE_NEVER) return EXIT_STATUS_OK;
    if (relance_engine_run_until(replay->engine, until_ms) == RELANCE_DONE) return EXIT_STATUS_OK;
    return replay_engine_failed(replay);
}

/* ---- what is said at the end */

static int replay_by_name(const void *a, const void *b)
{
    return strcmp(((const struct replay_rule *)a)->name, ((const struct replay_rule *)b)->name);
}

static bool replay_has_outcome(const struct replay *replay, int outcome)
{
    for (size_t i = 0; i < replay->rule_count; i++)
        if (replay->rules[i].counts[outcome]) return true;
    return false;
}

/* A row for each rule that decided anything, a column for each outcome that occurred. */
static void replay_print_rules(struct replay *replay)
{
    struct table_column columns[1 + RELANCE_OUTCOME_COUNT] = {{"rule", TABLE_LEFT}};
    int outcomes[RELANCE_OUTCOME_COUNT];
    size_t count = 0;
    for (int i = 0; i < RELANCE_OUTCOME_COUNT; i++) {
        if (!replay_has_outcome(replay, i)) continue;
        outcomes[count] = i;
        columns[++count] = (struct table_column){outcome_heads[i], TABLE_RIGHT};
    }
    qsort(replay->rules, replay->rule_count, sizeof *replay->rules, replay_by_name);
    struct table *table = table_new(columns, 1 + count);
    for (size_t r = 0; r < replay->rule_count; r++) {
        table_put(table, "%s", replay->rules[r].name);
        for (size_t i = 0; i < count; i++) {
            uint64_t decisions = replay->rules[r].counts[outcomes[i]];
            if (decisions)
                table_put(table, "%llu", (unsigned long long)decisions);
            else
                table_put(table, "%s", "");
        }
    }
    table_print(table, stdout);
    table_free(table);
}

static void replay_print_summary(struct replay *replay)
{
    if (replay->rule_count) replay_print_rules(replay);
    printf("%llu events, %llu duplicate, %llu ignored, %llu dead letters\n",
           (unsigned long long)(replay->fates[RELANCE_EVENT] + replay->fates[RELANCE_DUPLICATE] +
                                replay->fates[RELANCE_IGNORED]),
           (unsigned long long)replay->fates[RELANCE_DUPLICATE], (unsigned long long)replay->fates[RELANCE_IGNORED],
           (unsigned long long)replay->fates[RELANCE_DEAD]);
}

/* "relance replay: 2 dead letters: json 1 (line 17), time 1 (line 20)" */
static void replay_print_dead(const struct replay *replay)
{
    uint64_t count = replay->fates[RELANCE_DEAD];
    if (!count) return;
    fprintf(stderr, "relance replay: %llu dead letter%s:", (unsigned long long)count, count == 1 ? "" : "s");
    for (size_t i = 0; i < replay->dead_count; i++) {
        const struct replay_dead *dead = &replay->dead[i];
        fprintf(stderr, "%s %s %llu (%sline %lld)", i ? "," : "", dead->reason, (unsigned long long)dead->count,
                dead->count > 1 ? "first in " : "", (long long)dead->first_line + 1);
    }
    fputc('\n', stderr);
}

/* What a shop's export may have: said, since nobody has declared these values with the rules in mind. */
static void replay_print_csv(const struct replay *replay)
{
    const char *path = replay->options->args[0];
    if (replay->invalid)
        fprintf(stderr, "relance replay: %s: %llu value%s not of the declared type, first in line %lld\n", path,
                (unsigned long long)replay->invalid, replay->invalid == 1 ? "" : "s", (long long)replay->invalid_line + 1);
    if (replay->late)
        fprintf(stderr, "relance replay: %s: %llu event%s older than one before: sort the file by time, or give --lateness\n",
                path, (unsigned long long)replay->late, replay->late == 1 ? "" : "s");
}

/* ---- from the inside out: engine, files, rules, options */

static int replay_events(struct replay *replay)
{
    if (replay->wall_ms != RELANCE_NEVER) relance_engine_set_wall(replay->engine, replay->wall_ms);
    int status = replay_feed(replay);
    if (status == EXIT_STATUS_OK) status = replay_run_on(replay);
    if (!output_flush(&replay->output)) {
        fprintf(stderr, "relance replay: the output cannot be written: %s\n", strerror(errno));
        return EXIT_STATUS_FAILED;
    }
    if (replay->options->summary) replay_print_summary(replay);
    replay_print_dead(replay);
    if (replay->options->csv) replay_print_csv(replay);
    return feed_end(&replay->feed, "relance replay") ? status : EXIT_STATUS_FAILED;
}

static int replay_with_rules(struct replay *replay, const struct relance_ruleset *rules)
{
    struct relance_engine_options options = {
        .rules = rules,
        .lateness_ms = replay->options->lateness,
        .decide = replay_decide,
        .context = replay,
        .errors = replay->options->errors || (replay->options->only && replay->wanted & 1u << RELANCE_OUTCOME_ERROR),
        .complete = true,
        .trust_future = true,
    };
    struct relance_error error;
    if (!feed_open(&replay->feed, replay->options->args[0], replay->options->csv, rules, &error)) {
        fprintf(stderr, "relance replay: %s\n", error.message);
        return EXIT_STATUS_USAGE;
    }
    int status = EXIT_STATUS_FAILED;
    replay->engine = relance_engine_new(&options);
    if (output_open(&replay->output, STDOUT_FILENO) && replay->engine)
        status = replay_events(replay);
    else
        fputs("relance replay: out of memory\n", stderr);
    output_close(&replay->output);
    relance_engine_free(replay->engine);
    feed_close(&replay->feed);
    return status;
}

static int replay_compile(struct replay *replay, const struct file_set *set)
{
    struct relance_ruleset *rules = NULL;
    struct relance_report *report = NULL;
    struct relance_error error = {0};
    if (file_set_compile(set, &rules, &report, &error) != RELANCE_OK) {
        if (report) text_print(relance_report_text(report), stderr);
        fprintf(stderr, "relance replay: %s: %s\n", replay->options->rules, error.message);
        relance_report_free(report);
        return EXIT_STATUS_USAGE;
    }
    relance_report_free(report);
    int status = replay_with_rules(replay, rules);
    relance_ruleset_free(rules);
    return status;
}

static int replay_run(struct replay *replay)
{
    if (!replay_read_options(replay)) return EXIT_STATUS_USAGE;
    struct file_set set;
    struct relance_error error;
    if (file_set_read(replay->options->rules, &set, &error) != RELANCE_OK) {
        fprintf(stderr, "relance replay: --rules: %s\n", error.message);
        return EXIT_STATUS_USAGE;
    }
    int status = replay_compile(replay, &set);
    file_set_free(&set);
    return status;
}

int cmd_replay(int argc, char **argv)
{
    struct options options;
    if (!options_read(&options, COMMAND_REPLAY, argc, argv)) return options.status;
    struct replay replay = {.options = &options};
    int status = replay_run(&replay);
    for (size_t i = 0; i < replay.rule_count; i++) free(replay.rules[i].name);
    free(replay.rules);
    options_free(&options);
    return status;
}
