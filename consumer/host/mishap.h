/* What the log says of records that become dead letters: of each reason the first, and then one a minute. */
#ifndef CONSUMER_HOST_MISHAP_H
#define CONSUMER_HOST_MISHAP_H

#include "host/sampler.h"

struct mishap_record {
    struct relance_str topic;
    int32_t partition;
    int64_t offset;
    struct relance_str
        value; /* of one that should be JSON the byte is told at which it breaks; empty: it need not be */
};

/* `sentence`: what was wrong; empty: what the reason says. */
void mishap_tell_dead(struct sampler *sampler, const struct mishap_record *record, struct relance_str reason,
                      struct relance_str sentence);

#endif
