/* Strings: order and UTF-8. */
#include "base/str.h"

#include <criterion/criterion.h>

TestSuite(str, .timeout = 30);

Test(str, are_ordered_by_bytes_the_shorter_first)
{
    static const str ascending[] = {STR(""),     STR("\0"),       STR("\0\0"), STR("A"),
                                    STR("a"),    STR("a\0"),      STR("aa"),   STR("b"),
                                    STR("\x7f"), STR("\xC3\xA9"), STR("\xFF")};
    enum { COUNT = sizeof ascending / sizeof *ascending };
    for (size_t i = 0; i < COUNT; i++)
        for (size_t j = 0; j < COUNT; j++) {
            int order = str_compare(ascending[i], ascending[j]), wanted = (i > j) - (i < j);
            cr_expect_eq((order > 0) - (order < 0), wanted, "%zu and %zu", i, j);
            cr_expect_eq(str_equal(ascending[i], ascending[j]), i == j);
        }
}

Test(str, no_bytes_are_equal_to_no_bytes_wherever_they_stand)
{
    cr_expect(str_equal((str){0}, STR("")));
    cr_expect_eq(str_compare((str){0}, STR("")), 0);
    cr_expect(str_starts_with((str){0}, STR("")));
    cr_expect(!str_starts_with((str){0}, STR("a")));
    cr_expect(str_starts_with(STR("cart"), STR("cart")));
    cr_expect(!str_starts_with(STR("car"), STR("cart")));
}

TestSuite(utf8, .timeout = 30);

/* Every code point, and nothing that only looks like one. */
Test(utf8, encodes_every_code_point_into_what_it_accepts)
{
    for (uint32_t point = 0; point <= 0x10FFFF; point++) {
        char bytes[4];
        size_t size = utf8_encode(point, bytes), wanted = point < 0x80      ? 1
                                                          : point < 0x800   ? 2
                                                          : point < 0x10000 ? 3
                                                                            : 4;
        bool surrogate = point >= 0xD800 && point <= 0xDFFF;
        cr_assert_eq(size, wanted);
        cr_assert_eq(utf8_length((str){bytes, size}, 0), surrogate ? 0 : size, "U+%04X", (unsigned)point);
        if (!surrogate) cr_assert_eq(utf8_count((str){bytes, size}), 1u);
        cr_assert_eq(utf8_length((str){bytes, size - 1}, 0), 0u, "U+%04X cut off", (unsigned)point);
    }
}

Test(utf8, refuses_what_RFC_3629_refuses)
{
    static const str broken[] = {
        STR("\x80"),
        STR("\xBF"), /* a continuation without its beginning */
        STR("\xC0\x80"),
        STR("\xC1\xBF"), /* overlong, two bytes */
        STR("\xE0\x80\x80"),
        STR("\xE0\x9F\xBF"), /* three */
        STR("\xF0\x80\x80\x80"),
        STR("\xF0\x8F\xBF\xBF"), /* four */
        STR("\xED\xA0\x80"),
        STR("\xED\xBF\xBF"), /* surrogates */
        STR("\xF4\x90\x80\x80"),
        STR("\xF5\x80\x80\x80"),
        STR("\xFF"),
        STR("\xFE"), /* beyond U+10FFFF */
        STR("\xC3"),
        STR("\xE2\x82"),
        STR("\xF0\x9F\x9B"), /* cut off */
        STR("\xC3("),
        STR("\xE2(\xA1"),
        STR("\xE2\x82("),
        STR("\xF0\x9F\x9B("), /* broken off */
    };
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        cr_expect_eq(utf8_length(broken[i], 0), 0u, "%zu", i);
        cr_expect(!utf8_valid(broken[i]), "%zu", i);
    }
    cr_expect(utf8_valid(STR("a\0\xC3\xA9\xE2\x82\xAC\xF0\x9F\x9B\x92")));
    cr_expect_eq(utf8_count(STR("a\0\xC3\xA9\xE2\x82\xAC\xF0\x9F\x9B\x92")), 5u);
    cr_expect(utf8_valid((str){0}));
}

Test(utf8, length_at_the_end_is_nothing)
{
    cr_expect_eq(utf8_length(STR("ab"), 2), 0u);
}

Test(str, prints_bytes_as_hex_digits)
{
    char out[6];
    hex_print((const unsigned char[]){0x00, 0xaf, 0xff}, 3, out);
    cr_expect(str_equal((str){out, 6}, STR("00afff")));
}

Test(str, decodes_what_it_encodes)
{
    for (uint32_t point = 0; point <= 0x10FFFF; point += point < 0x3000 ? 1 : 61) {
        char bytes[4];
        uint32_t back = 0;
        if (point >= 0xD800 && point < 0xE000) continue;
        size_t size = utf8_encode(point, bytes);
        cr_assert_eq(utf8_decode((str){bytes, size}, 0, &back), size);
        cr_assert_eq(back, point);
    }
}
