/* Numbers as Kafka's protocol and its records have them: the highest byte first, or as many as it takes ("varint", zigzag). For this room
 * only. Source: kafka.apache.org/protocol, "Protocol Primitive Types". */
#ifndef CONSUMER_KAFKA_NUMBER_H
#define CONSUMER_KAFKA_NUMBER_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline int16_t kafka_get_int16(const unsigned char *at)
{
    uint16_t number;
    memcpy(&number, at, sizeof number);
    return (int16_t)be16toh(number);
}

static inline int32_t kafka_get_int32(const unsigned char *at)
{
    uint32_t number;
    memcpy(&number, at, sizeof number);
    return (int32_t)be32toh(number);
}

static inline int64_t kafka_get_int64(const unsigned char *at)
{
    uint64_t number;
    memcpy(&number, at, sizeof number);
    return (int64_t)be64toh(number);
}

/* The lowest `size` bytes of a number. */
static inline void kafka_set(char *at, uint64_t number, size_t size)
{
    uint64_t bytes = htobe64(number);
    memcpy(at, (const char *)&bytes + sizeof bytes - size, size);
}

/* Seven bits a byte, the lowest first; of ten bytes at most, and the end is given. Of a varint it is twice the number, where that is not
 * negative (zigzag). */
enum { KAFKA_UNSIGNED_MAX = 10 };
char *kafka_set_unsigned(char *at, uint64_t number);

/* A varint of more than one byte. */
bool kafka_take_long_varint(const unsigned char **at, const unsigned char *bound, int64_t *number);

/* Moves `at` behind it; false: it does not end, or is of more than 64 bits. */
static inline bool kafka_take_varint(const unsigned char **at, const unsigned char *bound, int64_t *number)
{
    if (*at < bound && !(**at & 0x80)) {
        unsigned byte = *(*at)++;
        *number = (int64_t)(byte >> 1) ^ -(int64_t)(byte & 1);
        return true;
    }
    return kafka_take_long_varint(at, bound, number);
}

#endif
