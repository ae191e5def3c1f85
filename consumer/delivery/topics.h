/* The topics that the engine needs, looked at before anything is started: a port, as source.h is. */
#ifndef CONSUMER_DELIVERY_TOPICS_H
#define CONSUMER_DELIVERY_TOPICS_H

#include "host/option.h"

struct topics_found {
    int input_partitions;
    size_t mark_size_max; /* bytes of a rule set that go into a mark */
};

/* Input and outputs must be there (with --create-topics, missing outputs are made), the marks topic with
 * exactly the input's partitions; the input must not be compacted. `needs_models`: that of the versions of models, too. One sentence says all that is missing. */
RELANCE_MUST enum relance_status topics_check(const struct options *options, bool needs_models,
                                              struct topics_found *found, struct relance_error *error);

#endif
