/* Conditions taken apart: which parts there are, which of them evaluating asks, and that by them the condition is what
 * it is as a whole. */
#include "base/buffer.h"
#include "cel/parts.h"
#include "cel_world.h"

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

TestSuite(cel_parts, .init = begin, .fini = end);

static struct cel_parts *parts_of(const char *text)
{
    struct cel_parts *parts = cel_parts_new(&world.arena, &world.arena, world.env, str_of(text));
    cr_assert_not_null(parts, "%s", text);
    return parts;
}

/* Each part with its outcomes: "event.vip +, event.total > 1.0 +-, event.qty > 1 !", ! for one that failed. */
static str shown(const struct cel_parts *parts)
{
    const struct cel_part *list;
    size_t count = cel_parts_list(parts, &list);
    struct buffer out;
    buffer_init(&out, &world.arena);
    for (size_t i = 0; i < count; i++)
        buffer_put_format(&out, "%s%.*s %s%s%s", i ? ", " : "", STR_ARG(list[i].text),
                          list[i].outcomes & CEL_WAS_TRUE ? "+" : "",
                          list[i].outcomes & CEL_WAS_FALSE ? "-" : "",
                          list[i].outcomes & CEL_HAS_FAILED ? "!" : "");
    return buffer_str(&out);
}

static void asked(const char *text, const char *expected)
{
    struct cel_parts *parts = parts_of(text);
    cel_parts_ask(parts, &world.frame);
    cr_expect(str_equal(shown(parts), str_of(expected)), "%s\n  expected %s\n  got      %.*s", text, expected,
              STR_ARG(shown(parts)));
}

Test(cel_parts, are_what_the_operators_join)
{
    asked("event.vip", "event.vip +");
    asked("!event.vip", "event.vip +");
    asked("event.vip && (event.qty > 1 || score == 9) && !(event.qty == 3 && score < 0)",
          "event.vip +, event.qty > 1 +, score == 9 , event.qty == 3 +, score < 0 -");
}

Test(cel_parts, do_not_reach_into_comparisons_calls_and_loops)
{
    asked("(event.vip && event.qty > 1) == true", "(event.vip && event.qty > 1) == true +");
    asked("event.items.exists(i, i.qty > 1 && i.price > 1.0)",
          "event.items.exists(i, i.qty > 1 && i.price > 1.0) +");
}

Test(cel_parts, leave_out_constants)
{
    asked("event.vip ? event.qty > 1 : false", "event.vip +, event.qty > 1 +");
    asked("true", "");
}

Test(cel_parts, are_asked_as_far_as_the_condition_asks_them)
{
    asked("event.vip || event.qty > 1", "event.vip +, event.qty > 1 ");
    asked("!event.vip && event.qty > 1", "event.vip +, event.qty > 1 ");
    asked("event.vip ? score > 1 : score > 2", "event.vip +, score > 1 +, score > 2 ");
    asked("event.coupon == 'x' && event.vip", "event.coupon == 'x' !, event.vip +");
    asked("event.coupon == 'x' ? event.vip : score > 2", "event.coupon == 'x' !, event.vip , score > 2 ");
}

Test(cel_parts, remember_all_that_they_were)
{
    struct cel_parts *parts = parts_of("event.vip && event.qty > 1");
    cel_parts_ask(parts, &world.frame);
    world.slots[WORLD_VIP] = cel_bool(false);
    cel_parts_ask(parts, &world.frame);
    world.slots[WORLD_VIP].kind = CEL_ABSENT;
    cel_parts_ask(parts, &world.frame);
    cr_expect(str_equal(shown(parts), STR("event.vip +-!, event.qty > 1 +")), "%.*s", STR_ARG(shown(parts)));
}

/* Three parts, each true, false and absent. */
Test(cel_parts, together_are_what_the_condition_is)
{
    static const char *const texts[] = {
        "event.vip && event.qty > 1 && score > 1",
        "event.vip || event.qty > 1 || score > 1",
        "event.vip && (event.qty > 1 || !(score > 1))",
        "!(event.vip || event.qty > 1) || score > 1",
        "event.vip ? event.qty > 1 : score > 1",
        "(event.vip || score > 1) ? !(event.qty > 1) : false",
        "(event.vip ? event.qty > 1 : score > 1) && (score > 1 || event.vip)",
    };
    const struct cel_value absent = {.kind = CEL_ABSENT}, vip[] = {cel_bool(true), cel_bool(false), absent},
                           number[] = {cel_int(2), cel_int(0), absent};
    for (size_t i = 0; i < sizeof texts / sizeof *texts * 27; i++) {
        const char *text = texts[i / 27];
        struct diagnostics diag;
        world.slots[WORLD_VIP] = vip[i % 3];
        world.slots[WORLD_QTY] = number[i / 3 % 3];
        world.slots[WORLD_SCORE] = number[i / 9 % 3];
        struct cel_program *program = cel_world_compile(&world, str_of(text), &diag);
        cr_assert_not_null(program, "%s", text);
        struct cel_value value = cel_eval(program, &world.frame);
        enum cel_outcome outcome = value.kind != CEL_BOOL ? CEL_HAS_FAILED
                                   : value.as.b           ? CEL_WAS_TRUE
                                                          : CEL_WAS_FALSE;
        cr_expect_eq(cel_parts_ask(parts_of(text), &world.frame), outcome, "%s, case %zu", text, i % 27);
    }
}
