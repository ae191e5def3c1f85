#include "json/scan.h"

void scan_begin(struct scan *scan, str text, const uint32_t *tokens, size_t count, char *room,
                unsigned depth_max)
{
    scan->text = text.data; /* one by one: to clear all of it first costs more than the rest of this */
    scan->next = tokens;
    scan->end = tokens + count;
    scan->room = room;
    scan->has_escapes = memchr(text.data, '\\', text.size) != NULL;
    scan->depth = 0;
    scan->depth_max = depth_max;
    scan->fault = SCAN_OK;
    scan->fault_at = 0;
}

void scan_fail(struct scan *scan, enum scan_fault fault, size_t at)
{
    if (scan->fault != SCAN_OK) return;
    scan->fault = fault;
    scan->fault_at = at;
    scan->next = scan->end;
}

void scan_fail_next(struct scan *scan)
{
    scan_fail(scan, SCAN_BROKEN, *scan->next);
}

enum scan_fault scan_finish(struct scan *scan)
{
    if (scan->next != scan->end) scan_fail_next(scan);
    return scan->fault;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The four digits of a \u escape; false when there are none. */
static bool read_hex(const char *p, const char *end, uint32_t *unit)
{
    *unit = 0;
    if (end - p < 4) return false;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(p[i]);
        if (digit < 0) return false;
        *unit = *unit << 4 | (uint32_t)digit;
    }
    return true;
}

/* The code point of a \u escape at p, behind its `u`, or of two that are a pair; NULL when it is none. */
static const char *read_point(const char *p, const char *end, uint32_t *point)
{
    uint32_t low;
    if (!read_hex(p, end, point)) return NULL;
    p += 4;
    if ((*point & 0xF800) != 0xD800) return p;
    bool pair = *point < 0xDC00 && end - p >= 6 && p[0] == '\\' && p[1] == 'u' && read_hex(p + 2, end, &low);
    if (!pair || (low & 0xFC00) != 0xDC00) return NULL;
    *point = 0x10000 + ((*point - 0xD800) << 10) + (low - 0xDC00);
    return p + 6;
}

/* Decodes the escape at p, behind its backslash; NULL when it is none. No string ends in a lone backslash. */
static const char *decode_escape(const char *p, const char *end, char **out)
{
    static const char plain[256] = {['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
                                    ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t'};
    if (*p != 'u') {
        char c = plain[(unsigned char)*p];
        if (c == 0) return NULL;
        *(*out)++ = c;
        return p + 1;
    }
    uint32_t point;
    p = read_point(p + 1, end, &point);
    if (p) *out += utf8_encode(point, *out);
    return p;
}

/* Never longer than as written. */
str scan_decode(struct scan *scan, str raw)
{
    const char *p = raw.data, *end = p + raw.size;
    char *begin = scan->room, *out = begin;
    while (p && p < end) {
        const char *escape = memchr(p, '\\', (size_t)(end - p));
        size_t plain = (size_t)((escape ? escape : end) - p);
        memcpy(out, p, plain);
        out += plain;
        p = escape ? decode_escape(escape + 1, end, &out) : end;
        if (!p) scan_fail(scan, SCAN_BROKEN, (size_t)(escape - scan->text));
    }
    scan->room = out;
    return (str){begin, (size_t)(out - begin)};
}

/* The token's bytes: up to the next token, without the blanks between. Not to be called at the end. */
static str take_token(struct scan *scan)
{
    size_t begin = scan->next[0], end = scan->next[1];
    scan->next++;
    while (scan_blank(scan->text[end - 1]))
        end--; /* the token's own first byte is none */
    return (str){scan->text + begin, end - begin};
}

static struct scan_value take_word(struct scan *scan, enum scan_kind kind)
{
    static const str words[] = {
        [SCAN_TRUE] = {"true", 4}, [SCAN_FALSE] = {"false", 5}, [SCAN_NULL] = {"null", 4}};
    str token = take_token(scan);
    if (!str_equal(token, words[kind])) scan_fail(scan, SCAN_BROKEN, (size_t)(token.data - scan->text));
    return (struct scan_value){.kind = kind};
}

static struct scan_value take_number(struct scan *scan)
{
    str token = take_token(scan);
    if (!json_number_read(token, &scan->number))
        scan_fail(scan, SCAN_BROKEN, (size_t)(token.data - scan->text));
    return (struct scan_value){SCAN_NUMBER, token};
}

struct scan_value scan_other(struct scan *scan)
{
    switch (scan_peek(scan)) {
    case 't': return take_word(scan, SCAN_TRUE);
    case 'f': return take_word(scan, SCAN_FALSE);
    case 'n': return take_word(scan, SCAN_NULL);
    case '{': scan_skip(scan); return (struct scan_value){.kind = SCAN_OBJECT};
    case '[': scan_skip(scan); return (struct scan_value){.kind = SCAN_ARRAY};
    default: break;
    }
    if (scan->next != scan->end) return take_number(scan); /* or nothing at all, which it sees */
    scan_fail_next(scan);
    return (struct scan_value){.kind = SCAN_NULL};
}

static void skip_key(struct scan *scan)
{
    if (scan_peek(scan) == '"')
        scan_skip_string(scan);
    else
        scan_fail_next(scan);
    scan_colon(scan);
}

void scan_skip_other(struct scan *scan)
{
    char c = scan_peek(scan);
    if (c == '{') {
        for (bool more = scan_open(scan); more; more = scan_more(scan, '}')) {
            skip_key(scan);
            scan_skip(scan);
        }
    } else if (c == '[') {
        for (bool more = scan_open(scan); more; more = scan_more(scan, ']'))
            scan_skip(scan);
    } else {
        scan_other(scan);
    }
}

str scan_since(const struct scan *scan, const uint32_t *from)
{
    size_t begin = *from, end = *scan->next;
    while (end > begin && scan_blank(scan->text[end - 1]))
        end--;
    return (str){scan->text + begin, end - begin};
}
