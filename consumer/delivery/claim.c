/* Claiming a partition: what Redis has, what Kafka says has been published, and whether the one can be
 * brought to the other. The order matters (DELIVERY.md §3.1):
 *
 *   1. a new stamp in Redis: nobody else's checkpoint can be applied from here on
 *   2. the frontier P from Kafka, waiting for open transactions: nobody else's can commit from here on, since
 *      ours is the newest generation and init_transactions came first
 *   3. the marks that the checkpoint lacks
 *   4. an engine with the state of the checkpoint, to read on from O, silently up to P
 *
 * Where all that shows that nobody else has been at work since we let go of the partition, the engine is still there
 * (partition_park) and goes on as it is.
 *
 * What does not fit together stops the process with a sentence: guessing would publish something twice or
 * never. */
#include "host/clock.h"
#include "base/ensure.h"
#include "host/log.h"
#include "host/stop.h"
#include "delivery/marks.h"
#include "delivery/partition.h"
#include "base/str.h"
#include "host/file.h"
#include <cjson/cJSON.h>
#include <inttypes.h>

enum { CLAIM_RETRY_US = 300000, CLAIM_ZONE_SIZE = 80 };

/* ---- a group that has not begun */
static enum relance_status claim_find_start(const struct partition *partition, int64_t *offset,
                                            struct relance_error *error)
{
    int64_t low, high, from = partition->place->from_ms;
    if (from == FROM_UNSET)
        return relance_error_set(error, RELANCE_INVALID,
                                 "%s, partition %d: group %s has no offset yet; say where to begin with "
                                 "--from earliest, latest or a time",
                                 partition->place->options->input, partition->number,
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
    const struct membership *membership = source_membership(partition->place->source);
    static const struct outbox nothing = {0};
    if (!membership) return relance_error_set(error, RELANCE_AGAIN, "no member of the group just now");
    struct sink_frontier first = {.partition = partition->number};
    enum relance_status status = claim_find_start(partition, &first.frontier.position.offset, error);
    if (status != RELANCE_OK) return status;
    frontier_make_store(first.frontier.store);
    status = sink_commit(partition->place->sink, &nothing, &first, 1, membership, error);
    if (status != RELANCE_OK) partition->place->sink_spent = true;
    *p = (struct source_frontier){.frontier = first.frontier};
    return status;
}

/* ---- does P speak of this topic? */
static const char claim_cure_offsets[] =
    "`relance restore-offsets` finds it again; if the topic has been made anew, --accept-loss with --from "
    "goes on there with the customers as they are";
static const char claim_cure_anew[] =
    "If that is meant to be, --accept-loss with --from goes on there with the customers as they are";

/* Does the checkpoint still speak of a record that the input lacks? */
static bool claim_is_of_another(const struct partition *partition)
{
    const struct meta *meta = &partition->meta;
    return meta->last_offset >= 0 && meta->last_offset == partition->lacked.offset &&
           meta->last_hash == partition->lacked.hash;
}

/* What is wrong with P, as a sentence; empty: nothing. */
static void claim_doubt(const struct partition *partition, const struct source_frontier *p, int64_t high,
                        char *out, size_t size)
{
    const char *group = partition->place->options->group;
    *out = '\0';
    if (p->frontier.position.offset < 0)
        snprintf(out, size,
                 "Redis has a checkpoint, but group %s has no offset: it has expired or was deleted", group);
    else if (p->is_foreign)
        snprintf(out, size,
                 "group %s has an offset that is not ours: another program uses this group, or it was set by "
                 "hand",
                 group);
    else if (p->frontier.position.offset > high)
        snprintf(out, size,
                 "it ends at offset %" PRId64 ", records up to %" PRId64
                 " were processed: it has been truncated or made anew",
                 high, p->frontier.position.offset);
    else if (claim_is_of_another(partition))
        snprintf(
            out, size,
            "the last record processed is not there any more, or is another one: the topic has been made "
            "anew");
}

static enum relance_status claim_settle(struct partition *partition, struct source_frontier *p,
                                        struct relance_error *error)
{
    char doubt[256];
    int64_t low, high, start;
    bool saved = meta_has_checkpoint(&partition->meta),
         lost = p->frontier.position.offset < 0 || p->is_foreign;
    if (p->frontier.position.offset < 0 && !saved) return claim_begin(partition, p, error);
    enum relance_status status =
        source_bounds(partition->place->source, SOURCE_INPUT, partition->number, &low, &high, error);
    if (status != RELANCE_OK) return status;
    claim_doubt(partition, p, high, doubt, sizeof doubt);
    if (!*doubt) return RELANCE_OK;
    bool accepted =
        saved && partition->place->options->accept_loss && partition->place->from_ms != FROM_UNSET;
    status =
        partition_lacks(partition, accepted, lost ? claim_cure_offsets : claim_cure_anew, error, "%s", doubt);
    if (status == RELANCE_OK) status = claim_find_start(partition, &start, error);
    return status == RELANCE_OK ? partition_begin_anew(partition, start, p, error) : status;
}

/* What the store has answered; one that is somebody else's by now is claimed again. */
static enum relance_status claim_heard(const struct partition *partition, enum standing_store way,
                                       enum relance_status status)
{
    standing_store(partition->standing, way, status != RELANCE_AGAIN);
    return status == RELANCE_REFUSED ? RELANCE_AGAIN : status;
}

/* ---- do Redis and Kafka fit together? */
static const char claim_cure_store[] = "--rebuild decides all records again, and publishes nothing twice";

/* Is what Redis has a checkpoint of this partition, in our form? RELANCE_REFUSED: it is not. */
static enum relance_status claim_compare_store(const struct partition *partition,
                                               const struct source_frontier *p, struct relance_error *error)
{
    const struct meta *meta = &partition->meta;
    if (store_is_part(partition->store))
        return partition_refuse(
            partition, error,
            "Redis has carried out a part of a checkpoint that it had lost. Its next start "
            "after a crash does that; BGREWRITEAOF in between prevents it. %s",
            claim_cure_store);
    if (!meta_has_checkpoint(meta) && !frontier_is_first(&p->frontier))
        return partition_refuse(partition, error,
                                "Redis has no checkpoint, though %" PRIu64
                                " actions have been published: it was emptied, or is another one. %s",
                                p->frontier.position.seq, claim_cure_store);
    if (!meta_has_checkpoint(meta)) return RELANCE_OK;
    if (!str_equal(buffer_str(&meta->store), str_of(p->frontier.store)))
        return partition_refuse(partition, error,
                                "the checkpoint in Redis is of another group or a copy: store %.*s, expected "
                                "%s. Is --redis right? %s",
                                STR_ARG(buffer_str(&meta->store)), p->frontier.store, claim_cure_store);
    if (meta->format < META_FORMAT_OLDEST || meta->format > META_FORMAT)
        return partition_refuse(partition, error,
                                "the checkpoint has format %" PRId64
                                " and is of version %.*s, this version, %s, "
                                "reads %d to %d. %s",
                                meta->format, STR_ARG(buffer_str(&meta->version)), RELANCE_VERSION,
                                META_FORMAT_OLDEST, META_FORMAT, claim_cure_store);
    return RELANCE_OK;
}

static enum relance_status claim_compare_place(const struct partition *partition,
                                               const struct source_frontier *p, struct relance_error *error)
{
    const struct meta *meta = &partition->meta;
    if (!meta_has_checkpoint(meta)) return RELANCE_OK;
    if (meta->partitions != partition->place->input_partitions)
        return partition_refuse(
            partition, error,
            "the topic had %" PRId64
            " partitions and has %d now: customers change their partition. `relance run --drain` and "
            "then `relance reshard` move them",
            meta->partitions, partition->place->input_partitions);
    const struct position saved = {.offset = meta->offset, .marks = (uint64_t)meta->marks};
    if (!position_is_within(saved, p->frontier.position)) /* I1 */
        return partition_refuse(
            partition, error,
            "the checkpoint is at offset %" PRId64 ", the group at %" PRId64
            ": Kafka has lost commits, or offsets were set by hand. `relance restore-offsets` "
            "finds the right one",
            meta->offset, p->frontier.position.offset);
    return RELANCE_OK;
}

/* What does not fit is a verdict only if Redis is still as we read it: while we waited for P another may have claimed the
 * partition, written its first checkpoint and gone on. */
static enum relance_status claim_confirm(struct partition *partition, enum relance_status status,
                                         struct relance_error *error)
{
    struct relance_error later;
    if (status != RELANCE_REFUSED || store_confirm(partition->store, &later) == RELANCE_OK) return status;
    *error = later;
    return error->status = RELANCE_AGAIN;
}

static enum relance_status claim_compare(struct partition *partition, const struct source_frontier *p,
                                         struct relance_error *error)
{
    enum relance_status status = claim_confirm(partition, claim_compare_store(partition, p, error), error);
    if (status == RELANCE_REFUSED && partition->place->options->rebuild)
        status = claim_heard(partition, STANDING_WRITES, partition_rebuild(partition, error));
    if (status == RELANCE_OK)
        status = claim_confirm(partition, claim_compare_place(partition, p, error), error);
    return status;
}

/* ---- is what has to be decided again still there, and can it be? */
static const char claim_cure_loss[] = "--accept-loss goes on without what is gone";

/* The marks between the checkpoint and P; of a partition that is rebuilt, all of them. They stand at or after `from`. */
static enum relance_status claim_read_marks(struct partition *partition, int64_t from,
                                            struct relance_error *error)
{
    const struct options *options = partition->place->options;
    int64_t low, high;
    if (partition->published.position.marks == partition->decided.marks) return RELANCE_OK;
    enum relance_status status =
        source_bounds(partition->place->source, SOURCE_MARKS, partition->number, &low, &high, error);
    if (status != RELANCE_OK) return status;
    const struct marks_wanted wanted = {.partition = partition->number,
                                        .after = partition->decided.marks,
                                        .last = partition->published.position.marks,
                                        .from = from > low ? from : low,
                                        .end = high,
                                        .is_cut = low > from};
    status = marks_read(options, &wanted, &partition->ahead, error);
    if (status != RELANCE_REFUSED) return status;
    char gone[256];
    snprintf(gone, sizeof gone, "%.*s", (int)sizeof gone - 1, error->message);
    status = partition_lacks(partition, options->accept_loss || partition->recovery.is_rebuild,
                             claim_cure_loss, error, "%s", gone);
    return status == RELANCE_OK ? partition_read_kept_marks(partition, error) : status;
}

/* Where the deciding again of everything begins: where the first mark was made, before the first record. */
static enum relance_status claim_rebuild_from(struct partition *partition, struct relance_error *error)
{
    int64_t low, high;
    enum relance_status status =
        source_bounds(partition->place->source, SOURCE_INPUT, partition->number, &low, &high, error);
    if (status != RELANCE_OK) return status;
    bool known = !partition->recovery.is_approximate && partition->ahead.count;
    if (known) partition->decided.offset = partition->ahead.items[0].at;
    if (partition->recovery.is_approximate) partition->decided.offset = low;
    partition->saved.offset = partition->decided.offset;
    return RELANCE_OK;
}

static enum relance_status claim_check_input(struct partition *partition, struct relance_error *error)
{
    int64_t low, high;
    enum relance_status status =
        source_bounds(partition->place->source, SOURCE_INPUT, partition->number, &low, &high, error);
    if (status == RELANCE_OK && low > partition->decided.offset) {
        status = partition_lacks(partition,
                                 partition->place->options->accept_loss || partition->recovery.is_rebuild,
                                 claim_cure_loss, error,
                                 "records from offset %" PRId64 " on are needed, the oldest kept is %" PRId64,
                                 partition->decided.offset, low);
        partition->decided.offset = low;
        partition->recovery.has_gaps = true;
    }
    if (status != RELANCE_OK) return status;
    partition->input_end.offset = high;
    if (partition->input_end.first < 0) partition->input_end.first = high;
    partition->last.is_expected =
        partition->last.offset >= low && partition->last.offset < partition->decided.offset;
    return RELANCE_OK;
}

/* An engine of before the zones stood in marks says the version of all of them, behind the rest. */
static bool claim_decides_alike(const struct workplace *place, struct relance_str options)
{
    static const char tzdata[] = " tzdata=";
    const char *at = memmem(options.data, options.size, tzdata, sizeof tzdata - 1);
    struct relance_str head = at ? str_slice(options, 0, (size_t)(at - options.data)) : options;
    struct relance_str version =
        at ? str_slice(options, head.size + sizeof tzdata - 1, options.size) : STR("");
    return str_equal(head, str_of(place->deciding)) &&
           (!at || str_equal(version, str_of(place->tzdata ? place->tzdata : "")));
}

/* Options under which a part of what has to be decided again was decided, and that are not ours; else empty. */
static struct relance_str claim_other_options(const struct partition *partition)
{
    const struct workplace *place = partition->place;
    struct relance_str saved = buffer_str(&partition->in_force.options);
    if (partition->decided.offset >= partition->published.position.offset) return STR("");
    if (saved.size && !claim_decides_alike(place, saved)) return saved;
    for (size_t i = 0; i < partition->ahead.count; i++) {
        const struct mark *mark = &partition->ahead.items[i];
        bool applies = mark->options && mark->at < partition->published.position.offset;
        if (applies && !claim_decides_alike(place, str_of(mark->options))) return str_of(mark->options);
    }
    return STR("");
}

/* How far the links have been taken by the last of the marks to come. */
static int64_t claim_links_end(const struct partition *partition)
{
    int64_t end = partition->links_to;
    for (size_t i = 0; i < partition->ahead.count; i++)
        if (partition->ahead.items[i].links != RELANCE_NEVER) end = partition->ahead.items[i].links;
    return end;
}

/* What is gone is passed over, by the marks to come, too. */
static void claim_pass_links(struct partition *partition, int64_t low, int64_t high)
{
    partition->links_to = low;
    for (size_t i = 0; i < partition->ahead.count; i++) {
        int64_t *links = &partition->ahead.items[i].links;
        if (*links > high || *links < low) *links = RELANCE_NEVER;
    }
}

/* The link records from the checkpoint on, those of the marks to come and those that nobody has taken. Behind the last
 * one that was taken stands the end of its transaction, which nobody misses. */
static enum relance_status claim_read_links(struct partition *partition, struct relance_error *error)
{
    const struct workplace *place = partition->place;
    int64_t low, high, end = claim_links_end(partition);
    bool accepted = place->options->accept_loss || partition->recovery.is_rebuild;
    enum relance_status status =
        source_bounds(place->source, SOURCE_LINKS, partition->number, &low, &high, error);
    if (status != RELANCE_OK) return status;
    if (low > partition->links_to + (end == partition->links_to))
        status =
            partition_lacks(partition, accepted, claim_cure_loss, error,
                            "link records from offset %" PRId64 " on are needed, the oldest kept is %" PRId64,
                            partition->links_to, low);
    else if (high < end)
        status = partition_lacks(partition, accepted, claim_cure_loss, error,
                                 "link records up to offset %" PRId64
                                 " were taken, their topic ends at %" PRId64 ": it has been made anew",
                                 end, high);
    if (status != RELANCE_OK) return status;
    if (low > partition->links_to || high < end) claim_pass_links(partition, low, high);
    return links_start(place->links, partition->number, partition->links_to, error);
}

/* A zone of which a mark says that it was used, and whose file is another one now; false: none. */
static bool claim_zone_differs(const struct mark *mark, char out[CLAIM_ZONE_SIZE])
{
    cJSON *zones = cJSON_Parse(mark->zones ? mark->zones : "{}");
    bool differs = false;
    for (const cJSON *zone = zones ? zones->child : NULL; zone && !differs; zone = zone->next) {
        char hash[32] = "";
        struct relance_str bytes;
        if (file_zone_load(NULL, str_of(zone->string), &bytes))
            snprintf(hash, sizeof hash, "%016" PRIx64, relance_zone_hash(bytes));
        differs = !cJSON_IsString(zone) || strcmp(zone->valuestring, hash) != 0;
        snprintf(out, CLAIM_ZONE_SIZE, "%s", zone->string);
    }
    cJSON_Delete(zones);
    return differs;
}

static enum relance_status claim_check_zones(struct partition *partition, bool accepted,
                                             struct relance_error *error)
{
    char zone[CLAIM_ZONE_SIZE];
    enum relance_status status = RELANCE_OK;
    for (size_t i = 0; i < partition->ahead.count; i++) {
        if (status != RELANCE_OK || partition->recovery.is_approximate) return status;
        if (claim_zone_differs(&partition->ahead.items[i], zone))
            status = partition_lacks(
                partition, accepted,
                "Start once more with the time-zone data of before, end it with SIGTERM, then change; or "
                "--approximate decides again as it is now",
                error,
                "records up to offset %" PRId64
                " have to be decided again as they were, and the time zone %s has changed since",
                partition->ahead.items[i].at, zone);
    }
    return status;
}

/* Can this engine decide again as it was decided? */
static enum relance_status claim_check_deciding(struct partition *partition, struct relance_error *error)
{
    struct relance_str other = claim_other_options(partition);
    bool accepted = partition->place->options->approximate || partition->recovery.is_rebuild;
    enum relance_status status = RELANCE_OK;
    for (size_t i = 0;
         i < partition->ahead.count && status == RELANCE_OK && !partition->recovery.is_approximate; i++)
        if (partition->ahead.items[i].is_approximate)
            status =
                partition_lacks(partition, accepted, "--approximate decides again as far as can be", error,
                                "before offset %" PRId64
                                " there was a recovery that was not exact, and the checkpoint is older",
                                partition->ahead.items[i].at);
    if (status == RELANCE_OK && !other.size) return claim_check_zones(partition, accepted, error);
    if (partition->recovery.is_approximate || status != RELANCE_OK) return status;
    return partition_lacks(
        partition, accepted,
        "Start once more as before, end it with SIGTERM, then change; or --approximate decides "
        "again as it is now",
        error,
        "records up to offset %" PRId64 " have to be decided again as they were, with [%.*s]; now it is [%s]",
        partition->published.position.offset, STR_ARG(other), partition->place->deciding);
}

/* ---- the engine */
static enum relance_status claim_rules(struct partition *partition, const struct relance_ruleset **rules,
                                       struct relance_error *error)
{
    const struct rulebook_set *set;
    bool saved = partition->meta.rules.size > 0,
         todays = partition->recovery.is_approximate && partition->recovery.is_rebuild;
    struct relance_str packed = saved ? buffer_str(&partition->meta.rules) : str_of(partition->place->rules);
    enum relance_status status = rulebook_get(partition->place->book, packed, &set, error);
    if (status != RELANCE_OK) return status;
    *rules = set->rules;
    partition->in_force.rules = saved || todays ? set : NULL; /* the first mark brings them */
    return RELANCE_OK;
}

static enum relance_status claim_make_engine(struct partition *partition, int64_t customers,
                                             struct relance_error *error)
{
    struct relance_engine_options options = {
        .lateness_ms = partition->place->options->lateness,
        .state_bytes = (size_t)partition->place->options->state_bytes,
        .decide = partition_decided,
        .say = partition_link_said,
        .add = partition_added,
        .traceparent = partition_traceparent,
        .partition = partition->number,
        .partitions = partition->place->input_partitions,
        .context = partition,
        .errors = true,
        .forget_after_ms = partition->place->options->forget_after,
        .forget_visitors_after_ms = partition->place->options->forget_visitors_after,
        .lives_here = partition_lives_here,
        .rules_mark = partition->in_force.rules_mark,
        .since = buffer_str(&partition->meta.since),
        .names = buffer_str(&partition->meta.names),
        .complete = customers == 0,
        .stop = stop_flag(),
    };
    enum relance_status status = claim_rules(partition, &options.rules, error);
    if (status != RELANCE_OK) return status;
    partition->engine = relance_engine_new(&options);
    partition->forgot = (struct relance_forgot){0};
    partition->links = (struct relance_links){0};
    if (!partition->engine)
        return relance_error_set(error, RELANCE_NO_MEMORY, "no memory for partition %d", partition->number);
    if (meta_has_checkpoint(&partition->meta)) {
        relance_engine_set_clock(partition->engine, partition->meta.clock);
        relance_engine_set_wall(partition->engine, partition->in_force.wall_ms);
    }
    partition_set_models(partition);
    return RELANCE_OK;
}

/* We had the partition a moment ago, and neither Redis nor Kafka knows of anybody else since. */
static bool claim_is_as_parked(const struct partition *partition)
{
    return *partition->parked_stamp && !partition->recovery.is_approximate &&
           str_equal(buffer_str(&partition->meta.stamp), str_of(partition->parked_stamp)) &&
           partition->decided.offset == partition->published.position.offset &&
           partition_is_as_published(partition);
}

static enum relance_status claim_load(struct partition *partition, struct relance_error *error)
{
    int64_t customers;
    if (partition->engine) return RELANCE_OK; /* as it was parked */
    enum relance_status status =
        claim_heard(partition, STANDING_READS, store_customer_count(partition->store, &customers, error));
    if (status == RELANCE_OK) status = claim_make_engine(partition, customers, error);
    if (status != RELANCE_OK) return status;
    relance_engine_know_waits(partition->engine, INT64_MIN);
    return claim_heard(partition, STANDING_READS, partition_ask_waits(partition, error));
}

/* ---- the steps of a claim */
struct claim {
    struct partition *partition;
    struct source_frontier p;
    int64_t marks_end; /* marks that P does not count stand behind it */
    struct relance_error *error;
};

/* A new stamp in Redis, then where the marks end, then P from Kafka: the order matters. Asked behind P, the end might be
 * behind a mark that another owner has made meanwhile, which our checkpoint would hide from whoever claims after us. */
static enum relance_status claim_step_ask(struct claim *claim)
{
    struct partition *partition = claim->partition;
    struct source *source = partition->place->source;
    char stamp[STAMP_SIZE];
    meta_make_stamp(stamp);
    enum relance_status status = claim_heard(
        partition, STANDING_WRITES, store_claim(partition->store, stamp, &partition->meta, claim->error));
    if (status == RELANCE_OK)
        status =
            source_bounds(source, SOURCE_MARKS, partition->number, NULL, &claim->marks_end, claim->error);
    if (status != RELANCE_OK) return status;
    return source_frontier(source, partition->number, &claim->p, claim->error);
}

/* Does P speak of this topic, or is it ours to begin? */
static enum relance_status claim_step_settle(struct claim *claim)
{
    enum relance_status status = claim_settle(claim->partition, &claim->p, claim->error);
    return claim_confirm(claim->partition, status, claim->error);
}

/* Do Redis and Kafka fit together? */
static enum relance_status claim_step_compare(struct claim *claim)
{
    return claim_compare(claim->partition, &claim->p, claim->error);
}

/* What has been decided is what the checkpoint has; without one, what the frontier says. */
static enum relance_status claim_step_take_position(struct claim *claim)
{
    struct partition *partition = claim->partition;
    const struct meta *meta = &partition->meta;
    bool saved = meta_has_checkpoint(meta);
    partition->published = claim->p.frontier;
    partition->decided = (struct position){.offset = partition->published.position.offset};
    if (saved)
        partition->decided =
            (struct position){meta->offset, (uint64_t)meta->marks, (uint64_t)meta->seq, meta->chain};
    partition->saved = partition->decided;
    partition->links_to = saved ? meta->links : 0;
    partition->in_force.wall_ms = saved ? meta->wall : RELANCE_NEVER;
    partition->in_force.rules_mark = meta->rules_mark;
    partition->last.offset = meta->last_offset;
    partition->last.hash = meta->last_hash;
    partition->in_force.options.size = 0;
    buffer_put_str(&partition->in_force.options, buffer_str(&meta->options));
    return RELANCE_OK;
}

/* The marks between checkpoint and P; and of a partition that is rebuilt, where it begins. */
static enum relance_status claim_step_read_marks(struct claim *claim)
{
    int64_t from = claim->partition->meta.marks_from;
    claim->partition->meta.marks_from = claim->marks_end; /* marks that this claim makes come behind */
    enum relance_status status = claim_read_marks(claim->partition, from, claim->error);
    if (status != RELANCE_OK || !claim->partition->recovery.is_rebuild) return status;
    return claim_rebuild_from(claim->partition, claim->error);
}

/* Is all there that has to be decided again, and can we decide it as it was decided? */
static enum relance_status claim_step_check(struct claim *claim)
{
    enum relance_status status = claim_check_input(claim->partition, claim->error);
    if (status == RELANCE_OK) status = claim_read_links(claim->partition, claim->error);
    return status == RELANCE_OK ? claim_check_deciding(claim->partition, claim->error) : status;
}

/* The versions of models that decided where it goes on, and those that decide next. */
static enum relance_status claim_step_load_models(struct claim *claim)
{
    if (claim_is_as_parked(claim->partition)) return RELANCE_OK;
    partition_drop_engine(claim->partition);
    return partition_load_models(claim->partition, claim->error);
}

/* For a recovery that is not exact: what has been published since the checkpoint. */
static enum relance_status claim_step_read_published(struct claim *claim)
{
    if (!claim->partition->recovery.is_approximate) return RELANCE_OK;
    return partition_read_published(claim->partition, claim->error);
}

static enum relance_status claim_step_load(struct claim *claim)
{
    return claim_load(claim->partition, claim->error);
}

typedef enum relance_status claim_step(struct claim *claim);
static claim_step *const claim_steps[] = {
    claim_step_ask,           claim_step_settle,         claim_step_compare,
    claim_step_take_position, claim_step_read_marks,     claim_step_check,
    claim_step_load_models,   claim_step_read_published, claim_step_load,
};

static enum relance_status claim_run(struct partition *partition, struct relance_error *error)
{
    struct claim claim = {.partition = partition, .error = error};
    enum relance_status status = RELANCE_OK;
    for (size_t i = 0; i < sizeof claim_steps / sizeof *claim_steps && status == RELANCE_OK; i++)
        status = claim_steps[i](&claim);
    return status;
}

/* The first checkpoint, before anything is decided: a P without a checkpoint and with marks is a lost Redis. */
static enum relance_status claim_save_first(struct partition *partition, struct relance_error *error)
{
    enum relance_status status = partition_checkpoint(partition, error);
    if (status != RELANCE_OK || !partition->pace.is_failing) return status;
    return relance_error_set(error, RELANCE_AGAIN, "Redis does not take the first checkpoint");
}

/* There is nothing to decide again. */
static enum relance_status claim_go_live(struct partition *partition, struct relance_error *error)
{
    bool compare = partition->last.is_expected;
    partition->last.is_expected = false;
    enum relance_status status = partition_reach(partition, partition->decided.offset, error);
    partition->last.is_expected = compare;
    bool begins = !meta_has_checkpoint(&partition->meta) && !partition_has_news(partition);
    return status == RELANCE_OK && begins ? claim_save_first(partition, error) : status;
}

enum relance_status partition_claim(struct partition *partition, struct relance_error *error)
{
    if (!*partition->parked_stamp) partition_drop(partition);
    enum relance_status status = claim_run(partition, error);
    if (status == RELANCE_OK) {
        partition->state = PARTITION_BEHIND;
        partition->input_end.begin = -1;
        log_line(LOG_INFO, "Claimed a partition.",
                 "partition=%d checkpoint=%" PRId64 " published=%" PRId64 " end=%" PRId64
                 " marks=%zu states=%s",
                 partition->number, partition->decided.offset, partition->published.position.offset,
                 partition->input_end.offset, partition->ahead.count,
                 *partition->parked_stamp ? "kept" : "loaded");
        *partition->parked_stamp = '\0';
        if (partition->decided.offset >= partition->published.position.offset)
            status = claim_go_live(partition, error);
    }
    bool failed_before = partition->pace.is_claim_failing;
    partition->pace.is_claim_failing = status == RELANCE_AGAIN;
    if (status == RELANCE_OK) return status;
    partition_drop(partition);
    partition->pace.retry_us = clock_monotonic_us() + CLAIM_RETRY_US;
    if (status != RELANCE_AGAIN) return status;
    if (!failed_before && !stop_requested())
        log_line(LOG_WARNING, "A partition cannot be claimed yet.", "partition=%d why=\"%s\"",
                 partition->number, error->message);
    workplace_tell_unsaved(partition->place, partition->pace.whole_us, error->message);
    return status;
}
