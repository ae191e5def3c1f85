/* Formats: how the bytes of a record become what a shape is read from. Each is a file of its own behind this table.
 *
 *     bytes ─ open ─▶ JSON ─ tokens ─ read ─▶ an object as its shape says
 *
 * What a format makes of strangers' bytes is JSON whatever they are: it writes texts as JSON strings, and takes over as
 * they stand only values that it has walked to their ends. All that it needs lies in the arena of the record. */
#ifndef RULES_MAPPING_FORMAT_H
#define RULES_MAPPING_FORMAT_H

#include "base/buffer.h"
#include "base/csv.h"
#include "mapping/shape.h"

#include <relance/mapping.h>

/* What a row's cells are: as JSON, with a colon; empty: nobody reads it. */
struct csv_columns {
    str *keys; /* NULL: not known */
    size_t count;
};

struct csv_settings {
    char separator;
    struct csv_columns columns;
};

/* A record on its way through its format. */
struct format_run {
    const struct relance_foreign *record;
    struct arena *values;      /* of this record */
    struct json_loader *texts; /* for JSON within it */
    struct buffer *out;        /* where JSON may be written that `open` gives */
    const struct csv_settings *csv;
    const struct shape *shape;
    uint32_t garbled; /* parts of it that could not be read, and are left out */
    bool no_memory;
    const char *sentence; /* why it is not of the format */
    bool in_headers;      /* CloudEvents: the attributes are */
    struct cel_value ce;  /* CloudEvents: attributes of the object that was read last, by name */
};

struct format {
    str name;
    /* The JSON of the record's value: an object, or a list of them. False: `sentence`, or no memory. NULL: the value is
     * JSON. */
    bool (*open)(struct format_run *run, str value, str *json);
    /* Reads one object of it; false: `sentence`. NULL: it is what the shape says. */
    bool (*read)(struct format_run *run, struct shape_reader *reader, const struct shape *shape,
                 struct cel_value *object);
};

extern const struct format format_json, format_cloudevents, format_snowplow_tsv, format_form, format_csv;

/* NULL: there is none of that name, and *near is what was meant, if anything. */
const struct format *format_find(str name, str *near);

/* False: no memory. */
bool csv_columns_read(struct csv_columns *columns, const struct shape *shape, const str *names, size_t count,
                      struct arena *arena);

/* Appends the parameters of a query string as a JSON object, and counts those that could not be read. False: no memory. */
bool form_put_json(str text, struct buffer *out, struct arena *arena, uint32_t *garbled);

#endif
