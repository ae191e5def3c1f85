/* Questions to brokers for whoever may wait for the answers, over a connection of line.h to each. For this room only.
 *
 *     kafka_brokers_begin, what is asked, kafka_brokers_ask      for one broker, or for several
 *     kafka_brokers_await                                        until all have answered or failed
 *     kafka_brokers_answer                                       what each has said, until it is asked again
 */
#ifndef CONSUMER_KAFKA_BROKERS_H
#define CONSUMER_KAFKA_BROKERS_H

#include "kafka/form.h"
#include "kafka/line.h"

#include <librdkafka/rdkafka.h>

enum { KAFKA_NO_BROKER = -1 };

struct kafka_broker {
    int32_t id;
    struct kafka_line line;
    struct kafka_chunk *answer; /* its last */
    uint32_t asked;             /* number of its last question */
};

struct kafka_brokers {
    struct kafka_broker *all;
    int count;
    int64_t until_us;           /* nobody waits longer; µs of the monotonic clock */
    struct relance_error error; /* what has failed last */
    /* for brokers.c */
    struct kafka_access access; /* the lines' */
    char client[256];
    int timeout_ms;
    struct kafka_chunk *spare;
};

/* `rk` says the name of a client and how long it has patience. False: how they are reached is librdkafka's alone (access.h); then
 * nothing is to be closed. */
RELANCE_MUST bool kafka_brokers_init(struct kafka_brokers *brokers, rd_kafka_t *rk);
void kafka_brokers_close(struct kafka_brokers *brokers);

/* The place of a broker, which may be new or have moved. */
int kafka_brokers_note(struct kafka_brokers *brokers, int32_t id, const char *host, int port);
/* That of one of those that were noted; KAFKA_NO_BROKER: it is none of them. */
int kafka_brokers_find(const struct kafka_brokers *brokers, int32_t id);

/* Connects where that has to be done. NULL: it has failed. */
struct buffer *kafka_brokers_begin(struct kafka_brokers *brokers, int broker, enum kafka_request request,
                                   int version);
void kafka_brokers_ask(struct kafka_brokers *brokers, int broker);
void kafka_brokers_await(struct kafka_brokers *brokers);
/* False: there is none. */
bool kafka_brokers_answer(struct kafka_brokers *brokers, int broker, struct kafka_answer *out);

#endif
