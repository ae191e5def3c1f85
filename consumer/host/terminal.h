/* What is at the other end of a stream: a terminal, and which orders it takes. */
#ifndef CONSUMER_HOST_TERMINAL_H
#define CONSUMER_HOST_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

/* A terminal that knows more than letters: TERM says so, and is not `dumb`. */
bool terminal_obeys(FILE *out);
/* One that may be given colours: NO_COLOR (no-color.org) is not set, either. */
bool terminal_paints(FILE *out);
/* How wide it is; 0: it is no terminal, or does not say. */
size_t terminal_columns(FILE *out);
size_t terminal_rows(FILE *out); /* likewise how high */

#endif
