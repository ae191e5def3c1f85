#include "base/str.h"

#include <xxhash.h>

bool str_starts_with(str s, str prefix)
{
    return s.size >= prefix.size && (prefix.size == 0 || memcmp(s.data, prefix.data, prefix.size) == 0);
}

static bool str_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

str str_trim(str s)
{
    while (s.size && str_blank(s.data[0]))
        s.data++, s.size--;
    while (s.size && str_blank(s.data[s.size - 1]))
        s.size--;
    return s;
}

str str_skip_mark(str s)
{
    return str_starts_with(s, STR("\xEF\xBB\xBF")) ? str_slice(s, 3, s.size) : s;
}

bool str_is_identifier(str s)
{
    for (size_t i = 0; i < s.size; i++) {
        char ch = s.data[i];
        bool letter = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '_';
        if (!letter && !(i > 0 && ch >= '0' && ch <= '9')) return false;
    }
    return s.size > 0;
}

uint64_t str_hash(str s)
{
    return XXH3_64bits(s.data, s.size);
}

/* RFC 3629 §4, as a table: the first byte says how many follow and what the second may be. */
size_t utf8_length(str s, size_t at)
{
    size_t left = s.size - at;
    const unsigned char *p = (const unsigned char *)s.data + at;
    unsigned char low = 0x80, high = 0xBF;
    size_t length;
    if (left == 0) return 0;
    if (p[0] < 0x80) return 1;
    if (p[0] < 0xC2) return 0;
    if (p[0] < 0xE0) {
        length = 2;
    } else if (p[0] < 0xF0) {
        length = 3;
        if (p[0] == 0xE0) low = 0xA0;
        if (p[0] == 0xED) high = 0x9F;
    } else if (p[0] < 0xF5) {
        length = 4;
        if (p[0] == 0xF0) low = 0x90;
        if (p[0] == 0xF4) high = 0x8F;
    } else {
        return 0;
    }
    if (left < length || p[1] < low || p[1] > high) return 0;
    for (size_t i = 2; i < length; i++)
        if ((p[i] & 0xC0) != 0x80) return 0;
    return length;
}

size_t utf8_decode(str s, size_t at, uint32_t *point)
{
    size_t length = utf8_length(s, at);
    if (!length) return 0;
    unsigned char lead = (unsigned char)s.data[at];
    *point = length == 1 ? lead : lead & (0x7Fu >> length); /* of a longer one, so many bits are its length */
    for (size_t i = 1; i < length; i++)
        *point = *point << 6 | ((unsigned char)s.data[at + i] & 0x3F);
    return length;
}

bool utf8_valid(str s)
{
    for (size_t at = 0, length; at < s.size; at += length)
        if ((length = utf8_length(s, at)) == 0) return false;
    return true;
}

size_t utf8_count(str s)
{
    size_t count = 0;
    for (size_t i = 0; i < s.size; i++)
        count += ((unsigned char)s.data[i] & 0xC0) != 0x80;
    return count;
}

size_t utf8_encode(uint32_t point, char out[4])
{
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    size_t length = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = length; i-- > 1; point >>= 6)
        out[i] = (char)(0x80 | (point & 0x3F));
    out[0] = (char)(lead[length] | point);
    return length;
}

void hex_print(const unsigned char *bytes, size_t size, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
}

size_t uint_print(uint64_t number, char *out)
{
    char text[INT_PRINT_SIZE], *at = text + sizeof text;
    do
        *--at = (char)('0' + number % 10);
    while (number /= 10);
    size_t size = (size_t)(text + sizeof text - at);
    memcpy(out, at, size);
    return size;
}

size_t int_print(int64_t number, char *out)
{
    if (number >= 0) return uint_print((uint64_t)number, out);
    out[0] = '-';
    return 1 + uint_print(0 - (uint64_t)number, out + 1);
}
