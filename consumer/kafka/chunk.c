#include "kafka/chunk.h"
#include "base/ensure.h"

#include <stdlib.h>

/* Bytes: of the smallest, and of the largest that is kept for others; and how many are kept. */
enum { CHUNK_MIN = 1 << 16, CHUNK_KEPT = 1 << 23, CHUNK_SPARE_MAX = 4 };

static size_t chunk_round(size_t size)
{
    size_t capacity = CHUNK_MIN;
    while (capacity < size)
        capacity *= 2;
    return capacity;
}

struct kafka_chunk *kafka_chunk_grow(struct kafka_chunk *chunk, size_t size)
{
    chunk->capacity = chunk_round(size);
    chunk = realloc(chunk, sizeof *chunk + chunk->capacity);
    ensure(chunk);
    return chunk;
}

struct kafka_chunk *kafka_chunk_take(struct kafka_chunk **spare, size_t size)
{
    struct kafka_chunk *chunk = *spare;
    if (chunk) *spare = chunk->next;
    if (!chunk || chunk->capacity < size) {
        free(chunk);
        chunk = malloc(sizeof *chunk + chunk_round(size));
        ensure(chunk);
        chunk->capacity = chunk_round(size);
    }
    chunk->next = NULL;
    chunk->size = size;
    chunk->users = 0;
    return chunk;
}

void kafka_chunk_give(struct kafka_chunk **spare, struct kafka_chunk *chunks)
{
    size_t count = 0;
    for (const struct kafka_chunk *each = *spare; each; each = each->next)
        count++;
    while (chunks) {
        struct kafka_chunk *chunk = chunks;
        chunks = chunk->next;
        if (chunk->capacity <= CHUNK_KEPT && count < CHUNK_SPARE_MAX) {
            kafka_chunk_push(spare, chunk);
            count++;
        } else
            free(chunk);
    }
}

void kafka_chunk_free(struct kafka_chunk *chunks)
{
    while (chunks) {
        struct kafka_chunk *next = chunks->next;
        free(chunks);
        chunks = next;
    }
}
