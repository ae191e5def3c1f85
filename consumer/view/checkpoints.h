/* What the checkpoint of each partition says of itself (STATE.md §2), as far as it is shown. */
#ifndef CONSUMER_VIEW_CHECKPOINTS_H
#define CONSUMER_VIEW_CHECKPOINTS_H

#include "redis/view.h"

#include <stddef.h>

enum { CHECKPOINT_HASH = 16 };
/* No instant, no offset: nothing is known. */
#define CHECKPOINT_NONE INT64_MIN

struct checkpoint {
    int64_t offset, clock_ms, wall_ms;
    char ruleset[CHECKPOINT_HASH]; /* hash of the rules in force; "": none yet */
    char *models;                  /* versions in force, as a mark names them (STATE.md §5.4); NULL: none */
};

struct checkpoints {
    struct checkpoint *items; /* by partition */
    size_t count;
};

/* Reads all of them; as they were where that fails. */
RELANCE_MUST enum relance_status checkpoints_read(struct checkpoints *checkpoints, struct redis_view *view,
                                                  struct relance_error *error);
void checkpoints_free(struct checkpoints *checkpoints);
/* The newest wall clock in force; CHECKPOINT_NONE: none. */
int64_t checkpoints_wall(const struct checkpoints *checkpoints);

#endif
