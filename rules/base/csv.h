/* CSV, row by row (RFC 4180): cells may be quoted and then hold separators, doubled quotes and line feeds.
 *
 * What shops export is not always by the book: lines that end with a carriage return, empty lines, and a quote inside a
 * cell that does not begin with one are taken as they are meant. */
#ifndef RULES_BASE_CSV_H
#define RULES_BASE_CSV_H

#include "base/str.h"

enum {
    CSV_COLUMNS_MAX = 1000,
    /* As a separator: any number of blanks and tabs, also before the first cell; no quotes. */
    CSV_BLANKS = ' ',
};

struct csv_row {
    str cells[CSV_COLUMNS_MAX]; /* in the text, or in the room */
    size_t count;
    const char *mistake; /* the row is not to be used; NULL: none */
};

/* Takes the first row that is not empty off *text; false: there is none. `room` has to have as many bytes as the text: it
 * goes on behind what the row needs of it. */
bool csv_row_take(struct csv_row *row, str *text, char separator, char **room);

/* For those who read line by line: is a quoted cell open behind this line? `open`: one was before it. */
bool csv_line_opens(str line, char separator, bool open);

#endif
