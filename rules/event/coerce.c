/* Scalars are a table of functions from a JSON value to one of ours, one a type; lists, maps and records read
 * their parts by calling coerce() again. How deep that goes is up to the declared type, not to the record. */
#include "event/coerce.h"

#include "base/buffer.h"
#include "base/duration.h"
#include "base/ensure.h"
#include "base/names.h"
#include "base/rfc3339.h"
#include "cel/digits.h"
#include "cel/encode.h"

#include <math.h>

static const struct cel_value absent = {.kind = CEL_ABSENT};

/* ---- scalars */

/* Digits alone, with a sign: what an int may be as text. A double or a number has more forms. */
static bool read_text_int(str text, struct json_number *number)
{
    size_t begin = text.size > 0 && text.data[0] == '-';
    while (begin + 1 < text.size && text.data[begin] == '0')
        begin++; /* 007: JSON forbids it, we do not */
    for (size_t i = begin; i < text.size; i++)
        if ((unsigned char)(text.data[i] - '0') > 9) return false;
    bool some = json_number_read(str_slice(text, begin, text.size), number);
    number->negative = text.size > 0 && text.data[0] == '-';
    return some;
}

/* The number that an int or uint is given as. */
static bool read_integral(const struct coercion *c, const struct scan_value *v, struct json_number *number)
{
    *number = c->scan.number;
    return v->kind == SCAN_NUMBER || (v->kind == SCAN_STRING && read_text_int(v->text, number));
}

static struct cel_value int_of(struct coercion *c, const struct scan_value *v)
{
    struct json_number number;
    int64_t i;
    return read_integral(c, v, &number) && json_number_int(&number, &i) ? cel_int(i) : absent;
}

static struct cel_value uint_of(struct coercion *c, const struct scan_value *v)
{
    struct json_number number;
    uint64_t u;
    return read_integral(c, v, &number) && json_number_uint(&number, &u) ? cel_uint(u) : absent;
}

/* False when the value is beyond every double. Where digits and power are doubles without rounding, which is
 * nearly always, one product or quotient rounds once: correctly. */
static bool nearest_double(const struct json_number *number, double *value)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    int32_t e = number->exponent;
    if (number->exact && number->digits <= (uint64_t)1 << 53 && e >= -22 && e <= 22) {
        double size = e < 0 ? (double)number->digits / powers[-e] : (double)number->digits * powers[e];
        *value = number->negative ? -size : size;
        return true;
    }
    return digits_read(number->text.data, number->text.size, value) && isfinite(*value);
}

static struct cel_value double_of(struct coercion *c, const struct scan_value *v)
{
    struct json_number number = c->scan.number;
    double d;
    bool some = v->kind == SCAN_NUMBER || (v->kind == SCAN_STRING && json_number_read(v->text, &number));
    return some && nearest_double(&number, &d) ? cel_double(d) : absent;
}

static struct cel_value string_of(struct coercion *c, const struct scan_value *v)
{
    (void)c;
    return v->kind == SCAN_STRING || v->kind == SCAN_NUMBER ? cel_string(v->text) : absent;
}

static struct cel_value bool_of(struct coercion *c, const struct scan_value *v)
{
    (void)c;
    if (v->kind == SCAN_TRUE || v->kind == SCAN_FALSE) return cel_bool(v->kind == SCAN_TRUE);
    if (v->kind != SCAN_STRING) return absent;
    bool yes = str_equal(v->text, STR("true"));
    return yes || str_equal(v->text, STR("false")) ? cel_bool(yes) : absent;
}

bool coerce_instant(const struct coercion *c, const struct scan_value *v, int64_t *ms)
{
    int64_t seconds;
    int32_t nanos;
    if (v->kind == SCAN_NUMBER)
        return json_number_floor(&c->scan.number, ms) && *ms >= RFC3339_MS_MIN && *ms <= RFC3339_MS_MAX;
    if (v->kind != SCAN_STRING || !rfc3339_parse(v->text, &seconds, &nanos)) return false;
    *ms = seconds * 1000 + nanos / 1000000;
    return true;
}

static struct cel_value timestamp_of(struct coercion *c, const struct scan_value *v)
{
    int64_t ms;
    return coerce_instant(c, v, &ms) ? cel_timestamp_ms(ms) : absent;
}

static struct cel_value duration_of(struct coercion *c, const struct scan_value *v)
{
    (void)c;
    int64_t ms;
    return v->kind == SCAN_STRING && duration_parse(v->text, &ms) ? cel_duration_ms(ms) : absent;
}

static struct cel_value bytes_of(struct coercion *c, const struct scan_value *v)
{
    struct buffer bytes;
    buffer_init(&bytes, c->values);
    bool padded = v->kind == SCAN_STRING &&
                  v->text.size % 4 == 0; /* RFC 4648 §3.2; the decoder takes other texts, too */
    if (!padded || !base64_decode(v->text, &bytes)) return absent;
    c->no_memory |= bytes.failed;
    return (struct cel_value){.kind = CEL_BYTES, .size = (uint32_t)bytes.size, .as.s = bytes.data};
}

typedef struct cel_value scalar_of(struct coercion *c, const struct scan_value *v);

static scalar_of *const scalars[] = {
    [CEL_TYPE_BOOL] = bool_of,         [CEL_TYPE_INT] = int_of,
    [CEL_TYPE_UINT] = uint_of,         [CEL_TYPE_DOUBLE] = double_of,
    [CEL_TYPE_STRING] = string_of,     [CEL_TYPE_BYTES] = bytes_of,
    [CEL_TYPE_DURATION] = duration_of, [CEL_TYPE_TIMESTAMP] = timestamp_of,
};

static struct cel_value coerce_scalar(struct coercion *c, enum cel_type_kind kind)
{
    ensure(kind < sizeof scalars / sizeof scalars[0] && scalars[kind]);
    struct scan_value v = scan_value(&c->scan);
    return v.kind == SCAN_NULL ? (struct cel_value){.kind = CEL_NULL} : scalars[kind](c, &v);
}

/* ---- what is made of several */

void coerce_push(struct coercion *c, struct cel_value value)
{
    if (c->stack_count == c->stack_capacity) {
        size_t capacity = c->stack_capacity ? c->stack_capacity * 2 : 64;
        struct cel_value *stack = arena_alloc(c->keep, capacity * sizeof *stack);
        if (!stack) {
            c->no_memory = true;
            return;
        }
        if (c->stack_count) memcpy(stack, c->stack, c->stack_count * sizeof *stack);
        c->stack = stack;
        c->stack_capacity = capacity;
    }
    c->stack[c->stack_count++] = value;
}

struct cel_value coerce_take_list(struct coercion *c, size_t base)
{
    size_t count = c->stack_count - base;
    c->stack_count = base;
    struct cel_list *list = arena_alloc(c->values, sizeof *list + count * sizeof list->items[0]);
    c->no_memory |= !list;
    if (!list) return absent;
    list->count = count;
    if (count) memcpy(list->items, c->stack + base, count * sizeof list->items[0]);
    return (struct cel_value){.kind = CEL_LIST, .as.list = list};
}

static struct cel_value read_element(void *reader, const void *element)
{
    return coerce(reader, element);
}

struct cel_value coerce_take_map(struct coercion *c, size_t base)
{
    size_t count = (c->stack_count - base) / 2;
    c->stack_count = base;
    struct cel_map *map = cel_map_new(c->values, count);
    struct names keys;
    if (!map || !names_init(&keys, c->values, count)) {
        c->no_memory = true;
        return absent;
    }
    for (size_t i = 0; i < count; i++) {
        const struct cel_value *pair = &c->stack[base + 2 * i];
        uint32_t at = names_add(&keys, cel_text(pair[0]));
        map->entries[at] = (struct cel_entry){pair[0], pair[1]};
    }
    map->count = keys.count;
    c->no_memory |= !cel_map_finish(c->values, map);
    return (struct cel_value){.kind = CEL_MAP, .as.map = map};
}

static struct cel_value coerce_map(struct coercion *c, const struct cel_type *element)
{
    size_t base = c->stack_count;
    bool good = true;
    for (bool more = scan_open(&c->scan); more; more = scan_more(&c->scan, '}')) {
        str key = scan_key(&c->scan);
        if (!good) {
            scan_skip(&c->scan);
            continue;
        }
        coerce_push(c, cel_string(key));
        struct cel_value value = coerce(c, element);
        good = value.kind != CEL_ABSENT && value.kind != CEL_NULL;
        coerce_push(c, value);
    }
    if (good && !c->no_memory) return coerce_take_map(c, base);
    c->stack_count = base;
    return absent;
}

/* The field of that name; producers write records in one order, so the one behind the last is tried first. */
static size_t field_find(const struct cel_record_type *type, str name, size_t expected)
{
    for (size_t i = 0; i < type->field_count; i++) {
        size_t at = expected + i < type->field_count ? expected + i : expected + i - type->field_count;
        if (str_equal(type->fields[at].name, name)) return at;
    }
    return type->field_count;
}

void coerce_misfit(struct coercion *c, str field, const struct cel_type *type, const uint32_t *from)
{
    if (c->misfits && c->invalid < RELANCE_MISFITS_MAX)
        c->misfits[c->invalid] =
            (struct relance_misfit){field, scan_since(&c->scan, from), cel_type_name(c->values, type)};
    c->invalid++;
}

static struct cel_value coerce_record(struct coercion *c, const struct cel_record_type *type)
{
    struct cel_record *record =
        arena_alloc(c->values, sizeof *record + type->field_count * sizeof record->fields[0]);
    if (!record) {
        c->no_memory = true;
        scan_skip(&c->scan);
        return absent;
    }
    record->type = type;
    for (size_t i = 0; i < type->field_count; i++)
        record->fields[i] = absent;
    size_t expected = 0;
    for (bool more = scan_open(&c->scan); more; more = scan_more(&c->scan, '}')) {
        size_t at = field_find(type, scan_key(&c->scan), expected);
        if (at == type->field_count) {
            scan_skip(&c->scan);
        } else {
            record->fields[at] = coerce_field(c, type->fields[at].name, type->fields[at].type);
            if (record->fields[at].kind == CEL_NULL) record->fields[at] = absent;
            expected = at + 1;
        }
    }
    return (struct cel_value){.kind = CEL_RECORD, .as.record = record};
}

struct cel_value coerce(struct coercion *c, const struct cel_type *type)
{
    char c0 = scan_peek(&c->scan);
    switch (type->kind) {
    case CEL_TYPE_LIST:
        if (c0 == '[') return coerce_list_by(c, read_element, c, type->params[0]);
        break;
    case CEL_TYPE_MAP:
        if (c0 == '{') return coerce_map(c, type->params[1]);
        break;
    case CEL_TYPE_RECORD:
        if (c0 == '{') return coerce_record(c, type->record);
        break;
    default: return coerce_scalar(c, type->kind);
    }
    struct scan_value v = scan_value(&c->scan);
    return (struct cel_value){.kind = v.kind == SCAN_NULL ? CEL_NULL : CEL_ABSENT};
}
