/* Strings: code points, counted and cut in UTF-8. Places are code points from 0. */
#include "cel/func.h"

#include "base/buffer.h"
#include "base/limits.h"
#include "cel/encode.h"
#include "cel/regex.h"

static struct cel_value fail_place(struct machine *m, int64_t place)
{
    return cel_fail(m->frame, CEL_ERROR_ARGUMENT, "index out of range: %lld", (long long)place);
}

static struct cel_value piece(str s, size_t begin, size_t end)
{
    return cel_string(str_slice(s, begin, end));
}

/* The text of the result, cut off from what the buffer holds. */
static struct cel_value finish_text(struct machine *m, struct buffer *buffer, uint8_t kind)
{
    m->over = m->frame->scratch->used > m->used_max;
    if (buffer->failed || m->over) return machine_exhausted(m);
    return (struct cel_value){
        .kind = kind, .size = (uint32_t)buffer->size, .as.s = buffer->data ? buffer->data : ""};
}

/* A place found, in code points; -1: nowhere. */
static struct cel_value place_of(struct machine *m, str s, size_t byte)
{
    return cel_int(byte == SIZE_MAX ? -1 : (int64_t)text_points(m, str_slice(s, 0, byte)));
}

/* ---- questions */

struct cel_value string_contains(struct machine *m, const struct cel_value *a)
{
    return cel_bool(text_find(m, cel_text(a[0]), cel_text(a[1]), 0) != SIZE_MAX);
}

struct cel_value string_starts_with(struct machine *m, const struct cel_value *a)
{
    return cel_bool(text_begins(m, cel_text(a[0]), cel_text(a[1])));
}

struct cel_value string_ends_with(struct machine *m, const struct cel_value *a)
{
    return cel_bool(text_ends_with(m, cel_text(a[0]), cel_text(a[1])));
}

bool match_pattern(struct machine *m, const struct regex *regex, str text)
{
    enum { BEGINNING = 16 }; /* what a search costs before its first byte */
    return machine_touch(m, (text.size + BEGINNING) * regex_size(regex)) &&
           regex_match(regex, text.data, text.size);
}

/* A pattern that is no constant is compiled each time: its text pays for reading it, its program for being made. */
struct cel_value string_matches(struct machine *m, const struct cel_value *a)
{
    enum { INSTRUCTION_STEPS = 6, LARGE_STEPS = 15 * LIMIT_CEL_REGEX_PROGRAM };
    if (!machine_spend(m, regex_cost(a[1].as.s, a[1].size))) return cel_bool(false);
    char error[100] = "";
    bool large;
    struct regex *regex = regex_new(a[1].as.s, a[1].size, &large, error, sizeof error);
    machine_spend(m, large ? LARGE_STEPS : regex ? INSTRUCTION_STEPS * regex_size(regex) : 0);
    if (!regex) return cel_fail(m->frame, CEL_ERROR_ARGUMENT, "not a valid RE2 pattern: %s", error);
    bool found = match_pattern(m, regex, cel_text(a[0]));
    regex_free(regex);
    return cel_bool(found);
}

struct cel_value string_index_of(struct machine *m, const struct cel_value *a)
{
    str s = cel_text(a[0]);
    return place_of(m, s, text_find(m, s, cel_text(a[1]), 0));
}

struct cel_value string_index_of_from(struct machine *m, const struct cel_value *a)
{
    str s = cel_text(a[0]);
    size_t from;
    if (a[2].as.i < 0 || !text_place(m, s, a[2].as.i, &from)) return fail_place(m, a[2].as.i);
    return place_of(m, s, text_find(m, s, cel_text(a[1]), from));
}

struct cel_value string_last_index_of(struct machine *m, const struct cel_value *a)
{
    str s = cel_text(a[0]);
    return place_of(m, s, text_find_last(m, s, cel_text(a[1]), s.size));
}

struct cel_value string_last_index_of_to(struct machine *m, const struct cel_value *a)
{
    str s = cel_text(a[0]);
    size_t from;
    if (a[2].as.i < 0 || !text_place(m, s, a[2].as.i, &from)) return fail_place(m, a[2].as.i);
    return place_of(m, s, text_find_last(m, s, cel_text(a[1]), from));
}

/* ---- pieces */

struct cel_value string_char_at(struct machine *m, const struct cel_value *a)
{
    str s = cel_text(a[0]);
    size_t at;
    if (a[1].as.i < 0 || !text_place(m, s, a[1].as.i, &at)) return fail_place(m, a[1].as.i);
    return piece(s, at, at + (at < s.size ? text_step(m, s, at) : 0));
}

struct cel_value string_substring(struct machine *m, const struct cel_value *a)
{
    str s = cel_text(a[0]);
    size_t begin;
    if (a[1].as.i < 0 || !text_place(m, s, a[1].as.i, &begin)) return fail_place(m, a[1].as.i);
    return piece(s, begin, s.size);
}

struct cel_value string_substring_to(struct machine *m, const struct cel_value *a)
{
    str s = cel_text(a[0]);
    size_t begin, end;
    if (a[1].as.i < 0 || !text_place(m, s, a[1].as.i, &begin)) return fail_place(m, a[1].as.i);
    if (a[2].as.i < a[1].as.i || !text_place(m, s, a[2].as.i, &end)) return fail_place(m, a[2].as.i);
    return piece(s, begin, end);
}

/* Unicode's White_Space. */
static bool is_space(const char *at, size_t length)
{
    const unsigned char *c = (const unsigned char *)at;
    if (length == 1) return c[0] == ' ' || (c[0] >= '\t' && c[0] <= '\r');
    if (length == 2) return c[0] == 0xC2 && (c[1] == 0x85 || c[1] == 0xA0);
    if (length != 3) return false;
    unsigned point = (c[0] & 0x0Fu) << 12 | (c[1] & 0x3Fu) << 6 | (c[2] & 0x3Fu);
    return (c[0] & 0xF0) == 0xE0 &&
           (point == 0x1680 || (point >= 0x2000 && point <= 0x200A) || point == 0x2028 || point == 0x2029 ||
            point == 0x202F || point == 0x205F || point == 0x3000);
}

/* Where the code point begins that ends before `end`. */
static size_t step_back(struct machine *m, str s, size_t begin, size_t end)
{
    size_t last = end - 1;
    while (last > begin && ((unsigned char)s.data[last] & 0xC0) == 0x80)
        last--;
    machine_touch(m, end - last);
    return last;
}

struct cel_value string_trim(struct machine *m, const struct cel_value *a)
{
    str s = cel_text(a[0]);
    size_t begin = 0, end = s.size;
    while (begin < end) {
        size_t length = text_step(m, s, begin);
        if (!is_space(s.data + begin, length)) break;
        begin += length;
    }
    while (begin < end) {
        size_t last = step_back(m, s, begin, end);
        if (!is_space(s.data + last, end - last)) break;
        end = last;
    }
    return piece(s, begin, end);
}

/* ---- new texts */

static struct cel_value cased(struct machine *m, const struct cel_value *a, char first, char last)
{
    char *text = machine_touch(m, a->size) ? machine_alloc(m, a->size) : NULL;
    if (!text) return machine_exhausted(m);
    for (size_t i = 0; i < a->size; i++) {
        char c = a->as.s[i];
        text[i] = c >= first && c <= last ? (char)(c ^ 32) : c;
    }
    return (struct cel_value){.kind = CEL_STRING, .size = a->size, .as.s = text};
}

struct cel_value string_lower_ascii(struct machine *m, const struct cel_value *a)
{
    return cased(m, a, 'A', 'Z');
}

struct cel_value string_upper_ascii(struct machine *m, const struct cel_value *a)
{
    return cased(m, a, 'a', 'z');
}

struct cel_value string_reverse(struct machine *m, const struct cel_value *a)
{
    str s = cel_text(a[0]);
    char *text = machine_alloc(m, s.size);
    if (!text) return machine_exhausted(m);
    for (size_t at = 0, length; at < s.size; at += length) {
        length = text_step(m, s, at);
        memcpy(text + s.size - at - length, s.data + at, length);
    }
    return cel_string((str){text, s.size});
}

static struct cel_value join(struct machine *m, struct cel_value texts, str between)
{
    const struct cel_list *list = texts.as.list;
    size_t size = 0;
    if (!list_touch(m, list->count)) return machine_out_of_steps(m);
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].kind != CEL_STRING) return fail_overload(m, "join");
        size += list->items[i].size + (i ? between.size : 0);
        if (!machine_room(m, 1, size)) return machine_exhausted(m);
    }
    char *text = machine_touch(m, size) ? machine_alloc(m, size) : NULL, *at = text;
    if (!text) return machine_exhausted(m);
    for (size_t i = 0; i < list->count; i++) {
        if (i && between.size) at = (char *)memcpy(at, between.data, between.size) + between.size;
        str s = cel_text(list->items[i]);
        if (s.size) at = (char *)memcpy(at, s.data, s.size) + s.size;
    }
    return cel_string((str){text, size});
}

struct cel_value string_join(struct machine *m, const struct cel_value *a)
{
    return join(m, a[0], (str){"", 0});
}

struct cel_value string_join_with(struct machine *m, const struct cel_value *a)
{
    return join(m, a[0], cel_text(a[1]));
}

/* Where the next separator begins at or after `from`; an empty one stands between all code points. */
static size_t next_break(struct machine *m, str s, str separator, size_t from)
{
    if (separator.size) return text_find(m, s, separator, from);
    size_t end = from < s.size ? from + text_step(m, s, from) : s.size;
    return end < s.size ? end : SIZE_MAX;
}

static struct cel_value split(struct machine *m, str s, str separator, int64_t limit)
{
    size_t count = 1;
    if (limit == 0 || (!separator.size && !s.size)) count = 0;
    for (size_t at = 0;
         count && (limit < 0 || (int64_t)count < limit) && (at = next_break(m, s, separator, at)) != SIZE_MAX;
         count++)
        at += separator.size;
    struct cel_list *list = list_new(m, count);
    if (!list) return machine_exhausted(m);
    size_t at = 0;
    for (size_t i = 0; i + 1 < count; i++) {
        size_t end = next_break(m, s, separator, at);
        if (machine_ended(m)) return machine_out_of_steps(m);
        list->items[list->count++] = piece(s, at, end);
        at = end + separator.size;
    }
    if (count) list->items[list->count++] = piece(s, at, s.size);
    return list_value(list);
}

struct cel_value string_split(struct machine *m, const struct cel_value *a)
{
    return split(m, cel_text(a[0]), cel_text(a[1]), -1);
}

struct cel_value string_split_some(struct machine *m, const struct cel_value *a)
{
    return split(m, cel_text(a[0]), cel_text(a[1]), a[2].as.i);
}

static struct cel_value replace(struct machine *m, str s, str old, str new, int64_t limit)
{
    struct buffer buffer;
    buffer_init(&buffer, m->frame->scratch);
    size_t at = 0;
    for (; limit != 0 && !machine_ended(m); limit--) {
        size_t found = text_find(m, s, old, at);
        if (found == SIZE_MAX || !machine_room(m, 2, buffer.size + new.size)) break;
        text_put(m, &buffer, str_slice(s, at, found));
        text_put(m, &buffer, new);
        at = found + old.size;
        if (old.size) continue;
        if (at >= s.size) return finish_text(m, &buffer, CEL_STRING); /* after the last code point too */
        size_t length = text_step(m, s, at);
        text_put(m, &buffer, str_slice(s, at, at + length));
        at += length;
    }
    if (m->over) return machine_exhausted(m);
    text_put(m, &buffer, str_slice(s, at, s.size));
    return finish_text(m, &buffer, CEL_STRING);
}

struct cel_value string_replace(struct machine *m, const struct cel_value *a)
{
    m->over = false;
    return replace(m, cel_text(a[0]), cel_text(a[1]), cel_text(a[2]), -1);
}

struct cel_value string_replace_some(struct machine *m, const struct cel_value *a)
{
    m->over = false;
    return replace(m, cel_text(a[0]), cel_text(a[1]), cel_text(a[2]), a[3].as.i);
}

struct cel_value string_quote(struct machine *m, const struct cel_value *a)
{
    static const char escapes[] = "\aa\bb\ff\nn\rr\tt\vv\\\\\"\"";
    str s = cel_text(a[0]);
    if (!machine_touch(m, 4 * s.size) || !machine_room(m, 4, s.size + 2)) return machine_exhausted(m);
    struct buffer buffer;
    buffer_init(&buffer, m->frame->scratch);
    buffer_put_char(&buffer, '"');
    for (size_t i = 0; i < s.size; i++) {
        const char *escape = NULL;
        for (const char *e = escapes; *e && !escape; e += 2)
            if (*e == s.data[i]) escape = e;
        if (escape) buffer_put_char(&buffer, '\\');
        buffer_put_char(&buffer, escape ? escape[1] : s.data[i]);
    }
    buffer_put_char(&buffer, '"');
    return finish_text(m, &buffer, CEL_STRING);
}

/* ---- base64 */

struct cel_value base64_of_bytes(struct machine *m, const struct cel_value *a)
{
    if (!machine_touch(m, a->size) || !machine_room(m, 4, a->size)) return machine_exhausted(m);
    struct buffer buffer;
    buffer_init(&buffer, m->frame->scratch);
    base64_encode(cel_text(*a), &buffer);
    return finish_text(m, &buffer, CEL_STRING);
}

struct cel_value base64_to_bytes(struct machine *m, const struct cel_value *a)
{
    if (!machine_touch(m, 4 * a->size) || !machine_room(m, 2, a->size)) return machine_exhausted(m);
    struct buffer buffer;
    buffer_init(&buffer, m->frame->scratch);
    if (!base64_decode(cel_text(*a), &buffer))
        return cel_fail(m->frame, CEL_ERROR_CONVERSION, "this is no base64");
    return finish_text(m, &buffer, CEL_BYTES);
}
