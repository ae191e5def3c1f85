/* Record batches as they are sent: that whoever reads them finds what was put, that the checksum is that of the standard, and that it bears the
 * numbers that brokers tell records by. What real brokers and other clients make of them is tests/e2e/publishing.py's. */
#include "kafka/batch_put.h"
#include "kafka/batches.h"
#include "kafka/codec.h"
#include "kafka/number.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { WHERE_SUM = 17, WHERE_SUMMED = 21, WHERE_FLAGS = 21, WHERE_PRODUCER = 43, WHERE_EPOCH = 51 };
enum { WHERE_SEQUENCE = 53, FLAG_TRANSACTIONAL = 16, NOW_MS = 1700000000, LONG = 70000 };

static const struct kafka_batch_head head_of_7 = {
    .producer = 0x1234567890, .epoch = 258, .sequence = 7, .now_ms = NOW_MS, .level = -1};
static struct buffer written; /* the last batch */
/* Of a varint's lengths the longest and the shortest text. */
static const size_t sizes[] = {0, 1, 63, 64, 8191, 8192, LONG};

static const char *letters(void)
{
    static char text[LONG];
    for (size_t i = 0; i < LONG && !text[0]; i++)
        text[LONG - 1 - i] = (char)('a' + i % 26);
    return text;
}

static struct outbox_record record_of(size_t key_size, size_t value_size, size_t header_count)
{
    static const char *const names[] = {
        "", "a", "event_id", "a name that is longer than sixty-three letters are, as none is today"};
    struct outbox_record record = {.key = {letters(), key_size}, .value = {letters() + 1, value_size}};
    if (value_size == LONG) record.value.data--;
    record.header_count = header_count;
    for (size_t i = 0; i < header_count; i++)
        record.headers[i] = (struct outbox_header){names[i % COUNT(names)], {letters() + i, i * 10}};
    return record;
}

static void put_record(struct kafka_batch *batch, const struct outbox_record *record)
{
    cr_assert(kafka_batch_put(batch, record, SIZE_MAX));
}

static void write_batch(const struct kafka_batch *batch, const struct kafka_batch_head *head)
{
    written.size = 0;
    kafka_batch_write(batch, head, &written);
}

/* All of the batch as a reader sees it: so many at most. */
static size_t read_all(struct source_record *out, size_t most)
{
    static struct kafka_chunk *spent, *spare;
    struct kafka_unpacker *unpacker = kafka_unpacker_new(&spare);
    struct kafka_batches batches;
    size_t count = 0;
    cr_assert(kafka_batches_open(buffer_str(&written), 3, 0, NULL, 0, unpacker, &batches));
    while (count < most && kafka_batches_next(&batches, &out[count]) == KAFKA_BATCHES_RECORD)
        count++;
    cr_expect_eq(kafka_batches_next(&batches, &out[most]), KAFKA_BATCHES_END);
    kafka_batches_close(&batches, &spent);
    kafka_unpacker_free(unpacker);
    return count;
}

static void expect_text(str found, str wanted)
{
    cr_expect_eq(!found.data, !wanted.data);
    cr_assert_eq(found.size, wanted.size);
    cr_expect(!wanted.size || memcmp(found.data, wanted.data, wanted.size) == 0);
}

static void expect_record(const struct source_record *found, const struct outbox_record *wanted)
{
    struct relance_header headers[SOURCE_HEADERS_MAX];
    expect_text(found->key, wanted->key);
    expect_text(found->value, wanted->value);
    cr_expect_eq(found->timestamp_ms, NOW_MS);
    cr_assert_eq(kafka_batches_headers(found->headers, headers, SOURCE_HEADERS_MAX), wanted->header_count);
    for (size_t i = 0; i < wanted->header_count; i++) {
        expect_text(headers[i].name, (str){wanted->headers[i].name, strlen(wanted->headers[i].name)});
        expect_text(headers[i].value, wanted->headers[i].value);
    }
}

static const unsigned char *at(size_t where)
{
    return (const unsigned char *)written.data + where;
}

/* CRC-32C (RFC 3720 B.4), bit by bit. */
static uint32_t sum_of(const unsigned char *bytes, size_t size)
{
    uint32_t sum = UINT32_MAX;
    for (size_t i = 0; i < size; i++) {
        sum ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            sum = sum >> 1 ^ (sum & 1 ? 0x82f63b78u : 0);
    }
    return ~sum;
}

static void expect_sum(void)
{
    uint32_t sum = sum_of(at(WHERE_SUMMED), written.size - WHERE_SUMMED);
    cr_expect_eq((uint32_t)kafka_get_int32(at(WHERE_SUM)), sum);
}

Test(batch_put, the_sum_of_this_test_is_that_of_the_standard)
{
    cr_expect_eq(sum_of((const unsigned char *)"123456789", 9), 0xe3069283u);
}

Test(batch_put, what_is_put_is_what_is_read_whatever_packs_it)
{
    static struct outbox_record put[COUNT(sizes) * COUNT(sizes)];
    static struct source_record found[COUNT(put) + 1];
    struct kafka_batch batch = {0};
    for (size_t i = 0; i < COUNT(put); i++) {
        put[i] = record_of(sizes[i % COUNT(sizes)], sizes[i / COUNT(sizes)], i % (OUTBOX_HEADERS_MAX + 1));
        if (i % COUNT(sizes) == 0 && i % 2) put[i].key.data = NULL;
        put_record(&batch, &put[i]);
    }
    for (int codec = 0; codec < KAFKA_CODECS; codec++)
        for (int level = -1; level < 3; level++) {
            struct kafka_batch_head head = head_of_7;
            head.codec = codec;
            head.level = level;
            write_batch(&batch, &head);
            cr_expect(!codec || !level || written.size < batch.records.size / 2, "codec %d", codec);
            cr_assert_eq(read_all(found, COUNT(put)), COUNT(put));
            for (size_t i = 0; i < COUNT(put); i++) {
                cr_expect_eq(found[i].offset, (int64_t)i);
                expect_record(&found[i], &put[i]);
            }
            expect_sum();
        }
    kafka_batch_free(&batch);
}

Test(batch_put, a_record_is_taken_where_it_has_just_room_and_nowhere_else)
{
    struct kafka_batch batch = {0}, twin = {0};
    for (size_t i = 0; i < 20000; i++) {
        struct outbox_record record = record_of(sizes[i % 5], sizes[i % 3], i % (OUTBOX_HEADERS_MAX + 1));
        size_t before = batch.records.size;
        cr_assert(kafka_batch_put(&batch, &record, SIZE_MAX));
        size_t takes = batch.records.size - before;
        cr_assert(!kafka_batch_put(&twin, &record, takes - 1));
        cr_assert(twin.records.size == before && twin.count == i);
        cr_assert(kafka_batch_put(&twin, &record, takes));
        cr_assert_eq(twin.records.size, batch.records.size);
    }
    kafka_batch_free(&batch);
    kafka_batch_free(&twin);
}

Test(batch_put, it_is_a_transactions_and_has_the_producers_numbers)
{
    static const int32_t sequences[] = {0, 1, INT32_MAX};
    struct outbox_record record = record_of(1, 1, 1);
    struct kafka_batch batch = {0};
    put_record(&batch, &record);
    for (size_t i = 0; i < COUNT(sequences); i++) {
        struct kafka_batch_head head = head_of_7;
        head.sequence = sequences[i];
        write_batch(&batch, &head);
        cr_expect_eq(kafka_get_int16(at(WHERE_FLAGS)), FLAG_TRANSACTIONAL);
        cr_expect_eq(kafka_get_int64(at(WHERE_PRODUCER)), head.producer);
        cr_expect_eq(kafka_get_int16(at(WHERE_EPOCH)), head.epoch);
        cr_expect_eq(kafka_get_int32(at(WHERE_SEQUENCE)), sequences[i]);
        expect_sum();
    }
    kafka_batch_free(&batch);
}

Test(batch_put, an_emptied_one_begins_anew_and_stands_behind_what_is_there)
{
    struct source_record found[2];
    struct outbox_record first = record_of(64, 8192, 3), second = record_of(1, 2, 0);
    struct kafka_batch batch = {0};
    put_record(&batch, &first);
    kafka_batch_clear(&batch);
    cr_expect_eq(batch.records.size, 0);
    put_record(&batch, &second);
    write_batch(&batch, &head_of_7);
    size_t alone = written.size;
    kafka_batch_write(&batch, &head_of_7, &written);
    cr_expect_eq(written.size, 2 * alone);
    cr_expect(memcmp(written.data, at(alone), alone) == 0);
    written.size = alone;
    cr_assert_eq(read_all(found, 1), 1);
    expect_record(&found[0], &second);
    kafka_batch_free(&batch);
}
