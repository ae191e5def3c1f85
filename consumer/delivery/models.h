/* The topic of versions, OUTPUT.models, read from an offset on: a port, as source.h is. Committed records alone are handed
 * out, in order: what stands in a transaction that is open, or was aborted, is not there (M3). */
#ifndef CONSUMER_DELIVERY_MODELS_H
#define CONSUMER_DELIVERY_MODELS_H

#include "delivery/parcel.h"
#include "host/option.h"

struct models;

#define MODELS_BEGINNING (-2) /* instead of an offset: the first record that is kept */
#define MODELS_RECENT    (-3) /* what the last days have brought */

RELANCE_MUST enum relance_status models_open(const struct options *options, int64_t from, struct models **out,
                                             struct relance_error *error);
void models_close(struct models *models); /* NULL: nothing to do */

/* Whether it is there, and may be read, for who does not wait for it to be. RELANCE_INVALID: a right is missing; RELANCE_REFUSED: it is
 * not there; RELANCE_AGAIN: Kafka is silent. */
RELANCE_MUST enum relance_status models_check(const struct options *options, struct relance_error *error);

/* The next record, waiting so long for it; valid until the next call. Its offset is -1 where none has come; *at_end: since
 * there is none. RELANCE_REFUSED: the topic, a right or the offset that was asked for is not there. */
RELANCE_MUST enum relance_status models_next(struct models *models, int wait_ms, struct parcel_record *record,
                                             bool *at_end, struct relance_error *error);

#endif
