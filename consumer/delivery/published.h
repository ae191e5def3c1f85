/* What the output topic holds of one partition's actions, for a recovery that is not exact (recover.c): their
 * ids, the last number, how far they go. */
#ifndef CONSUMER_DELIVERY_SAID_H
#define CONSUMER_DELIVERY_SAID_H

#include "host/option.h"

enum { PUBLISHED_ID_SIZE = 16 };

struct published {
    unsigned char (*ids)[PUBLISHED_ID_SIZE]; /* of the actions asked for; sorted by published_sort */
    size_t count, capacity;
    uint64_t last_seq;     /* of all actions, also of those that were not asked for */
    int64_t offset;        /* all records that the actions follow from lie below it; -1: not known */
    int64_t newest_due_ms; /* the latest due time of the actions asked for; INT64_MIN: none */
};

/* An action as its headers tell of it. */
struct published_action {
    struct relance_str id; /* 32 hex digits; an action with another id is left out */
    uint64_t seq;
    int64_t offset; /* relance-offset; -1: it has none */
    int64_t due_ms;
};

void published_init(struct published *published);
void published_free(struct published *published);
/* Only the ids of actions numbered above `after` are kept. */
void published_add(struct published *published, const struct published_action *action, uint64_t after);
void published_sort(struct published *published); /* before published_has, when all have been added */
bool published_has(const struct published *published, struct relance_str id);

/* Reads the output topic: a port, as marks.h is. RELANCE_AGAIN: the broker is silent. */
RELANCE_MUST enum relance_status published_read(const struct options *options, int32_t partition,
                                                uint64_t after, struct published *published,
                                                struct relance_error *error);

#endif
