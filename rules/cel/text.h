/* Short texts, compared without a call: nearly all texts of events and rules are shorter than 16 bytes, and
 * then their first and last eight bytes, which may overlap, are all of them. */
#ifndef RULES_CEL_TEXT_H
#define RULES_CEL_TEXT_H

#include "base/str.h"

struct text_ends {
    uint64_t head, tail;
};

static inline uint64_t text_load(const char *at, size_t size)
{
    uint64_t value = 0;
    memcpy(&value, at, size);
    return value;
}

static inline struct text_ends text_ends(str s)
{
    if (s.size >= 8) return (struct text_ends){text_load(s.data, 8), text_load(s.data + s.size - 8, 8)};
    if (s.size >= 4) return (struct text_ends){text_load(s.data, 4), text_load(s.data + s.size - 4, 4)};
    if (s.size == 0) return (struct text_ends){0, 0};
    return (struct text_ends){(unsigned char)s.data[0], (uint64_t)(unsigned char)s.data[s.size / 2] << 8 |
                                                            (unsigned char)s.data[s.size - 1]};
}

static inline bool text_same(str a, str b)
{
    if (a.size != b.size) return false;
    if (a.data == b.data) return true;
    if (a.size > 16) return memcmp(a.data, b.data, a.size) == 0;
    struct text_ends x = text_ends(a), y = text_ends(b);
    return ((x.head ^ y.head) | (x.tail ^ y.tail)) == 0;
}

/* For tables of constants: no defence against chosen keys, which these are not. */
static inline uint32_t text_hash(struct text_ends ends, size_t size)
{
    uint64_t mixed = (ends.head ^ (ends.tail << 29 | ends.tail >> 35) ^ size) * 0x9E3779B97F4A7C15u;
    return (uint32_t)(mixed >> 32);
}

#endif
