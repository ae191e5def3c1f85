/* Events into a topic, keyed by customer, as a shop's own producer would: Java's murmur2 partitioner, all
 * acknowledged, in order. */
#ifndef CONSUMER_KAFKA_FEED_H
#define CONSUMER_KAFKA_FEED_H

#include "host/option.h"

struct kafka_feed;

/* `settings`: librdkafka's, bootstrap.servers among them. NULL: error says why. */
struct kafka_feed *kafka_feed_open(const struct option_kafka *settings, size_t count, const char *topic,
                                   struct relance_error *error);
/* Hands one event over; blocks while the queue is full. An event that could not be delivered is an error of
 * a later call. */
RELANCE_MUST enum relance_status kafka_feed_put(struct kafka_feed *feed, struct relance_str key,
                                                struct relance_str value, int64_t timestamp_ms,
                                                struct relance_error *error);
/* The same of a record with headers. */
RELANCE_MUST enum relance_status kafka_feed_put_record(struct kafka_feed *feed, struct relance_str key,
                                                       struct relance_str value,
                                                       const struct relance_header *headers, size_t count,
                                                       int64_t timestamp_ms, struct relance_error *error);
/* One with the header that says that it is native, to a partition of the caller's choice. */
RELANCE_MUST enum relance_status kafka_feed_put_native(struct kafka_feed *feed, int32_t partition,
                                                       struct relance_str key, struct relance_str value,
                                                       int64_t timestamp_ms, struct relance_error *error);
/* The offset of the last event that was acknowledged; -1: none was. */
int64_t kafka_feed_offset(const struct kafka_feed *feed);
/* Waits until all of them are acknowledged, at most `timeout_ms`. */
RELANCE_MUST enum relance_status kafka_feed_flush(struct kafka_feed *feed, int timeout_ms,
                                                  struct relance_error *error);
void kafka_feed_close(struct kafka_feed *feed); /* what is not acknowledged is given up */

#endif
