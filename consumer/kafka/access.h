/* How brokers are reached, as the settings of a client of librdkafka say: over TLS or not, with a login or without. For this room only. */
#ifndef CONSUMER_KAFKA_ACCESS_H
#define CONSUMER_KAFKA_ACCESS_H

#include "host/channel.h"

#include <librdkafka/rdkafka.h>

enum kafka_mechanism { KAFKA_NO_LOGIN, KAFKA_PLAIN, KAFKA_SCRAM_256, KAFKA_SCRAM_512, KAFKA_MECHANISMS };

struct kafka_access {
    bool is_tls;
    struct channel_trust trust; /* where it is */
    enum kafka_mechanism mechanism;
    char user[256], password[1024]; /* where there is a login */
};

/* False: librdkafka alone can do what these settings ask for (OAUTHBEARER, GSSAPI, a key with a password, keystores, a choice of ciphers,
 * of addresses and so on). */
bool kafka_access_read(rd_kafka_t *rk, struct kafka_access *out);
/* As brokers and settings call it; NULL: there is no login. */
const char *kafka_mechanism_name(enum kafka_mechanism mechanism);

#endif
