/* libFuzzer: random well-typed expressions over random bindings; what the VM gives must be what a plain tree
 * walker (cel_walk.c) gives, or both must fail. */
#include "base/buffer.h"
#include "cel_walk.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- expressions from bytes */

struct maker {
    const uint8_t *data;
    size_t size, at;
    struct buffer text;
    uint32_t names; /* of loops around this place: x0, x1 …, all of them ints */
    uint32_t loops, depth;
};

enum sort { SORT_BOOL, SORT_INT, SORT_DOUBLE, SORT_STRING, SORT_LIST };

static uint32_t pick(struct maker *m, uint32_t below)
{
    return m->at < m->size ? m->data[m->at++] % below : 0;
}

static void make(struct maker *m, enum sort sort);

static void put(struct maker *m, const char *text)
{
    buffer_put_str(&m->text, str_of(text));
}

/* A template: B I D S L stand for an expression of that sort, everything else for itself. */
static void fill(struct maker *m, const char *template)
{
    static const char letters[] = "BIDSL";
    for (; *template; template ++) {
        const char *letter = strchr(letters, *template);
        if (letter)
            make(m, (enum sort)(letter - letters));
        else
            buffer_put_char(&m->text, *template);
    }
}

/* A loop over ints: `head` up to its name; `instead` where loops are nested enough. */
static void make_loop(struct maker *m, const char *head, const char *body, const char *instead)
{
    if (m->loops >= 2) return put(m, instead);
    make(m, SORT_LIST);
    put(m, head);
    uint32_t name = m->names++;
    m->loops++;
    buffer_put_format(&m->text, "x%u, ", name);
    fill(m, body);
    put(m, ")");
    m->loops--;
    m->names--;
}

static const char *const leaves[][8] = {
    [SORT_BOOL] = {"true", "false", "b0", "b1", "has(r.i)", "has(r.s)", "r.b", "b0"},
    [SORT_INT] = {"0", "1", "-7", "9223372036854775807", "i0", "i1", "r.i", "i0"},
    [SORT_DOUBLE] = {"0.0", "1.5", "-2.25", "1e300", "d0", "d1", "r.d", "d0"},
    [SORT_STRING] = {"''", "'a'", "'ab'", "'\\u00e9'", "s0", "s1", "r.s", "s0"},
    [SORT_LIST] = {"[]", "[1]", "[1, 2, 3]", "[0, -1]", "l0", "l1", "l0", "[5, 5]"},
};

static const char *const branches[][16] = {
    [SORT_BOOL] = {"(B && B)", "(B || B)", "!B", "(I < I)", "(I == I)", "(D >= D)", "(D == D)", "(S == S)",
                   "(S != S)", "(S <= S)", "(I in L)", "S.startsWith(S)", "S.contains(S)", "(B ? B : B)",
                   "(L == L)", "(s0 in ['a', 'ab', 'q'])"},
    [SORT_INT] = {"(I + I)", "(I - I)", "(I * I)", "(I / I)", "(I % I)", "-(I)", "size(L)", "size(S)", "L[I]",
                  "(B ? I : I)", "int(D)", "L.sum()", "S.indexOf(S)", "cel.bind(y, I, y + y)",
                  "{'a': I, S: I}['a']", "L.map(z, B, z)[I]"},
    [SORT_DOUBLE] = {"(D + D)", "(D - D)", "(D * D)", "(D / D)", "-(D)", "double(I)", "(B ? D : D)",
                     "(D + D)", "(D - D)", "(D * D)", "(D / D)", "-(D)", "double(I)", "(B ? D : D)",
                     "double(I)", "(D + D)"},
    [SORT_STRING] = {"(S + S)", "string(I)", "string(B)", "(B ? S : S)", "(S + S + S)", "S.substring(I)",
                     "S.upperAscii()", "(S + S)", "string(I)", "string(B)", "(B ? S : S)", "(S + S + S)",
                     "S.substring(I)", "S.upperAscii()", "(S + S)", "string(I)"},
    [SORT_LIST] = {"[I]", "[I, I]", "(L + L)", "(B ? L : L)", "[I, I, I]", "(L + L)", "[I]", "(B ? L : L)",
                   "[I]", "[I, I]", "(L + L)", "(B ? L : L)", "[I, I, I]", "L.take(I)", "[I]", "(B ? L : L)"},
};

static const char *const coalesces[][4] = {
    [SORT_INT] = {"coalesce(r.i, I)", "coalesce(I, I, I)", "coalesce(L[I], r.i)",
                  "coalesce({'a': I}[S], L[I], I)"},
    [SORT_DOUBLE] = {"coalesce(r.d, D)", "coalesce(D, D, D)", "coalesce(D, r.d)", "coalesce(r.d, D / D)"},
    [SORT_STRING] = {"coalesce(r.s, S)", "coalesce(S, S, S)", "coalesce(S, r.s)", "coalesce(r.s + S, S)"},
};

static void make(struct maker *m, enum sort sort)
{
    if (sort == SORT_INT && m->names && pick(m, 3) == 0) {
        buffer_put_format(&m->text, "x%u", pick(m, m->names));
        return;
    }
    if (m->depth >= 5 || m->at >= m->size || pick(m, 3) == 0) return put(m, leaves[sort][pick(m, 8)]);
    m->depth++;
    uint32_t form = pick(m, 22);
    if (form < 16)
        fill(m, branches[sort][form]);
    else if (sort == SORT_BOOL)
        make_loop(m, form < 18 ? ".all(" : form < 20 ? ".exists(" : ".exists_one(", "B", "true");
    else if (sort == SORT_LIST)
        make_loop(m, form < 19 ? ".map(" : ".filter(", form < 19 ? "I" : "B", "[1]");
    else
        fill(m, coalesces[sort][form % 4]);
    m->depth--;
}

/* ---- bindings from bytes */

enum { VARIABLES = 14, LISTS = 2 };

static const struct variable {
    const char *name;
    enum cel_type_kind kind;
} variables[VARIABLES] = {
    {"b0", CEL_TYPE_BOOL},   {"b1", CEL_TYPE_BOOL},   {"i0", CEL_TYPE_INT},     {"i1", CEL_TYPE_INT},
    {"d0", CEL_TYPE_DOUBLE}, {"d1", CEL_TYPE_DOUBLE}, {"s0", CEL_TYPE_STRING},  {"s1", CEL_TYPE_STRING},
    {"r.b", CEL_TYPE_BOOL},  {"r.i", CEL_TYPE_INT},   {"r.d", CEL_TYPE_DOUBLE}, {"r.s", CEL_TYPE_STRING},
    {"l0", CEL_TYPE_LIST},   {"l1", CEL_TYPE_LIST},
};

static struct cel_value random_int(struct maker *m)
{
    static const int64_t values[] = {0, 1, -1, 2, 7, INT64_MAX, INT64_MIN, 100};
    return cel_int(values[pick(m, 8)]);
}

static struct cel_value random_value(struct maker *m, struct arena *arena, enum cel_type_kind kind)
{
    static const double doubles[] = {0.0, -0.0, 1.5, -3.0, 1e308, 0.1, 42.0, 9.3e18};
    static const char *const strings[] = {"", "a", "ab", "abc", "\xC3\xA9", "q", "A", "\xF0\x9F\x98\x80z"};
    switch (kind) {
    case CEL_TYPE_BOOL: return cel_bool(pick(m, 2));
    case CEL_TYPE_INT: return random_int(m);
    case CEL_TYPE_DOUBLE: return cel_double(doubles[pick(m, 8)]);
    case CEL_TYPE_STRING: return cel_string(str_of(strings[pick(m, 8)]));
    default: break;
    }
    struct cel_list *list = arena_alloc(arena, sizeof *list + 4 * sizeof list->items[0]);
    list->count = pick(m, 5);
    for (size_t i = 0; i < list->count; i++)
        list->items[i] = random_int(m);
    return (struct cel_value){.kind = CEL_LIST, .as.list = list};
}

static void bind(struct maker *m, struct arena *arena, struct cel_value slots[VARIABLES])
{
    for (size_t i = 0; i < VARIABLES; i++) {
        bool absent = variables[i].name[0] == 'r' && pick(m, 3) == 0;
        slots[i] =
            absent ? (struct cel_value){.kind = CEL_ABSENT} : random_value(m, arena, variables[i].kind);
    }
}

static struct cel_env *declare(struct arena *arena)
{
    static struct cel_field fields[] = {{{"b", 1}, &cel_types[CEL_TYPE_BOOL]},
                                        {{"i", 1}, &cel_types[CEL_TYPE_INT]},
                                        {{"d", 1}, &cel_types[CEL_TYPE_DOUBLE]},
                                        {{"s", 1}, &cel_types[CEL_TYPE_STRING]}};
    static const struct cel_record_type record = {{"r", 1}, 4, fields, NULL};
    static const uint32_t slots[] = {8, 9, 10, 11};
    struct cel_env *env = cel_env_new(arena, NULL);
    for (uint32_t i = 0; i < 8; i++)
        cel_env_add_variable(env, str_of(variables[i].name), &cel_types[variables[i].kind], i);
    for (uint32_t i = 12; i < 14; i++)
        cel_env_add_variable(env, str_of(variables[i].name), cel_list_of(arena, &cel_types[CEL_TYPE_INT]), i);
    cel_env_add_record(env, STR("r"), STR("record r"), &record, slots, CEL_NO_SLOT);
    return env;
}

static str variable_name(void *context, size_t i)
{
    (void)context;
    return str_of(variables[i].name);
}

static void complain(str text, struct cel_value vm, const char *error, struct cel_value walk,
                     struct arena *arena)
{
    struct buffer out;
    buffer_init(&out, arena);
    buffer_put_format(&out, "%.*s\nVM: kind %d ", STR_ARG(text), vm.kind);
    cel_print_json(vm, &out);
    buffer_put_format(&out, " %s\nwalker: kind %d ", vm.kind == CEL_ERROR ? error : "", walk.kind);
    cel_print_json(walk, &out);
    fprintf(stderr, "%.*s\n", STR_ARG(buffer_str(&out)));
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena, scratch;
    arena_init(&arena, 0);
    arena_init(&scratch, 0);
    struct maker m = {.data = data, .size = size < 400 ? size : 400};
    buffer_init(&m.text, &arena);
    struct cel_value slots[VARIABLES];
    bind(&m, &arena, slots);
    make(&m, (enum sort)pick(&m, 5));
    str text = buffer_str(&m.text);
    struct diagnostics diag;
    diag_init(&diag, &arena);
    struct cel_program *program =
        cel_compile(&arena, &arena, declare(&arena), text, (struct origin){0}, NULL, &diag);
    if (program) {
        struct cel_frame frame = {.slots = slots, .scratch = &scratch};
        struct cel_value vm = cel_eval(program, &frame);
        struct walk walk = {.arena = &arena, .names = variable_name, .values = slots, .count = VARIABLES};
        struct cel_value plain = walk_text(&walk, text);
        bool limit = vm.kind == CEL_ERROR && vm.code == CEL_ERROR_LIMIT;
        if (!limit && !walk_same(vm, plain)) complain(text, vm, frame.error, plain, &arena);
    } else if (diag.first && !strstr(diag.first->message.data, "deep") &&
               !strstr(diag.first->message.data, "at once")) {
        fprintf(stderr, "%.*s\ndoes not compile: %s\n", STR_ARG(text), diag.first->message.data);
        abort();
    }
    arena_free(&scratch);
    arena_free(&arena);
    return 0;
}
