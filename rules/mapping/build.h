/* For whoever compiles a mapping together with rules. */
#ifndef RULES_MAPPING_BUILD_H
#define RULES_MAPPING_BUILD_H

#include "base/diag.h"

#include <relance/mapping.h>

/* Mistakes go to `diag`, whose places are in texts that live as long as the mapping; one with mistakes is only to be
 * freed. NULL without memory (diag->failed). */
struct relance_mapping *mapping_build(const struct relance_source *source,
                                      const struct relance_mapping_host *host, struct diagnostics *diag);
/* How many records it has mapped: whether what one gave is still there. */
uint64_t mapping_serial(const struct relance_mapping *mapping);

#endif
