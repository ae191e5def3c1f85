#include "kafka/batch_put.h"
#include "base/ensure.h"
#include "kafka/batch_form.h"
#include "kafka/codec.h"
#include "kafka/number.h"

#include <isa-l/crc.h>

enum { VARINT_BITS = 7, VARINT_MORE = 0x80 };
enum { BATCH_KEPT = 1 << 22 }; /* bytes: one very large record costs no memory for ever */

/* ---- varints, zigzag, of sizes and of -1 */
static size_t varint_size(uint64_t number)
{
    size_t size = 1;
    for (number *= 2; number >= VARINT_MORE; number >>= VARINT_BITS)
        size++;
    return size;
}

static char *varint_write(char *at, uint64_t number)
{
    return kafka_set_unsigned(at, number * 2);
}

static char *text_write(char *at, str text)
{
    at = varint_write(at, text.size);
    if (text.size) memcpy(at, text.data, text.size);
    return at + text.size;
}

/* ---- records */
static size_t text_size(str text)
{
    return varint_size(text.size) + text.size;
}

static str header_name(const struct outbox_header *header)
{
    return (str){header->name, strlen(header->name)};
}

/* Behind its size: flags, time and offset from the batch's, key, value and headers. */
static size_t record_size(const struct outbox_record *record, uint32_t further)
{
    enum { FLAGS_AND_TIME = 2 };
    size_t size = FLAGS_AND_TIME + varint_size(further) + text_size(record->key) + text_size(record->value) +
                  varint_size(record->header_count);
    for (size_t i = 0; i < record->header_count; i++)
        size += text_size(header_name(&record->headers[i])) + text_size(record->headers[i].value);
    return size;
}

static char *record_write(char *at, const struct outbox_record *record, uint32_t further)
{
    enum { NO_TEXT = 1 }; /* -1 as a varint */
    *at++ = 0;
    *at++ = 0;
    at = varint_write(at, further);
    if (record->key.data)
        at = text_write(at, record->key);
    else
        *at++ = NO_TEXT;
    at = text_write(at, record->value);
    at = varint_write(at, record->header_count);
    for (size_t i = 0; i < record->header_count; i++) {
        at = text_write(at, header_name(&record->headers[i]));
        at = text_write(at, record->headers[i].value);
    }
    return at;
}

bool kafka_batch_put(struct kafka_batch *batch, const struct outbox_record *record, size_t room)
{
    size_t size = record_size(record, batch->count), whole = varint_size(size) + size;
    if (whole > room) return false;
    char *at = buffer_room(&batch->records, whole);
    char *end = record_write(varint_write(at, size), record, batch->count++);
    ensure(end == at + whole);
    batch->records.size += whole;
    return true;
}

void kafka_batch_clear(struct kafka_batch *batch)
{
    if (batch->records.capacity > BATCH_KEPT) buffer_free(&batch->records);
    batch->records.size = 0;
    batch->count = 0;
}

void kafka_batch_free(struct kafka_batch *batch)
{
    buffer_free(&batch->records);
    *batch = (struct kafka_batch){0};
}

/* ---- batches */
static void head_fill(char *at, size_t size, uint32_t count, const struct kafka_batch_head *head)
{
    kafka_set(at + BATCH_LENGTH, size - BATCH_PREFIX, 4);
    kafka_set(at + BATCH_LEADER_EPOCH, UINT32_MAX, 4); /* the broker's to know */
    kafka_set(at + BATCH_MAGIC, BATCH_FORMAT, 1);
    kafka_set(at + BATCH_FLAGS, (uint64_t)(BATCH_IS_TRANSACTIONAL | head->codec), 2);
    kafka_set(at + BATCH_LAST, count - 1, 4);
    kafka_set(at + BATCH_FIRST_MS, (uint64_t)head->now_ms, 8);
    kafka_set(at + BATCH_MAX_MS, (uint64_t)head->now_ms, 8);
    kafka_set(at + BATCH_PRODUCER, (uint64_t)head->producer, 8);
    kafka_set(at + BATCH_PRODUCER_EPOCH, (uint64_t)head->epoch, 2);
    kafka_set(at + BATCH_SEQUENCE, (uint64_t)head->sequence, 4);
    kafka_set(at + BATCH_COUNT, count, 4);
    uint32_t sum = crc32_iscsi((unsigned char *)at + BATCH_FLAGS, (int)(size - BATCH_FLAGS), UINT32_MAX);
    kafka_set(at + BATCH_SUM, ~sum, 4);
}

void kafka_batch_write(const struct kafka_batch *batch, const struct kafka_batch_head *head,
                       struct buffer *out)
{
    static const char none[BATCH_RECORDS];
    size_t at = out->size;
    buffer_put(out, none, sizeof none);
    kafka_pack(head->codec, head->level, buffer_str(&batch->records), out);
    head_fill(out->data + at, out->size - at, batch->count, head);
}
