/* SCRAM, the client's side: a password is proved without being sent, and the server proves that it knows it. Nothing here waits.
 *
 *     kafka_scram_begin      client-first-message
 *     kafka_scram_prove      server-first-message in, client-final-message out
 *     kafka_scram_check      server-final-message in
 *
 * Source: RFC 5802, RFC 7677; no channel binding, and no normalization of names and passwords that are not ASCII, as in Kafka's own
 * client and librdkafka. For this room only. */
#ifndef CONSUMER_KAFKA_SCRAM_H
#define CONSUMER_KAFKA_SCRAM_H

#include "base/buffer.h"

enum kafka_scram_hash { KAFKA_SCRAM_SHA_256, KAFKA_SCRAM_SHA_512 };

enum {
    KAFKA_SCRAM_NONCE_SIZE = 33, /* with its NUL */
    KAFKA_SCRAM_DIGEST_MAX = 64,
};

struct kafka_scram {
    enum kafka_scram_hash hash;
    char nonce[KAFKA_SCRAM_NONCE_SIZE];              /* ours */
    struct buffer bare;                              /* the first message behind its header */
    unsigned char signature[KAFKA_SCRAM_DIGEST_MAX]; /* that the server has to show */
};

/* Puts the message behind what `out` has. `nonce`: printable, without a comma; NULL: a random one. */
void kafka_scram_begin(struct kafka_scram *scram, enum kafka_scram_hash hash, const char *user,
                       const char *nonce, struct buffer *out);
void kafka_scram_end(struct kafka_scram *scram);

/* RELANCE_INVALID: what has come is no such message, or nobody may take part in what it asks for. */
RELANCE_MUST enum relance_status kafka_scram_prove(struct kafka_scram *scram, str told, const char *password,
                                                   struct buffer *out, struct relance_error *error);
/* RELANCE_REFUSED: the server says why it takes no proof of ours, or has none of its own. */
RELANCE_MUST enum relance_status kafka_scram_check(const struct kafka_scram *scram, str told,
                                                   struct relance_error *error);

#endif
