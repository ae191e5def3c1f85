/* Batches of records as a broker sends them, read in place: that each field comes out as it went in, that what is not to be
 * seen is not handed out, that positions are right where records are missing, and that nothing that is broken, cut off or of
 * another format is taken for records, or read beyond. */
#include "kafka/batches.h"
#include "kafka/number.h"

#include <criterion/criterion.h>
#include <lz4frame.h>
#include <snappy-c.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- what is sent: batches are written one behind another */
enum { WHERE_LENGTH = 8, WHERE_MAGIC = 16, WHERE_FLAGS = 21, WHERE_LAST = 23, WHERE_FIRST_MS = 27 };
enum { WHERE_MAX_MS = 35, WHERE_PRODUCER = 43, WHERE_COUNT = 57, HEAD_SIZE = 61 };
enum { FLAG_LOG_TIME = 8, FLAG_TRANSACTIONAL = 16, FLAG_MARKER = 32 };
enum { FIRST_MS = 1000, MAX_MS = 5000, PARTITION = 7 };

static unsigned char sent[65536];
static size_t sent_size, batch_at; /* where the last batch begins */
static int32_t batch_count, batch_last;
static struct kafka_aborted aborted[16];
static size_t aborted_count;

static void put_at(size_t at, int64_t number, size_t size)
{
    for (size_t i = 0; i < size; i++)
        sent[at + i] = (unsigned char)((uint64_t)number >> 8 * (size - 1 - i));
}

static void put_bytes(str bytes)
{
    cr_assert_leq(sent_size + bytes.size, sizeof sent);
    if (bytes.size) memcpy(sent + sent_size, bytes.data, bytes.size);
    sent_size += bytes.size;
}

static size_t varint_write(int64_t number, unsigned char out[10])
{
    uint64_t rest = (uint64_t)number << 1 ^ (number < 0 ? UINT64_MAX : 0);
    size_t size = 0;
    for (; rest > 127; rest >>= 7)
        out[size++] = (unsigned char)(rest | 128);
    out[size++] = (unsigned char)rest;
    return size;
}

static void put_varint(int64_t number)
{
    unsigned char bytes[10];
    put_bytes((str){(const char *)bytes, varint_write(number, bytes)});
}

static void put_text(str text)
{
    put_varint(text.data ? (int64_t)text.size : -1);
    put_bytes(text);
}

/* The last batch, as far as it is written, is whole again. */
static void batch_fit(void)
{
    put_at(batch_at + WHERE_LENGTH, (int64_t)(sent_size - batch_at) - WHERE_LENGTH - 4, 4);
    put_at(batch_at + WHERE_LAST, batch_last, 4);
    put_at(batch_at + WHERE_COUNT, batch_count, 4);
}

static void batch_begin(int64_t base)
{
    batch_at = sent_size;
    batch_count = batch_last = 0;
    sent_size += HEAD_SIZE;
    memset(sent + batch_at, 0xff, HEAD_SIZE); /* no producer */
    put_at(batch_at, base, 8);
    put_at(batch_at + WHERE_MAGIC, 2, 1);
    put_at(batch_at + WHERE_FLAGS, 0, 2);
    put_at(batch_at + WHERE_FIRST_MS, FIRST_MS, 8);
    put_at(batch_at + WHERE_MAX_MS, MAX_MS, 8);
    batch_fit();
}

/* A record of whatever bytes. */
static void record_put(str body)
{
    put_varint((int64_t)body.size);
    put_bytes(body);
    batch_count++;
    batch_fit();
}

struct sending {
    int64_t later_ms;
    int32_t further;
    str key, value;
    const struct relance_header *headers;
    size_t header_count;
};

/* Its bytes, which are written where the next record is to be and are not sent yet: valid until something is. */
static str record_body(const struct sending *record)
{
    size_t at = sent_size;
    static unsigned char body[4096];
    put_bytes(STR("\0"));
    put_varint(record->later_ms);
    put_varint(record->further);
    put_text(record->key);
    put_text(record->value);
    put_varint((int64_t)record->header_count);
    for (size_t i = 0; i < record->header_count; i++) {
        put_text(record->headers[i].name);
        put_text(record->headers[i].value);
    }
    size_t size = sent_size - at;
    cr_assert_leq(size, sizeof body);
    memcpy(body, sent + at, size);
    sent_size = at;
    return (str){(const char *)body, size};
}

static void record_send(struct sending record)
{
    if (record.further > batch_last) batch_last = record.further;
    record_put(record_body(&record));
}

/* A record a letter, which is its key; `.`: its record is there no more. */
static void batch_send(int64_t base, const char *keys)
{
    batch_begin(base);
    for (int32_t i = 0; keys[i]; i++) {
        batch_last = i;
        if (keys[i] != '.') record_send((struct sending){.further = i, .key = {&keys[i], 1}});
    }
    batch_fit();
}

static void batch_set(size_t where, int64_t number, size_t size)
{
    put_at(batch_at + where, number, size);
}

static void transaction_send(int64_t base, int64_t producer, const char *keys)
{
    batch_send(base, keys);
    batch_set(WHERE_FLAGS, FLAG_TRANSACTIONAL, 2);
    batch_set(WHERE_PRODUCER, producer, 8);
}

static void marker_send(int64_t base, int64_t producer, bool commits)
{
    batch_begin(base);
    record_send((struct sending){.key = commits ? STR("\0\0\0\1") : STR("\0\0\0\0"), .value = STR("\0\0")});
    batch_set(WHERE_FLAGS, FLAG_TRANSACTIONAL | FLAG_MARKER, 2);
    batch_set(WHERE_PRODUCER, producer, 8);
}

static void commit_send(int64_t base, int64_t producer)
{
    marker_send(base, producer, true);
}

static void abort_send(int64_t base, int64_t producer)
{
    marker_send(base, producer, false);
}

static void abort_say(int64_t producer, int64_t first)
{
    aborted[aborted_count++] = (struct kafka_aborted){producer, first};
}

static void send_nothing(void)
{
    sent_size = aborted_count = 0;
}

/* ---- what is read */
static struct kafka_batches batches;
static unsigned char
    *room; /* of exactly the bytes that are sent, so that a sanitizer sees whoever leaves them */

static struct kafka_chunk *spare, *spent; /* what was unpacked stays till the test ends */
static struct kafka_unpacker *unpacker;

static bool open_from(int64_t from)
{
    if (!unpacker) unpacker = kafka_unpacker_new(&spare);
    size_t size = aborted_count * sizeof *aborted;
    struct kafka_aborted *list = size ? malloc(size) : NULL;
    if (size) memcpy(list, aborted, size);
    free(room);
    room = malloc(sent_size);
    memcpy(room, sent, sent_size);
    return kafka_batches_open((str){(const char *)room, sent_size}, PARTITION, from, list, aborted_count,
                              unpacker, &batches);
}

static void close_batches(void)
{
    kafka_batches_close(&batches, &spent);
}

static char *print(char *at, const char *bound, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(at, (size_t)(bound - at), format, arguments);
    va_end(arguments);
    cr_assert(size >= 0 && size < bound - at);
    return at + size;
}

/* Everything from there on: offset and key of each record, then where the end is, `|9`, or what cannot be read, `!9`. */
static const char *read_from(int64_t from)
{
    static char text[4096];
    char *at = text, *bound = text + sizeof text;
    struct source_record record;
    enum kafka_batches_answer answer;
    if (!open_from(from)) return "refused";
    cr_expect_eq(batches.next, from);
    int64_t end = batches.end;
    while ((answer = kafka_batches_next(&batches, &record)) == KAFKA_BATCHES_RECORD) {
        cr_expect_eq(batches.next, record.offset + 1);
        at = print(at, bound, "%lld%.*s ", (long long)record.offset, STR_ARG(record.key));
    }
    int64_t next = batches.next;
    print(at, bound, "%c%lld", answer == KAFKA_BATCHES_END ? '|' : '!', (long long)next);
    if (answer == KAFKA_BATCHES_END) cr_expect_eq(next, end, "ended at %lld", (long long)next);
    cr_expect_eq(kafka_batches_next(&batches, &record), answer, "it was said before, and stays so");
    cr_expect_eq(batches.next, next);
    cr_expect_eq(batches.end, end);
    close_batches();
    return text;
}

#define assert_reads(from, wanted)                                                                           \
    do {                                                                                                     \
        const char *read = read_from(from);                                                                  \
        cr_assert_str_eq(read, wanted, "from %lld: %s", (long long)(from), read);                            \
    } while (0)

/* The first record that is sent. */
static struct source_record read_first(void)
{
    struct source_record record;
    memset(&record, 0xee, sizeof record);
    cr_assert(open_from(0));
    cr_assert_eq(kafka_batches_next(&batches, &record), KAFKA_BATCHES_RECORD);
    close_batches();
    return record;
}

static struct source_record read_sent(struct sending sending)
{
    send_nothing();
    batch_begin(40);
    record_send(sending);
    return read_first();
}

static bool is_none(str text)
{
    return !text.data && !text.size;
}

static bool is_text(str text, str wanted)
{
    return text.data && str_equal(text, wanted);
}

/* ---- fields of a record */
Test(batches, a_record_has_its_key_its_value_and_its_place)
{
    struct source_record record =
        read_sent((struct sending){.further = 2, .key = STR("k\0y"), .value = STR("{\"a\": 1}")});
    cr_expect(is_text(record.key, STR("k\0y")));
    cr_expect(is_text(record.value, STR("{\"a\": 1}")));
    cr_expect_eq(record.offset, 42);
    cr_expect_eq(record.partition, PARTITION);
    cr_expect_null(record.message);
    cr_expect(record.key.data > (char *)room && record.key.data < (char *)room + sent_size,
              "it is read in place");
}

Test(batches, no_text_is_another_than_an_empty_one)
{
    struct source_record record = read_sent((struct sending){.value = STR("")});
    cr_expect(is_none(record.key));
    cr_expect(is_text(record.value, STR("")));
    record = read_sent((struct sending){.key = STR("")});
    cr_expect(is_text(record.key, STR("")));
    cr_expect(is_none(record.value), "a tombstone");
}

Test(batches, a_large_text_whose_size_takes_several_bytes)
{
    static char large[3000];
    memset(large, 'x', sizeof large);
    static const size_t sizes[] = {63, 64, 127, 128, 1000, 3000};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        str text = {large, sizes[i]};
        cr_expect(is_text(read_sent((struct sending){.key = text}).key, text), "%zu", sizes[i]);
    }
}

Test(batches, headers_are_those_of_the_record_in_their_order)
{
    static const struct relance_header headers[] = {
        {{"type", 4}, {"view", 4}}, {{"none", 4}, {NULL, 0}}, {{"type", 4}, {"", 0}}, {{"", 0}, {"x", 1}}};
    struct relance_header read[SOURCE_HEADERS_MAX];
    struct source_record record =
        read_sent((struct sending){.value = STR("v"), .headers = headers, .header_count = COUNT(headers)});
    cr_assert_eq(kafka_batches_headers(record.headers, read, SOURCE_HEADERS_MAX), COUNT(headers));
    for (size_t i = 0; i < COUNT(headers); i++) {
        cr_expect(is_text(read[i].name, headers[i].name), "%zu", i);
        cr_expect(headers[i].value.data ? is_text(read[i].value, headers[i].value) : is_none(read[i].value),
                  "%zu", i);
    }
    str found;
    cr_assert(source_find_header(&record, STR("type"), &found));
    cr_expect(is_text(found, STR("")), "the last of a name");
    cr_expect_eq(kafka_batches_headers(record.headers, read, 0), 0);
    record = read_sent((struct sending){.value = STR("v")});
    cr_expect_eq(kafka_batches_headers(record.headers, read, SOURCE_HEADERS_MAX), 0);
    cr_expect_eq(kafka_batches_headers((str){0}, read, SOURCE_HEADERS_MAX), 0);
}

Test(batches, of_more_headers_than_there_is_room_for_the_first_are_given)
{
    enum { MORE = SOURCE_HEADERS_MAX + 3 };
    struct relance_header headers[MORE], read[MORE];
    char names[MORE][8];
    for (int i = 0; i < MORE; i++) {
        snprintf(names[i], sizeof names[i], "h%d", i);
        headers[i] = (struct relance_header){str_of(names[i]), STR("v")};
    }
    struct source_record record =
        read_sent((struct sending){.value = STR("v"), .headers = headers, .header_count = MORE});
    memset(read, 0, sizeof read);
    cr_assert_eq(kafka_batches_headers(record.headers, read, SOURCE_HEADERS_MAX), SOURCE_HEADERS_MAX);
    for (int i = 0; i < MORE; i++)
        cr_expect(i < SOURCE_HEADERS_MAX ? is_text(read[i].name, headers[i].name) : is_none(read[i].name));
}

/* One byte of them after another is missing, at the very end of what may be read. */
Test(batches, headers_that_are_cut_off_are_given_as_far_as_they_are_whole)
{
    struct relance_header read[SOURCE_HEADERS_MAX];
    static const char headers[] = "\x06" /* three */
                                  "\x02"
                                  "a"
                                  "\x04"
                                  "bc"
                                  "\x02"
                                  "d"
                                  "\x01"
                                  "\x00\x00";
    static const size_t whole[] = {0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 3};
    for (size_t size = 0; size < COUNT(whole); size++) {
        char *bytes = malloc(size);
        memcpy(bytes, headers, size);
        cr_expect_eq(kafka_batches_headers((str){bytes, size}, read, SOURCE_HEADERS_MAX), whole[size],
                     "%zu bytes", size);
        free(bytes);
    }
    cr_expect_eq(kafka_batches_headers(STR("\x02\0\1\0\1"), read, 2), 1, "no more than there are");
    cr_expect_eq(kafka_batches_headers(STR("\x01\x02"), read, 1), 0, "less than none");
    cr_expect_eq(kafka_batches_headers(STR("\x02\x08"), read, 1), 0);
    cr_expect_eq(kafka_batches_headers(STR("\x02\x03\x00"), read, 1), 0, "a text of -2 bytes");
}

/* ---- timestamps */
Test(batches, a_record_has_the_time_of_its_sender_which_may_be_before_the_first_ones)
{
    cr_expect_eq(read_sent((struct sending){0}).timestamp_ms, FIRST_MS);
    cr_expect_eq(read_sent((struct sending){.later_ms = 77}).timestamp_ms, FIRST_MS + 77);
    cr_expect_eq(read_sent((struct sending){.later_ms = -500}).timestamp_ms, FIRST_MS - 500);
    int64_t more_than_32_bits = 1LL << 41;
    cr_expect_eq(read_sent((struct sending){.later_ms = more_than_32_bits}).timestamp_ms,
                 FIRST_MS + more_than_32_bits);
    batch_set(WHERE_FIRST_MS, INT64_MAX, 8);
    cr_expect_lt(read_first().timestamp_ms, 0, "nonsense is some time, and harms nobody");
}

Test(batches, where_the_broker_sets_the_time_it_is_one_for_the_whole_batch)
{
    batch_begin(0);
    record_send((struct sending){.later_ms = 77});
    record_send((struct sending){.later_ms = 78, .further = 1});
    batch_set(WHERE_FLAGS, FLAG_LOG_TIME, 2);
    cr_expect_eq(read_first().timestamp_ms, MAX_MS);
    batch_begin(2);
    record_send((struct sending){.later_ms = 79});
    struct source_record record;
    cr_assert(open_from(1));
    cr_assert_eq(kafka_batches_next(&batches, &record), KAFKA_BATCHES_RECORD);
    cr_expect_eq(record.timestamp_ms, MAX_MS);
    cr_assert_eq(kafka_batches_next(&batches, &record), KAFKA_BATCHES_RECORD);
    cr_expect_eq(record.timestamp_ms, FIRST_MS + 79, "each batch has its own");
    close_batches();
}

/* ---- positions */
Test(batches, records_come_in_order_from_wherever_they_are_asked_for)
{
    batch_send(10, "abc");
    batch_send(13, "d");
    batch_send(14, "ef");
    assert_reads(0, "10a 11b 12c 13d 14e 15f |16");
    assert_reads(10, "10a 11b 12c 13d 14e 15f |16");
    assert_reads(11, "11b 12c 13d 14e 15f |16");
    assert_reads(12, "12c 13d 14e 15f |16");
    assert_reads(13, "13d 14e 15f |16");
    assert_reads(15, "15f |16");
}

Test(batches, where_all_is_before_what_is_asked_for_the_end_is_where_it_was)
{
    batch_send(10, "abc");
    assert_reads(13, "|13");
    assert_reads(20, "|20");
}

Test(batches, nothing_is_an_end)
{
    assert_reads(5, "|5");
    cr_assert(kafka_batches_open((str){0}, PARTITION, 5, NULL, 0, NULL, &batches),
              "also where it has no place");
    struct source_record record;
    cr_expect_eq(kafka_batches_next(&batches, &record), KAFKA_BATCHES_END);
    cr_expect_eq(batches.next, 5);
    close_batches();
}

Test(batches, after_compaction_what_is_gone_is_passed)
{
    batch_send(10, ".b..e..");
    batch_send(17, "...");
    batch_send(30, "x.");
    assert_reads(0, "11b 14e 30x |32");
    assert_reads(11, "11b 14e 30x |32");
    assert_reads(12, "14e 30x |32");
    assert_reads(15, "30x |32");
    assert_reads(18, "30x |32");
    assert_reads(31, "|32");
    batch_send(40, "....");
    assert_reads(31, "|44");
}

Test(batches, offsets_may_be_as_high_as_can_be_and_no_higher)
{
    batch_send(INT64_MAX - 2, "ab");
    assert_reads(0, "9223372036854775805a 9223372036854775806b |9223372036854775807");
    put_at(batch_at, INT64_MAX - 1, 8);
    assert_reads(0, "refused");
    put_at(batch_at, INT64_MAX, 8);
    assert_reads(0, "refused");
}

/* Brokers send no such thing; whoever did could have records passed over, or given twice. */
Test(batches, offsets_that_fall_hand_out_nothing_twice)
{
    batch_send(10, "abc");
    batch_send(11, "xyz");
    batch_send(0, "k");
    assert_reads(0, "10a 11b 12c 13z |14");
    send_nothing();
    batch_begin(10);
    record_send((struct sending){.further = 2, .key = STR("a")});
    record_send((struct sending){.further = 1, .key = STR("b")});
    record_send((struct sending){.further = 2, .key = STR("c")});
    record_send((struct sending){.further = 3, .key = STR("d")});
    assert_reads(0, "12a 13d |14");
}

/* ---- what is not all there, or of another format */
Test(batches, a_batch_that_is_cut_off_at_the_end_is_none)
{
    batch_send(10, "abc");
    size_t first = sent_size;
    batch_send(13, "de");
    size_t both = sent_size;
    for (sent_size = 1; sent_size <= both; sent_size++) {
        const char *wanted = sent_size < first  ? "refused"
                             : sent_size < both ? "10a 11b 12c |13"
                                                : "10a 11b 12c 13d 14e |15";
        const char *read = read_from(0);
        cr_expect_str_eq(read, wanted, "%zu bytes of %zu: %s", sent_size, both, read);
    }
}

Test(batches, a_length_that_cannot_be_ends_what_is_there)
{
    static const int32_t lengths[] = {0, -1, INT32_MIN, INT32_MAX, 48};
    for (size_t i = 0; i < COUNT(lengths); i++) {
        send_nothing();
        batch_send(0, "");
        batch_set(WHERE_LENGTH, lengths[i], 4);
        assert_reads(0, "refused");
        send_nothing();
        batch_send(10, "ab");
        batch_send(12, "cd");
        batch_set(WHERE_LENGTH, lengths[i], 4);
        assert_reads(0, "10a 11b |12");
    }
    send_nothing();
    batch_send(0, "");
    assert_reads(0, "|1");
}

Test(batches, another_format_is_said_wherever_it_is)
{
    static const int formats[] = {0, 1, 3, -1};
    for (size_t i = 0; i < COUNT(formats); i++) {
        send_nothing();
        batch_send(10, "ab");
        batch_set(WHERE_MAGIC, formats[i], 1);
        assert_reads(0, "refused");
        send_nothing();
        batch_send(10, "ab");
        batch_send(12, "cd");
        batch_set(WHERE_MAGIC, formats[i], 1);
        size_t whole = sent_size;
        for (; sent_size > batch_at; sent_size--)
            assert_reads(0, sent_size > batch_at + WHERE_MAGIC ? "refused" : "10a 11b |12");
        sent_size = whole;
        batch_send(14, "ef");
        assert_reads(0, "refused");
    }
}

/* Old messages are shorter than the head of a batch: offset, size, checksum, format, flags, time, key and value. */
Test(batches, a_message_of_old_is_seen_though_it_is_shorter_than_a_batch)
{
    batch_send(10, "ab");
    size_t behind = sent_size;
    for (int format = 0; format < 2; format++)
        for (size_t from = 0; from <= behind; from += behind) {
            sent_size = behind;
            put_bytes(STR("\0\0\0\0\0\0\0\x0c\0\0\0\x17\x12\x34\x56\x78\1\0\0\0\0\0\0\0\0\5\xff\xff\xff\xff"
                          "\0\0\0\1v"));
            sent[behind + WHERE_MAGIC] = (unsigned char)format;
            memmove(sent, sent + from, sent_size - from);
            sent_size -= from;
            assert_reads(0, "refused");
            send_nothing();
            batch_send(10, "ab");
        }
}

/* ---- compression: the records of the last batch are packed in place */
enum {
    CODEC_GZIP = 1,
    CODEC_SNAPPY,
    CODEC_LZ4,
    CODEC_ZSTD,
    CODEC_OF_JAVA = 8
}; /* CODEC_SNAPPY + CODEC_OF_JAVA: its blocks */

static size_t pack_gzip(const unsigned char *bytes, size_t size, unsigned char *out, size_t most)
{
    z_stream stream = {
        .next_in = (unsigned char *)bytes, .avail_in = (uInt)size, .next_out = out, .avail_out = (uInt)most};
    cr_assert_eq(deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    cr_assert_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
    deflateEnd(&stream);
    return most - stream.avail_out;
}

static size_t pack_snappy(const unsigned char *bytes, size_t size, unsigned char *out, size_t most)
{
    cr_assert_eq(snappy_compress((const char *)bytes, size, (char *)out, &most), SNAPPY_OK);
    return most;
}

/* As snappy-java does: a head, then blocks behind their sizes. */
static size_t pack_snappy_blocks(const unsigned char *bytes, size_t size, unsigned char *out, size_t most)
{
    static const unsigned char head[16] = {0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0, 0, 0, 0, 1, 0, 0, 0, 1};
    size_t at = sizeof head, block;
    memcpy(out, head, sizeof head);
    for (size_t from = 0; from < size; from += block) {
        block = size - from < 1000 ? size - from : 1000;
        size_t packed = pack_snappy(bytes + from, block, out + at + 4, most - at - 4);
        for (size_t i = 0; i < 4; i++)
            out[at + i] = (unsigned char)(packed >> 8 * (3 - i));
        at += 4 + packed;
    }
    return at;
}

static size_t pack(int codec, const unsigned char *bytes, size_t size, unsigned char *out, size_t most)
{
    switch (codec) {
    case CODEC_GZIP: return pack_gzip(bytes, size, out, most);
    case CODEC_SNAPPY: return pack_snappy(bytes, size, out, most);
    case CODEC_SNAPPY + CODEC_OF_JAVA: return pack_snappy_blocks(bytes, size, out, most);
    case CODEC_LZ4: return LZ4F_compressFrame(out, most, bytes, size, NULL);
    default: return ZSTD_compress(out, most, bytes, size, 1);
    }
}

static void batch_pack(int codec)
{
    static unsigned char packed[2 * sizeof sent];
    size_t from = batch_at + HEAD_SIZE;
    size_t size = pack(codec, sent + from, sent_size - from, packed, sizeof packed);
    cr_assert_leq(from + size, sizeof sent);
    memcpy(sent + from, packed, size);
    sent_size = from + size;
    batch_fit();
    batch_set(WHERE_FLAGS, codec & 7, 2);
}

static const int codecs[] = {CODEC_GZIP, CODEC_SNAPPY, CODEC_SNAPPY + CODEC_OF_JAVA, CODEC_LZ4, CODEC_ZSTD};

Test(batches, what_is_compressed_is_read_wherever_it_is)
{
    for (size_t i = 0; i < COUNT(codecs); i++) {
        send_nothing();
        batch_send(10, "ab");
        batch_pack(codecs[i]);
        assert_reads(0, "10a 11b |12");
        assert_reads(11, "11b |12");
        batch_send(12, "cd");
        batch_send(14, "ef");
        batch_pack(codecs[i]);
        batch_send(16, "");
        batch_pack(codecs[i]);
        batch_send(17, "g");
        batch_pack(codecs[i]);
        assert_reads(11, "11b 12c 13d 14e 15f 17g |18");
    }
}

Test(batches, what_is_compressed_may_be_far_larger_than_it_looks)
{
    static char long_text[3000];
    memset(long_text, 'x', sizeof long_text);
    for (size_t i = 0; i < COUNT(codecs); i++) {
        struct source_record record;
        size_t count = 0;
        send_nothing();
        batch_begin(0);
        for (int32_t further = 0; further < 20; further++)
            record_send((struct sending){.further = further, .value = {long_text, sizeof long_text}});
        batch_pack(codecs[i]);
        cr_assert_lt(sent_size, 8000, "packed: %zu", sent_size);
        cr_assert(open_from(0));
        for (; kafka_batches_next(&batches, &record) == KAFKA_BATCHES_RECORD; count++)
            cr_assert(str_equal(record.value, (str){long_text, sizeof long_text}));
        cr_assert_eq(count, 20);
        close_batches();
    }
}

Test(batches, what_cannot_be_unpacked_is_broken)
{
    for (size_t i = 0; i < COUNT(codecs); i++) {
        send_nothing();
        batch_send(10, "ab");
        batch_send(12, "cd");
        batch_pack(codecs[i]);
        sent_size -= 4; /* of what is packed the end is missing */
        batch_fit();
        batch_set(WHERE_FLAGS, codecs[i] & 7, 2);
        batch_send(14, "ef");
        assert_reads(10, "10a 11b !12");
        send_nothing();
        batch_send(10, "ab"); /* that is not packed at all */
        batch_set(WHERE_FLAGS, codecs[i] & 7, 2);
        assert_reads(0, "!0");
    }
}

Test(batches, what_nobody_can_unpack_is_said_wherever_it_is)
{
    for (int codec = 5; codec < 8; codec++) {
        send_nothing();
        batch_send(10, "ab");
        batch_set(WHERE_FLAGS, codec | FLAG_LOG_TIME, 2);
        assert_reads(0, "refused");
        send_nothing();
        batch_send(10, "ab");
        batch_send(12, "cd");
        batch_set(WHERE_FLAGS, codec, 2);
        batch_send(14, "ef");
        assert_reads(0, "refused");
    }
    send_nothing();
    batch_send(10, "ab");
    batch_set(WHERE_FLAGS, 64, 2);
    assert_reads(0, "10a 11b |12");
}

Test(batches, less_than_nothing_is_refused)
{
    static const struct {
        size_t where, size;
    } fields[] = {{WHERE_LAST, 4}, {WHERE_COUNT, 4}, {0, 8}};
    for (size_t i = 0; i < COUNT(fields); i++)
        for (int64_t number = -1; number >= -2; number--) {
            send_nothing();
            batch_send(10, "ab");
            batch_set(fields[i].where, number, fields[i].size);
            assert_reads(0, "refused");
            batch_send(12, "cd");
            assert_reads(0, "refused");
        }
    send_nothing();
    batch_send(10, "ab");
    batch_set(WHERE_COUNT, INT32_MIN, 4);
    abort_say(1, 0);
    assert_reads(0, "refused"); /* and the list is not leaked */
}

/* ---- transactions */
Test(batches, what_is_committed_is_handed_out_and_markers_never_are)
{
    transaction_send(10, 1, "ab");
    commit_send(12, 1);
    batch_send(13, "c");
    batch_send(14, "d");
    batch_set(WHERE_FLAGS, FLAG_MARKER, 2); /* of the cluster itself: of no transaction */
    batch_send(15, "e");
    abort_send(16, 2);
    assert_reads(0, "10a 11b 13c 15e |17");
    assert_reads(12, "13c 15e |17");
    assert_reads(16, "|17");
}

Test(batches, of_producers_that_take_turns_only_the_aborted_ones_records_are_left_out)
{
    transaction_send(10, 1, "a");
    transaction_send(11, 2, "bc");
    transaction_send(13, 1, "de");
    batch_send(15, "f");
    transaction_send(16, 2, "g");
    abort_send(17, 2);
    transaction_send(18, 1, "h");
    commit_send(19, 1);
    abort_say(2, 11);
    assert_reads(0, "10a 13d 14e 15f 18h |20");
    assert_reads(12, "13d 14e 15f 18h |20");
    assert_reads(17, "18h |20");
    send_nothing();
    batch_send(10, "a");
    batch_set(WHERE_PRODUCER, 2, 8);
    transaction_send(11, 2, "b");
    abort_say(2, 10);
    assert_reads(0, "10a |12"); /* of no transaction, though it is the producer's */
}

Test(batches, a_producer_may_commit_after_it_has_aborted_and_before)
{
    transaction_send(10, 1, "a");
    commit_send(11, 1);
    transaction_send(12, 1, "b");
    transaction_send(13, 1, "c");
    abort_send(14, 1);
    transaction_send(15, 1, "d");
    commit_send(16, 1);
    abort_say(1, 12);
    assert_reads(0, "10a 15d |17");
    assert_reads(13, "15d |17");
    assert_reads(15, "15d |17"); /* its marker is passed, and counts */
}

Test(batches, a_transaction_that_began_before_what_is_read_is_left_out)
{
    transaction_send(20, 3, "ab");
    batch_send(22, "c");
    transaction_send(23, 3, "d");
    abort_send(24, 3);
    transaction_send(25, 3, "e");
    abort_say(3, 7);
    assert_reads(20, "22c 25e |26");
    assert_reads(21, "22c 25e |26");
    assert_reads(23, "25e |26");
}

/* Three of one producer, one of another that spans them, and a third that commits, with the list in each order. */
Test(batches, many_aborted_ones_are_told_in_any_order)
{
    static const struct kafka_aborted all[] = {{1, 10}, {1, 13}, {1, 18}, {2, 11}};
    for (size_t turn = 0; turn < 24; turn++) {
        send_nothing();
        transaction_send(10, 1, "a");
        transaction_send(11, 2, "b");
        abort_send(12, 1);
        transaction_send(13, 1, "c");
        transaction_send(14, 3, "d");
        abort_send(15, 1);
        transaction_send(16, 1, "e");
        commit_send(17, 1);
        transaction_send(18, 1, "f");
        transaction_send(19, 2, "g");
        abort_send(20, 1);
        transaction_send(21, 1, "h");
        abort_send(22, 2);
        transaction_send(23, 2, "i");
        struct kafka_aborted rest[COUNT(all)];
        memcpy(rest, all, sizeof all);
        for (size_t left = COUNT(all), choice = turn; left; left--) {
            struct kafka_aborted *taken = &rest[choice % left];
            abort_say(taken->producer, taken->first);
            choice /= left;
            *taken = rest[left - 1];
        }
        assert_reads(0, "14d 16e 21h 23i |24");
    }
}

/* A broker with tiers of storage looks for it in each of them, and what one has the other may still have, too. */
Test(batches, a_transaction_that_is_told_twice_ends_once)
{
    transaction_send(10, 1, "a");
    abort_send(11, 1);
    transaction_send(12, 1, "b");
    commit_send(13, 1);
    abort_say(1, 10);
    abort_say(1, 10);
    abort_say(2, 10);
    assert_reads(0, "12b |14");
}

Test(batches, an_aborted_one_is_read_by_nobody_however_broken_it_is)
{
    transaction_send(10, 1, "a");
    batch_set(WHERE_COUNT, INT32_MAX, 4);
    abort_send(11, 1);
    batch_send(12, "b");
    abort_say(1, 10);
    assert_reads(0, "12b |13");
    aborted_count = 0;
    assert_reads(0, "10a !11");
}

/* ---- broken records */
Test(batches, a_record_that_is_cut_off_is_broken_wherever_that_is)
{
    static const struct relance_header headers[] = {{{"n", 1}, {"v", 1}}};
    const struct sending record = {.later_ms = 100,
                                   .further = 1,
                                   .key = STR("key"),
                                   .value = STR("value"),
                                   .headers = headers,
                                   .header_count = 1};
    size_t whole = record_body(&record).size, bare = whole - 5; /* of one header are five bytes */
    for (size_t size = 0; size <= whole; size++) {
        send_nothing();
        batch_send(10, "a");
        str body = record_body(&record);
        batch_last = 1;
        record_put((str){body.data, size});
        assert_reads(0, size < bare ? "10a !11" : "10a 11key |12");
        record_send((struct sending){.further = 2, .key = STR("b")});
        assert_reads(0, size < bare ? "10a !11" : "10a 11key 12b |13");
        batch_send(13, "c");
        assert_reads(0, size < bare ? "10a !11" : "10a 11key 12b 13c |14");
    }
    for (size_t size = 0; size < whole; size++) { /* as many as it says are not there, in its batch */
        send_nothing();
        batch_send(10, "a");
        str body = record_body(&record);
        batch_last = 1;
        put_varint((int64_t)whole);
        put_bytes((str){body.data, size});
        batch_count++;
        batch_fit();
        assert_reads(0, "10a !11");
        batch_send(12, "c");
        assert_reads(0, "10a !11");
    }
}

Test(batches, fewer_records_than_the_batch_says_are_broken_and_more_are_not_seen)
{
    batch_send(10, "ab");
    batch_set(WHERE_COUNT, 3, 4);
    assert_reads(0, "10a 11b !12");
    assert_reads(12, "|12");
    batch_set(WHERE_COUNT, INT32_MAX, 4);
    batch_send(12, "c");
    assert_reads(0, "10a 11b !12");
    send_nothing();
    batch_send(10, "ab");
    batch_set(WHERE_COUNT, 1, 4);
    batch_send(12, "c");
    assert_reads(0, "10a 12c |13");
}

/* Bodies from a record's flags on, with what is wrong about each. */
Test(batches, a_size_that_leads_out_of_the_record_is_broken)
{
    static const struct {
        const char *about;
        str body;
    } bodies[] = {
        {"nothing at all", {"", 0}},
        {"key of one more", {"\0\0\0\x04k", 5}},
        {"key of -2", {"\0\0\0\x03\1\0", 6}},
        {"key of the least", {"\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\1\1\0", 15}},
        {"key of the most", {"\0\0\0\xfe\xff\xff\xff\xff\xff\xff\xff\xff\1\1\0", 15}},
        {"key of 2 GB", {"\0\0\0\xfe\xff\xff\xff\x0f\1\0", 10}},
        {"value of one more", {"\0\0\0\1\x04v", 6}},
        {"value of -2", {"\0\0\0\1\x03\0", 6}},
        {"value of the most", {"\0\0\0\1\xfe\xff\xff\xff\xff\xff\xff\xff\xff\1\0", 15}},
        {"time that does not end", {"\0\xff\xff", 3}},
        {"time of more than 64 bits", {"\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\2\0\1\1\0", 15}},
        {"offset before the batch", {"\0\0\1\1\1\0", 6}},
        {"offset behind the batch", {"\0\0\4\1\1\0", 6}},
        {"offset far behind the batch", {"\0\0\xfe\xff\xff\xff\x0f\1\1\0", 10}},
        {"offset of more than 32 bits", {"\0\0\x80\x80\x80\x80\x10\1\1\0", 10}},
        {"offset of the least", {"\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\1\1\1\0", 15}},
    };
    for (size_t i = 0; i < COUNT(bodies); i++)
        for (int more = 0; more < 3; more++) { /* nothing, a record or a batch is behind it */
            send_nothing();
            batch_send(10, "a");
            batch_last = 1;
            record_put(bodies[i].body);
            if (more == 1) record_send((struct sending){.further = 1, .value = STR("more than enough")});
            if (more == 2) batch_send(12, "b");
            const char *read = read_from(0);
            cr_expect_str_eq(read, "10a !11", "%s: %s", bodies[i].about, read);
        }
    static const int64_t sizes[] = {-1, -2, 7, INT32_MAX, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        send_nothing();
        batch_send(10, "a");
        batch_last = 1;
        put_varint(sizes[i]);
        put_bytes(STR("\0\0\2\1\1\0"));
        batch_count++;
        batch_fit();
        const char *read = read_from(0);
        cr_expect_str_eq(read, "10a !11", "record of %lld: %s", (long long)sizes[i], read);
    }
}

/* The highest batch there can be, and a record that would be beyond. */
Test(batches, an_offset_beyond_the_last_there_can_be_is_broken)
{
    batch_begin(INT64_MAX - 1);
    record_put(STR("\0\0\xfe\xff\xff\xff\x0f\1\1\0"));
    assert_reads(5, "!5");
}

/* ---- varints */
Test(batches, varints_of_all_sizes_are_read_and_none_of_more_than_64_bits)
{
    unsigned char bytes[10];
    for (int bit = 0; bit < 64; bit++)
        for (int around = -1; around <= 1; around++)
            for (int sign = 0; sign < 2; sign++) {
                int64_t number = (int64_t)(((uint64_t)1 << bit) + (uint64_t)around), read = 0;
                if (sign) number = ~number;
                size_t size = varint_write(number, bytes);
                unsigned char *exact = malloc(size);
                memcpy(exact, bytes, size);
                const unsigned char *at = exact;
                cr_assert(kafka_take_varint(&at, exact + size, &read));
                cr_expect_eq(read, number, "%lld: %lld", (long long)number, (long long)read);
                cr_expect_eq(at - exact, (ptrdiff_t)size);
                for (size_t cut = 0; cut < size; cut++) {
                    unsigned char *less = malloc(cut);
                    memcpy(less, exact, cut);
                    at = less;
                    cr_expect_not(kafka_take_varint(&at, less + cut, &read));
                    free(less);
                }
                free(exact);
            }
}

Test(batches, varints_at_their_limits)
{
    static const struct {
        str bytes;
        bool is_one;
        int64_t number;
    } limits[] = {
        {{"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\1", 10}, true, INT64_MAX},
        {{"\xff\xff\xff\xff\xff\xff\xff\xff\xff\1", 10}, true, INT64_MIN},
        {{"\xfe\xff\xff\xff\x0f", 5}, true, INT32_MAX},
        {{"\xff\xff\xff\xff\x0f", 5}, true, INT32_MIN},
        {{"\x7f", 1}, true, -64},
        {{"\x80\1", 2}, true, 64},
        {{"\x82\0", 2}, true, 1}, /* longer than it need be */
        {{"\xff\xff\xff\xff\xff\xff\xff\xff\xff\2", 10}, false, 0},
        {{"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7f", 10}, false, 0},
        {{"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\0", 11}, false, 0},
    };
    for (size_t i = 0; i < COUNT(limits); i++) {
        const unsigned char *begin = (const unsigned char *)limits[i].bytes.data, *at = begin;
        int64_t read = 0;
        bool is_one = kafka_take_varint(&at, begin + limits[i].bytes.size, &read);
        cr_assert_eq(is_one, limits[i].is_one, "%zu", i);
        cr_expect_eq(read, limits[i].number, "%zu", i);
        if (is_one) cr_expect_eq(at, begin + limits[i].bytes.size, "%zu", i);
    }
}
