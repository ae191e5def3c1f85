#include "kafka/number.h"

enum { VARINT_BITS = 7, VARINT_MORE = 0x80, VARINT_LAST_SHIFT = 63 };

char *kafka_set_unsigned(char *at, uint64_t number)
{
    for (; number >= VARINT_MORE; number >>= VARINT_BITS)
        *at++ = (char)(number | VARINT_MORE);
    *at++ = (char)number;
    return at;
}

bool kafka_take_long_varint(const unsigned char **at, const unsigned char *bound, int64_t *number)
{
    uint64_t read = 0;
    for (unsigned shift = 0; *at < bound && shift <= VARINT_LAST_SHIFT; shift += VARINT_BITS) {
        unsigned byte = *(*at)++;
        if (shift == VARINT_LAST_SHIFT && byte > 1) return false;
        read |= (uint64_t)(byte & 0x7f) << shift;
        if (byte & VARINT_MORE) continue;
        *number = (int64_t)(read >> 1) ^ -(int64_t)(read & 1);
        return true;
    }
    return false;
}
