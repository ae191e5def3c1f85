/* What the program prints. Text of strangers (base/plain.h) can neither give orders to a terminal nor forge
 * lines; so nothing is printed but through here, with the exception of constants. */
#ifndef CONSUMER_HOST_PRINT_H
#define CONSUMER_HOST_PRINT_H

#include "base/plain.h"

#include <stdarg.h>
#include <stdio.h>

/* The command that mistakes are told for, from here on. */
void print_command(const char *name);

/* As fprintf, in this subset: %% %c %s %d %i %u %x %f %g, flags - and 0, width, precision, lengths. What comes
 * by %c and %s is made plain, and of one line; with `%.*s`, all bytes count, also behind a NUL. */
void print(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
void print_list(FILE *out, const char *format, va_list list);
/* "relance COMMAND: …", a line to standard error. */
void print_mistake(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* `kind` before the sentence */
void print_mistake_list(const char *kind, const char *format, va_list list);

void print_text(str text, FILE *out);  /* in one line */
void print_lines(str text, FILE *out); /* tabs and ends of lines stay */
/* In one line, with a backslash before each of the bytes in `escaped`. */
void print_escaped(str text, const char *escaped, FILE *out);
/* XML, in text and between quotes: what XML 1.0 cannot hold stands as it would for people. */
void print_xml(str text, FILE *out);
/* The value of a label, between its quotes, in Prometheus's text format. */
void print_label(str text, FILE *out);

/* The next piece of a text as it is to be shown; none at its end. Of the blanks that end or shift lines those in `kept`
 * stay, and the others are a blank like any. */
str print_piece(str text, size_t *at, const char *kept, char escape[PLAIN_ESCAPE_SIZE]);

/* Orders of our own to a terminal. */
void print_control(const char *orders, FILE *out);

/* Colours, sparingly: for what the eye looks for. From here on, up to PAINT_NONE; only terminals get them that take them
 * (host/terminal.h). */
enum paint {
    PAINT_NONE,
    PAINT_STRONG,   /* what begins something: heads, names */
    PAINT_FAINT,    /* what is there to be looked up */
    PAINT_GOOD,     /* a test that passed */
    PAINT_DOUBTFUL, /* a warning */
    PAINT_BAD,      /* a mistake, a test that failed */
};
void print_paint(enum paint paint, FILE *out);
void print_painted(enum paint paint, str text, FILE *out); /* print_text, painted */

/* The one line at the foot of a terminal that says how it goes: on standard error, over the one before. Mistakes wipe it;
 * before something is printed on standard output, whoever prints does. */
void print_status(const char *format, ...) __attribute__((format(printf, 1, 2)));
void print_status_wipe(void);

/* A row of a table for people: two blanks, what it is about in `width` columns, and a sentence. On a terminal the
 * sentence's further lines begin below its first, or, where that leaves too little, it stands below. */
void print_row(FILE *out, size_t width, str left, str sentence);

/* Standard output, to where it goes. */
void print_flush(void);
/* Has standard output failed? Then nobody reads on: what prints much asks now and then. */
bool print_failed(void);
/* At the end of the process. False: not all of standard output could be written, which has been printed. */
bool print_end(void);

#endif
