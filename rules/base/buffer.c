#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>

enum { BUFFER_MIN = 256 };

void buffer_init(struct buffer *buffer, struct arena *arena)
{
    *buffer = (struct buffer){.arena = arena};
}

static bool buffer_reserve(struct buffer *buffer, size_t size)
{
    if (buffer->failed) return false;
    if (size <= buffer->capacity - buffer->size) return true;
    size_t capacity = buffer->capacity ? buffer->capacity * 2 : BUFFER_MIN;
    while (capacity - buffer->size < size) capacity *= 2;
    char *data = arena_alloc(buffer->arena, capacity);
    if (!data) {
        buffer->failed = true;
        return false;
    }
    if (buffer->size) memcpy(data, buffer->data, buffer->size);
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

void buffer_put(struct buffer *buffer, const void *data, size_t size)
{
    if (!size || !buffer_reserve(buffer, size)) return;
    memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
}

void buffer_put_str(struct buffer *buffer, str s)
{
    buffer_put(buffer, s.data, s.size);
}

void buffer_put_char(struct buffer *buffer, char c)
{
    buffer_put(buffer, &c, 1);
}

void buffer_put_format(struct buffer *buffer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (size < 0 || !buffer_reserve(buffer, (size_t)size + 1)) return;
    va_start(arguments, format);
    vsnprintf(buffer->data + buffer->size, (size_t)size + 1, format, arguments);
    va_end(arguments);
    buffer->size += (size_t)size;
}

/* Escapes of RFC 8259 §7: the quote, the backslash and what is below U+0020. */
void buffer_put_json_string(struct buffer *buffer, str s)
{
    static const char names[32] = {['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    static const char digits[] = "0123456789abcdef";
    buffer_put_char(buffer, '"');
    size_t plain = 0; /* begin of what needs no escape */
    for (size_t i = 0; i < s.size; i++) {
        unsigned char c = (unsigned char)s.data[i];
        if (c >= 0x20 && c != '"' && c != '\\') continue;
        buffer_put(buffer, s.data + plain, i - plain);
        plain = i + 1;
        if (c >= 0x20)
            buffer_put(buffer, (char[]){'\\', (char)c}, 2);
        else if (names[c])
            buffer_put(buffer, (char[]){'\\', names[c]}, 2);
        else
            buffer_put(buffer, (char[]){'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]}, 6);
    }
    buffer_put_str(buffer, str_slice(s, plain, s.size));
    buffer_put_char(buffer, '"');
}
