/* The table of functions, and what their bodies share. */
#include "cel/func.h"

#include "base/limits.h"

#include <stdarg.h>
#include <stdio.h>

/* ---- the types that rows speak of */
#define BOOL            (&cel_types[CEL_TYPE_BOOL])
#define INT             (&cel_types[CEL_TYPE_INT])
#define UINT            (&cel_types[CEL_TYPE_UINT])
#define DOUBLE          (&cel_types[CEL_TYPE_DOUBLE])
#define STRING          (&cel_types[CEL_TYPE_STRING])
#define BYTES           (&cel_types[CEL_TYPE_BYTES])
#define DURATION        (&cel_types[CEL_TYPE_DURATION])
#define TIMESTAMP       (&cel_types[CEL_TYPE_TIMESTAMP])
#define DYN             (&cel_types[CEL_TYPE_DYN])
#define A               (&type_a)
#define B               (&type_b)
#define TYPE_A          (&type_type_a)
#define LIST_A          (&list_a)
#define LIST_B          (&list_b)
#define LIST_LIST_A     (&list_list_a)
#define LIST_OPTIONAL_A (&list_optional_a)
#define LIST_INT        (&list_int)
#define LIST_UINT       (&list_uint)
#define LIST_DOUBLE     (&list_double)
#define LIST_STRING     (&list_string)
#define LIST_DYN        (&list_dyn)
#define MAP_AB          (&map_ab)
#define OPTIONAL_A      (&optional_a)
#define OPTIONAL_B      (&optional_b)
#define OPTIONAL_LIST_A (&optional_list_a)
#define OPTIONAL_MAP_AB (&optional_map_ab)

static const struct cel_type type_a = {.kind = CEL_TYPE_PARAM, .param = 0};
static const struct cel_type type_b = {.kind = CEL_TYPE_PARAM, .param = 1};
static const struct cel_type type_type_a = {.kind = CEL_TYPE_TYPE, .params = {A}};
static const struct cel_type list_a = {.kind = CEL_TYPE_LIST, .params = {A}};
static const struct cel_type list_b = {.kind = CEL_TYPE_LIST, .params = {B}};
static const struct cel_type list_list_a = {.kind = CEL_TYPE_LIST, .params = {LIST_A}};
static const struct cel_type list_int = {.kind = CEL_TYPE_LIST, .params = {INT}};
static const struct cel_type list_uint = {.kind = CEL_TYPE_LIST, .params = {UINT}};
static const struct cel_type list_double = {.kind = CEL_TYPE_LIST, .params = {DOUBLE}};
static const struct cel_type list_string = {.kind = CEL_TYPE_LIST, .params = {STRING}};
static const struct cel_type list_dyn = {.kind = CEL_TYPE_LIST, .params = {DYN}};
static const struct cel_type map_ab = {.kind = CEL_TYPE_MAP, .params = {A, B}};
static const struct cel_type optional_a = {.kind = CEL_TYPE_OPTIONAL, .params = {A}};
static const struct cel_type optional_b = {.kind = CEL_TYPE_OPTIONAL, .params = {B}};
static const struct cel_type list_optional_a = {.kind = CEL_TYPE_LIST, .params = {OPTIONAL_A}};
static const struct cel_type optional_list_a = {.kind = CEL_TYPE_OPTIONAL, .params = {LIST_A}};
static const struct cel_type optional_map_ab = {.kind = CEL_TYPE_OPTIONAL, .params = {MAP_AB}};

/* The list ends with a NULL that is not counted: an array cannot be empty. */
#define PARAMETERS(...)                                                                                      \
    {                                                                                                        \
        __VA_ARGS__ __VA_OPT__(, ) NULL                                                                      \
    }
#define CEL_FUNC(f, s, n, r, p, text, call, equals)                                                          \
    {.name = n,                                                                                              \
     .style = s,                                                                                             \
     .result = r,                                                                                            \
     .parameters = (const struct cel_type *const[])PARAMETERS p,                                             \
     .count = sizeof((const struct cel_type *const[])PARAMETERS p) / sizeof(struct cel_type *) - 1,          \
     .body = f,                                                                                              \
     .prose = text,                                                                                          \
     .example = call,                                                                                        \
     .value = equals},
const struct overload func_rows[] = {
#include "cel/func.def"
};
#undef CEL_FUNC
const size_t func_row_count = sizeof func_rows / sizeof func_rows[0];

str overload_name(const struct overload *overload)
{
    return overload->name ? str_of(overload->name) : overload->host_name;
}

/* "int + int", "-int", "list(A)[int]" */
static str operator_form(struct arena *arena, const struct overload *overload)
{
    str first = cel_type_name(arena, overload->parameters[0]);
    if (overload->count == 1) return arena_format(arena, "%c%.*s", overload->name[0], STR_ARG(first));
    str second = cel_type_name(arena, overload->parameters[1]);
    if (overload->name[0] != '[')
        return arena_format(arena, "%.*s %s %.*s", STR_ARG(first), overload->name, STR_ARG(second));
    const char *open = overload->name[1] == '?' ? "[?" : "[";
    return arena_format(arena, "%.*s%s%.*s]", STR_ARG(first), open, STR_ARG(second));
}

/* "string.startsWith(string)" */
static str call_form(struct arena *arena, const struct overload *overload)
{
    str text = {0};
    size_t first = overload->style == FUNC_METHOD;
    for (size_t i = first; i < overload->count; i++) {
        str type = cel_type_name(arena, overload->parameters[i]);
        text = arena_format(arena, "%.*s%s%.*s", STR_ARG(text), i > first ? ", " : "", STR_ARG(type));
    }
    str target = first ? cel_type_name(arena, overload->parameters[0]) : (str){0};
    str name = overload_name(overload);
    return arena_format(arena, "%.*s%s%.*s(%.*s)", STR_ARG(target), first ? "." : "", STR_ARG(name),
                        STR_ARG(text));
}

str overload_form(struct arena *arena, const struct overload *overload)
{
    str form = overload->style == FUNC_OPERATOR ? operator_form(arena, overload) : call_form(arena, overload);
    str result = cel_type_name(arena, overload->result);
    return arena_format(arena, "%.*s -> %.*s", STR_ARG(form), STR_ARG(result));
}

uint32_t type_kinds(const struct cel_type *type)
{
    static const uint8_t kinds[] = {
        [CEL_TYPE_NULL] = CEL_NULL,
        [CEL_TYPE_BOOL] = CEL_BOOL,
        [CEL_TYPE_INT] = CEL_INT,
        [CEL_TYPE_UINT] = CEL_UINT,
        [CEL_TYPE_DOUBLE] = CEL_DOUBLE,
        [CEL_TYPE_STRING] = CEL_STRING,
        [CEL_TYPE_BYTES] = CEL_BYTES,
        [CEL_TYPE_DURATION] = CEL_DURATION,
        [CEL_TYPE_TIMESTAMP] = CEL_TIMESTAMP,
        [CEL_TYPE_TYPE] = CEL_TYPE,
        [CEL_TYPE_LIST] = CEL_LIST,
        [CEL_TYPE_MAP] = CEL_MAP,
        [CEL_TYPE_RECORD] = CEL_RECORD,
        [CEL_TYPE_OPTIONAL] = CEL_OPTIONAL,
    };
    if (type->kind == CEL_TYPE_DYN || type->kind == CEL_TYPE_PARAM) return UINT32_MAX;
    return 1u << kinds[type->kind];
}

/* ---- memory, errors */

void *machine_alloc(struct machine *m, size_t size)
{
    struct arena *arena = m->frame->scratch;
    m->over = size > LIMIT_CEL_ARENA_BYTES || arena->used + size > m->used_max;
    return m->over ? NULL : arena_alloc(arena, size);
}

struct cel_value machine_exhausted(struct machine *m)
{
    if (machine_ended(m)) return machine_out_of_steps(m);
    if (m->over)
        return cel_fail(m->frame, CEL_ERROR_LIMIT, "the values made here need more than %u MiB",
                        LIMIT_CEL_ARENA_BYTES >> 20);
    return cel_fail(m->frame, CEL_ERROR_MEMORY, "out of memory");
}

struct cel_value machine_out_of_steps(struct machine *m)
{
    if (m->too_deep)
        return cel_fail(m->frame, CEL_ERROR_LIMIT, "a value nests more than %d deep", LIMIT_CEL_VALUE_DEPTH);
    if (m->frame->stopped) return cel_fail(m->frame, CEL_ERROR_STOPPED, "the evaluation was stopped");
    return cel_fail(m->frame, CEL_ERROR_LIMIT, "the evaluation takes more than %d steps", LIMIT_CEL_STEPS);
}

struct cel_value cel_fail(struct cel_frame *frame, enum cel_error_code code, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(frame->error, sizeof frame->error, format, list);
    va_end(list);
    return (struct cel_value){.kind = CEL_ERROR, .code = (uint8_t)code};
}

struct cel_value fail_overload(struct machine *m, const char *name)
{
    return cel_fail(m->frame, CEL_ERROR_NO_OVERLOAD, "no such overload: %s", name);
}

struct cel_value fail_overflow(struct machine *m, const char *what)
{
    return cel_fail(m->frame, CEL_ERROR_OVERFLOW, "%s overflow", what);
}

struct cel_list *list_new(struct machine *m, size_t capacity)
{
    m->over = capacity > LIMIT_CEL_ARENA_BYTES / sizeof(struct cel_value);
    if (m->over || !list_touch(m, capacity)) return NULL;
    struct cel_list *list = machine_alloc(m, sizeof *list + capacity * sizeof list->items[0]);
    if (list) list->count = 0;
    return list;
}

struct cel_value list_value(const struct cel_list *list)
{
    return (struct cel_value){.kind = CEL_LIST, .as.list = list};
}

struct cel_value optional_new(struct machine *m, struct cel_value v)
{
    struct cel_value *held = machine_alloc(m, sizeof *held);
    if (!held) return machine_exhausted(m);
    *held = v;
    return (struct cel_value){.kind = CEL_OPTIONAL, .as.optional = held};
}

struct cel_value cel_optional_of(struct cel_frame *frame, struct cel_value held)
{
    return optional_new(frame->machine, held);
}

struct cel_list *cel_list_with_room(struct cel_frame *frame, size_t count)
{
    return list_new(frame->machine, count);
}

struct cel_value cel_fail_memory(struct cel_frame *frame)
{
    return machine_exhausted(frame->machine);
}
