/* Strings: code points, counted and cut in UTF-8. Places are code points from 0. */
#include "cel/func.h"

#include "base/buffer.h"
#include "cel/encode.h"
#include "cel/regex.h"

static struct cel_value fail_place(struct machine *m, int64_t place)
{
    return cel_fail(m->frame, CEL_ERROR_INDEX, "index out of range: %lld", (long long)place);
}

/* The bytes of the code point at `at`; where the text is no UTF-8, each byte counts as one. */
static size_t point_length(str s, size_t at)
{
    size_t length = utf8_length(s, at);
    return length ? length : 1;
}

/* The byte at which code point `place` begins; false outside. One past the last is the end. */
static bool byte_at(str s, int64_t place, size_t *byte)
{
    size_t at = 0;
    for (; place > 0 && at < s.size; place--)
        at += point_length(s, at);
    *byte = at;
    return place == 0;
}

static struct cel_value piece(str s, size_t begin, size_t end)
{
    return cel_string(str_slice(s, begin, end));
}

/* Where `needle` first begins at or after byte `from`; SIZE_MAX: nowhere. */
static size_t find_forward(str s, str needle, size_t from)
{
    if (needle.size == 0) return from;
    const char *at = from < s.size ? memmem(s.data + from, s.size - from, needle.data, needle.size) : NULL;
    return at ? (size_t)(at - s.data) : SIZE_MAX;
}

static bool match_at(str s, str needle, size_t at)
{
    return s.size - at >= needle.size && (!needle.size || memcmp(s.data + at, needle.data, needle.size) == 0);
}

static int64_t place_of(str s, size_t byte)
{
    return (int64_t)utf8_count(str_slice(s, 0, byte));
}

/* The text of the result, cut off from what the buffer holds. */
static struct cel_value finish_text(struct machine *m, struct buffer *buffer, uint8_t kind)
{
    m->over = m->frame->scratch->used > m->used_max;
    if (buffer->failed || m->over) return machine_exhausted(m);
    return (struct cel_value){
        .kind = kind, .size = (uint32_t)buffer->size, .as.s = buffer->data ? buffer->data : ""};
}

/* Room for what `count` pieces of `size` bytes need, so that no text is begun that cannot end. */
static bool reserve(struct machine *m, size_t count, size_t size)
{
    size_t total;
    m->over = __builtin_mul_overflow(count, size, &total) || m->frame->scratch->used + total > m->used_max;
    return !m->over;
}

/* ---- questions */

struct cel_value string_contains(struct machine *m, const struct cel_value *a)
{
    if (!machine_spend(m, a[0].size / 16)) return machine_out_of_steps(m);
    return cel_bool(find_forward(cel_text(a[0]), cel_text(a[1]), 0) != SIZE_MAX);
}

struct cel_value string_starts_with(struct machine *m, const struct cel_value *a)
{
    (void)m;
    return cel_bool(match_at(cel_text(a[0]), cel_text(a[1]), 0));
}

struct cel_value string_ends_with(struct machine *m, const struct cel_value *a)
{
    (void)m;
    str s = cel_text(a[0]), end = cel_text(a[1]);
    return cel_bool(s.size >= end.size && match_at(s, end, s.size - end.size));
}

struct cel_value string_matches(struct machine *m, const struct cel_value *a)
{
    if (!machine_spend(m, a[0].size / 16 + a[1].size + 100)) return machine_out_of_steps(m);
    char error[100] = "";
    struct regex *regex = regex_new(a[1].as.s, a[1].size, error, sizeof error);
    if (!regex) return cel_fail(m->frame, CEL_ERROR_ARGUMENT, "no RE2 pattern: %s", error);
    bool found = regex_match(regex, a[0].as.s, a[0].size);
    regex_free(regex);
    return cel_bool(found);
}

struct cel_value string_index_of(struct machine *m, const struct cel_value *a)
{
    struct cel_value three[] = {a[0], a[1], cel_int(0)};
    return string_index_of_from(m, three);
}

struct cel_value string_index_of_from(struct machine *m, const struct cel_value *a)
{
    str s = cel_text(a[0]);
    size_t from;
    if (a[2].as.i < 0 || !byte_at(s, a[2].as.i, &from)) return fail_place(m, a[2].as.i);
    if (!machine_spend(m, s.size / 16)) return machine_out_of_steps(m);
    size_t found = find_forward(s, cel_text(a[1]), from);
    return cel_int(found == SIZE_MAX ? -1 : place_of(s, found));
}

static int64_t find_backward(str s, str needle, size_t from)
{
    for (size_t at = from;; at--) {
        if (match_at(s, needle, at)) return place_of(s, at);
        if (at == 0) return -1;
    }
}

struct cel_value string_last_index_of(struct machine *m, const struct cel_value *a)
{
    str s = cel_text(a[0]);
    if (!machine_spend(m, s.size / 16)) return machine_out_of_steps(m);
    return cel_int(find_backward(s, cel_text(a[1]), s.size));
}

struct cel_value string_last_index_of_to(struct machine *m, const struct cel_value *a)
{
    str s = cel_text(a[0]);
    size_t from;
    if (a[2].as.i < 0 || !byte_at(s, a[2].as.i, &from)) return fail_place(m, a[2].as.i);
    if (!machine_spend(m, s.size / 16)) return machine_out_of_steps(m);
    return cel_int(find_backward(s, cel_text(a[1]), from));
}

/* ---- pieces */

struct cel_value string_char_at(struct machine *m, const struct cel_value *a)
{
    str s = cel_text(a[0]);
    size_t at;
    if (a[1].as.i < 0 || !byte_at(s, a[1].as.i, &at)) return fail_place(m, a[1].as.i);
    return piece(s, at, at + (at < s.size ? point_length(s, at) : 0));
}

struct cel_value string_substring(struct machine *m, const struct cel_value *a)
{
    str s = cel_text(a[0]);
    size_t begin;
    if (a[1].as.i < 0 || !byte_at(s, a[1].as.i, &begin)) return fail_place(m, a[1].as.i);
    return piece(s, begin, s.size);
}

struct cel_value string_substring_to(struct machine *m, const struct cel_value *a)
{
    str s = cel_text(a[0]);
    size_t begin, end;
    if (a[1].as.i < 0 || !byte_at(s, a[1].as.i, &begin)) return fail_place(m, a[1].as.i);
    if (a[2].as.i < a[1].as.i || !byte_at(s, a[2].as.i, &end)) return fail_place(m, a[2].as.i);
    return piece(s, begin, end);
}

/* Unicode's White_Space. */
static bool is_space(str s, size_t at, size_t length)
{
    static const char *const spaces[] = {
        " ",
        "\t",
        "\n",
        "\v",
        "\f",
        "\r",
        "\xC2\x85",
        "\xC2\xA0",
        "\xE1\x9A\x80",
        "\xE2\x80\x80",
        "\xE2\x80\x81",
        "\xE2\x80\x82",
        "\xE2\x80\x83",
        "\xE2\x80\x84",
        "\xE2\x80\x85",
        "\xE2\x80\x86",
        "\xE2\x80\x87",
        "\xE2\x80\x88",
        "\xE2\x80\x89",
        "\xE2\x80\x8A",
        "\xE2\x80\xA8",
        "\xE2\x80\xA9",
        "\xE2\x80\xAF",
        "\xE2\x81\x9F",
        "\xE3\x80\x80",
    };
    for (size_t i = 0; i < sizeof spaces / sizeof spaces[0]; i++)
        if (str_equal(str_slice(s, at, at + length), str_of(spaces[i]))) return true;
    return false;
}

struct cel_value string_trim(struct machine *m, const struct cel_value *a)
{
    (void)m;
    str s = cel_text(a[0]);
    size_t begin = 0, end = s.size, length;
    while (begin < end && is_space(s, begin, length = point_length(s, begin)))
        begin += length;
    while (begin < end) {
        size_t last = end - 1; /* the first byte of the last code point */
        while (last > begin && ((unsigned char)s.data[last] & 0xC0) == 0x80)
            last--;
        if (!is_space(s, last, end - last)) break;
        end = last;
    }
    return piece(s, begin, end);
}

/* ---- new texts */

static struct cel_value cased(struct machine *m, const struct cel_value *a, char first, char last)
{
    char *text = machine_alloc(m, a->size);
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
        length = point_length(s, at);
        memcpy(text + s.size - at - length, s.data + at, length);
    }
    return cel_string((str){text, s.size});
}

static struct cel_value join(struct machine *m, struct cel_value texts, str between)
{
    const struct cel_list *list = texts.as.list;
    size_t size = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].kind != CEL_STRING) return fail_overload(m, "join");
        size += list->items[i].size + (i ? between.size : 0);
        if (!reserve(m, 1, size)) return machine_exhausted(m);
    }
    char *text = machine_alloc(m, size), *at = text;
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
static size_t next_break(str s, str separator, size_t from)
{
    if (separator.size) return find_forward(s, separator, from);
    size_t end = from < s.size ? from + point_length(s, from) : s.size;
    return end < s.size ? end : SIZE_MAX;
}

static struct cel_value split(struct machine *m, str s, str separator, int64_t limit)
{
    size_t count = 1;
    if (limit == 0 || (!separator.size && !s.size)) count = 0;
    for (size_t at = 0;
         count && (limit < 0 || (int64_t)count < limit) && (at = next_break(s, separator, at)) != SIZE_MAX;
         count++)
        at += separator.size;
    struct cel_list *list = list_new(m, count);
    if (!list) return machine_exhausted(m);
    size_t at = 0;
    for (size_t i = 0; i + 1 < count; i++) {
        size_t end = next_break(s, separator, at);
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
    for (; limit != 0; limit--) {
        size_t found = find_forward(s, old, at);
        if (found == SIZE_MAX || !reserve(m, 2, buffer.size + new.size)) break;
        buffer_put_str(&buffer, str_slice(s, at, found));
        buffer_put_str(&buffer, new);
        at = found + old.size;
        if (old.size) continue;
        if (at >= s.size) return finish_text(m, &buffer, CEL_STRING); /* after the last code point too */
        size_t length = point_length(s, at);
        buffer_put_str(&buffer, str_slice(s, at, at + length));
        at += length;
    }
    if (m->over) return machine_exhausted(m);
    buffer_put_str(&buffer, str_slice(s, at, s.size));
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
    if (!reserve(m, 4, s.size + 2)) return machine_exhausted(m);
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
    if (!reserve(m, 4, a->size)) return machine_exhausted(m);
    struct buffer buffer;
    buffer_init(&buffer, m->frame->scratch);
    base64_encode(cel_text(*a), &buffer);
    return finish_text(m, &buffer, CEL_STRING);
}

struct cel_value base64_to_bytes(struct machine *m, const struct cel_value *a)
{
    if (!reserve(m, 2, a->size)) return machine_exhausted(m);
    struct buffer buffer;
    buffer_init(&buffer, m->frame->scratch);
    if (!base64_decode(cel_text(*a), &buffer))
        return cel_fail(m->frame, CEL_ERROR_CONVERSION, "this is no base64");
    return finish_text(m, &buffer, CEL_BYTES);
}
