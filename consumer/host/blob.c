#include "host/blob.h"
#include "base/ensure.h"
#include <stdlib.h>

char *blob_room(struct blob *blob, size_t size)
{
    size_t wanted = blob->size + size;
    if (wanted <= blob->capacity) return blob->data + blob->size;
    size_t capacity = blob->capacity ? blob->capacity : 256;
    while (capacity < wanted)
        capacity *= 2;
    blob->data = realloc(blob->data, capacity);
    ensure(blob->data);
    blob->capacity = capacity;
    return blob->data + blob->size;
}

void blob_free(struct blob *blob)
{
    free(blob->data);
    *blob = (struct blob){0};
}
