/* Claiming a partition: what Redis has, what Kafka says has been published, and whether the one can be
 * brought to the other. The order matters (delivery.md, "Life of a partition"):
 *
 *   1. a new stamp in Redis: nobody else's checkpoint can be applied from here on
 *   2. the frontier P from Kafka, waiting for open transactions: nobody else's can commit from here on, since
 *      ours is the newest generation and init_transactions came first
 *   3. the marks that the checkpoint lacks
 *   4. an engine with the state of the checkpoint, to read on from O, silently up to P
 *
 * What does not fit together stops the process with a sentence: guessing would publish something twice or
 * never. */
#include "clock.h"
#include "ensure.h"
#include "log.h"
#include "marks.h"
#include "partition.h"
#include "text.h"
#include <inttypes.h>
#include <stdarg.h>

enum { CLAIM_RETRY_US = 300000 };

__attribute__((format(printf, 3, 4))) static enum relance_status
claim_refuse(const struct partition *partition, struct relance_error *error, const char *format, ...)
{
    char sentence[400];
    va_list list;
    va_start(list, format);
    vsnprintf(sentence, sizeof sentence, format, list);
    va_end(list);
    return relance_error_set(error, RELANCE_REFUSED, "%s, partition %d: %s", partition->place->options->input,
                             partition->number, sentence);
}

/* ---- a group that has not begun */
static enum relance_status claim_find_start(const struct partition *partition, int64_t *offset,
                                            struct relance_error *error)
{
    int64_t low, high, from = partition->place->from_ms;
    if (from == FROM_UNSAID)
        return claim_refuse(
            partition, error,
            "group %s has no offset yet; say where to begin with --from earliest, latest or a time",
            partition->place->options->group);
    enum relance_status status =
        source_bounds(partition->place->source, SOURCE_INPUT, partition->number, &low, &high, error);
    if (status != RELANCE_OK) return status;
    *offset = from == FROM_EARLIEST ? low : high;
    if (from == FROM_EARLIEST || from == FROM_LATEST) return RELANCE_OK;
    return source_offset_at(partition->place->source, partition->number, from, offset, error);
}

/* Commits the first frontier: from then on a P that is absent means that it was lost. */
static enum relance_status claim_begin(struct partition *partition, struct source_frontier *p,
                                       struct relance_error *error)
{
    const struct meta *meta = &partition->meta;
    const struct membership *membership = source_membership(partition->place->source);
    static const struct outbox nothing = {0};
    if (meta_has_checkpoint(meta))
        return claim_refuse(
            partition, error,
            "Redis has a checkpoint, but group %s has no offset: it has expired or was deleted",
            partition->place->options->group);
    if (!membership) return relance_error_set(error, RELANCE_AGAIN, "no member of the group just now");
    struct sink_frontier first = {.partition = partition->number};
    enum relance_status status = claim_find_start(partition, &first.offset, error);
    if (status != RELANCE_OK) return status;
    frontier_make_store(first.frontier.store);
    status = sink_commit(partition->place->sink, &nothing, &first, 1, membership, error);
    if (status != RELANCE_OK) partition->place->sink_spent = true;
    *p = (struct source_frontier){.offset = first.offset, .frontier = first.frontier};
    return status;
}

/* ---- do Redis and Kafka fit together? */
static enum relance_status claim_compare(const struct partition *partition, const struct source_frontier *p,
                                         struct relance_error *error)
{
    const struct meta *meta = &partition->meta;
    if (p->foreign)
        return claim_refuse(
            partition, error,
            "group %s has an offset that is not ours: another program uses this group, or it was set by hand",
            partition->place->options->group);
    if (!meta_has_checkpoint(meta) && !frontier_is_first(&p->frontier))
        return claim_refuse(partition, error,
                            "Redis has no checkpoint, though %" PRIu64
                            " actions have been published: it was emptied, or is another one",
                            p->frontier.seq);
    if (!meta_has_checkpoint(meta)) return RELANCE_OK;
    if (!text_equal(blob_text(&meta->store), text_of(p->frontier.store)))
        return claim_refuse(partition, error,
                            "the checkpoint in Redis is of another group or a copy: store %.*s, expected %s",
                            TEXT_ARG(blob_text(&meta->store)), p->frontier.store);
    if (meta->format != META_FORMAT)
        return claim_refuse(partition, error, "the checkpoint has format %" PRId64 ", this version reads %d",
                            meta->format, META_FORMAT);
    if (meta->partitions != partition->place->input_partitions)
        return claim_refuse(partition, error,
                            "the topic had %" PRId64
                            " partitions and has %d now: customers would change their partition",
                            meta->partitions, partition->place->input_partitions);
    if (meta->offset > p->offset || (uint64_t)meta->marks > p->frontier.marks)
        return claim_refuse(partition, error,
                            "the checkpoint is at offset %" PRId64 ", the group at %" PRId64
                            ": Kafka has lost commits, or offsets were set by hand",
                            meta->offset, p->offset);
    return RELANCE_OK;
}

/* ---- is what has to be read still there? */
static enum relance_status claim_check_input(struct partition *partition, struct relance_error *error)
{
    int64_t low, high;
    enum relance_status status =
        source_bounds(partition->place->source, SOURCE_INPUT, partition->number, &low, &high, error);
    if (status != RELANCE_OK) return status;
    if (low > partition->next)
        return claim_refuse(partition, error,
                            "records from offset %" PRId64 " on are needed, the oldest kept is %" PRId64,
                            partition->next, low);
    if (high < partition->next)
        return claim_refuse(partition, error,
                            "it ends at offset %" PRId64 ", records up to %" PRId64
                            " were processed: it has been truncated or made anew",
                            high, partition->next);
    partition->end = high;
    if (partition->goal < 0) partition->goal = high;
    partition->compare_last = partition->last_offset >= low && partition->last_offset < partition->next;
    partition->begin = partition->compare_last ? partition->last_offset : partition->next;
    return RELANCE_OK;
}

static enum relance_status claim_read_marks(struct partition *partition, struct relance_error *error)
{
    struct meta *meta = &partition->meta;
    int64_t low, high;
    enum relance_status status =
        source_bounds(partition->place->source, SOURCE_MARKS, partition->number, &low, &high, error);
    if (status != RELANCE_OK) return status;
    int64_t from = meta->marks_from > low ? meta->marks_from : low;
    meta->marks_from = high; /* marks that this claim makes come behind */
    if (partition->p.marks == partition->marks) return RELANCE_OK;
    return marks_read(partition->place->options, partition->number, from, partition->marks,
                      partition->p.marks, &partition->ahead, error);
}

/* ---- the engine */
static enum relance_status claim_rules(struct partition *partition, const struct relance_ruleset **rules,
                                       struct relance_error *error)
{
    const struct rulebook_set *set;
    bool saved = partition->meta.rules.size > 0;
    struct relance_str packed = saved ? blob_text(&partition->meta.rules) : text_of(partition->place->rules);
    enum relance_status status = rulebook_get(partition->place->book, packed, &set, error);
    if (status != RELANCE_OK) return status;
    *rules = set->rules;
    partition->rules = saved ? set : NULL; /* the first mark brings them */
    return RELANCE_OK;
}

static enum relance_status claim_make_engine(struct partition *partition, int64_t customers,
                                             struct relance_error *error)
{
    struct relance_engine_options options = {
        .lateness_ms = partition->place->options->lateness,
        .decide = partition_decided,
        .context = partition,
        .errors = true,
        .forget_after_ms = partition->place->options->forget_after,
        .rules_mark = partition->rules_mark,
        .since = blob_text(&partition->meta.since),
        .complete = customers == 0,
    };
    enum relance_status status = claim_rules(partition, &options.rules, error);
    if (status != RELANCE_OK) return status;
    partition->engine = relance_engine_new(&options);
    if (!partition->engine)
        return relance_error_set(error, RELANCE_NO_MEMORY, "no memory for partition %d", partition->number);
    if (meta_has_checkpoint(&partition->meta)) {
        relance_engine_set_clock(partition->engine, partition->meta.clock);
        relance_engine_set_wall(partition->engine, partition->wall);
    }
    return RELANCE_OK;
}

struct claim_dues {
    struct relance_engine *engine;
    bool failed;
};

static void claim_put_due(void *context, struct relance_str customer, int64_t due_ms)
{
    struct claim_dues *dues = context;
    if (relance_engine_put_due(dues->engine, customer, due_ms) != RELANCE_OK) dues->failed = true;
}

/* A store that is somebody else's by now is claimed again. */
static enum relance_status claim_again(enum relance_status status)
{
    return status == RELANCE_REFUSED ? RELANCE_AGAIN : status;
}

static enum relance_status claim_load(struct partition *partition, struct relance_error *error)
{
    int64_t customers;
    enum relance_status status = claim_again(store_customer_count(partition->store, &customers, error));
    if (status == RELANCE_OK) status = claim_make_engine(partition, customers, error);
    if (status != RELANCE_OK) return status;
    struct claim_dues dues = {partition->engine, false};
    status = claim_again(store_read_dues(partition->store, claim_put_due, &dues, error));
    if (dues.failed)
        return relance_error_set(error, RELANCE_NO_MEMORY, "no memory for the waits of partition %d",
                                 partition->number);
    return status;
}

/* Where the checkpoint stands; without one, where the frontier does. */
static void claim_take_position(struct partition *partition, const struct source_frontier *p)
{
    const struct meta *meta = &partition->meta;
    bool saved = meta_has_checkpoint(meta);
    partition->p_offset = p->offset;
    partition->p = p->frontier;
    partition->next = partition->saved_offset = saved ? meta->offset : p->offset;
    partition->marks = partition->saved_marks = saved ? (uint64_t)meta->marks : 0;
    partition->seq = saved ? (uint64_t)meta->seq : 0;
    partition->chain = saved ? meta->chain : 0;
    partition->wall = saved ? meta->wall : RELANCE_NEVER;
    partition->rules_mark = meta->rules_mark;
    partition->last_offset = meta->last_offset;
    partition->last_hash = meta->last_hash;
    partition->deciding.size = 0;
    blob_put_text(&partition->deciding, blob_text(&meta->options));
}

/* The states were made under other options; what is between O and P would have to be decided under them, too.
 */
static enum relance_status claim_check_options(const struct partition *partition, struct relance_error *error)
{
    bool same = !partition->deciding.size ||
                text_equal(blob_text(&partition->deciding), text_of(partition->place->deciding));
    if (same || partition->next == partition->p_offset) return RELANCE_OK;
    return claim_refuse(
        partition, error,
        "records up to offset %" PRId64 " have to be decided again as they were, with [%.*s]; now it is "
        "[%s]. Start once more as before, end it with SIGTERM, then change",
        partition->p_offset, TEXT_ARG(blob_text(&partition->deciding)), partition->place->deciding);
}

/* What does not fit is a verdict only if Redis is still as we read it: while we waited for P another may have
 * claimed the partition, written its first checkpoint and gone on. */
static enum relance_status claim_confirm(struct partition *partition, enum relance_status status,
                                         struct relance_error *error)
{
    int64_t customers;
    struct relance_error later;
    if (status != RELANCE_REFUSED || store_customer_count(partition->store, &customers, &later) == RELANCE_OK)
        return status;
    *error = later;
    return error->status = RELANCE_AGAIN;
}

static enum relance_status claim_all(struct partition *partition, struct relance_error *error)
{
    struct source_frontier p;
    char stamp[STAMP_SIZE];
    meta_make_stamp(stamp);
    enum relance_status status = claim_again(store_claim(partition->store, stamp, &partition->meta, error));
    if (status == RELANCE_OK)
        status = source_frontier(partition->place->source, partition->number, &p, error);
    if (status == RELANCE_OK && p.offset < 0) status = claim_begin(partition, &p, error);
    if (status == RELANCE_OK) status = claim_confirm(partition, claim_compare(partition, &p, error), error);
    if (status != RELANCE_OK) return status;
    claim_take_position(partition, &p);
    status = claim_check_options(partition, error);
    if (status == RELANCE_OK) status = claim_check_input(partition, error);
    if (status == RELANCE_OK) status = claim_read_marks(partition, error);
    if (status == RELANCE_OK) status = claim_load(partition, error);
    return status;
}

/* The first checkpoint, before anything is decided: a P without a checkpoint and with marks is a lost Redis.
 */
static enum relance_status claim_save_first(struct partition *partition, struct relance_error *error)
{
    enum relance_status status = partition_checkpoint(partition, error);
    if (status != RELANCE_OK || !partition->store_failing) return status;
    return relance_error_set(error, RELANCE_AGAIN, "Redis does not take the first checkpoint");
}

enum relance_status partition_claim(struct partition *partition, struct relance_error *error)
{
    partition_drop(partition);
    enum relance_status status = claim_all(partition, error);
    if (status == RELANCE_OK) {
        partition->state = PARTITION_BEHIND;
        log_line(LOG_INFO, "Claimed a partition.",
                 "partition=%d checkpoint=%" PRId64 " published=%" PRId64 " end=%" PRId64 " marks=%zu",
                 partition->number, partition->next, partition->p_offset, partition->end,
                 partition->ahead.count);
        if (partition->next >= partition->p_offset) {
            bool compare = partition->compare_last;
            partition->compare_last = false;
            status = partition_reach(partition, partition->next, error);
            partition->compare_last = compare;
        }
        if (status == RELANCE_OK && !meta_has_checkpoint(&partition->meta))
            status = claim_save_first(partition, error);
    }
    bool failed_before = partition->claim_failing;
    partition->claim_failing = status == RELANCE_AGAIN;
    if (status == RELANCE_OK) return status;
    partition_drop(partition);
    partition->retry_us = clock_monotonic_us() + CLAIM_RETRY_US;
    if (status == RELANCE_AGAIN && !failed_before)
        log_line(LOG_WARNING, "A partition cannot be claimed yet.", "partition=%d why=\"%s\"",
                 partition->number, error->message);
    return status;
}
