#include "wire/avro_type.h"
#include "base/names.h"
#include "json/json.h"

/* Types by their full names, in the order in which they are defined. */
struct avro_names {
    struct names numbers;
    const struct avro_type **types;
    size_t capacity;
};

struct avro_compiler {
    struct arena *arena;
    struct avro_names named;
    struct relance_error *error;
    bool failed;
};

static const str kind_names[AVRO_KINDS] = {
    [AVRO_NULL] = {"null", 4},   [AVRO_BOOLEAN] = {"boolean", 7}, [AVRO_INT] = {"int", 3},
    [AVRO_LONG] = {"long", 4},   [AVRO_FLOAT] = {"float", 5},     [AVRO_DOUBLE] = {"double", 6},
    [AVRO_BYTES] = {"bytes", 5}, [AVRO_STRING] = {"string", 6},   [AVRO_RECORD] = {"record", 6},
    [AVRO_ENUM] = {"enum", 4},   [AVRO_ARRAY] = {"array", 5},     [AVRO_MAP] = {"map", 3},
    [AVRO_UNION] = {"union", 5}, [AVRO_FIXED] = {"fixed", 5},
};

enum { AVRO_NAME_SHOWN = 200 };

static struct avro_type *compile(struct avro_compiler *c, const struct json *node, str space);

/* The first thing that is wrong is told. Always NULL. */
static struct avro_type *fail(struct avro_compiler *c, const char *what, str name)
{
    bool named = name.size > 0;
    if (name.size > AVRO_NAME_SHOWN) name.size = AVRO_NAME_SHOWN;
    if (!c->failed)
        relance_error_set(c->error, RELANCE_INVALID, "the Avro schema %s%s%.*s", what, named ? ": " : "",
                          STR_ARG(name));
    c->failed = true;
    return NULL;
}

static struct avro_type *no_memory(struct avro_compiler *c)
{
    if (!c->failed) relance_error_set(c->error, RELANCE_NO_MEMORY, "no memory for an Avro schema");
    c->failed = true;
    return NULL;
}

static struct avro_type *type_new(struct avro_compiler *c, enum avro_kind kind)
{
    struct avro_type *type = ARENA_NEW(c->arena, struct avro_type);
    if (!type) return no_memory(c);
    type->kind = kind;
    return type;
}

/* A text as JSON has it, and what stands behind it. */
static bool quote(struct avro_compiler *c, str text, str behind, str *out)
{
    struct buffer buffer;
    buffer_init(&buffer, c->arena);
    buffer_put_json_string(&buffer, text);
    buffer_put_str(&buffer, behind);
    *out = buffer_str(&buffer);
    return !buffer.failed || no_memory(c);
}

static str text_of(const struct json *object, const char *key)
{
    const struct json *member = json_member(object, key);
    return member && member->kind == JSON_STRING ? member->text : (str){0};
}

/* `space` and a name; a name with a point is full already. */
static str full_name(struct avro_compiler *c, str space, str name)
{
    if (!space.size || memchr(name.data, '.', name.size)) return name;
    return arena_format(c->arena, "%.*s.%.*s", STR_ARG(space), STR_ARG(name));
}

static str space_of(str full)
{
    const char *point = full.size ? memrchr(full.data, '.', full.size) : NULL;
    return point ? str_slice(full, 0, (size_t)(point - full.data)) : (str){0};
}

static bool name_keep(struct avro_compiler *c, str full, const struct avro_type *type)
{
    uint32_t number, count = c->named.numbers.count;
    if (!names_put(&c->named.numbers, c->arena, full, &number)) return no_memory(c);
    if (number < count) return fail(c, "defines a type twice", full);
    if (number == c->named.capacity) {
        size_t capacity = c->named.capacity ? 2 * c->named.capacity : 16;
        const struct avro_type **types = ARENA_ARRAY(c->arena, const struct avro_type *, capacity);
        if (!types) return no_memory(c);
        if (number) memcpy(types, c->named.types, number * sizeof *types);
        c->named.types = types;
        c->named.capacity = capacity;
    }
    c->named.types[number] = type;
    return true;
}

static const struct avro_type *name_find(const struct avro_compiler *c, str full)
{
    uint32_t number = names_find(&c->named.numbers, full);
    return number == NAME_NONE ? NULL : c->named.types[number];
}

/* "string", "com.shop.Item", "Item" */
static struct avro_type *compile_name(struct avro_compiler *c, str name, str space)
{
    for (enum avro_kind kind = 0; kind < AVRO_RECORD; kind++)
        if (str_equal(name, kind_names[kind])) return type_new(c, kind);
    const struct avro_type *found = name_find(c, full_name(c, space, name));
    if (!found) found = name_find(c, name); /* defined without a namespace */
    if (!found) return fail(c, "does not define a type", name);
    return (struct avro_type *)found;
}

static struct avro_type *compile_union(struct avro_compiler *c, const struct json *list, str space)
{
    struct avro_type *type = type_new(c, AVRO_UNION);
    if (!type) return NULL;
    type->types = ARENA_ARRAY(c->arena, const struct avro_type *, list->count + 1);
    if (!type->types) return no_memory(c);
    for (const struct json *branch = list->child; branch; branch = branch->next) {
        const struct avro_type *inner = compile(c, branch, space);
        if (!inner) return NULL;
        if (inner->kind == AVRO_UNION) return fail(c, "has a union in a union", STR(""));
        type->types[type->count++] = inner;
    }
    return type;
}

static struct avro_type *compile_elements(struct avro_compiler *c, const struct json *object,
                                          enum avro_kind kind, const char *member, str space)
{
    const struct json *elements = json_member(object, member);
    struct avro_type *type = type_new(c, kind);
    if (!type) return NULL;
    if (!elements) return fail(c, "has no type for the elements of a type", kind_names[kind]);
    type->types = ARENA_ARRAY(c->arena, const struct avro_type *, 1);
    if (!type->types) return no_memory(c);
    type->types[0] = compile(c, elements, space);
    return type->types[0] ? type : NULL;
}

static struct avro_type *compile_fields(struct avro_compiler *c, struct avro_type *type,
                                        const struct json *object, str space)
{
    const struct json *list = json_member(object, "fields");
    if (!list || list->kind != JSON_ARRAY) return fail(c, "has a record without fields", STR(""));
    type->fields = ARENA_ARRAY(c->arena, struct avro_field, list->count + 1);
    if (!type->fields) return no_memory(c);
    for (const struct json *one = list->child; one; one = one->next) {
        struct avro_field *field = &type->fields[type->count];
        const struct json *inner = one->kind == JSON_OBJECT ? json_member(one, "type") : NULL;
        str name = one->kind == JSON_OBJECT ? text_of(one, "name") : (str){0};
        if (!inner || !name.size) return fail(c, "has a field without name or type", STR(""));
        field->type = compile(c, inner, space);
        if (!field->type || !quote(c, name, STR(":"), &field->key)) return NULL;
        type->count++;
    }
    return type;
}

static struct avro_type *compile_symbols(struct avro_compiler *c, struct avro_type *type,
                                         const struct json *object)
{
    const struct json *list = json_member(object, "symbols");
    if (!list || list->kind != JSON_ARRAY) return fail(c, "has an enum without symbols", STR(""));
    type->symbols = ARENA_ARRAY(c->arena, str, list->count + 1);
    if (!type->symbols) return no_memory(c);
    for (const struct json *one = list->child; one; one = one->next) {
        if (one->kind != JSON_STRING) return fail(c, "has a symbol that is no text", STR(""));
        if (!quote(c, one->text, (str){0}, &type->symbols[type->count++])) return NULL;
    }
    return type;
}

/* Whole and not negative, at most `max`; false: it is none. */
static bool count_of(const struct json *object, const char *key, double max, size_t *out)
{
    const struct json *member = json_member(object, key);
    bool some = member && member->kind == JSON_NUMBER && member->number >= 0 && member->number <= max &&
                member->number == (double)(size_t)member->number;
    if (some) *out = (size_t)member->number;
    return some;
}

/* A logical type changes what a type is written as; one that does not fit is none. */
static void compile_logical(struct avro_type *type, const struct json *object)
{
    str logical = text_of(object, "logicalType");
    size_t scale = 0;
    bool bytes = type->kind == AVRO_BYTES || type->kind == AVRO_FIXED;
    bool scaled = !json_member(object, "scale") || count_of(object, "scale", WIRE_DECIMAL_SCALE, &scale);
    if (bytes && scaled && str_equal(logical, STR("decimal"))) {
        type->logical = AVRO_DECIMAL;
        type->scale = (unsigned)scale;
    }
    if (type->kind == AVRO_INT && str_equal(logical, STR("date"))) type->logical = AVRO_DATE;
    if (type->kind == AVRO_FIXED && type->size == 16 && str_equal(logical, STR("uuid")))
        type->logical = AVRO_UUID;
}

/* A record, an enum or a fixed. Its name is known before its fields are: they may be of this very type. */
static struct avro_type *compile_named(struct avro_compiler *c, const struct json *object,
                                       enum avro_kind kind, str space)
{
    struct avro_type *type = type_new(c, kind);
    str name = text_of(object, "name");
    const struct json *given = json_member(object, "namespace");
    if (!type) return NULL;
    if (!name.size) return fail(c, "has a type without a name", kind_names[kind]);
    name = full_name(c, given && given->kind == JSON_STRING ? given->text : space, name);
    if (!arena_copy_str(c->arena, name, &name)) return no_memory(c);
    if (!name_keep(c, name, type)) return NULL;
    if (kind == AVRO_RECORD) return compile_fields(c, type, object, space_of(name));
    if (kind == AVRO_ENUM) return compile_symbols(c, type, object);
    if (!count_of(object, "size", INT32_MAX, &type->size)) return fail(c, "has a fixed without a size", name);
    compile_logical(type, object);
    return type;
}

/* {"type": "bytes", "logicalType": "decimal", …}; of a type with a name the members say nothing. */
static struct avro_type *compile_primitive(struct avro_compiler *c, const struct json *object, str name,
                                           str space)
{
    struct avro_type *type = compile_name(c, name, space);
    if (type && type->kind < AVRO_RECORD) compile_logical(type, object);
    return type;
}

static struct avro_type *compile_object(struct avro_compiler *c, const struct json *object, str space)
{
    const struct json *member = json_member(object, "type");
    if (!member) return fail(c, "has an object without a type", STR(""));
    if (member->kind != JSON_STRING) return compile(c, member, space);
    str name = member->text;
    if (str_equal(name, kind_names[AVRO_ARRAY]))
        return compile_elements(c, object, AVRO_ARRAY, "items", space);
    if (str_equal(name, kind_names[AVRO_MAP])) return compile_elements(c, object, AVRO_MAP, "values", space);
    for (enum avro_kind kind = AVRO_RECORD; kind < AVRO_KINDS; kind++)
        if (kind != AVRO_UNION && str_equal(name, kind_names[kind]))
            return compile_named(c, object, kind, space);
    return compile_primitive(c, object, name, space);
}

/* A type is a name, a union or an object. How deep it nests has been bounded by the JSON reader. */
static struct avro_type *compile(struct avro_compiler *c, const struct json *node, str space)
{
    switch (node->kind) {
    case JSON_STRING: return compile_name(c, node->text, space);
    case JSON_ARRAY: return compile_union(c, node, space);
    case JSON_OBJECT: return compile_object(c, node, space);
    default: return fail(c, "has a type that is none", STR(""));
    }
}

/* What the first mistake is, in a sentence without places: who wrote the schema is not who reads this. */
static struct avro_type *fail_json(struct avro_compiler *c, const struct diagnostics *diag)
{
    if (diag->failed) return no_memory(c);
    return fail(c, "is no JSON", diag->first->message);
}

static struct avro_type *compile_text(struct avro_compiler *c, str text)
{
    struct arena scratch;
    struct diagnostics diag;
    struct source source = {.name = STR("schema"), .text = text};
    arena_init(&scratch, 0);
    diag_init(&diag, &scratch);
    const struct json *root = json_parse(&scratch, &source, &diag);
    struct avro_type *type =
        diag.first || diag.failed || !root ? fail_json(c, &diag) : compile(c, root, (str){0});
    arena_free(&scratch);
    return type;
}

enum relance_status avro_compile(struct arena *arena, const str *texts, size_t count,
                                 const struct avro_type **out, struct relance_error *error)
{
    struct avro_compiler c = {.arena = arena, .error = error};
    const struct avro_type *type = NULL;
    if (!names_init(&c.named.numbers, arena, 0)) no_memory(&c);
    for (size_t i = 0; i < count && !c.failed; i++)
        type = compile_text(&c, texts[i]);
    if (c.failed) return error->status;
    *out = type;
    return RELANCE_OK;
}
