/* What compiling had to say, as a whole that outlives the arena of the diagnostics. */
#ifndef RULES_BASE_REPORT_H
#define RULES_BASE_REPORT_H

#include "base/diag.h"

#include <relance/ruleset.h>

/* NULL without memory. */
struct relance_report *report_new(struct diagnostics *diag);

#endif
