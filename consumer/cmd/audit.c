/* relance audit: is each action on the output topic there once? Reads it as a sender would (read_committed),
 * from its beginning to the end that it has now, and reports numbers that are missing or came twice, and ids
 * that came twice. Changes nothing; may run beside a living engine. 56 bytes of memory for each action.
 *
 * With --decisions that topic is read, too: lines that came again, and actions and lines that lack each other. The actions
 * are read first: whatever a living engine publishes meanwhile has its line when the lines are read.
 *
 * Status 0: every action once, and every line; 1: gaps or duplicates; 2: a topic cannot be read. */
#include "report/audit.h"
#include "report/told.h"
#include "host/command.h"
#include "kafka/scan.h"
#include "host/option.h"
#include "host/print.h"
#include "host/stop.h"
#include "host/text.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>

enum { AUDIT_SHOWN = 20 }; /* of a kind; the others are counted */

struct audit_run {
    struct audit audit;
    struct told told;
    uint64_t lacks[TOLD_LACKS];
    const struct options *options;
    bool whole; /* the topic still has all its beginnings */
    size_t shown;
    cJSON *ids, *lacking; /* with --json: those that came twice, numbers without line or action */
};

/* ---- reading */

static void audit_begin(void *context, int32_t partition, int64_t low)
{
    (void)partition;
    struct audit_run *run = context;
    if (low > 0) run->whole = false;
}

static bool audit_record(void *context, const struct kafka_scan_record *record)
{
    struct audit_run *run = context;
    int64_t partition = -1, seq = 0;
    bool twice;
    kafka_scan_count(record, "relance-partition", &partition);
    kafka_scan_count(record, "relance-seq", &seq);
    audit_see(&run->audit, kafka_scan_header(record, "ce_source"), partition, (uint64_t)seq,
              kafka_scan_header(record, "ce_id"), (struct audit_place){record->partition, record->offset},
              &twice);
    if (twice && !run->options->json && run->shown++ < AUDIT_SHOWN)
        print(stdout, "number %" PRId64 " of input partition %" PRId64 " came again: record %d/%" PRId64 "\n",
              seq, partition, record->partition, record->offset);
    return true;
}

static void audit_begin_lines(void *context, int32_t partition, int64_t low)
{
    (void)context, (void)partition, (void)low;
}

static bool audit_line(void *context, const struct kafka_scan_record *record)
{
    struct audit_run *run = context;
    int64_t seq = 0;
    struct told_line line = {.group = kafka_scan_header(record, "relance-group"),
                             .partition = -1,
                             .place = {.index = -1},
                             .in = record->partition};
    kafka_scan_count(record, "relance-partition", &line.partition);
    kafka_scan_count(record, "relance-mark", &line.place.mark);
    kafka_scan_count(record, "relance-offset", &line.place.offset);
    kafka_scan_count(record, "relance-index", &line.place.index);
    kafka_scan_count(record, "relance-seq", &seq);
    line.seq = (uint64_t)seq;
    if (!told_see(&run->told, &line) && !run->options->json && run->shown++ < AUDIT_SHOWN)
        print(stdout,
              "decision %" PRId64 "/%" PRId64 "/%" PRId64 " of input partition %" PRId64
              " came again: record %d/%" PRId64 "\n",
              line.place.mark, line.place.offset, line.place.index, line.partition, record->partition,
              record->offset);
    return true;
}

/* ---- for people */

static void audit_print_id(void *context, const struct audit_id *first, const struct audit_id *again)
{
    struct audit_run *run = context;
    if (run->shown++ >= AUDIT_SHOWN) return;
    print(stdout, "id %.32s came twice: records %d/%" PRId64 " and %d/%" PRId64 "\n", again->id,
          first->place.partition, first->place.offset, again->place.partition, again->place.offset);
}

static void audit_print_range(struct audit_run *run, const struct audit_origin *origin,
                              struct audit_range range)
{
    if (range.first > range.last || run->shown++ >= AUDIT_SHOWN) return;
    print(stdout, "numbers %" PRIu64 " to %" PRIu64 " of input partition %" PRId64 " (%s) are missing\n",
          range.first, range.last, origin->partition, origin->source);
}

static void audit_print_ranges(struct audit_run *run)
{
    run->shown = 0;
    for (size_t i = 0; i < run->audit.origin_count; i++) {
        const struct audit_origin *origin = &run->audit.origins[i];
        if (run->whole) audit_print_range(run, origin, (struct audit_range){1, origin->first - 1});
        for (size_t m = 0; m < origin->missing_count; m++)
            audit_print_range(run, origin, origin->missing[m]);
    }
}

static bool audit_print(struct audit_run *run)
{
    struct audit *audit = &run->audit;
    audit_print_ranges(run);
    run->shown = 0;
    size_t ids = audit_ids_twice(audit, audit_print_id, run);
    uint64_t missing = audit_missing(audit, run->whole), twice = audit_twice(audit);
    print(stdout,
          "%s: %zu actions of %zu input partitions: %" PRIu64 " missing, %" PRIu64
          " numbers twice, %zu ids twice\n",
          run->options->output, audit->id_count, audit->origin_count, missing, twice, ids);
    if (!run->whole) puts("The topic has lost its beginning: what stood there was not looked at.");
    if (audit->strangers) print(stdout, "%" PRIu64 " records are not of Relance.\n", audit->strangers);
    return !missing && !twice && !ids;
}

static bool audit_lines_are_sound(const struct audit_run *run)
{
    return !run->told.again && !run->lacks[TOLD_NO_LINE] && !run->lacks[TOLD_NO_ACTION];
}

static void audit_show_lacking(void *context, const struct told_lacking *lacking)
{
    static const char *const what[] = {
        [TOLD_NO_LINE] = "have no line", [TOLD_NO_ACTION] = "have a line and no action"};
    struct audit_run *run = context;
    if (lacking->lack == TOLD_EARLIER || run->shown++ >= AUDIT_SHOWN) return;
    print(stdout, "numbers %" PRIu64 " to %" PRIu64 " of input partition %" PRId64 " (%s) %s\n",
          lacking->numbers.first, lacking->numbers.last, lacking->partition, lacking->source,
          what[lacking->lack]);
}

static bool audit_print_lines(struct audit_run *run)
{
    const struct told *told = &run->told;
    run->shown = 0;
    told_compare(told, &run->audit, run->whole, audit_show_lacking, run, run->lacks);
    print(stdout,
          "%s: %" PRIu64 " lines of %zu input partitions: %" PRIu64 " came again, %" PRIu64
          " actions without line, %" PRIu64 " lines without action\n",
          run->options->decisions, told->lines, told->numbers.origin_count, told->again,
          run->lacks[TOLD_NO_LINE], run->lacks[TOLD_NO_ACTION]);
    if (run->lacks[TOLD_EARLIER])
        print(stdout, "%" PRIu64 " actions are from before the first lines: they were not compared.\n",
              run->lacks[TOLD_EARLIER]);
    if (told->strangers) print(stdout, "%" PRIu64 " records there are not of Relance.\n", told->strangers);
    return audit_lines_are_sound(run);
}

/* ---- for programs */

static void audit_add_id(void *context, const struct audit_id *first, const struct audit_id *again)
{
    struct audit_run *run = context;
    char id[sizeof again->id + 1];
    (void)first;
    snprintf(id, sizeof id, "%.*s", (int)sizeof again->id, again->id);
    cJSON_AddItemToArray(run->ids, cJSON_CreateString(id));
}

static cJSON *audit_origin_json(const struct audit_run *run, const struct audit_origin *origin)
{
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "source", origin->source);
    cJSON_AddNumberToObject(item, "partition", (double)origin->partition);
    cJSON_AddNumberToObject(item, "first", (double)origin->first);
    cJSON_AddNumberToObject(item, "last", (double)(origin->next - 1));
    cJSON_AddNumberToObject(item, "twice", (double)origin->twice);
    cJSON *missing = cJSON_AddArrayToObject(item, "missing");
    if (run->whole && origin->first > 1)
        cJSON_AddItemToArray(missing, cJSON_CreateDoubleArray((double[]){1, (double)(origin->first - 1)}, 2));
    for (size_t i = 0; i < origin->missing_count; i++)
        cJSON_AddItemToArray(
            missing, cJSON_CreateDoubleArray(
                         (double[]){(double)origin->missing[i].first, (double)origin->missing[i].last}, 2));
    return item;
}

static void audit_add_lacking(void *context, const struct told_lacking *lacking)
{
    static const char *const what[] = {"line", "action"};
    struct audit_run *run = context;
    if (lacking->lack == TOLD_EARLIER) return;
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "source", lacking->source);
    cJSON_AddNumberToObject(item, "partition", (double)lacking->partition);
    cJSON_AddStringToObject(item, "lacks", what[lacking->lack]);
    cJSON_AddItemToObject(item, "numbers",
                          cJSON_CreateDoubleArray(
                              (double[]){(double)lacking->numbers.first, (double)lacking->numbers.last}, 2));
    cJSON_AddItemToArray(run->lacking, item);
}

static bool audit_lines_json(struct audit_run *run, cJSON *document)
{
    if (!run->options->decisions) return true;
    cJSON *lines = cJSON_AddObjectToObject(document, "decisions");
    run->lacking = cJSON_CreateArray();
    told_compare(&run->told, &run->audit, run->whole, audit_add_lacking, run, run->lacks);
    cJSON_AddNumberToObject(lines, "lines", (double)run->told.lines);
    cJSON_AddNumberToObject(lines, "again", (double)run->told.again);
    cJSON_AddNumberToObject(lines, "actions_without_line", (double)run->lacks[TOLD_NO_LINE]);
    cJSON_AddNumberToObject(lines, "lines_without_action", (double)run->lacks[TOLD_NO_ACTION]);
    cJSON_AddNumberToObject(lines, "actions_before", (double)run->lacks[TOLD_EARLIER]);
    cJSON_AddNumberToObject(lines, "strangers", (double)run->told.strangers);
    cJSON_AddItemToObject(lines, "lacking", run->lacking);
    return audit_lines_are_sound(run);
}

static bool audit_print_json(struct audit_run *run)
{
    struct audit *audit = &run->audit;
    cJSON *document = cJSON_CreateObject();
    cJSON_AddNumberToObject(document, "actions", (double)audit->id_count);
    cJSON_AddNumberToObject(document, "missing", (double)audit_missing(audit, run->whole));
    cJSON_AddNumberToObject(document, "numbers_twice", (double)audit_twice(audit));
    cJSON_AddBoolToObject(document, "whole", run->whole);
    cJSON_AddNumberToObject(document, "strangers", (double)audit->strangers);
    cJSON *origins = cJSON_AddArrayToObject(document, "origins");
    for (size_t i = 0; i < audit->origin_count; i++)
        cJSON_AddItemToArray(origins, audit_origin_json(run, &audit->origins[i]));
    run->ids = cJSON_AddArrayToObject(document, "ids_twice");
    size_t ids = audit_ids_twice(audit, audit_add_id, run);
    bool lines_are_sound = audit_lines_json(run, document);
    char *text = cJSON_Print(document);
    if (text) print_lines(str_of(text), stdout);
    fputc('\n', stdout);
    cJSON_free(text);
    cJSON_Delete(document);
    return text && !ids && !audit_twice(audit) && !audit_missing(audit, run->whole) && lines_are_sound;
}

/* ---- the whole */

static enum relance_status audit_read(struct audit_run *run, struct relance_error *error)
{
    const struct options *options = run->options;
    enum relance_status status = kafka_scan(options, options->output, audit_begin, audit_record, run, error);
    run->shown = 0;
    if (status != RELANCE_OK || !options->decisions) return status;
    return kafka_scan(options, options->decisions, audit_begin_lines, audit_line, run, error);
}

static int audit_topics(struct audit_run *run)
{
    struct relance_error error;
    if (audit_read(run, &error) != RELANCE_OK) {
        print_mistake("%s", error.message);
        return EXIT_STATUS_USAGE;
    }
    bool clean = run->options->json ? audit_print_json(run) : audit_print(run);
    if (run->options->decisions && !run->options->json) clean &= audit_print_lines(run);
    return clean ? EXIT_STATUS_OK : EXIT_STATUS_FAILED;
}

int cmd_audit(const struct options *options)
{
    stop_on_signals();
    struct audit_run run = {.options = options, .whole = true};
    int status = audit_topics(&run);
    audit_free(&run.audit);
    told_free(&run.told);
    return status;
}
