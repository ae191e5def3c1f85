/* Where clients that do not choose as Java's do would have put a record. For telling an operator which client it is. */
#ifndef CONSUMER_DELIVERY_PARTITIONER_H
#define CONSUMER_DELIVERY_PARTITIONER_H

#include <relance/text.h>
#include <stdint.h>

enum partitioner {
#define PARTITIONER(name, client, cure) PARTITIONER_##name,
#include "delivery/partitioner.def"
    PARTITIONERS,
};

/* The partition of a key, of `partitions` (at least 1). */
int32_t partitioner_choose(enum partitioner partitioner, struct relance_str key, int32_t partitions);
const char *partitioner_client(enum partitioner partitioner);
/* The client's setting that makes it choose as Java's do. */
const char *partitioner_cure(enum partitioner partitioner);

#endif
