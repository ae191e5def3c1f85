/* Austin Appleby's MurmurHash2, 32 bits, little-endian words; the seed is Kafka's. */
#include "base/murmur2.h"

static const uint32_t seed = 0x9747b28cu, multiplier = 0x5bd1e995u;

static uint32_t word_at(const unsigned char *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

uint32_t murmur2(str key)
{
    const unsigned char *p = (const unsigned char *)key.data;
    size_t words = key.size / 4, rest = key.size % 4;
    uint32_t hash = seed ^ (uint32_t)key.size;
    for (size_t i = 0; i < words; i++) {
        uint32_t word = word_at(p + i * 4) * multiplier;
        hash = hash * multiplier ^ (word ^ word >> 24) * multiplier;
    }
    for (size_t i = rest; i-- > 0;)
        hash ^= (uint32_t)p[words * 4 + i] << (8 * i);
    if (rest) hash *= multiplier;
    hash = (hash ^ hash >> 13) * multiplier;
    return hash ^ hash >> 15;
}

int32_t murmur2_partition(str key, int32_t partitions)
{
    return (int32_t)((murmur2(key) & INT32_MAX) % (uint32_t)partitions);
}
