/* Operators on whatever kinds of value they meet (langdef.md "Standard Definitions"). The VM does ints and
 * doubles itself and comes here for the rest. */
#include "cel/func.h"

#include "cel/timestamp.h"

#include <math.h>

/* What of a text fits into a sentence; printf would measure the rest, too. */
#define TEXT_START(s)                                                                                        \
    ((int)((s).size < sizeof(((struct cel_frame *)0)->error) ? (s).size                                      \
                                                             : sizeof(((struct cel_frame *)0)->error))),     \
        (s).data

static bool both(const struct cel_value *a, uint8_t kind)
{
    return a[0].kind == kind && a[1].kind == kind;
}

static struct cel_value fail_zero(struct machine *m, const char *what)
{
    return cel_fail(m->frame, CEL_ERROR_ZERO_DIVISION, "%s by zero", what);
}

struct cel_value op_not(struct machine *m, const struct cel_value *a)
{
    return a->kind == CEL_BOOL ? cel_bool(!a->as.b) : fail_overload(m, "!_");
}

struct cel_value op_negate(struct machine *m, const struct cel_value *a)
{
    if (a->kind == CEL_DOUBLE) return cel_double(-a->as.d);
    if (a->kind != CEL_INT) return fail_overload(m, "-_");
    return a->as.i == INT64_MIN ? fail_overflow(m, "int") : cel_int(-a->as.i);
}

/* ---- addition and subtraction */

static struct cel_value joined(struct machine *m, const struct cel_value *a)
{
    size_t size = (size_t)a[0].size + a[1].size;
    char *text = machine_touch(m, size) ? machine_alloc(m, size) : NULL;
    if (!text) return machine_exhausted(m);
    if (a[0].size) memcpy(text, a[0].as.s, a[0].size);
    if (a[1].size) memcpy(text + a[0].size, a[1].as.s, a[1].size);
    return (struct cel_value){.kind = a[0].kind, .size = (uint32_t)size, .as.s = text};
}

static struct cel_value lists_joined(struct machine *m, const struct cel_list *a, const struct cel_list *b)
{
    if (a->count == 0) return list_value(b);
    if (b->count == 0) return list_value(a);
    struct cel_list *list = list_new(m, a->count + b->count);
    if (!list) return machine_exhausted(m);
    memcpy(list->items, a->items, a->count * sizeof a->items[0]);
    memcpy(list->items + a->count, b->items, b->count * sizeof b->items[0]);
    list->count = a->count + b->count;
    return list_value(list);
}

static struct cel_value moved(struct machine *m, struct cel_value t, struct cel_value d, int sign)
{
    struct cel_value result;
    bool fits = timestamp_make(t.as.i + sign * d.as.i, t.nanos + (int64_t)sign * d.nanos, &result);
    return fits ? result : fail_overflow(m, "timestamp");
}

static struct cel_value duration_of(struct machine *m, int64_t seconds, int64_t nanos)
{
    struct cel_value result;
    if (seconds > 0 && nanos < 0) { /* one sign, so that the sum cannot overflow on its way to fitting */
        seconds--;
        nanos += 1000000000;
    } else if (seconds < 0 && nanos > 0) {
        seconds++;
        nanos -= 1000000000;
    }
    return duration_make(seconds, nanos, &result) ? result : fail_overflow(m, "duration");
}

struct cel_value op_add(struct machine *m, const struct cel_value *a)
{
    int64_t i;
    uint64_t u;
    if (both(a, CEL_INT))
        return __builtin_add_overflow(a[0].as.i, a[1].as.i, &i) ? fail_overflow(m, "int") : cel_int(i);
    if (both(a, CEL_UINT))
        return __builtin_add_overflow(a[0].as.u, a[1].as.u, &u) ? fail_overflow(m, "uint") : cel_uint(u);
    if (both(a, CEL_DOUBLE)) return cel_double(a[0].as.d + a[1].as.d);
    if (both(a, CEL_STRING) || both(a, CEL_BYTES)) return joined(m, a);
    if (both(a, CEL_LIST)) return lists_joined(m, a[0].as.list, a[1].as.list);
    if (both(a, CEL_DURATION)) return duration_of(m, a[0].as.i + a[1].as.i, (int64_t)a[0].nanos + a[1].nanos);
    if (a[0].kind == CEL_TIMESTAMP && a[1].kind == CEL_DURATION) return moved(m, a[0], a[1], 1);
    if (a[0].kind == CEL_DURATION && a[1].kind == CEL_TIMESTAMP) return moved(m, a[1], a[0], 1);
    return fail_overload(m, "_+_");
}

struct cel_value op_subtract(struct machine *m, const struct cel_value *a)
{
    int64_t i;
    uint64_t u;
    if (both(a, CEL_INT))
        return __builtin_sub_overflow(a[0].as.i, a[1].as.i, &i) ? fail_overflow(m, "int") : cel_int(i);
    if (both(a, CEL_UINT))
        return __builtin_sub_overflow(a[0].as.u, a[1].as.u, &u) ? fail_overflow(m, "uint") : cel_uint(u);
    if (both(a, CEL_DOUBLE)) return cel_double(a[0].as.d - a[1].as.d);
    if (both(a, CEL_DURATION) || both(a, CEL_TIMESTAMP))
        return duration_of(m, a[0].as.i - a[1].as.i, (int64_t)a[0].nanos - a[1].nanos);
    if (a[0].kind == CEL_TIMESTAMP && a[1].kind == CEL_DURATION) return moved(m, a[0], a[1], -1);
    return fail_overload(m, "_-_");
}

/* ---- multiplication and division */

struct cel_value op_multiply(struct machine *m, const struct cel_value *a)
{
    int64_t i;
    uint64_t u;
    if (both(a, CEL_INT))
        return __builtin_mul_overflow(a[0].as.i, a[1].as.i, &i) ? fail_overflow(m, "int") : cel_int(i);
    if (both(a, CEL_UINT))
        return __builtin_mul_overflow(a[0].as.u, a[1].as.u, &u) ? fail_overflow(m, "uint") : cel_uint(u);
    if (both(a, CEL_DOUBLE)) return cel_double(a[0].as.d * a[1].as.d);
    return fail_overload(m, "_*_");
}

struct cel_value op_divide(struct machine *m, const struct cel_value *a)
{
    if (both(a, CEL_DOUBLE))
        return cel_double(a[0].as.d / a[1].as.d); /* IEEE 754: by zero an infinity or NaN */
    if (!both(a, CEL_INT) && !both(a, CEL_UINT)) return fail_overload(m, "_/_");
    if (a[1].as.u == 0) return fail_zero(m, "division");
    if (a[0].kind == CEL_UINT) return cel_uint(a[0].as.u / a[1].as.u);
    if (a[0].as.i == INT64_MIN && a[1].as.i == -1) return fail_overflow(m, "int");
    return cel_int(a[0].as.i / a[1].as.i);
}

struct cel_value op_modulo(struct machine *m, const struct cel_value *a)
{
    if (!both(a, CEL_INT) && !both(a, CEL_UINT)) return fail_overload(m, "_%_");
    if (a[1].as.u == 0) return fail_zero(m, "modulus");
    if (a[0].kind == CEL_UINT) return cel_uint(a[0].as.u % a[1].as.u);
    if (a[0].as.i == INT64_MIN && a[1].as.i == -1) return fail_overflow(m, "int");
    return cel_int(a[0].as.i % a[1].as.i);
}

/* ---- comparison */

struct cel_value op_equal(struct machine *m, const struct cel_value *a)
{
    return cel_bool(value_equal(m, a[0], a[1]));
}

struct cel_value op_unequal(struct machine *m, const struct cel_value *a)
{
    return cel_bool(!value_equal(m, a[0], a[1]));
}

/* Orders two values; false when they have no order. A NaN has one, in which every comparison is false. */
static bool ordered(struct machine *m, const struct cel_value *a, int *order)
{
    *order = value_order(m, a[0], a[1]);
    return *order != CEL_UNORDERED || (cel_is_number(a[0]) && cel_is_number(a[1]));
}

struct cel_value op_less(struct machine *m, const struct cel_value *a)
{
    int order;
    return ordered(m, a, &order) ? cel_bool(order < 0) : fail_overload(m, "_<_");
}

struct cel_value op_less_equal(struct machine *m, const struct cel_value *a)
{
    int order;
    return ordered(m, a, &order) ? cel_bool(order <= 0) : fail_overload(m, "_<=_");
}

struct cel_value op_greater(struct machine *m, const struct cel_value *a)
{
    int order;
    return ordered(m, a, &order) ? cel_bool(order > 0 && order != CEL_UNORDERED) : fail_overload(m, "_>_");
}

struct cel_value op_greater_equal(struct machine *m, const struct cel_value *a)
{
    int order;
    return ordered(m, a, &order) ? cel_bool(order >= 0 && order != CEL_UNORDERED) : fail_overload(m, "_>=_");
}

/* ---- membership, index, selection */

struct cel_value op_in(struct machine *m, const struct cel_value *a)
{
    if (a[1].kind == CEL_MAP) return cel_bool(map_find(m, a[1].as.map, a[0]) != NULL);
    if (a[1].kind != CEL_LIST) return fail_overload(m, "_in_");
    const struct cel_list *list = a[1].as.list;
    for (size_t i = 0; i < list->count && list_touch(m, 1); i++)
        if (value_is(m, list->items[i], a[0])) return cel_bool(true);
    return cel_bool(false);
}

bool key_kind(uint8_t kind)
{
    return kind == CEL_STRING || kind == CEL_INT || kind == CEL_UINT || kind == CEL_BOOL;
}

/* An index is an int, or a number that equals one. */
static bool index_number(struct cel_value v, int64_t *index)
{
    *index = v.as.i;
    if (v.kind == CEL_UINT) *index = v.as.u > INT64_MAX ? INT64_MAX : (int64_t)v.as.u;
    if (v.kind == CEL_DOUBLE) {
        if (v.as.d != trunc(v.as.d) || fabs(v.as.d) > 9e15) return false;
        *index = (int64_t)v.as.d;
    }
    return cel_is_number(v);
}

struct cel_value value_lookup(struct machine *m, struct cel_value container, struct cel_value key)
{
    static const struct cel_value nothing = {.kind = CEL_UNSET};
    if (container.kind == CEL_MAP) {
        if (!key_kind(key.kind) && key.kind != CEL_DOUBLE) return fail_overload(m, "_[_]");
        const struct cel_value *found = map_find(m, container.as.map, key);
        return found ? *found : nothing;
    }
    int64_t index;
    if (container.kind != CEL_LIST || !index_number(key, &index)) return fail_overload(m, "_[_]");
    return index >= 0 && (uint64_t)index < container.as.list->count ? container.as.list->items[index]
                                                                    : nothing;
}

static struct cel_value fail_missing(struct machine *m, struct cel_value container, struct cel_value key)
{
    if (container.kind == CEL_LIST) return cel_fail(m->frame, CEL_ERROR_INDEX, "index out of bounds");
    if (key.kind == CEL_STRING)
        return cel_fail(m->frame, CEL_ERROR_NO_KEY, "no such key: '%.*s'", TEXT_START(cel_text(key)));
    return cel_fail(m->frame, CEL_ERROR_NO_KEY, "no such key");
}

struct cel_value op_index(struct machine *m, const struct cel_value *a)
{
    if (a[0].kind == CEL_OPTIONAL) return op_index_optional(m, a);
    struct cel_value v = value_lookup(m, a[0], a[1]);
    return v.kind == CEL_UNSET ? fail_missing(m, a[0], a[1]) : v;
}

struct cel_value op_index_optional(struct machine *m, const struct cel_value *a)
{
    struct cel_value container = a[0];
    if (container.kind == CEL_OPTIONAL) {
        if (!container.as.optional) return container;
        container = *container.as.optional;
    }
    struct cel_value v = value_lookup(m, container, a[1]);
    if (v.kind == CEL_UNSET) return optional_none();
    return v.kind == CEL_ERROR ? v : optional_new(m, v);
}

/* The field of a record or the entry of a map; CEL_UNSET when it is not there. */
static struct cel_value find_member(struct machine *m, struct cel_value operand, str name)
{
    if (operand.kind == CEL_MAP) return value_lookup(m, operand, cel_string(name));
    if (operand.kind != CEL_RECORD)
        return cel_fail(m->frame, CEL_ERROR_NO_FIELD, "no such field '%.*s'", TEXT_START(name));
    const struct cel_record_type *type = operand.as.record->type;
    if (!list_touch(m, type->field_count)) return machine_out_of_steps(m);
    for (size_t i = 0; i < type->field_count; i++) {
        if (!str_equal(type->fields[i].name, name)) continue;
        struct cel_value v = operand.as.record->fields[i];
        return v.kind > CEL_ABSENT ? v : (struct cel_value){.kind = CEL_UNSET};
    }
    return cel_fail(m->frame, CEL_ERROR_NO_FIELD, "no such field '%.*s'", TEXT_START(name));
}

struct cel_value value_select_optional(struct machine *m, struct cel_value operand, str name)
{
    if (operand.kind == CEL_OPTIONAL) {
        if (!operand.as.optional) return operand;
        operand = *operand.as.optional;
    }
    struct cel_value v = find_member(m, operand, name);
    if (v.kind == CEL_UNSET) return optional_none();
    return v.kind == CEL_ERROR ? v : optional_new(m, v);
}

struct cel_value value_select(struct machine *m, struct cel_value operand, str name)
{
    if (operand.kind == CEL_OPTIONAL) return value_select_optional(m, operand, name);
    struct cel_value v = find_member(m, operand, name);
    if (v.kind != CEL_UNSET) return v;
    enum cel_error_code code = operand.kind == CEL_MAP ? CEL_ERROR_NO_KEY : CEL_ERROR_NO_FIELD;
    return cel_fail(m->frame, code, code == CEL_ERROR_NO_KEY ? "no such key: '%.*s'" : "no such field '%.*s'",
                    TEXT_START(name));
}

struct cel_value value_has(struct machine *m, struct cel_value operand, str name)
{
    if (operand.kind == CEL_OPTIONAL) {
        if (!operand.as.optional) return cel_bool(false);
        operand = *operand.as.optional;
    }
    struct cel_value v = find_member(m, operand, name);
    return v.kind == CEL_ERROR ? v : cel_bool(v.kind != CEL_UNSET);
}
