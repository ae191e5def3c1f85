/* The words of relance/explain.h, into a buffer. */
#ifndef RULES_RULE_TELL_TELLING_H
#define RULES_RULE_TELL_TELLING_H

#include "rule/set.h"

#include <relance/explain.h>
#include <relance/misfit.h>

/* As relance_tell. */
void telling_put(struct buffer *out, const struct relance_decision *decision, const struct relance_note *note,
                 int64_t from_ms);
/* As relance_misfit_tell. */
void telling_put_misfit(struct buffer *out, const struct relance_misfit *misfit);
/* "view, add_to_cart" */
void telling_put_types(struct buffer *out, const struct relance_ruleset *set, struct type_list list);

#endif
