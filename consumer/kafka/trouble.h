/* What went wrong with Kafka, as a sentence that helps: which right is missing, or why no broker was reached. For
 * this room only. */
#ifndef CONSUMER_KAFKA_TROUBLE_H
#define CONSUMER_KAFKA_TROUBLE_H

#include <relance/text.h>

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

struct kafka_right {
    const char *operation, *resource, *name; /* "Read", "topic", "shop.events" */
};

/* Does it say that a right is missing? Trying again does not help then. */
bool kafka_is_forbidden(rd_kafka_resp_err_t code);

/* Does it heal, once leaders and coordinators have been asked for anew? */
bool kafka_is_passing(rd_kafka_resp_err_t code);

/* Sets the sentence "DOING: what librdkafka calls it", and gives back `status`. Where a right is missing it names the
 * one that is needed here, and gives back RELANCE_REFUSED. Where no broker was reached, it adds what a client has last
 * said about that: a wrong password, a certificate of another authority. */
enum relance_status kafka_trouble(struct relance_error *error, enum relance_status status,
                                  rd_kafka_resp_err_t code, struct kafka_right right, const char *doing, ...)
    __attribute__((format(printf, 5, 6)));

/* A line of a client's log: it is kept if it says why a broker was not reached. From any thread. */
void kafka_trouble_hear(const char *facility, const char *text);

#endif
