/* The marks of a partition for one who decides its records again from outside, to tell what was decided: which versions of models
 * were in force, record by record, and which waits ticks have ended between two records, since those were decided by the
 * version of that time.
 *
 *     marks that are kept ──▶ hindsight_pass(offset) ──▶ versions and ticks before the record ──▶ the engine
 *
 * Nothing is decided by another version than the mark's: one that is no longer there is told of, and answers nothing. Wall
 * clocks, rules and links of other partitions are not looked at. */
#ifndef CONSUMER_DELIVERY_HINDSIGHT_H
#define CONSUMER_DELIVERY_HINDSIGHT_H

#include "host/option.h"
#include <relance/engine.h>

struct hindsight;

/* Of an affinity it is not known from here on by what is decided, and `why` says so; NULL: from here on it is. */
typedef void hindsight_tell(void *context, struct relance_str affinity, const char *why);

struct hindsight_for {
    struct relance_engine *engine;       /* borrowed */
    const struct relance_ruleset *rules; /* by which it decides; borrowed */
    hindsight_tell *tell;
    void *context;
};

/* Reads the marks of the partition; records below `offset` are not decided, so what only they were decided by is not looked for. Marks that
 * cannot be read are told of. */
struct hindsight *hindsight_open(const struct options *options, int32_t partition, int64_t offset,
                                 const struct hindsight_for *whom);
void hindsight_close(struct hindsight *hindsight); /* NULL: nothing to do */

/* Before the record of that offset is decided; behind the last, INT64_MAX. Else than RELANCE_DONE: as the engine says. */
RELANCE_MUST enum relance_progress hindsight_pass(struct hindsight *hindsight, int64_t offset);

#endif
