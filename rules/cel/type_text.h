/* Types as files name them: "string", "list(item)", "map(string, double)". */
#ifndef RULES_CEL_TYPE_TEXT_H
#define RULES_CEL_TYPE_TEXT_H

#include "base/nearest.h"
#include "cel/value.h"

/* The record of that name, NULL where there is none. */
typedef const struct cel_record_type *cel_record_find(void *context, str name);

/* NULL when the text names no type, and without memory. `find` may be NULL: no records are known. */
const struct cel_type *cel_type_parse(struct arena *arena, str text, cel_record_find *find, void *context);
/* What is called otherwise elsewhere, as a hint; else empty, and the types of one word are offered to `nearest`. */
str cel_type_elsewhere(str text, struct nearest *nearest);

#endif
