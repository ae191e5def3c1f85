/* Values as text: CEL's string(), and JSON.
 *
 * Doubles are written as JavaScript writes them, without an exponent from 1e-6 to below 1e21: shop people
 * read these numbers in mails. */
#include "base/buffer.h"
#include "base/limits.h"
#include "base/rfc3339.h"
#include "cel/cel.h"
#include "cel/digits.h"
#include "cel/encode.h"

#include <math.h>

enum {
    FIXED_POINT_MIN = -5,
    FIXED_POINT_MAX = 21
}; /* places of the decimal point written without exponent */

static void put_zeros(struct buffer *out, int count)
{
    while (count-- > 0)
        buffer_put_char(out, '0');
}

static void put_fixed(struct buffer *out, const char *digits, int count, int point)
{
    if (point <= 0) {
        buffer_put_str(out, STR("0."));
        put_zeros(out, -point);
        buffer_put(out, digits, (size_t)count);
    } else if (point >= count) {
        buffer_put(out, digits, (size_t)count);
        put_zeros(out, point - count);
    } else {
        buffer_put(out, digits, (size_t)point);
        buffer_put_char(out, '.');
        buffer_put(out, digits + point, (size_t)(count - point));
    }
}

static void put_exponent(struct buffer *out, const char *digits, int count, int exponent)
{
    buffer_put_char(out, digits[0]);
    if (count > 1) {
        buffer_put_char(out, '.');
        buffer_put(out, digits + 1, (size_t)(count - 1));
    }
    buffer_put_format(out, "e%+d", exponent);
}

static void put_unsigned(struct buffer *out, uint64_t u)
{
    char text[INT_PRINT_SIZE];
    buffer_put(out, text, uint_print(u, text));
}

/* With zeros in front. */
static void put_padded(struct buffer *out, uint32_t u, int digits)
{
    char text[9];
    for (int i = digits; i-- > 0; u /= 10)
        text[i] = (char)('0' + u % 10);
    buffer_put(out, text, (size_t)digits);
}

static void put_int(int64_t i, struct buffer *out)
{
    char text[INT_PRINT_SIZE];
    buffer_put(out, text, int_print(i, text));
}

/* Prices: numbers of few digits, up to four of them behind the point. A decimal of at most 15 digits is the shortest of its
 * double, since no other of so few digits reads back as that; the quotient of two whole doubles rounds once, as reading does. */
static bool put_decimal(struct buffer *out, double d)
{
    static const double powers[] = {1e1, 1e2, 1e3, 1e4};
    for (size_t i = 0; i < sizeof powers / sizeof *powers && d < 1e10 && d >= 1e-3; i++) {
        uint64_t n = (uint64_t)(d * powers[i] + 0.5), unit = (uint64_t)powers[i];
        if ((double)n / powers[i] != d) continue;
        put_unsigned(out, n / unit);
        buffer_put_char(out, '.');
        put_padded(out, (uint32_t)(n % unit), (int)i + 1);
        return true;
    }
    return false;
}

void cel_print_double(double d, struct buffer *out)
{
    if (isnan(d)) return buffer_put_str(out, STR("NaN"));
    if (d < 0) buffer_put_char(out, '-');
    d = fabs(d);
    if (isinf(d)) return buffer_put_str(out, STR("Infinity"));
    if (d < 9007199254740992.0 && d == (double)(uint64_t)d) return put_unsigned(out, (uint64_t)d);
    if (put_decimal(out, d)) return;
    char digits[20];
    int point, count = (int)digits_shortest(d, digits, &point);
    if (point >= FIXED_POINT_MIN && point <= FIXED_POINT_MAX)
        put_fixed(out, digits, count, point);
    else
        put_exponent(out, digits, count, point - 1);
}

/* The fraction of a second, "" or ".500": three, six or nine digits, as protobuf's JSON has them. */
static void put_nanos(struct buffer *out, uint32_t nanos)
{
    int digits = 9;
    if (!nanos) return;
    for (; digits > 3 && nanos % 1000 == 0; digits -= 3)
        nanos /= 1000;
    buffer_put_char(out, '.');
    put_padded(out, nanos, digits);
}

void cel_print_timestamp(struct cel_value timestamp, struct buffer *out)
{
    char text[RFC3339_SECONDS_SIZE];
    rfc3339_print_seconds(timestamp.as.i, text);
    buffer_put(out, text, sizeof text);
    put_nanos(out, (uint32_t)timestamp.nanos);
    buffer_put_char(out, 'Z');
}

void cel_print_duration(struct cel_value duration, struct buffer *out)
{
    bool negative = duration.as.i < 0 || duration.nanos < 0;
    if (negative) buffer_put_char(out, '-');
    put_unsigned(out, negative ? 0 - (uint64_t)duration.as.i : (uint64_t)duration.as.i);
    put_nanos(out, (uint32_t)(negative ? -duration.nanos : duration.nanos));
    buffer_put_char(out, 's');
}

bool cel_print(struct cel_value value, struct buffer *out)
{
    switch (value.kind) {
    case CEL_BOOL: buffer_put_str(out, value.as.b ? STR("true") : STR("false")); return true;
    case CEL_INT: put_int(value.as.i, out); return true;
    case CEL_UINT: put_unsigned(out, value.as.u); return true;
    case CEL_DOUBLE: cel_print_double(value.as.d, out); return true;
    case CEL_STRING: buffer_put_str(out, cel_text(value)); return true;
    case CEL_BYTES:
        if (!utf8_valid(cel_text(value))) return false;
        buffer_put_str(out, cel_text(value));
        return true;
    case CEL_DURATION: cel_print_duration(value, out); return true;
    case CEL_TIMESTAMP: cel_print_timestamp(value, out); return true;
    default: return false;
    }
}

/* ---- JSON. A value shared by many others is written for each of them: whoever writes bounds the buffer. False at
 * once where it has failed, or the value nests too deep. */

static bool put_json(struct cel_value value, struct buffer *out, int depth);

static bool json_list(const struct cel_list *list, struct buffer *out, int depth)
{
    buffer_put_char(out, '[');
    for (size_t i = 0; i < list->count; i++) {
        if (i) buffer_put_char(out, ',');
        if (!put_json(list->items[i], out, depth)) return false;
    }
    buffer_put_char(out, ']');
    return true;
}

/* A member's name is the key's text: JSON has no other keys. */
static bool json_key(struct cel_value key, struct buffer *out)
{
    if (key.kind == CEL_STRING) {
        buffer_put_json_string(out, cel_text(key));
        return true;
    }
    buffer_put_char(out, '"');
    if (!cel_print(key, out)) return false;
    buffer_put_char(out, '"');
    return true;
}

static bool json_map(const struct cel_map *map, struct buffer *out, int depth)
{
    buffer_put_char(out, '{');
    for (size_t i = 0; i < map->count; i++) {
        if (i) buffer_put_char(out, ',');
        if (!json_key(map->entries[i].key, out)) return false;
        buffer_put_char(out, ':');
        if (!put_json(map->entries[i].value, out, depth)) return false;
    }
    buffer_put_char(out, '}');
    return true;
}

static bool json_record(const struct cel_record *record, struct buffer *out, int depth)
{
    bool some = false;
    buffer_put_char(out, '{');
    for (size_t i = 0; i < record->type->field_count; i++) {
        if (record->fields[i].kind <= CEL_ABSENT) continue;
        if (some) buffer_put_char(out, ',');
        some = true;
        buffer_put_json_string(out, record->type->fields[i].name);
        buffer_put_char(out, ':');
        if (!put_json(record->fields[i], out, depth)) return false;
    }
    buffer_put_char(out, '}');
    return true;
}

static bool json_quoted(struct cel_value value, struct buffer *out)
{
    buffer_put_char(out, '"');
    if (value.kind == CEL_BYTES)
        base64_encode(cel_text(value), out);
    else
        cel_print(value, out);
    buffer_put_char(out, '"');
    return true;
}

static bool put_json(struct cel_value value, struct buffer *out, int depth)
{
    if (out->failed || depth > LIMIT_CEL_VALUE_DEPTH) return false;
    switch (value.kind) {
    case CEL_NULL: buffer_put_str(out, STR("null")); return true;
    case CEL_DOUBLE:
        if (!isfinite(value.as.d)) return false;
        cel_print_double(value.as.d, out);
        return true;
    case CEL_STRING: buffer_put_json_string(out, cel_text(value)); return true;
    case CEL_BYTES:
    case CEL_DURATION:
    case CEL_TIMESTAMP: return json_quoted(value, out);
    case CEL_LIST: return json_list(value.as.list, out, depth + 1);
    case CEL_MAP: return json_map(value.as.map, out, depth + 1);
    case CEL_RECORD: return json_record(value.as.record, out, depth + 1);
    default: return cel_print(value, out);
    }
}

bool cel_print_json(struct cel_value value, struct buffer *out)
{
    return put_json(value, out, 0) && !out->failed;
}
