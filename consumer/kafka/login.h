/* A login at a broker: requests that go before all others of a connection, and what has to come back. Nothing here waits, or knows a socket.
 *
 *     kafka_login_put, kafka_login_take       again and again, until it is done
 *
 * Source: kafka.apache.org/protocol, SaslHandshake 1 and SaslAuthenticate 1 (KIP-43, KIP-152, KIP-368); RFC 4616 for PLAIN. For this room
 * only. */
#ifndef CONSUMER_KAFKA_LOGIN_H
#define CONSUMER_KAFKA_LOGIN_H

#include "kafka/access.h"
#include "kafka/form.h"

struct kafka_login;

/* NULL: there is none. `access` stays. */
struct kafka_login *kafka_login_open(const struct kafka_access *access);
void kafka_login_close(struct kafka_login *login); /* NULL: nothing to do */

/* The next request, behind its size. */
void kafka_login_put(struct kafka_login *login, struct buffer *out);
/* The answer to it. RELANCE_AGAIN: there is more to be asked; RELANCE_REFUSED: nobody comes in so. */
RELANCE_MUST enum relance_status kafka_login_take(struct kafka_login *login, struct kafka_answer *in,
                                                  struct relance_error *error);
/* Of one that is done: after so many ms the broker wants another; 0: never. */
int64_t kafka_login_lasts_ms(const struct kafka_login *login);

#endif
