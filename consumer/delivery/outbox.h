/* What a cycle wants to publish, before a transaction does: records for the output topics, in the order in
 * which they were decided (I5). Bytes in one buffer; emptied after each transaction, its room kept. */
#ifndef CONSUMER_DELIVERY_OUTBOX_H
#define CONSUMER_DELIVERY_OUTBOX_H

#include "base/buffer.h"
#include <stdbool.h>

enum outbox_topic {
    OUTBOX_ACTIONS,
    OUTBOX_DEAD,
    OUTBOX_MARKS,
    OUTBOX_LINKS,
    OUTBOX_DECISIONS, /* where --decisions asks for it */
    OUTBOX_TOPICS,
};

enum { OUTBOX_HEADERS_MAX = 11 };

struct outbox_header {
    const char *name; /* a constant */
    struct relance_str value;
};

/* A record as it is read back. */
struct outbox_record {
    enum outbox_topic topic;
    int32_t partition; /* -1: by the key */
    struct relance_str key, value;
    struct outbox_header headers[OUTBOX_HEADERS_MAX];
    size_t header_count;
};

struct outbox {
    struct buffer bytes;
    size_t count;
};

void outbox_put(struct outbox *outbox, const struct outbox_record *record);
/* Reads the record at *at and moves it behind; false at the end. Texts are borrowed from the outbox. */
bool outbox_next(const struct outbox *outbox, size_t *at, struct outbox_record *record);
void outbox_clear(struct outbox *outbox);
void outbox_free(struct outbox *outbox);

#endif
