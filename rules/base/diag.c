#include "base/diag.h"

#include "base/buffer.h"
#include "base/limits.h"
#include "base/plain.h"

#include <stdio.h>
#include <stdlib.h>

void diag_init(struct diagnostics *diag, struct arena *arena)
{
    *diag = (struct diagnostics){.arena = arena};
}

static unsigned hex_value(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : ((unsigned)c | 0x20u) - 'a' + 10;
}

static unsigned hex4(const char *p)
{
    return hex_value(p[0]) << 12 | hex_value(p[1]) << 8 | hex_value(p[2]) << 4 | hex_value(p[3]);
}

/* One unit of a JSON string literal: its bytes in the file, and the bytes it became. */
struct unit {
    size_t written, decoded;
};

static struct unit escape_unit(str text, size_t at)
{
    size_t left = text.size - at;
    if (text.data[at] != '\\' || left < 2) return (struct unit){1, 1};
    if (text.data[at + 1] != 'u' || left < 6) return (struct unit){2, 1};
    unsigned point = hex4(text.data + at + 2);
    bool pair = point >= 0xD800 && point < 0xDC00 && left >= 12 && text.data[at + 6] == '\\';
    if (pair) return (struct unit){12, 4};
    return (struct unit){6, point < 0x80 ? 1 : point < 0x800 ? 2 : 3};
}

/* The offset in the file of byte `at` of the text. */
static size_t origin_offset(struct origin origin, size_t at)
{
    if (!origin.escaped) return origin.offset + at;
    str text = origin.source->text;
    size_t file = origin.offset;
    for (size_t done = 0; done < at && file < text.size;) {
        struct unit unit = escape_unit(text, file);
        file += unit.written;
        done += unit.decoded;
    }
    return file;
}

struct origin origin_at(struct origin origin, size_t at)
{
    return (struct origin){origin.source, origin_offset(origin, at), origin.escaped};
}

static bool diag_copy(struct diagnostics *diag, str s, str *out)
{
    if (s.size == 0) return true;
    return arena_copy_str(diag->arena, s, out);
}

bool diag_is_full(const struct diagnostics *diag)
{
    return diag->kept == LIMIT_DIAGNOSTICS;
}

void diag_add(struct diagnostics *diag, enum severity severity, struct origin origin, size_t begin,
              size_t end, str hint, const char *format, ...)
{
    if (severity == SEVERITY_ERROR)
        diag->error_count++;
    else
        diag->warning_count++;
    if (diag_is_full(diag)) {
        diag->left_out++;
        return;
    }
    diag->kept++;
    char message[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    struct diagnostic *d = ARENA_NEW(diag->arena, struct diagnostic);
    if (!d || !diag_copy(diag, str_of(message), &d->message) || !diag_copy(diag, hint, &d->hint)) {
        diag->failed = true;
        return;
    }
    d->severity = severity;
    d->source = origin.source;
    d->begin = origin_offset(origin, begin);
    d->end = end > begin ? origin_offset(origin, end) : d->begin;
    if (diag->last)
        diag->last->next = d;
    else
        diag->first = d;
    diag->last = d;
}

static int diag_order(const struct diagnostic *a, const struct diagnostic *b)
{
    size_t file_a = a->source ? a->source->order : 0, file_b = b->source ? b->source->order : 0;
    if (file_a != file_b) return file_a < file_b ? -1 : 1;
    if (a->begin != b->begin) return a->begin < b->begin ? -1 : 1;
    if (a->severity != b->severity) return a->severity == SEVERITY_ERROR ? -1 : 1;
    return str_compare(a->message, b->message);
}

static struct diagnostic *diag_merge(struct diagnostic *a, struct diagnostic *b)
{
    struct diagnostic head = {0}, *tail = &head;
    while (a && b) {
        struct diagnostic **lesser = diag_order(a, b) <= 0 ? &a : &b;
        tail = tail->next = *lesser;
        *lesser = (*lesser)->next;
    }
    tail->next = a ? a : b;
    return head.next;
}

static struct diagnostic *diag_sort_list(struct diagnostic *list)
{
    if (!list || !list->next) return list;
    struct diagnostic *slow = list, *fast = list->next;
    while (fast && fast->next) {
        slow = slow->next;
        fast = fast->next->next;
    }
    struct diagnostic *half = slow->next;
    slow->next = NULL;
    return diag_merge(diag_sort_list(list), diag_sort_list(half));
}

void diag_sort(struct diagnostics *diag)
{
    diag->first = diag_sort_list(diag->first);
    diag->last = diag->first;
    for (struct diagnostic *d = diag->first; d; d = d->next) {
        while (d->next && d->source == d->next->source && diag_order(d, d->next) == 0) {
            if (d->next->severity == SEVERITY_ERROR)
                diag->error_count--;
            else
                diag->warning_count--;
            d->next = d->next->next;
        }
        diag->last = d;
    }
}

/* A column is a code point, or a byte that belongs to none. */
static size_t column_size(str text, size_t at)
{
    size_t length = utf8_length(text, at);
    return length ? length : 1;
}

static size_t columns(str text)
{
    size_t count = 0;
    for (size_t at = 0; at < text.size; at += column_size(text, at))
        count++;
    return count;
}

void source_cursor_move(struct source_cursor *c, const struct source *source, size_t at)
{
    str text = source->text;
    if (at > text.size) at = text.size;
    if (c->source != source || at < c->at) *c = (struct source_cursor){.source = source, .line = {1, 0, 0}};
    for (const char *feed; c->at < at && (feed = memchr(text.data + c->at, '\n', at - c->at));
         c->column = 0) {
        c->at = (size_t)(feed - text.data) + 1;
        c->line = (struct source_line){c->line.number + 1, c->at, 0};
    }
    c->column += columns(str_slice(text, c->at, at));
    c->at = at;
    if (c->line.end && at <= c->line.end) return; /* of this line: a new one has none yet */
    const char *end = text.size ? memchr(text.data + c->line.begin, '\n', text.size - c->line.begin) : NULL;
    c->line.end = end ? (size_t)(end - text.data) : text.size;
    if (c->line.end > c->line.begin && text.data[c->line.end - 1] == '\r') c->line.end--;
}

enum { INDEX_STEP = 4096 /* bytes */ };

bool source_index_make(struct source_index *index, struct arena *arena, const struct source *source)
{
    size_t count = source->text.size / INDEX_STEP + 1;
    struct source_cursor cursor = {0};
    *index = (struct source_index){.marks = ARENA_ARRAY(arena, struct source_cursor, count)};
    if (!index->marks) return false;
    for (size_t i = 0; i < count; i++) {
        source_cursor_move(&cursor, source, i * INDEX_STEP);
        index->marks[i] = cursor;
    }
    index->source = source;
    return true;
}

void source_index_place(const struct source_index *index, size_t at, size_t *line, size_t *column)
{
    struct source_cursor cursor = index->marks[at / INDEX_STEP];
    source_cursor_move(&cursor, index->source, at);
    *line = cursor.line.number;
    *column = cursor.column + 1;
}

void source_place(const struct source *source, size_t at, size_t *line, size_t *column)
{
    struct source_cursor cursor = {0};
    source_cursor_move(&cursor, source, at);
    *line = cursor.line.number;
    *column = cursor.column + 1;
}

enum { SHOWN_COLUMNS = 160, SHOWN_BEFORE = 100 }; /* of a long line, and of these before the mistake */

/* The place so many columns behind `at`, at most `end`. */
static size_t columns_behind(str text, size_t at, size_t end, size_t count)
{
    for (; at < end && count > 0; count--)
        at += column_size(text, at);
    return at < end ? at : end;
}

/* The place so many columns before `at`, at least `begin`. */
static size_t columns_before(str text, size_t begin, size_t at, size_t count)
{
    for (; at > begin && count > 0; count--) {
        size_t back = 1;
        while (back < 4 && back < at - begin && utf8_length(text, at - back) != back)
            back++;
        at -= utf8_length(text, at - back) == back ? back : 1;
    }
    return at;
}

/* The part of a line that is shown: all of it, or a window around the mistake. */
static struct source_line line_window(str text, struct source_line line, size_t at)
{
    if (columns_behind(text, line.begin, line.end, SHOWN_COLUMNS) == line.end) return line;
    size_t begin = columns_before(text, line.begin, at < line.end ? at : line.end, SHOWN_BEFORE);
    return (struct source_line){line.number, begin, columns_behind(text, begin, line.end, SHOWN_COLUMNS)};
}

/* What may not be shown as it stands, as '?': a column for each, so that carets stand below what they mean. */
static void put_shown(struct buffer *out, str text)
{
    for (size_t at = 0; at < text.size;) {
        size_t end = plain_end(text, at);
        buffer_put(out, text.data + at, end - at);
        if (end < text.size) buffer_put_char(out, text.data[end] == '\t' ? ' ' : '?');
        at = end < text.size ? end + column_size(text, end) : end;
    }
}

static void diag_print_excerpt(const struct diagnostic *d, struct source_line line, struct buffer *out)
{
    str text = d->source->text;
    struct source_line shown = line_window(text, line, d->begin);
    size_t begin = d->begin > shown.end ? shown.end : d->begin, end = d->end > shown.end ? shown.end : d->end;
    buffer_put_format(out, "%5zu | ", line.number);
    put_shown(out, str_slice(text, shown.begin, shown.end));
    buffer_put_str(out, STR("\n      | "));
    for (size_t i = columns(str_slice(text, shown.begin, begin)); i > 0; i--)
        buffer_put_char(out, ' ');
    buffer_put_char(out, '^');
    if (end > begin)
        for (size_t i = columns(str_slice(text, begin, end)); i > 1; i--)
            buffer_put_char(out, '^');
    if (d->hint.size) {
        buffer_put_char(out, ' ');
        put_shown(out, d->hint);
    }
    buffer_put_char(out, '\n');
}

static void diag_print_one(const struct diagnostic *d, struct source_cursor *cursor, struct buffer *out)
{
    const char *severity = d->severity == SEVERITY_ERROR ? "error" : "warning";
    if (!d->source) {
        buffer_put_format(out, "%s: ", severity);
        put_shown(out, d->message);
        buffer_put_char(out, '\n');
        return;
    }
    source_cursor_move(cursor, d->source, d->begin);
    put_shown(out, d->source->name);
    buffer_put_format(out, ":%zu:%zu: %s: ", cursor->line.number, cursor->column + 1, severity);
    put_shown(out, d->message);
    buffer_put_char(out, '\n');
    diag_print_excerpt(d, cursor->line, out);
}

void diag_print(const struct diagnostics *diag, struct buffer *out)
{
    struct source_cursor cursor = {0};
    for (const struct diagnostic *d = diag->first; d; d = d->next)
        diag_print_one(d, &cursor, out);
    if (diag->left_out) buffer_put_format(out, "and %zu more, which are not shown\n", diag->left_out);
    if (diag->failed) buffer_put_str(out, STR("error: out of memory while checking; more may be wrong\n"));
}
