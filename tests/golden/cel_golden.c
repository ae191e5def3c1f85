/* Golden tests of expressions: data files beside this driver, one kind of output each.
 *
 *     cel_golden values|diagnostics|code FILE [--print]
 *
 * A file is a sequence of cases: a line `> EXPRESSION` (more lines of it begin with `> ` too), then exactly
 * what must come out, up to an empty line. Lines with `#` between cases are comments. --print writes the file
 * as it would have to be, for a person to read and keep. */
#include "base/buffer.h"
#include "cel/func.h"
#include "cel_world.h"

#include <stdio.h>
#include <stdlib.h>

static void show_value(struct cel_world *w, str text, struct buffer *out)
{
    char *copy = arena_alloc(&w->arena, text.size + 1);
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    buffer_put_str(out, cel_world_show(w, copy));
    buffer_put_char(out, '\n');
}

static void show_diagnostics(struct cel_world *w, str text, struct buffer *out)
{
    struct source source = {.name = STR("rule"), .text = text};
    struct diagnostics diag;
    diag_init(&diag, &w->arena);
    bool made = cel_compile(&w->arena, &w->arena, w->env, text, (struct origin){.source = &source}, NULL,
                            &diag) != NULL;
    diag_sort(&diag);
    diag_print(&diag, out);
    if (made) buffer_put_str(out, STR("compiles\n"));
}

static void show_code(struct cel_world *w, str text, struct buffer *out)
{
    struct diagnostics diag;
    struct cel_program *program = cel_world_compile(w, text, &diag);
    if (program) cel_program_dump(program, out);
}

typedef void show_case(struct cel_world *w, str text, struct buffer *out);

static show_case *show_named(const char *name)
{
    static const struct {
        const char *name;
        show_case *show;
    } shows[] = {{"values", show_value}, {"diagnostics", show_diagnostics}, {"code", show_code}};
    for (size_t i = 0; i < sizeof shows / sizeof shows[0]; i++)
        if (strcmp(name, shows[i].name) == 0) return shows[i].show;
    return NULL;
}

/* One case of a file: its comment lines, expression and expected output, as they stand. */
struct golden {
    str before, expression, expected;
};

static str take_line(str *rest)
{
    const char *end = rest->size ? memchr(rest->data, '\n', rest->size) : NULL;
    size_t size = end ? (size_t)(end - rest->data) + 1 : rest->size;
    str line = str_slice(*rest, 0, size);
    *rest = str_slice(*rest, size, rest->size);
    return line;
}

static bool starts(str s, char c)
{
    return s.size && s.data[0] == c;
}

static bool next_case(struct arena *arena, str *rest, struct golden *g)
{
    *g = (struct golden){.before = {rest->data, 0}};
    while (rest->size && !starts(*rest, '>'))
        g->before.size += take_line(rest).size;
    struct buffer expression;
    buffer_init(&expression, arena);
    while (starts(*rest, '>')) {
        str line = take_line(rest);
        buffer_put_str(&expression, str_slice(line, 2, line.size));
    }
    if (!expression.size) return false;
    g->expression = (str){expression.data, expression.size - 1}; /* without the last line's end */
    g->expected.data = rest->data;
    while (rest->size && !starts(*rest, '\n'))
        g->expected.size += take_line(rest).size;
    return true;
}

static void print_case(const struct golden *g, str actual)
{
    printf("%.*s> ", STR_ARG(g->before));
    for (size_t i = 0; i < g->expression.size; i++) {
        putchar(g->expression.data[i]);
        if (g->expression.data[i] == '\n') printf("> ");
    }
    printf("\n%.*s", STR_ARG(actual));
}

static size_t run_cases(show_case *show, str file, bool print, size_t *count)
{
    size_t wrong = 0;
    struct cel_world world;
    cel_world_begin(&world);
    for (struct golden g; next_case(&world.arena, &file, &g); ++*count) {
        struct buffer out;
        buffer_init(&out, &world.arena);
        show(&world, g.expression, &out);
        str actual = buffer_str(&out);
        if (print) print_case(&g, actual);
        if (str_equal(actual, g.expected)) continue;
        wrong++;
        if (!print)
            printf("> %.*s\nexpected:\n%.*sactual:\n%.*s\n", STR_ARG(g.expression), STR_ARG(g.expected),
                   STR_ARG(actual));
    }
    cel_world_end(&world);
    return wrong;
}

/* Functions that no case of the file calls: each is one wrong. */
static size_t uncalled(str file)
{
    size_t missing = 0;
    for (size_t i = 0; i < func_row_count; i++) {
        str name = overload_name(&func_rows[i]);
        if (func_rows[i].style == FUNC_OPERATOR || name.data[0] == '@') continue;
        if (memmem(file.data, file.size, name.data, name.size)) continue;
        printf("no case calls %.*s\n", STR_ARG(name));
        missing++;
    }
    return missing;
}

int main(int argc, char **argv)
{
    show_case *show = argc > 2 ? show_named(argv[1]) : NULL;
    FILE *file = show ? fopen(argv[2], "rb") : NULL;
    if (!file) {
        fprintf(stderr, "cel_golden values|diagnostics|code FILE [--print]\n");
        return 2;
    }
    static char room[1 << 18];
    str text = {room, fread(room, 1, sizeof room, file)};
    fclose(file);
    bool print = argc > 3;
    size_t count = 0, wrong = run_cases(show, text, print, &count);
    if (show == show_value && !print) wrong += uncalled(text);
    if (!print) printf("%zu passed, %zu failed\n", count > wrong ? count - wrong : 0, wrong);
    return wrong && !print ? 1 : 0;
}
