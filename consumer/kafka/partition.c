#include "kafka/partition.h"

#include <librdkafka/rdkafka.h>

/* librdkafka's own; it looks at nothing but the key and the count. */
int kafka_partition_of(struct relance_str key, int partitions)
{
    return rd_kafka_msg_partitioner_murmur2(NULL, key.data, key.size, partitions, NULL, NULL);
}
