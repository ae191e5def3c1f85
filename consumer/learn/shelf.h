/* Where versions of models are written: a port. One producer has the transactional id GROUP/learn; whoever opens the shelf
 * fences the one before, and what that had begun is aborted. */
#ifndef CONSUMER_LEARN_SHELF_H
#define CONSUMER_LEARN_SHELF_H

#include "delivery/parcel.h"
#include "host/option.h"

struct shelf;

/* The topic must be there, with one partition; with --create-topics one that is missing is made. RELANCE_AGAIN: Kafka is
 * silent; RELANCE_INVALID: no such topic, or another form of it; RELANCE_REFUSED: a right is missing. */
RELANCE_MUST enum relance_status shelf_open(const struct options *options, struct shelf **out,
                                            struct relance_error *error);
void shelf_close(struct shelf *shelf); /* NULL: nothing to do */

/* One transaction: what is put stands or falls together. RELANCE_REPLACED: another learner has fenced us. After any other
 * failure nothing is known of it, and another shelf is to be opened. */
RELANCE_MUST enum relance_status shelf_begin(struct shelf *shelf, struct relance_error *error);
RELANCE_MUST enum relance_status shelf_put(struct shelf *shelf, const struct parcel_head *head,
                                           struct relance_str bytes, struct relance_error *error);
RELANCE_MUST enum relance_status shelf_commit(struct shelf *shelf, struct relance_error *error);

#endif
