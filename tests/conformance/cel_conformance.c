/* Runs the public CEL conformance tests: cel_conformance FILE…
 *
 * A FILE has one JSON object a line, as ../shared/suites/cel/SOURCE.txt describes. Prints one line for each
 * failing test and the totals last; the exit status tells whether any failed.
 *
 * A test that speaks of what the runner does not know (a kind of value, a type) has failed: nothing is judged
 * by half. Types are compared as types, however they are spelt. */
#include "base/buffer.h"
#include "cel/cel.h"
#include "zones.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct suite {
    struct arena arena; /* of one test */
    struct zones *zones;
    size_t passed, failed;
    const char *unknown; /* what the present test has that this runner does not know */
    const char *why;
    char detail[400];
};

static const char *text_of(const cJSON *json)
{
    return json && json->valuestring ? json->valuestring : "";
}

/* ---- types as text: "map(string, list(int))" */

static const struct cel_type *read_type(struct suite *s, const char **at);

static bool accept(const char **at, const char *word)
{
    size_t size = strlen(word);
    if (strncmp(*at, word, size) != 0) return false;
    *at += size;
    return true;
}

/* "(int)", "(int, string)", or nothing: then they are dyn. */
static const struct cel_type *read_parameters(struct suite *s, const char **at, struct cel_type type,
                                              size_t count)
{
    bool some = accept(at, "(");
    for (size_t i = 0; i < count; i++) {
        if (some && i && !accept(at, ", ")) s->unknown = *at;
        type.params[i] = some                         ? read_type(s, at)
                         : type.kind == CEL_TYPE_TYPE ? NULL
                                                      : &cel_types[CEL_TYPE_DYN];
    }
    if (some && !accept(at, ")")) s->unknown = *at;
    return arena_copy(&s->arena, &type, sizeof type);
}

static const struct cel_type *read_type(struct suite *s, const char **at)
{
    static const struct {
        const char *name;
        enum cel_type_kind kind;
        size_t parameters;
    } names[] = {
        {"dyn", CEL_TYPE_DYN, 0},
        {"any", CEL_TYPE_DYN, 0},
        {"null_type", CEL_TYPE_NULL, 0},
        {"null", CEL_TYPE_NULL, 0},
        {"bool", CEL_TYPE_BOOL, 0},
        {"int", CEL_TYPE_INT, 0},
        {"uint", CEL_TYPE_UINT, 0},
        {"double", CEL_TYPE_DOUBLE, 0},
        {"string", CEL_TYPE_STRING, 0},
        {"bytes", CEL_TYPE_BYTES, 0},
        {"timestamp", CEL_TYPE_TIMESTAMP, 0},
        {"google.protobuf.Timestamp", CEL_TYPE_TIMESTAMP, 0},
        {"duration", CEL_TYPE_DURATION, 0},
        {"google.protobuf.Duration", CEL_TYPE_DURATION, 0},
        {"list", CEL_TYPE_LIST, 1},
        {"map", CEL_TYPE_MAP, 2},
        {"google.protobuf.Any", CEL_TYPE_DYN, 0},
        {"google.protobuf.Value", CEL_TYPE_DYN, 0},
        {"google.protobuf.ListValue", CEL_TYPE_LIST, 1},
        {"google.protobuf.Struct", CEL_TYPE_MAP, 2},
        {"optional_type", CEL_TYPE_OPTIONAL, 1},
        {"type", CEL_TYPE_TYPE, 1},
    };
    size_t size = strcspn(*at, "(), ");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strlen(names[i].name) != size || strncmp(*at, names[i].name, size) != 0) continue;
        *at += size;
        return read_parameters(s, at, (struct cel_type){.kind = names[i].kind}, names[i].parameters);
    }
    s->unknown = *at;
    return &cel_types[CEL_TYPE_DYN];
}

static const struct cel_type *read_whole_type(struct suite *s, const char *text)
{
    const char *at = text;
    const struct cel_type *type = read_type(s, &at);
    if (*at) s->unknown = text;
    return type;
}

/* The suite's names of types. */
static void print_type(const struct cel_type *type, struct buffer *out)
{
    static const char *const names[] = {
        [CEL_TYPE_DYN] = "dyn",
        [CEL_TYPE_NULL] = "null_type",
        [CEL_TYPE_BOOL] = "bool",
        [CEL_TYPE_INT] = "int",
        [CEL_TYPE_UINT] = "uint",
        [CEL_TYPE_DOUBLE] = "double",
        [CEL_TYPE_STRING] = "string",
        [CEL_TYPE_BYTES] = "bytes",
        [CEL_TYPE_DURATION] = "google.protobuf.Duration",
        [CEL_TYPE_TIMESTAMP] = "google.protobuf.Timestamp",
        [CEL_TYPE_TYPE] = "type",
        [CEL_TYPE_LIST] = "list",
        [CEL_TYPE_MAP] = "map",
        [CEL_TYPE_OPTIONAL] = "optional_type",
        [CEL_TYPE_RECORD] = "record",
        [CEL_TYPE_PARAM] = "param",
    };
    buffer_put_str(out, str_of(names[type->kind]));
    if (!type->params[0]) return;
    buffer_put_char(out, '(');
    print_type(type->params[0], out);
    if (type->params[1]) {
        buffer_put_str(out, STR(", "));
        print_type(type->params[1], out);
    }
    buffer_put_char(out, ')');
}

/* ---- values */

static str unhex(struct arena *arena, const char *hex)
{
    size_t size = strlen(hex) / 2;
    char *bytes = arena_alloc(arena, size + 1);
    for (size_t i = 0; i < size; i++) {
        unsigned byte = 0;
        sscanf(hex + 2 * i, "%2x", &byte);
        bytes[i] = (char)byte;
    }
    return (str){bytes, size};
}

/* Durations are written as seconds with a fraction: "-123.5s". */
static struct cel_value read_duration(const char *text)
{
    bool negative = *text == '-';
    char *point;
    int64_t seconds = strtoll(text + negative, &point, 10), nanos = 0, scale = 100000000;
    if (*point == '.')
        for (point++; *point >= '0' && *point <= '9'; point++, scale /= 10)
            nanos += (*point - '0') * scale;
    return (struct cel_value){.kind = CEL_DURATION,
                              .nanos = (int32_t)(negative ? -nanos : nanos),
                              .as.i = negative ? -seconds : seconds};
}

static struct cel_value read_value(struct suite *s, const cJSON *json);

static struct cel_value read_list(struct suite *s, const cJSON *json)
{
    struct cel_list *list =
        arena_alloc(&s->arena, sizeof *list + (size_t)cJSON_GetArraySize(json) * sizeof list->items[0]);
    list->count = 0;
    for (const cJSON *item = json->child; item; item = item->next)
        list->items[list->count++] = read_value(s, item);
    return (struct cel_value){.kind = CEL_LIST, .as.list = list};
}

static struct cel_value read_map(struct suite *s, const cJSON *json)
{
    struct cel_map *map = cel_map_new(&s->arena, (size_t)cJSON_GetArraySize(json));
    map->count = 0;
    for (const cJSON *pair = json->child; pair; pair = pair->next)
        map->entries[map->count++] =
            (struct cel_entry){read_value(s, pair->child), read_value(s, pair->child->next)};
    return (struct cel_value){.kind = CEL_MAP, .as.map = map};
}

static struct cel_value read_type_value(struct suite *s, const char *name)
{
    struct cel_type *type = arena_copy(&s->arena, read_whole_type(s, name), sizeof *type);
    type->params[0] = type->params[1] = NULL; /* at run time a list is a list */
    return (struct cel_value){.kind = CEL_TYPE, .as.type = type};
}

static struct cel_value read_value(struct suite *s, const cJSON *json)
{
    const cJSON *v = json->child;
    const char *kind = v ? v->string : "nothing", *text = text_of(v);
    struct cel_value value = {.kind = CEL_NULL};
    if (!strcmp(kind, "null")) return value;
    if (!strcmp(kind, "int")) return cel_int(strtoll(text, NULL, 10));
    if (!strcmp(kind, "uint")) return cel_uint(strtoull(text, NULL, 10));
    if (!strcmp(kind, "double")) return cel_double(strtod(text, NULL));
    if (!strcmp(kind, "string")) return cel_string(str_of(text));
    if (!strcmp(kind, "string_hex")) return cel_string(unhex(&s->arena, text));
    if (!strcmp(kind, "bool")) return cel_bool(cJSON_IsTrue(v));
    if (!strcmp(kind, "list")) return read_list(s, v);
    if (!strcmp(kind, "map")) return read_map(s, v);
    if (!strcmp(kind, "type")) return read_type_value(s, text);
    if (!strcmp(kind, "duration")) return read_duration(text);
    if (!strcmp(kind, "timestamp") && cel_parse_timestamp(str_of(text), &value)) return value;
    if (!strcmp(kind, "bytes")) {
        value = cel_string(unhex(&s->arena, text));
        value.kind = CEL_BYTES;
        return value;
    }
    s->unknown = kind;
    return value;
}

/* Exactly the same: kind for kind, an int is no uint; NaN is NaN, 0.0 is not -0.0. */
static bool same(struct cel_value a, struct cel_value b)
{
    if (a.kind != b.kind) return false;
    if (a.kind == CEL_DOUBLE && isnan(a.as.d)) return isnan(b.as.d);
    if (a.kind == CEL_DOUBLE) return a.as.d == b.as.d && signbit(a.as.d) == signbit(b.as.d);
    if (a.kind == CEL_LIST) {
        for (size_t i = 0; i < a.as.list->count && i < b.as.list->count; i++)
            if (!same(a.as.list->items[i], b.as.list->items[i])) return false;
        return a.as.list->count == b.as.list->count;
    }
    if (a.kind != CEL_MAP) return cel_equal(a, b);
    if (a.as.map->count != b.as.map->count) return false;
    for (size_t i = 0; i < a.as.map->count; i++) {
        bool found = false;
        for (size_t k = 0; k < b.as.map->count && !found; k++)
            found = same(a.as.map->entries[i].key, b.as.map->entries[k].key) &&
                    same(a.as.map->entries[i].value, b.as.map->entries[k].value);
        if (!found) return false;
    }
    return true;
}

/* ---- one test */

enum { SLOTS_MAX = 64 };

struct test {
    const cJSON *json;
    struct cel_env *env;
    struct cel_value slots[SLOTS_MAX];
    uint32_t slot_count;
};

static const cJSON *member(const struct test *test, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(test->json, name);
}

static void declare(struct suite *s, struct test *test, const char *name, const struct cel_type *type)
{
    const cJSON *bound = cJSON_GetObjectItemCaseSensitive(member(test, "bindings"), name);
    test->slots[test->slot_count] = bound ? read_value(s, bound) : (struct cel_value){.kind = CEL_ABSENT};
    cel_env_add_variable(test->env, str_of(name), type, test->slot_count++);
}

static void declare_all(struct suite *s, struct test *test)
{
    const cJSON *vars = member(test, "vars"), *bindings = member(test, "bindings");
    for (const cJSON *var = vars ? vars->child : NULL; var; var = var->next)
        declare(s, test, var->string, read_whole_type(s, text_of(var)));
    for (const cJSON *bound = bindings ? bindings->child : NULL; bound; bound = bound->next)
        if (!cJSON_GetObjectItemCaseSensitive(vars, bound->string))
            declare(s, test, bound->string, &cel_types[CEL_TYPE_DYN]);
}

static bool fail(struct suite *s, const char *why, str detail)
{
    s->why = why;
    snprintf(s->detail, sizeof s->detail, "%.*s", STR_ARG(detail));
    return false;
}

static bool check_type(struct suite *s, const struct test *test, const struct cel_program *program)
{
    const cJSON *want = member(test, "want_type");
    if (!want) return true;
    const struct cel_type *wanted = read_whole_type(s, text_of(want)), *type = cel_program_type(program);
    struct buffer out;
    buffer_init(&out, &s->arena);
    print_type(type, &out);
    return cel_type_equal(type, wanted) || fail(s, "has type", buffer_str(&out));
}

static bool check_value(struct suite *s, struct test *test, const struct cel_program *program)
{
    struct cel_frame frame = {.slots = test->slots, .scratch = &s->arena};
    struct cel_value v = cel_eval(program, &frame);
    const cJSON *want = member(test, "want");
    struct buffer out;
    buffer_init(&out, &s->arena);
    if (v.kind == CEL_ERROR) return !want || fail(s, "failed", str_of(frame.error));
    struct cel_value wanted = want ? read_value(s, want) : (struct cel_value){0};
    if (want && same(v, wanted)) return true;
    if (!cel_print_json(v, &out)) buffer_put_format(&out, " (of kind %d)", v.kind);
    return fail(s, want ? "gave" : "should have failed, gave", buffer_str(&out));
}

static bool run(struct suite *s, struct test *test)
{
    test->env = cel_env_new(&s->arena, s->zones);
    cel_env_set_container(test->env, str_of(text_of(member(test, "container"))));
    if (member(test, "disable_check")) cel_env_set_unchecked(test->env);
    declare_all(s, test);
    if (s->unknown) return false;
    const cJSON *hex = member(test, "expr_hex");
    str text = hex ? unhex(&s->arena, text_of(hex)) : str_of(text_of(member(test, "expr")));
    struct diagnostics diag;
    diag_init(&diag, &s->arena);
    struct cel_program *program =
        cel_compile(&s->arena, &s->arena, test->env, text, (struct origin){0}, NULL, &diag);
    if (!program) return fail(s, "does not compile", diag.first ? diag.first->message : (str){0});
    if (!check_type(s, test, program)) return false;
    return member(test, "check_only") || check_value(s, test, program);
}

static void run_line(struct suite *s, const char *line)
{
    cJSON *json = cJSON_Parse(line);
    struct test test = {.json = json};
    s->unknown = NULL;
    bool passed = json && run(s, &test);
    if (!json) fail(s, "is no JSON", STR(""));
    if (s->unknown) passed = fail(s, "speaks of something unknown here:", str_of(s->unknown));
    if (!passed) {
        s->failed++;
        printf("%s %s %s\n", json ? text_of(member(&test, "id")) : "?", s->why, s->detail);
    } else {
        s->passed++;
    }
    cJSON_Delete(json);
    arena_reset(&s->arena);
}

static bool run_file(struct suite *s, const char *path)
{
    FILE *file = fopen(path, "r");
    if (!file) {
        fprintf(stderr, "cannot read %s\n", path);
        return false;
    }
    char *line = NULL;
    size_t room = 0;
    for (ssize_t size; (size = getline(&line, &room, file)) > 0;)
        run_line(s, line);
    free(line);
    fclose(file);
    return true;
}

int main(int argc, char **argv)
{
    struct suite suite = {0};
    arena_init(&suite.arena, 0);
    suite.zones = zones_new(zone_file, &suite.arena);
    bool read = argc > 1;
    for (int i = 1; i < argc; i++)
        read &= run_file(&suite, argv[i]);
    printf("%zu passed, %zu failed\n", suite.passed, suite.failed);
    zones_free(suite.zones);
    arena_free(&suite.arena);
    return read && suite.failed == 0 ? 0 : 1;
}
