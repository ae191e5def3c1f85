#include "kafka/mock.h"
#include "kafka/conf.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdlib.h>

struct kafka_mock {
    rd_kafka_t *client; /* owns the cluster's thread */
    rd_kafka_mock_cluster_t *cluster;
};

static enum relance_status mock_open(struct kafka_mock *mock, struct relance_error *error)
{
    static const struct option_kafka quiet = {"log_level",
                                              "2"}; /* a mock cluster is experimental, and says so */
    enum relance_status status =
        kafka_conf_start(RD_KAFKA_PRODUCER, &quiet, 1, NULL, 0, NULL, NULL, &mock->client, error);
    if (status != RELANCE_OK) return status;
    mock->cluster = rd_kafka_mock_cluster_new(mock->client, 1);
    if (!mock->cluster)
        return relance_error_set(error, RELANCE_IO, "librdkafka's mock cluster cannot be started");
    return RELANCE_OK;
}

struct kafka_mock *kafka_mock_start(struct relance_error *error)
{
    struct kafka_mock *mock = calloc(1, sizeof *mock);
    if (!mock) {
        relance_error_set(error, RELANCE_NO_MEMORY, "out of memory");
        return NULL;
    }
    if (mock_open(mock, error) != RELANCE_OK) {
        kafka_mock_stop(mock);
        return NULL;
    }
    return mock;
}

const char *kafka_mock_servers(const struct kafka_mock *mock)
{
    return rd_kafka_mock_cluster_bootstraps(mock->cluster);
}

enum relance_status kafka_mock_create_topic(struct kafka_mock *mock, const char *name, int partitions,
                                            struct relance_error *error)
{
    rd_kafka_resp_err_t status = rd_kafka_mock_topic_create(mock->cluster, name, partitions, 1);
    if (status == RD_KAFKA_RESP_ERR_NO_ERROR) return RELANCE_OK;
    return relance_error_set(error, RELANCE_IO, "topic '%s' cannot be created: %s", name,
                             rd_kafka_err2str(status));
}

void kafka_mock_stop(struct kafka_mock *mock)
{
    if (!mock) return;
    if (mock->cluster) rd_kafka_mock_cluster_destroy(mock->cluster);
    if (mock->client) rd_kafka_destroy(mock->client);
    free(mock);
}
