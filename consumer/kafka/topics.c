#include "delivery/topics.h"
#include "host/clock.h"
#include "base/ensure.h"
#include "kafka/client.h"
#include "kafka/trouble.h"
#include "host/log.h"
#include "host/text.h"

enum {
    TOPICS_ASK_MS = 10000,
    TOPICS_WAIT_MS = 10000,
    TOPICS_LOOKS = 8, /* a topic made a moment ago is not known to every broker at once */
    TOPICS_LOOK_US = 250000,
    TOPICS_READ_MS = 5000,        /* how long to try whether we may read */
    TOPICS_MESSAGE_MAX = 1048588, /* of a topic, where nobody has said otherwise */
};

enum topics_role {
    TOPICS_INPUT,
    TOPICS_ACTIONS,
    TOPICS_DEAD,
    TOPICS_MARKS,
    TOPICS_LINKS,
    TOPICS_DECISIONS,
    TOPICS_MODELS, /* where rules ask for models */
    TOPICS_COUNT,
};

struct topics {
    const struct options *options;
    rd_kafka_t *rk;
    int32_t broker;                /* one that has answered: each knows the settings of all topics */
    char names[TOPICS_COUNT][256]; /* "": there is to be none */
    int partitions[TOPICS_COUNT];  /* 0: not there */
    char cleanup[TOPICS_COUNT]
                [64]; /* cleanup.policy, of those that are read; "" when the broker would not say */
    char retention[TOPICS_COUNT][TEXT_NUMBER_SIZE];
    char mark_bytes[TEXT_NUMBER_SIZE]; /* the marks' max.message.bytes; likewise */
};

static void topics_name(struct topics *topics, bool needs_models)
{
    snprintf(topics->names[TOPICS_INPUT], sizeof topics->names[0], "%s", topics->options->input);
    kafka_topic_name(topics->options, OUTBOX_ACTIONS, topics->names[TOPICS_ACTIONS]);
    kafka_topic_name(topics->options, OUTBOX_DEAD, topics->names[TOPICS_DEAD]);
    kafka_topic_name(topics->options, OUTBOX_MARKS, topics->names[TOPICS_MARKS]);
    kafka_topic_name(topics->options, OUTBOX_LINKS, topics->names[TOPICS_LINKS]);
    kafka_topic_name(topics->options, OUTBOX_DECISIONS, topics->names[TOPICS_DECISIONS]);
    if (needs_models) kafka_models_name(topics->options, topics->names[TOPICS_MODELS]);
}

static bool topics_is_missing(const struct topics *topics, int role)
{
    return *topics->names[role] && !topics->partitions[role];
}

/* Those that are read again: they are kept as long as the input. */
static bool topics_is_log(enum topics_role role)
{
    return role == TOPICS_MARKS || role == TOPICS_LINKS || role == TOPICS_MODELS;
}

/* Versions are for all partitions, one after the other. */
static int topics_partitions(const struct topics *topics, enum topics_role role)
{
    return role == TOPICS_MODELS ? 1 : topics->partitions[TOPICS_INPUT];
}

/* ---- what is there */
/* What a role takes. Whoever may read or write a topic may see it, too. */
static struct kafka_right topics_right(const struct topics *topics, enum topics_role role)
{
    return (struct kafka_right){role == TOPICS_INPUT || role == TOPICS_MODELS ? "Read" : "Write", "topic",
                                topics->names[role]};
}

/* Asked for by name: of a topic that we may not see a broker says so, where a list of all would just lack it. The
 * client is a consumer, since the question of a producer makes the topic where the broker makes topics by itself. */
static enum relance_status topics_look_at(struct topics *topics, enum topics_role role,
                                          struct relance_error *error)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(topics->rk, topics->names[role], NULL);
    ensure(topic);
    rd_kafka_resp_err_t err = rd_kafka_metadata(topics->rk, 0, topic, &metadata, TOPICS_ASK_MS);
    rd_kafka_topic_destroy(topic);
    topics->partitions[role] = 0;
    if (!err) {
        topics->broker = metadata->orig_broker_id;
        if (metadata->topic_cnt == 1 && !metadata->topics[0].err)
            topics->partitions[role] = metadata->topics[0].partition_cnt;
        if (metadata->topic_cnt == 1 && kafka_is_forbidden(metadata->topics[0].err))
            err = metadata->topics[0].err;
        rd_kafka_metadata_destroy(metadata);
    }
    if (!err) return RELANCE_OK;
    rd_kafka_poll(topics->rk, 0); /* why there is no token is heard so */
    return kafka_trouble(error, RELANCE_IO, err, topics_right(topics, role), "asking Kafka for topic %s",
                         topics->names[role]);
}

static enum relance_status topics_look(struct topics *topics, struct relance_error *error)
{
    enum relance_status status = RELANCE_OK;
    for (int role = 0; role < TOPICS_COUNT && status == RELANCE_OK; role++)
        if (*topics->names[role]) status = topics_look_at(topics, (enum topics_role)role, error);
    return status;
}

static bool topics_all_there(const struct topics *topics)
{
    for (int role = 0; role < TOPICS_COUNT; role++)
        if (topics_is_missing(topics, role)) return false;
    return true;
}

static enum relance_status topics_look_patiently(struct topics *topics, struct relance_error *error)
{
    enum relance_status status = topics_look(topics, error);
    for (int looks = 1; looks < TOPICS_LOOKS && status == RELANCE_OK && !topics_all_there(topics); looks++) {
        clock_sleep_us(TOPICS_LOOK_US);
        status = topics_look(topics, error);
    }
    return status;
}

/* ---- settings: asked for, and made do without where the broker does not answer (rights, an old broker) */
static void topics_take_config(struct topics *topics, const rd_kafka_ConfigResource_t *resource)
{
    size_t count;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &count);
    int role = 0;
    while (role < TOPICS_COUNT && strcmp(topics->names[role], rd_kafka_ConfigResource_name(resource)) != 0)
        role++;
    if (kafka_is_forbidden(rd_kafka_ConfigResource_error(resource)))
        log_line(LOG_WARNING,
                 "Kafka does not tell us a topic's settings: nobody checks that it is kept as it must be.",
                 "topic=%s needed=\"DescribeConfigs on topic %s\"", rd_kafka_ConfigResource_name(resource),
                 rd_kafka_ConfigResource_name(resource));
    for (size_t i = 0; i < count && role < TOPICS_COUNT; i++) {
        const char *name = rd_kafka_ConfigEntry_name(entries[i]),
                   *value = rd_kafka_ConfigEntry_value(entries[i]);
        if (!value) continue;
        if (strcmp(name, "retention.ms") == 0)
            snprintf(topics->retention[role], sizeof topics->retention[role], "%s", value);
        if (role == TOPICS_MARKS && strcmp(name, "max.message.bytes") == 0)
            snprintf(topics->mark_bytes, sizeof topics->mark_bytes, "%s", value);
        if (strcmp(name, "cleanup.policy") == 0)
            snprintf(topics->cleanup[role], sizeof topics->cleanup[role], "%s", value);
    }
}

static void topics_ask_config(struct topics *topics)
{
    rd_kafka_ConfigResource_t *resources[TOPICS_COUNT];
    char reason[256];
    size_t asked = 0, answered = 0;
    for (int role = 0; role < TOPICS_COUNT; role++)
        if (topics->partitions[role] && (role == TOPICS_INPUT || topics_is_log((enum topics_role)role)))
            resources[asked++] = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topics->names[role]);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(topics->rk);
    rd_kafka_AdminOptions_t *ask = rd_kafka_AdminOptions_new(topics->rk, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    /* Else librdkafka looks for the controller, which a cluster need not name. */
    if (topics->broker >= 0) rd_kafka_AdminOptions_set_broker(ask, topics->broker, reason, sizeof reason);
    rd_kafka_DescribeConfigs(topics->rk, resources, asked, ask, queue);
    rd_kafka_AdminOptions_destroy(ask);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, TOPICS_ASK_MS);
    const rd_kafka_DescribeConfigs_result_t *result =
        event && !rd_kafka_event_error(event) ? rd_kafka_event_DescribeConfigs_result(event) : NULL;
    const rd_kafka_ConfigResource_t **found =
        result ? rd_kafka_DescribeConfigs_result_resources(result, &answered) : NULL;
    for (size_t i = 0; i < answered; i++)
        topics_take_config(topics, found[i]);
    if (event) rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_ConfigResource_destroy_array(resources, asked);
}

/* Marks are read when there is something to recover from, link records when there are some: bad moments to learn that we
 * may not. So the end of one partition is read now. */
static enum relance_status topics_try_reading(struct topics *topics, enum topics_role role,
                                              struct relance_error *error)
{
    rd_kafka_topic_t *topic = rd_kafka_topic_new(topics->rk, topics->names[role], NULL);
    rd_kafka_resp_err_t err = RD_KAFKA_RESP_ERR_NO_ERROR;
    ensure(topic);
    if (rd_kafka_consume_start(topic, 0, RD_KAFKA_OFFSET_END) == 0) {
        rd_kafka_message_t *message = rd_kafka_consume(topic, 0, TOPICS_READ_MS);
        if (message) err = message->err;
        if (message) rd_kafka_message_destroy(message);
        rd_kafka_consume_stop(topic, 0);
    }
    rd_kafka_topic_destroy(topic);
    if (!kafka_is_forbidden(err)) return RELANCE_OK; /* the end; or trouble that heals, and is met again */
    return kafka_trouble(error, RELANCE_REFUSED, err,
                         (struct kafka_right){"Read", "topic", topics->names[role]}, "reading topic %s",
                         topics->names[role]);
}

/* ---- making what is missing */
static enum relance_status topics_create(struct topics *topics, struct relance_error *error)
{
    rd_kafka_NewTopic_t *fresh[TOPICS_COUNT];
    size_t count = 0;
    char reason[256];
    for (int role = TOPICS_ACTIONS; role < TOPICS_COUNT; role++) {
        if (!topics_is_missing(topics, role)) continue;
        int partitions = topics_partitions(topics, (enum topics_role)role);
        fresh[count] = rd_kafka_NewTopic_new(topics->names[role], partitions, -1, reason, sizeof reason);
        if (!fresh[count])
            return relance_error_set(error, RELANCE_INVALID, "topic %s: %s", topics->names[role], reason);
        /* Marks, link records and versions are kept as long as the records that they belong to. */
        if (topics_is_log((enum topics_role)role) && *topics->retention[TOPICS_INPUT])
            rd_kafka_NewTopic_set_config(fresh[count], "retention.ms", topics->retention[TOPICS_INPUT]);
        log_line(LOG_INFO, "Creating a topic.", "topic=%s partitions=%d", topics->names[role], partitions);
        count++;
    }
    rd_kafka_queue_t *queue = rd_kafka_queue_new(topics->rk);
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(topics->rk, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_AdminOptions_set_operation_timeout(options, TOPICS_WAIT_MS, reason, sizeof reason);
    rd_kafka_CreateTopics(topics->rk, fresh, count, options, queue);
    enum relance_status status = kafka_conf_created(queue, error);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy_array(fresh, count);
    return status == RELANCE_OK ? topics_look_patiently(topics, error) : status;
}

/* ---- judging */
static bool topics_missing(const struct topics *topics, char out[1024])
{
    size_t size = 0;
    *out = '\0';
    for (int role = 0; role < TOPICS_COUNT && size < 900; role++)
        if (topics_is_missing(topics, role))
            size += (size_t)snprintf(out + size, 1024 - size, "%s%s", size ? ", " : "", topics->names[role]);
    return size > 0;
}

/* -1 is for ever; absent: not known. */
static int64_t topics_retention(const char *text)
{
    int64_t ms;
    return text_count(str_of(text), &ms) ? ms : INT64_MAX;
}

static enum relance_status topics_judge_log(const struct topics *topics, enum topics_role role,
                                            const char *what, struct relance_error *error)
{
    char sentence[128];
    const char *name = topics->names[role];
    int partitions = topics_partitions(topics, role);
    if (topics->partitions[role] != partitions && role == TOPICS_MODELS)
        return relance_error_set(
            error, RELANCE_INVALID,
            "topic %s has %d partitions and must have 1: versions come one after the other", name,
            topics->partitions[role]);
    if (topics->partitions[role] != partitions && !topics->options->drain)
        return relance_error_set(error, RELANCE_INVALID,
                                 "topic %s has %d partitions and must have as many as %s, %d", name,
                                 topics->partitions[role], topics->names[TOPICS_INPUT], partitions);
    if (strstr(topics->cleanup[role], "compact"))
        return relance_error_set(error, RELANCE_INVALID,
                                 "topic %s is compacted: records would vanish that are needed again; set "
                                 "cleanup.policy=delete",
                                 name);
    snprintf(sentence, sizeof sentence, "%s are kept for a shorter time than the events that they belong to.",
             what);
    if (topics_retention(topics->retention[role]) < topics_retention(topics->retention[TOPICS_INPUT]))
        log_line(LOG_WARNING, sentence, "topic=%s set=\"retention.ms=%s\"", name,
                 topics->retention[TOPICS_INPUT]);
    return RELANCE_OK;
}

static enum relance_status topics_judge(const struct topics *topics, struct relance_error *error)
{
    char missing[1024];
    if (topics_missing(topics, missing))
        return relance_error_set(
            error, RELANCE_INVALID,
            "Kafka has no topic %s; create %s, or start with --create-topics for the output topics", missing,
            strchr(missing, ',') ? "them" : "it");
    if (strstr(topics->cleanup[TOPICS_INPUT], "compact"))
        return relance_error_set(
            error, RELANCE_INVALID,
            "topic %s is compacted: events would vanish that are needed again; set cleanup.policy=delete",
            topics->names[TOPICS_INPUT]);
    enum relance_status status = topics_judge_log(topics, TOPICS_MARKS, "Marks", error);
    if (status == RELANCE_OK) status = topics_judge_log(topics, TOPICS_LINKS, "Link records", error);
    if (status != RELANCE_OK || !*topics->names[TOPICS_MODELS]) return status;
    return topics_judge_log(topics, TOPICS_MODELS, "Versions of models", error);
}

/* What of a mark is not its rule set: the record's own fields, and those of its batch. */
enum { TOPICS_MARK_REST = 4096 };

/* The less of what the topic and what the producer lets through; the broker's default where neither is known. */
static size_t topics_mark_size(const struct topics *topics)
{
    int64_t topic = TOPICS_MESSAGE_MAX, producer = KAFKA_MESSAGE_MAX;
    const char *set = options_kafka(topics->options, "message.max.bytes");
    text_count(str_of(topics->mark_bytes), &topic);
    if (set) text_count(str_of(set), &producer);
    int64_t least = topic < producer ? topic : producer;
    return least > TOPICS_MARK_REST ? (size_t)(least - TOPICS_MARK_REST) : 0;
}

enum relance_status topics_check(const struct options *options, bool needs_models, struct topics_found *found,
                                 struct relance_error *error)
{
    static const struct option_kafka fixed[] = {{"allow.auto.create.topics", "false"},
                                                {"enable.partition.eof", "true"}};
    struct topics topics = {.options = options};
    enum relance_status status =
        kafka_client_open(KAFKA_CONSUMER, options, fixed, 2, NULL, NULL, &topics.rk, error);
    if (status != RELANCE_OK) return status;
    topics_name(&topics, needs_models);
    status = topics_look_patiently(&topics, error);
    if (status == RELANCE_OK) topics_ask_config(&topics);
    if (status == RELANCE_OK && options->create_topics && !topics_all_there(&topics) &&
        topics.partitions[TOPICS_INPUT])
        status = topics_create(&topics, error);
    if (status == RELANCE_OK) status = topics_judge(&topics, error);
    if (status == RELANCE_OK) status = topics_try_reading(&topics, TOPICS_MARKS, error);
    if (status == RELANCE_OK) status = topics_try_reading(&topics, TOPICS_LINKS, error);
    if (status == RELANCE_OK && needs_models) status = topics_try_reading(&topics, TOPICS_MODELS, error);
    found->input_partitions = topics.partitions[TOPICS_INPUT];
    found->mark_size_max = topics_mark_size(&topics);
    rd_kafka_destroy(topics.rk);
    return status;
}
