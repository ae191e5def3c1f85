/* What benches ask of Kafka: how long actions take, under how much load, and what reading alone costs. See kafka_tool.c. */
#include "kafka_tool.h"

#include <stdlib.h>
#include <string.h>

/* ---- latency */

/* Reads until the action about `customer` comes; false: it has not come in time. */
static bool await_action(rd_kafka_t *rk, const char *customer, int64_t until_us)
{
    while (clock_us(CLOCK_MONOTONIC) < until_us) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(rk, 1000);
        bool found = message && !message->err && message->key_len == strlen(customer) &&
                     memcmp(message->key, customer, message->key_len) == 0;
        if (message) rd_kafka_message_destroy(message);
        if (found) return true;
    }
    return false;
}

/* One lone event of type `ping` after the other, each for a customer of its own and at the present time; the
 * rule set under test answers each with an action at once. */
void bench_latency(int argc, char **argv)
{
    if (argc != 4) fail("latency INPUT OUTPUT COUNT PAUSE_MS");
    int count = atoi(argv[2]), pause_ms = atoi(argv[3]);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "partitioner", "murmur2_random");
    set(conf, "linger.ms", "0");
    rd_kafka_t *out = client(RD_KAFKA_PRODUCER, conf), *in = consumer("kafka_tool");
    assign(in, argv[1], RD_KAFKA_OFFSET_END);
    await_action(in, "", clock_us(CLOCK_MONOTONIC) + 1000000); /* until it is really reading */
    for (int i = 0; i < count; i++) {
        char key[32], value[256];
        int64_t now_ms = clock_us(CLOCK_REALTIME) / 1000;
        size_t key_size = (size_t)snprintf(key, sizeof key, "lone-%d", i);
        size_t size =
            (size_t)snprintf(value, sizeof value, "{\"type\":\"ping\",\"customer\":\"%s\",\"time\":%lld}",
                             key, (long long)now_ms);
        int64_t begin_us = clock_us(CLOCK_MONOTONIC);
        check(rd_kafka_producev(out, RD_KAFKA_V_TOPIC(argv[0]), RD_KAFKA_V_KEY(key, key_size),
                                RD_KAFKA_V_VALUE(value, size), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                RD_KAFKA_V_END),
              "produce");
        if (!await_action(in, key, begin_us + 1000 * (int64_t)TIMEOUT_MS))
            fail("no action for %s within %d ms", key, TIMEOUT_MS);
        printf("%lld\n", (long long)(clock_us(CLOCK_MONOTONIC) - begin_us));
        rd_kafka_poll(out, 0);
        sleep_ms(pause_ms);
    }
    rd_kafka_flush(out, TIMEOUT_MS);
    rd_kafka_destroy(out);
    rd_kafka_destroy(in);
}

/* ---- load */

#define LOAD_SLICE_MS  20
#define LOAD_CUSTOMERS 1000000
#define LOAD_KEY       8 /* bytes */
#define PROBE_AGE_MS   3600000
#define PROBES_MAX     100000

struct load {
    rd_kafka_t *out, *in;
    rd_kafka_topic_t *topic;
    int64_t begin_us; /* of the wall clock, as all times here */
    long produced;
    int32_t partitions;
    long *customers;    /* by partition, one behind the other */
    long *ends, *turns; /* of each partition there: where they end, and who comes next */
    int probes;         /* sent */
    int answered;
    int64_t sent_us[PROBES_MAX], took_us[PROBES_MAX]; /* 0: not answered */
};

static void load_put_digits(char **at, int width, long number)
{
    for (int i = width - 1; i >= 0; i--, number /= 10)
        (*at)[i] = (char)('0' + number % 10);
    *at += width;
}

static void load_put(char **at, const char *text)
{
    size_t size = strlen(text);
    memcpy(*at, text, size);
    *at += size;
}

static void load_write_key(long customer, char out[LOAD_KEY])
{
    char *at = out;
    load_put(&at, "c"), load_put_digits(&at, LOAD_KEY - 1, customer);
}

/* Whose records stand in which partition: so that a slice is made partition by partition, and goes to the broker in few requests, as
 * those of many servers do. The client itself would send each partition's in many. */
static void load_deal(struct load *load)
{
    load->partitions = partition_count(load->out, rd_kafka_topic_name(load->topic));
    load->customers = calloc(LOAD_CUSTOMERS, sizeof *load->customers);
    load->ends = calloc((size_t)load->partitions, sizeof *load->ends);
    load->turns = calloc((size_t)load->partitions, sizeof *load->turns);
    int32_t *homes = calloc(LOAD_CUSTOMERS, sizeof *homes);
    if (!load->customers || !load->ends || !load->turns || !homes) fail("no memory");
    for (long customer = 0; customer < LOAD_CUSTOMERS; customer++) {
        char key[LOAD_KEY];
        load_write_key(customer, key);
        homes[customer] =
            rd_kafka_msg_partitioner_murmur2(NULL, key, sizeof key, load->partitions, NULL, NULL);
    }
    long count = 0;
    for (int32_t partition = 0; partition < load->partitions; partition++) {
        load->turns[partition] = count;
        for (long n = 0; n < LOAD_CUSTOMERS; n++) {
            long customer = n * 7919 % LOAD_CUSTOMERS;
            if (homes[customer] == partition) load->customers[count++] = customer;
        }
        load->ends[partition] = count;
    }
    free(homes);
}

/* One of a shop: views and clicks, and a cart in ten events. Its text, which is of one length but for its type, costs far less than
 * printf would: the engines that are measured have the same cores. */
static size_t load_write(long n, long customer, char *out)
{
    static const char *const types[] = {"view", "click", "view", "click", "view",
                                        "view", "click", "view", "view",  "add_to_cart"};
    long product = n % 20000;
    char *at = out;
    load_put(&at, "{\"id\":\"e"), load_put_digits(&at, 10, n);
    load_put(&at, "\",\"type\":\""), load_put(&at, types[n % 10]);
    load_put(&at, "\",\"customer\":\"c"), load_put_digits(&at, 7, customer);
    load_put(&at, "\",\"cart\":\"k"), load_put_digits(&at, 10, n);
    load_put(&at, "\",\"product\":\"p"), load_put_digits(&at, 5, product);
    load_put(&at, "\",\"name\":\"Product number "), load_put_digits(&at, 5, product);
    load_put(&at, "\",\"category\":\"garden\",\"price\":1"), load_put_digits(&at, 2, product % 100);
    load_put(&at, ".99,\"currency\":\"EUR\",\"url\":\"https://shop.example/p/"),
        load_put_digits(&at, 5, product);
    load_put(&at, "\",\"device\":\"mobile\"}");
    return (size_t)(at - out);
}

/* So many of one partition. A full queue is a broker that does not keep up: then this measures nothing. */
static void load_events(struct load *load, int32_t partition, long count)
{
    enum { MOST = 1024 };
    static struct {
        char key[LOAD_KEY], value[512];
    } texts[MOST];
    static rd_kafka_message_t messages[MOST];
    while (count > 0) {
        int some = count < MOST ? (int)count : MOST;
        for (int i = 0; i < some; i++) {
            long customer = load->customers[load->turns[partition]++];
            if (load->turns[partition] == load->ends[partition])
                load->turns[partition] = partition ? load->ends[partition - 1] : 0;
            load_write_key(customer, texts[i].key);
            messages[i] = (rd_kafka_message_t){.key = texts[i].key,
                                               .key_len = LOAD_KEY,
                                               .payload = texts[i].value,
                                               .len = load_write(load->produced++, customer, texts[i].value)};
        }
        if (rd_kafka_produce_batch(load->topic, partition, RD_KAFKA_MSG_F_COPY, messages, some) != some)
            for (int i = 0; i < some; i++)
                check(messages[i].err, "produce");
        count -= some;
    }
}

static void load_slice(struct load *load, long until)
{
    long count = until - load->produced;
    for (int32_t partition = 0; partition < load->partitions; partition++)
        load_events(load, partition,
                    count * (partition + 1) / load->partitions - count * partition / load->partitions);
}

/* A cart of PROBE_AGE_MS ago: where its partition's clock has come as far, a shorter wait is over as soon as it
 * has begun. */
static void load_probe(struct load *load)
{
    char key[32], value[256];
    if (load->probes == PROBES_MAX) fail("more than %d probes", PROBES_MAX);
    snprintf(key, sizeof key, "probe-%d", load->probes);
    snprintf(value, sizeof value, "{\"type\":\"add_to_cart\",\"customer\":\"%s\",\"cart\":\"k\"}", key);
    int64_t now_us = clock_us(CLOCK_REALTIME);
    load->sent_us[load->probes++] = now_us;
    check(rd_kafka_producev(load->out, RD_KAFKA_V_RKT(load->topic),
                            RD_KAFKA_V_TIMESTAMP(now_us / 1000 - PROBE_AGE_MS),
                            RD_KAFKA_V_KEY(key, strlen(key)), RD_KAFKA_V_VALUE(value, strlen(value)),
                            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END),
          "produce");
}

/* Reads actions until the given instant. */
static void load_listen(struct load *load, int64_t until_us)
{
    for (int64_t now_us; (now_us = clock_us(CLOCK_REALTIME)) < until_us;) {
        rd_kafka_poll(load->out, 0);
        rd_kafka_message_t *message =
            rd_kafka_consumer_poll(load->in, (int)((until_us - now_us + 999) / 1000));
        if (!message) continue;
        char key[32] = "";
        if (!message->err && message->key_len < sizeof key) memcpy(key, message->key, message->key_len);
        int number = -1;
        if (sscanf(key, "probe-%d", &number) == 1 && number >= 0 && number < load->probes) {
            if (load->took_us[number]) fail("%s has been answered twice", key);
            load->took_us[number] = clock_us(CLOCK_REALTIME) - load->sent_us[number];
            load->answered++;
        }
        rd_kafka_message_destroy(message);
    }
}

/* Every LOAD_SLICE_MS a slice of the load and a probe, whether those before are answered or not; then the load
 * alone, which keeps the clocks going, until all are. */
void bench_load(int argc, char **argv)
{
    if (argc != 4) fail("load INPUT OUTPUT RATE SECONDS");
    static struct load load;
    long rate = atol(argv[2]), slices = atol(argv[3]) * 1000 / LOAD_SLICE_MS;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "partitioner", "murmur2_random");
    set(conf, "linger.ms", "1");
    set(conf, "acks", "1");
    set(conf, "queue.buffering.max.messages", "2000000");
    load.out = client(RD_KAFKA_PRODUCER, conf);
    load.in = consumer("kafka_tool");
    load.topic = rd_kafka_topic_new(load.out, argv[0], NULL);
    load_deal(&load);
    assign(load.in, argv[1], RD_KAFKA_OFFSET_END);
    load_listen(&load, clock_us(CLOCK_REALTIME) + 1000000); /* until it is really reading */
    load.begin_us = clock_us(CLOCK_REALTIME);
    for (long slice = 1; slice <= slices + TIMEOUT_MS / LOAD_SLICE_MS; slice++) {
        if (slice > slices && load.answered == load.probes) break;
        load_slice(&load, rate * LOAD_SLICE_MS * slice / 1000);
        if (slice <= slices) load_probe(&load);
        load_listen(&load, load.begin_us + slice * LOAD_SLICE_MS * 1000);
    }
    if (load.answered < load.probes)
        fail("%d of %d probes have no answer", load.probes - load.answered, load.probes);
    for (int i = 0; i < load.probes; i++)
        printf("%lld\n", (long long)load.took_us[i]);
    free(load.customers);
    free(load.ends);
    free(load.turns);
    rd_kafka_topic_destroy(load.topic);
    rd_kafka_destroy(load.out);
    rd_kafka_destroy(load.in);
}

/* For engines to be compared with: no rules, no state, and no transaction. */
void bench_pass(int argc, char **argv)
{
    if (argc != 3) fail("pass INPUT OUTPUT PREFIX");
    size_t size = strlen(argv[2]);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "linger.ms", "0");
    rd_kafka_t *out = client(RD_KAFKA_PRODUCER, conf), *in = consumer("kafka_tool");
    assign(in, argv[0], RD_KAFKA_OFFSET_BEGINNING);
    for (;;) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(in, 100);
        rd_kafka_poll(out, 0);
        if (!message) continue;
        if (!message->err && message->key_len >= size && memcmp(message->key, argv[2], size) == 0)
            check(rd_kafka_producev(out, RD_KAFKA_V_TOPIC(argv[1]),
                                    RD_KAFKA_V_KEY(message->key, message->key_len),
                                    RD_KAFKA_V_VALUE(message->payload, message->len),
                                    RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END),
                  "produce");
        rd_kafka_message_destroy(message);
    }
}

/* What reading alone costs: in batches, as the engine reads, and nothing is done with what has come. */
void bench_drain(int argc, char **argv)
{
    if (argc != 1) fail("drain TOPIC");
    enum { BATCH = 4096 };
    static rd_kafka_message_t *batch[BATCH];
    rd_kafka_t *rk = consumer("kafka_tool");
    int open = assign(rk, argv[0], RD_KAFKA_OFFSET_BEGINNING);
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(rk);
    long count = 0;
    int64_t until_us = clock_us(CLOCK_MONOTONIC) + 1000 * (int64_t)TIMEOUT_MS;
    while (open > 0) {
        /* the call waits its whole time unless the batch is full */
        ssize_t got = rd_kafka_consume_batch_queue(queue, 10, batch, BATCH);
        if (got < 0) fail("%s: %s", argv[0], rd_kafka_err2str(rd_kafka_last_error()));
        int64_t now_us = clock_us(CLOCK_MONOTONIC);
        if (got > 0) until_us = now_us + 1000 * (int64_t)TIMEOUT_MS;
        if (now_us > until_us) fail("%s: nothing came for %d ms", argv[0], TIMEOUT_MS);
        for (ssize_t i = 0; i < got; i++) {
            if (!batch[i]->err)
                count++;
            else if (batch[i]->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
                open--;
            else
                fail("%s: %s", argv[0], rd_kafka_message_errstr(batch[i]));
            rd_kafka_message_destroy(batch[i]);
        }
    }
    printf("%ld\n", count);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(rk);
}
