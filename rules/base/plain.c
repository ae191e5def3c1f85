#include "base/plain.h"

bool plain_hides(uint32_t point)
{
    bool control = point < 0x20 || (point >= 0x7F && point < 0xA0),
         separator = point == 0x2028 || point == 0x2029;
    return control || separator || (point >= 0x202A && point <= 0x202E) ||
           (point >= 0x2066 && point <= 0x2069);
}

/* Are these eight bytes all of ASCII that can be seen? Their high bits answer: a byte below 0x20 gets one by
 * the difference, 0x7F by the sum. A borrow may make it say no too often, which costs time and nothing else. */
static inline bool plain_eight(const char *p)
{
    uint64_t bytes;
    memcpy(&bytes, p, sizeof bytes);
    uint64_t low = bytes - 0x2020202020202020u, high = bytes + 0x0101010101010101u;
    return ((bytes | low | high) & 0x8080808080808080u) == 0;
}

size_t plain_end(str text, size_t at)
{
    uint32_t point;
    for (size_t length; at < text.size; at += length) {
        while (text.size - at >= 8 && plain_eight(text.data + at))
            at += 8;
        length = at < text.size ? utf8_decode(text, at, &point) : 0;
        if (!length || plain_hides(point)) break;
    }
    return at;
}

str plain_escape(str text, size_t *at, char out[PLAIN_ESCAPE_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    uint32_t point;
    size_t length = utf8_decode(text, *at, &point);
    *at += length ? length : 1;
    if (!length) return (str){out, utf8_encode(0xFFFD, out)};
    out[0] = '\\', out[1] = 'u';
    for (size_t i = PLAIN_ESCAPE_SIZE; i-- > 2; point >>= 4)
        out[i] = digits[point & 15];
    return (str){out, PLAIN_ESCAPE_SIZE};
}
