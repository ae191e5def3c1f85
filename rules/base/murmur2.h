/* MurmurHash2 with Kafka's seed: the partitioner of Java's producers, which ours must agree with.
 * The partition of a key is (hash & 0x7fffffff) % partitions. */
#ifndef RULES_BASE_MURMUR2_H
#define RULES_BASE_MURMUR2_H

#include "base/str.h"

uint32_t murmur2(str key);

#endif
