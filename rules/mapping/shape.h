/* Shapes: what of a foreign record is looked at, and as what (rules/README.md, "Mappings").
 *
 *     {"event": "string", "ts": "timestamp_s", "products": [{"sku": "string"}], "meta": {"$text": {"n": "int"}}}
 *
 * A shape looks like the record: an object, a list of one, or a text that names a type. Read, an object is a CEL record
 * whose fields are found by number. What does not fit is absent and counted, as in a native event. An object whose
 * members somebody reads by their own names keeps its text, too, where only shape_text finds it. */
#ifndef RULES_MAPPING_SHAPE_H
#define RULES_MAPPING_SHAPE_H

#include "event/coerce.h"
#include "event/keys.h"
#include "json/json.h"
#include "json/loader.h"
#include "time/written.h"

struct shape;

/* Where times without an offset are local, if they do not say so themselves; and who knows the zones that they name. */
struct shape_zones {
    struct zones *known;
    const struct zone *here; /* NULL: UTC */
};

/* One node of a shape may be said by several files: the later ones add to objects, and to the elements of lists, and replace
 * all else. */
struct shape_part {
    const struct source *source;
    const struct json *node;
};

/* Makes a shape of an object. `parts` in the order of their files, of which there may be none. Mistakes go to `diag`;
 * never NULL but without memory (diag->failed). */
struct shape *shape_make(struct arena *keep, struct arena *scratch, const struct shape_part *parts,
                         size_t count, struct shape_zones zones, struct diagnostics *diag);

/* A text that is a zone's name. NULL, with a mistake, where there is none. */
const struct zone *shape_zone(struct zones *zones, const struct source *source, const struct json *node,
                              struct diagnostics *diag);
/* A format of strptime, or a list of them; false on mistakes. */
bool shape_formats(struct arena *keep, const struct source *source, const struct json *node,
                   struct time_formats *formats, struct diagnostics *diag);

/* Goes along a path of names, "[]" for an element, making objects where there is nothing, and has the text of the object
 * at its end kept. False where something else than an object stands there. */
bool shape_keep_text(struct shape *shape, struct arena *keep, const str *path, size_t count);
/* When all is known: finds the types. */
void shape_finish(struct shape *shape, struct arena *keep, struct diagnostics *diag);
const struct cel_type *shape_type(const struct shape *shape);
/* Does anybody read a member of that name? Of an object, finished. */
bool shape_reads(const struct shape *shape, str name);
/* The first member of an object, finished, that is not among the names; empty: all are. */
str shape_missing(const struct shape *shape, const str *names, size_t count);

/* The text of an object that a shape has read, and keeps: valid as long as what the loader holds. Empty: not kept. */
str shape_text(struct cel_value object);

struct shape_reader {
    struct coercion c;
    struct json_loader *texts; /* of texts that hold JSON */
    uint32_t garbled;          /* parts of a value that could not be read, whatever their shape */
};

/* Reads the next value of the scan. CEL_ABSENT: it does not fit. CEL_NULL: it is null. */
struct cel_value shape_read(struct shape_reader *reader, const struct shape *shape);
/* Reads a text that holds JSON, with a walk of its own. CEL_ABSENT: it holds none, or what does not fit. */
struct cel_value shape_read_text(struct shape_reader *reader, const struct shape *shape, str text);

#endif
