/* Lines of a large file, read in large pieces, handed out without a copy.
 *
 * Memory is bounded: of a line longer than LINES_MAX bytes only that many are seen. That is twice what an
 * event may have, so the engine itself says what is wrong with it. */
#ifndef CONSUMER_INPUT_LINES_H
#define CONSUMER_INPUT_LINES_H

#include <relance/text.h>
#include <stdbool.h>
#include <stdint.h>

enum { LINES_MAX = 2 << 20 };

struct lines {
    int file;
    char *data;
    size_t begin, end;  /* of what has been read and not handed out */
    size_t ahead;       /* of what lines_ahead has not handed out */
    int64_t number;     /* of the line handed out last, from 0 */
    int64_t read, size; /* bytes: what has been read, and what the file has; -1: it is no file */
    bool at_end, failed;
    bool cut; /* the line handed out last goes on */
};

/* "-" is standard input. False: it cannot be opened (errno), or there is no memory. */
bool lines_open(struct lines *lines, const char *path);
/* The next line without its line feed, valid until the next call; false at the end, or `failed` (errno). */
bool lines_next(struct lines *lines, struct relance_str *line);
/* The next of the lines behind that which have been read already, without waiting for any: each is handed out once, and soon again by
 * lines_next. False: there is none. */
bool lines_ahead(struct lines *lines, struct relance_str *line);
/* How much of the file has been handed out, 0 to 1; less: nobody knows. */
double lines_part(const struct lines *lines);
void lines_close(struct lines *lines);

#endif
