/* Any bytes as what a broker answers to a fetch: how many transactions were aborted, these, from where it was asked, the
 * batches. Whatever is read of it comes in order, lies within those bytes, and comes to an end. */
#include "base/ensure.h"
#include "kafka/batches.h"
#include "kafka/number.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ABORTED_MAX = 16, OFFSET_BYTES = 8, PARTITION = 3 };

/* The batches are in a place of their own, so that a sanitizer sees whoever leaves them. */
struct answer {
    int64_t from;
    struct kafka_aborted *aborted;
    size_t aborted_count, size;
    char *bytes;
    struct kafka_batches batches;
};

static bool answer_take(const uint8_t *data, size_t size, struct answer *out)
{
    size_t count = size ? data[0] % (ABORTED_MAX + 1) : 0, head = 1 + (2 * count + 1) * OFFSET_BYTES;
    if (size < head) return false;
    *out = (struct answer){.aborted_count = count, .size = size - head, .bytes = malloc(size - head)};
    out->aborted = count ? malloc(count * sizeof *out->aborted) : NULL;
    ensure(out->bytes && (out->aborted || !count));
    const uint8_t *at = data + 1;
    for (size_t i = 0; i < count; i++, at += 2 * OFFSET_BYTES) {
        out->aborted[i].producer = kafka_get_int64(at);
        out->aborted[i].first = kafka_get_int64(at + OFFSET_BYTES);
    }
    out->from = kafka_get_int64(at) & INT64_MAX; /* nobody asks from before the start */
    memcpy(out->bytes, data + head, out->size);
    return true;
}

static bool lies_in(str text, const char *bytes, size_t size)
{
    return text.data >= bytes && text.size <= size && text.data - bytes <= (ptrdiff_t)(size - text.size);
}

static void check_place(const struct answer *answer, str text)
{
    bool lies = text.data ? lies_in(text, answer->bytes, answer->size) : !text.size;
    for (const struct kafka_chunk *chunk = answer->batches.unpacked; chunk && !lies; chunk = chunk->next)
        lies = lies_in(text, (const char *)chunk->bytes, chunk->size);
    ensure(lies);
}

static void check_record(const struct answer *answer, const struct source_record *record)
{
    struct relance_header headers[SOURCE_HEADERS_MAX], first;
    check_place(answer, record->key);
    check_place(answer, record->value);
    check_place(answer, record->headers);
    ensure(record->partition == PARTITION && !record->message);
    size_t count = kafka_batches_headers(record->headers, headers, SOURCE_HEADERS_MAX);
    ensure(count <= SOURCE_HEADERS_MAX);
    ensure(kafka_batches_headers(record->headers, &first, 1) == (count > 0));
    for (size_t i = 0; i < count; i++) {
        check_place(answer, headers[i].name);
        check_place(answer, headers[i].value);
    }
}

/* A record takes some bytes, and each is handed out once at most. */
static void check_batches(struct answer *answer)
{
    struct kafka_batches *batches = &answer->batches;
    const int64_t end = batches->end;
    int64_t next = answer->from;
    enum kafka_batches_answer said;
    struct source_record record;
    ensure(batches->next == next && end >= next);
    for (size_t count = 0; (said = kafka_batches_next(batches, &record)) == KAFKA_BATCHES_RECORD; count++) {
        ensure((count < answer->size || batches->unpacked) && record.offset >= next && record.offset < end);
        next = record.offset + 1;
        ensure(batches->next == next && batches->end == end);
        check_record(answer, &record);
    }
    ensure(batches->next >= next && batches->next <= end && batches->end == end);
    ensure(said == KAFKA_BATCHES_END ? batches->next == end : said == KAFKA_BATCHES_BROKEN);
    next = batches->next;
    ensure(kafka_batches_next(batches, &record) == said && batches->next == next);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct kafka_chunk *spare, *spent;
    static struct kafka_unpacker *unpacker;
    struct answer answer;
    if (!answer_take(data, size, &answer)) return 0;
    if (!unpacker) unpacker = kafka_unpacker_new(&spare);
    if (kafka_batches_open((str){answer.bytes, answer.size}, PARTITION, answer.from, answer.aborted,
                           answer.aborted_count, unpacker, &answer.batches)) {
        check_batches(&answer);
        kafka_batches_close(&answer.batches, &spent);
    }
    kafka_chunk_give(&spare, spent);
    spent = NULL;
    free(answer.bytes);
    return 0;
}
