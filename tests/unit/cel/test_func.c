/* The table of functions, func.def: each row has an example, which calls that row and comes to what it says. */
#include "cel_world.h"

#include "cel/ast.h"

#include <criterion/criterion.h>

static struct cel_world world;

static void begin(void)
{
    cel_world_begin(&world);
}

static void end(void)
{
    cel_world_end(&world);
}

TestSuite(func, .init = begin, .fini = end);

/* Does the tree call that overload? */
static bool calls(const struct node *node, const struct overload *row)
{
    if (!node) return false;
    bool found = node->overload == row;
    for (size_t i = 0; i < node->count; i++)
        found |= calls(node->children[i], row);
    return found;
}

static const struct node *tree(const char *text)
{
    struct diagnostics diag;
    diag_init(&diag, &world.arena);
    struct compile c = {
        .keep = &world.arena, .scratch = &world.arena, .env = world.env, .text = str_of(text), .diag = &diag};
    return compile_tree(&c);
}

Test(func, every_row_has_an_example_that_calls_it_and_comes_to_what_it_says)
{
    for (size_t i = 0; i < func_row_count; i++) {
        const struct overload *row = &func_rows[i];
        str same = arena_format(&world.arena, "(%s) == (%s) && type(%s) == type(%s)", row->example,
                                row->value, row->example, row->value);
        str form = overload_form(&world.arena, row), value = cel_world_show(&world, same.data);
        cr_expect(str_equal(value, STR("true")), "%.*s: %s is not %s: %.*s", STR_ARG(form), row->example,
                  row->value, STR_ARG(value));
        cr_expect(calls(tree(row->example), row), "%.*s is not what %s calls", STR_ARG(form), row->example);
    }
}
