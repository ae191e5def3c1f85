/* Values that do not fit, in words. */
#ifndef RULES_EVENT_MISFIT_H
#define RULES_EVENT_MISFIT_H

#include "base/buffer.h"

#include <relance/misfit.h>

/* What relance_misfit_tell says. */
void event_put_misfit(struct buffer *out, const struct relance_misfit *misfit);

#endif
