#include "kafka/client.h"
#include "kafka/scan.h"
#include "delivery/published.h"
#include "host/text.h"

struct published_reading {
    struct published *published;
    int32_t partition;
    uint64_t after;
    char source[256]; /* ours: "/relance/GROUP" */
};

static void published_begin(void *context, int32_t partition, int64_t low)
{
    (void)context, (void)partition, (void)low;
}

static bool published_see(void *context, const struct kafka_scan_record *record)
{
    struct published_reading *reading = context;
    struct published_action action = {
        .id = kafka_scan_header(record, "ce_id"), .offset = -1, .due_ms = INT64_MIN};
    int64_t partition = -1, seq = 0;
    kafka_scan_count(record, "relance-partition", &partition);
    kafka_scan_count(record, "relance-seq", &seq);
    kafka_scan_count(record, "relance-offset", &action.offset);
    text_instant(kafka_scan_header(record, "ce_time"), &action.due_ms);
    action.seq = (uint64_t)seq;
    bool ours = str_equal(kafka_scan_header(record, "ce_source"), str_of(reading->source));
    if (ours && partition == reading->partition) published_add(reading->published, &action, reading->after);
    return true;
}

enum relance_status published_read(const struct options *options, int32_t partition, uint64_t after,
                                   struct published *published, struct relance_error *error)
{
    char topic[256];
    struct published_reading reading = {published, partition, after, ""};
    snprintf(reading.source, sizeof reading.source, "/relance/%s", options->group);
    kafka_topic_name(options, OUTBOX_ACTIONS, topic);
    enum relance_status status = kafka_scan(options, topic, published_begin, published_see, &reading, error);
    published_sort(published);
    return status == RELANCE_OK ? status : (error->status = RELANCE_AGAIN);
}
