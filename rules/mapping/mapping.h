/* A compiled mapping: what compile.c makes of files and map.c runs. Inside rules/mapping only. */
#ifndef RULES_MAPPING_MAPPING_H
#define RULES_MAPPING_MAPPING_H

#include "mapping/format.h"
#include "mapping/shape.h"
#include "mapping/tests.h"
#include "mapping/value.h"
#include "base/limits.h"
#include "time/zone.h"

#include <relance/mapping.h>

/* Where expressions find what every mapping has; names of its own follow. */
enum mapping_slot { SLOT_RECORD, SLOT_HEADERS, SLOT_KEY, SLOT_TOPIC, SLOT_CE, SLOT_ROWS, SLOT_NAMES };

/* The members of an event that mean something to the engine. */
enum row_member { ROW_TYPE, ROW_CUSTOMER, ROW_VISITOR, ROW_ID, ROW_TIME, ROW_MEMBERS };

struct row_field {
    str name;
    str key;                   /* as JSON, with its comma and its colon */
    const struct value *value; /* NULL: only needed, and found in `from`, or removed */
    bool needed;
    bool removed;                /* the row says null: it is not there, also not by `from` */
    const struct source *source; /* where the value stands */
    size_t begin, end;
};

/* An event that a record may become. */
struct row {
    const struct value *members[ROW_MEMBERS]; /* NULL: none */
    bool own_id;                              /* the row's own, which stays as it is */
    unsigned needed;                          /* of `members`, by bit */
    struct row_field *fields;                 /* those of `each` first */
    size_t field_count;
    const struct cel_program *condition; /* NULL: always */
    struct value_loop loop;              /* list NULL: once */
    const struct cel_program *from;      /* an object that keeps its text; NULL: none */
    size_t begin;                        /* in its source */
    uint32_t number;
};

struct rows { /* of one name */
    struct row *items;
    size_t count;
    str name;
    const struct source *source;
    bool is_alias; /* another name's */
};

struct relance_mapping {
    struct arena arena; /* this very struct */
    struct zones *zones;
    const struct format *format;
    struct csv_settings csv;
    const struct time_formats *times; /* CSV: of events' times that are texts; else NULL */
    const struct cel_program *group;  /* CSV: of a row; NULL: each is a record of its own */
    struct shape *shape;
    struct value_loop loop;          /* over what a record holds; list NULL: it holds one event */
    const struct cel_program *by;    /* NULL: all go to `others` */
    struct names names;              /* of rows, by number */
    struct rows *rows;               /* by number */
    const struct rows *others;       /* `*`; NULL: others are passed over */
    const struct cel_program **lets; /* by slot - SLOT_NAMES; NULL: a loop's name */
    uint32_t slot_count;
    uint32_t row_count;
    size_t field_max; /* of any row */
    bool *reached;    /* by a row's number; NULL: nobody asks */
    struct mapping_tests tests;
    const struct source *source; /* of the file itself */
    bool reads[SLOT_NAMES];
    struct mapper *mapper; /* map.c's */
};

/* ---- map.c: what it takes to run one */

struct mapped_text { /* an item's event in `out`, whose bytes may move while it grows */
    size_t begin, size;
};

struct mapper {
    uint64_t serial;     /* of the present record */
    struct arena keep;   /* buffers, which only ever grow */
    struct arena values; /* of the present record */
    struct json_loader record, texts, from;
    struct cel_value *stack;
    size_t stack_capacity;
    struct cel_value *slots;
    struct cel_frame frame; /* its context is the present record's run */
    int64_t steps_left;     /* to the present record */
    bool *found;            /* by field of the present row: `from` has it */
    struct buffer out, splice, json;
    struct relance_misfit misfits[RELANCE_MISFITS_MAX];
    struct relance_mapped_item items[LIMIT_MAPPED_EVENTS];
    struct mapped_text written[LIMIT_MAPPED_EVENTS];
};

/* NULL without memory. */
struct mapper *mapper_new(struct relance_mapping *mapping);
void mapper_free(struct mapper *mapper);

#endif
