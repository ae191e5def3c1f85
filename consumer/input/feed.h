/* Where a replay's events come from: a file of native events, one a line, or of CSV (--csv), - being standard
 * input. */
#ifndef CONSUMER_INPUT_FEED_H
#define CONSUMER_INPUT_FEED_H

#include "input/csv_map.h"
#include <relance/engine.h>

struct feed {
    const char *path;
    struct lines lines;
    struct csv_map *csv; /* NULL: native events */
};

/* `mapping` NULL: native events. False: error->message says why. */
bool feed_open(struct feed *feed, const char *path, const char *mapping, const struct relance_ruleset *rules,
               struct relance_error *error);
/* The next event; its offset is the line where it begins, from 0. False: the end, or the file cannot be read. */
bool feed_next(struct feed *feed, struct relance_record *record);
/* How much of it has been handed out, 0 to 1; less: nobody knows. */
double feed_part(const struct feed *feed);
/* Says on standard error what has been left out. False: the file could not be read to its end. */
bool feed_end(struct feed *feed);
void feed_close(struct feed *feed);

#endif
