/* Tables for people: columns as wide as their widest cell, in letters and not in bytes. */
#include "host/table.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static const struct table_column columns[] = {
    {"rule", TABLE_LEFT}, {"sent", TABLE_RIGHT}, {"why", TABLE_LEFT}};

static char *printed(const struct table *table)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    table_print(table, out);
    fclose(out);
    return text;
}

Test(table, aligns_cells_in_columns)
{
    struct table *table = table_new(columns, 3);
    table_put(table, "%s", "é");
    table_put(table, "%d", 12345);
    table_put(table, "%s", "x");
    table_put(table, "%s", "cart_abandoned");
    table_put(table, "%d", 1);
    table_put(table, "%s", "");
    char *text = printed(table);
    cr_expect_str_eq(text, "rule             sent  why\n"
                           "é               12345  x\n"
                           "cart_abandoned      1\n");
    free(text);
    table_free(table);
}

Test(table, fills_a_row_that_was_not_finished)
{
    struct table *table = table_new(columns, 3);
    table_put(table, "%s", "a");
    char *text = printed(table);
    cr_expect_str_eq(text, "rule  sent  why\na\n");
    free(text);
    table_free(table);
}
