/* All partitions of the input, read from given offsets on, as a learner counts them: a port. Without a group, since a
 * learner is one process, and where it goes on stands in its state. */
#ifndef CONSUMER_LEARN_STREAM_H
#define CONSUMER_LEARN_STREAM_H

#include "host/option.h"
#include <relance/engine.h>

struct stream;

enum { STREAM_BATCH_MAX = 8192, STREAM_HEADERS_MAX = 64 };

#define STREAM_BEGINNING (-2) /* instead of an offset: the first record that is kept */

/* How many partitions the input has. RELANCE_AGAIN: Kafka is silent; RELANCE_REFUSED: no such topic, or a right is missing. */
RELANCE_MUST enum relance_status stream_count(const struct options *options, int *partitions,
                                              struct relance_error *error);
/* Reads partition p from offsets[p] on. */
RELANCE_MUST enum relance_status stream_open(const struct options *options, const int64_t *offsets,
                                             int partitions, struct stream **out,
                                             struct relance_error *error);
void stream_close(struct stream *stream); /* NULL: nothing to do */

/* What has come, waiting so long for it: *count of them, valid until the next call. RELANCE_REFUSED: a record that is to come
 * next is no longer kept, or may not be read. */
RELANCE_MUST enum relance_status stream_next(struct stream *stream, int wait_ms,
                                             const struct relance_record **records, size_t *count,
                                             struct relance_error *error);
/* Headers of one of those that stream_next gave, by its place; they are valid as long as it is. */
size_t stream_headers(const struct stream *stream, size_t at, struct relance_header out[STREAM_HEADERS_MAX]);
/* Where the end of the partition was met last: all records below have been given; -1: not yet. */
int64_t stream_read_to(const struct stream *stream, int partition);

#endif
