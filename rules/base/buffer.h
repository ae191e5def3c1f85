/* Buffer: bytes that grow at the end.
 *
 * In an arena: once that has run out of memory the buffer swallows what is put and says so at the end: writers check
 * `failed` once, not at every put.
 *
 * Without one ({0}): memory of its own, which it keeps when emptied (size = 0), so that a warm one asks for none, and which
 * buffer_free gives back. What is put there is bounded by whoever puts it: without memory the process ends. */
#ifndef RULES_BASE_BUFFER_H
#define RULES_BASE_BUFFER_H

#include "base/arena.h"

enum { BUFFER_MIN = 256 }; /* bytes asked of the arena at first */

struct buffer {
    struct arena *arena; /* NULL: none */
    char *data;
    size_t size, capacity;
    size_t max;    /* bytes; 0: no bound but the arena's */
    bool counting; /* nothing is kept */
    bool failed;
    bool over; /* that is why it failed: more than `max` */
};

void buffer_init(struct buffer *buffer, struct arena *arena);
/* One that fails, and says `over`, where it would become larger than `max`. */
void buffer_init_bounded(struct buffer *buffer, struct arena *arena, size_t max);
void buffer_free(struct buffer *buffer); /* one without an arena */
/* At least so many free bytes behind the end; the size stays. NULL where an arena has none. */
char *buffer_room(struct buffer *buffer, size_t size);
/* A buffer that keeps nothing and only counts what is put (but for formats): `size` is what would be there. */
void buffer_init_counting(struct buffer *buffer);
/* What buffer_put does where there is not enough room. */
void buffer_put_beyond(struct buffer *buffer, const void *data, size_t size);
static inline void buffer_put(struct buffer *buffer, const void *data, size_t size)
{
    if (size > buffer->capacity - buffer->size) {
        buffer_put_beyond(buffer, data, size);
        return;
    }
    if (size) memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
}
static inline void buffer_put_str(struct buffer *buffer, str s)
{
    buffer_put(buffer, s.data, s.size);
}
static inline void buffer_put_char(struct buffer *buffer, char c)
{
    if (buffer->size < buffer->capacity)
        buffer->data[buffer->size++] = c;
    else
        buffer_put_beyond(buffer, &c, 1);
}
void buffer_put_format(struct buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Copies what is there as snprintf does: at most `size` bytes, no NUL; returns how many there are, 0 where memory ran out. */
size_t buffer_copy(const struct buffer *buffer, char *out, size_t size);
/* How a byte stands in a JSON string: itself, or as what json_escape writes, whose size it returns (RFC 8259
 * §7). */
static inline bool json_is_plain(unsigned char c)
{
    return c >= 0x20 && c != '"' && c != '\\';
}
size_t json_escape(unsigned char c, char out[6]);
/* A JSON string literal with its quotes, everything that RFC 8259 wants escaped, escaped. */
void buffer_put_json_string(struct buffer *buffer, str s);

static inline str buffer_str(const struct buffer *buffer)
{
    return (str){buffer->data, buffer->size};
}

#endif
