#include "kafka/scan.h"
#include "base/ensure.h"
#include "kafka/conf.h"
#include "kafka/trouble.h"
#include "host/stop.h"
#include "host/text.h"
#include "base/str.h"

#include <stdlib.h>

enum {
    SCAN_ASK_MS = 10000, /* how long a question to the broker may take */
    SCAN_POLL_MS = 200,
};
#define SCAN_COUNT_MAX ((int64_t)1 << 53)

struct scan {
    rd_kafka_t *rk;
    const char *topic;
    int32_t partition; /* or KAFKA_SCAN_ALL */
    int64_t from_ms;   /* INT64_MIN: from the beginning */
    rd_kafka_topic_partition_list_t *list;
    int64_t *ends; /* by partition; reached: -1 */
    int left;      /* partitions whose end has not been reached */
    kafka_scan_see *see;
    void *context;
};

static const struct option_kafka scan_settings[] = {
    {"group.id", "relance-scan"}, /* wanted by librdkafka; nothing is committed */
    {"enable.auto.commit", "false"},       {"isolation.level", "read_committed"},
    {"auto.offset.reset", "earliest"},     {"enable.partition.eof", "true"},
    {"allow.auto.create.topics", "false"},
};

static enum relance_status scan_open(struct scan *scan, const struct options *options,
                                     struct relance_error *error)
{
    enum relance_status status =
        kafka_conf_start(RD_KAFKA_CONSUMER, options->kafka, options->kafka_count, scan_settings,
                         sizeof scan_settings / sizeof *scan_settings, NULL, NULL, &scan->rk, error);
    if (status == RELANCE_OK) rd_kafka_poll_set_consumer(scan->rk);
    return status;
}

static enum relance_status scan_failed(const struct scan *scan, rd_kafka_resp_err_t code,
                                       struct relance_error *error)
{
    return kafka_trouble(error, RELANCE_IO, code, (struct kafka_right){"Read", "topic", scan->topic},
                         "topic '%s'", scan->topic);
}

static enum relance_status scan_find_partitions(struct scan *scan, struct relance_error *error)
{
    int count;
    rd_kafka_resp_err_t code = kafka_conf_partitions(scan->rk, scan->topic, SCAN_ASK_MS, &count);
    if (code) return scan_failed(scan, code, error);
    scan->list = rd_kafka_topic_partition_list_new(count + 1);
    for (int p = 0; p < count; p++)
        if (scan->partition == KAFKA_SCAN_ALL || scan->partition == p)
            rd_kafka_topic_partition_list_add(scan->list, scan->topic, p)->offset = RD_KAFKA_OFFSET_BEGINNING;
    scan->ends = calloc((size_t)count + 1, sizeof *scan->ends);
    ensure(scan->ends);
    return RELANCE_OK;
}

/* From a time on: the offsets of the first records that are not older; behind the last, the end. */
static rd_kafka_resp_err_t scan_find_time(struct scan *scan)
{
    for (int i = 0; i < scan->list->cnt; i++)
        scan->list->elems[i].offset = scan->from_ms;
    rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(scan->rk, scan->list, SCAN_ASK_MS);
    for (int i = 0; i < scan->list->cnt && !code; i++)
        code = scan->list->elems[i].err;
    return code;
}

static enum relance_status scan_find_bounds(struct scan *scan, kafka_scan_begin *begin,
                                            struct relance_error *error)
{
    bool timed = scan->from_ms != INT64_MIN;
    rd_kafka_resp_err_t code = timed ? scan_find_time(scan) : RD_KAFKA_RESP_ERR_NO_ERROR;
    for (int i = 0; i < scan->list->cnt && !code; i++) {
        const rd_kafka_topic_partition_t *at = &scan->list->elems[i];
        int64_t first = at->offset, *end = &scan->ends[at->partition];
        code = kafka_conf_offset(scan->rk, scan->topic, at->partition, RD_KAFKA_OFFSET_END, SCAN_ASK_MS, end);
        if (!timed && !code)
            code = kafka_conf_offset(scan->rk, scan->topic, at->partition, RD_KAFKA_OFFSET_BEGINNING,
                                     SCAN_ASK_MS, &first);
        if (!code) begin(scan->context, at->partition, first < 0 ? *end : first);
    }
    scan->left = scan->list->cnt;
    return code ? scan_failed(scan, code, error) : RELANCE_OK;
}

static void scan_reached(struct scan *scan, int32_t partition)
{
    if (scan->ends[partition] >= 0) scan->left--;
    scan->ends[partition] = -1;
}

void kafka_scan_read(struct rd_kafka_message_s *message, struct kafka_scan_record *out)
{
    rd_kafka_headers_t *headers = NULL;
    if (rd_kafka_message_headers(message, &headers)) headers = NULL;
    *out = (struct kafka_scan_record){
        .partition = message->partition,
        .offset = message->offset,
        .end = -1,
        .key = {message->key, message->key_len},
        .value = {message->payload, message->payload ? message->len : 0},
        .timestamp_ms = rd_kafka_message_timestamp(message, NULL),
        .headers = headers,
    };
}

static bool scan_show(struct scan *scan, rd_kafka_message_t *message)
{
    struct kafka_scan_record record;
    kafka_scan_read(message, &record);
    record.end = scan->ends[message->partition];
    bool more = scan->see(scan->context, &record);
    if (message->offset + 1 >= scan->ends[message->partition]) scan_reached(scan, message->partition);
    return more;
}

/* What a topic gets while it is being read is not looked at: each partition ends where it ended at the start. */
static enum relance_status scan_run(struct scan *scan, struct relance_error *error)
{
    rd_kafka_resp_err_t code = rd_kafka_assign(scan->rk, scan->list);
    bool more = true;
    while (!code && more && scan->left) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(scan->rk, SCAN_POLL_MS);
        if (stop_requested()) {
            if (message) rd_kafka_message_destroy(message);
            return relance_error_set(error, RELANCE_IO, "ended before the end of topic '%s'", scan->topic);
        }
        if (!message) continue;
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
            scan_reached(scan, message->partition);
        else if (message->err == RD_KAFKA_RESP_ERR__TRANSPORT ||
                 message->err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
            ; /* it goes on trying */
        else if (message->err == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED)
            ; /* the client asks for the group that it has to name; we are in none */
        else if (message->err)
            code = message->err;
        else if (scan->ends[message->partition] >= 0)
            more = scan_show(scan, message);
        rd_kafka_message_destroy(message);
    }
    return code ? scan_failed(scan, code, error) : RELANCE_OK;
}

static enum relance_status scan_topic(struct scan *scan, const struct options *options,
                                      kafka_scan_begin *begin, struct relance_error *error)
{
    enum relance_status status = scan_open(scan, options, error);
    if (status == RELANCE_OK) status = scan_find_partitions(scan, error);
    if (status == RELANCE_OK) status = scan_find_bounds(scan, begin, error);
    if (status == RELANCE_OK) status = scan_run(scan, error);
    if (scan->list) rd_kafka_topic_partition_list_destroy(scan->list);
    if (scan->rk) {
        rd_kafka_consumer_close(scan->rk);
        rd_kafka_destroy(scan->rk);
    }
    free(scan->ends);
    return status;
}

enum relance_status kafka_scan(const struct options *options, const char *topic, kafka_scan_begin *begin,
                               kafka_scan_see *see, void *context, struct relance_error *error)
{
    return kafka_scan_part(options, topic, KAFKA_SCAN_ALL, INT64_MIN, begin, see, context, error);
}

enum relance_status kafka_scan_part(const struct options *options, const char *topic, int32_t partition,
                                    int64_t from_ms, kafka_scan_begin *begin, kafka_scan_see *see,
                                    void *context, struct relance_error *error)
{
    struct scan scan = {
        .topic = topic, .partition = partition, .from_ms = from_ms, .see = see, .context = context};
    return scan_topic(&scan, options, begin, error);
}

size_t kafka_scan_headers(const struct kafka_scan_record *record,
                          struct relance_header out[SOURCE_HEADERS_MAX])
{
    const char *name;
    const void *value;
    size_t count = 0, size;
    if (!record->headers) return 0;
    while (count < SOURCE_HEADERS_MAX &&
           !rd_kafka_header_get_all(record->headers, count, &name, &value, &size)) {
        out[count].name = str_of(name);
        out[count++].value = (struct relance_str){value, value ? size : 0};
    }
    return count;
}

struct relance_str kafka_scan_header(const struct kafka_scan_record *record, const char *name)
{
    const void *value;
    size_t size;
    const rd_kafka_headers_t *headers = record->headers;
    if (!headers || rd_kafka_header_get_last(headers, name, &value, &size)) return (struct relance_str){0};
    return (struct relance_str){value, size};
}

void kafka_scan_count(const struct kafka_scan_record *record, const char *name, int64_t *out)
{
    int64_t count;
    if (text_count(kafka_scan_header(record, name), &count) && count <= SCAN_COUNT_MAX) *out = count;
}
