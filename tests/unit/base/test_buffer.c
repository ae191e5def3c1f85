/* The buffer: bytes that grow, JSON strings, and silence once memory is gone. */
#include "base/buffer.h"

#include <criterion/criterion.h>

static struct arena arena;
static struct buffer buffer;

static void setup(void)
{
    arena_init(&arena, 0);
    buffer_init(&buffer, &arena);
}

static void teardown(void)
{
    arena_free(&arena);
}

TestSuite(buffer, .init = setup, .fini = teardown, .timeout = 30);

static void reads(str expected)
{
    cr_expect(str_equal(buffer_str(&buffer), expected), "wanted %.*s, got %.*s", STR_ARG(expected),
              STR_ARG(buffer_str(&buffer)));
}

Test(buffer, holds_what_was_put_in_order)
{
    reads(STR(""));
    buffer_put_str(&buffer, STR("a cart"));
    buffer_put_char(&buffer, '\0');
    buffer_put_format(&buffer, " of %d %s", 3, "tents");
    buffer_put(&buffer, NULL, 0);
    reads(STR("a cart\0 of 3 tents"));
}

Test(buffer, keeps_every_byte_while_it_grows)
{
    for (int i = 0; i < 100000; i++)
        buffer_put_char(&buffer, (char)i);
    cr_assert_eq(buffer.size, 100000u);
    for (int i = 0; i < 100000; i++)
        cr_assert_eq(buffer.data[i], (char)i);
}

Test(buffer, takes_a_format_longer_than_its_room)
{
    buffer_put_format(&buffer, "%5000d", 7);
    cr_expect_eq(buffer.size, 5000u);
    cr_expect_eq(buffer.data[4999], '7');
}

Test(buffer, that_counts_keeps_nothing_and_knows_the_size)
{
    struct buffer counting;
    buffer_init_counting(&counting);
    buffer_put_str(&counting, STR("a cart"));
    buffer_put_char(&counting, 'x');
    for (int i = 0; i < 1000; i++)
        buffer_put(&counting, "twelve bytes", 12);
    buffer_put(&counting, NULL, 0);
    cr_expect_eq(counting.size, 12007u);
    cr_expect_null(counting.data);
    cr_expect_not(counting.failed);
}

Test(buffer, writes_JSON_strings_that_every_reader_takes)
{
    buffer_put_json_string(&buffer, STR("\"\\/\b\f\n\r\t\x01\x1f\x7f\0 \xC3\xA9\xF0\x9F\x9B\x92"));
    reads(STR("\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\\u0000 \xC3\xA9\xF0\x9F\x9B\x92\""));
}

Test(buffer, an_empty_JSON_string_is_two_quotes)
{
    buffer_put_json_string(&buffer, (str){0});
    reads(STR("\"\""));
}

Test(buffer, swallows_everything_after_memory_ran_out_and_says_so)
{
    arena.limit = 256;
    for (int i = 0; i < 300; i++)
        buffer_put_char(&buffer, 'x');
    cr_expect(buffer.failed);
    size_t size = buffer.size;
    arena.limit = 0; /* memory is back, but what is missing in the middle stays missing */
    buffer_put_str(&buffer, STR("more"));
    buffer_put_format(&buffer, "%d", 1);
    buffer_put_json_string(&buffer, STR("text"));
    cr_expect_eq(buffer.size, size);
    cr_expect(buffer.failed);
}

/* At whichever growth memory fails: the writer goes on without harm, and learns of it at the end. */
Test(buffer, fails_at_any_growth_without_harm)
{
    bool whole = false;
    for (size_t n = 1; !whole; n++) {
        cr_assert_lt(n, 100u);
        teardown();
        setup();
        arena.fail_in = n;
        for (int i = 0; i < 20000; i++)
            buffer_put_json_string(&buffer, STR("caf\xC3\xA9\n"));
        whole = !buffer.failed;
        cr_expect(!whole || buffer.size == (size_t)20000 * 9, "%zu", buffer.size);
    }
}

Test(buffer, without_an_arena_has_memory_of_its_own_and_keeps_it_when_emptied)
{
    struct buffer own = {0};
    for (int i = 0; i < 10000; i++)
        buffer_put_str(&own, STR("0123456789"));
    cr_expect_eq(own.size, 100000);
    cr_expect(str_equal(str_slice(buffer_str(&own), 99990, 100000), STR("0123456789")));
    const char *data = own.data;
    own.size = 0;
    memset(buffer_room(&own, 100000), 'x', 100000);
    cr_expect_eq(own.size, 0);
    cr_expect_eq(own.data, data);
    buffer_free(&own);
    cr_expect_null(own.data);
}

/* Eight bytes are looked at at a time: each byte, at each place among others, is written as it is alone. */
Test(buffer, escapes_a_byte_wherever_it_stands)
{
    for (int byte = 0; byte < 256; byte++)
        for (size_t place = 0; place < 20; place++) {
            char text[20], code[6];
            struct buffer out, wanted;
            memset(text, 'a', sizeof text);
            text[place] = (char)byte;
            buffer_init(&out, &arena);
            buffer_init(&wanted, &arena);
            buffer_put_json_string(&out, (str){text, sizeof text});
            buffer_put_char(&wanted, '"');
            for (size_t i = 0; i < sizeof text; i++) {
                bool plain = json_is_plain((unsigned char)text[i]);
                size_t size = plain ? 1 : json_escape((unsigned char)text[i], code);
                buffer_put(&wanted, plain ? &text[i] : code, size);
            }
            buffer_put_char(&wanted, '"');
            cr_assert(str_equal(buffer_str(&out), buffer_str(&wanted)), "byte %d at %zu", byte, place);
        }
}
