#include "json/number.h"

/* Where an exponent stops growing. Texts are shorter than 2^29 bytes, so no number of digits makes up for it. */
enum { EXPONENT_MAX = 1 << 29 };

static bool is_digit(char c)
{
    return (unsigned char)(c - '0') <= 9;
}

/* Takes in a run of digits; those that do not fit any more count in the exponent. */
static const char *read_digits(struct json_number *n, const char *p, const char *end)
{
    uint64_t digits = n->digits;
    for (; p < end && is_digit(*p) && n->exponent == 0; p++) {
        unsigned digit = (unsigned)(*p - '0');
        if (digits > UINT64_MAX / 10 || (digits == UINT64_MAX / 10 && digit > UINT64_MAX % 10)) break;
        digits = digits * 10 + digit;
    }
    n->digits = digits;
    for (; p < end && is_digit(*p); p++) {
        n->exponent++;
        n->exact = n->exact && *p == '0';
    }
    return p;
}

/* What follows the `e`; NULL without a digit. */
static const char *read_exponent(const char *p, const char *end, int32_t *exponent)
{
    bool negative = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+')) p++;
    if (p == end || !is_digit(*p)) return NULL;
    for (*exponent = 0; p < end && is_digit(*p); p++)
        if (*exponent < EXPONENT_MAX / 10) *exponent = *exponent * 10 + (*p - '0');
    if (negative) *exponent = -*exponent;
    return p;
}

bool json_number_read(str text, struct json_number *n)
{
    const char *p = text.data, *end = p + text.size;
    int32_t fraction = 0, written = 0;
    *n = (struct json_number){.text = text, .exact = true};
    n->negative = p < end && *p == '-';
    p += n->negative;
    if (p == end || !is_digit(*p)) return false;
    const char *begin = p;
    p = read_digits(n, p, end);
    if (*begin == '0' && p - begin > 1) return false;
    if (p < end && *p == '.') {
        begin = ++p;
        p = read_digits(n, p, end);
        fraction = (int32_t)(p - begin);
        if (fraction == 0) return false;
    }
    if (p < end && (*p == 'e' || *p == 'E')) p = read_exponent(p + 1, end, &written);
    n->exponent += written - fraction;
    return p == end;
}

/* The value without its sign, rounded down, and whether that was all of it. */
static bool number_whole(const struct json_number *n, uint64_t *whole, bool *integral)
{
    *whole = n->digits;
    *integral = n->exact;
    for (int32_t e = n->exponent; e > 0 && *whole; e--)
        if (__builtin_mul_overflow(*whole, 10u, whole)) return false;
    for (int32_t e = n->exponent; e < 0 && *whole; e++) {
        *integral = *integral && *whole % 10 == 0;
        *whole /= 10;
    }
    return true;
}

/* `size` with a sign; false when that is no int64. */
static bool signed_value(uint64_t size, bool negative, int64_t *value)
{
    if (size > (uint64_t)INT64_MAX + negative) return false;
    *value = negative ? (int64_t)(0 - size) : (int64_t)size;
    return true;
}

bool json_number_int(const struct json_number *number, int64_t *value)
{
    uint64_t size;
    bool integral;
    return number_whole(number, &size, &integral) && integral && signed_value(size, number->negative, value);
}

bool json_number_uint(const struct json_number *number, uint64_t *value)
{
    uint64_t size;
    bool integral;
    if (!number_whole(number, &size, &integral) || !integral || (number->negative && size)) return false;
    *value = size;
    return true;
}

bool json_number_floor(const struct json_number *number, int64_t *value)
{
    uint64_t size;
    bool integral;
    if (!number_whole(number, &size, &integral)) return false;
    if (number->negative && !integral) size++;
    return signed_value(size, number->negative, value);
}
