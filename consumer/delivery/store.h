/* The store of one partition: where its checkpoints are (STATE.md). A port: redis/store.c is Redis, a
 * simulator has its own.
 *
 * A store has one owner, told by the stamp in its meta: store_claim writes a new one, and from then on
 * nothing read or written counts unless the stamp is the one that this owner wrote last. Every answer is one of
 *
 *     RELANCE_OK
 *     RELANCE_AGAIN     not done, nothing has changed: the store is down or full; try later
 *     RELANCE_REFUSED   somebody else has claimed it, or what is there is not what was: claim again
 *     RELANCE_IO        of store_commit: the answer was lost, store_settle tells; of that: not yet
 *     RELANCE_INVALID   what is there is not ours, or the store refused a part of a checkpoint: stop */
#ifndef CONSUMER_DELIVERY_STORE_H
#define CONSUMER_DELIVERY_STORE_H

#include "delivery/meta.h"
#include <relance/engine.h>

struct store;

struct store_place {
    const char *url, *group, *topic;
    int32_t partition;
};

struct store *store_open(const struct store_place *place); /* connects when it is needed */
void store_close(struct store *store);

/* Makes the store ours under `stamp`; meta as it was left. */
RELANCE_MUST enum relance_status store_claim(struct store *store, const char stamp[STAMP_SIZE],
                                             struct meta *meta, struct relance_error *error);
/* Is it ours still, and as the claim has found it? Over a new connection, to whichever server is the one to ask by now, and by a
 * write: a server that is another's replica by now goes on showing what was, and refuses that (RELANCE_AGAIN). */
RELANCE_MUST enum relance_status store_confirm(struct store *store, struct relance_error *error);
/* The stamp that this owner has written last. */
const char *store_stamp(const struct store *store);
/* The claim found the result of a checkpoint done in part: nothing in it can be relied on. */
bool store_is_part(const struct store *store);
/* Leaves nothing but the stamp: no states, no counters, no sums, no checkpoint. */
RELANCE_MUST enum relance_status store_empty(struct store *store, struct relance_error *error);
RELANCE_MUST enum relance_status store_customer_count(struct store *store, int64_t *count,
                                                      struct relance_error *error);

/* Waiting customers, each with a time not after the one it waits for: in the order of these times the first of those from
 * `from_ms` on. All before *to_ms, which is later, are among them; RELANCE_NEVER: all that there are. */
typedef void store_due_visit(void *context, struct relance_str customer, int64_t due_ms);
RELANCE_MUST enum relance_status store_read_dues(struct store *store, int64_t from_ms, int64_t *to_ms,
                                                 store_due_visit *visit, void *context,
                                                 struct relance_error *error);
/* The states of the first of these customers, in their order; an empty text where there is none. *count are wanted, and
 * as many of them as one question took have been visited where this returns RELANCE_OK. */
typedef void store_state_visit(void *context, struct relance_str customer, struct relance_str state);
RELANCE_MUST enum relance_status store_read_states(struct store *store, const struct relance_str *customers,
                                                   size_t *count, store_state_visit *visit, void *context,
                                                   struct relance_error *error);

/* A checkpoint: begun, filled, committed whole or not at all. */
void store_begin(struct store *store);
void store_put_change(struct store *store, const struct relance_change *change);
/* A counter, in the totals and in those of its minute ("2026-03-02T10:00"). */
void store_put_count(struct store *store, struct relance_str name, int64_t number, const char *minute);
void store_put_sum(struct store *store, struct relance_str name, double number, const char *minute);
/* A sum over all customers; additions of a table and day come together. */
void store_put_addition(struct store *store, const struct relance_addition *addition);
RELANCE_MUST enum relance_status store_commit(struct store *store, const struct meta *meta,
                                              struct relance_error *error);
/* After an answer was lost: OK, it had been applied; AGAIN, it had not; IO, not known yet. */
RELANCE_MUST enum relance_status store_settle(struct store *store, struct relance_error *error);

/* Between two checkpoints, when little happens: gives back what a large one has taken. False: there is none of that. */
bool store_rest(struct store *store);

/* What the engine asks of the servers that have the partitions from 0 on, before anything is started; a warning for what
 * it merely wishes. The partition of `place` means nothing. */
RELANCE_MUST enum relance_status store_check_server(const struct store_place *place, int partitions,
                                                    struct relance_error *error);

/* Just the form of the URL. */
RELANCE_MUST enum relance_status store_check_url(const char *url, struct relance_error *error);

#endif
