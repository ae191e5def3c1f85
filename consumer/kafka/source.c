/* The consumer of one worker: its place in the group. What it reads is source_read.c's.
 *
 * Partitions are assigned by the range assignor, all at once (no cooperative protocol): what comes after a
 * rebalance is a new assignment, even of the same partitions. In the callback we only take note, and give the
 * client an empty assignment; reading begins with source_start, in the worker's own time, since a claim needs
 * Redis and Kafka and may take long.
 *
 * I3: a transaction that carries output of p also carries p's new P, under group metadata captured together
 * with the ownership of p, captured anew inside each rebalance callback, with generation >= 0 and a member
 * id; nothing is committed without. The capture is here. */
#include "kafka/source_parts.h"
#include "base/ensure.h"
#include "base/murmur2.h"
#include "kafka/trouble.h"
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { SOURCE_ASK_MS = 5000 }; /* how long a question to the broker may take */

/* ---- membership */
static void source_forget_membership(struct source *source)
{
    if (source->membership.metadata) rd_kafka_consumer_group_metadata_destroy(source->membership.metadata);
    source->membership.metadata = NULL;
}

static void source_capture_membership(struct source *source)
{
    source_forget_membership(source);
    source->membership.metadata = rd_kafka_consumer_group_metadata(source->rk);
    if (kafka_member_read(source->membership.metadata, source->member_id, NULL)) return;
    source_forget_membership(source);
}

const struct membership *source_membership(const struct source *source)
{
    bool fenced = rd_kafka_fatal_error(source->rk, NULL, 0) != RD_KAFKA_RESP_ERR_NO_ERROR;
    return source->membership.metadata && !fenced ? &source->membership : NULL;
}

/* ---- rebalance */
/* What is paused is resumed first, while it is still assigned: the client keeps a partition paused after it has been
 * taken away, and would not read it when it comes back. */
static rd_kafka_resp_err_t source_assign(struct source *source, const rd_kafka_topic_partition_list_t *list)
{
    if (!source->is_closing) source_set_paused(source, false);
    return kafka_client_assign(source->rk, list, source->is_closing);
}

static void source_open_fetch(struct source *source)
{
    static const uint64_t one = 1;
    source->fetch = kafka_fetch_open(source->rk, source->topics[SOURCE_INPUT]);
    if (source->fetch) rd_kafka_queue_io_event_enable(source->queue, source->wake, &one, sizeof one);
}

static void source_assigned(struct source *source, const rd_kafka_topic_partition_list_t *list)
{
    int32_t *partitions = calloc((size_t)list->cnt + 1, sizeof *partitions);
    rd_kafka_topic_partition_list_t *none = rd_kafka_topic_partition_list_new(0);
    ensure(partitions && none);
    for (int i = 0; i < list->cnt; i++)
        partitions[i] = list->elems[i].partition;
    source_capture_membership(source);
    source_assign(source, none);
    if (!source->fetch && !source->is_foreign) source_open_fetch(source);
    source->is_assigned = true;
    source->config.listener.assigned(source->config.listener.context, partitions, (size_t)list->cnt);
    rd_kafka_topic_partition_list_destroy(none);
    free(partitions);
}

static void source_revoke(struct source *source, bool lost)
{
    source->config.listener.revoked(source->config.listener.context, lost);
    source->is_assigned = false;
    source_forget_membership(source);
}

static void source_revoked(struct source *source)
{
    source_revoke(source, rd_kafka_assignment_lost(source->rk));
    source_assign(source, NULL);
}

static void source_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t err, rd_kafka_topic_partition_list_t *list,
                             void *opaque)
{
    struct source *source = opaque;
    source->rk = rk;
    source->epoch++;
    source_drop_held(source);
    if (source->fetch) kafka_fetch_start(source->fetch, NULL, 0);
    source->is_in_listener = true;
    if (err == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS)
        source_assigned(source, list);
    else
        source_revoked(source);
    source->is_in_listener = false;
}

/* ---- opening */
static void source_prepare(rd_kafka_conf_t *conf, void *context)
{
    rd_kafka_conf_set_opaque(conf, context);
    rd_kafka_conf_set_rebalance_cb(conf, source_rebalance);
}

static enum relance_status source_subscribe(struct source *source, struct relance_error *error)
{
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    ensure(topics);
    rd_kafka_topic_partition_list_add(topics, source->topics[SOURCE_INPUT], RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t err = rd_kafka_subscribe(source->rk, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    return err ? relance_error_set(error, RELANCE_IO, "subscribing to %s: %s", source->topics[SOURCE_INPUT],
                                   rd_kafka_err2str(err))
               : RELANCE_OK;
}

void source_close_fetch(struct source *source)
{
    if (source->fetch) rd_kafka_queue_io_event_enable(source->queue, -1, NULL, 0);
    kafka_fetch_close(source->fetch);
    source->fetch = NULL;
}

/* A client that has subscribed; after a failure source_close frees what there is. */
static enum relance_status source_connect(struct source *source, struct relance_error *error)
{
    const struct options *options = source->config.options;
    const struct option_kafka fixed[] = {
        {"group.id", options->group},
        {"group.instance.id", source->config.member},
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {"auto.offset.reset", "error"},
        {"isolation.level", "read_committed"},
        {"partition.assignment.strategy", "range"},
        {"enable.partition.eof", "true"},
    };
    enum relance_status status =
        kafka_client_open(KAFKA_CONSUMER, options, fixed, sizeof fixed / sizeof *fixed, source_prepare,
                          source, &source->rk, error);
    if (status != RELANCE_OK) return status;
    rd_kafka_poll_set_consumer(source->rk);
    source->queue = rd_kafka_queue_get_consumer(source->rk);
    if (!source->is_foreign) source_open_fetch(source);
    return source_subscribe(source, error);
}

enum relance_status source_open(const struct source_config *config, struct source **out,
                                struct relance_error *error)
{
    struct source *source = calloc(1, sizeof *source);
    ensure(source);
    source->config = *config;
    source->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    ensure(source->wake >= 0);
    snprintf(source->topics[SOURCE_INPUT], sizeof *source->topics, "%s", config->options->input);
    kafka_topic_name(config->options, OUTBOX_MARKS, source->topics[SOURCE_MARKS]);
    kafka_topic_name(config->options, OUTBOX_LINKS, source->topics[SOURCE_LINKS]);
    enum relance_status status = source_connect(source, error);
    if (status == RELANCE_OK)
        *out = source;
    else
        source_close(source);
    return status;
}

/* Being a static member, closing does not leave the group: whoever comes back under the name has its
 * partitions at once, and others have them when the session is over. */
void source_close(struct source *source)
{
    source->is_closing = true;
    source_release(source);
    source_drop_held(source);
    source_close_fetch(source);
    if (source->queue) rd_kafka_queue_destroy(source->queue);
    if (source->rk) {
        rd_kafka_consumer_close(source->rk);
        rd_kafka_destroy(source->rk);
    }
    source_forget_membership(source);
    close(source->wake);
    free(source->held);
    free(source->read_to);
    free(source);
}

/* ---- positions */
static enum relance_status source_start_client(struct source *source, const struct source_position *positions,
                                               size_t count, struct relance_error *error)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    ensure(list);
    for (size_t i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(list, source->topics[SOURCE_INPUT], positions[i].partition)
            ->offset = positions[i].offset;
    rd_kafka_resp_err_t err = source_assign(source, list);
    rd_kafka_topic_partition_list_destroy(list);
    return err ? relance_error_set(error, RELANCE_AGAIN, "starting to read %s: %s",
                                   source->topics[SOURCE_INPUT], rd_kafka_err2str(err))
               : RELANCE_OK;
}

enum relance_status source_start(struct source *source, const struct source_position *positions, size_t count,
                                 struct relance_error *error)
{
    for (size_t i = 0; i < count; i++)
        source_set_read_to(source, positions[i].partition, -1);
    if (!source->fetch) return source_start_client(source, positions, count, error);
    kafka_fetch_start(source->fetch, positions, count);
    return RELANCE_OK;
}

/* Is it another process that has our name? librdkafka 2.0.2 says so, and ends for good, also when there is none: it
 * forgets its member id when a session times out, as it does when the broker was away, and until we have let go of
 * what we have it sends heartbeats without one, which the broker takes for those of somebody else (librdkafka issue
 * 3437). The group knows. */
static enum relance_status source_check_name(struct source *source, struct relance_error *error)
{
    char id[KAFKA_MEMBER_SIZE];
    enum relance_status status =
        kafka_member_of(source->rk, source->config.options->group, source->config.member, id, error);
    if (status != RELANCE_OK || !*id || strcmp(id, source->member_id) == 0) return status;
    return relance_error_set(error, RELANCE_REPLACED,
                             "another process has started under our --instance; it has taken over");
}

/* Begins anew with another client: one that has ended for good cannot be used again. */
static enum relance_status source_join_anew(struct source *source, struct relance_error *error)
{
    source_close_fetch(source);
    rd_kafka_queue_destroy(source->queue);
    rd_kafka_destroy_flags(source->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    source->queue = NULL;
    source->rk = NULL;
    enum relance_status status = source_connect(source, error);
    return status == RELANCE_OK
               ? relance_error_set(error, RELANCE_AGAIN, "the session was over; joining the group anew")
               : status;
}

/* A client that has ended for good says so once, on the queue, and may do so behind a rebalance, where what is on
 * the queue is thrown away: so it is asked. */
enum relance_status source_check_client(struct source *source, struct relance_error *error)
{
    char reason[256];
    enum relance_status status;
    switch (rd_kafka_fatal_error(source->rk, reason, sizeof reason)) {
    case RD_KAFKA_RESP_ERR_NO_ERROR: return RELANCE_OK;
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
        source_release(source); /* messages keep their client alive */
        source_drop_held(source);
        source->is_paused = false;
        if (source->is_assigned) source_revoke(source, true); /* librdkafka does not say so any more */
        status = source_check_name(source, error);
        return status == RELANCE_OK ? source_join_anew(source, error) : status;
    default: return relance_error_set(error, RELANCE_REFUSED, "Kafka's client: %s", reason);
    }
}

/* ---- questions */
enum relance_status source_frontier(struct source *source, int32_t partition, struct source_frontier *out,
                                    struct relance_error *error)
{
    return kafka_client_frontier(source->rk, source->config.options->group, source->topics[SOURCE_INPUT],
                                 partition, out, error);
}

int source_partition_of(struct relance_str key, int partitions)
{
    return murmur2_partition(key, partitions);
}

enum relance_status source_bounds(struct source *source, enum source_topic topic, int32_t partition,
                                  int64_t *low, int64_t *high, struct relance_error *error)
{
    const char *name = source->topics[topic];
    rd_kafka_resp_err_t err = RD_KAFKA_RESP_ERR_NO_ERROR;
    if (low)
        err = kafka_conf_offset(source->rk, name, partition, RD_KAFKA_OFFSET_BEGINNING, SOURCE_ASK_MS, low);
    if (!err) err = kafka_conf_offset(source->rk, name, partition, RD_KAFKA_OFFSET_END, SOURCE_ASK_MS, high);
    if (!err) return RELANCE_OK;
    return kafka_trouble(error, RELANCE_AGAIN, err,
                         kafka_client_right(err, source->config.options->group, name),
                         "asking for the bounds of %s/%d", name, partition);
}

enum relance_status source_offset_at(struct source *source, int32_t partition, int64_t instant_ms,
                                     int64_t *offset, struct relance_error *error)
{
    rd_kafka_resp_err_t err = kafka_conf_offset(source->rk, source->topics[SOURCE_INPUT], partition,
                                                instant_ms, SOURCE_ASK_MS, offset);
    if (err)
        return kafka_trouble(
            error, RELANCE_AGAIN, err,
            kafka_client_right(err, source->config.options->group, source->topics[SOURCE_INPUT]),
            "asking for an offset of %s/%d", source->topics[SOURCE_INPUT], partition);
    return *offset >= 0 ? RELANCE_OK : source_bounds(source, SOURCE_INPUT, partition, NULL, offset, error);
}
