/* What end-to-end tests do with a broker, in the milliseconds that a JVM would need to say hello:
 *
 *     kafka_tool BROKERS create TOPIC PARTITIONS [replicas=N] [NAME=VALUE]...
 *     kafka_tool BROKERS produce TOPIC [commit|abort|hang] [NAME=VALUE]
 *                                                          records from stdin; in a transaction that ends so, or never;
 *                                                          with a setting of the producer's
 *     kafka_tool BROKERS weave TOPIC                       transactions of several producers, one in another: see `weave`
 *     kafka_tool BROKERS consume TOPIC                     records to stdout, to the end, read_committed
 *     kafka_tool BROKERS ends TOPIC                        `partition offset` a line: where the log ends
 *     kafka_tool BROKERS leaders TOPIC                     `partition broker` a line; -1: it has none
 *     kafka_tool BROKERS committed GROUP TOPIC             `partition offset metadata` a line (metadata in hex)
 *     kafka_tool BROKERS delete TOPIC
 *     kafka_tool BROKERS grow TOPIC PARTITIONS
 *     kafka_tool BROKERS truncate TOPIC PARTITION OFFSET   deletes the records below
 *     kafka_tool BROKERS reset GROUP TOPIC PARTITION OFFSET    sets an offset by hand; -1: deletes it
 *     kafka_tool BROKERS follow TOPIC                      `partition ms` a line: when a reader of what is committed had it
 *     kafka_tool - features                                what librdkafka was built with
 *     kafka_tool BROKERS latency INPUT OUTPUT COUNT PAUSE_MS   microseconds a line: event sent -> action read
 *     kafka_tool BROKERS load INPUT OUTPUT RATE SECONDS    the same under RATE other events a second
 *     kafka_tool BROKERS pass INPUT OUTPUT PREFIX          passes on what comes with such keys, until it is ended
 *     kafka_tool BROKERS drain TOPIC                       how many records there are, read in batches and thrown away
 *
 * A record is a line of words, so that any bytes go through and nothing needs quoting:
 *
 *     produce:  PARTITION TIMESTAMP KEY VALUE [NAME=VALUE]...     consume: PARTITION OFFSET TIMESTAMP KEY VALUE ...
 *
 * KEY, VALUE and the values of headers are hex; `-` is a null (of PARTITION: by Java's murmur2 of the key; of
 * TIMESTAMP: now). Whatever goes wrong ends the program with a sentence and status 1: a test wants to know. */
#include "kafka_tool.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 32
#define SETTLE_MS 2000

int64_t clock_us(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

void sleep_ms(int ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000L}, NULL);
}

void fail(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    fprintf(stderr, "kafka_tool: ");
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
    va_end(list);
    exit(1);
}

void check(rd_kafka_resp_err_t error, const char *what)
{
    if (error) fail("%s: %s", what, rd_kafka_err2str(error));
}

/* For what librdkafka's transactions return. */
static void check_error(rd_kafka_error_t *error, const char *what)
{
    if (error) fail("%s: %s", what, rd_kafka_error_string(error));
}

static const char *brokers;
static int delivery_failures;

void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char reason[256];
    if (rd_kafka_conf_set(conf, name, value, reason, sizeof reason) != RD_KAFKA_CONF_OK)
        fail("%s=%s: %s", name, value, reason);
}

rd_kafka_t *client(rd_kafka_type_t type, rd_kafka_conf_t *conf)
{
    char reason[256];
    set(conf, "bootstrap.servers", brokers);
    rd_kafka_t *rk = rd_kafka_new(type, conf, reason, sizeof reason);
    if (!rk) fail("%s", reason);
    return rk;
}

/* ---- words and hex */

static size_t split(char *line, char *words[WORDS_MAX])
{
    size_t count = 0;
    for (char *word = strtok(line, " \n"); word; word = strtok(NULL, " \n")) {
        if (count == WORDS_MAX) fail("more than %d words in a line", WORDS_MAX);
        words[count++] = word;
    }
    return count;
}

static unsigned hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, c) : NULL;
    if (!at) fail("'%c' is no hex digit", c);
    return (unsigned)(at - digits);
}

struct bytes {
    void *data; /* NULL: a null */
    size_t size;
};

/* Decodes in place: the bytes are never longer than their hex. An empty word cannot be; `.` is no bytes. */
static struct bytes from_hex(char *word)
{
    if (strcmp(word, "-") == 0) return (struct bytes){NULL, 0};
    if (strcmp(word, ".") == 0) return (struct bytes){word, 0};
    size_t size = strlen(word) / 2;
    for (size_t i = 0; i < size; i++)
        word[i] = (char)(hex_digit(word[2 * i]) << 4 | hex_digit(word[2 * i + 1]));
    return (struct bytes){word, size};
}

static void print_hex(const void *data, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *bytes = data;
    if (!data)
        putchar('-');
    else if (size == 0)
        putchar('.');
    for (size_t i = 0; i < size; i++) {
        putchar(digits[bytes[i] >> 4]);
        putchar(digits[bytes[i] & 15]);
    }
}

/* ---- create */

static bool is_visible(rd_kafka_t *rk, const char *name, int partitions)
{
    const rd_kafka_metadata_t *metadata;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, name, NULL);
    bool visible = false;
    if (!rd_kafka_metadata(rk, 0, topic, &metadata, TIMEOUT_MS)) {
        const rd_kafka_metadata_topic_t *row = &metadata->topics[0];
        visible = !row->err && row->partition_cnt == partitions;
        for (int p = 0; p < row->partition_cnt; p++)
            visible = visible && !row->partitions[p].err;
        rd_kafka_metadata_destroy(metadata);
    }
    rd_kafka_topic_destroy(topic);
    return visible;
}

/* Creates the topic and waits until everybody can see it: the broker answers earlier than it knows. */
static void create(int argc, char **argv)
{
    if (argc < 2) fail("create TOPIC PARTITIONS [replicas=N] [NAME=VALUE]...");
    char reason[256];
    rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, rd_kafka_conf_new());
    bool is_replicated = argc > 2 && strncmp(argv[2], "replicas=", 9) == 0;
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(
        argv[0], atoi(argv[1]), is_replicated ? atoi(argv[2] + 9) : 1, reason, sizeof reason);
    if (!topic) fail("%s", reason);
    for (int i = is_replicated ? 3 : 2; i < argc; i++) {
        char *value = strchr(argv[i], '=');
        if (!value) fail("'%s' is no NAME=VALUE", argv[i]);
        *value++ = '\0';
        check(rd_kafka_NewTopic_set_config(topic, argv[i], value), argv[i]);
    }
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_AdminOptions_set_operation_timeout(options, TIMEOUT_MS, NULL, 0);
    rd_kafka_CreateTopics(rk, &topic, 1, options, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, TIMEOUT_MS);
    check(event ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT, argv[0]);
    size_t count;
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    for (size_t i = 0; i < count; i++)
        check(rd_kafka_topic_result_error(results[i]), argv[0]);
    for (int tries = 0; !is_visible(rk, argv[0], atoi(argv[1])); tries++, sleep_ms(20))
        if (tries == 500) fail("%s was created and is not to be seen", argv[0]);
    rd_kafka_event_destroy(event);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy(topic);
    rd_kafka_destroy(rk);
}

/* ---- produce */

static void delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *context)
{
    (void)rk, (void)context;
    if (message->err && delivery_failures++ == 0)
        fprintf(stderr, "kafka_tool: %s\n", rd_kafka_err2str(message->err));
}

/* `setting` is NAME=VALUE, or NULL. */
static rd_kafka_t *producer(bool transaction, char *setting)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "partitioner", "murmur2_random");
    set(conf, "message.max.bytes", "8000000");
    set(conf, "linger.ms", "5");
    set(conf, "enable.idempotence", "true");
    if (transaction) {
        set(conf, "transactional.id", "kafka_tool");
        set(conf, "retry.backoff.ms",
            "5"); /* else every second transaction waits 100 ms for the one before */
    }
    if (setting) {
        char *value = strchr(setting, '=');
        *value = '\0';
        set(conf, setting, value + 1);
    }
    rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    return client(RD_KAFKA_PRODUCER, conf);
}

static rd_kafka_headers_t *read_headers(char **words, size_t count)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(count);
    for (size_t i = 0; i < count; i++) {
        char *value = strchr(words[i], '=');
        if (!value) fail("'%s' is no NAME=VALUE", words[i]);
        *value++ = '\0';
        struct bytes bytes = from_hex(value);
        check(rd_kafka_header_add(headers, words[i], -1, bytes.data, (ssize_t)bytes.size), words[i]);
    }
    return headers;
}

static void produce_line(rd_kafka_t *rk, const char *topic, char *line)
{
    char *words[WORDS_MAX];
    size_t count = split(line, words);
    if (count < 4) fail("a record is PARTITION TIMESTAMP KEY VALUE [NAME=VALUE]...");
    int32_t partition = strcmp(words[0], "-") == 0 ? RD_KAFKA_PARTITION_UA : atoi(words[0]);
    int64_t timestamp_ms = strcmp(words[1], "-") == 0 ? 0 : atoll(words[1]);
    struct bytes key = from_hex(words[2]), value = from_hex(words[3]);
    rd_kafka_headers_t *headers = read_headers(words + 4, count - 4);
    rd_kafka_resp_err_t error;
    do {
        error = rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition),
                                  RD_KAFKA_V_TIMESTAMP(timestamp_ms), RD_KAFKA_V_KEY(key.data, key.size),
                                  RD_KAFKA_V_VALUE(value.data, value.size), RD_KAFKA_V_HEADERS(headers),
                                  RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
        rd_kafka_poll(rk, error == RD_KAFKA_RESP_ERR__QUEUE_FULL ? 100 : 0);
    } while (error == RD_KAFKA_RESP_ERR__QUEUE_FULL);
    check(error, "produce");
}

static void produce(int argc, char **argv)
{
    char *setting = argc > 1 && strchr(argv[argc - 1], '=') ? argv[--argc] : NULL;
    bool transaction = argc == 2;
    if (argc < 1 || argc > 2 ||
        (transaction && strcmp(argv[1], "commit") != 0 && strcmp(argv[1], "abort") != 0 &&
         strcmp(argv[1], "hang") != 0))
        fail("produce TOPIC [commit|abort|hang] [NAME=VALUE]");
    rd_kafka_t *rk = producer(transaction, setting);
    if (transaction) {
        check_error(rd_kafka_init_transactions(rk, TIMEOUT_MS), "init_transactions");
        check_error(rd_kafka_begin_transaction(rk), "begin_transaction");
    }
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, stdin) > 0)
        produce_line(rk, argv[0], line);
    free(line);
    check(rd_kafka_flush(rk, TIMEOUT_MS), "flush");
    if (transaction && strcmp(argv[1], "commit") == 0)
        check_error(rd_kafka_commit_transaction(rk, TIMEOUT_MS), "commit_transaction");
    if (transaction && strcmp(argv[1], "abort") == 0)
        check_error(rd_kafka_abort_transaction(rk, TIMEOUT_MS), "abort_transaction");
    if (!transaction || strcmp(argv[1], "hang") != 0) rd_kafka_destroy(rk);
    if (delivery_failures) fail("%d records were not delivered", delivery_failures);
}

/* ---- weave */

#define WEAVERS_MAX 8

struct weaver {
    char name[16]; /* "-": produces without a transaction */
    rd_kafka_t *rk;
    bool is_open; /* its transaction */
};

static struct weaver *weaver_of(const char *name)
{
    static struct weaver weavers[WEAVERS_MAX];
    char setting[64];
    for (struct weaver *weaver = weavers; weaver < weavers + WEAVERS_MAX; weaver++) {
        if (weaver->rk && strcmp(weaver->name, name) == 0) return weaver;
        if (weaver->rk) continue;
        snprintf(weaver->name, sizeof weaver->name, "%s", name);
        snprintf(setting, sizeof setting, "transactional.id=kafka_tool-%s", name);
        bool transaction = strcmp(name, "-") != 0;
        weaver->rk = producer(transaction, transaction ? setting : NULL);
        if (transaction) check_error(rd_kafka_init_transactions(weaver->rk, TIMEOUT_MS), "init_transactions");
        return weaver;
    }
    fail("more than %d producers", WEAVERS_MAX);
}

static void weave_record(struct weaver *weaver, const char *topic, char *line)
{
    if (strcmp(weaver->name, "-") != 0 && !weaver->is_open) {
        check_error(rd_kafka_begin_transaction(weaver->rk), "begin_transaction");
        weaver->is_open = true;
    }
    produce_line(weaver->rk, topic, line);
}

/* Lines `PRODUCER RECORD`, of which the first begins a transaction, and `PRODUCER wait|commit|abort`, answered with `ok` when the
 * producer's records are in the log, and its transaction is over. */
static void weave(int argc, char **argv)
{
    if (argc != 1) fail("weave TOPIC");
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, stdin) > 0) {
        char *rest = strchr(line, ' ');
        if (!rest) fail("a line is PRODUCER RECORD or PRODUCER wait|commit|abort");
        *rest++ = '\0';
        struct weaver *weaver = weaver_of(line);
        bool commit = strcmp(rest, "commit\n") == 0, abort = strcmp(rest, "abort\n") == 0;
        if (!commit && !abort && strcmp(rest, "wait\n") != 0) {
            weave_record(weaver, argv[0], rest);
            continue;
        }
        check(rd_kafka_flush(weaver->rk, TIMEOUT_MS), "flush");
        if (commit) check_error(rd_kafka_commit_transaction(weaver->rk, TIMEOUT_MS), "commit_transaction");
        if (abort) check_error(rd_kafka_abort_transaction(weaver->rk, TIMEOUT_MS), "abort_transaction");
        if (commit || abort) weaver->is_open = false;
        if (delivery_failures) fail("%d records were not delivered", delivery_failures);
        puts("ok");
        fflush(stdout);
    }
    free(line);
}

/* ---- consume */

rd_kafka_t *consumer(const char *group)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "group.id", group);
    set(conf, "isolation.level", "read_committed");
    set(conf, "enable.auto.commit", "false");
    set(conf, "enable.partition.eof", "true");
    set(conf, "auto.offset.reset", "error");
    set(conf, "fetch.wait.max.ms", "5");
    set(conf, "receive.message.max.bytes", "200000000");
    return client(RD_KAFKA_CONSUMER, conf);
}

int32_t partition_count(rd_kafka_t *rk, const char *name)
{
    const rd_kafka_metadata_t *metadata;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, name, NULL);
    check(rd_kafka_metadata(rk, 0, topic, &metadata, TIMEOUT_MS), name);
    check(metadata->topics[0].err, name);
    int32_t count = metadata->topics[0].partition_cnt;
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(topic);
    return count;
}

static rd_kafka_topic_partition_list_t *all_partitions(rd_kafka_t *rk, const char *topic, int64_t offset)
{
    int32_t count = partition_count(rk, topic);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(count);
    for (int32_t p = 0; p < count; p++)
        rd_kafka_topic_partition_list_add(list, topic, p)->offset = offset;
    return list;
}

/* Starts reading every partition of the topic at `offset`; gives their number. */
int assign(rd_kafka_t *rk, const char *topic, int64_t offset)
{
    rd_kafka_topic_partition_list_t *list = all_partitions(rk, topic, offset);
    check(rd_kafka_assign(rk, list), "assign");
    int count = list->cnt;
    rd_kafka_topic_partition_list_destroy(list);
    return count;
}

static void print_record(const rd_kafka_message_t *message)
{
    printf("%d %lld %lld ", message->partition, (long long)message->offset,
           (long long)rd_kafka_message_timestamp(message, NULL));
    print_hex(message->key, message->key_len);
    putchar(' ');
    print_hex(message->payload, message->len);
    rd_kafka_headers_t *headers;
    if (rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        const char *name;
        const void *value;
        size_t size;
        for (size_t i = 0; !rd_kafka_header_get_all(headers, i, &name, &value, &size); i++) {
            printf(" %s=", name);
            print_hex(value, size);
        }
    }
    putchar('\n');
}

/* What reading to the end waits for in a partition. */
struct end {
    enum { END_UNMET, END_HIDING, END_MET } state; /* hiding: a transaction is open in front of it */
    int64_t offset;
};

/* A transaction that has been committed hides what it carries until its markers are written: the end is behind them. */
static void move_end(struct end *end, rd_kafka_t *rk, const rd_kafka_message_t *message)
{
    bool is_end = message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
    int64_t low, read_to = is_end ? message->offset : message->offset + 1;
    if (is_end && end->state == END_UNMET) {
        const char *topic = rd_kafka_topic_name(message->rkt);
        check(rd_kafka_get_watermark_offsets(rk, topic, message->partition, &low, &end->offset), topic);
        end->state = END_HIDING;
    }
    if (end->state == END_HIDING && read_to >= end->offset) end->state = END_MET;
}

static int count_ends(const struct end *ends, int partitions, int state)
{
    int count = 0;
    for (int i = 0; i < partitions; i++)
        count += (int)ends[i].state == state;
    return count;
}

/* To the end. Transactions that are open there are waited for as long as something comes each SETTLE_MS. */
static void consume(int argc, char **argv)
{
    if (argc != 1) fail("consume TOPIC");
    rd_kafka_t *rk = consumer("kafka_tool");
    int partitions = assign(rk, argv[0], RD_KAFKA_OFFSET_BEGINNING);
    struct end *ends = calloc((size_t)partitions, sizeof *ends);
    if (!ends) fail("no memory");
    for (int met = 0, unmet = partitions; met < partitions;) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(rk, unmet ? TIMEOUT_MS : SETTLE_MS);
        if (!message && !unmet) break;
        if (!message) fail("%s: nothing came for %d ms", argv[0], TIMEOUT_MS);
        if (message->err && message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF)
            fail("%s: %s", argv[0], rd_kafka_message_errstr(message));
        if (!message->err) print_record(message);
        struct end *end = &ends[message->partition];
        if (message->err || end->state == END_HIDING) {
            move_end(end, rk, message);
            met = count_ends(ends, partitions, END_MET);
            unmet = count_ends(ends, partitions, END_UNMET);
        }
        rd_kafka_message_destroy(message);
    }
    free(ends);
    rd_kafka_destroy(rk);
}

/* From now on, until it is killed. */
static void follow(int argc, char **argv)
{
    if (argc != 1) fail("follow TOPIC");
    rd_kafka_t *rk = consumer("kafka_tool");
    assign(rk, argv[0], RD_KAFKA_OFFSET_END);
    for (;;) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(rk, TIMEOUT_MS);
        if (!message) continue;
        if (!message->err)
            printf("%d %lld\n", message->partition, (long long)clock_us(CLOCK_REALTIME) / 1000);
        rd_kafka_message_destroy(message);
        fflush(stdout);
    }
}

/* ---- offsets */

static void ends(int argc, char **argv)
{
    if (argc != 1) fail("ends TOPIC");
    rd_kafka_t *rk = consumer("kafka_tool");
    int32_t count = partition_count(rk, argv[0]);
    for (int32_t p = 0; p < count; p++) {
        int64_t low, high;
        check(rd_kafka_query_watermark_offsets(rk, argv[0], p, &low, &high, TIMEOUT_MS), argv[0]);
        printf("%d %lld\n", p, (long long)high);
    }
    rd_kafka_destroy(rk);
}

static void leaders(int argc, char **argv)
{
    if (argc != 1) fail("leaders TOPIC");
    rd_kafka_t *rk = consumer("kafka_tool");
    const rd_kafka_metadata_t *metadata;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, argv[0], NULL);
    check(rd_kafka_metadata(rk, 0, topic, &metadata, TIMEOUT_MS), argv[0]);
    for (int p = 0; p < metadata->topics[0].partition_cnt; p++)
        printf("%d %d\n", metadata->topics[0].partitions[p].id, metadata->topics[0].partitions[p].leader);
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(rk);
}

/* Said by a broker that is still making up its mind about who keeps the group. */
static bool is_passing(rd_kafka_resp_err_t error)
{
    return error == RD_KAFKA_RESP_ERR_NOT_COORDINATOR ||
           error == RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE ||
           error == RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS;
}

static void committed(int argc, char **argv)
{
    if (argc != 2) fail("committed GROUP TOPIC");
    rd_kafka_t *rk = consumer(argv[0]);
    rd_kafka_topic_partition_list_t *list = all_partitions(rk, argv[1], RD_KAFKA_OFFSET_INVALID);
    rd_kafka_resp_err_t error;
    for (int tries = 0; (error = rd_kafka_committed(rk, list, TIMEOUT_MS)) && is_passing(error);
         tries++, sleep_ms(100))
        if (tries == 100) break;
    check(error, argv[0]);
    for (int i = 0; i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *row = &list->elems[i];
        printf("%d %lld ", row->partition, row->offset < 0 ? -1LL : (long long)row->offset);
        print_hex(row->metadata, row->metadata_size);
        putchar('\n');
    }
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(rk);
}

/* The names that the broker gave to those who are in a group, and to those who have died in it. */
static void members(int argc, char **argv)
{
    const struct rd_kafka_group_list *list;
    if (argc != 1) fail("members GROUP");
    rd_kafka_t *rk = consumer("kafka_tool");
    check(rd_kafka_list_groups(rk, argv[0], &list, TIMEOUT_MS), argv[0]);
    for (int g = 0; g < list->group_cnt; g++)
        for (int m = 0; m < list->groups[g].member_cnt; m++)
            printf("%s\n", list->groups[g].members[m].member_id);
    rd_kafka_group_list_destroy(list);
    rd_kafka_destroy(rk);
}

/* ---- damage */

/* Of deleted offsets each partition has an error of its own. */
static void check_deleted(rd_kafka_event_t *event, const char *what)
{
    size_t count = 0;
    const rd_kafka_DeleteConsumerGroupOffsets_result_t *result =
        rd_kafka_event_DeleteConsumerGroupOffsets_result(event);
    const rd_kafka_group_result_t **groups =
        result ? rd_kafka_DeleteConsumerGroupOffsets_result_groups(result, &count) : NULL;
    for (size_t i = 0; i < count; i++) {
        const rd_kafka_topic_partition_list_t *list = rd_kafka_group_result_partitions(groups[i]);
        for (int p = 0; p < list->cnt; p++)
            check(list->elems[p].err, what);
    }
}

static void await(rd_kafka_t *rk, rd_kafka_queue_t *queue, const char *what)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, TIMEOUT_MS);
    check(event ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT, what);
    check_deleted(event, what);
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(rk);
}

static void delete (int argc, char **argv)
{
    if (argc != 1) fail("delete TOPIC");
    rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, rd_kafka_conf_new());
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_DeleteTopic_t *topic = rd_kafka_DeleteTopic_new(argv[0]);
    rd_kafka_DeleteTopics(rk, &topic, 1, NULL, queue);
    rd_kafka_DeleteTopic_destroy(topic);
    await(rk, queue, argv[0]);
}

static void grow(int argc, char **argv)
{
    char reason[256];
    if (argc != 2) fail("grow TOPIC PARTITIONS");
    rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, rd_kafka_conf_new());
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_NewPartitions_t *partitions =
        rd_kafka_NewPartitions_new(argv[0], (size_t)atoi(argv[1]), reason, sizeof reason);
    if (!partitions) fail("%s", reason);
    rd_kafka_CreatePartitions(rk, &partitions, 1, NULL, queue);
    rd_kafka_NewPartitions_destroy(partitions);
    await(rk, queue, argv[0]);
}

static void truncate_log(int argc, char **argv)
{
    if (argc != 3) fail("truncate TOPIC PARTITION OFFSET");
    rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, rd_kafka_conf_new());
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, argv[0], atoi(argv[1]))->offset = atoll(argv[2]);
    rd_kafka_DeleteRecords_t *records = rd_kafka_DeleteRecords_new(list);
    rd_kafka_DeleteRecords(rk, &records, 1, NULL, queue);
    rd_kafka_DeleteRecords_destroy(records);
    rd_kafka_topic_partition_list_destroy(list);
    await(rk, queue, argv[0]);
}

static void reset(int argc, char **argv)
{
    if (argc != 4) fail("reset GROUP TOPIC PARTITION OFFSET");
    rd_kafka_t *rk = consumer(argv[0]);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, argv[1], atoi(argv[2]))->offset = atoll(argv[3]);
    if (atoll(argv[3]) >= 0) {
        check(rd_kafka_commit(rk, list, 0), argv[0]);
        check(list->elems[0].err, argv[0]);
        rd_kafka_destroy(rk);
    } else {
        rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
        rd_kafka_DeleteConsumerGroupOffsets_t *offsets =
            rd_kafka_DeleteConsumerGroupOffsets_new(argv[0], list);
        rd_kafka_DeleteConsumerGroupOffsets(rk, &offsets, 1, NULL, queue);
        rd_kafka_DeleteConsumerGroupOffsets_destroy(offsets);
        await(rk, queue, argv[0]);
    }
    rd_kafka_topic_partition_list_destroy(list);
}

static void features(int argc, char **argv)
{
    char text[1024];
    size_t size = sizeof text;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    (void)argc, (void)argv;
    rd_kafka_conf_get(conf, "builtin.features", text, &size);
    rd_kafka_conf_destroy(conf);
    puts(text);
}

static const struct {
    const char *name;
    void (*run)(int argc, char **argv);
} commands[] = {
    {"create", create},       {"produce", produce},       {"consume", consume},       {"ends", ends},
    {"committed", committed}, {"features", features},     {"delete", delete},         {"grow", grow},
    {"follow", follow},       {"truncate", truncate_log}, {"reset", reset},           {"members", members},
    {"weave", weave},         {"leaders", leaders},       {"latency", bench_latency}, {"load", bench_load},
    {"pass", bench_pass},     {"drain", bench_drain}};

int main(int argc, char **argv)
{
    if (argc >= 3) {
        brokers = argv[1];
        for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
            if (strcmp(argv[2], commands[i].name) == 0) {
                commands[i].run(argc - 3, argv + 3);
                return 0;
            }
    }
    fail("BROKERS "
         "create|produce|weave|consume|ends|committed|latency|load|pass|drain|delete|grow|truncate|reset|"
         "follow "
         "...");
}
