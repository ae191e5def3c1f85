/* A version as bytes. The head is that of include/relance/model.h:
 *
 *     "rlm"  u8 1  u8 kind (0 full, 1 delta)  u64 number  u64 recipe  u64 chain of the base  u64 instant
 *
 *     full   number of products, their names in their order; for each its list; the popular ones
 *     delta  number of products that are gone, which (of the base), rising; of those that are new, their names in their order;
 *            of lists that differ, each with its product (of this version), rising; the popular ones
 *     list   how many; for each its product's number, u16 weight; the strongest first, ties by number
 *
 * What a delta does not name stays as it is in the base. A reader refuses whatever is not in this order and within the bounds,
 * down to the last byte: the chain is of bytes, and equal versions have equal ones. */
#ifndef RULES_LEARN_VERSION_H
#define RULES_LEARN_VERSION_H

#include "base/buffer.h"
#include "learn/model.h"

/* Writes a version and sets its chain. NULL as base: in full; else what differs. head.base and head.is_delta are the caller's. */
void version_write(struct relance_model *model, const struct relance_model *base, struct buffer *out);

#endif
