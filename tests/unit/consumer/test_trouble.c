/* Sentences about Kafka: which right is missing, why nobody answers. */
#include "kafka/trouble.h"
#include <criterion/criterion.h>
#include <string.h>

static struct relance_error error;
static const struct kafka_right read_topic = {"Read", "topic", "shop.events"};

Test(trouble, a_right_that_is_missing_is_named_and_nothing_is_tried_again)
{
    cr_expect_eq(kafka_trouble(&error, RELANCE_AGAIN, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
                               read_topic, "reading %s", "events"),
                 RELANCE_REFUSED);
    cr_expect_str_eq(
        error.message,
        "reading events: Broker: Topic authorization failed; this user needs Read on topic shop.events");
}

Test(trouble, where_nobody_answered_the_client_has_said_why)
{
    kafka_trouble_hear("ERROR", "[thrd:main]: 1/1 brokers are down");
    cr_expect_eq(kafka_trouble(&error, RELANCE_IO, RD_KAFKA_RESP_ERR__TRANSPORT, read_topic, "asking"),
                 RELANCE_IO);
    cr_expect_str_eq(error.message, "asking: Local: Broker transport failure");
    kafka_trouble_hear("FAIL", "[thrd:ssl://k:9/bootstrap]: ssl://k:9/bootstrap: SSL handshake failed");
    kafka_trouble_hear("REQTMOUT", "[thrd:main]: Timed out 1 in-flight");
    kafka_trouble(&error, RELANCE_IO, RD_KAFKA_RESP_ERR__TIMED_OUT, read_topic, "asking");
    cr_expect_str_eq(error.message, "asking: Local: Timed out; ssl://k:9/bootstrap: SSL handshake failed");
    kafka_trouble(&error, RELANCE_IO, RD_KAFKA_RESP_ERR__STATE, read_topic, "asking");
    cr_expect_str_eq(error.message, "asking: Local: Erroneous state");
}

Test(trouble, what_librdkafka_says_too_tersely_is_explained)
{
    kafka_trouble_hear("FAIL", "k:9: SSL handshake failed: unexpected eof while reading (after 1ms)");
    kafka_trouble(&error, RELANCE_IO, RD_KAFKA_RESP_ERR__TRANSPORT, read_topic, "asking");
    cr_expect(strstr(error.message, "is it a listener without TLS?"), "%s", error.message);
    kafka_trouble_hear("FAIL", "k:9: invalid credentials with SASL mechanism SCRAM-SHA-512 (after 1ms)");
    kafka_trouble(&error, RELANCE_IO, RD_KAFKA_RESP_ERR__TRANSPORT, read_topic, "asking");
    bool old = rd_kafka_version() < 0x020601ff; /* it has SCRAM wrong, and Kafka 4 notices */
    cr_expect_eq(strstr(error.message, "a Kafka from 4.0 on says so of every password") != NULL, old);
}
