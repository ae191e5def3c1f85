/* Where a customer's events live: the partition that Java's producers choose for a key (murmur2). */
#ifndef CONSUMER_KAFKA_PARTITION_H
#define CONSUMER_KAFKA_PARTITION_H

#include <relance/text.h>

int kafka_partition_of(struct relance_str key, int partitions);

#endif
