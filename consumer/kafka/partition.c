#include "kafka/partition.h"

#include "base/murmur2.h"

/* As the Java client chooses, and librdkafka's `murmur2`. */
int kafka_partition_of(struct relance_str key, int partitions)
{
    return (int)((murmur2(key) & INT32_MAX) % (uint32_t)partitions);
}
