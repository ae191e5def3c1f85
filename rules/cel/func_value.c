/* Size, types and conversions (langdef.md "Standard Definitions"), and optionals. */
#include "cel/func.h"

#include "base/buffer.h"
#include "cel/timestamp.h"
#include "cel/digits.h"

#include <math.h>

struct cel_value value_size(struct machine *m, const struct cel_value *a)
{
    switch (a->kind) {
    case CEL_STRING: return cel_int((int64_t)text_points(m, cel_text(*a)));
    case CEL_BYTES: return cel_int(a->size);
    case CEL_LIST: return cel_int((int64_t)a->as.list->count);
    case CEL_MAP: return cel_int((int64_t)a->as.map->count);
    default: return fail_overload(m, "size");
    }
}

struct cel_value value_same(struct machine *m, const struct cel_value *a)
{
    (void)m;
    return *a;
}

struct cel_value value_type(struct machine *m, struct cel_value v)
{
    static const struct cel_type list = {.kind = CEL_TYPE_LIST}, map = {.kind = CEL_TYPE_MAP},
                                 optional = {.kind = CEL_TYPE_OPTIONAL};
    static const struct cel_type *const types[] = {
        [CEL_NULL] = &cel_types[CEL_TYPE_NULL],
        [CEL_BOOL] = &cel_types[CEL_TYPE_BOOL],
        [CEL_INT] = &cel_types[CEL_TYPE_INT],
        [CEL_UINT] = &cel_types[CEL_TYPE_UINT],
        [CEL_DOUBLE] = &cel_types[CEL_TYPE_DOUBLE],
        [CEL_STRING] = &cel_types[CEL_TYPE_STRING],
        [CEL_BYTES] = &cel_types[CEL_TYPE_BYTES],
        [CEL_DURATION] = &cel_types[CEL_TYPE_DURATION],
        [CEL_TIMESTAMP] = &cel_types[CEL_TYPE_TIMESTAMP],
        [CEL_LIST] = &list,
        [CEL_MAP] = &map,
        [CEL_TYPE] = &cel_types[CEL_TYPE_TYPE],
        [CEL_OPTIONAL] = &optional,
    };
    if (v.kind != CEL_RECORD) return (struct cel_value){.kind = CEL_TYPE, .as.type = types[v.kind]};
    struct cel_type *type = machine_alloc(m, sizeof *type);
    if (!type) return machine_exhausted(m);
    *type = (struct cel_type){.kind = CEL_TYPE_RECORD, .record = v.as.record->type};
    return (struct cel_value){.kind = CEL_TYPE, .as.type = type};
}

struct cel_value value_type_of(struct machine *m, const struct cel_value *a)
{
    return value_type(m, *a);
}

static struct cel_value fail_conversion(struct machine *m, const char *to, str text)
{
    bool short_text = text.size <= 60;
    return cel_fail(m->frame, CEL_ERROR_CONVERSION, "'%.*s%s' is no %s", (int)(short_text ? text.size : 60),
                    text.data, short_text ? "" : "…", to);
}

/* ---- bool, bytes */

struct cel_value bool_from_text(struct machine *m, const struct cel_value *a)
{
    static const char *const texts[] = {"0", "f", "false", "FALSE", "False",
                                        "1", "t", "true",  "TRUE",  "True"};
    for (size_t i = 0; i < 10; i++)
        if (str_equal(cel_text(*a), str_of(texts[i]))) return cel_bool(i >= 5);
    return fail_conversion(m, "bool", cel_text(*a));
}

struct cel_value bytes_from_text(struct machine *m, const struct cel_value *a)
{
    (void)m;
    struct cel_value v = *a;
    v.kind = CEL_BYTES;
    return v;
}

/* ---- int, uint */

struct cel_value int_from_uint(struct machine *m, const struct cel_value *a)
{
    return a->as.u > INT64_MAX ? fail_overflow(m, "int") : cel_int((int64_t)a->as.u);
}

/* Both ends are out: a double beside them may have been any of many ints. */
struct cel_value int_from_double(struct machine *m, const struct cel_value *a)
{
    bool fits = a->as.d > -9223372036854775808.0 && a->as.d < 9223372036854775808.0;
    return fits ? cel_int((int64_t)a->as.d) : fail_overflow(m, "int");
}

/* Digits of a whole text; false when there are others, or too many. */
static bool read_digits(struct machine *m, str text, uint64_t *u)
{
    *u = 0;
    if (!machine_touch(m, 2 * text.size)) return false;
    for (size_t i = 0; i < text.size; i++) {
        unsigned digit = (unsigned)(text.data[i] - '0');
        if (digit > 9 || __builtin_mul_overflow(*u, 10u, u) || __builtin_add_overflow(*u, digit, u))
            return false;
    }
    return text.size > 0;
}

struct cel_value int_from_text(struct machine *m, const struct cel_value *a)
{
    str text = cel_text(*a), digits = text;
    bool negative = text.size && text.data[0] == '-', sign = negative || (text.size && text.data[0] == '+');
    if (sign) digits = str_slice(text, 1, text.size);
    uint64_t u;
    if (!read_digits(m, digits, &u) || u > (uint64_t)INT64_MAX + negative)
        return fail_conversion(m, "int", text);
    return cel_int(negative ? (int64_t)(0 - u) : (int64_t)u);
}

struct cel_value int_from_timestamp(struct machine *m, const struct cel_value *a)
{
    (void)m;
    return cel_int(a->as.i);
}

struct cel_value int_from_duration(struct machine *m, const struct cel_value *a)
{
    (void)m;
    return cel_int(a->as.i);
}

struct cel_value uint_from_int(struct machine *m, const struct cel_value *a)
{
    return a->as.i < 0 ? fail_overflow(m, "uint") : cel_uint(a->as.u);
}

struct cel_value uint_from_double(struct machine *m, const struct cel_value *a)
{
    bool fits = a->as.d > -1.0 && a->as.d < 18446744073709551616.0 && !(a->as.d < 0);
    return fits ? cel_uint((uint64_t)a->as.d) : fail_overflow(m, "uint");
}

struct cel_value uint_from_text(struct machine *m, const struct cel_value *a)
{
    uint64_t u;
    return read_digits(m, cel_text(*a), &u) ? cel_uint(u) : fail_conversion(m, "uint", cel_text(*a));
}

/* ---- double, string */

struct cel_value double_from_int(struct machine *m, const struct cel_value *a)
{
    (void)m;
    return cel_double((double)a->as.i);
}

struct cel_value double_from_uint(struct machine *m, const struct cel_value *a)
{
    (void)m;
    return cel_double((double)a->as.u);
}

struct cel_value double_from_text(struct machine *m, const struct cel_value *a)
{
    static const struct {
        const char *text;
        double value;
    } words[] = {{"NaN", NAN},
                 {"Infinity", INFINITY},
                 {"+Infinity", INFINITY},
                 {"-Infinity", -INFINITY},
                 {"Inf", INFINITY},
                 {"+Inf", INFINITY},
                 {"-Inf", -INFINITY},
                 {"inf", INFINITY},
                 {"-inf", -INFINITY},
                 {"nan", NAN}};
    str text = cel_text(*a);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (str_equal(text, str_of(words[i].text))) return cel_double(words[i].value);
    double d;
    if (!machine_touch(m, STEP_UNITS + 2 * text.size)) return machine_out_of_steps(m);
    if (!digits_read(text.data, text.size, &d) || !isfinite(d)) return fail_conversion(m, "double", text);
    return cel_double(d);
}

static struct cel_value digits_of(struct machine *m, int64_t i)
{
    char room[20], *end = room + sizeof room, *at = end;
    uint64_t u = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
    do
        *--at = (char)('0' + u % 10);
    while (u /= 10);
    if (i < 0) *--at = '-';
    size_t size = (size_t)(end - at);
    char *text = machine_alloc(m, size);
    return text ? cel_string((str){memcpy(text, at, size), size}) : machine_exhausted(m);
}

struct cel_value text_from_value(struct machine *m, const struct cel_value *a)
{
    if (a->kind == CEL_BYTES) { /* shared, not copied */
        if (!text_valid(m, cel_text(*a)))
            return cel_fail(m->frame, CEL_ERROR_CONVERSION, "these bytes are no UTF-8");
        return cel_string(cel_text(*a));
    }
    struct buffer buffer;
    buffer_init(&buffer, m->frame->scratch);
    machine_spend(m, 2);
    if (a->kind == CEL_INT) return digits_of(m, a->as.i);
    if (!machine_room(m, 1, BUFFER_MIN)) return machine_exhausted(m);
    if (!cel_print(*a, &buffer)) return fail_overload(m, "string");
    m->over = m->frame->scratch->used > m->used_max;
    return buffer.failed || m->over ? machine_exhausted(m) : cel_string(buffer_str(&buffer));
}

/* ---- time */

struct cel_value timestamp_from_text(struct machine *m, const struct cel_value *a)
{
    struct cel_value v;
    if (!machine_touch(m, STEP_UNITS + 2 * (size_t)a->size)) return machine_out_of_steps(m);
    return cel_parse_timestamp(cel_text(*a), &v) ? v : fail_conversion(m, "timestamp", cel_text(*a));
}

struct cel_value timestamp_from_int(struct machine *m, const struct cel_value *a)
{
    struct cel_value v;
    return timestamp_make(a->as.i, 0, &v) ? v : fail_overflow(m, "timestamp");
}

struct cel_value duration_from_text(struct machine *m, const struct cel_value *a)
{
    struct cel_value v;
    if (!machine_touch(m, STEP_UNITS + 4 * (size_t)a->size)) return machine_out_of_steps(m);
    return cel_duration_parse(cel_text(*a), &v) ? v : fail_conversion(m, "duration", cel_text(*a));
}

struct cel_value duration_from_int(struct machine *m, const struct cel_value *a)
{
    struct cel_value v;
    return duration_make(a->as.i, 0, &v) ? v : fail_overflow(m, "duration");
}

/* ---- optionals */

bool is_zero_value(struct cel_value v)
{
    switch (v.kind) {
    case CEL_NULL: return true;
    case CEL_BOOL: return !v.as.b;
    case CEL_INT:
    case CEL_UINT: return v.as.u == 0;
    case CEL_DOUBLE: return v.as.d == 0;
    case CEL_STRING:
    case CEL_BYTES: return v.size == 0;
    case CEL_DURATION: return v.as.i == 0 && v.nanos == 0;
    case CEL_TIMESTAMP: return v.as.i == 0 && v.nanos == 0;
    case CEL_LIST: return v.as.list->count == 0;
    case CEL_MAP: return v.as.map->count == 0;
    case CEL_OPTIONAL: return !v.as.optional;
    default: return false;
    }
}

struct cel_value optional_of(struct machine *m, const struct cel_value *a)
{
    return optional_new(m, *a);
}

struct cel_value optional_of_non_zero(struct machine *m, const struct cel_value *a)
{
    return is_zero_value(*a) ? optional_none() : optional_new(m, *a);
}

struct cel_value optional_empty(struct machine *m, const struct cel_value *a)
{
    (void)m;
    (void)a;
    return optional_none();
}

struct cel_value optional_has_value(struct machine *m, const struct cel_value *a)
{
    (void)m;
    return cel_bool(a->as.optional != NULL);
}

struct cel_value optional_value(struct machine *m, const struct cel_value *a)
{
    return a->as.optional ? *a->as.optional
                          : cel_fail(m->frame, CEL_ERROR_ARGUMENT, "optional.none() holds no value");
}

struct cel_value optional_or(struct machine *m, const struct cel_value *a)
{
    (void)m;
    return a[0].as.optional ? a[0] : a[1];
}

struct cel_value optional_or_value(struct machine *m, const struct cel_value *a)
{
    (void)m;
    return a[0].as.optional ? *a[0].as.optional : a[1];
}

struct cel_value optional_unwrap(struct machine *m, const struct cel_value *a)
{
    const struct cel_list *from = a->as.list;
    struct cel_list *list = list_new(m, from->count);
    if (!list) return machine_exhausted(m);
    for (size_t i = 0; i < from->count; i++) {
        if (from->items[i].kind != CEL_OPTIONAL) return fail_overload(m, "unwrapOpt");
        if (from->items[i].as.optional) list->items[list->count++] = *from->items[i].as.optional;
    }
    return list_value(list);
}
