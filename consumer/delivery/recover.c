/* Recovering what cannot be made again exactly (DELIVERY.md §5).
 *
 * An exact recovery decides everything again from the checkpoint to P and compares: nothing is published
 * that has been, nothing is left out. Where a part of what it needs is gone for ever (records, marks, the checkpoint,
 * the engine that decided), it stops and says what is missing; an option of the operator's accepts the loss:
 *
 *     --rebuild       Redis holds no checkpoint that fits: all records that are left are decided again. While all
 *                     records and marks are there, and this engine decided them, that is exact.
 *     --accept-loss   records or marks that are needed are gone, or the topic is another one: goes on without
 *     --approximate   another engine, other time zones or other options decided: decides again by its own lights
 *
 * Each acts only where it is needed, so that a supervisor may start the engine with it any number of times.
 *
 * A recovery that is not exact stays silent below P and, where records or marks are gone, for all that was due by
 * what was published last. Steps to come that have been published are noted in their runs (relance_engine_recall). Numbers
 * and chain go on from P, unchecked. It leaves a mark, so that nobody tries to catch up across it from an older checkpoint. */
#include "host/log.h"
#include "delivery/marks.h"
#include "delivery/partition.h"
#include "base/str.h"
#include "delivery/wall.h"
#include <inttypes.h>
#include <stdarg.h>

enum { RECOVER_SENTENCE_SIZE = 400 };

static enum relance_status recover_refuse(const struct partition *partition, const char *sentence,
                                          const char *cure, struct relance_error *error)
{
    return relance_error_set(error, RELANCE_REFUSED, "%s, partition %d: %s%s%s",
                             partition->place->options->input, partition->number, sentence, *cure ? ". " : "",
                             cure);
}

enum relance_status partition_refuse(const struct partition *partition, struct relance_error *error,
                                     const char *format, ...)
{
    char sentence[RECOVER_SENTENCE_SIZE];
    va_list list;
    va_start(list, format);
    vsnprintf(sentence, sizeof sentence, format, list);
    va_end(list);
    return recover_refuse(partition, sentence, "", error);
}

enum relance_status partition_lacks(struct partition *partition, bool accepted, const char *cure,
                                    struct relance_error *error, const char *format, ...)
{
    char sentence[RECOVER_SENTENCE_SIZE];
    va_list list;
    va_start(list, format);
    vsnprintf(sentence, sizeof sentence, format, list);
    va_end(list);
    if (!accepted) return recover_refuse(partition, sentence, cure, error);
    log_line(LOG_WARNING, "The recovery of a partition is not exact.", "partition=%d why=\"%s\"",
             partition->number, sentence);
    partition->recovery.is_approximate = true;
    return RELANCE_OK;
}

/* ---- where it begins */
enum relance_status partition_rebuild(struct partition *partition, struct relance_error *error)
{
    log_line(LOG_WARNING, "Deciding everything again: Redis has no checkpoint that fits.",
             "partition=%d why=\"%s\"", partition->number, error->message);
    partition->recovery.is_rebuild = true;
    meta_clear(&partition->meta);
    return store_empty(partition->store, error);
}

enum relance_status partition_read_kept_marks(struct partition *partition, struct relance_error *error)
{
    mark_list_drop(&partition->ahead, partition->ahead.count);
    partition->recovery.has_gaps = true;
    enum relance_status status =
        marks_read_kept(partition->place->options, partition->number, &partition->ahead, error);
    size_t old = 0;
    while (old < partition->ahead.count && partition->ahead.items[old].n <= partition->decided.marks)
        old++;
    if (old) mark_list_drop(&partition->ahead, old);
    return status;
}

/* The number of the last mark there is; the marks themselves speak of offsets of the topic that was. */
static enum relance_status recover_last_mark(struct partition *partition, uint64_t *last,
                                             struct relance_error *error)
{
    *last = partition->decided.marks = (uint64_t)partition->meta.marks;
    enum relance_status status = partition_read_kept_marks(partition, error);
    if (partition->ahead.count) *last = partition->ahead.items[partition->ahead.count - 1].n;
    mark_list_drop(&partition->ahead, partition->ahead.count);
    return status;
}

enum relance_status partition_begin_anew(struct partition *partition, int64_t start,
                                         struct source_frontier *p, struct relance_error *error)
{
    struct meta *meta = &partition->meta;
    /* Claimed again before a checkpoint: what has come since the first time is not to be left out, too. */
    if (partition->anew_from < 0) partition->anew_from = start;
    start = partition->anew_from;
    *p = (struct source_frontier){.frontier.position.offset = start};
    snprintf(p->frontier.store, sizeof p->frontier.store, "%.*s", STR_ARG(buffer_str(&meta->store)));
    p->frontier.position.seq = (uint64_t)meta->seq;
    p->frontier.position.chain = meta->chain;
    enum relance_status status = recover_last_mark(partition, &p->frontier.position.marks, error);
    meta->offset = start;
    meta->marks = (int64_t)p->frontier.position.marks;
    meta->last_offset = -1;
    return status;
}

enum relance_status partition_read_published(struct partition *partition, struct relance_error *error)
{
    published_free(&partition->recovery.published);
    uint64_t after = (uint64_t)partition->meta.seq;
    return published_read(partition->place->options, partition->number, after, &partition->recovery.published,
                          error);
}

/* ---- where it ends */
static bool recover_was_published(void *context, struct relance_str id)
{
    return published_has(context, id);
}

/* Ticks and records that are gone have dealt with whatever was due before then: clock or tick were at least so far as
 * the newest that was published was due, less the lateness (what an event causes at once may be that much ahead). Of what
 * was due at that very instant a tick may have ended a part.
 * Some of what this keeps quiet may never have been published; where all records and marks are there, it is not needed. */
static enum relance_status recover_settle(struct partition *partition, struct relance_error *error)
{
    int64_t newest_ms = partition->recovery.published.newest_due_ms;
    enum relance_status status = RELANCE_OK;
    if (newest_ms == INT64_MIN) return RELANCE_OK;
    if (partition->recovery.has_gaps)
        status = partition_apply_tick(partition, newest_ms - partition->place->options->lateness, 0, error);
    if (status == RELANCE_OK) status = partition_know_waits(partition, newest_ms + 1, error);
    if (status == RELANCE_OK) status = partition_fetch_due(partition, newest_ms + 1, SIZE_MAX, error);
    if (status != RELANCE_OK) return status;
    if (relance_engine_recall(partition->engine, recover_was_published, &partition->recovery.published) !=
        RELANCE_OK)
        return relance_error_set(error, RELANCE_NO_MEMORY, "no memory for what has been published");
    return RELANCE_OK;
}

static void recover_leave_mark(struct partition *partition)
{
    const struct mark mark = {.n = ++partition->decided.marks,
                              .at = partition->decided.offset,
                              .wall = RELANCE_NEVER,
                              .tick = RELANCE_NEVER,
                              .links = RELANCE_NEVER,
                              .is_approximate = true};
    partition_put_mark(partition, &mark);
}

enum relance_status partition_arrive_approximately(struct partition *partition, struct relance_error *error)
{
    enum relance_status status = recover_settle(partition, error);
    if (status != RELANCE_OK) return status;
    const struct published *published = &partition->recovery.published;
    const struct position *p = &partition->published.position;
    partition->decided.seq = published->last_seq > p->seq ? published->last_seq : p->seq;
    partition->decided.chain = p->chain;
    partition->decided.marks = p->marks;
    recover_leave_mark(partition);
    log_line(LOG_WARNING, "Recovered, but not exactly.",
             "partition=%d offset=%" PRId64 " actions=%" PRIu64 " published_since=%zu", partition->number,
             partition->decided.offset, partition->decided.seq, published->count);
    partition->recovery.is_approximate = partition->recovery.is_rebuild = false;
    published_free(&partition->recovery.published);
    return RELANCE_OK;
}
