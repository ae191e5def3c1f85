/* What goes with what in Redis, for a shop and for senders that ask it without Relance in between (STATE.md §1.1): a port.
 *
 *     relance:{GROUP:INPUT}:also:NAME     tent → [["mat",0.31],["lamp",0.12]]     * → the most popular ones     # → the head
 *
 * It is a copy: what stands there decides nothing, and whoever has lost it is given it again. */
#ifndef CONSUMER_LEARN_ALSO_H
#define CONSUMER_LEARN_ALSO_H

#include <relance/model.h>

struct also_place {
    const char *url, *group, *input;
};

enum { ALSO_LISTED = 20, ALSO_PART_BYTES = 1 << 20 };

/* Makes the hash of that affinity what the version says: at once, or, where that takes more than ALSO_PART_BYTES, in parts,
 * between which the head says that it is not whole. Where the head is that of `before`, a version that was written whole
 * (NULL: none is known), only what differs is written, else what stands there is read and compared. Not RELANCE_OK: nothing
 * is known of the hash, and the next call begins by looking. */
RELANCE_MUST enum relance_status also_write(const struct also_place *place, struct relance_str affinity,
                                            const struct relance_model *before,
                                            const struct relance_model *model, struct relance_error *error);
/* *is_behind: the hash is not there, or is that of a version before this one, as a Redis leaves it that comes back without what
 * it had last. A later version is another learner's, by whom we are replaced, and is left alone. */
RELANCE_MUST enum relance_status also_look(const struct also_place *place, struct relance_str affinity,
                                           const struct relance_model *model, bool *is_behind,
                                           struct relance_error *error);

#endif
