/* The links topic, read on: what other partitions have told ours (DELIVERY.md §3.7). A port, as source.h is: one reader
 * a worker, which keeps what has come of a partition until it is taken.
 *
 * Committed records alone are handed out, in order, each once from the offset that was asked for. */
#ifndef CONSUMER_DELIVERY_LINKS_H
#define CONSUMER_DELIVERY_LINKS_H

#include "host/option.h"
#include <relance/engine.h>

struct links;

struct links_record {
    struct relance_str key, value;
    int64_t offset;
};

RELANCE_MUST enum relance_status links_open(const struct options *options, struct links **out,
                                            struct relance_error *error);
void links_close(struct links *links);

/* From here on the partition is read from that offset. RELANCE_AGAIN: not now. */
RELANCE_MUST enum relance_status links_start(struct links *links, int32_t partition, int64_t offset,
                                             struct relance_error *error);
/* The partition is not read any more; one that is not is let through. */
void links_stop(struct links *links, int32_t partition);

/* Looks what has come of a partition, waiting for nothing: the offset below which all records have come that will ever
 * stand there, where some of them wait to be taken; else RELANCE_NEVER. RELANCE_REFUSED: what comes next is no longer kept,
 * or may not be read. */
RELANCE_MUST enum relance_status links_look(struct links *links, int32_t partition, int64_t *to,
                                            struct relance_error *error);

/* Takes the next record of those below `before`, waiting for it; it is valid until the next call. record->offset is -1
 * where there is none left. RELANCE_AGAIN: it has not come in time; RELANCE_REFUSED as above. */
RELANCE_MUST enum relance_status links_take(struct links *links, int32_t partition, int64_t before,
                                            struct links_record *record, struct relance_error *error);
/* Shows the keys of those below `before` that have come and wait to be taken, in order: valid until they are. */
typedef void links_key(void *context, struct relance_str key);
void links_waiting(const struct links *links, int32_t partition, int64_t before, links_key *show,
                   void *context);
/* All records below this offset that will ever stand there have been taken; -1: some wait to be. */
int64_t links_read_to(const struct links *links, int32_t partition);

#endif
