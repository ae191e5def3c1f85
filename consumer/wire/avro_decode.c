#include "wire/avro_type.h"
#include "base/limits.h"
#include "base/rfc3339.h"

#include <math.h>

typedef bool decode_kind(struct wire_run *run, const struct avro_type *type);

static bool take_long(struct wire_run *run, int64_t *number)
{
    uint64_t coded;
    if (!wire_take_varint(run, &coded)) return false;
    *number = wire_zigzag(coded);
    return true;
}

/* A size, then as many bytes. */
static bool take_bytes(struct wire_run *run, str *out)
{
    int64_t size;
    if (!take_long(run, &size)) return false;
    if (size < 0) return wire_fail(run, WIRE_FAULT_FORMAT, "a text of a negative size");
    const unsigned char *bytes = wire_take(run, (uint64_t)size);
    *out = (str){(const char *)bytes, bytes ? (size_t)size : 0};
    return bytes != NULL;
}

static bool decode_null(struct wire_run *run, const struct avro_type *type)
{
    (void)type;
    buffer_put_str(run->json, STR("null"));
    return true;
}

static bool decode_boolean(struct wire_run *run, const struct avro_type *type)
{
    (void)type;
    const unsigned char *byte = wire_take(run, 1);
    if (!byte) return false;
    if (*byte > 1) return wire_fail(run, WIRE_FAULT_FORMAT, "a boolean that is neither 0 nor 1");
    buffer_put_str(run->json, *byte ? STR("true") : STR("false"));
    return true;
}

/* Days since 1970; one outside of the years 1 to 9999 stays the number that it is. */
static void put_date(struct wire_run *run, int64_t days)
{
    int64_t year;
    unsigned month, day;
    const int64_t day_ms = 86400000;
    if (days < RFC3339_MS_MIN / day_ms || days > RFC3339_MS_MAX / day_ms) {
        wire_put_int(run, days);
        return;
    }
    rfc3339_date(days, &year, &month, &day);
    buffer_put_format(run->json, "\"%04d-%02u-%02u\"", (int)year, month, day);
}

static bool decode_int(struct wire_run *run, const struct avro_type *type)
{
    int64_t number;
    if (!take_long(run, &number)) return false;
    if (number < INT32_MIN || number > INT32_MAX)
        return wire_fail(run, WIRE_FAULT_FORMAT, "an int of more than 32 bits");
    if (type->logical == AVRO_DATE)
        put_date(run, number);
    else
        wire_put_int(run, number);
    return true;
}

static bool decode_long(struct wire_run *run, const struct avro_type *type)
{
    (void)type;
    int64_t number;
    if (!take_long(run, &number)) return false;
    wire_put_int(run, number);
    return true;
}

static bool decode_float(struct wire_run *run, const struct avro_type *type)
{
    (void)type;
    const unsigned char *bytes = wire_take(run, 4);
    if (!bytes) return false;
    uint32_t bits = (uint32_t)wire_little_endian(bytes, 4);
    float number;
    memcpy(&number, &bits, sizeof number);
    wire_put_float(run, number);
    return true;
}

static bool decode_double(struct wire_run *run, const struct avro_type *type)
{
    (void)type;
    const unsigned char *bytes = wire_take(run, 8);
    if (!bytes) return false;
    uint64_t bits = wire_little_endian(bytes, 8);
    double number;
    memcpy(&number, &bits, sizeof number);
    wire_put_double(run, number);
    return true;
}

static bool decode_bytes(struct wire_run *run, const struct avro_type *type)
{
    str bytes;
    if (!take_bytes(run, &bytes)) return false;
    if (type->logical == AVRO_DECIMAL) return wire_put_decimal(run, bytes, type->scale);
    wire_put_base64(run, bytes);
    return true;
}

static bool decode_string(struct wire_run *run, const struct avro_type *type)
{
    (void)type;
    str text;
    return take_bytes(run, &text) && wire_put_text(run, text);
}

static bool decode_record(struct wire_run *run, const struct avro_type *type)
{
    if (!wire_enter(run, '{')) return false;
    bool first = true;
    for (size_t i = 0; i < type->count; i++) {
        wire_put_comma(run, &first);
        buffer_put_str(run->json, type->fields[i].key);
        if (!avro_decode(run, type->fields[i].type)) return false;
    }
    wire_leave(run, '}');
    return true;
}

static bool decode_enum(struct wire_run *run, const struct avro_type *type)
{
    int64_t number;
    if (!take_long(run, &number)) return false;
    if (number < 0 || (uint64_t)number >= type->count)
        return wire_fail(run, WIRE_FAULT_FORMAT, "an enum with a symbol that its schema does not have");
    buffer_put_str(run->json, type->symbols[number]);
    return true;
}

static bool decode_element(struct wire_run *run, const struct avro_type *type)
{
    str key;
    if (type->kind == AVRO_MAP) {
        if (!take_bytes(run, &key) || !wire_put_text(run, key)) return false;
        buffer_put_char(run->json, ':');
    }
    return avro_decode(run, type->types[0]);
}

/* Elements come in blocks: a count, then as many; a negative one has the block's size in bytes behind it; 0 ends. */
static bool take_block(struct wire_run *run, uint64_t *count)
{
    int64_t number, size;
    if (!take_long(run, &number) || (number < 0 && !take_long(run, &size))) return false;
    *count = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    return true;
}

static bool decode_list(struct wire_run *run, const struct avro_type *type)
{
    uint64_t count;
    bool first = true;
    if (!wire_enter(run, type->kind == AVRO_MAP ? '{' : '[') || !take_block(run, &count)) return false;
    while (count > 0) {
        for (; count > 0; count--) {
            wire_put_comma(run, &first);
            if (!decode_element(run, type)) return false;
        }
        if (!take_block(run, &count)) return false;
    }
    wire_leave(run, type->kind == AVRO_MAP ? '}' : ']');
    return true;
}

static bool decode_union(struct wire_run *run, const struct avro_type *type)
{
    int64_t number;
    if (!take_long(run, &number)) return false;
    if (number < 0 || (uint64_t)number >= type->count)
        return wire_fail(run, WIRE_FAULT_FORMAT, "a union with a branch that its schema does not have");
    return avro_decode(run, type->types[number]);
}

static void put_uuid(struct wire_run *run, const unsigned char *bytes)
{
    char hex[32];
    hex_print(bytes, 16, hex);
    buffer_put_format(run->json, "\"%.8s-%.4s-%.4s-%.4s-%.12s\"", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

static bool decode_fixed(struct wire_run *run, const struct avro_type *type)
{
    const unsigned char *bytes = wire_take(run, type->size);
    if (!bytes) return false;
    str text = {(const char *)bytes, type->size};
    if (type->logical == AVRO_DECIMAL) return wire_put_decimal(run, text, type->scale);
    if (type->logical == AVRO_UUID)
        put_uuid(run, bytes);
    else
        wire_put_base64(run, text);
    return true;
}

static decode_kind *const kinds[AVRO_KINDS] = {
    [AVRO_NULL] = decode_null,   [AVRO_BOOLEAN] = decode_boolean, [AVRO_INT] = decode_int,
    [AVRO_LONG] = decode_long,   [AVRO_FLOAT] = decode_float,     [AVRO_DOUBLE] = decode_double,
    [AVRO_BYTES] = decode_bytes, [AVRO_STRING] = decode_string,   [AVRO_RECORD] = decode_record,
    [AVRO_ENUM] = decode_enum,   [AVRO_ARRAY] = decode_list,      [AVRO_MAP] = decode_list,
    [AVRO_UNION] = decode_union, [AVRO_FIXED] = decode_fixed,
};

bool avro_decode(struct wire_run *run, const struct avro_type *type)
{
    return kinds[type->kind](run, type) && wire_has_room(run);
}
