/* /api/customer: what the checkpoints know of a customer, or of a visitor who is not known as one. */
#ifndef CONSUMER_VIEW_CUSTOMER_H
#define CONSUMER_VIEW_CUSTOMER_H

#include "base/buffer.h"
#include "view/rulesets.h"

/* RELANCE_REFUSED: nothing is known. */
RELANCE_MUST enum relance_status customer_print(struct redis_view *view, const struct rulesets *rulesets,
                                                const struct checkpoints *checkpoints, const char *id,
                                                bool is_visitor, struct buffer *to,
                                                struct relance_error *error);

#endif
