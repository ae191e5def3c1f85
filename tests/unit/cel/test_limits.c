/* Every bound of expressions at N and at N + 1; and memory that fails at every place where it can. */
#include "base/buffer.h"
#include "base/limits.h"
#include "cel_world.h"

#include <criterion/criterion.h>

static struct cel_world world;

/* name1 is name0 twice, and so on. */
enum { DOUBLING = 20 };
static struct cel_shorthand doubling[DOUBLING] = {{.name = STR("name0"), .text = STR("event.total > 1.0")}};
static struct cel_shorthands shorthands;

static void begin(void)
{
    cel_world_begin(&world);
    shorthands = (struct cel_shorthands){.items = doubling, .count = DOUBLING};
    cr_assert(names_init(&shorthands.names, &world.arena, DOUBLING));
    for (size_t i = 0; i < DOUBLING; i++) {
        if (i) doubling[i].name = arena_format(&world.arena, "name%zu", i);
        if (i) doubling[i].text = arena_format(&world.arena, "name%zu || name%zu", i - 1, i - 1);
        names_add(&shorthands.names, doubling[i].name);
    }
    cel_env_set_shorthands(world.env, &shorthands);
}

static void end(void)
{
    cel_world_end(&world);
}

TestSuite(cel_limits, .init = begin, .fini = end);

/* `head` n times, middle, `tail` n times. */
static str nested(const char *head, const char *middle, const char *tail, size_t n)
{
    struct buffer out;
    buffer_init(&out, &world.arena);
    for (size_t i = 0; i < n; i++)
        buffer_put_str(&out, str_of(head));
    buffer_put_str(&out, str_of(middle));
    for (size_t i = 0; i < n; i++)
        buffer_put_str(&out, str_of(tail));
    return buffer_str(&out);
}

static str first_message(str text)
{
    struct diagnostics diag;
    struct cel_program *program = cel_world_compile(&world, text, &diag);
    cr_assert_eq(!program, diag.error_count > 0);
    return program ? STR("compiles") : diag.first->message;
}

static struct cel_value evaluate(const char *text)
{
    struct diagnostics diag;
    struct cel_program *program = cel_world_compile(&world, str_of(text), &diag);
    cr_assert(program, "%s", diag.first ? diag.first->message.data : "");
    return cel_eval(program, &world.frame);
}

#define EXPECT_MESSAGE(text, want)                                                                           \
    do {                                                                                                     \
        str got = first_message(text);                                                                       \
        cr_expect(str_equal(got, STR(want)), "got: %.*s", STR_ARG(got));                                     \
    } while (0)

Test(cel_limits, takes_brackets_up_to_the_depth_and_not_one_more)
{
    EXPECT_MESSAGE(nested("(", "1", ")", LIMIT_CEL_DEPTH - 1), "compiles");
    EXPECT_MESSAGE(nested("(", "1", ")", LIMIT_CEL_DEPTH), "the expression is nested more than 128 deep");
    EXPECT_MESSAGE(nested("[", "1", "]", LIMIT_CEL_DEPTH - 1), "compiles");
    EXPECT_MESSAGE(nested("[", "1", "]", LIMIT_CEL_DEPTH), "the expression is nested more than 128 deep");
}

Test(cel_limits, refuses_a_million_brackets_as_it_refuses_one_too_many)
{
    EXPECT_MESSAGE(nested("(", "", "", 60000), "the expression is nested more than 128 deep");
    EXPECT_MESSAGE(nested("-", "1", "", 60000), "the expression is nested more than 128 deep");
    EXPECT_MESSAGE(nested("true?1:", "1", "", 9000), "the expression is nested more than 128 deep");
}

Test(cel_limits, takes_chains_up_to_their_height)
{
    EXPECT_MESSAGE(nested("score+", "score", "", LIMIT_CEL_CHAIN - 1), "compiles");
    EXPECT_MESSAGE(nested("score+", "score", "", LIMIT_CEL_CHAIN), "this chain has more than 1024 links");
    EXPECT_MESSAGE(nested("score==1||", "true", "", 5000), "compiles");
}

Test(cel_limits, takes_a_text_of_its_length_and_not_one_byte_more)
{
    EXPECT_MESSAGE(nested(" ", "1", "", LIMIT_CEL_SOURCE_BYTES - 1), "compiles");
    EXPECT_MESSAGE(nested(" ", "1", "", LIMIT_CEL_SOURCE_BYTES),
                   "the expression is 65537 bytes long; at most 65536 are taken");
}

Test(cel_limits, nests_three_loops_and_not_four)
{
    EXPECT_MESSAGE(STR("[1].map(a, [1].map(b, [1].map(c, a + b + c)))"), "compiles");
    EXPECT_MESSAGE(STR("[1].map(a, [1].map(b, [1].map(c, [1].map(d, a + d))))"),
                   "loops are nested more than 3 deep");
    EXPECT_MESSAGE(STR("[1].map(a, a).map(b, b).map(c, c).map(d, d)"), "compiles");
}

Test(cel_limits, ends_an_evaluation_that_takes_too_many_steps)
{
    struct cel_value v =
        evaluate("lists.range(1000).map(a, lists.range(120).exists(b, b == score - 1000)).size()");
    cr_expect_eq(v.kind, CEL_INT);
    v = evaluate("lists.range(1000).map(a, lists.range(400).exists(b, b == score - 1000)).size()");
    cr_expect_eq(v.kind, CEL_ERROR);
    cr_expect_eq(v.code, CEL_ERROR_LIMIT);
    cr_expect_str_eq(world.frame.error, "the evaluation takes more than 1000000 steps");
    cr_expect_eq(evaluate("score").as.i, 5);
}

/* A round of this loop costs its five instructions, and lists.range(n) n steps. */
Test(cel_limits, counts_steps_to_the_last_one)
{
    struct diagnostics diag;
    struct cel_program *program =
        cel_world_compile(&world, STR("lists.range(score).exists(x, x < 0)"), &diag);
    enum { ROUND = 5, MOST = LIMIT_CEL_STEPS / (ROUND + 1) };
    world.slots[WORLD_SCORE] = cel_int(MOST);
    cr_expect_eq(cel_eval(program, &world.frame).kind, CEL_BOOL, "%s", world.frame.error);
    arena_reset(&world.scratch);
    world.slots[WORLD_SCORE] = cel_int(MOST + 1);
    cr_expect_eq(cel_eval(program, &world.frame).code, CEL_ERROR_LIMIT);
}

Test(cel_limits, ends_an_evaluation_that_makes_too_much)
{
    struct cel_value v = evaluate("lists.range(200).map(i, lists.range(1000 + score)).size()");
    cr_expect_eq(v.kind, CEL_INT);
    cr_expect_eq(v.as.i, 200);
    v = evaluate("lists.range(300).map(i, lists.range(1000 + score)).size()");
    cr_expect_eq(v.kind, CEL_ERROR);
    cr_expect_eq(v.code, CEL_ERROR_LIMIT);
    cr_expect_str_eq(world.frame.error, "the values made here need more than 4 MiB");
}

/* Texts as long as the bound, byte for byte. */
Test(cel_limits, makes_as_much_as_it_may_and_not_one_byte_more)
{
    char *text = arena_alloc(&world.arena, LIMIT_CEL_ARENA_BYTES + 1);
    memset(text, 'x', LIMIT_CEL_ARENA_BYTES + 1);
    world.slots[WORLD_NAME] = cel_string((str){text, LIMIT_CEL_ARENA_BYTES});
    cr_expect_eq(evaluate("name.upperAscii()").kind, CEL_STRING, "%s", world.frame.error);
    arena_reset(&world.scratch);
    world.slots[WORLD_NAME] = cel_string((str){text, LIMIT_CEL_ARENA_BYTES + 1});
    cr_expect_eq(evaluate("name.upperAscii()").code, CEL_ERROR_LIMIT);
    cr_expect_str_eq(world.frame.error, "the values made here need more than 4 MiB");
    cr_expect_eq(evaluate("name.size()").as.i, LIMIT_CEL_ARENA_BYTES + 1, "what is only read may be larger");
}

/* What a literal holds is bounded by the text alone. */
Test(cel_limits, takes_literals_as_large_as_the_text)
{
    str many = nested("1,", "1", "", LIMIT_CEL_SOURCE_BYTES / 2 - 2);
    EXPECT_MESSAGE(arena_format(&world.arena, "[%.*s]", STR_ARG(many)), "compiles");
    str text = nested("x", "", "", LIMIT_CEL_SOURCE_BYTES - 2);
    EXPECT_MESSAGE(arena_format(&world.arena, "'%.*s'", STR_ARG(text)), "compiles");
    EXPECT_MESSAGE(arena_format(&world.arena, "'%.*sx'", STR_ARG(text)),
                   "the expression is 65537 bytes long; at most 65536 are taken");
}

Test(cel_limits, formats_a_thousand_digits_and_not_one_more)
{
    cr_expect_eq(evaluate("'%.1000f'.format([event.total]).size()").as.i, 2 + 1 + 1000);
    cr_expect_eq(evaluate("'%.1001f'.format([event.total])").kind, CEL_ERROR);
}

/* cel.bind(a0, name + name, cel.bind(a1, a0 + a0, … aN.size())): a text of 2 to the N. */
static str doubled(size_t times)
{
    struct buffer out;
    buffer_init(&out, &world.arena);
    buffer_put_str(&out, STR("cel.bind(a0, name + name, "));
    for (size_t i = 1; i < times; i++)
        buffer_put_format(&out, "cel.bind(a%zu, a%zu + a%zu, ", i, i - 1, i - 1);
    buffer_put_format(&out, "a%zu.size()", times - 1);
    for (size_t i = 0; i < times; i++)
        buffer_put_char(&out, ')');
    buffer_put_char(&out, '\0');
    return buffer_str(&out);
}

Test(cel_limits, makes_texts_up_to_the_bound_and_not_beyond)
{
    world.slots[WORLD_NAME] = cel_string(STR("x"));
    struct cel_value v = evaluate(doubled(20).data);
    cr_expect(v.kind == CEL_INT && v.as.i == 1 << 20, "%s", world.frame.error);
    arena_reset(&world.scratch);
    v = evaluate(doubled(22).data);
    cr_expect(v.kind == CEL_ERROR && v.code == CEL_ERROR_LIMIT);
}

/* A sum of texts keeps its parts on the stack, a call its arguments: 17 values a level. */
static str sums(size_t levels)
{
    return nested(
        "name+name+name+name+name+name+name+name+name+name+name+name+name+name+name+'a'.replace('b',", "name",
        ")", levels);
}

Test(cel_limits, holds_no_more_values_at_once_than_the_stack)
{
    EXPECT_MESSAGE(sums(60), "compiles");
    EXPECT_MESSAGE(sums(61), "the expression holds too many values at once");
}

/* ---- names that stand for expressions */

/* So long that the whole, with its brackets, has `bytes`. */
static str padded_name(size_t bytes)
{
    struct cel_shorthand *first = &doubling[0];
    struct buffer out;
    buffer_init(&out, &world.arena);
    buffer_put_str(&out, STR("true"));
    while (out.size < bytes - strlen("name0()"))
        buffer_put_char(&out, ' ');
    first->text = buffer_str(&out);
    str said = first_message(STR("name0"));
    first->text = STR("event.total > 1.0");
    return said;
}

Test(cel_limits, counts_what_a_name_stands_for_towards_the_expression)
{
    str fits = padded_name(LIMIT_CEL_SOURCE_BYTES), not = padded_name(LIMIT_CEL_SOURCE_BYTES + 1);
    cr_expect(str_equal(fits, STR("compiles")), "%.*s", STR_ARG(fits));
    cr_expect(
        str_equal(not, STR("with all that its names stand for, the expression has more than 65536 bytes")),
        "%.*s", STR_ARG(not ));
}

Test(cel_limits, ends_names_that_double_each_other)
{
    EXPECT_MESSAGE(STR("name5"), "compiles");
    EXPECT_MESSAGE(STR("name19"),
                   "with all that its names stand for, the expression has more than 65536 bytes");
}

/* ---- memory */

static const char *const sweep[] = {
    "event.items.map(i, i.price * double(i.qty)).sum() >= 50.0 && event.product in ['a', 'b', 'c']",
    "{'a': [1, 2, 3], 'b': event.tags}['b'].map(t, t + '!').join(', ') + string(event.total)",
    "event.product.matches('^p[0-9]+$') ? optional.of(event).hasValue() : 'x'.matches(name)",
    "'%s %d'.format([event.tags, 5]) + name.replace('A', 'B').upperAscii()",
    "name3 && [1, 2].exists(x, name2 || x > 1)",
    "foo(event.totl, 'x", /* the last: a mistake */
};

/* Compiles with the n-th growth failing, for n = 1, 2 … until none fails; each time cleanly. */
Test(cel_limits, survives_every_failure_of_memory_while_compiling)
{
    for (size_t e = 0; e < sizeof sweep / sizeof sweep[0]; e++) {
        bool whole = false;
        for (size_t n = 1; !whole; n++) {
            struct arena keep, scratch, notes;
            arena_init(&keep, 0);
            arena_init(&scratch, 0);
            arena_init(&notes, 0);
            keep.fail_in = n;
            scratch.fail_in = n;
            notes.fail_in = n;
            struct diagnostics diag;
            diag_init(&diag, &notes);
            struct cel_program *program =
                cel_compile(&keep, &scratch, world.env, str_of(sweep[e]), (struct origin){0}, NULL, &diag);
            whole = keep.fail_in && scratch.fail_in && notes.fail_in;
            cr_expect(program || diag.failed || diag.error_count, "no program and no reason: %s", sweep[e]);
            if (whole && program) cr_expect_neq(cel_eval(program, &world.frame).kind, CEL_UNSET);
            keep.fail_in = scratch.fail_in = notes.fail_in = 0;
            diag_init(&diag, &notes);
            program =
                cel_compile(&keep, &scratch, world.env, str_of(sweep[e]), (struct origin){0}, NULL, &diag);
            cr_expect(!diag.failed && (program || diag.error_count), "the next call fails too: %s", sweep[e]);
            arena_free(&keep);
            arena_free(&scratch);
            arena_free(&notes);
        }
    }
}

/* Evaluates with the n-th growth failing, for n = 1, 2 … until none fails; the next evaluation is as if
 * nothing had been. Empty arenas: nothing is warm. */
Test(cel_limits, survives_every_failure_of_memory_while_evaluating)
{
    static const char *const texts[] = {
        "lists.range(3000).map(i, string(i)).join(',').split(',').map(t, {t: [t]}).size()",
        "event.tags.map(t, t.replace('e', name)).join(', ') + string(event.total)",
        "lists.range(2000).map(i, [i, i]).flatten().distinct().sort().reverse().size()",
    };
    for (size_t e = 0; e < sizeof texts / sizeof texts[0]; e++) {
        struct diagnostics diag;
        struct cel_program *program = cel_world_compile(&world, str_of(texts[e]), &diag);
        cr_assert(program);
        bool whole = false;
        size_t n = 1;
        for (; !whole; n++) {
            arena_free(&world.scratch);
            arena_init(&world.scratch, 0);
            world.scratch.fail_in = n;
            struct cel_value v = cel_eval(program, &world.frame);
            whole = world.scratch.fail_in != 0;
            cr_expect_eq(v.kind == CEL_ERROR, !whole, "%s at %zu", texts[e], n);
            if (!whole) cr_expect_eq(v.code, CEL_ERROR_MEMORY, "%s", world.frame.error);
            world.scratch.fail_in = 0;
            cr_expect_neq(cel_eval(program, &world.frame).kind, CEL_ERROR, "%s after %zu", texts[e], n);
        }
        cr_expect_gt(n, 2, "nothing grew: %s", texts[e]);
    }
}

/* The limit of the arena in place of malloc: every allocation can fail, not only the first of a chunk. */
Test(cel_limits, survives_every_bound_of_memory_while_evaluating)
{
    for (size_t e = 0; e + 1 < sizeof sweep / sizeof sweep[0]; e++) {
        struct diagnostics diag;
        struct cel_program *program = cel_world_compile(&world, str_of(sweep[e]), &diag);
        cr_assert(program);
        struct cel_value v = {.kind = CEL_ERROR};
        size_t limit = 16;
        for (; v.kind == CEL_ERROR && limit < 100000; limit += 16) {
            arena_free(&world.scratch);
            arena_init(&world.scratch, limit);
            v = cel_eval(program, &world.frame);
            if (v.kind == CEL_ERROR) cr_expect_eq(v.code, CEL_ERROR_MEMORY, "%s", world.frame.error);
        }
        cr_expect_lt(limit, 100000);
    }
    arena_free(&world.scratch);
    arena_init(&world.scratch, 0);
}

Test(cel_limits, survives_every_bound_of_memory_while_compiling)
{
    for (size_t e = 0; e + 1 < sizeof sweep / sizeof sweep[0]; e++) {
        struct cel_program *program = NULL;
        for (size_t limit = 64; !program && limit < 1000000; limit += 64) {
            struct arena keep, scratch;
            arena_init(&keep, limit);
            arena_init(&scratch, limit);
            struct diagnostics diag;
            diag_init(&diag, &world.arena);
            program =
                cel_compile(&keep, &scratch, world.env, str_of(sweep[e]), (struct origin){0}, NULL, &diag);
            cr_expect(program || diag.failed, "%s at %zu: %s", sweep[e], limit,
                      diag.first ? diag.first->message.data : "no reason");
            arena_free(&keep);
            arena_free(&scratch);
        }
        cr_expect(program);
    }
}
