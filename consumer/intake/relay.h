/* Many topics in, one topic and its dead letters out, exactly once. A port: kafka/relay.c is Kafka.
 *
 *     relay_gather       waits for records of the topics that the group has given us
 *     relay_next         these, one by one
 *     relay_put          what becomes of them: the first opens a transaction
 *     relay_done         a record and all before it in its partition are dealt with
 *     relay_commit       what was put and how far the partitions have come, together or not at all
 *
 * Partitions come and go inside relay_gather alone, and no transaction is open there. So what is committed belongs to
 * the assignment under which it was read, and the group's own number for that assignment fences whoever has lost it
 * without having heard so yet.
 *
 * When a call fails with RELANCE_AGAIN, relay_rest: the transaction is given up, and reading begins again where the
 * group's offsets say. Nothing is kept here that these do not say, too. */
#ifndef CONSUMER_INTAKE_RELAY_H
#define CONSUMER_INTAKE_RELAY_H

#include "base/names.h"
#include "host/option.h"
#include <relance/mapping.h>

enum {
    RELAY_BATCH_MAX = 8192,
    RELAY_HEADERS_MAX = 64
}; /* records; headers of a record, later ones are not seen */

struct relay;

enum relay_topic { RELAY_EVENTS, RELAY_DEAD, RELAY_TOPICS };

struct relay_record {
    struct relance_foreign foreign;
    int64_t timestamp_ms; /* RELANCE_NEVER: none */
    uint32_t source;      /* a number for its topic and partition, the same as long as the process lives */
};

/* What is written. */
struct relay_output {
    enum relay_topic topic;
    struct relance_str key, value; /* data NULL: none */
    int64_t timestamp_ms;          /* RELANCE_NEVER: now */
    const struct relance_header *headers;
    size_t header_count;
};

/* No older transaction under the name `member` can commit once this returns. RELANCE_AGAIN: the brokers are silent;
 * RELANCE_REFUSED: a right is missing. `options` live as long as the relay. */
RELANCE_MUST enum relance_status relay_open(const struct options *options, const char *member,
                                            struct relay **out, struct relance_error *error);
void relay_close(struct relay *relay); /* leaves the group; what is not committed is given up */

/* The names of all topics that we may see, added to `out`. */
RELANCE_MUST enum relance_status relay_topics(struct relay *relay, struct names *out,
                                              struct relance_error *error);
/* How many partitions a topic has; 0: there is no such topic. RELANCE_REFUSED: `operation` on it is not allowed. */
RELANCE_MUST enum relance_status relay_look(struct relay *relay, const char *operation, const char *topic,
                                            int *partitions, struct relance_error *error);
/* From now on these topics are read. */
RELANCE_MUST enum relance_status relay_subscribe(struct relay *relay, const struct names *topics,
                                                 struct relance_error *error);

/* Waits at most `wait_ms` for records; takes a lone one at once and many together. RELANCE_REFUSED: there is no going
 * on. */
RELANCE_MUST enum relance_status relay_gather(struct relay *relay, int wait_ms, struct relance_error *error);
/* The next of them, borrowed until the next call of either; false: that was all. */
bool relay_next(struct relay *relay, struct relay_record *record);
RELANCE_MUST enum relance_status relay_put(struct relay *relay, const struct relay_output *output,
                                           struct relance_error *error);
void relay_done(struct relay *relay, const struct relay_record *record);
RELANCE_MUST enum relance_status relay_commit(struct relay *relay, struct relance_error *error);

/* Gives up what has not been committed, reads nothing for so long, and then begins again at the group's offsets. */
void relay_rest(struct relay *relay, int64_t rest_us);

#endif
