#include "host/output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OUTPUT_CAPACITY = 1 << 20 }; /* bytes: a few thousand lines a write */

bool output_open(struct output *output, int file)
{
    *output = (struct output){.file = file, .data = malloc(OUTPUT_CAPACITY), .capacity = OUTPUT_CAPACITY};
    return output->data != NULL;
}

bool output_flush(struct output *output)
{
    for (size_t at = 0; at < output->size && !output->failed;) {
        ssize_t written = write(output->file, output->data + at, output->size - at);
        if (written >= 0)
            at += (size_t)written;
        else if (errno != EINTR)
            output->failed = true;
    }
    output->size = 0;
    return !output->failed;
}

char *output_room(struct output *output, size_t size)
{
    if (output->capacity - output->size >= size) return output->data + output->size;
    output_flush(output);
    if (output->capacity < size) {
        char *larger = realloc(output->data, size);
        if (!larger) {
            output->failed = true;
            return NULL;
        }
        output->data = larger;
        output->capacity = size;
    }
    return output->data;
}

void output_take(struct output *output, size_t size)
{
    output->size += size;
}

void output_put(struct output *output, struct relance_str text)
{
    char *room = output_room(output, text.size);
    if (!room) return;
    memcpy(room, text.data, text.size);
    output_take(output, text.size);
}

void output_close(struct output *output)
{
    free(output->data);
    output->data = NULL;
}
