/* What a mapping says under `csv`. Inside rules/mapping only. */
#ifndef RULES_MAPPING_CSV_H
#define RULES_MAPPING_CSV_H

#include "mapping/gather.h"
#include "mapping/mapping.h"

/* How it is written, for a mapping of the format `csv`, before its shape is made; mistakes are in `diag`. The zone of times
 * that name none; NULL: UTC. */
const struct zone *csv_compile(struct relance_mapping *mapping, struct said csv, struct arena *scratch,
                               struct diagnostics *diag);
/* The columns that the mapping itself names, when the shape is finished. */
void csv_compile_header(struct relance_mapping *mapping, struct said csv, struct arena *scratch,
                        struct diagnostics *diag);

#endif
