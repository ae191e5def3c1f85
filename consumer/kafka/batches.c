#include "kafka/batches.h"
#include "kafka/batch_form.h"
#include "kafka/number.h"

#include <stdlib.h>

/* ---- what is there */
/* The size of the batch, 0: it is not all there. */
static size_t batch_size(const unsigned char *at, const unsigned char *bound)
{
    if (bound - at < BATCH_RECORDS) return 0;
    int32_t length = kafka_get_int32(at + BATCH_LENGTH);
    return length >= BATCH_RECORDS - BATCH_PREFIX && length <= bound - at - BATCH_PREFIX
               ? (size_t)length + BATCH_PREFIX
               : 0;
}

static int batch_codec(const unsigned char *at)
{
    return kafka_get_int16(at + BATCH_FLAGS) & BATCH_CODEC_MASK;
}

/* Its checksum is the transport's to check: TCP has one, and the broker had another look. */
static bool batch_is_readable(const unsigned char *at)
{
    int64_t first = kafka_get_int64(at);
    int32_t last = kafka_get_int32(at + BATCH_LAST);
    return at[BATCH_MAGIC] == BATCH_FORMAT && batch_codec(at) < KAFKA_CODECS && first >= 0 && last >= 0 &&
           first <= INT64_MAX - last - 1 && kafka_get_int32(at + BATCH_COUNT) >= 0;
}

static int64_t batch_end(const unsigned char *at)
{
    return kafka_get_int64(at) + kafka_get_int32(at + BATCH_LAST) + 1;
}

/* Another format says so, also where the batch is cut off. */
static bool batch_is_foreign(const unsigned char *at, const unsigned char *bound)
{
    return bound - at > BATCH_MAGIC && at[BATCH_MAGIC] != BATCH_FORMAT;
}

static int aborted_order(const void *a, const void *b)
{
    const struct kafka_aborted *left = a, *right = b;
    return (left->first > right->first) - (left->first < right->first);
}

bool kafka_batches_open(str bytes, int32_t partition, int64_t from, struct kafka_aborted *aborted,
                        size_t aborted_count, struct kafka_unpacker *unpacker, struct kafka_batches *out)
{
    const unsigned char *at = (const unsigned char *)bytes.data;
    const unsigned char *bound = bytes.size ? at + bytes.size : at; /* no bytes may have no place */
    *out = (struct kafka_batches){.next = from, .end = from, .partition = partition, .at = at};
    bool is_readable = true;
    for (size_t size; is_readable && (size = batch_size(at, bound)) > 0; at += size) {
        is_readable = batch_is_readable(at);
        if (is_readable && batch_end(at) > out->end) out->end = batch_end(at);
    }
    /* Of the first batch a broker sends all, however large it is: bytes without a batch are something else. */
    if (!is_readable || batch_is_foreign(at, bound) || (bytes.size && at == out->at)) {
        free(aborted);
        return false;
    }
    out->bound = at;
    out->unpacker = unpacker;
    out->aborted = aborted;
    out->aborted_count = aborted_count;
    if (aborted_count) qsort(aborted, aborted_count, sizeof *aborted, aborted_order);
    return true;
}

void kafka_batches_close(struct kafka_batches *batches, struct kafka_chunk **spent)
{
    while (batches->unpacked) {
        struct kafka_chunk *chunk = batches->unpacked;
        batches->unpacked = chunk->next;
        kafka_chunk_push(spent, chunk);
    }
    free(batches->aborted);
    *batches = (struct kafka_batches){0};
}

/* ---- aborted transactions: those that are open stand first, then those that are over, then those that begin later */
static void aborted_begin(struct kafka_batches *batches, int64_t last)
{
    while (batches->aborted_begun < batches->aborted_count &&
           batches->aborted[batches->aborted_begun].first <= last)
        batches->aborted[batches->aborted_open++] = batches->aborted[batches->aborted_begun++];
}

static bool aborted_find(const struct kafka_batches *batches, int64_t producer, size_t *index)
{
    for (*index = 0; *index < batches->aborted_open; ++*index)
        if (batches->aborted[*index].producer == producer) return true;
    return false;
}

/* Is there nothing in it for a reader of what is committed? A producer has one transaction at a time, which its marker ends,
 * also if a broker has told of it twice. */
static bool aborted_covers(struct kafka_batches *batches, const unsigned char *at)
{
    int flags = kafka_get_int16(at + BATCH_FLAGS);
    int64_t producer = kafka_get_int64(at + BATCH_PRODUCER);
    size_t index;
    aborted_begin(batches, batch_end(at) - 1);
    if (!(flags & BATCH_IS_TRANSACTIONAL)) return flags & BATCH_IS_MARKER;
    if (!(flags & BATCH_IS_MARKER)) return aborted_find(batches, producer, &index);
    while (aborted_find(batches, producer, &index))
        batches->aborted[index] = batches->aborted[--batches->aborted_open];
    return true;
}

/* ---- batches */
/* Where the batch at `at`, which ends at `bound`, has its records; false: they cannot be unpacked. */
static bool batch_open(struct kafka_batches *batches, const unsigned char *at, const unsigned char *bound)
{
    uint32_t count = (uint32_t)kafka_get_int32(at + BATCH_COUNT);
    batches->batch.at = at + BATCH_RECORDS;
    batches->batch.bound = bound;
    if (batch_codec(at) && count) {
        str packed = {(const char *)batches->batch.at, (size_t)(bound - batches->batch.at)};
        struct kafka_chunk *chunk = kafka_unpack(batches->unpacker, batch_codec(at), packed);
        if (!chunk) return false;
        kafka_chunk_push(&batches->unpacked, chunk);
        batches->batch.at = chunk->bytes;
        batches->batch.bound = chunk->bytes + chunk->size;
    }
    batches->batch.left = count;
    batches->batch.base = kafka_get_int64(at);
    batches->batch.last = kafka_get_int32(at + BATCH_LAST);
    batches->batch.is_log_time = kafka_get_int16(at + BATCH_FLAGS) & BATCH_IS_LOG_TIME;
    batches->batch.base_ms =
        kafka_get_int64(at + (batches->batch.is_log_time ? BATCH_MAX_MS : BATCH_FIRST_MS));
    return true;
}

/* To the next batch that has records for us, as if the first of them were read. */
static enum kafka_batches_answer batches_enter(struct kafka_batches *batches)
{
    for (const unsigned char *at; (at = batches->at) < batches->bound;) {
        const unsigned char *behind = at + batch_size(at, batches->bound);
        bool is_passed = aborted_covers(batches, at) || batch_end(at) <= batches->next;
        if (!is_passed && !batch_open(batches, at, behind)) return KAFKA_BATCHES_BROKEN;
        batches->at = behind;
        if (!is_passed) return KAFKA_BATCHES_RECORD;
        if (batch_end(at) > batches->next) batches->next = batch_end(at);
    }
    if (batches->end > batches->next) batches->next = batches->end;
    return KAFKA_BATCHES_END;
}

/* ---- records */
/* A text of a record, whose size comes before it; -1: none. */
static bool record_take_text(const unsigned char **at, const unsigned char *bound, str *out)
{
    int64_t size;
    *out = (str){0};
    if (!kafka_take_varint(at, bound, &size) || size < -1 || size > bound - *at) return false;
    if (size < 0) return true;
    *out = (str){(const char *)*at, (size_t)size};
    *at += size;
    return true;
}

static bool record_read(const struct kafka_batches *batches, const unsigned char *at,
                        const unsigned char *bound, struct source_record *record)
{
    int64_t later_ms, further;
    if (at == bound) return false;
    at++; /* flags, of which there are none yet */
    if (!kafka_take_varint(&at, bound, &later_ms) || !kafka_take_varint(&at, bound, &further) ||
        further < 0 || further > batches->batch.last || !record_take_text(&at, bound, &record->key) ||
        !record_take_text(&at, bound, &record->value))
        return false;
    record->offset = batches->batch.base + further;
    record->timestamp_ms = batches->batch.is_log_time
                               ? batches->batch.base_ms
                               : (int64_t)((uint64_t)batches->batch.base_ms + (uint64_t)later_ms);
    record->partition = batches->partition;
    record->message = NULL;
    record->headers = (str){(const char *)at, (size_t)(bound - at)};
    return true;
}

enum kafka_batches_answer kafka_batches_next(struct kafka_batches *batches, struct source_record *record)
{
    for (;;) {
        if (!batches->batch.left) {
            enum kafka_batches_answer answer = batches_enter(batches);
            if (answer != KAFKA_BATCHES_RECORD) return answer;
        }
        while (batches->batch.left) {
            int64_t size;
            const unsigned char *at = batches->batch.at, *bound = batches->batch.bound;
            if (!kafka_take_varint(&at, bound, &size) || size < 0 || size > bound - at ||
                !record_read(batches, at, at + size, record))
                return KAFKA_BATCHES_BROKEN;
            batches->batch.at = at + size;
            batches->batch.left--;
            if (record->offset < batches->next) continue;
            batches->next = record->offset + 1;
            return KAFKA_BATCHES_RECORD;
        }
    }
}

size_t kafka_batches_headers(str bytes, struct relance_header *out, size_t max)
{
    if (!bytes.size) return 0;
    const unsigned char *at = (const unsigned char *)bytes.data, *bound = at + bytes.size;
    int64_t count;
    size_t found = 0;
    if (!kafka_take_varint(&at, bound, &count)) return 0;
    while (found < max && (int64_t)found < count && record_take_text(&at, bound, &out[found].name) &&
           record_take_text(&at, bound, &out[found].value))
        found++;
    return found;
}
