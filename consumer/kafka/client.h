/* What our Kafka clients have in common: defaults beneath the user's settings, what delivery depends on above
 * them, the log. For this room only. */
#ifndef CONSUMER_KAFKA_CLIENT_H
#define CONSUMER_KAFKA_CLIENT_H

#include "kafka/conf.h"
#include "kafka/trouble.h"
#include "delivery/outbox.h"
#include "delivery/sink.h"

struct membership {
    rd_kafka_consumer_group_metadata_t *metadata;
};

#define KAFKA_MESSAGE_MAX 16777216 /* bytes of a record, unless kafka.message.max.bytes says otherwise */

enum kafka_kind { KAFKA_CONSUMER, KAFKA_PRODUCER };

/* A client; `fixed` wins over the user's settings. `prepare` may add callbacks; may be NULL. */
RELANCE_MUST enum relance_status kafka_client_open(enum kafka_kind kind, const struct options *options,
                                                   const struct option_kafka *fixed, size_t fixed_count,
                                                   void (*prepare)(rd_kafka_conf_t *conf, void *context),
                                                   void *context, rd_kafka_t **out,
                                                   struct relance_error *error);

/* Turns an error object into a sentence, frees it, and gives back `status`. */
enum relance_status kafka_client_error(enum relance_status status, const char *doing,
                                       rd_kafka_error_t *object, struct relance_error *error);

/* Assigns (NULL: nothing) and waits until whatever that stops has stopped. Not to wait for while the client `is_closing`. */
rd_kafka_resp_err_t kafka_client_assign(rd_kafka_t *consumer, const rd_kafka_topic_partition_list_t *list,
                                        bool is_closing);

/* Why a transaction failed, where `object` says no more than that it has. Gives back one of them, frees the other. */
rd_kafka_error_t *kafka_client_reason(rd_kafka_t *producer, rd_kafka_error_t *object);
/* Ends a producer with what it has not sent. */
void kafka_client_drop(rd_kafka_t *producer);

/* The right that was missing, of one to ask the group and one to read the topic. */
struct kafka_right kafka_client_right(rd_kafka_resp_err_t code, const char *group, const char *topic);

/* The group's committed offset with what it says, as source_frontier has it. */
RELANCE_MUST enum relance_status kafka_client_frontier(rd_kafka_t *consumer, const char *group,
                                                       const char *topic, int32_t partition,
                                                       struct source_frontier *out,
                                                       struct relance_error *error);
/* Frontiers as offsets to be committed. */
rd_kafka_topic_partition_list_t *kafka_client_frontiers(const char *topic,
                                                        const struct sink_frontier *frontiers, size_t count);

/* The name of an output topic; empty where there is none: --decisions is not given. */
void kafka_topic_name(const struct options *options, enum outbox_topic topic, char out[256]);
/* That of the versions of models, which belongs to them. */
void kafka_models_name(const struct options *options, char out[256]);

#endif
