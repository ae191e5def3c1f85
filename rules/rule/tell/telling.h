/* The words of relance/explain.h, into a buffer. */
#ifndef RULES_RULE_TELL_TELLING_H
#define RULES_RULE_TELL_TELLING_H

#include "rule/set.h"

#include <relance/explain.h>

/* How instants are told: as the time since `from_ms`; where that is RELANCE_NEVER, as RFC 3339, with the time of a zone
 * behind it. */
struct telling_clock {
    int64_t from_ms;
    const struct zone *zone; /* NULL: none */
    str zone_name;
};

/* As relance_tell. */
void telling_put(struct buffer *out, const struct relance_decision *decision, const struct relance_note *note,
                 const struct telling_clock *clock);
/* As relance_tell_local. */
void telling_put_local(struct buffer *out, const struct telling_clock *clock, int64_t time_ms);
/* explain.c: what expressions of the set in force may name, found once for all of them; NULL without memory. */
struct scopes;
struct scopes *explain_scopes(struct relance_engine *e);
/* "view, add_to_cart" */
void telling_put_types(struct buffer *out, const struct relance_ruleset *set, struct type_list list);

#endif
