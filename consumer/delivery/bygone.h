/* The versions of one affinity by which a partition has decided, one after the other as its marks name them: for who decides
 * again from outside what was decided long ago. OUTPUT.models is read through once, and what it has is held two at a time;
 * modelbook_get, which finds any version, would begin to read for each.
 *
 * Numbers ascend on the topic, but where the declaration has changed, and counting has begun anew. */
#ifndef CONSUMER_DELIVERY_BYGONE_H
#define CONSUMER_DELIVERY_BYGONE_H

#include "delivery/modelbook.h"

struct bygone;

/* `name` is that of the affinity, and is copied. Reading begins when something is looked for. */
struct bygone *bygone_open(const struct options *options, struct relance_str name);
void bygone_close(struct bygone *bygone); /* NULL: nothing to do */

/* The version of that number and chain, which the mark behind those before names; valid until the next call. RELANCE_REFUSED: the
 * topic does not have it, and why; RELANCE_AGAIN, RELANCE_INVALID: it cannot be read. */
RELANCE_MUST enum relance_status bygone_find(struct bygone *bygone, uint64_t number, uint64_t chain,
                                             const struct relance_model **out, struct relance_error *error);

#endif
