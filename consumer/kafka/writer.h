/* A transactional producer that makes record batches of the outbox itself.
 *
 *     InitProducerId                                   kafka_writer_start: what an older one of our name has begun is settled
 *     AddPartitionsToTxn, Produce …                    kafka_writer_put, portion by portion
 *     AddOffsetsToTxn, TxnOffsetCommit, EndTxn         kafka_writer_commit
 *
 * librdkafka makes an object of each record and sends it in a thread of its own, which costs several times what is done here
 * (tests/bench/NOTES.md). It stays whom leaders are asked of, and produces itself where more is asked for than access.h can, or a broker does not let us in
 * or does not know these versions of requests.
 *
 * Source: kafka.apache.org/protocol, KIP-98 and KIP-447; the versions of requests are such as every broker has since 2.5, and Kafka 4
 * still. What may be asked again is: leaders and coordinators move, and a Produce that comes twice is taken once, by its
 * sequence number. TxnOffsetCommit and EndTxn are not, once they may have arrived: late, one would be taken for the next transaction's
 * (KIP-890). Then nobody knows how the transaction has ended, and the next producer's InitProducerId settles it.
 *
 * All functions wait. Each gives RD_KAFKA_RESP_ERR_NO_ERROR, or why it failed: then the writer is used up. */
#ifndef CONSUMER_KAFKA_WRITER_H
#define CONSUMER_KAFKA_WRITER_H

#include "delivery/sink.h"

#include <librdkafka/rdkafka.h>

struct kafka_writer;

/* NULL: the client's settings ask for what librdkafka alone can. `rk` is asked for its settings and for leaders; it and `config` stay. */
struct kafka_writer *kafka_writer_open(rd_kafka_t *rk, const struct sink_config *config);
void kafka_writer_close(struct kafka_writer *writer);

/* RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION: there is a broker that only librdkafka can speak with. */
rd_kafka_resp_err_t kafka_writer_start(struct kafka_writer *writer, int timeout_ms);

/* A transaction: until its end nothing waits longer than so long in all. */
void kafka_writer_begin(struct kafka_writer *writer, int timeout_ms);
rd_kafka_resp_err_t kafka_writer_put(struct kafka_writer *writer, const struct outbox_record *record);
rd_kafka_resp_err_t kafka_writer_send(struct kafka_writer *writer); /* what was put and has not been sent */
rd_kafka_resp_err_t kafka_writer_send_frontiers(struct kafka_writer *writer,
                                                const struct sink_frontier *frontiers, size_t count,
                                                const struct membership *membership);
rd_kafka_resp_err_t kafka_writer_commit(struct kafka_writer *writer);

/* What has failed with a broker last, where one of these has given RD_KAFKA_RESP_ERR__TRANSPORT. */
const char *kafka_writer_failure(const struct kafka_writer *writer);

#endif
