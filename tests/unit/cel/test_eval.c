/* Programs and their frames: slots, host functions, what a program says about itself. */
#include "base/buffer.h"
#include "base/limits.h"
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

TestSuite(cel_eval, .init = begin, .fini = end);

static struct cel_program *compile(const char *text)
{
    struct diagnostics diag;
    struct cel_program *program = cel_world_compile(&world, str_of(text), &diag);
    cr_assert(program, "%s", diag.first ? diag.first->message.data : "no memory");
    return program;
}

Test(cel_eval, asks_the_host_once_for_a_slot_that_is_not_looked_up_yet)
{
    struct cel_program *program = compile("lazy == 77 && lazy > 70");
    cr_expect(cel_eval(program, &world.frame).as.b);
    cr_expect_eq(world.resolved, 1);
    cel_eval(program, &world.frame);
    cr_expect_eq(world.resolved, 1);
}

Test(cel_eval, does_not_ask_for_what_it_does_not_need)
{
    cr_expect_not(cel_eval(compile("score == 0 && lazy == 77"), &world.frame).as.b);
    cr_expect_eq(world.resolved, 0);
}

Test(cel_eval, says_which_slots_and_functions_a_program_uses)
{
    const uint32_t *numbers;
    struct cel_program *program = compile("event.qty > 1 && views(event.product) > 0 && has(event.coupon)");
    cr_expect_eq(cel_program_slots(program, &numbers), 3);
    cr_expect(numbers[0] == WORLD_PRODUCT && numbers[1] == WORLD_QTY && numbers[2] == WORLD_COUPON);
    cr_expect_eq(cel_program_functions(program, &numbers), 1);
    cr_expect_eq(numbers[0], 0);
}

static size_t needs(const char *text, const struct cel_need **out)
{
    return cel_program_needs(compile(text), out);
}

Test(cel_eval, says_what_a_condition_needs_as_far_as_it_is_asked_before_anything_that_can_fail)
{
    const struct cel_need *need;
    cr_assert_eq(
        needs("event.total > 2.0 && ('p1' == event.product && event.qty in [1, 2]) && event.qty == 3", &need),
        1);
    cr_expect(need->slot == WORLD_PRODUCT && need->count == 1);
    cr_expect(str_equal(cel_text(need->values[0]), STR("p1")));
    cr_assert_eq(needs("event.product in ['a', 'b'] && event.qty == 3", &need), 2);
    cr_expect(need[0].count == 2 && str_equal(cel_text(need[0].values[1]), STR("b")));
    cr_expect(need[1].slot == WORLD_QTY && need[1].count == 1 && need[1].values[0].as.i == 3);
    cr_expect_eq(needs("views(event.product) > 0 && event.product == 'a'", &need), 0);
    cr_expect_eq(needs("event.product == 'a' || event.qty == 3", &need), 0);
    cr_expect_eq(needs("!(event.product == 'a') && event.product != 'b'", &need), 0);
    cr_expect_eq(needs("event.product", &need), 0);
}

Test(cel_eval, knows_a_constant_when_it_has_become_one)
{
    struct cel_value v;
    cr_expect(cel_program_constant(compile("1 + 2 * 3"), &v));
    cr_expect_eq(v.as.i, 7);
    cr_expect_not(cel_program_constant(compile("score + 1"), &v));
    cr_expect_not(cel_program_constant(compile("1 / 0"), &v), "an error is no constant");
}

/* Folding computes constants, but an error stays where it is: who knows whether it will ever be reached. */
Test(cel_eval, folds_no_error_into_a_mistake)
{
    static const char *const texts[] = {
        "1 / 0",
        "9223372036854775807 + 1",
        "-(-9223372036854775808)",
        "0u - 1u",
        "[1][1]",
        "{'a': 1}['b']",
        "int('x')",
        "timestamp('x')",
        "duration('x')",
        "'x'.matches('(')",
        "{'a': 1, 'a': 2}",
        "[1, 2].map(x, x / 0)",
        "'%d'.format([])",
        "math.abs(-9223372036854775808)",
        "optional.none().value()",
        "'x'.charAt(5)",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        cr_expect_eq(cel_eval(compile(texts[i]), &world.frame).kind, CEL_ERROR, "%s", texts[i]);
        str absorbed = arena_format(&world.arena, "score == 5 || dyn(%s) == 1", texts[i]);
        cr_expect(cel_eval(compile(absorbed.data), &world.frame).as.b, "%s", texts[i]);
        str avoided = arena_format(&world.arena, "score == 5 ? true : dyn(%s) == 1", texts[i]);
        cr_expect(cel_eval(compile(avoided.data), &world.frame).as.b, "%s", texts[i]);
    }
}

Test(cel_eval, passes_on_an_error_that_lies_in_a_slot)
{
    world.slots[WORLD_SCORE] = cel_fail(&world.frame, CEL_ERROR_HOST, "no score today");
    struct cel_value v = cel_eval(compile("score > 3"), &world.frame);
    cr_expect_eq(v.kind, CEL_ERROR);
    cr_expect_str_eq(world.frame.error, "no score today");
    cr_expect(cel_eval(compile("score > 3 || true"), &world.frame).as.b);
}

Test(cel_eval, checks_the_type_that_is_wanted)
{
    struct diagnostics diag;
    diag_init(&diag, &world.arena);
    const struct cel_type *wanted = &cel_types[CEL_TYPE_BOOL];
    cr_expect_null(
        cel_compile(&world.arena, &world.arena, world.env, STR("score"), (struct origin){0}, wanted, &diag));
    cr_expect_str_eq(diag.first->message.data, "a bool is expected here, but this is an int");
    cr_expect(
        cel_compile(&world.arena, &world.arena, world.env, STR("any"), (struct origin){0}, wanted, &diag),
        "dyn is let through");
}

Test(cel_eval, outlives_the_text_and_the_scratch_memory_it_was_compiled_from)
{
    struct arena scratch;
    arena_init(&scratch, 0);
    char text[] = "name + ' and ' + ['Grace', 'Ada'][1] == 'Ada and Ada' && event.product in ['p1', 'p2']";
    struct diagnostics diag;
    diag_init(&diag, &world.arena);
    struct cel_program *program = cel_compile(&world.arena, &scratch, world.env, (str){text, sizeof text - 1},
                                              (struct origin){0}, NULL, &diag);
    memset(text, '#', sizeof text);
    arena_free(&scratch);
    cr_expect(cel_eval(program, &world.frame).as.b);
}

Test(cel_eval, evaluates_again_within_a_host_function)
{
    struct cel_program *inner = compile("event.items.map(i, i.qty).sum()");
    struct cel_value before = cel_eval(inner, &world.frame);
    struct cel_value v = cel_eval(compile("[1, 2].map(x, x + views(event.product))"), &world.frame);
    cr_expect_eq(before.as.i, 3);
    cr_expect_eq(v.as.list->items[1].as.i, 4);
}

Test(cel_eval, answers_in_place_without_touching_the_scratch_memory)
{
    size_t used = world.scratch.used;
    cel_eval(compile("(event.product == 'p1' || name == 'x') && (event.qty >= 100 || score == 5)"),
             &world.frame);
    cr_expect_eq(world.scratch.used, used);
}

Test(cel_eval, fills_a_record_only_where_it_is_present)
{
    world.slots[WORLD_LAST_THERE] = cel_bool(true);
    world.slots[WORLD_LAST_TOTAL] = cel_double(12);
    struct cel_value v = cel_eval(compile("last.purchase"), &world.frame);
    cr_assert_eq(v.kind, CEL_RECORD);
    cr_expect_eq(v.as.record->fields[0].as.d, 12);
    cr_expect_eq(v.as.record->fields[1].kind, CEL_ABSENT);
}

Test(cel_eval, reads_bytes_that_are_no_text_without_harm)
{
    world.slots[WORLD_NAME] = cel_string((str){"\xFF\xC0\x80\xED\xA0\x80", 6});
    static const char *const texts[] = {
        "name.size()",       "name.trim()",           "name.reverse()",       "name.charAt(1)",
        "name.split('')",    "name.replace('', '-')", "name.indexOf('x')",    "name.substring(1)",
        "name.matches('.')", "strings.quote(name)",   "name.lastIndexOf('')", "'%s %x'.format([name, name])"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        cel_eval(compile(texts[i]), &world.frame);
}

/* What `text` gives, with `name` for each @, and in the brackets that `before` opens, if it does: JSON or the
 * error. */
static str answer(const char *text, const char *name, const char *before)
{
    struct buffer out;
    buffer_init(&out, &world.arena);
    buffer_put_str(&out, str_of(before));
    for (; *text; text++)
        if (*text == '@')
            buffer_put_str(&out, str_of(name));
        else
            buffer_put_char(&out, *text);
    if (*before) buffer_put_char(&out, ')');
    buffer_put_char(&out, '\0');
    return cel_world_show(&world, out.data);
}

/* An event's fields lie in slots of their own; bound to a name it is a value. Nobody can tell the difference. */
Test(cel_eval, answers_the_same_of_a_record_in_slots_and_of_its_value)
{
    static const char *const texts[] = {
        "has(@.coupon)",
        "@.?coupon.orValue('none')",
        "@.?coupon.hasValue() || @.?product.hasValue()",
        "@.coupon",
        "@.coupon == 'x'",
        "@.coupon == 'x' || true",
        "@.coupon != 'x' && @.vip",
        "!has(@.coupon) || @.coupon == 'x'",
        "@.product + @.tags[0]",
        "@.items[0].price + @.?items[?5].?price.orValue(1.0)",
        "@.items.map(i, has(i.note))",
        "@.items.map(i, i.?note.orValue('none'))",
        "@.items.exists(i, i.note == 'x')",
        "@.items.exists(i, i.note == 'x' || i.qty == 1)",
        "@ == @ && @.items == @.items",
        "@.qty in [1, 2, 3] && @.qty >= 3",
        "@.coupon in ['a', 'b']",
        "@.coupon.startsWith('a') || @.vip",
        "@.qty / 0 > 1 || @.vip",
        "[?@.?coupon, ?@.?product]",
        "{?'coupon': @.?coupon, 'product': @.product}",
        "string(@.qty) + @.coupon",
        "dyn(@).?coupon.hasValue() || has(dyn(@).coupon)",
        "dyn(@).nothing",
        "@.?product in [dyn('p1')]",
        "@",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        str in_slots = answer(texts[i], "event", "");
        str as_value = answer(texts[i], "e", "cel.bind(e, event, ");
        cr_expect(str_equal(in_slots, as_value), "%s: %.*s but %.*s", texts[i], STR_ARG(in_slots),
                  STR_ARG(as_value));
    }
}

/* A megabyte of each: letters that make other engines' patterns explode, NUL, bytes that are no text, letters
 * of two bytes. Whatever the answer, it comes at once and within its bound; a text that grows past it doubles
 * once more before it is an error. */
Test(cel_eval, takes_megabytes_in_its_stride, .timeout = 120)
{
    enum { MEGABYTE = 1 << 20 };
    static const char *const fillings[] = {"a", "\0", "\xFF", "\xC3\xA9"};
    static const char *const texts[] = {
        "name.matches('^(a+)+$')",
        "name.matches('(a|aa)+b')",
        "name.matches('(.*)*(.*)*c')",
        "name.matches(name)",
        "name.size() > 5",
        "name.reverse().size()",
        "name.replace('a', 'bc').size()",
        "name.replace('', '-').size()",
        "name.split('').size()",
        "name.split('a').size()",
        "name.indexOf('ab')",
        "name.lastIndexOf('ab')",
        "name.upperAscii().trim().size()",
        "strings.quote(name).size()",
        "name.substring(500000).size()",
        "(name + name + name).size()",
        "'%s%s%s%s%s'.format([name, name, name, name, name]).size()",
        "base64.encode(bytes(name)).size()",
        "base64.decode(name).size()",
        "int(name) + 1",
        "timestamp(name) > now",
        "duration(name) > duration('1h')",
        "name in ['a', name]",
        "{name: 1}[name]",
        "double(name)",
        "name.contains(name.substring(1))",
    };
    char *megabyte = arena_alloc(&world.arena, MEGABYTE);
    for (size_t f = 0; f < sizeof fillings / sizeof fillings[0]; f++) {
        size_t size = fillings[f][0] ? strlen(fillings[f]) : 1;
        for (size_t i = 0; i < MEGABYTE; i++)
            megabyte[i] = fillings[f][i % size];
        for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
            world.slots[WORLD_NAME] = cel_string((str){megabyte, MEGABYTE});
            struct cel_value v = cel_eval(compile(texts[i]), &world.frame);
            cr_expect(v.kind == CEL_ERROR || v.kind == CEL_BOOL || v.kind == CEL_INT || v.kind == CEL_DOUBLE,
                      "%s", texts[i]);
            size_t used = world.scratch.used;
            cr_expect_leq(used, v.kind == CEL_ERROR ? 4 * LIMIT_CEL_ARENA_BYTES : LIMIT_CEL_ARENA_BYTES,
                          "%s: %zu", texts[i], used);
            arena_reset(&world.scratch);
        }
    }
}

Test(cel_eval, ends_in_its_midst_when_somebody_asks_for_a_stop)
{
    const char *texts[] = {"lists.range(200000).exists(i, views('p1') < 0)",
                           "lists.range(200000).exists(i, views('p1') < 0) || score == 5"};
    for (size_t i = 0; i < 2; i++) {
        world.frame.stopped = false;
        world.called = 0;
        world.stop = 0;
        world.stop_call = 1000;
        struct cel_value v = cel_eval(compile(texts[i]), &world.frame);
        cr_expect(world.frame.stopped);
        cr_expect_lt(world.called, 1000u + 4096u);
        if (i == 0)
            cr_expect_eq(v.code, CEL_ERROR_STOPPED, "%s", world.frame.error);
        else
            cr_expect(v.as.b, "an error may be absorbed; who asks looks at `stopped`");
    }
}
