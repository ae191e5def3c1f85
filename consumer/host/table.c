/* Tables for people. Small and rare: every cell is a string of its own, widths are taken when it is printed.
 * Width is counted in code points; that is right for everything but East Asian wide letters. Memory that
 * cannot be had ends the program: a table is the last thing that a command does. */
#include "host/table.h"
#include "base/ensure.h"
#include "host/print.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>

enum { GAP = 2 };

struct table {
    const struct table_column *columns;
    size_t column_count;
    char **cells; /* row after row */
    size_t cell_count, cell_room;
};

struct table *table_new(const struct table_column *columns, size_t count)
{
    struct table *table = calloc(1, sizeof *table);
    ensure(table);
    table->columns = columns;
    table->column_count = count;
    return table;
}

void table_put(struct table *table, const char *format, ...)
{
    if (table->cell_count == table->cell_room) {
        table->cell_room = table->cell_room ? table->cell_room * 2 : 64;
        table->cells = realloc(table->cells, table->cell_room * sizeof *table->cells);
        ensure(table->cells);
    }
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    ensure(out);
    va_list arguments;
    va_start(arguments, format);
    print_list(out, format, arguments);
    va_end(arguments);
    ensure(fclose(out) == 0);
    table->cells[table->cell_count++] = text;
}

static size_t text_width(const char *text)
{
    size_t width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xC0) != 0x80; /* all but the following bytes of a sequence */
    return width;
}

static size_t column_width(const struct table *table, size_t column)
{
    size_t width = text_width(table->columns[column].head);
    for (size_t i = column; i < table->cell_count; i += table->column_count) {
        size_t cell = text_width(table->cells[i]);
        if (cell > width) width = cell;
    }
    return width;
}

/* `owed` are blanks that are printed before the next text: a line never ends with one. */
static void cell_print(const char *text, size_t width, bool right, size_t *owed, FILE *out)
{
    size_t blank = width - text_width(text);
    if (right) *owed += blank;
    if (*text) {
        print(out, "%*s%s", (int)*owed, "", text);
        *owed = 0;
    }
    if (!right) *owed += blank;
    *owed += GAP;
}

static void row_print(const struct table *table, const size_t *widths, size_t row, FILE *out)
{
    size_t owed = 0;
    for (size_t c = 0; c < table->column_count; c++) {
        size_t at = row * table->column_count + c;
        cell_print(at < table->cell_count ? table->cells[at] : "", widths[c],
                   table->columns[c].align == TABLE_RIGHT, &owed, out);
    }
    fputc('\n', out);
}

static void head_print(const struct table *table, const size_t *widths, FILE *out)
{
    size_t owed = 0;
    print_paint(PAINT_STRONG, out);
    for (size_t c = 0; c < table->column_count; c++)
        cell_print(table->columns[c].head, widths[c], table->columns[c].align == TABLE_RIGHT, &owed, out);
    print_paint(PAINT_NONE, out);
    fputc('\n', out);
}

void table_print(const struct table *table, FILE *out)
{
    size_t *widths = calloc(table->column_count, sizeof *widths);
    ensure(widths);
    for (size_t c = 0; c < table->column_count; c++)
        widths[c] = column_width(table, c);
    head_print(table, widths, out);
    for (size_t row = 0; row * table->column_count < table->cell_count; row++)
        row_print(table, widths, row, out);
    free(widths);
}

void table_free(struct table *table)
{
    if (!table) return;
    for (size_t i = 0; i < table->cell_count; i++)
        free(table->cells[i]);
    free(table->cells);
    free(table);
}
