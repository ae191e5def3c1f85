/* For whoever compiles a mapping together with rules. */
#ifndef RULES_MAPPING_BUILD_H
#define RULES_MAPPING_BUILD_H

#include "base/diag.h"
#include "cel/value.h"
#include "json/json.h"

#include <relance/mapping.h>
#include <relance/ruleset.h>

/* Mistakes go to `diag`, whose places are in texts that live as long as the mapping; one with mistakes is only to be
 * freed. NULL without memory (diag->failed). */
struct relance_mapping *mapping_build(const struct relance_source *source,
                                      const struct relance_mapping_host *host, struct diagnostics *diag);
/* What its rows give, for comparing that with what rules want. */
struct mapped_field {
    str name;
    const struct source *source; /* where its value stands */
    size_t begin, end;
    const void *value; /* for mapped_field_fits */
};
struct mapped_row {
    str type;        /* empty: an expression gives it, or it has none */
    bool has_others; /* fields besides, by their own names */
    const struct mapped_field *fields;
    size_t field_count;
};
typedef void mapping_row_visit(void *context, const struct mapped_row *row);
/* Visits every row once, whatever the names that stand for it. False: no memory. */
bool mapping_each_row(const struct relance_mapping *mapping, struct arena *scratch, mapping_row_visit *visit,
                      void *context);
/* Can the field's value be what a declared type says? Else *path is what of it cannot (".price" of its elements; empty: the
 * whole), and *found the type that it has. */
bool mapped_field_fits(const struct mapped_field *field, const struct cel_type *declared,
                       struct arena *scratch, str *path, const struct cel_type **found,
                       const struct cel_type **wanted);

/* Visits the time zones that it has asked for an offset since the last call (time/zone.h). */
void mapping_take_zones(const struct relance_mapping *mapping, relance_zone_visit *visit, void *context);

/* From here on rows leave out the fields of which `wants` says no: nobody computes what nobody reads. Those that are needed
 * stay. */
typedef bool mapping_wants(void *context, str type, str field);
void mapping_narrow(struct relance_mapping *mapping, mapping_wants *wants, void *context);

/* Reads a record as tests are given it, {"key", "headers", "topic", "value"}. *record borrows from `keep`, in which the
 * tree lies, too. Mistakes go to `diag`; `what` is what they call it. */
void mapping_record_read(struct arena *keep, const struct source *source, const struct json *node,
                         const char *what, struct relance_foreign *record, struct diagnostics *diag);

/* Another number, once what a record gave is no longer there. */
uint64_t mapping_serial(const struct relance_mapping *mapping);

#endif
