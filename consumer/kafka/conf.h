/* A librdkafka configuration: what the user passes through, then what the client cannot do without. What
 * librdkafka says goes to the log. For this room only: it shows librdkafka's types. */
#ifndef CONSUMER_KAFKA_CONF_H
#define CONSUMER_KAFKA_CONF_H

#include "host/option.h"

#include <librdkafka/rdkafka.h>

/* What its broker knows of a topic, to be destroyed where this gives no error; of the topic itself `topics[0].err` may say one. */
rd_kafka_resp_err_t kafka_conf_topic(rd_kafka_t *rk, const char *topic, int timeout_ms,
                                     const struct rd_kafka_metadata **out);
/* How many partitions a topic has, by its broker; the error of the question or of the topic. */
rd_kafka_resp_err_t kafka_conf_partitions(rd_kafka_t *rk, const char *topic, int timeout_ms, int *count);

/* The first offset at or after an instant, in ms since 1970, or RD_KAFKA_OFFSET_BEGINNING or RD_KAFKA_OFFSET_END; -1 where there is
 * none. Asked like this it keeps its time: rd_kafka_query_watermark_offsets waits for as long as the broker is away (librdkafka
 * 2.0.2). */
rd_kafka_resp_err_t kafka_conf_offset(rd_kafka_t *rk, const char *topic, int32_t partition, int64_t instant,
                                      int timeout_ms, int64_t *offset);

/* A topic's retention.ms, "" where Kafka does not tell it; of a right that is missing the log says which. */
enum { KAFKA_RETENTION_SIZE = 32 };
void kafka_conf_retention(rd_kafka_t *rk, const char *topic, char out[KAFKA_RETENTION_SIZE]);
/* The answer to CreateTopics: each is there, or what kept it from being made. RELANCE_REFUSED: a right; RELANCE_IO: else. */
RELANCE_MUST enum relance_status kafka_conf_created(rd_kafka_queue_t *queue, struct relance_error *error);

/* A setting of a client that runs: whether it is that; its number, 0 where that is negative and INT32_MAX where it is more. */
void kafka_conf_text(rd_kafka_t *rk, const char *name, char *out, size_t size);
bool kafka_conf_says(rd_kafka_t *rk, const char *name, const char *value);
int32_t kafka_conf_number(rd_kafka_t *rk, const char *name);

typedef void kafka_conf_prepare(rd_kafka_conf_t *conf, void *context);

/* Starts a client. Of two settings of one name the later counts; `prepare` (NULL: none) sees the configuration last. */
RELANCE_MUST enum relance_status kafka_conf_start(rd_kafka_type_t type, const struct option_kafka *options,
                                                  size_t option_count, const struct option_kafka *fixed,
                                                  size_t fixed_count, kafka_conf_prepare *prepare,
                                                  void *context, rd_kafka_t **out,
                                                  struct relance_error *error);

#endif
