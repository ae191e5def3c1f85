/* CSV row by row: what is one cell, what is one row, and what is neither. */
#include "base/csv.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct csv_row row;

/* The first row as "cell|cell", and behind a blank the mistake, if any; "-": there is none. */
static const char *first(str *text, char separator)
{
    static char room[4096], told[4096];
    char *at = room;
    size_t size = 0;
    if (!csv_row_take(&row, text, separator, &at)) return "-";
    cr_assert_leq(at - room, (long)sizeof room);
    for (size_t i = 0; i < row.count; i++)
        size +=
            (size_t)snprintf(told + size, sizeof told - size, "%s%.*s", i ? "|" : "", STR_ARG(row.cells[i]));
    if (row.mistake) snprintf(told + size, sizeof told - size, " (%s)", row.mistake);
    return told;
}

static void expect(const char *csv, char separator, const char *cells, const char *next)
{
    str text = str_of(csv);
    cr_expect_str_eq(first(&text, separator), cells, "%s", csv);
    cr_expect_str_eq(first(&text, separator), next, "behind %s", csv);
}

Test(csv, cells_stand_between_separators_and_may_be_quoted)
{
    expect("a,b,,c\nd", ',', "a|b||c", "d");
    expect("a,\n", ',', "a|", "-");
    expect("\"a,b\",c\r\n", ',', "a,b|c", "-");
    expect("\"a \"\"b\"\"\";\"\"\nx", ';', "a \"b\"|", "x");
    expect("\"two\r\nlines\",b\nc", ',', "two\nlines|b", "c");
    expect("\"x\n\"\ny", ',', "x\n", "y");
    expect("5\" pipe,b", ',', "5\" pipe|b", "-");
    expect(" \n\r\n a ,b\n", ',', " a |b", "-");
    expect("", ',', "-", "-");
}

Test(csv, words_stand_between_blanks_without_quotes)
{
    expect("  a \t b\"c  \r\nd", CSV_BLANKS, "a|b\"c", "d");
}

Test(csv, a_row_that_is_none_says_why)
{
    expect("\"a\"b,c\nd", ',', "a|c (something stands behind a closing quote)", "d");
    expect("a,\"b\nc", ',', "a|b\nc (a quote is opened here and not closed)", "-");
}

Test(csv, has_1000_cells_and_not_one_more)
{
    static char text[1100];
    memset(text, ',', sizeof text);
    for (size_t cells = CSV_COLUMNS_MAX; cells <= CSV_COLUMNS_MAX + 1; cells++) {
        str one = {text, cells - 1};
        char *room = text;
        cr_assert(csv_row_take(&row, &one, ',', &room));
        cr_expect_eq(row.count, CSV_COLUMNS_MAX);
        cr_expect_eq(row.mistake != NULL, cells > CSV_COLUMNS_MAX);
    }
}

Test(csv, a_line_says_whether_a_cell_goes_on_behind_it)
{
    cr_expect_not(csv_line_opens(STR("a,b"), ',', false));
    cr_expect(csv_line_opens(STR("a,\"b"), ',', false));
    cr_expect(csv_line_opens(STR("more"), ',', true));
    cr_expect(csv_line_opens(STR("doubled \"\" quotes"), ',', true));
    cr_expect_not(csv_line_opens(STR("end\",c"), ',', true));
    cr_expect(csv_line_opens(STR("end\",\"c"), ',', true));
    cr_expect_not(csv_line_opens(STR("5\" pipe,\"x\""), ',', false));
    cr_expect_not(csv_line_opens(STR("a \"b"), CSV_BLANKS, false));
    cr_expect_not(csv_line_opens(STR(""), ',', false));
}

/* A file cut into rows by lines is the file cut into rows at once. */
Test(csv, rows_by_lines_are_the_rows_of_the_whole)
{
    static const char alphabet[] = "a,\"\n\r ;";
    uint64_t state = 1;
    for (int n = 0; n < 20000; n++) {
        char text[24];
        size_t size = 0;
        for (state = state * 6364136223846793005u + 1; size < sizeof text; size++)
            text[size] = alphabet[(state >> (2 * size + 8)) % (sizeof alphabet - 1)];
        str rest = {text, size};
        char room[64], *at = room;
        while (csv_row_take(&row, &rest, ',', &at)) {
            const char *end = rest.size ? rest.data - 1 : text + size;
            bool open = false, broken = row.mistake && strstr(row.mistake, "opened");
            const char *line = text;
            for (const char *c = text; c <= end; c++)
                if (c == end || *c == '\n') {
                    bool begins = !open && !str_trim((str){line, (size_t)(c - line)}).size;
                    if (!begins) open = csv_line_opens((str){line, (size_t)(c - line)}, ',', open);
                    line = c + 1;
                }
            cr_assert_eq(open, broken, "%.*s", (int)size, text);
        }
    }
}
