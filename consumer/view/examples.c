#include "view/examples.h"
#include "base/buffer.h"
#include "base/ensure.h"
#include "host/clock.h"
#include "host/log.h"
#include "host/stop.h"
#include "kafka/newest.h"

#include <cjson/cJSON.h>
#include <pthread.h>
#include <stdlib.h>

enum { EXAMPLES_WAIT_MS = 200, EXAMPLES_AGAIN_US = 10000000, EXAMPLES_BACK = 100, EXAMPLES_ERROR = 512 };
enum { EXAMPLES_OK = 200, EXAMPLES_NO_KAFKA = 501 };

struct example {
    int32_t partition;
    int64_t offset, time_ms;
    char outcome[8];
    char *rule, *action; /* its name; the body as it stands */
};

struct examples {
    const struct options *options;
    pthread_t thread;
    bool has_thread;
    struct kafka_newest *newest;        /* of the thread */
    pthread_mutex_t lock;               /* of all that follows */
    struct example items[EXAMPLES_MAX]; /* the oldest first */
    size_t count;
    uint64_t seen;
    char trouble[EXAMPLES_ERROR]; /* why it is not read; "": it is */
};

/* ---- keeping */
static void examples_drop(struct examples *examples, size_t at)
{
    free(examples->items[at].rule);
    free(examples->items[at].action);
    examples->count--;
    memmove(&examples->items[at], &examples->items[at + 1], (examples->count - at) * sizeof *examples->items);
}

static bool example_is_like(const struct example *example, const char *rule, const char *outcome)
{
    return (!rule || strcmp(example->rule, rule) == 0) &&
           (!outcome || strcmp(example->outcome, outcome) == 0);
}

/* Where there are enough of its like, the oldest of them goes; else the oldest of all, where there are enough. */
static void examples_make_room(struct examples *examples, const struct example *new)
{
    size_t alike = 0, oldest = examples->count;
    for (size_t i = examples->count; i-- > 0;)
        if (example_is_like(&examples->items[i], new->rule, new->outcome)) alike++, oldest = i;
    if (alike >= EXAMPLES_EACH)
        examples_drop(examples, oldest);
    else if (examples->count == EXAMPLES_MAX)
        examples_drop(examples, 0);
}

/* relance.action.CHANNEL is one that was sent. */
static const char *example_outcome(str type)
{
    if (str_equal(type, STR("relance.held"))) return "held";
    if (str_equal(type, STR("relance.goal"))) return "goal";
    return str_starts_with(type, STR("relance.action.")) ? "sent" : NULL;
}

/* The body is written anew: anybody may write records, and what is given on has to be JSON. */
static bool example_read(const struct kafka_scan_record *record, struct example *out)
{
    const char *outcome = example_outcome(kafka_scan_header(record, "ce_type"));
    if (!outcome || record->value.size > EXAMPLES_BYTES) return false;
    cJSON *body = cJSON_ParseWithLength(record->value.data, record->value.size);
    const char *rule = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(body, "rule"));
    *out = (struct example){record->partition, record->offset, record->timestamp_ms, "", NULL, NULL};
    snprintf(out->outcome, sizeof out->outcome, "%s", outcome);
    if (rule) {
        out->action = cJSON_PrintUnformatted(body);
        ensure(out->action && (out->rule = strdup(rule)));
    }
    cJSON_Delete(body);
    return out->rule;
}

static void examples_take(struct examples *examples, const struct kafka_scan_record *record)
{
    struct example example;
    bool is_one = example_read(record, &example);
    pthread_mutex_lock(&examples->lock);
    examples->seen++;
    if (is_one) {
        examples_make_room(examples, &example);
        examples->items[examples->count++] = example;
    }
    pthread_mutex_unlock(&examples->lock);
}

/* ---- reading */
static void examples_set_trouble(struct examples *examples, const char *why)
{
    pthread_mutex_lock(&examples->lock);
    bool is_new = *why && strcmp(why, examples->trouble) != 0;
    snprintf(examples->trouble, sizeof examples->trouble, "%s", why);
    pthread_mutex_unlock(&examples->lock);
    if (is_new) log_line(LOG_WARNING, "Examples of what is published cannot be read.", "why=\"%s\"", why);
}

static enum relance_status examples_read_second(struct examples *examples, struct relance_error *error)
{
    int64_t until_us = clock_monotonic_us() + 1000000;
    enum relance_status status = RELANCE_OK;
    struct kafka_scan_record record;
    int count = 0;
    while (count < EXAMPLES_A_SECOND && clock_monotonic_us() < until_us && !stop_requested()) {
        status = kafka_newest_next(examples->newest, EXAMPLES_WAIT_MS, &record, error);
        if (status == RELANCE_OK) examples_take(examples, &record), count++;
        if (status != RELANCE_OK && status != RELANCE_AGAIN) return status;
    }
    if (count < EXAMPLES_A_SECOND) return RELANCE_OK;
    while (clock_monotonic_us() < until_us && !stop_requested())
        clock_sleep_us(EXAMPLES_WAIT_MS * 1000);
    return kafka_newest_skip(examples->newest, EXAMPLES_BACK, error);
}

static enum relance_status examples_read(struct examples *examples, struct relance_error *error)
{
    enum relance_status status = RELANCE_OK;
    if (!examples->newest)
        status = kafka_newest_open(examples->options, examples->options->output, EXAMPLES_BACK,
                                   &examples->newest, error);
    if (status != RELANCE_OK) return status;
    examples_set_trouble(examples, "");
    while (status == RELANCE_OK && !stop_requested())
        status = examples_read_second(examples, error);
    return status;
}

static void *examples_run(void *context)
{
    struct examples *examples = context;
    while (!stop_requested()) {
        struct relance_error error;
        if (examples_read(examples, &error) != RELANCE_OK) examples_set_trouble(examples, error.message);
        kafka_newest_close(examples->newest);
        examples->newest = NULL;
        int64_t next_us = clock_monotonic_us() + EXAMPLES_AGAIN_US;
        while (!stop_requested() && clock_monotonic_us() < next_us)
            clock_sleep_us(EXAMPLES_WAIT_MS * 1000);
    }
    return NULL;
}

bool examples_are_read(const struct options *options)
{
    return options->output && !options->no_customers && options_kafka(options, "bootstrap.servers");
}

struct examples *examples_start(const struct options *options)
{
    struct examples *examples = calloc(1, sizeof *examples);
    ensure(examples);
    examples->options = options;
    pthread_mutex_init(&examples->lock, NULL);
    snprintf(examples->trouble, sizeof examples->trouble,
             "Examples take Kafka: start `relance serve` with --output and --kafka.bootstrap.servers.");
    examples->has_thread = examples_are_read(options);
    if (examples->has_thread) {
        *examples->trouble = '\0';
        ensure(pthread_create(&examples->thread, NULL, examples_run, examples) == 0);
    }
    return examples;
}

void examples_join(struct examples *examples)
{
    if (examples->has_thread) pthread_join(examples->thread, NULL);
    while (examples->count)
        examples_drop(examples, examples->count - 1);
    pthread_mutex_destroy(&examples->lock);
    free(examples);
}

/* ---- showing */
static void example_put(struct buffer *to, const struct example *example)
{
    buffer_put_format(to, "{\"partition\":%d,\"offset\":%lld,", (int)example->partition,
                      (long long)example->offset);
    if (example->time_ms >= 0) buffer_put_format(to, "\"time_ms\":%lld,", (long long)example->time_ms);
    buffer_put_format(to, "\"outcome\":\"%s\",\"action\":%s}", example->outcome, example->action);
}

void examples_answer(struct examples *examples, struct http_question *question)
{
    const char *rule = http_question_value(question, "rule"),
               *outcome = http_question_value(question, "outcome");
    struct buffer body = {0};
    bool more = false;
    pthread_mutex_lock(&examples->lock);
    char trouble[EXAMPLES_ERROR];
    memcpy(trouble, examples->trouble, sizeof trouble);
    buffer_put_format(&body, "{\"seen\":%llu,\"examples\":[", (unsigned long long)examples->seen);
    for (size_t i = examples->count; i-- > 0;) {
        if (!example_is_like(&examples->items[i], rule, outcome)) continue;
        if (more) buffer_put_char(&body, ',');
        example_put(&body, &examples->items[i]);
        more = true;
    }
    pthread_mutex_unlock(&examples->lock);
    buffer_put_str(&body, STR("]}\n"));
    if (*trouble && !more)
        http_question_refuse(question, EXAMPLES_NO_KAFKA, trouble);
    else
        http_question_answer(question, EXAMPLES_OK, buffer_str(&body));
    buffer_free(&body);
}
