/* The rule sets in force, as the checkpoints have them: one, and for a moment two while a new one is taken. Each is read
 * and compiled once. */
#ifndef CONSUMER_VIEW_RULESETS_H
#define CONSUMER_VIEW_RULESETS_H

#include "view/checkpoints.h"

#include <relance/ruleset.h>

struct ruleset {
    char hash[CHECKPOINT_HASH];
    char *text;                    /* of meta: a JSON array of its files */
    struct relance_ruleset *rules; /* NULL: this version cannot compile it */
    bool is_in_force;
};

struct rulesets {
    struct ruleset *items;
    size_t count;
    uint64_t told; /* hash of which partition has which, as rulesets_print has told it last */
};

/* Reads those that are new, and forgets those that are in force nowhere. */
RELANCE_MUST enum relance_status rulesets_read(struct rulesets *rulesets,
                                               const struct checkpoints *checkpoints, struct redis_view *view,
                                               struct relance_error *error);
void rulesets_free(struct rulesets *rulesets);
/* NULL: there is none of that hash. */
const struct ruleset *rulesets_find(const struct rulesets *rulesets, const char *hash);
/* /api/rules, to be freed; NULL: it is what it was. */
char *rulesets_print(struct rulesets *rulesets, const struct checkpoints *checkpoints);

#endif
