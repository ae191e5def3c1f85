#include "base/buffer.h"
#include "base/ensure.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void buffer_init(struct buffer *buffer, struct arena *arena)
{
    *buffer = (struct buffer){.arena = arena};
}

void buffer_init_bounded(struct buffer *buffer, struct arena *arena, size_t max)
{
    *buffer = (struct buffer){.arena = arena, .max = max};
}

void buffer_free(struct buffer *buffer)
{
    ensure(!buffer->arena);
    free(buffer->data);
    *buffer = (struct buffer){0};
}

/* The bytes in a larger place; NULL where an arena has none. */
static char *buffer_move(struct buffer *buffer, size_t capacity)
{
    if (!buffer->arena) {
        char *data = realloc(buffer->data, capacity);
        ensure(data);
        return data;
    }
    char *data = arena_alloc(buffer->arena, capacity);
    if (data && buffer->size) memcpy(data, buffer->data, buffer->size);
    return data;
}

void buffer_init_counting(struct buffer *buffer)
{
    *buffer = (struct buffer){.counting = true};
}

/* From here on every put comes to buffer_reserve, and is swallowed there. */
static bool buffer_fail(struct buffer *buffer)
{
    buffer->failed = true;
    buffer->capacity = buffer->size;
    return false;
}

/* False where nothing is to be copied: memory has run out, or the buffer only counts. */
static bool buffer_reserve(struct buffer *buffer, size_t size)
{
    if (buffer->failed) return false;
    if (size <= buffer->capacity - buffer->size) return true;
    if (buffer->counting) {
        buffer->capacity = buffer->size += size; /* never room: each put comes here */
        return false;
    }
    if (buffer->max && size > buffer->max - buffer->size) {
        buffer->over = true;
        return buffer_fail(buffer);
    }
    size_t capacity = buffer->capacity ? buffer->capacity * 2 : BUFFER_MIN;
    while (capacity - buffer->size < size)
        capacity *= 2;
    if (buffer->max && capacity > buffer->max) capacity = buffer->max;
    char *data = buffer_move(buffer, capacity);
    if (!data) return buffer_fail(buffer);
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

char *buffer_room(struct buffer *buffer, size_t size)
{
    return buffer_reserve(buffer, size) ? buffer->data + buffer->size : NULL;
}

void buffer_put_beyond(struct buffer *buffer, const void *data, size_t size)
{
    if (!buffer_reserve(buffer, size)) return;
    memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
}

size_t buffer_copy(const struct buffer *buffer, char *out, size_t size)
{
    size_t wanted = buffer->failed ? 0 : buffer->size, written = wanted < size ? wanted : size;
    if (written) memcpy(out, buffer->data, written);
    return wanted;
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

size_t json_escape(unsigned char c, char out[6])
{
    static const char names[32] = {['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    static const char digits[] = "0123456789abcdef";
    out[0] = '\\';
    out[1] = c >= 0x20 ? (char)c : names[c] ? names[c] : 'u';
    if (out[1] != 'u') return 2;
    out[2] = out[3] = '0';
    out[4] = digits[c >> 4];
    out[5] = digits[c & 15];
    return 6;
}

/* Is one of eight bytes not plain? A byte's high bit comes to be set where it is below 0x20, a quote or a backslash. */
static bool has_special(uint64_t word)
{
    const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
    uint64_t quote = word ^ (ones * '"'), backslash = word ^ (ones * '\\');
    uint64_t special =
        ((word - ones * 0x20) & ~word) | ((quote - ones) & ~quote) | ((backslash - ones) & ~backslash);
    return special & highs;
}

/* Where the first byte at or behind `from` stands that is not plain; the size where there is none. */
static size_t plain_prefix(str s, size_t from)
{
    for (; from + 8 <= s.size; from += 8) {
        uint64_t word;
        memcpy(&word, s.data + from, sizeof word);
        if (has_special(word)) break;
    }
    while (from < s.size && json_is_plain((unsigned char)s.data[from]))
        from++;
    return from;
}

/* Copies a text while its bytes are plain: true, all are. The last eight are looked at once more where they are no whole
 * step of their own. */
static bool copy_plain(char *out, str s)
{
    uint64_t word;
    size_t at = 0;
    for (; at + 8 <= s.size; at += 8) {
        memcpy(&word, s.data + at, sizeof word);
        if (has_special(word)) return false;
        memcpy(out + at, &word, sizeof word);
    }
    if (at && at < s.size) {
        memcpy(&word, s.data + s.size - 8, sizeof word);
        memcpy(out + s.size - 8, &word, sizeof word);
        return !has_special(word);
    }
    for (; at < s.size && json_is_plain((unsigned char)s.data[at]); at++)
        out[at] = s.data[at];
    return at == s.size;
}

void buffer_put_json_string(struct buffer *buffer, str s)
{
    char code[6];
    buffer_put_char(buffer, '"');
    if (s.size < buffer->capacity - buffer->size && copy_plain(buffer->data + buffer->size, s)) {
        buffer->size += s.size;
        buffer->data[buffer->size++] = '"';
        return;
    }
    size_t plain = 0; /* begin of what needs no escape */
    for (size_t i = plain_prefix(s, 0); i < s.size; i = plain_prefix(s, i + 1)) {
        unsigned char c = (unsigned char)s.data[i];
        buffer_put(buffer, s.data + plain, i - plain);
        buffer_put(buffer, code, json_escape(c, code));
        plain = i + 1;
    }
    buffer_put_str(buffer, str_slice(s, plain, s.size));
    buffer_put_char(buffer, '"');
}
