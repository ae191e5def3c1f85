#include "base/str.h"

#include <xxhash.h>

bool str_starts_with(str s, str prefix)
{
    return s.size >= prefix.size && (prefix.size == 0 || memcmp(s.data, prefix.data, prefix.size) == 0);
}

uint64_t str_hash(str s)
{
    return XXH3_64bits(s.data, s.size);
}

enum { NEAREST_LETTERS = 64 }; /* longer words have no neighbours */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment distance (a swap of neighbours counts one), by rows. */
static size_t str_distance(str a, str b)
{
    size_t rows[3][NEAREST_LETTERS + 1];
    for (size_t j = 0; j <= b.size; j++) rows[0][j] = j;
    for (size_t i = 1; i <= a.size; i++) {
        size_t *row = rows[i % 3], *above = rows[(i - 1) % 3], *before = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b.size; j++) {
            bool same = a.data[i - 1] == b.data[j - 1];
            row[j] = least(least(above[j] + 1, row[j - 1] + 1), above[j - 1] + !same);
            if (i > 1 && j > 1 && a.data[i - 1] == b.data[j - 2] && a.data[i - 2] == b.data[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
    }
    return rows[a.size % 3][b.size];
}

str str_nearest(str word, const str *candidates, size_t count)
{
    str best = {0};
    if (word.size > NEAREST_LETTERS) return best;
    size_t best_distance = word.size / 3 + 2;
    for (size_t i = 0; i < count; i++) {
        if (candidates[i].size > NEAREST_LETTERS || candidates[i].size == 0) continue;
        size_t distance = str_distance(word, candidates[i]);
        if (distance < best_distance) {
            best_distance = distance;
            best = candidates[i];
        }
    }
    return best;
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

bool utf8_valid(str s)
{
    for (size_t at = 0, length; at < s.size; at += length)
        if ((length = utf8_length(s, at)) == 0) return false;
    return true;
}

size_t utf8_count(str s)
{
    size_t count = 0;
    for (size_t i = 0; i < s.size; i++) count += ((unsigned char)s.data[i] & 0xC0) != 0x80;
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
    for (size_t i = length; i-- > 1; point >>= 6) out[i] = (char)(0x80 | (point & 0x3F));
    out[0] = (char)(lead[length] | point);
    return length;
}
