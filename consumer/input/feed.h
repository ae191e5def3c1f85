/* Where a replay's events come from, - being standard input: a file of native events, one a line, or of foreign records,
 * of which a mapping makes some (--mapping).
 *
 * Of CSV a record is a row, or a group of them; of all other formats a line:
 *
 *     {"event": "order", …}                                           a value
 *     {"key": …, "headers": {…}, "value": …}                          a record, where an object has a value and no other members
 *
 * In a record a text is the bytes that it holds, null is none, and all else stands for itself. */
#ifndef CONSUMER_INPUT_FEED_H
#define CONSUMER_INPUT_FEED_H

#include "input/rows.h"

#include <relance/engine.h>
#include <relance/mapping.h>

/* What a mapping makes of a record, but for its events. `line` from 0. */
struct feed_listener {
    void *context;
    void (*dead)(void *context, struct relance_str reason, struct relance_str sentence, int64_t line);
    void (*passed)(void *context, const struct relance_mapped *mapped, int64_t line);
    void (*misfits)(void *context, const struct relance_mapped *mapped, int64_t line);
};

struct feed {
    const char *path;
    struct lines lines;
    struct relance_mapping *mapping; /* borrowed; NULL: native events */
    const struct feed_listener *listener;
    bool is_csv;
    struct rows rows;
    struct relance_mapped mapped; /* of the record at hand */
    size_t next;                  /* of its items */
    int64_t line;
    struct arena arena; /* of a line that is a record with key and headers */
};

/* `mapping` NULL: native events; `listener`, which may be NULL, has to live as long. False: error->message says why. */
bool feed_open(struct feed *feed, const char *path, struct relance_mapping *mapping,
               const struct feed_listener *listener, struct relance_error *error);
/* The next event; its offset is the line where its record begins, from 0. False: the end, or the file cannot be read. */
bool feed_next(struct feed *feed, struct relance_record *record);
/* Of the next event behind that whose line has been read already: whose it is, as it seems, until the next call; empty: nobody can tell.
 * Each is asked about once, and soon comes. False: there is none. */
bool feed_ahead(struct feed *feed, struct relance_str *customer);
/* How much of it has been handed out, 0 to 1; less: nobody knows. */
double feed_part(const struct feed *feed);
/* Says on standard error what of the file is not as it should be. False: it could not be read to its end. */
bool feed_end(struct feed *feed);
void feed_close(struct feed *feed);

#endif
