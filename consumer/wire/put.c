#include "wire/put.h"
#include "base/limits.h"
#include "cel/cel.h"
#include "cel/encode.h"
#include "host/text.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

bool wire_fail(struct wire_run *run, enum wire_fault fault, const char *what)
{
    if (!run->fault) {
        run->fault = fault;
        run->what = what;
    }
    run->at = run->end;
    return false;
}

bool wire_has_room(struct wire_run *run)
{
    if (!run->json->failed) return true;
    return wire_fail(run, run->json->over ? WIRE_FAULT_SIZE : WIRE_FAULT_MEMORY,
                     "more JSON than an event may be");
}

bool wire_enter(struct wire_run *run, char bracket)
{
    if (run->depth == LIMIT_EVENT_DEPTH) return wire_fail(run, WIRE_FAULT_DEPTH, "values nested too deep");
    run->depth++;
    buffer_put_char(run->json, bracket);
    return wire_has_room(run);
}

void wire_leave(struct wire_run *run, char bracket)
{
    run->depth--;
    buffer_put_char(run->json, bracket);
}

void wire_put_comma(struct wire_run *run, bool *first)
{
    if (!*first) buffer_put_char(run->json, ',');
    *first = false;
}

bool wire_take_varint(struct wire_run *run, uint64_t *number)
{
    uint64_t sum = 0;
    for (unsigned shift = 0; shift < 70 && run->at < run->end; shift += 7) {
        unsigned char byte = *run->at++;
        if (shift == 63 && byte > 1)
            return wire_fail(run, WIRE_FAULT_FORMAT, "a number of more than 64 bits");
        sum |= (uint64_t)(byte & 0x7f) << shift;
        if (byte & 0x80) continue;
        *number = sum;
        return true;
    }
    return wire_fail(run, WIRE_FAULT_FORMAT, "a record that ends too early");
}

const unsigned char *wire_take(struct wire_run *run, uint64_t size)
{
    const unsigned char *bytes = run->at;
    if (size > (uint64_t)(run->end - run->at)) {
        wire_fail(run, WIRE_FAULT_FORMAT, "a record that ends too early");
        return NULL;
    }
    run->at += size;
    return bytes;
}

uint64_t wire_little_endian(const unsigned char *bytes, size_t size)
{
    uint64_t number = 0;
    for (size_t i = size; i-- > 0;)
        number = number << 8 | bytes[i];
    return number;
}

void wire_put_int(struct wire_run *run, int64_t number)
{
    char text[TEXT_NUMBER_SIZE];
    buffer_put(run->json, text, text_put_int(text, number));
}

void wire_put_uint(struct wire_run *run, uint64_t number)
{
    if (number <= INT64_MAX)
        wire_put_int(run, (int64_t)number);
    else
        buffer_put_format(run->json, "%" PRIu64, number);
}

void wire_put_double(struct wire_run *run, double number)
{
    bool quoted = !isfinite(number);
    if (quoted) buffer_put_char(run->json, '"');
    cel_print_double(number, run->json);
    if (quoted) buffer_put_char(run->json, '"');
}

/* Few digits are enough for a float: 0.1f is 0.1, and not the 0.10000000149011612 that it is as a double. */
void wire_put_float(struct wire_run *run, float number)
{
    char text[32];
    for (int precision = FLT_DIG; precision <= FLT_DECIMAL_DIG && isfinite(number); precision++) {
        snprintf(text, sizeof text, "%.*g", precision, (double)number);
        if (strtof(text, NULL) == number) break;
    }
    wire_put_double(run, isfinite(number) ? strtod(text, NULL) : (double)number);
}

void wire_put_base64(struct wire_run *run, str bytes)
{
    buffer_put_char(run->json, '"');
    base64_encode(bytes, run->json);
    buffer_put_char(run->json, '"');
}

bool wire_put_text(struct wire_run *run, str text)
{
    if (!utf8_valid(text)) return wire_fail(run, WIRE_FAULT_FORMAT, "a text that is not UTF-8");
    buffer_put_json_string(run->json, text);
    return true;
}

/* Divides a number of big-endian bytes by ten, in place; the remainder. */
static unsigned divide_by_ten(unsigned char *bytes, size_t size)
{
    unsigned rest = 0;
    for (size_t i = 0; i < size; i++) {
        unsigned part = rest << 8 | bytes[i];
        bytes[i] = (unsigned char)(part / 10);
        rest = part % 10;
    }
    return rest;
}

static void negate(unsigned char *bytes, size_t size)
{
    unsigned carry = 1;
    for (size_t i = size; i-- > 0;) {
        carry += (unsigned char)~bytes[i];
        bytes[i] = (unsigned char)carry;
        carry >>= 8;
    }
}

static bool is_zero(const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i]) return false;
    return true;
}

bool wire_put_decimal(struct wire_run *run, str bytes, unsigned scale)
{
    unsigned char number[WIRE_DECIMAL_BYTES] = {0};
    char digits[WIRE_DECIMAL_BYTES * 3 + WIRE_DECIMAL_SCALE]; /* the lowest first */
    size_t count = 0, size = bytes.size;
    if (size > WIRE_DECIMAL_BYTES || scale > WIRE_DECIMAL_SCALE)
        return wire_fail(run, WIRE_FAULT_FORMAT, "a decimal of too many digits");
    if (size) memcpy(number, bytes.data, size);
    bool negative = size && number[0] >= 0x80;
    if (negative) negate(number, size);
    while (count <= scale || !is_zero(number, size))
        digits[count++] = (char)('0' + divide_by_ten(number, size));
    if (negative) buffer_put_char(run->json, '-');
    while (count > 0) {
        buffer_put_char(run->json, digits[--count]);
        if (count == scale && scale > 0) buffer_put_char(run->json, '.');
    }
    return true;
}
