/* MurmurHash2 with Kafka's seed: the partitioner of Java's producers, which ours must agree with. */
#ifndef RULES_BASE_MURMUR2_H
#define RULES_BASE_MURMUR2_H

#include "base/str.h"

uint32_t murmur2(str key);
/* Where a key belongs, of so many partitions (> 0), as Java's client and librdkafka's `murmur2` choose. */
int32_t murmur2_partition(str key, int32_t partitions);

#endif
