/* A librdkafka configuration: what the user passes through, then what the client cannot do without. What
 * librdkafka says goes to the log. For this room only: it shows librdkafka's types. */
#ifndef CONSUMER_KAFKA_CONF_H
#define CONSUMER_KAFKA_CONF_H

#include "host/option.h"

#include <librdkafka/rdkafka.h>

/* On RELANCE_OK *out is to be given to rd_kafka_new, or destroyed. */
RELANCE_MUST enum relance_status kafka_conf_make(const struct option_kafka *options, size_t option_count,
                                                 const struct option_kafka *fixed, size_t fixed_count,
                                                 rd_kafka_conf_t **out, struct relance_error *error);

#endif
