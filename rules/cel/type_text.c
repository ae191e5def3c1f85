#include "cel/type_text.h"

static const struct {
    str name;
    enum cel_type_kind kind;
} scalar_types[] = {
    {STR("string"), CEL_TYPE_STRING},     {STR("int"), CEL_TYPE_INT},
    {STR("uint"), CEL_TYPE_UINT},         {STR("double"), CEL_TYPE_DOUBLE},
    {STR("bool"), CEL_TYPE_BOOL},         {STR("timestamp"), CEL_TYPE_TIMESTAMP},
    {STR("duration"), CEL_TYPE_DURATION}, {STR("bytes"), CEL_TYPE_BYTES},
};

enum { SCALAR_TYPES = sizeof scalar_types / sizeof *scalar_types, TYPE_DEPTH = 8 };

struct records {
    cel_record_find *find;
    void *context;
};

/* The inside of NAME( … ), or an empty string. */
static bool type_arguments(str text, str name, str *inside)
{
    if (!str_starts_with(text, name) || text.size < name.size + 2) return false;
    str rest = str_trim(str_slice(text, name.size, text.size));
    if (rest.size < 2 || rest.data[0] != '(' || rest.data[rest.size - 1] != ')') return false;
    *inside = str_trim(str_slice(rest, 1, rest.size - 1));
    return true;
}

static const struct cel_type *parse(struct arena *arena, str text, const struct records *records,
                                    unsigned depth)
{
    text = str_trim(text);
    str inside;
    if (depth > TYPE_DEPTH) return NULL;
    for (size_t i = 0; i < SCALAR_TYPES; i++)
        if (str_equal(text, scalar_types[i].name)) return &cel_types[scalar_types[i].kind];
    if (type_arguments(text, STR("list"), &inside)) {
        const struct cel_type *element = parse(arena, inside, records, depth + 1);
        return element ? cel_list_of(arena, element) : NULL;
    }
    if (type_arguments(text, STR("map"), &inside)) {
        str key = STR("string");
        if (!str_starts_with(inside, key)) return NULL;
        str rest = str_trim(str_slice(inside, key.size, inside.size));
        if (!rest.size || rest.data[0] != ',') return NULL;
        const struct cel_type *value = parse(arena, str_slice(rest, 1, rest.size), records, depth + 1);
        return value ? cel_map_of(arena, &cel_types[CEL_TYPE_STRING], value) : NULL;
    }
    const struct cel_record_type *record = records->find ? records->find(records->context, text) : NULL;
    return record ? cel_record_of(arena, record) : NULL;
}

const struct cel_type *cel_type_parse(struct arena *arena, str text, cel_record_find *find, void *context)
{
    struct records records = {find, context};
    return parse(arena, text, &records, 0);
}

str cel_type_elsewhere(str text, struct nearest *nearest)
{
    static const struct {
        str name, hint;
    } names[] = {
        {STR("number"), STR("write double, or int")},
        {STR("float"), STR("write double")},
        {STR("decimal"), STR("write double")},
        {STR("integer"), STR("write int")},
        {STR("boolean"), STR("write bool")},
        {STR("text"), STR("write string")},
        {STR("date"), STR("write timestamp for an instant, string for a day such as \"2026-12-24\"")},
        {STR("datetime"), STR("write timestamp")},
        {STR("list"), STR("say of what: list(string)")},
        {STR("array"), STR("say of what: list(string)")},
        {STR("map"), STR("say of what: map(string, double)")},
        {STR("object"), STR("declare a record in 'types', or say map(string, string)")},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_equal(names[i].name, text)) return names[i].hint;
    for (size_t i = 0; i < SCALAR_TYPES; i++)
        nearest_offer(nearest, scalar_types[i].name);
    return (str){0};
}
