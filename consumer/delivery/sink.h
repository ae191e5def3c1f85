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
void sink_close(struct sink *sink);

/* RELANCE_AGAIN: aborted, or nobody knows; the sink is used up: close it, open another, claim.
 * RELANCE_REFUSED: fenced, another process has our name. */
RELANCE_MUST enum relance_status sink_commit(struct sink *sink, const struct outbox *outbox,
                                             const struct sink_frontier *frontiers, size_t count,
                                             const struct membership *membership,
                                             struct relance_error *error);

#endif
