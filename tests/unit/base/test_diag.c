/* Diagnostics: where the caret stands, whatever lies between it and the beginning of the file. */
#include "base/diag.h"

#include "base/buffer.h"
#include "base/limits.h"

#include <criterion/criterion.h>

static struct arena arena;
static struct diagnostics diag;

static void setup(void)
{
    arena_init(&arena, 0);
    diag_init(&diag, &arena);
}

static void teardown(void)
{
    arena_free(&arena);
}

TestSuite(diag, .init = setup, .fini = teardown, .timeout = 30);

static struct source file(const char *name, str text, size_t order)
{
    return (struct source){.name = str_of(name), .text = text, .order = order};
}

static void complain(struct origin origin, size_t begin, size_t end, const char *hint)
{
    diag_add(&diag, SEVERITY_ERROR, origin, begin, end, str_of(hint), "wrong");
}

static void prints(const char *expected)
{
    struct buffer out;
    buffer_init(&out, &arena);
    diag_print(&diag, &out);
    cr_expect(str_equal(buffer_str(&out), str_of(expected)), "wanted\n%sgot\n%.*s", expected,
              STR_ARG(buffer_str(&out)));
}

/* The byte of `text` at which `needle` begins. */
static size_t place(str text, const char *needle)
{
    const char *found = memmem(text.data, text.size, needle, strlen(needle));
    cr_assert_not_null(found);
    return (size_t)(found - text.data);
}

Test(diag, shows_file_line_column_source_caret_and_hint)
{
    struct source f = file("cart.jsonc", STR("{\n  \"do\": 7\n}\n"), 0);
    complain((struct origin){.source = &f}, 10, 11, "a list goes here");
    prints("cart.jsonc:2:9: error: wrong\n"
           "    2 |   \"do\": 7\n"
           "      |         ^ a list goes here\n");
}

Test(diag, underlines_all_that_is_meant_and_nothing_beyond_the_line)
{
    struct source f = file("f", STR("one two\nthree"), 0);
    complain((struct origin){.source = &f}, 4, 7, "");
    complain((struct origin){.source = &f}, 4, 13, "");
    prints("f:1:5: error: wrong\n    1 | one two\n      |     ^^^\n"
           "f:1:5: error: wrong\n    1 | one two\n      |     ^^^\n");
}

Test(diag, a_place_without_width_is_one_caret)
{
    struct source f = file("f", STR("one"), 0);
    complain((struct origin){.source = &f}, 1, 1, "");
    complain((struct origin){.source = &f}, 2, 1, "");
    prints("f:1:2: error: wrong\n    1 | one\n      |  ^\n"
           "f:1:3: error: wrong\n    1 | one\n      |   ^\n");
}

Test(diag, the_end_of_the_file_is_a_place_and_beyond_it_is_the_end)
{
    struct source f = file("f", STR("one"), 0), empty = file("g", (str){0}, 1),
                  lines = file("h", STR("one\n"), 2);
    complain((struct origin){.source = &f}, 3, 3, "");
    complain((struct origin){.source = &f}, 99, 120, "");
    complain((struct origin){.source = &empty}, 0, 0, "");
    complain((struct origin){.source = &lines}, 4, 4, "");
    prints("f:1:4: error: wrong\n    1 | one\n      |    ^\n"
           "f:1:4: error: wrong\n    1 | one\n      |    ^\n"
           "g:1:1: error: wrong\n    1 | \n      | ^\n"
           "h:2:1: error: wrong\n    2 | \n      | ^\n");
}

Test(diag, columns_are_code_points)
{
    struct source f = file("f", STR("\"caf\xC3\xA9 \xF0\x9F\x9B\x92\" x"), 0);
    complain((struct origin){.source = &f}, place(f.text, "x"), f.text.size, "");
    complain((struct origin){.source = &f}, place(f.text, "\xC3\xA9"), place(f.text, "\" x"), "");
    prints("f:1:10: error: wrong\n    1 | \"caf\xC3\xA9 \xF0\x9F\x9B\x92\" x\n      |          ^\n"
           "f:1:5: error: wrong\n    1 | \"caf\xC3\xA9 \xF0\x9F\x9B\x92\" x\n      |     ^^^\n");
}

Test(diag, lines_end_with_a_line_feed_with_or_without_a_carriage_return)
{
    struct source f = file("f", STR("one\r\ntwo\r\n"), 0);
    complain((struct origin){.source = &f}, 5, 8, "");
    prints("f:2:1: error: wrong\n    2 | two\n      | ^^^\n");
}

/* ---- through the escapes of a JSON string. Each story: the string in the file, what it says, and the byte
 * of what it says that is wrong. */

static void leads_back(str literal, size_t at, size_t end, const char *expected)
{
    teardown();
    setup();
    struct source f = file("f", literal, 0);
    complain((struct origin){.source = &f, .offset = 1, .escaped = true}, at, end, "");
    prints(expected);
}

Test(diag, a_place_in_a_JSON_string_leads_back_through_its_escapes)
{
    leads_back(STR("\"a\\nb\""), 2, 3, "f:1:5: error: wrong\n    1 | \"a\\nb\"\n      |     ^\n");
    leads_back(STR("\"\\\\\\\"x\""), 2, 3, "f:1:6: error: wrong\n    1 | \"\\\\\\\"x\"\n      |      ^\n");
    leads_back(STR("\"\\\"\\/x\""), 1, 2, "f:1:4: error: wrong\n    1 | \"\\\"\\/x\"\n      |    ^^\n");
}

Test(diag, also_through_escapes_by_number)
{
    leads_back(STR("\"\\u0041x\""), 1, 2, "f:1:8: error: wrong\n    1 | \"\\u0041x\"\n      |        ^\n");
    leads_back(STR("\"\\u00e9x\""), 2, 3, "f:1:8: error: wrong\n    1 | \"\\u00e9x\"\n      |        ^\n");
    leads_back(STR("\"\\u20ACx\""), 3, 4, "f:1:8: error: wrong\n    1 | \"\\u20ACx\"\n      |        ^\n");
}

Test(diag, also_through_the_pair_that_writes_one_character)
{
    leads_back(STR("\"\\ud83d\\uded2x\""), 4, 5,
               "f:1:14: error: wrong\n    1 | \"\\ud83d\\uded2x\"\n      |              ^\n");
    leads_back(STR("\"\\uD83D\\uDED2x\""), 0, 4,
               "f:1:2: error: wrong\n    1 | \"\\uD83D\\uDED2x\"\n      |  ^^^^^^^^^^^^\n");
}

Test(diag, a_string_that_breaks_off_in_an_escape_is_no_reason_to_read_on)
{
    static const str broken[] = {STR("\"\\"),      STR("\"\\u"),        STR("\"\\u00"),
                                 STR("\"\\ud83d"), STR("\"\\ud83d\\u"), STR("\"\\ud83d\\uded")};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        struct source f = {.name = STR("f")};
        cr_assert(arena_copy_str(&arena, broken[i], &f.text));
        for (size_t at = 0; at < 12; at++)
            complain((struct origin){.source = &f, .offset = 1, .escaped = true}, at, at + 3, "");
        struct buffer out;
        buffer_init(&out, &arena);
        diag_print(&diag, &out);
        cr_expect_gt(out.size, 0u);
        diag_init(&diag, &arena);
    }
}

Test(diag, a_part_of_a_text_has_an_origin_of_its_own)
{
    struct source f = file("f", STR("\"\\t${a\\\"b}\""), 0);
    struct origin whole = {.source = &f, .offset = 1, .escaped = true}, part = origin_at(whole, 3);
    cr_expect_eq(part.offset, place(f.text, "a\\"));
    complain(part, 2, 3, "");
    prints("f:1:9: error: wrong\n    1 | \"\\t${a\\\"b}\"\n      |         ^\n");
    struct origin plain = origin_at((struct origin){.source = &f, .offset = 2}, 3);
    cr_expect_eq(plain.offset, 5u);
}

/* ---- what must not reach a terminal */

Test(diag, control_characters_and_broken_text_are_shown_harmlessly)
{
    struct source f = file("f", STR("a\tb\x1b[31m\0\xFF\x7f x"), 0);
    complain((struct origin){.source = &f}, place(f.text, "x"), f.text.size, "a\x1b]0;hint");
    prints("f:1:13: error: wrong\n    1 | a b?[31m??? x\n      |             ^ a?]0;hint\n");
}

Test(diag, messages_are_shown_harmlessly_too)
{
    struct source f = file("f", STR("x"), 0);
    diag_add(&diag, SEVERITY_WARNING, (struct origin){.source = &f}, 0, 1, (str){0}, "no '%s'",
             "\x1b[2J\r\n");
    prints("f:1:1: warning: no '?[2J?"
           "?'\n    1 | x\n      | ^\n");
}

Test(diag, a_name_of_a_file_is_shown_harmlessly_too)
{
    struct source f = file("a\x1b[2J\nb", STR("x"), 0);
    complain((struct origin){.source = &f}, 0, 1, "");
    prints("a?[2J?b:1:1: error: wrong\n    1 | x\n      | ^\n");
}

/* ---- long lines: a window around the mistake, of 160 columns */

static str long_line(size_t size)
{
    char *text = arena_alloc(&arena, size);
    cr_assert_not_null(text);
    for (size_t i = 0; i < size; i++)
        text[i] = (char)('a' + i % 26);
    return (str){text, size};
}

/* The second and third printed line, without "    1 | ". */
static void excerpt(str lines[2])
{
    struct buffer out;
    buffer_init(&out, &arena);
    diag_print(&diag, &out);
    const char *at = out.data, *end = out.data + out.size;
    for (int i = -1; i < 2; i++) {
        const char *feed = memchr(at, '\n', (size_t)(end - at));
        cr_assert_not_null(feed);
        if (i >= 0) lines[i] = (str){at + 8, (size_t)(feed - at) - 8};
        at = feed + 1;
    }
}

static void window(size_t size, size_t at, size_t shown_wanted)
{
    teardown();
    setup();
    struct source f = file("f", long_line(size), 0);
    complain((struct origin){.source = &f}, at, at + 1, "");
    str lines[2];
    excerpt(lines);
    cr_expect_eq(lines[0].size, shown_wanted, "%zu of %zu: shows %zu", at, size, lines[0].size);
    size_t caret = lines[1].size - 1;
    cr_expect_eq(lines[1].data[caret], '^');
    if (at < size) cr_expect_eq(lines[0].data[caret], f.text.data[at], "%zu of %zu", at, size);
}

Test(diag, a_line_of_160_columns_is_shown_whole_a_longer_one_around_the_mistake)
{
    window(160, 0, 160);
    window(160, 159, 160);
    window(161, 0, 160);
    window(161, 160, 101);
    window(100000, 0, 160);
    window(100000, 50, 160);
    window(100000, 50000, 160);
    window(100000, 99999, 101);
    window(100000, 100000, 100);
}

Test(diag, the_window_cuts_no_character_in_two)
{
    struct buffer text;
    buffer_init(&text, &arena);
    for (int i = 0; i < 1000; i++)
        buffer_put_str(&text, STR("\xF0\x9F\x9B\x92"));
    struct source f = file("f", buffer_str(&text), 0);
    for (size_t at = 0; at <= 4000; at += 400)
        complain((struct origin){.source = &f}, at, at, "");
    struct buffer out;
    buffer_init(&out, &arena);
    diag_print(&diag, &out);
    cr_expect(utf8_valid(buffer_str(&out)));
    cr_expect_null(memchr(out.data, '?', out.size));
}

Test(diag, bytes_that_only_continue_characters_do_not_make_a_line_look_short)
{
    struct buffer text;
    buffer_init(&text, &arena);
    for (int i = 0; i < 5000; i++)
        buffer_put_char(&text, '\x80');
    struct source f = file("f", buffer_str(&text), 0);
    complain((struct origin){.source = &f}, 2500, 2501, "");
    struct buffer out;
    buffer_init(&out, &arena);
    diag_print(&diag, &out);
    cr_expect_lt(out.size, 1000u, "%zu bytes for one mistake", out.size);
}

/* ---- order */

static void order_of(const char *expected)
{
    struct buffer out;
    buffer_init(&out, &arena);
    for (const struct diagnostic *d = diag.first; d; d = d->next)
        buffer_put_format(&out, "%.*s:%zu:%.*s ", STR_ARG(d->source->name), d->begin, STR_ARG(d->message));
    cr_expect(str_equal(buffer_str(&out), str_of(expected)), "wanted %s\ngot    %.*s", expected,
              STR_ARG(buffer_str(&out)));
}

Test(diag, are_sorted_by_file_place_and_message_and_told_once)
{
    struct source a = file("a", STR("0123456789"), 1), b = file("b", STR("0123456789"), 0);
    static const char *const messages[] = {"y", "x"};
    for (size_t round = 0; round < 3; round++)
        for (size_t at = 9; at > 6; at--)
            for (size_t m = 0; m < 2; m++) {
                diag_add(&diag, SEVERITY_ERROR, (struct origin){.source = &a}, at, at, (str){0}, "%s",
                         messages[m]);
                diag_add(&diag, SEVERITY_WARNING, (struct origin){.source = &b}, at, at, (str){0}, "%s",
                         messages[m]);
            }
    cr_expect_eq(diag.error_count, 18u);
    diag_sort(&diag);
    order_of("b:7:x b:7:y b:8:x b:8:y b:9:x b:9:y a:7:x a:7:y a:8:x a:8:y a:9:x a:9:y ");
    cr_expect_eq(diag.error_count, 6u);
    cr_expect_eq(diag.warning_count, 6u);
    cr_expect_null(diag.last->next);
    diag_add(&diag, SEVERITY_ERROR, (struct origin){.source = &a}, 1, 1, (str){0}, "late");
    diag_sort(&diag);
    cr_expect_eq(diag.error_count, 7u, "one can go on adding after sorting");
}

Test(diag, an_error_and_a_warning_of_the_same_words_are_two)
{
    struct source a = file("a", STR("x"), 0);
    diag_add(&diag, SEVERITY_WARNING, (struct origin){.source = &a}, 0, 1, (str){0}, "odd");
    diag_add(&diag, SEVERITY_ERROR, (struct origin){.source = &a}, 0, 1, (str){0}, "odd");
    diag_sort(&diag);
    cr_expect_eq(diag.error_count, 1u);
}

Test(diag, none_are_sorted_into_none)
{
    diag_sort(&diag);
    cr_expect_null(diag.first);
    prints("");
}

Test(diag, a_text_without_a_file_is_told_without_a_place)
{
    complain((struct origin){0}, 0, 0, "");
    prints("error: wrong\n");
}

Test(diag, a_message_too_long_for_its_room_is_cut_not_lost)
{
    char name[3000];
    memset(name, 'n', sizeof name);
    struct source f = file("f", STR("x"), 0);
    diag_add(&diag, SEVERITY_ERROR, (struct origin){.source = &f}, 0, 1, (str){0}, "no '%.*s' here",
             (int)sizeof name, name);
    cr_expect_gt(diag.first->message.size, 900u);
    cr_expect(str_starts_with(diag.first->message, STR("no 'nnnn")));
}

Test(diag, a_thousand_are_told_and_the_next_is_counted)
{
    struct source f = file("f", STR("x"), 0);
    for (int i = 0; i < LIMIT_DIAGNOSTICS; i++)
        diag_add(&diag, SEVERITY_ERROR, (struct origin){.source = &f}, 0, 1, (str){0}, "%d", i);
    cr_expect_eq(diag.left_out, 0u);
    complain((struct origin){.source = &f}, 0, 1, "");
    cr_expect_eq(diag.left_out, 1u);
    cr_expect_eq(diag.error_count, (size_t)LIMIT_DIAGNOSTICS + 1);
    struct buffer out;
    buffer_init(&out, &arena);
    diag_sort(&diag);
    diag_print(&diag, &out);
    cr_expect_not_null(memmem(out.data, out.size, "and 1 more, which are not shown\n", 32));
}

/* In whatever order they are printed, each stands at its own place. */
Test(diag, places_do_not_depend_on_what_was_printed_before)
{
    struct source a = file("a", STR("one\ntwo\nthree\n"), 0), b = file("b", STR("\xC3\xA9x"), 1);
    complain((struct origin){.source = &a}, 9, 10, "");
    complain((struct origin){.source = &b}, 2, 3, "");
    complain((struct origin){.source = &a}, 5, 6, "");
    complain((struct origin){.source = &a}, 5, 6, "");
    complain((struct origin){.source = &a}, 7, 7, "");
    prints(
        "a:3:2: error: wrong\n    3 | three\n      |  ^\nb:1:2: error: wrong\n    1 | \xC3\xA9x\n      |  ^\n"
        "a:2:2: error: wrong\n    2 | two\n      |  ^\na:2:2: error: wrong\n    2 | two\n      |  ^\n"
        "a:2:4: error: wrong\n    2 | two\n      |    ^\n");
}

/* At whichever growth memory fails, what is there is told and what is missing is admitted. */
Test(diag, admit_it_when_memory_ran_out)
{
    struct source f = file("f", STR("x"), 0);
    arena.limit = arena.used + 700;
    for (int i = 0; i < 10; i++)
        complain((struct origin){.source = &f}, 0, 1, "");
    cr_expect(diag.failed);
    cr_expect_eq(diag.error_count, 10u, "they were mistakes all the same");
    arena.limit = 0;
    struct buffer out;
    buffer_init(&out, &arena);
    diag_print(&diag, &out);
    cr_expect_not_null(memmem(out.data, out.size, "out of memory", 13));
}
