/* What is printed: nothing of a stranger gives orders to a terminal, forges a line, or breaks what a program reads. */
#include "host/print.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static char printed[4096];
static FILE *out;

static void begin(void)
{
    out = fmemopen(printed, sizeof printed, "w");
    cr_assert(out);
}

/* What has been printed since; begins anew. */
static str done(void)
{
    long size = ftell(out);
    fclose(out);
    begin();
    return (str){printed, (size_t)size};
}

static void finish(void)
{
    fclose(out);
}

TestSuite(print, .init = begin, .fini = finish);

#define expect(wanted) cr_expect(str_equal(done(), STR(wanted)), "%s", printed)

Test(print, shows_a_strangers_text_in_one_line_and_without_controls)
{
    print_text(STR("a\x1b[2J\x07\x7f\0b\xc2\x9b"
                   "c\r\nd\te\xc3\x9f\xc2"),
               out);
    expect("a\\u001b[2J\\u0007\\u007f\\u0000b\\u009bc  d e\xc3\x9f\xef\xbf\xbd");
}

Test(print, shows_what_turns_the_direction_of_writing_and_separators_of_lines)
{
    print_text(STR("\xe2\x80\xae"
                   "a\xe2\x81\xa6\xe2\x80\xa8"
                   "b\xe2\x80\xb0\xe2\x80\x8f"),
               out);
    expect("\\u202ea\\u2066\\u2028b\xe2\x80\xb0\xe2\x80\x8f");
}

Test(print, finds_a_control_wherever_it_stands_among_eight_bytes)
{
    for (size_t at = 0; at < 40; at++)
        for (int c = 0; c < 256; c++) {
            char text[40], wanted[64];
            memset(text, 'x', sizeof text);
            text[at] = (char)c;
            print_text((str){text, sizeof text}, out);
            const char *shown = c >= 0x80 ? "\xef\xbf\xbd" : wanted + 48;
            if (c >= 0x20 && c < 0x7f)
                snprintf(wanted + 48, 16, "%c", c);
            else if (c < 0x80)
                snprintf(wanted + 48, 16, c == '\t' || c == '\n' || c == '\r' ? " " : "\\u%04x", (unsigned)c);
            char whole[64];
            snprintf(whole, sizeof whole, "%.*s%s%.*s", (int)at, text, shown, (int)(sizeof text - at - 1),
                     text + at + 1);
            str got = done();
            cr_expect(str_equal(got, str_of(whole)), "byte %d at %zu: %.*s", c, at, STR_ARG(got));
        }
}

Test(print, keeps_the_lines_of_what_has_lines)
{
    print_lines(STR("a\n\tb\r\x1b\n"), out);
    expect("a\n\tb \\u001b\n");
}

Test(print, forms_numbers_and_texts_as_printf_does)
{
    print(out, "%d|%5d|%-5d|%05d|%+d|%zu|%lld|%llu|%x|%04x|%%|%c|%g|%.2f|%.15g|%+.1f|%*s|", -3, 42, 42, 42, 7,
          (size_t)9, -1LL, 1ULL << 63, 255u, 255u, 'c', 0.5, 2.345, 1e15 / 3, 1.25, 3, "");
    char wanted[256];
    snprintf(wanted, sizeof wanted,
             "%d|%5d|%-5d|%05d|%+d|%zu|%lld|%llu|%x|%04x|%%|%c|%g|%.2f|%.15g|%+.1f|%*s|", -3, 42, 42, 42, 7,
             (size_t)9, -1LL, 1ULL << 63, 255u, 255u, 'c', 0.5, 2.345, 1e15 / 3, 1.25, 3, "");
    cr_expect(str_equal(done(), str_of(wanted)), "%s", printed);
    print(out, "%s|%5s|%-5s|%.2s|%-4.*s|%.*s|", "abc", "abc", "abc", "abc", 2, "abc", 3, "a\0b");
    expect("abc|  abc|abc  |ab|ab  |a\\u0000b|");
}

Test(print, aligns_by_what_is_shown)
{
    print(out, "%-8s|%8s|%-3s|", "\x1b", "\xc3\xa9", "abcdef");
    expect("\\u001b  |       \xc3\xa9|abcdef|");
}

Test(print, makes_arguments_plain_and_leaves_its_own_form_alone)
{
    print(out, "%s\n%c\t%.*s\n", "a\nb\x1b", '\x1b', 3, "c\nd");
    expect("a b\\u001b\n\\u001b\tc d\n");
}

Test(print, marks_what_a_format_escapes_with_a_backslash_and_its_own_escapes_too)
{
    print_escaped(STR("ok 1 # a\\b\nc\x1b"), "#\\", out);
    expect("ok 1 \\# a\\\\b c\\\\u001b");
}

Test(print, gives_xml_what_it_can_hold)
{
    print_xml(
        STR("<a "
            "b='\"&\">"
            "\t\n\r\x1b\x7f\xc2\x9b\xef\xbf\xbe\xef\xbf\xbf\xef\xbf\xbd\xff\xed\xa0\x80\xf0\x9f\x98\x80"),
        out);
    expect("&lt;a b='&quot;&amp;&quot;&gt;&#9;&#10;&#13;\\u001b&#127;&#155;\\ufffe\\uffff"
           "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xf0\x9f\x98\x80");
}

Test(print, gives_prometheus_labels_in_utf8_with_its_three_escapes)
{
    print_label(STR("a\\b\"c\nd\x1b\xff\xc3\x9f"), out);
    expect("a\\\\b\\\"c\\nd\\\\u001b\xef\xbf\xbd\xc3\x9f");
}

Test(print, rows_keep_their_columns_where_no_terminal_breaks_them)
{
    print_row(out, 8, STR("name"), STR("a sentence"));
    print_row(out, 8, STR("a longer name"), STR("a sentence"));
    print_row(out, 8, STR("12345678"), STR("x"));
    print_row(out, 8, STR("alone"), STR(""));
    expect("  name     a sentence\n  a longer name  a sentence\n  12345678  x\n  alone\n");
}

Test(print, paints_nothing_where_no_terminal_is)
{
    print_painted(PAINT_BAD, STR("not\x1b ok"), out);
    print_paint(PAINT_STRONG, out);
    expect("not\\u001b ok");
}
