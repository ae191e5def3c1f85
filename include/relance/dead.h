/* Dead letters, for people: what a reason means, and where a record breaks. Neither is needed to make one. */
#ifndef RELANCE_DEAD_H
#define RELANCE_DEAD_H

#include <relance/text.h>
#include <stdint.h>

#define RELANCE_DEAD_NOWHERE SIZE_MAX

/* A sentence for the reason of a fate; empty for one that only mappings have. Static. */
struct relance_str relance_dead_prose(struct relance_str reason);

/* Of a record that is a dead letter for "json", "utf8" or "depth": the byte, from 0, at which it is no JSON object any
 * more; its size where it ends too early. RELANCE_DEAD_NOWHERE: it is one, or a list of what is none. Takes memory of the
 * record's size for a while: for single records, not for all. */
size_t relance_dead_at(struct relance_str value);

#endif
