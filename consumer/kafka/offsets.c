#include "kafka/offsets.h"
#include "base/ensure.h"
#include "kafka/client.h"
#include "kafka/conf.h"
#include <stdlib.h>

enum { OFFSETS_ASK_MS = 10000 };

struct kafka_offsets {
    rd_kafka_t *rk;
    const char *group, *topic;
};

enum relance_status kafka_offsets_open(const struct options *options, struct kafka_offsets **out,
                                       struct relance_error *error)
{
    const struct option_kafka fixed[] = {{"group.id", options->group}, {"enable.auto.commit", "false"}};
    struct kafka_offsets *offsets = calloc(1, sizeof *offsets);
    ensure(offsets);
    offsets->group = options->group;
    offsets->topic = options->input;
    enum relance_status status = kafka_client_open(
        KAFKA_CONSUMER, options, fixed, sizeof fixed / sizeof *fixed, NULL, NULL, &offsets->rk, error);
    if (status == RELANCE_OK)
        *out = offsets;
    else
        free(offsets);
    return status;
}

void kafka_offsets_close(struct kafka_offsets *offsets)
{
    if (!offsets) return;
    rd_kafka_destroy(offsets->rk);
    free(offsets);
}

static enum relance_status offsets_failed(const struct kafka_offsets *offsets, rd_kafka_resp_err_t code,
                                          struct relance_error *error)
{
    return kafka_trouble(error, RELANCE_IO, code, kafka_client_right(code, offsets->group, offsets->topic),
                         "topic %s", offsets->topic);
}

enum relance_status kafka_offsets_partitions(struct kafka_offsets *offsets, int *count,
                                             struct relance_error *error)
{
    rd_kafka_resp_err_t code = kafka_conf_partitions(offsets->rk, offsets->topic, OFFSETS_ASK_MS, count);
    if (!code && !*count) code = RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    return code ? offsets_failed(offsets, code, error) : RELANCE_OK;
}

enum relance_status kafka_offsets_read(struct kafka_offsets *offsets, int32_t partition,
                                       struct source_frontier *p, int64_t *end, struct relance_error *error)
{
    enum relance_status status =
        kafka_client_frontier(offsets->rk, offsets->group, offsets->topic, partition, p, error);
    if (status != RELANCE_OK) return status;
    rd_kafka_resp_err_t code =
        kafka_conf_offset(offsets->rk, offsets->topic, partition, RD_KAFKA_OFFSET_END, OFFSETS_ASK_MS, end);
    return code ? offsets_failed(offsets, code, error) : RELANCE_OK;
}

enum relance_status kafka_offsets_write(struct kafka_offsets *offsets, const struct sink_frontier *frontiers,
                                        size_t count, struct relance_error *error)
{
    rd_kafka_topic_partition_list_t *list = kafka_client_frontiers(offsets->topic, frontiers, count);
    rd_kafka_resp_err_t code = rd_kafka_commit(offsets->rk, list, 0);
    for (int i = 0; i < list->cnt && !code; i++)
        code = list->elems[i].err;
    rd_kafka_topic_partition_list_destroy(list);
    if (code == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID || code == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION ||
        code == RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS)
        return relance_error_set(error, RELANCE_AGAIN, "the group has members");
    return code ? offsets_failed(offsets, code, error) : RELANCE_OK;
}
