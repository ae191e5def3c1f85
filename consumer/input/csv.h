/* CSV, row by row (RFC 4180): cells may be quoted and then hold separators, doubled quotes and line feeds.
 *
 * What shops export is not always by the book: a byte order mark at the beginning, lines that end with a
 * carriage return, empty lines, and a quote inside a cell that does not begin with one are taken as they are
 * meant. Memory is bounded by one row. */
#ifndef CONSUMER_INPUT_CSV_H
#define CONSUMER_INPUT_CSV_H

#include "base/buffer.h"
#include "input/lines.h"

enum {
    CSV_COLUMNS_MAX = 1000,
    /* As a separator: any number of blanks and tabs, also before the first cell; no quotes. */
    CSV_BLANKS = ' ',
};

struct csv_cell {
    size_t begin, size; /* in the row's text */
};

struct csv {
    struct lines *lines; /* borrowed */
    char separator;
    int64_t line; /* where the row begins, from 1 */
    struct buffer text;
    struct csv_cell cells[CSV_COLUMNS_MAX];
    size_t count;
    const char *mistake; /* of the row: it is not to be used; NULL: none */
    bool quoted, closed; /* inside a quoted cell; just behind its closing quote */
};

void csv_init(struct csv *csv, struct lines *lines, char separator);
/* The next row that is not empty; false at the end, or lines->failed. */
bool csv_next(struct csv *csv);
struct relance_str csv_cell(const struct csv *csv, size_t column); /* empty beyond the last */
void csv_free(struct csv *csv);

#endif
