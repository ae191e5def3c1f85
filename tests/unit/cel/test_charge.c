/* What pays for input, and what may not change by it: maps and lists with an index find what they found without one,
 * shared values are equal where trees would be, and each bound holds at N and not at N + 1. */
#include "base/buffer.h"
#include "base/limits.h"
#include "cel/charge.h"
#include "cel_world.h"

#include <criterion/criterion.h>
#include <math.h>

static struct cel_world world;

static void begin(void)
{
    cel_world_begin(&world);
}

static void end(void)
{
    cel_world_end(&world);
}

TestSuite(cel_charge, .init = begin, .fini = end, .timeout = 60);

static struct cel_value evaluate(const char *text)
{
    struct diagnostics diag;
    struct cel_program *program = cel_world_compile(&world, str_of(text), &diag);
    cr_assert(program, "%s: %s", text, diag.first ? diag.first->message.data : "");
    return cel_eval(program, &world.frame);
}

static void shows(const char *text, const char *want)
{
    str got = cel_world_show(&world, text);
    cr_expect(str_equal(got, str_of(want)), "%s\n  wanted %s\n  got    %.*s", text, want, STR_ARG(got));
}

static struct cel_value list_of(const struct cel_value *items, size_t count)
{
    struct cel_list *list = arena_alloc(&world.arena, sizeof *list + count * sizeof list->items[0]);
    list->count = count;
    if (count) memcpy(list->items, items, count * sizeof list->items[0]);
    return (struct cel_value){.kind = CEL_LIST, .as.list = list};
}

/* [v, v] in [it, it] in …: 2 to the `levels` leaves. */
static struct cel_value doubled(struct cel_value v, size_t levels)
{
    for (; levels > 0; levels--)
        v = list_of((struct cel_value[]){v, v}, 2);
    return v;
}

static struct cel_value nested(size_t levels)
{
    struct cel_value v = cel_int(1);
    for (; levels > 0; levels--)
        v = list_of(&v, 1);
    return v;
}

/* ---- maps */

Test(cel_charge, finds_in_a_map_what_is_there_with_and_without_an_index)
{
    static const int64_t sizes[] = {0, 1, INDEX_FROM - 1, INDEX_FROM, INDEX_FROM + 1, 100, 3000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        world.slots[WORLD_SCORE] = cel_int(sizes[i]);
        shows("cel.bind(m, dyn(lists.range(score).transformMapEntry(i, v, {v * 7: v})), m.size() == score &&"
              " lists.range(score).all(i, m[i * 7] == i && m[uint(i * 7)] == i && m[double(i) * 7.0] == i &&"
              " !((i * 7 + 1) in m) && !((double(i) + 0.5) in m) && !(string(i) in m) && !([i] in m)))",
              "true");
        shows("cel.bind(m, dyn(lists.range(score).transformMapEntry(i, v, {string(v): v})),"
              " lists.range(score).all(i, m[string(i)] == i) && !('x' in m) && !(1 in m) && m == m)",
              "true");
        shows("lists.range(score + 2).transformMapEntry(i, v, {v % (score + 1): v})",
              "error: the same key twice in a map");
    }
}

Test(cel_charge, tells_the_kinds_of_keys_apart_by_value_alone)
{
    shows("cel.bind(m, lists.range(40).transformMapEntry(i, v, {v % 2 == 0 ? dyn(v) : dyn(uint(v)): v}),"
          " lists.range(40).all(i, m[i] == i && m[uint(i)] == i && m[double(i)] == i))",
          "true");
    shows(
        "cel.bind(m, dyn(lists.range(20).transformMapEntry(i, v, {9007199254740992 + v: v})),"
        " [9007199254740992.0 in m, 9007199254740994.0 in m, 9007199254741020.0 in m, m[9007199254740993]])",
        "[true,true,false,1]");
    shows("cel.bind(m, lists.range(40).transformMapEntry(i, v, {v == 20 ? dyn(true) : dyn(v): v}), m[true])",
          "20");
}

Test(cel_charge, pays_for_keys_that_all_have_one_hash)
{
    /* between 2^62 and 2^63 a double stands for 1,024 ints */
    shows("cel.bind(m, lists.range(1000).transformMapEntry(i, v, {4611686018427387904 + v: v}), m.size())",
          "1000");
    shows("lists.range(9000).transformMapEntry(i, v, {4611686018427387904 + v: v}).size()",
          "error: the evaluation takes more than 1000000 steps");
}

/* ---- lists against what looking through them one by one says */

static uint32_t seed = 1;

static uint32_t draw(uint32_t below)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % below;
}

static struct cel_value any_value(int depth)
{
    static const double doubles[] = {
        0.0, -0.0, 1, 2.5, NAN, INFINITY, 9007199254740992.0, 4611686018427387904.0, 1e300};
    static const int64_t ints[] = {
        0, 1, -1, 2, 9007199254740992, 9007199254740993, 4611686018427387904, 4611686018427387905};
    struct cel_value some = {.kind = CEL_NULL};
    switch (draw(depth ? 10 : 7)) {
    case 0: return cel_int(ints[draw(8)]);
    case 1: return cel_uint((uint64_t)ints[draw(8)]);
    case 2: return cel_double(doubles[draw(9)]);
    case 3: return cel_string((str){"abcabcabc", draw(10)});
    case 4: some = cel_string((str){"abcabcabc", draw(10)}), some.kind = CEL_BYTES; return some;
    case 5: return cel_bool(draw(2));
    case 6: return draw(2) ? cel_timestamp_ms(draw(3)) : cel_duration_ms(draw(3));
    case 7: return some;
    default: {
        struct cel_value items[3] = {any_value(depth - 1), any_value(depth - 1), any_value(depth - 1)};
        return list_of(items, draw(4));
    }
    }
}

static bool naive_has(const struct cel_value *items, size_t count, struct cel_value v)
{
    for (size_t i = 0; i < count; i++)
        if (cel_equal(items[i], v)) return true;
    return false;
}

Test(cel_charge, leaves_of_a_list_each_different_element_once_however_many_there_are)
{
    enum { MOST = 200 };
    for (size_t round = 0; round < 300; round++) {
        struct cel_value items[MOST], want[MOST];
        size_t count = draw(MOST), kept = 0;
        for (size_t i = 0; i < count; i++) {
            items[i] = any_value(2);
            if (!naive_has(want, kept, items[i])) want[kept++] = items[i];
        }
        world.slots[WORLD_ANY] = list_of(items, count);
        struct cel_value got = evaluate("any.distinct()");
        cr_assert_eq(got.kind, CEL_LIST);
        cr_assert_eq(got.as.list->count, kept, "round %zu", round);
        for (size_t i = 0; i < kept; i++)
            cr_assert(memcmp(&got.as.list->items[i], &want[i], sizeof want[i]) == 0, "round %zu, element %zu",
                      round, i);
        arena_reset(&world.scratch);
    }
}

Test(cel_charge, finds_among_many_constants_what_equals_one_of_them)
{
    static const char many[] =
        "any in [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 9007199254740993, 2.5, 1, "
        "b'x', true, timestamp(0), [1, 2.0], 'text', null]";
    static const struct {
        const char *value;
        bool found;
    } cases[] = {
        {"15", true},
        {"15u", true},
        {"15.0", true},
        {"16", false},
        {"2.5", true},
        {"2.25", false},
        {"-0.0", true},
        {"9007199254740992.0", true},
        {"9007199254740992", false},
        {"b'x'", true},
        {"'x'", false},
        {"true", true},
        {"false", false},
        {"timestamp(0)", true},
        {"[1.0, 2]", true},
        {"[1]", false},
        {"'text'", true},
        {"null", true},
        {"0.0 / 0.0", false},
    };
    struct diagnostics diag;
    struct cel_program *program = cel_world_compile(&world, STR(many), &diag);
    cr_assert(program);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        world.slots[WORLD_ANY] = evaluate(cases[i].value);
        struct cel_value v = cel_eval(program, &world.frame);
        cr_expect(v.kind == CEL_BOOL && v.as.b == cases[i].found, "%s", cases[i].value);
    }
}

/* ---- values that share parts */

Test(cel_charge, compares_what_is_shared_once)
{
    world.slots[WORLD_ANY] = doubled(cel_int(0), 200);
    struct cel_value other = doubled(cel_int(0), 200);
    cr_expect(evaluate("any == any").as.b);
    size_t used = world.scratch.used;
    world.slots[WORLD_ITEMS] = other;
    cr_expect(evaluate("any == event.items").as.b, "%s", world.frame.error);
    cr_expect_eq(world.scratch.used, used, "what is remembered is given back");
    world.slots[WORLD_ITEMS] = list_of((struct cel_value[]){other, cel_int(1)}, 2);
    cr_expect(evaluate("[any, 1] == event.items").as.b);
    cr_expect_not(evaluate("[any, 2] == event.items").as.b);
    cr_expect(cel_equal(doubled(cel_int(0), 10), doubled(cel_int(0), 10)));
}

Test(cel_charge, knows_that_a_nan_equals_nothing_wherever_it_lies)
{
    world.slots[WORLD_ANY] = list_of((struct cel_value[]){doubled(cel_double(NAN), 0)}, 1);
    cr_expect_not(evaluate("any == any").as.b);
    world.slots[WORLD_ANY] = doubled(cel_double(NAN), 100);
    cr_expect_not(evaluate("any == any").as.b);
    struct cel_value mixed[2] = {doubled(cel_int(0), 100), doubled(cel_double(NAN), 100)};
    world.slots[WORLD_ANY] = list_of(mixed, 2);
    cr_expect_not(evaluate("any == any").as.b);
    cr_expect(evaluate("any[0] == any[0] && any != any").as.b);
    shows("[0.0 / 0.0, 0.0 / 0.0].distinct().size()", "2");
}

Test(cel_charge, copies_what_is_shared_once)
{
    struct arena arena;
    arena_init(&arena, 0);
    struct cel_value copy = doubled(cel_string(STR("text")), 60);
    world.slots[WORLD_ANY] = copy;
    cr_assert(cel_value_copy(&arena, &copy));
    cr_expect_lt(arena.used, 100u * 1024);
    world.slots[WORLD_ITEMS] = copy;
    cr_expect(evaluate("any == event.items").as.b);
    arena_free(&arena);
}

Test(cel_charge, ends_a_writer_at_its_bound)
{
    struct buffer out;
    buffer_init_bounded(&out, &world.arena, 1000);
    cr_expect_not(cel_print_json(doubled(cel_int(0), 60), &out));
    cr_expect(out.failed && out.over && out.size <= 1000);
    struct cel_value v = evaluate("'%s'.format([any])");
    cr_expect_eq(v.kind, CEL_STRING);
    world.slots[WORLD_ANY] = doubled(cel_int(0), 60);
    v = evaluate("'%s'.format([any])");
    cr_expect(v.kind == CEL_ERROR && v.code == CEL_ERROR_LIMIT, "%s", world.frame.error);
}

Test(cel_charge, holds_as_many_bytes_as_a_buffer_may_and_not_one_more)
{
    struct buffer out;
    buffer_init_bounded(&out, &world.arena, 1000);
    for (size_t i = 0; i < 1000; i++)
        buffer_put_char(&out, 'x');
    cr_expect(!out.failed && out.size == 1000);
    buffer_put_char(&out, 'x');
    cr_expect(out.failed && out.over && out.size == 1000);
}

Test(cel_charge, walks_values_as_deep_as_the_bound_and_no_deeper)
{
    struct buffer out;
    static const char *const walks[] = {"any == event.items", "'%s'.format([any]).size() > 0",
                                        "any.flatten(1000).size() > 0"};
    for (size_t more = 0; more < 2; more++) {
        world.slots[WORLD_ANY] = nested(LIMIT_CEL_VALUE_DEPTH + more);
        world.slots[WORLD_ITEMS] = nested(LIMIT_CEL_VALUE_DEPTH + more);
        for (size_t i = 0; i < sizeof walks / sizeof walks[0]; i++) {
            struct cel_value v = evaluate(walks[i]);
            cr_expect_eq(v.kind, more ? CEL_ERROR : CEL_BOOL, "%s: %s", walks[i], world.frame.error);
            if (more) cr_expect_str_eq(world.frame.error, "a value nests more than 256 deep");
        }
        buffer_init(&out, &world.arena);
        cr_expect_eq(cel_print_json(world.slots[WORLD_ANY], &out), !more);
    }
}

/* ---- patterns */

/* So many letters are a program of four instructions more. */
static str letters(size_t count)
{
    char *text = arena_alloc(&world.arena, count);
    memset(text, 'a', count);
    return (str){text, count};
}

Test(cel_charge, takes_a_pattern_as_large_as_the_bound_and_not_one_instruction_more)
{
    for (size_t more = 0; more < 2; more++) {
        struct diagnostics diag;
        str pattern = letters(LIMIT_CEL_REGEX_PROGRAM - 4 + more);
        str text = arena_format(&world.arena, "name.matches('%.*s')", STR_ARG(pattern));
        struct cel_program *program = cel_world_compile(&world, text, &diag);
        cr_expect_eq(program != NULL, !more);
        if (more)
            cr_expect_str_eq(diag.first->message.data,
                             "this pattern is too large: it compiles to more than 10000 instructions");
        world.slots[WORLD_NAME] = cel_string(pattern);
        struct cel_value v = evaluate("'x'.matches(name)");
        cr_expect_eq(v.kind, more ? CEL_ERROR : CEL_BOOL, "%s", world.frame.error);
        if (more)
            cr_expect_str_eq(world.frame.error,
                             "not a valid RE2 pattern: it compiles to more than 10000 instructions");
    }
    shows("'x'.matches('[a-z0-9._%+-]{1,64}@[a-z0-9-]{1,63}([.][a-z0-9-]{1,63}){1,8}')", "false");
}

Test(cel_charge, has_a_pattern_pay_its_text_times_its_program)
{
    world.slots[WORLD_NAME] = cel_string(letters(1 << 20));
    cr_expect_eq(evaluate("name.matches('^b')").kind, CEL_BOOL);
    struct cel_value v = evaluate("name.matches('(a?){300}b')");
    cr_expect(v.kind == CEL_ERROR && v.code == CEL_ERROR_LIMIT);
    cr_expect_eq(evaluate("name.substring(1047000).matches('(a?){300}b')").kind, CEL_BOOL);
}

/* ---- texts */

Test(cel_charge, finds_from_behind_what_looking_at_every_place_finds)
{
    static const char letters_of_text[] = "aab\xC3\xA9";
    for (size_t round = 0; round < 500; round++) {
        char text[200], needle[40];
        size_t size = draw(sizeof text), length = draw(round % 2 ? sizeof needle : 4);
        for (size_t i = 0; i < size; i++)
            text[i] = letters_of_text[draw(3)];
        for (size_t i = 0; i < length; i++)
            needle[i] = letters_of_text[draw(2)];
        int64_t want = -1, from = draw(200);
        for (size_t at = 0; at + length <= size && (int64_t)at <= from; at++)
            if (memcmp(text + at, needle, length) == 0) want = (int64_t)at;
        world.slots[WORLD_NAME] = cel_string((str){text, size});
        world.slots[WORLD_ANY] = cel_string((str){needle, length});
        world.slots[WORLD_SCORE] = cel_int(from);
        struct cel_value v = evaluate("score > name.size() ? -2 : name.lastIndexOf(any, score)");
        cr_assert_eq(v.as.i, from > (int64_t)size ? -2 : want, "round %zu", round);
        arena_reset(&world.scratch);
    }
}

Test(cel_charge, trims_every_white_space_of_unicode_and_nothing_else)
{
    shows("'\\t\\n\\v\\f\\r "
          "\\u0085\\u00A0\\u1680\\u2000\\u2005\\u200A\\u2028\\u2029\\u202F\\u205F\\u3000x\\u3000 '.trim()",
          "\"x\"");
    shows("'\\u200Bx\\u180E'.trim().size()", "3");
    shows("'\\u3000\\u2003 '.trim()", "\"\"");
}

/* A round of this loop costs five steps and the comparison of its texts: sixteen bytes are a step. */
Test(cel_charge, has_texts_pay_to_the_last_step)
{
    enum { ROUND = 5 };
    str text = letters(16000), other = letters(16000);
    int64_t most = LIMIT_CEL_STEPS / (ROUND + 1000 + 1); /* and lists.range(n) n steps */
    for (int64_t more = 0; more < 2; more++) {
        world.slots[WORLD_SCORE] = cel_int(most + more);
        world.slots[WORLD_NAME] = cel_string(text);
        world.slots[WORLD_ANY] = cel_string(other);
        struct cel_value v = evaluate("lists.range(score).all(i, name == any)");
        cr_expect_eq(v.kind, more ? CEL_ERROR : CEL_BOOL, "%s", world.frame.error);
        if (more) cr_expect_eq(v.code, CEL_ERROR_LIMIT);
        arena_reset(&world.scratch);
    }
}

/* A test that is fused with its jump pays too, and an error of its is absorbed like any other. */
Test(cel_charge, has_tests_of_long_texts_pay)
{
    world.slots[WORLD_NAME] = cel_string(letters(60000));
    str same = letters(60000);
    str text = arena_format(&world.arena, "lists.range(200000).exists(i, name != '%.*s')", STR_ARG(same));
    struct cel_value v = evaluate(text.data);
    cr_expect(v.kind == CEL_ERROR && v.code == CEL_ERROR_LIMIT);
    text = arena_format(&world.arena, "lists.range(200000).exists(i, name != '%.*s') || score == 5",
                        STR_ARG(same));
    cr_expect(evaluate(text.data).as.b);
}

Test(cel_charge, takes_any_number_for_a_range)
{
    shows("[lists.range(-9223372036854775808), lists.range(0), lists.range(2)]", "[[],[],[0,1]]");
    world.slots[WORLD_SCORE] = cel_int(INT64_MAX);
    shows("lists.range(score)", "error: the evaluation takes more than 1000000 steps");
    world.slots[WORLD_SCORE] = cel_int(LIMIT_CEL_STEPS + 1);
    shows("lists.range(score)", "error: the evaluation takes more than 1000000 steps");
}
