/* A walk over the tokens of a JSON text that index.h has found: the reader's grammar. It borrows the text and
 * keeps its numbers as written; whoever walks decides what becomes of a value, or has it skipped. Whatever is
 * passed is checked: a text that was walked to its end without a fault is JSON, also where nobody looked.
 *
 * A fault sticks and puts the walk at the end of the text, where nothing follows: loops end by themselves and
 * the fault is looked at once, at the end.
 *
 *     for (bool more = scan_open(s); more; more = scan_more(s, '}')) {
 *         str key = scan_key(s);
 *         …one of scan_value, scan_skip, scan_open…
 *     }
 *
 * Lone halves of surrogate pairs in \u escapes are faults: they stand for no character. */
#ifndef RULES_JSON_SCAN_H
#define RULES_JSON_SCAN_H

#include "json/number.h"

enum scan_fault { SCAN_OK, SCAN_BROKEN, SCAN_TOO_DEEP };

struct scan {
    const char *text;     /* readable for 8 bytes beyond its end, where a NUL stands */
    const uint32_t *next; /* the token to be read */
    const uint32_t *end;  /* behind the last token */
    char *room;           /* strings with escapes are decoded to here; as much of it as the text is long */
    bool has_escapes;     /* there is a backslash somewhere */
    unsigned depth, depth_max;
    struct json_number number; /* the last one that scan_value has read */
    enum scan_fault fault;
    size_t fault_at; /* the byte of the text that was not expected; its size when the text ends too early */
};

enum scan_kind { SCAN_STRING, SCAN_NUMBER, SCAN_TRUE, SCAN_FALSE, SCAN_NULL, SCAN_OBJECT, SCAN_ARRAY };

/* A value: strings decoded, numbers as written, of the others nothing. */
struct scan_value {
    enum scan_kind kind;
    str text;
};

void scan_begin(struct scan *scan, str text, const uint32_t *tokens, size_t count, char *room,
                unsigned depth_max);
/* Nothing may be left. */
enum scan_fault scan_finish(struct scan *scan);

/* The first byte of what comes next: `{`, `[`, `"`, …; NUL at the end. */
static inline char scan_peek(const struct scan *scan);
/* Enters the object or array that comes next; false when it is empty (and left again) or at a fault. */
static inline bool scan_open(struct scan *scan);
/* Behind a member or element: true when another follows, false when `close` did (and it is left). */
static inline bool scan_more(struct scan *scan, char close);
/* The key of a member and its colon. */
static inline str scan_key(struct scan *scan);
/* Reads one value; of an object or array only its kind, it is passed over. */
static inline struct scan_value scan_value(struct scan *scan);
static inline void scan_skip(struct scan *scan);
/* What has been read since the token `from` was the next, as it stands in the text, without blanks around it. */
str scan_since(const struct scan *scan, const uint32_t *from);

/* ---- What follows is inline because it is most of what reading an event is. */

void scan_fail(struct scan *scan, enum scan_fault fault, size_t at);
void scan_fail_next(struct scan *scan);          /* what comes next is not expected */
str scan_decode(struct scan *scan, str raw);     /* a string with escapes, into the room */
struct scan_value scan_other(struct scan *scan); /* a value that is no string */
void scan_skip_other(struct scan *scan);         /* nests no deeper than depth_max */

static inline char scan_peek(const struct scan *scan)
{
    return scan->text[*scan->next];
}

static inline bool scan_open(struct scan *scan)
{
    char close = (char)(scan_peek(scan) + 2); /* ASCII: '{' '|' '}', '[' '\' ']' */
    if ((close != '}' && close != ']') || scan->depth == scan->depth_max) {
        scan_fail(scan, scan->depth == scan->depth_max ? SCAN_TOO_DEEP : SCAN_BROKEN, *scan->next);
        return false;
    }
    scan->next++;
    if (scan_peek(scan) == close) {
        scan->next++;
        return false;
    }
    scan->depth++;
    return true;
}

static inline bool scan_more(struct scan *scan, char close)
{
    char c = scan_peek(scan);
    if (c == ',') {
        scan->next++;
        return true;
    }
    if (c == close)
        scan->next++, scan->depth--;
    else
        scan_fail_next(scan);
    return false;
}

static inline bool scan_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* The string that comes next. The index has seen to it that it is closed and that nothing but blanks follows
 * up to the next token: its closing quote is the last one before that. */
static inline str scan_string(struct scan *scan)
{
    size_t begin = scan->next[0] + 1, end = scan->next[1] - 1;
    scan->next++;
    while (scan->text[end] != '"')
        end--;
    str raw = {scan->text + begin, end - begin};
    bool escaped = scan->has_escapes && memchr(raw.data, '\\', raw.size);
    return escaped ? scan_decode(scan, raw) : raw;
}

static inline void scan_colon(struct scan *scan)
{
    if (scan_peek(scan) == ':')
        scan->next++;
    else
        scan_fail_next(scan);
}

static inline str scan_key(struct scan *scan)
{
    str key = {scan->text, 0}; /* at a fault too it can be looked up */
    if (scan_peek(scan) == '"')
        key = scan_string(scan);
    else
        scan_fail_next(scan);
    scan_colon(scan);
    return key;
}

static inline struct scan_value scan_value(struct scan *scan)
{
    if (scan_peek(scan) == '"') return (struct scan_value){SCAN_STRING, scan_string(scan)};
    return scan_other(scan);
}

/* Passes over the string that comes next; its escapes are checked. */
static inline void scan_skip_string(struct scan *scan)
{
    if (scan->has_escapes)
        scan_string(scan);
    else
        scan->next++;
}

static inline void scan_skip(struct scan *scan)
{
    if (scan_peek(scan) == '"')
        scan_skip_string(scan);
    else
        scan_skip_other(scan);
}

#endif
