/* relance restore-offsets: the group's offsets are gone (expired, deleted), were set by hand or went back; this
 * puts them where what has been published says that they were.
 *
 * P of a partition is at least where the checkpoint stands, behind every record that an action, a dead letter, a
 * link record or, with --decisions, a line follows from, and not before any mark (DELIVERY.md §1). Records between the P that is found and the P
 * that was have caused nothing. The running hash over all that was published is not kept anywhere else: it
 * is left open where more was published than the checkpoint knows of, and the engine takes what deciding again gives.
 *
 * Offsets that are right are left alone. The group must have no members. --dry-run only tells.
 * Status 0: all are right now; 1: some could not be put back; 2: nothing was done. */
#include "host/clock.h"
#include "host/command.h"
#include "base/ensure.h"
#include "base/str.h"
#include "host/print.h"
#include "kafka/client.h"
#include "kafka/offsets.h"
#include "kafka/scan.h"
#include "delivery/mark.h"
#include "delivery/meta.h"
#include "host/option.h"
#include "redis/view.h"
#include "delivery/published.h"
#include "host/stop.h"
#include "host/table.h"
#include "host/text.h"

#include <inttypes.h>
#include <stdlib.h>

enum { RESTORE_PAUSE_US = 500000 };

/* What is known of a partition. */
struct restoring {
    struct source_frontier now; /* as Kafka has it */
    int64_t end;                /* of the input */
    bool saved; /* Redis has a checkpoint: its offset and numbers are in `found` to begin with */
    uint64_t saved_seq;
    int64_t saved_offset, letter; /* of the last dead letter; -1: none */
    int64_t link;                 /* link records follow from what lies below it; -1: there are none */
    struct sink_frontier found;
};

struct restore {
    const struct options *options;
    struct redis_view *view; /* NULL: Redis has nothing */
    struct kafka_offsets *offsets;
    struct restoring *partitions;
    int count;
    char source[256];
};

static bool restore_is_right(const struct restoring *at)
{
    return at->now.frontier.position.offset >= 0 && !at->now.is_foreign &&
           position_is_within(at->found.frontier.position, at->now.frontier.position) &&
           at->now.frontier.position.seq >= at->found.frontier.position.seq;
}

/* ---- what Redis knows */
static enum relance_status restore_text(struct restore *restore, int partition, const char *name, char *out,
                                        size_t room, struct relance_error *error)
{
    char *text = NULL;
    size_t size = 0;
    enum relance_status status =
        redis_view_field(restore->view, partition, REDIS_VIEW_META, str_of(name), &text, &size, error);
    bool fits = status != RELANCE_OK || !text || size < room;
    if (fits && text) memcpy(out, text, size + 1);
    free(text);
    if (fits) return status;
    return relance_error_set(error, RELANCE_IO, "Redis: field %s of a checkpoint is not of its form", name);
}

static enum relance_status restore_read_meta(struct restore *restore, int partition,
                                             struct relance_error *error)
{
    struct restoring *at = &restore->partitions[partition];
    struct frontier *frontier = &at->found.frontier;
    char chain[17] = "";
    int64_t offset = -1, seq = 0, marks = 0;
    enum relance_status status = redis_view_number(restore->view, partition, "offset", &offset, error);
    if (status == RELANCE_OK) status = redis_view_number(restore->view, partition, "seq", &seq, error);
    if (status == RELANCE_OK) status = redis_view_number(restore->view, partition, "marks", &marks, error);
    if (status == RELANCE_OK) status = restore_text(restore, partition, "chain", chain, sizeof chain, error);
    if (status == RELANCE_OK)
        status = restore_text(restore, partition, "store", frontier->store, sizeof frontier->store, error);
    if (status != RELANCE_OK || offset < 0) return status;
    at->saved = true;
    at->found.frontier.position.offset = at->saved_offset = offset;
    frontier->position.seq = at->saved_seq = (uint64_t)seq;
    frontier->position.marks = (uint64_t)marks;
    if (text_hex(str_of(chain), &frontier->position.chain)) return RELANCE_OK;
    return relance_error_set(error, RELANCE_IO, "Redis: field chain of a checkpoint is not of its form");
}

/* ---- what has been published */
static void restore_begin(void *context, int32_t partition, int64_t low)
{
    (void)context, (void)partition, (void)low;
}

/* The partition of the input that a record is of; NULL: none of ours. */
static struct restoring *restore_at(struct restore *restore, int64_t partition)
{
    return partition >= 0 && partition < restore->count ? &restore->partitions[partition] : NULL;
}

static struct restoring *restore_named(struct restore *restore, const struct kafka_scan_record *record)
{
    int64_t partition = -1;
    kafka_scan_count(record, "relance-partition", &partition);
    return restore_at(restore, partition);
}

static bool restore_see_action(void *context, const struct kafka_scan_record *record)
{
    struct restore *restore = context;
    struct restoring *at = restore_named(restore, record);
    int64_t seq = 0, offset = -1;
    if (!at || !str_equal(kafka_scan_header(record, "ce_source"), str_of(restore->source))) return true;
    kafka_scan_count(record, "relance-seq", &seq);
    kafka_scan_count(record, "relance-offset", &offset);
    if ((uint64_t)seq > at->found.frontier.position.seq) at->found.frontier.position.seq = (uint64_t)seq;
    if (offset > at->found.frontier.position.offset) at->found.frontier.position.offset = offset;
    return true;
}

static bool restore_see_letter(void *context, const struct kafka_scan_record *record)
{
    struct restore *restore = context;
    struct restoring *at = restore_named(restore, record);
    int64_t offset = -1;
    kafka_scan_count(record, "relance-offset", &offset);
    bool ours = at && str_equal(kafka_scan_header(record, "relance-topic"), str_of(restore->options->input));
    if (!ours) return true;
    if (offset > at->letter) at->letter = offset;
    if (offset + 1 > at->found.frontier.position.offset) at->found.frontier.position.offset = offset + 1;
    return true;
}

static bool restore_see_mark(void *context, const struct kafka_scan_record *record)
{
    struct restoring *at = restore_at(context, record->partition);
    struct mark mark;
    struct relance_error error;
    if (!at || mark_parse(record->value, &mark, &error) != RELANCE_OK) return true;
    if (mark.n > at->found.frontier.position.marks) at->found.frontier.position.marks = mark.n;
    if (mark.at > at->found.frontier.position.offset) at->found.frontier.position.offset = mark.at;
    mark_free(&mark);
    return true;
}

/* In the partition that it is for, and says which it follows from. */
static bool restore_see_link(void *context, const struct kafka_scan_record *record)
{
    struct restoring *at = restore_named(context, record);
    int64_t offset = -1;
    if (!at) return true;
    kafka_scan_count(record, "relance-offset", &offset);
    if (offset > at->link) at->link = offset;
    if (offset > at->found.frontier.position.offset) at->found.frontier.position.offset = offset;
    return true;
}

/* A line is in no hash: it says how far what has been published goes, and no more. */
static bool restore_see_line(void *context, const struct kafka_scan_record *record)
{
    const struct restore *restore = context;
    struct restoring *at = restore_named(context, record);
    int64_t offset = -1;
    if (!at || !str_equal(kafka_scan_header(record, "relance-group"), str_of(restore->options->group)))
        return true;
    kafka_scan_count(record, "relance-offset", &offset);
    if (offset > at->found.frontier.position.offset) at->found.frontier.position.offset = offset;
    return true;
}

static enum relance_status restore_scan(struct restore *restore, struct relance_error *error)
{
    static kafka_scan_see *const sees[OUTBOX_TOPICS] = {
        [OUTBOX_ACTIONS] = restore_see_action, [OUTBOX_DEAD] = restore_see_letter,
        [OUTBOX_MARKS] = restore_see_mark,     [OUTBOX_LINKS] = restore_see_link,
        [OUTBOX_DECISIONS] = restore_see_line,
    };
    enum relance_status status = RELANCE_OK;
    for (int i = 0; i < OUTBOX_TOPICS && status == RELANCE_OK; i++) {
        char name[256];
        kafka_topic_name(restore->options, (enum outbox_topic)i, name);
        if (*name) status = kafka_scan(restore->options, name, restore_begin, sees[i], restore, error);
    }
    return status;
}

/* ---- the verdict */
/* More was published than the checkpoint knows of: then its hash is not that of P. Without a checkpoint nothing is
 * known of the store, which is made anew; --rebuild goes on from there. */
static void restore_complete(struct restoring *at)
{
    struct frontier *frontier = &at->found.frontier;
    if (!at->saved && !*frontier->store) frontier_make_store(frontier->store);
    frontier->is_restored = frontier->position.seq != at->saved_seq || at->letter >= at->saved_offset ||
                            at->link >= at->saved_offset;
    if (frontier->is_restored) frontier->position.chain = 0;
}

/* What speaks against putting it back; NULL: nothing. */
static const char *restore_objection(const struct restoring *at)
{
    if (at->found.frontier.position.offset < 0)
        return "nothing has been published: --from says where to begin";
    if (at->found.frontier.position.offset > at->end)
        return "the input ends before: it has been truncated or made anew";
    return NULL;
}

static bool restore_print(const struct restore *restore, bool dry)
{
    static const struct table_column columns[] = {{"partition", TABLE_RIGHT}, {"offset", TABLE_RIGHT},
                                                  {"found", TABLE_RIGHT},     {"actions", TABLE_RIGHT},
                                                  {"marks", TABLE_RIGHT},     {"", TABLE_LEFT}};
    struct table *table = table_new(columns, sizeof columns / sizeof *columns);
    bool sound = true;
    for (int p = 0; p < restore->count; p++) {
        const struct restoring *at = &restore->partitions[p];
        bool right = restore_is_right(at);
        const char *objection = right ? NULL : restore_objection(at);
        table_put(table, "%d", p);
        if (at->now.frontier.position.offset < 0)
            table_put(table, "none");
        else
            table_put(table, "%" PRId64 "%s", at->now.frontier.position.offset,
                      at->now.is_foreign ? " (not ours)" : "");
        table_put(table, "%" PRId64, at->found.frontier.position.offset);
        table_put(table, "%" PRIu64, at->found.frontier.position.seq);
        table_put(table, "%" PRIu64, at->found.frontier.position.marks);
        table_put(table, "%s",
                  right       ? "right as it is"
                  : objection ? objection
                  : dry       ? "would be put back"
                              : "put back");
        sound &= !objection;
    }
    table_print(table, stdout);
    table_free(table);
    return sound;
}

/* ---- putting back */
static enum relance_status restore_write(struct restore *restore, struct relance_error *error)
{
    struct sink_frontier *frontiers = calloc((size_t)restore->count, sizeof *frontiers);
    size_t count = 0;
    ensure(frontiers);
    for (int p = 0; p < restore->count; p++) {
        const struct restoring *at = &restore->partitions[p];
        if (!restore_is_right(at) && !restore_objection(at)) frontiers[count++] = at->found;
    }
    int64_t until_us = clock_monotonic_us() + restore->options->timeout * 1000;
    enum relance_status status = RELANCE_OK;
    if (count) status = kafka_offsets_write(restore->offsets, frontiers, count, error);
    while (status == RELANCE_AGAIN && !stop_requested() && clock_monotonic_us() < until_us) {
        clock_sleep_us(RESTORE_PAUSE_US);
        status = kafka_offsets_write(restore->offsets, frontiers, count, error);
    }
    free(frontiers);
    if (status != RELANCE_AGAIN) return status;
    return relance_error_set(error, RELANCE_REFUSED, "group %s still has members: end the engines first",
                             restore->options->group);
}

static enum relance_status restore_look(struct restore *restore, struct relance_error *error)
{
    enum relance_status status = RELANCE_OK;
    for (int p = 0; p < restore->count && status == RELANCE_OK; p++) {
        struct restoring *at = &restore->partitions[p];
        *at = (struct restoring){.saved_offset = -1,
                                 .letter = -1,
                                 .link = -1,
                                 .found = {.partition = p, .frontier.position.offset = -1}};
        status = kafka_offsets_read(restore->offsets, p, &at->now, &at->end, error);
        bool known = restore->view && p < redis_view_partitions(restore->view);
        if (status == RELANCE_OK && known) status = restore_read_meta(restore, p, error);
    }
    if (status == RELANCE_OK) status = restore_scan(restore, error);
    for (int p = 0; p < restore->count && status == RELANCE_OK; p++)
        restore_complete(&restore->partitions[p]);
    return status;
}

static enum relance_status restore_open(struct restore *restore, struct relance_error *error)
{
    const struct options *options = restore->options;
    snprintf(restore->source, sizeof restore->source, "/relance/%s", options->group);
    restore->view = redis_view_open(options->redis, options->group, options->input, error);
    if (!restore->view && error->status != RELANCE_REFUSED) return error->status;
    if (!restore->view)
        print_mistake("%s", error->message); /* it was emptied: what has been published is left */
    *error = (struct relance_error){0};
    enum relance_status status = kafka_offsets_open(options, &restore->offsets, error);
    if (status == RELANCE_OK) status = kafka_offsets_partitions(restore->offsets, &restore->count, error);
    restore->partitions = calloc((size_t)restore->count + 1, sizeof *restore->partitions);
    ensure(restore->partitions);
    return status;
}

static int restore_run(struct restore *restore, struct relance_error *error)
{
    bool dry = restore->options->dry_run;
    enum relance_status status = restore_open(restore, error);
    if (status == RELANCE_OK) status = restore_look(restore, error);
    if (status == RELANCE_OK && !dry) status = restore_write(restore, error);
    if (status != RELANCE_OK) return EXIT_STATUS_USAGE;
    return restore_print(restore, dry) ? EXIT_STATUS_OK : EXIT_STATUS_FAILED;
}

int cmd_restore_offsets(const struct options *options)
{
    struct relance_error error = {0};
    stop_on_signals();
    struct restore restore = {.options = options};
    int status = restore_run(&restore, &error);
    /* before the reason is told: what the client still has to say comes first */
    kafka_offsets_close(restore.offsets);
    redis_view_close(restore.view);
    if (*error.message) print_mistake("%s", error.message);
    free(restore.partitions);
    return status;
}
