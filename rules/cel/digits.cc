// The shim over <charconv>; see digits.h.
#include "cel/digits.h"

#include <charconv>
#include <cmath>
#include <cstring>

extern "C" size_t digits_shortest(double d, char digits[20], int *point)
{
    char text[64];
    char *end = std::to_chars(text, text + sizeof text, d, std::chars_format::scientific).ptr;
    size_t count = 0;
    char *at = text;
    for (; at < end && *at != 'e'; at++)
        if (*at != '.') digits[count++] = *at;
    int exponent = 0; // "e+07", "e-05"
    std::from_chars(at + 2, end, exponent);
    while (count > 1 && digits[count - 1] == '0')
        count--;
    *point = (at[1] == '-' ? -exponent : exponent) + 1;
    return count;
}

extern "C" size_t digits_format(double d, char form, int precision, char *out, size_t size)
{
    auto style = form == 'e' ? std::chars_format::scientific : std::chars_format::fixed;
    auto result = std::to_chars(out, out + size, d, style, precision);
    return result.ec == std::errc() ? static_cast<size_t>(result.ptr - out) : 0;
}

// Out of range is either way; which one, the exponent's sign or the first digit tells.
static bool too_small(const char *at, const char *end)
{
    for (const char *e = at; e < end; e++)
        if (*e == 'e' || *e == 'E') return e + 1 < end && e[1] == '-';
    return *at == '0' || *at == '.';
}

extern "C" bool digits_read(const char *text, size_t size, double *d)
{
    const char *at = text, *end = text + size;
    bool negative = size && *at == '-';
    if (size && (*at == '-' || *at == '+')) at++;
    if (at == end || *at == '-' || *at == '+') return false;
    auto result = std::from_chars(at, end, *d);
    if (result.ptr != end) return false;
    if (result.ec == std::errc::invalid_argument) return false;
    if (result.ec == std::errc::result_out_of_range) *d = too_small(at, end) ? 0 : HUGE_VAL;
    if (negative) *d = -*d;
    return true;
}
