/* Diagnostics: mistakes in what a person wrote, collected, not thrown: parsers and checkers add and go on.
 *
 *     cart.jsonc:73:54: error: event 'view' has no field 'pruduct'
 *        73 |       "if": "views(event.product) >= 3 && adds(event.pruduct) == 0",
 *           |                                                      ^^^^^^^ did you mean 'product'?
 *
 * A mistake is found at bytes [begin, end) of some text; where that text stood inside a JSON string of a
 * file, its origin leads back through the escapes. Columns count code points. */
#ifndef RULES_BASE_DIAG_H
#define RULES_BASE_DIAG_H

#include "base/arena.h"
#include <stdarg.h>

struct source {
    str name;     /* as shown to the user */
    str text;     /* whole file as read */
    size_t order; /* place among the files of a set */
};

/* The line that holds a position: its number from 1 and its bytes, without its end. */
struct source_line {
    size_t number, begin, end;
};

/* A place in a file, and how far it is from the beginning: {0} at first. Whoever looks at places in their order
 * moves it from one to the next: a million of them on one line are no reason to read it a million times. */
struct source_cursor {
    const struct source *source;
    size_t at, column; /* column from 0, in code points */
    struct source_line line;
};
void source_cursor_move(struct source_cursor *cursor, const struct source *source, size_t at);

/* For who looks at places of one file in any order, and often: where the lines are, noted every few KiB. */
struct source_index {
    const struct source *source; /* NULL: not made yet */
    struct source_cursor *marks;
};
bool source_index_make(struct source_index *index, struct arena *arena, const struct source *source);
void source_index_place(const struct source_index *index, size_t at, size_t *line, size_t *column);

/* Line and column, both from 1, of a byte of a file. */
void source_place(const struct source *source, size_t at, size_t *line, size_t *column);

/* Where a text comes from: it begins at `offset` of source->text. `escaped`: there it is the inside of a JSON
 * string (offset of the first byte after the quote), so one byte of the text may be several of the file. */
struct origin {
    /* NULL: the text has no file; shown as line and column of the text itself */
    const struct source *source;
    size_t offset;
    bool escaped;
};

/* The origin of the part of a text that begins at its byte `at`. */
struct origin origin_at(struct origin origin, size_t at);

enum severity { SEVERITY_ERROR, SEVERITY_WARNING };

struct diagnostic {
    struct diagnostic *next;
    enum severity severity;
    const struct source *source;
    size_t begin, end; /* bytes of source->text */
    str message;       /* without a full stop at the end */
    str hint;          /* may be empty; printed behind the caret */
};

struct diagnostics {
    struct arena *arena; /* owns the diagnostics */
    struct diagnostic *first, *last;
    size_t error_count, warning_count;
    size_t kept, left_out; /* at most LIMIT_DIAGNOSTICS are kept, the others only counted */
    bool failed;           /* out of memory: something is missing here */
};

void diag_init(struct diagnostics *diag, struct arena *arena);
/* Adds one at bytes [begin, end) of the text that `origin` describes. `hint` may be {0}; it is copied. */
void diag_add(struct diagnostics *diag, enum severity severity, struct origin origin, size_t begin,
              size_t end, str hint, const char *format, ...) __attribute__((format(printf, 7, 8)));
/* Nothing more is kept: what a hint would need to be found need not be looked for. */
bool diag_is_full(const struct diagnostics *diag);
void diag_sort(struct diagnostics *diag); /* by file, place, severity, message; equal ones become one */

struct buffer;
void diag_print(const struct diagnostics *diag, struct buffer *out); /* the form above, for all of them */

#endif
