/* Reads a topic once, to the end that it has at the start, read_committed and without a group: nothing is
 * changed, nobody is disturbed. All of it, or a part from a time on. */
#ifndef CONSUMER_KAFKA_SCAN_H
#define CONSUMER_KAFKA_SCAN_H

#include "delivery/source.h"
#include "host/option.h"

struct kafka_scan_record {
    int32_t partition;
    int64_t offset, end; /* its own, and the one before which the scan of its partition ends */
    struct relance_str key, value;
    int64_t timestamp_ms; /* -1: none */
    const void *headers;  /* for kafka_scan_header */
};

/* Called for each record; what it points to is valid until it returns. False ends the scan. */
typedef bool kafka_scan_see(void *context, const struct kafka_scan_record *record);

/* The offset of the first record that the topic still has, by partition; before any record. */
typedef void kafka_scan_begin(void *context, int32_t partition, int64_t low);

RELANCE_MUST enum relance_status kafka_scan(const struct options *options, const char *topic,
                                            kafka_scan_begin *begin, kafka_scan_see *see, void *context,
                                            struct relance_error *error);

#define KAFKA_SCAN_ALL (-1) /* partitions */

/* The same of one partition, or of all, from the first record not older than `from_ms` on (INT64_MIN: from the beginning),
 * whose offset `begin` gets. */
RELANCE_MUST enum relance_status kafka_scan_part(const struct options *options, const char *topic,
                                                 int32_t partition, int64_t from_ms, kafka_scan_begin *begin,
                                                 kafka_scan_see *see, void *context,
                                                 struct relance_error *error);

/* A message of librdkafka as a record, which borrows from it; `end` is -1. */
struct rd_kafka_message_s;
void kafka_scan_read(struct rd_kafka_message_s *message, struct kafka_scan_record *out);

/* All headers, as source_headers gives them. */
size_t kafka_scan_headers(const struct kafka_scan_record *record,
                          struct relance_header out[SOURCE_HEADERS_MAX]);
/* The value of the last header of that name; empty where there is none. */
struct relance_str kafka_scan_header(const struct kafka_scan_record *record, const char *name);
/* The same of a header that is a number as engines write them: an offset, a partition, a sequence number. Anybody may write
 * records: what is none, or beyond 2^53, leaves *out alone. */
void kafka_scan_count(const struct kafka_scan_record *record, const char *name, int64_t *out);

#endif
