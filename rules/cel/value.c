/* Values and types: what they are, which comes first, copies. When two are equal stands in charge.c.
 *
 * Numbers compare across their types as on one line (langdef.md, "Numeric comparisons"): an int or uint next
 * to a double is taken as the nearest double. A NaN equals nothing, itself included. */
#include "cel/value_ops.h"

#include "cel/seen.h"

const struct cel_type cel_types[CEL_TYPE_TYPE + 1] = {
    [CEL_TYPE_DYN] = {.kind = CEL_TYPE_DYN},           [CEL_TYPE_NULL] = {.kind = CEL_TYPE_NULL},
    [CEL_TYPE_BOOL] = {.kind = CEL_TYPE_BOOL},         [CEL_TYPE_INT] = {.kind = CEL_TYPE_INT},
    [CEL_TYPE_UINT] = {.kind = CEL_TYPE_UINT},         [CEL_TYPE_DOUBLE] = {.kind = CEL_TYPE_DOUBLE},
    [CEL_TYPE_STRING] = {.kind = CEL_TYPE_STRING},     [CEL_TYPE_BYTES] = {.kind = CEL_TYPE_BYTES},
    [CEL_TYPE_DURATION] = {.kind = CEL_TYPE_DURATION}, [CEL_TYPE_TIMESTAMP] = {.kind = CEL_TYPE_TIMESTAMP},
    [CEL_TYPE_TYPE] = {.kind = CEL_TYPE_TYPE},
};

static const struct cel_type *type_new(struct arena *arena, struct cel_type type)
{
    return arena_copy(arena, &type, sizeof type);
}

const struct cel_type *cel_list_of(struct arena *arena, const struct cel_type *element)
{
    return type_new(arena, (struct cel_type){.kind = CEL_TYPE_LIST, .params = {element}});
}

const struct cel_type *cel_map_of(struct arena *arena, const struct cel_type *key,
                                  const struct cel_type *value)
{
    return type_new(arena, (struct cel_type){.kind = CEL_TYPE_MAP, .params = {key, value}});
}

const struct cel_type *cel_record_of(struct arena *arena, const struct cel_record_type *record)
{
    return type_new(arena, (struct cel_type){.kind = CEL_TYPE_RECORD, .record = record});
}

bool cel_record_index(struct arena *arena, struct cel_record_type *record)
{
    enum { FEW = 16 };
    if (record->field_count <= FEW) return true;
    struct names *index = ARENA_NEW(arena, struct names);
    if (!index || !names_init(index, arena, record->field_count)) return false;
    for (size_t i = 0; i < record->field_count; i++)
        names_add(index, record->fields[i].name);
    bool distinct = index->count == record->field_count; /* a name given twice has been reported */
    record->index = distinct ? index : NULL;
    return true;
}

/* Records are told apart by name: one name is one record in a rule set. */
bool cel_record_type_equal(const struct cel_record_type *a, const struct cel_record_type *b)
{
    return a == b || (a && b && a->field_count == b->field_count && str_equal(a->name, b->name));
}

bool cel_type_equal(const struct cel_type *a, const struct cel_type *b)
{
    if (a == b) return true;
    if (!a || !b || a->kind != b->kind) return false;
    if (a->kind == CEL_TYPE_RECORD) return cel_record_type_equal(a->record, b->record);
    if (a->kind == CEL_TYPE_PARAM) return a->param == b->param;
    return cel_type_equal(a->params[0], b->params[0]) && cel_type_equal(a->params[1], b->params[1]);
}

static const char *const type_names[] = {
    [CEL_TYPE_DYN] = "dyn",           [CEL_TYPE_NULL] = "null",
    [CEL_TYPE_BOOL] = "bool",         [CEL_TYPE_INT] = "int",
    [CEL_TYPE_UINT] = "uint",         [CEL_TYPE_DOUBLE] = "double",
    [CEL_TYPE_STRING] = "string",     [CEL_TYPE_BYTES] = "bytes",
    [CEL_TYPE_DURATION] = "duration", [CEL_TYPE_TIMESTAMP] = "timestamp",
    [CEL_TYPE_TYPE] = "type",         [CEL_TYPE_LIST] = "list",
    [CEL_TYPE_MAP] = "map",           [CEL_TYPE_OPTIONAL] = "optional",
};

str cel_type_name(struct arena *arena, const struct cel_type *type)
{
    if (type->kind == CEL_TYPE_RECORD) return type->record->name;
    if (type->kind == CEL_TYPE_PARAM) return arena_format(arena, "%c", (char)('A' + type->param % 26));
    str name = str_of(type_names[type->kind]);
    if (!type->params[0]) return name;
    str first = cel_type_name(arena, type->params[0]);
    if (!type->params[1]) return arena_format(arena, "%.*s(%.*s)", STR_ARG(name), STR_ARG(first));
    str second = cel_type_name(arena, type->params[1]);
    return arena_format(arena, "%.*s(%.*s, %.*s)", STR_ARG(name), STR_ARG(first), STR_ARG(second));
}

str cel_type_noun(struct arena *arena, const struct cel_type *type)
{
    str name = cel_type_name(arena, type);
    bool record = type->kind == CEL_TYPE_RECORD, vowel = name.size && strchr("aeioAEIO", name.data[0]);
    if (type->kind == CEL_TYPE_NULL) return STR("null");
    return arena_format(arena, record ? "%s '%.*s'" : "%s %.*s", vowel ? "an" : "a", STR_ARG(name));
}

const char *cel_type_zero(const struct cel_type *type)
{
    switch (type->kind) {
    case CEL_TYPE_BOOL: return "false";
    case CEL_TYPE_INT: return "0";
    case CEL_TYPE_UINT: return "0u";
    case CEL_TYPE_DOUBLE: return "0.0";
    case CEL_TYPE_STRING: return "''";
    case CEL_TYPE_LIST: return "[]";
    default: return "…";
    }
}

static struct cel_value instant_ms(uint8_t kind, int64_t ms, bool floor)
{
    int64_t seconds = ms / 1000, rest = ms % 1000;
    if (floor && rest < 0) {
        seconds--;
        rest += 1000;
    }
    return (struct cel_value){.kind = kind, .nanos = (int32_t)(rest * 1000000), .as.i = seconds};
}

struct cel_value cel_timestamp_ms(int64_t ms)
{
    return instant_ms(CEL_TIMESTAMP, ms, true);
}

struct cel_value cel_duration_ms(int64_t ms)
{
    return instant_ms(CEL_DURATION, ms, false);
}

int64_t cel_timestamp_to_ms(struct cel_value timestamp)
{
    return timestamp.as.i * 1000 + timestamp.nanos / 1000000;
}

/* ---- order of numbers: -1, 0, 1, or CEL_UNORDERED beside a NaN */

static int order_int(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int order_uint(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int order_double(double a, double b)
{
    if (a < b) return -1;
    if (a > b) return 1;
    return a == b ? 0 : CEL_UNORDERED;
}

static double number_double(struct cel_value v)
{
    return v.kind == CEL_DOUBLE ? v.as.d : v.kind == CEL_INT ? (double)v.as.i : (double)v.as.u;
}

int cel_number_order(struct cel_value a, struct cel_value b)
{
    if (a.kind == CEL_DOUBLE || b.kind == CEL_DOUBLE) return order_double(number_double(a), number_double(b));
    if (a.kind == CEL_INT && b.kind == CEL_INT) return order_int(a.as.i, b.as.i);
    if (a.kind == CEL_UINT && b.kind == CEL_UINT) return order_uint(a.as.u, b.as.u);
    if (a.kind == CEL_INT) return a.as.i < 0 ? -1 : order_uint((uint64_t)a.as.i, b.as.u);
    return b.as.i < 0 ? 1 : order_uint(a.as.u, (uint64_t)b.as.i);
}

bool cel_is_number(struct cel_value v)
{
    return v.kind == CEL_INT || v.kind == CEL_UINT || v.kind == CEL_DOUBLE;
}

static int order_text(str a, str b)
{
    int order = str_compare(a, b); /* of any size */
    return (order > 0) - (order < 0);
}

int cel_order(struct cel_value a, struct cel_value b)
{
    if (cel_is_number(a) && cel_is_number(b)) return cel_number_order(a, b);
    if (a.kind != b.kind) return CEL_UNORDERED;
    switch (a.kind) {
    case CEL_BOOL: return (int)a.as.b - (int)b.as.b;
    case CEL_STRING:
    case CEL_BYTES: return order_text(cel_text(a), cel_text(b));
    case CEL_DURATION:
    case CEL_TIMESTAMP: return a.as.i != b.as.i ? order_int(a.as.i, b.as.i) : order_int(a.nanos, b.nanos);
    default: return CEL_UNORDERED;
    }
}

/* ---- copies, for what outlives the arena that it was made in */

struct copying {
    struct arena *to;
    struct seen copied;
};

static bool copy_in(struct copying *c, struct cel_value *v);

static const void *list_copy(struct copying *c, const struct cel_list *from)
{
    struct cel_list *to = arena_copy(c->to, from, sizeof *from + from->count * sizeof from->items[0]);
    for (size_t i = 0; to && i < to->count; i++)
        if (!copy_in(c, &to->items[i])) return NULL;
    return to;
}

static const void *map_copy(struct copying *c, const struct cel_map *from)
{
    struct cel_map *to = arena_copy(c->to, from, sizeof *from + from->count * sizeof from->entries[0]);
    if (to) to->index = NULL;
    for (size_t i = 0; to && i < to->count; i++)
        if (!copy_in(c, &to->entries[i].key) || !copy_in(c, &to->entries[i].value)) return NULL;
    return to && cel_map_finish(c->to, to) ? to : NULL;
}

static const void *held_copy(struct copying *c, const struct cel_value *from)
{
    struct cel_value *to = arena_copy(c->to, from, sizeof *from);
    return to && copy_in(c, to) ? to : NULL;
}

/* A list, a map or an optional that holds something: made once, however often it is met. */
static bool container_copy(struct copying *c, struct cel_value *v)
{
    const void *from = v->as.list; /* whatever it is: the pointer */
    const struct seen_place *known = seen_find(&c->copied, from, NULL);
    const void *to = known                 ? known->made
                     : v->kind == CEL_LIST ? list_copy(c, v->as.list)
                     : v->kind == CEL_MAP  ? map_copy(c, v->as.map)
                                           : held_copy(c, v->as.optional);
    v->as.list = to;
    return to && (known || seen_add(&c->copied, (struct seen_place){from, NULL, to}));
}

static bool copy_in(struct copying *c, struct cel_value *v)
{
    if (v->spare == CEL_KEPT) return true;
    switch (v->kind) {
    case CEL_STRING:
    case CEL_BYTES: {
        str copy;
        if (!arena_copy_str(c->to, cel_text(*v), &copy)) return false;
        v->as.s = copy.data;
        return true;
    }
    case CEL_LIST:
    case CEL_MAP: return container_copy(c, v);
    case CEL_OPTIONAL: return !v->as.optional || container_copy(c, v);
    case CEL_TYPE: return (v->as.type = cel_type_copy(c->to, v->as.type)) != NULL;
    default: return true;
    }
}

bool cel_value_copy(struct arena *arena, struct cel_value *v)
{
    struct arena scratch;
    arena_init(&scratch, 0);
    struct copying c = {.to = arena, .copied.arena = &scratch};
    bool copied = copy_in(&c, v);
    arena_free(&scratch);
    return copied;
}

const struct cel_type *cel_type_copy(struct arena *arena, const struct cel_type *type)
{
    if (type->kind <= CEL_TYPE_TYPE && !type->params[0]) return &cel_types[type->kind];
    struct cel_type copy = *type;
    for (size_t i = 0; i < 2; i++) {
        if (!copy.params[i]) continue;
        copy.params[i] = cel_type_copy(arena, copy.params[i]);
        if (!copy.params[i]) return NULL;
    }
    return type_new(arena, copy);
}
