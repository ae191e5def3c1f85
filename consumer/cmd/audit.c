/* relance audit: is each action on the output topic there once? Reads it as a sender would (read_committed),
 * from its beginning to the end that it has now, and reports numbers that are missing or came twice, and ids
 * that came twice. Changes nothing; may run beside a living engine. 56 bytes of memory for each action.
 *
 * Status 0: every action once; 1: gaps or duplicates; 2: the topic cannot be read. */
#include "report/audit.h"
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
    const struct options *options;
    bool whole; /* the topic still has all its beginnings */
    size_t shown;
    cJSON *ids; /* with --json: those that came twice */
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
    char *text = cJSON_Print(document);
    if (text) print_lines(str_of(text), stdout);
    fputc('\n', stdout);
    cJSON_free(text);
    cJSON_Delete(document);
    return text && !ids && !audit_twice(audit) && !audit_missing(audit, run->whole);
}

/* ---- the whole */

static int audit_topic(struct audit_run *run)
{
    struct relance_error error;
    if (kafka_scan(run->options, run->options->output, audit_begin, audit_record, run, &error) !=
        RELANCE_OK) {
        print_mistake("%s", error.message);
        return EXIT_STATUS_USAGE;
    }
    bool clean = run->options->json ? audit_print_json(run) : audit_print(run);
    return clean ? EXIT_STATUS_OK : EXIT_STATUS_FAILED;
}

int cmd_audit(const struct options *options)
{
    stop_on_signals();
    struct audit_run run = {.options = options, .whole = true};
    int status = audit_topic(&run);
    audit_free(&run.audit);
    return status;
}
