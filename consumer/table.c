/* Tables for people. Small and rare: every cell is a string of its own, widths are taken when it is printed.
 * Width is counted in code points; that is right for everything but East Asian wide letters. Memory that
 * cannot be had ends the program: a table is the last thing that a command does. */
#include "table.h"

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

static void *table_must(void *memory)
{
    if (!memory) {
        fputs("relance: out of memory\n", stderr);
        exit(2);
    }
    return memory;
}

struct table *table_new(const struct table_column *columns, size_t count)
{
    struct table *table = table_must(calloc(1, sizeof *table));
    table->columns = columns;
    table->column_count = count;
    return table;
}

void table_put(struct table *table, const char *format, ...)
{
    if (table->cell_count == table->cell_room) {
        table->cell_room = table->cell_room ? table->cell_room * 2 : 64;
        table->cells = table_must(realloc(table->cells, table->cell_room * sizeof *table->cells));
    }
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0) text = NULL;
    va_end(arguments);
    table->cells[table->cell_count++] = table_must(text);
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

static void cell_print(const struct table *table, size_t column, const char *text, size_t width, FILE *out)
{
    int blank = (int)(width - text_width(text));
    bool last = column + 1 == table->column_count;
    if (table->columns[column].align == TABLE_RIGHT)
        fprintf(out, "%*s%s%*s", blank, "", text, last ? 0 : GAP, "");
    else
        fprintf(out, "%s%*s", text, last ? 0 : blank + GAP, "");
}

void table_print(const struct table *table, FILE *out)
{
    size_t *widths = table_must(calloc(table->column_count, sizeof *widths));
    for (size_t c = 0; c < table->column_count; c++) widths[c] = column_width(table, c);

    for (size_t c = 0; c < table->column_count; c++)
        cell_print(table, c, table->columns[c].head, widths[c], out);
    fputc('\n', out);
    for (size_t i = 0; i < table->cell_count; i += table->column_count) {
        for (size_t c = 0; c < table->column_count; c++)
            cell_print(table, c, i + c < table->cell_count ? table->cells[i + c] : "", widths[c], out);
        fputc('\n', out);
    }
    free(widths);
}

void table_free(struct table *table)
{
    if (!table) return;
    for (size_t i = 0; i < table->cell_count; i++) free(table->cells[i]);
    free(table->cells);
    free(table);
}
