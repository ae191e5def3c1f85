/* Memory of answers and of what was packed in them, used again for others. For this room only. */
#ifndef CONSUMER_KAFKA_CHUNK_H
#define CONSUMER_KAFKA_CHUNK_H

#include <stddef.h>

struct kafka_chunk {
    struct kafka_chunk *next;
    size_t capacity, size;
    size_t users; /* for whoever has it */
    unsigned char bytes[];
};

/* One of the spare ones, or another: of at least `size` bytes, which is its size. */
struct kafka_chunk *kafka_chunk_take(struct kafka_chunk **spare, size_t size);
/* The same chunk with as many bytes as it has, and a capacity of at least `size`; it may have moved. */
struct kafka_chunk *kafka_chunk_grow(struct kafka_chunk *chunk, size_t size);
/* All that stand in the list `chunks` are spare now, or freed where there are enough. */
void kafka_chunk_give(struct kafka_chunk **spare, struct kafka_chunk *chunks);
void kafka_chunk_free(struct kafka_chunk *chunks);
/* In front of a list. */
static inline void kafka_chunk_push(struct kafka_chunk **list, struct kafka_chunk *chunk)
{
    chunk->next = *list;
    *list = chunk;
}

#endif
