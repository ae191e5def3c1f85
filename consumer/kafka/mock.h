/* A Kafka for the demonstration: librdkafka's mock cluster, inside this process, on a port of the loopback
 * interface. Enough for producers, consumers, groups and transactions; it keeps nothing, and what it holds
 * per partition is bounded at some megabytes. No proof of anything, but no server to install either. */
#ifndef CONSUMER_KAFKA_MOCK_H
#define CONSUMER_KAFKA_MOCK_H

#include <relance/text.h>

struct kafka_mock;

struct kafka_mock *kafka_mock_start(struct relance_error *error); /* NULL: error says why */
const char *kafka_mock_servers(const struct kafka_mock *mock);    /* for bootstrap.servers */
RELANCE_MUST enum relance_status kafka_mock_create_topic(struct kafka_mock *mock, const char *name,
                                                         int partitions, struct relance_error *error);
void kafka_mock_stop(struct kafka_mock *mock);

#endif
