/* Records from a file of CSV: rows as they stand in it, which may be several lines long, or the rows of one group, which
 * follow each other. Memory is bounded by one record, and by what is kept of groups: 8 bytes of each. */
#ifndef CONSUMER_INPUT_ROWS_H
#define CONSUMER_INPUT_ROWS_H

#include "base/buffer.h"
#include "input/lines.h"

#include <relance/mapping.h>

enum {
    ROWS_GROUPS_MAX = 4 << 20, /* of more groups it is not noticed that they come again */
    ROWS_VALUE_SHOWN = 48,     /* bytes of a group that a message shows */
};

/* Told of a row that cannot be read, among those of a group. */
typedef void rows_bad(void *context, const struct relance_mapped *mapped, int64_t line);

struct rows {
    struct lines *lines;             /* borrowed */
    struct relance_mapping *mapping; /* borrowed */
    struct relance_csv csv;
    rows_bad *bad;
    void *context;
    struct buffer value, ahead, group, ahead_group; /* the record; the row behind it */
    int64_t ahead_line;                             /* from 0; -1: nothing is ahead */
    uint64_t *seen;                                 /* hashes of groups; 0: free */
    size_t seen_count, seen_capacity;
    uint64_t again; /* groups that came before, with others between */
    int64_t again_line;
    char again_group[ROWS_VALUE_SHOWN];
};

/* Reads the header where the mapping does not name the columns. */
RELANCE_MUST enum relance_status rows_open(struct rows *rows, struct lines *lines,
                                           struct relance_mapping *mapping, rows_bad *bad, void *context,
                                           struct relance_error *error);
/* The next record, valid until the next call, and the line where it begins, from 0. False: the end, or lines->failed. */
bool rows_next(struct rows *rows, struct relance_str *value, int64_t *line);
/* Says on standard error which groups came again. */
void rows_report(const struct rows *rows, const char *path);
void rows_free(struct rows *rows);

#endif
