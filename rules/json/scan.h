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
    enum scan_fault fault;
    size_t fault_at; /* the byte of the text that was not expected; its size when the text ends too early */
};

enum scan_kind { SCAN_STRING, SCAN_NUMBER, SCAN_TRUE, SCAN_FALSE, SCAN_NULL, SCAN_OBJECT, SCAN_ARRAY };

/* A value: strings decoded, numbers as written, the others' text meaningless. */
struct scan_value {
    enum scan_kind kind;
    str text;
    struct json_number number; /* SCAN_NUMBER only */
};

void scan_begin(struct scan *scan, str text, const uint32_t *tokens, size_t count, char *room, unsigned depth_max);
/* Nothing may be left. */
enum scan_fault scan_finish(struct scan *scan);

/* Enters the object or array that comes next; false when it is empty (and left again) or at a fault. */
bool scan_open(struct scan *scan);
/* Behind a member or element: true when another follows, false when `close` did (and it is left). */
bool scan_more(struct scan *scan, char close);
/* The key of a member and its colon. */
str scan_key(struct scan *scan);
/* Reads one value; of an object or array only its kind, it is passed over. */
struct scan_value scan_value(struct scan *scan);
void scan_skip(struct scan *scan);

/* The first byte of what comes next: `{`, `[`, `"`, …; NUL at the end. */
static inline char scan_peek(const struct scan *scan)
{
    return scan->text[*scan->next];
}

#endif
