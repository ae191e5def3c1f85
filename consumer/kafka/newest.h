/* The newest records of a topic, and those that come: for whoever shows some of them and need not see all. All partitions,
 * read_committed, without a group. Little is fetched ahead. */
#ifndef CONSUMER_KAFKA_NEWEST_H
#define CONSUMER_KAFKA_NEWEST_H

#include "kafka/scan.h"

struct kafka_newest;

/* Begins about `back` records before the end of each partition. RELANCE_REFUSED: a right is missing. */
RELANCE_MUST enum relance_status kafka_newest_open(const struct options *options, const char *topic, int back,
                                                   struct kafka_newest **out, struct relance_error *error);
void kafka_newest_close(struct kafka_newest *newest); /* NULL: nothing to do */

/* The next record, waiting at most `timeout_ms` for it; valid until the next call. RELANCE_AGAIN: none came. `end` of the
 * record means nothing. */
RELANCE_MUST enum relance_status kafka_newest_next(struct kafka_newest *newest, int timeout_ms,
                                                   struct kafka_scan_record *record,
                                                   struct relance_error *error);
/* Passes over all but the newest `back` of each partition. */
RELANCE_MUST enum relance_status kafka_newest_skip(struct kafka_newest *newest, int back,
                                                   struct relance_error *error);

#endif
