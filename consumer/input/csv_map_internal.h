/* A mapping as compiled (csv_make.c) and run (csv_map.c): a tree of JSON whose texts are pieces, literal ones
 * and cells. */
#ifndef CONSUMER_INPUT_CSV_MAP_INTERNAL_H
#define CONSUMER_INPUT_CSV_MAP_INTERNAL_H

#include "input/csv_map.h"
#include "input/csv_time.h"

#include <cjson/cJSON.h>

enum {
    VALUE_MAX = 48,    /* bytes of a value that a message shows */
    LEFT_OUT_MAX = 64, /* reasons told apart; one for each column, mostly */
    LITERAL = -1,      /* as a piece's column */
};

enum node_kind { NODE_CONSTANT, NODE_TEXT, NODE_OBJECT, NODE_LIST };

struct piece {
    int column;
    struct relance_str text; /* LITERAL */
};

struct node {
    enum node_kind kind;
    struct buffer key;      /* "name": as it stands in the event; empty in a list */
    struct buffer constant; /* JSON */
    struct piece *pieces;
    size_t piece_count;
    struct node *children;
    size_t child_count;
    bool required, is_time; /* a row without it is left out; its text is a time */
    /* of a list that is in no other list */
    struct buffer rows; /* its elements, of the rows of this group */
    size_t at;          /* where it belongs in the skeleton */
    bool shown;         /* the skeleton has it */
};

/* What is declared of a column. */
struct column {
    struct relance_str name;
    bool is_time;
    struct csv_time time;
    char mark;           /* of decimals; 0: no number */
    const cJSON *values; /* NULL: as they are */
};

/* What is told at the end: one for each column and reason. */
struct left_out {
    const char *reason;
    char what[VALUE_MAX], value[VALUE_MAX];
    uint64_t count;
    int64_t line; /* the first */
    bool row;     /* the whole row; else the cell alone */
};

struct csv_map {
    struct csv csv;
    cJSON *json; /* the mapping; names and texts are borrowed from it */
    struct buffer header;
    struct column *columns;
    size_t column_count;
    struct csv_time time;
    struct node event, group;
    bool grouped;

    bool waiting; /* a row has been read and not yet taken */
    bool open;    /* a group has begun */
    int64_t line; /* where it begins */
    struct buffer group_text, text, cell, skeleton, out;
    struct left_out left_out[LEFT_OUT_MAX];
    size_t left_out_count;
};

/* Reads and compiles the mapping and the header; false: error->message says what is wrong with them. */
bool csv_make(struct csv_map *map, const char *mapping, struct lines *lines,
              const struct relance_ruleset *rules, struct relance_error *error);

#endif
