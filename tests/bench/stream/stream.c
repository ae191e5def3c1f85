#include "stream.h"

#include <librdkafka/rdkafka.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TIMEOUT_MS 60000
#define KEY_BYTES  16

_Noreturn void fail(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
    va_end(list);
    exit(1);
}

void *zeroes(size_t count, size_t size)
{
    void *items = calloc(count, size);
    if (!items) fail("no memory for %zu times %zu bytes", count, size);
    return items;
}

void *with_room(void *items, size_t count, size_t size)
{
    if (count & (count - 1)) return items; /* there is room up to the next power of two */
    void *moved = realloc(items, (count ? 2 * count : 1) * size);
    if (!moved) fail("no memory for %zu times %zu bytes", 2 * count, size);
    return moved;
}

/* ---- dice */

static uint64_t dice_state[2];

uint64_t dice(void)
{
    uint64_t a = dice_state[0], b = dice_state[1];
    dice_state[0] = b;
    a ^= a << 23;
    dice_state[1] = a ^ b ^ (a >> 18) ^ (b >> 5);
    return dice_state[1] + b;
}

void dice_seed(uint64_t seed)
{
    dice_state[0] = seed * 0x9E3779B97F4A7C15ULL + 1;
    dice_state[1] = 0x1234567;
    for (int i = 0; i < 20; i++)
        dice(); /* seeds that are alike begin alike */
}

uint32_t dice_of(uint32_t sides)
{
    return (uint32_t)(dice() % sides);
}

double dice_unit(void)
{
    return (double)(dice() >> 11) * (1.0 / 9007199254740992.0);
}

/* ---- customers */

struct crowd crowd_of(uint32_t count, double flatness)
{
    struct crowd crowd = {count, zeroes(count, sizeof *crowd.weights), zeroes(count, sizeof *crowd.numbers)};
    double sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        sum += 1.0 / (i + flatness);
        crowd.weights[i] = sum;
        crowd.numbers[i] = i;
    }
    for (uint32_t i = count - 1; i > 0; i--) {
        uint32_t other = dice_of(i + 1), number = crowd.numbers[i];
        crowd.numbers[i] = crowd.numbers[other];
        crowd.numbers[other] = number;
    }
    return crowd;
}

void crowd_free(struct crowd *crowd)
{
    free(crowd->weights);
    free(crowd->numbers);
}

uint32_t crowd_draw(const struct crowd *crowd)
{
    double weight = dice_unit() * crowd->weights[crowd->count - 1];
    uint32_t low = 0, high = crowd->count - 1;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (crowd->weights[middle] < weight)
            low = middle + 1;
        else
            high = middle;
    }
    return crowd->numbers[low];
}

/* ---- products */

int64_t product_cents(uint32_t product)
{
    return 500 + product % 9973;
}

const char *product_category(uint32_t product)
{
    static const char *const names[] = {"shoes",  "tents",   "books", "games",
                                        "garden", "kitchen", "audio", "toys"};
    return names[product % 8];
}

/* ---- events */

void line_add(struct line *line, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    line->size += vsnprintf(line->text + line->size, (size_t)(TEXT_BYTES - line->size), format, list);
    va_end(list);
    if (line->size >= TEXT_BYTES) fail("an event of more than %d bytes", TEXT_BYTES);
}

static void line_open(struct line *line, const char *id, const char *type, const char *customer,
                      int64_t time_ms)
{
    time_t second = (time_t)(time_ms / SECOND_MS);
    struct tm utc;
    char time_text[32];
    gmtime_r(&second, &utc);
    strftime(time_text, sizeof time_text, "%Y-%m-%dT%H:%M:%S", &utc);
    line->size = 0;
    line_add(line, "{\"id\":\"%s\",\"type\":\"%s\",\"customer\":\"%s\",\"time\":\"%s.%03dZ\"", id, type,
             customer, time_text, (int)(time_ms % SECOND_MS));
}

static int key_print(char key[KEY_BYTES], uint32_t customer)
{
    return snprintf(key, KEY_BYTES, "c%07u", customer);
}

void line_begin(struct line *line, int64_t number, const char *type, uint32_t customer, int64_t time_ms)
{
    char id[32], key[KEY_BYTES];
    snprintf(id, sizeof id, "e%010lld", (long long)number);
    key_print(key, customer);
    line_open(line, id, type, key, time_ms);
}

void line_end(struct line *line, int number, const char *type, int64_t time_ms)
{
    char id[32];
    snprintf(id, sizeof id, "end%d", number);
    line_open(line, id, type, "end", time_ms);
    line_add(line, "}");
}

/* ---- where they go */

struct stream {
    rd_kafka_t *producer; /* NULL: the standard output */
    rd_kafka_topic_t *topic;
    int partition_count;
    int undelivered;
};

static void set(rd_kafka_conf_t *settings, const char *name, const char *value)
{
    char reason[256];
    if (rd_kafka_conf_set(settings, name, value, reason, sizeof reason) != RD_KAFKA_CONF_OK)
        fail("%s=%s: %s", name, value, reason);
}

/* Called for records that could not be delivered only. */
static void delivered(rd_kafka_t *producer, const rd_kafka_message_t *message, void *context)
{
    (void)producer;
    if (message->err) ((struct stream *)context)->undelivered++;
}

static int count_partitions(const struct stream *stream, const char *name)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t error = rd_kafka_metadata(stream->producer, 0, stream->topic, &metadata, TIMEOUT_MS);
    if (!error) error = metadata->topics[0].err;
    if (error) fail("%s: %s", name, rd_kafka_err2str(error));
    int count = metadata->topics[0].partition_cnt;
    rd_kafka_metadata_destroy(metadata);
    return count;
}

struct stream *stream_open(const char *brokers, const char *topic)
{
    struct stream *stream = zeroes(1, sizeof *stream);
    if (strcmp(brokers, "-") == 0) return stream;
    static const char *const settings[][2] = {{"linger.ms", "50"},
                                              {"batch.num.messages", "20000"},
                                              {"batch.size", "1000000"},
                                              {"queue.buffering.max.messages", "2000000"},
                                              {"partitioner", "murmur2_random"},
                                              {"acks", "1"},
                                              {"delivery.report.only.error", "true"}};
    char reason[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", brokers);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        set(conf, settings[i][0], settings[i][1]);
    rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    rd_kafka_conf_set_opaque(conf, stream);
    stream->producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
    if (!stream->producer) fail("%s", reason);
    stream->topic = rd_kafka_topic_new(stream->producer, topic, NULL);
    stream->partition_count = count_partitions(stream, topic);
    return stream;
}

int stream_partitions(const struct stream *stream)
{
    return stream->partition_count;
}

static void write_record(struct stream *stream, int32_t partition, const char *key, int key_size,
                         int64_t time_ms, const struct line *line)
{
    if (!stream->producer) {
        fwrite(line->text, 1, (size_t)line->size, stdout);
        putchar('\n');
        return;
    }
    rd_kafka_resp_err_t error;
    do {
        error = rd_kafka_producev(
            stream->producer, RD_KAFKA_V_RKT(stream->topic), RD_KAFKA_V_PARTITION(partition),
            RD_KAFKA_V_KEY(key, (size_t)key_size), RD_KAFKA_V_VALUE((void *)line->text, (size_t)line->size),
            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_TIMESTAMP(time_ms), RD_KAFKA_V_END);
        if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) rd_kafka_poll(stream->producer, 50);
    } while (error == RD_KAFKA_RESP_ERR__QUEUE_FULL);
    if (error) fail("%s", rd_kafka_err2str(error));
}

void stream_write(struct stream *stream, uint32_t customer, int64_t time_ms, const struct line *line)
{
    char key[KEY_BYTES];
    int size = key_print(key, customer);
    write_record(stream, RD_KAFKA_PARTITION_UA, key, size, time_ms, line);
}

void stream_write_end(struct stream *stream, int partition, int64_t time_ms, const struct line *line)
{
    write_record(stream, partition, "end", 3, time_ms, line);
}

void stream_close(struct stream *stream)
{
    if (stream->producer) {
        rd_kafka_resp_err_t error = rd_kafka_flush(stream->producer, TIMEOUT_MS);
        if (error) fail("%s", rd_kafka_err2str(error));
        if (stream->undelivered) fail("%d records were not delivered", stream->undelivered);
        rd_kafka_topic_destroy(stream->topic);
        rd_kafka_destroy(stream->producer);
    }
    free(stream);
    if (fflush(stdout)) fail("the standard output takes no more");
}
