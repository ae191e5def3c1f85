#include "delivery/partitioner.h"
#include "base/murmur2.h"
#include <math.h>

static int32_t partitioner_positive(uint32_t hash, int32_t partitions)
{
    return (int32_t)(hash & INT32_MAX) % partitions;
}

/* Go's remainder has the sign of the hash, which is then dropped. */
static int32_t partitioner_signed(uint32_t hash, int32_t partitions)
{
    int32_t rest = (int32_t)hash % partitions;
    return rest < 0 ? -rest : rest;
}

/* ---- librdkafka: `consistent` and `consistent_random` */
static uint32_t partitioner_crc(struct relance_str key)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < key.size; i++) {
        crc ^= (unsigned char)key.data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

static int32_t partitioner_crc32(struct relance_str key, int32_t partitions)
{
    return (int32_t)(partitioner_crc(key) % (uint32_t)partitions);
}

/* ---- Go */
static uint32_t partitioner_fnv(struct relance_str key)
{
    uint32_t hash = 0x811c9dc5u;
    for (size_t i = 0; i < key.size; i++)
        hash = (hash ^ (unsigned char)key.data[i]) * 0x01000193u;
    return hash;
}

static int32_t partitioner_fnv1a(struct relance_str key, int32_t partitions)
{
    return partitioner_signed(partitioner_fnv(key), partitions);
}

static int32_t partitioner_fnv1a_reference(struct relance_str key, int32_t partitions)
{
    return partitioner_positive(partitioner_fnv(key), partitions);
}

/* ---- KafkaJS 1.x, and LegacyPartitioner of 2.x: murmur2 in JavaScript's numbers, which are doubles: a product loses its low
 * bits before it becomes 32 bits again, and a rest of fewer than four bytes counts as one more word. */
static int32_t partitioner_to_int32(double number)
{
    return (int32_t)(uint32_t)(int64_t)fmod(number, 4294967296.0);
}

static uint32_t partitioner_to_uint32(double number)
{
    return (uint32_t)partitioner_to_int32(number);
}

static uint32_t partitioner_byte(struct relance_str key, size_t at)
{
    return at < key.size ? (unsigned char)key.data[at] : 0;
}

static int32_t partitioner_word(struct relance_str key, size_t at)
{
    return (int32_t)(partitioner_byte(key, at) | partitioner_byte(key, at + 1) << 8 |
                     partitioner_byte(key, at + 2) << 16 | partitioner_byte(key, at + 3) << 24);
}

static double partitioner_shifted(double number, int bits)
{
    return partitioner_to_int32(number) ^ (int32_t)(partitioner_to_uint32(number) >> bits);
}

static int32_t partitioner_kafkajs_legacy(struct relance_str key, int32_t partitions)
{
    static const double multiplier = 0x5bd1e995;
    double hash = (int32_t)(0x9747b28cu ^ (uint32_t)key.size);
    for (size_t at = 0; at < key.size; at += 4) {
        double word = partitioner_shifted(partitioner_word(key, at) * multiplier, 24) * multiplier;
        hash = partitioner_to_int32(hash * multiplier) ^ partitioner_to_int32(word);
    }
    size_t rest = key.size % 4;
    if (rest) hash = (partitioner_to_int32(hash) ^ partitioner_word(key, key.size - rest)) * multiplier;
    hash = partitioner_shifted(partitioner_shifted(hash, 13) * multiplier, 15);
    return partitioner_positive(partitioner_to_uint32(hash), partitions);
}

/* ---- those that forget the mask */
static int32_t partitioner_unmasked(struct relance_str key, int32_t partitions)
{
    return (int32_t)(murmur2(key) % (uint32_t)partitions);
}

/* ---- the table */
int32_t partitioner_choose(enum partitioner partitioner, struct relance_str key, int32_t partitions)
{
    static int32_t (*const choose[])(struct relance_str key, int32_t partitions) = {
#define PARTITIONER(name, client, cure) partitioner_##name,
#include "delivery/partitioner.def"
    };
    return choose[partitioner](key, partitions);
}

const char *partitioner_client(enum partitioner partitioner)
{
    static const char *const clients[] = {
#define PARTITIONER(name, client, cure) client,
#include "delivery/partitioner.def"
    };
    return clients[partitioner];
}

const char *partitioner_cure(enum partitioner partitioner)
{
    static const char *const cures[] = {
#define PARTITIONER(name, client, cure) cure,
#include "delivery/partitioner.def"
    };
    return cures[partitioner];
}
