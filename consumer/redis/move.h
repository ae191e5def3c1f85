/* Moves customers, with what they wait for, from one partition's state to another's: for `relance reshard`, while
 * no engine runs. */
#ifndef CONSUMER_REDIS_MOVE_H
#define CONSUMER_REDIS_MOVE_H

#include "base/buffer.h"
#include <stdbool.h>

struct redis_move;

struct redis_move_plan {
    const char *url, *group, *topic;
    void *context;
    /* The partition where a customer belongs that stands in `from`. */
    int (*home)(void *context, struct relance_str customer, int from);
    /* Puts the customer's state as it is to stand there into `out`; false: it is none. */
    bool (*carry)(void *context, struct relance_str state, int from, int to, struct buffer *out);
};

/* RELANCE_IO: Redis is away or refuses; RELANCE_INVALID: a state is none. */
RELANCE_MUST enum relance_status redis_move_open(const struct redis_move_plan *plan, struct redis_move **out,
                                                 struct relance_error *error);
void redis_move_close(struct redis_move *move);

/* All customers that stand in that partition and belong elsewhere. A customer is written before it is taken away:
 * whatever interrupts this, doing it again completes it. */
RELANCE_MUST enum relance_status redis_move_partition(struct redis_move *move, int partition, int64_t *moved,
                                                      int64_t *stayed, struct relance_error *error);

#endif
