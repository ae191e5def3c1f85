/* Blob: bytes that grow at the end and keep their room when emptied, so that a warm one asks for no memory.
 * Without memory the process ends: everything put here is bounded by whoever puts it. */
#ifndef CONSUMER_HOST_BLOB_H
#define CONSUMER_HOST_BLOB_H

#include <relance/text.h>
#include <stdint.h>
#include <string.h>

struct blob {
    char *data;
    size_t size, capacity;
};

char *blob_room(struct blob *blob,
                size_t size); /* at least so many free bytes behind the end; blob->size stays */
void blob_free(struct blob *blob);

static inline void blob_put(struct blob *blob, const void *data, size_t size)
{
    if (!size) return;
    memcpy(blob_room(blob, size), data, size);
    blob->size += size;
}

static inline void blob_put_text(struct blob *blob, struct relance_str text)
{
    blob_put(blob, text.data, text.size);
}

static inline struct relance_str blob_text(const struct blob *blob)
{
    return (struct relance_str){blob->data, blob->size};
}

#endif
