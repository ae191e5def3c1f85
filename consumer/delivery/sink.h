/* The output of one worker: transactions that carry actions, dead letters, marks, links, lines and the new
 * frontiers together, or nothing. A port: kafka/sink.c is Kafka, a simulator has its own. */
#ifndef CONSUMER_DELIVERY_SINK_H
#define CONSUMER_DELIVERY_SINK_H

#include "delivery/outbox.h"
#include "delivery/source.h"

struct sink;

struct sink_config {
    const struct options *options;
    /* also the transactional id: whoever comes after us under it ends our transactions */
    const char *member;
};

struct sink_frontier {
    int32_t partition;
    struct frontier frontier;
};

/* No older transaction under the same name can commit once this returns. RELANCE_AGAIN: the broker is silent. */
RELANCE_MUST enum relance_status sink_open(const struct sink_config *config, struct sink **out,
                                           struct relance_error *error);
void sink_close(struct sink *sink); /* what has been begun is finished */

/* RELANCE_AGAIN: aborted, or nobody knows; the sink is used up: close it, open another, claim.
 * RELANCE_REFUSED: fenced, another process has our name. */
RELANCE_MUST enum relance_status sink_commit(struct sink *sink, const struct outbox *outbox,
                                             const struct sink_frontier *frontiers, size_t count,
                                             const struct membership *membership,
                                             struct relance_error *error);

/* The same, while the caller goes on: what is given stays as it is until sink_finish, which waits for the end and says what
 * sink_commit would have; *took_us from the beginning to that end. One at a time. A membership stays as it is where whoever
 * is told that partitions are taken away finishes first. */
void sink_begin(struct sink *sink, const struct outbox *outbox, const struct sink_frontier *frontiers,
                size_t count, const struct membership *membership);
bool sink_is_done(const struct sink *sink); /* sink_finish does not wait */
RELANCE_MUST enum relance_status sink_finish(struct sink *sink, int64_t *took_us,
                                             struct relance_error *error);

#endif
