/* Rule files: text -> clean() -> check() -> cJSON -> place() -> our tree, in the arena.
 *
 *     clean   a copy of the text in which comments and trailing commas are blanks, so that every offset still
 *             holds. Finds on the way what can be found without grammar: bad UTF-8, control characters, open
 *             comments and strings, nesting.
 *     check   the scan that events are read with walks the clean text: it is strict and stops at the very byte
 *             that is wrong. cJSON is neither: it takes 01, \uqqqq and raw control characters, and tells only
 *             about where it stopped.
 *     cJSON   builds the tree and decodes the strings.
 *     place   walks cJSON's tree and the clean text side by side. The text is known to fit the tree, so this walk
 *             needs no grammar and has no errors: it steps over blanks, punctuation and literals and notes where
 *             each node stands. ensure() would catch it going astray.
 *
 * cJSON's strings end at a NUL, ours do not: "\u0000" is legal, so lengths are counted from the text. */
#include "json/json.h"

#include "json/brackets.h"

#include "base/buffer.h"
#include "base/ensure.h"
#include "base/limits.h"
#include "base/names.h"
#include "json/index.h"
#include "json/scan.h"

#include <cjson/cJSON.h>

/* ---- clean */

struct cleaner {
    const struct source *source;
    struct diagnostics *diag;
    str text;
    char *out; /* the copy; blanked where the text is no JSON */
    size_t at;
    size_t comma; /* the last significant byte if it is a comma behind a value, else NOWHERE */
    char last;    /* the last significant byte; NUL at the beginning */
    unsigned depth;
    size_t values; /* at most: one, and one for each bracket that opens and each comma */
    size_t word;   /* where the number began that is being passed */
};

#define NOWHERE SIZE_MAX
enum { PADDING = 8 };     /* bytes behind the clean text, which the scan may read */
enum { NUMBER_MAX = 63 }; /* characters */

static void complain(const struct source *source, struct diagnostics *diag, size_t begin, size_t end,
                     str hint, const char *message)
{
    diag_add(diag, SEVERITY_ERROR, (struct origin){.source = source}, begin, end, hint, "%s", message);
}

static void blank(struct cleaner *c, size_t begin, size_t end)
{
    for (size_t i = begin; i < end; i++)
        if (c->text.data[i] != '\n' && c->text.data[i] != '\r') c->out[i] = ' ';
}

/* A comment begins at c->at: steps behind it. */
static void clean_comment(struct cleaner *c)
{
    size_t begin = c->at, end = begin + 2;
    bool line = c->text.data[begin + 1] == '/';
    if (line) {
        while (end < c->text.size && c->text.data[end] != '\n')
            end++;
    } else {
        while (end + 1 < c->text.size && (c->text.data[end] != '*' || c->text.data[end + 1] != '/'))
            end++;
        bool closed = end + 1 < c->text.size;
        if (!closed)
            complain(c->source, c->diag, begin, begin + 2, STR("it needs a */"),
                     "this comment is never closed");
        end = closed ? end + 2 : c->text.size;
    }
    blank(c, begin, end);
    c->at = end;
}

static bool control_character(struct cleaner *c, size_t at, bool in_string)
{
    unsigned char byte = (unsigned char)c->text.data[at];
    if (byte >= 0x20 || (!in_string && (byte == '\t' || byte == '\n' || byte == '\r'))) return false;
    if (in_string && (byte == '\n' || byte == '\r'))
        complain(c->source, c->diag, at, at + 1, STR("a string ends on its line; a line break inside is \\n"),
                 "this string is not closed");
    else if (byte == 0)
        complain(c->source, c->diag, at, at + 1, (str){0}, "a NUL byte; is this a text file?");
    else
        diag_add(c->diag, SEVERITY_ERROR, (struct origin){.source = c->source}, at, at + 1,
                 in_string ? STR("write it as an escape, such as \\t or \\u0001") : (str){0},
                 "a control character (U+%04X)%s", byte, in_string ? " inside a string" : "");
    return true;
}

/* A string begins at c->at: steps behind it, or to the end of its line when it is not closed there. */
static void clean_string(struct cleaner *c)
{
    size_t begin = c->at++;
    for (; c->at < c->text.size; c->at++) {
        char byte = c->text.data[c->at];
        if (byte == '"') break;
        bool ends = control_character(c, c->at, true) && (byte == '\n' || byte == '\r');
        if (ends) return;
        if (byte == '\\' && c->at + 1 < c->text.size && (unsigned char)c->text.data[c->at + 1] >= 0x20)
            c->at++;
    }
    if (c->at >= c->text.size)
        complain(c->source, c->diag, begin, begin + 1, (str){0}, "this string is never closed");
    else
        c->at++;
}

static bool number_byte(char byte)
{
    return byte && strchr("+-.0123456789eE", byte);
}

/* cJSON reads numbers through 64 bytes of room, and would see the rest of a longer one as garbage. */
static void clean_number(struct cleaner *c)
{
    bool begins = c->at == 0 || !number_byte(c->text.data[c->at - 1]);
    if (begins) c->word = c->at;
    if (c->at - c->word == NUMBER_MAX)
        diag_add(c->diag, SEVERITY_ERROR, (struct origin){.source = c->source}, c->word, c->at + 1, (str){0},
                 "a number has at most %d characters", NUMBER_MAX);
}

/* One significant byte outside strings and comments. */
static void clean_byte(struct cleaner *c)
{
    char byte = c->text.data[c->at];
    bool closes = byte == '}' || byte == ']', opens = byte == '{' || byte == '[';
    if (closes && c->comma != NOWHERE) c->out[c->comma] = ' ';
    if (closes && c->depth > 0) c->depth--;
    if (opens && c->depth++ == LIMIT_RULE_JSON_DEPTH)
        diag_add(c->diag, SEVERITY_ERROR, (struct origin){.source = c->source}, c->at, c->at + 1, (str){0},
                 "brackets nest deeper than %d here", LIMIT_RULE_JSON_DEPTH);
    if ((opens || byte == ',') && ++c->values == LIMIT_RULE_JSON_VALUES)
        diag_add(c->diag, SEVERITY_ERROR, (struct origin){.source = c->source}, c->at, c->at + 1, (str){0},
                 "a rule file has at most %d values", LIMIT_RULE_JSON_VALUES);
    if (number_byte(byte)) clean_number(c);
    if (byte == '\\')
        complain(c->source, c->diag, c->at, c->at + 1, (str){0},
                 "a backslash has no business outside of a string");
    bool after_value = c->last && !strchr("{[,:", c->last);
    c->comma = byte == ',' && after_value ? c->at : NOWHERE;
    c->last = byte;
    c->at++;
}

/* Fills c->out; what was wrong is in the diagnostics. */
static void clean(struct cleaner *c)
{
    memcpy(c->out, c->text.data, c->text.size);
    if (str_starts_with(c->text, STR("\xEF\xBB\xBF")))
        blank(c, 0, c->at = 3); /* some editors begin with it */
    while (c->at < c->text.size) {
        char byte = c->text.data[c->at], after = c->at + 1 < c->text.size ? c->text.data[c->at + 1] : '\0';
        if (byte == '/' && (after == '/' || after == '*')) {
            clean_comment(c);
        } else if (byte == '"') {
            clean_string(c);
            c->comma = NOWHERE;
            c->last = '"';
        } else if ((unsigned char)byte > ' ') {
            clean_byte(c);
        } else {
            control_character(c, c->at, false);
            c->at++;
        }
    }
}

/* Complains about the first byte that is no UTF-8; whatever follows it is guesswork. */
static void check_utf8(const struct source *source, struct diagnostics *diag)
{
    size_t length;
    for (size_t at = 0; at < source->text.size; at += length) {
        length = utf8_length(source->text, at);
        if (length > 0) continue;
        diag_add(diag, SEVERITY_ERROR, (struct origin){.source = source}, at, at + 1,
                 STR("save the file as UTF-8"), "byte 0x%02X is not valid UTF-8 here",
                 (unsigned char)source->text.data[at]);
        return;
    }
}

/* ---- check */

static const char closing_belongs_here[] = "a comma, a colon or a closing bracket belongs here";

/* What could have stood where the scan stopped, told from the byte before. */
static const char *expected_after(char last)
{
    switch (last) {
    case '\0': return "a file begins with {";
    case '{': return "a key in double quotes, or }, belongs here";
    case '[': return "a value, or ], belongs here";
    case ':': return "a value belongs here: text in double quotes, a number, true, false, null, { or [";
    case ',': return "another key or value belongs here";
    default: return closing_belongs_here;
    }
}

/* How far a word or number reaches that begins at `at`; one code point if there is none. */
static size_t word_end(str text, size_t at)
{
    static const char letters[] = "+-.0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    size_t end = at;
    while (end < text.size && text.data[end] && strchr(letters, text.data[end]))
        end++;
    return end > at ? end : at + utf8_length(text, at);
}

static str hint_at(const char *clean, size_t at)
{
    size_t before = at;
    while (before > 0 && (unsigned char)clean[before - 1] <= ' ')
        before--;
    if (clean[at] == '\'') return STR("a text needs double quotes");
    if (clean[at] == '\\')
        return STR("escapes are \\\" \\\\ \\/ \\b \\f \\n \\r \\t, and \\u with four hex digits");
    if (number_byte(clean[at]) && strchr("{[:,", before > 0 ? clean[before - 1] : '['))
        return STR("a number begins with a digit, has one after the point, and has no leading zero and no +");
    return str_of(expected_after(before > 0 ? clean[before - 1] : '\0'));
}

/* The same, where a bracket may be closed: which one is open. */
static str hint_at_open(const struct source *source, const struct diagnostics *diag, const char *clean,
                        size_t at)
{
    str hint = hint_at(clean, at);
    size_t line, column, open = brackets_innermost((str){clean, source->text.size}, at);
    if (open == BRACKETS_NONE || !str_equal(hint, str_of(closing_belongs_here))) return hint;
    source_place(source, open, &line, &column);
    return arena_format(diag->arena, "a comma,%s or a '%c' for the '%c' at %zu:%zu belongs here",
                        clean[open] == '{' ? " a colon," : "", clean[open] + 2, clean[open], line, column);
}

/* The end came too early: a bracket is open, or a value is missing. */
static void complain_end(const struct source *source, struct diagnostics *diag, const char *clean)
{
    size_t size = source->text.size, open = brackets_forgotten((str){clean, size});
    if (open == BRACKETS_NONE)
        complain(source, diag, size, size, hint_at(clean, size), "the file ends too early");
    else
        diag_add(diag, SEVERITY_ERROR, (struct origin){.source = source}, open, open + 1, (str){0},
                 "this '%c' is never closed", clean[open]);
}

static void complain_unexpected(const struct source *source, struct diagnostics *diag, const char *clean,
                                size_t at, bool complete)
{
    size_t size = source->text.size;
    str word = at < size ? str_slice(source->text, at, word_end(source->text, at)) : (str){0};
    if (complete)
        complain(source, diag, at, at + word.size, (str){0}, "the file goes on after the end of its JSON");
    else if (at >= size)
        complain_end(source, diag, clean);
    else
        diag_add(diag, SEVERITY_ERROR, (struct origin){.source = source}, at, at + word.size,
                 hint_at_open(source, diag, clean, at), "'%.*s' is not expected here", STR_ARG(word));
}

/* True when the clean text is JSON; says otherwise where it stops being so. */
static bool check(struct arena *arena, const struct source *source, struct diagnostics *diag, str clean)
{
    const uint32_t *tokens;
    size_t count;
    struct scan scan = {0};
    struct json_index *index = json_index_new();
    char *room = arena_alloc(arena, clean.size);
    bool indexed = index && room && json_index_build(index, clean, &tokens, &count) == JSON_INDEX_OK;
    bool complete = false;
    if (indexed) {
        scan_begin(&scan, clean, tokens, count, room, LIMIT_RULE_JSON_DEPTH);
        scan_skip(&scan);
        complete = scan.fault == SCAN_OK;
        scan_finish(&scan);
    } else {
        diag->failed = true; /* clean() has left nothing else to object to */
    }
    json_index_free(index);
    if (scan.fault != SCAN_OK) complain_unexpected(source, diag, clean.data, scan.fault_at, complete);
    return indexed && scan.fault == SCAN_OK;
}

/* ---- place */

struct placer {
    const struct source *source;
    struct diagnostics *diag;
    struct arena *arena;
    const char *clean;
    size_t at, size;
    struct source_index lines;
    bool no_memory;
};

static void step_blanks(struct placer *p)
{
    while (p->at < p->size && (unsigned char)p->clean[p->at] <= ' ')
        p->at++;
}

static void step_char(struct placer *p, char c)
{
    step_blanks(p);
    ensure(p->at < p->size && p->clean[p->at] == c);
    p->at++;
}

static unsigned hex_value(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : ((unsigned)c | 0x20u) - 'a' + 10;
}

/* Steps over a string and copies what cJSON made of it. The sum of what each unit decodes to is its length. */
static str place_string(struct placer *p, const char *decoded)
{
    size_t size = 0;
    step_char(p, '"');
    while (p->clean[p->at] != '"') {
        const char *unit = p->clean + p->at;
        bool point = unit[0] == '\\' && unit[1] == 'u';
        unsigned high = point ? hex_value(unit[2]) << 4 | hex_value(unit[3]) : 0;
        bool pair = high >= 0xD8 && high < 0xDC, small = high == 0 && point && hex_value(unit[4]) < 8;
        p->at += unit[0] != '\\' ? 1 : pair ? 12 : point ? 6 : 2;
        size += !point || small ? 1 : pair ? 4 : high < 8 ? 2 : 3;
        ensure(p->at < p->size);
    }
    p->at++;
    str text = {0};
    if (!arena_copy_str(p->arena, (str){decoded, size}, &text)) p->no_memory = true;
    return text;
}

static void place_number(struct placer *p, struct json *node)
{
    size_t begin = p->at;
    while (p->at < p->size && number_byte(p->clean[p->at]))
        p->at++;
    node->text = str_slice(p->source->text, begin, p->at);
}

static void complain_twice(struct placer *p, const struct json *first, const struct json *again)
{
    size_t line = 0, column = 0;
    str hint = {0};
    if (!diag_is_full(p->diag)) {
        if (!p->lines.source && !source_index_make(&p->lines, p->arena, p->source)) {
            p->no_memory = true;
            return;
        }
        source_index_place(&p->lines, first->key_begin, &line, &column);
        hint = arena_format(p->arena, "the first one is at %zu:%zu", line, column);
    }
    diag_add(p->diag, SEVERITY_ERROR, (struct origin){.source = p->source}, again->key_begin, again->key_end,
             hint, "key '%.*s' is given twice", STR_ARG(again->key));
}

static void check_twice(struct placer *p, const struct json *object)
{
    struct names keys;
    const struct json **members = ARENA_ARRAY(p->arena, const struct json *, object->count + 1);
    if (!members || !names_init(&keys, p->arena, object->count)) {
        p->no_memory = true;
        return;
    }
    for (const struct json *member = object->child; member; member = member->next) {
        uint32_t known = keys.count, number = names_add(&keys, member->key);
        if (number < known)
            complain_twice(p, members[number], member);
        else
            members[number] = member;
    }
}

static void place_value(struct placer *p, const cJSON *from, struct json *node);

static void place_children(struct placer *p, const cJSON *from, struct json *node)
{
    bool object = node->kind == JSON_OBJECT;
    struct json **end = &node->child;
    step_char(p, object ? '{' : '[');
    for (const cJSON *child = from->child; child && !p->no_memory; child = child->next) {
        struct json *placed = ARENA_NEW(p->arena, struct json);
        if (!placed) {
            p->no_memory = true;
            return;
        }
        if (node->count++) step_char(p, ',');
        step_blanks(p);
        placed->key_begin = p->at;
        if (object) placed->key = place_string(p, child->string);
        placed->key_end = p->at;
        if (object) step_char(p, ':');
        place_value(p, child, placed);
        *end = placed;
        end = &placed->next;
    }
    if (p->no_memory) return;
    step_char(p, object ? '}' : ']');
    if (object && node->count > 1) check_twice(p, node);
}

static enum json_kind kind_of(const cJSON *from)
{
    if (cJSON_IsObject(from)) return JSON_OBJECT;
    if (cJSON_IsArray(from)) return JSON_ARRAY;
    if (cJSON_IsString(from)) return JSON_STRING;
    if (cJSON_IsNumber(from)) return JSON_NUMBER;
    if (cJSON_IsBool(from)) return JSON_BOOL;
    ensure(cJSON_IsNull(from));
    return JSON_NULL;
}

static void place_value(struct placer *p, const cJSON *from, struct json *node)
{
    step_blanks(p);
    node->kind = kind_of(from);
    node->begin = p->at;
    switch (node->kind) {
    case JSON_OBJECT:
    case JSON_ARRAY: place_children(p, from, node); break;
    case JSON_STRING: node->text = place_string(p, from->valuestring); break;
    case JSON_NUMBER:
        node->number = from->valuedouble;
        place_number(p, node);
        break;
    case JSON_BOOL:
        node->boolean = cJSON_IsTrue(from);
        p->at += node->boolean ? strlen("true") : strlen("false");
        break;
    case JSON_NULL: p->at += strlen("null"); break;
    }
    node->end = p->at;
}

static const struct json *place(struct arena *arena, const struct source *source, struct diagnostics *diag,
                                const char *clean, const cJSON *root)
{
    struct placer p = {
        .source = source, .diag = diag, .arena = arena, .clean = clean, .size = source->text.size};
    struct json *node = ARENA_NEW(arena, struct json);
    if (node) place_value(&p, root, node);
    if (node && !p.no_memory) return node;
    diag->failed = true;
    return NULL;
}

const struct json *json_parse(struct arena *arena, const struct source *source, struct diagnostics *diag)
{
    if (source->text.size > LIMIT_RULE_SET_BYTES) {
        diag_add(diag, SEVERITY_ERROR, (struct origin){.source = source}, 0, 0, (str){0},
                 "the file has %zu bytes; all rule files together may have %u", source->text.size,
                 LIMIT_RULE_SET_BYTES);
        return NULL;
    }
    size_t errors = diag->error_count;
    char *copy = arena_alloc_zero(arena, source->text.size + PADDING);
    if (!copy) {
        diag->failed = true;
        return NULL;
    }
    struct cleaner c = {.source = source, .diag = diag, .text = source->text, .out = copy, .comma = NOWHERE};
    check_utf8(source, diag);
    clean(&c);
    if (diag->error_count > errors) return NULL;
    if (!c.last) {
        complain(source, diag, source->text.size, source->text.size, (str){0}, "the file is empty");
        return NULL;
    }
    if (!check(arena, source, diag, (str){copy, source->text.size})) return NULL;
    cJSON *root = cJSON_ParseWithLength(copy, source->text.size);
    const struct json *node = root ? place(arena, source, diag, copy, root) : NULL;
    if (!root) diag->failed = true; /* what check() lets pass, cJSON reads, given memory */
    cJSON_Delete(root);
    return node;
}

/* ---- the tree */

const struct json *json_member_of(const struct json *object, str key)
{
    if (!object || object->kind != JSON_OBJECT) return NULL;
    const struct json *member = object->child;
    while (member && !str_equal(member->key, key))
        member = member->next;
    return member;
}

const struct json *json_member(const struct json *object, const char *key)
{
    return json_member_of(object, str_of(key));
}

struct origin json_origin(const struct source *source, const struct json *string)
{
    ensure(string->kind == JSON_STRING);
    return (struct origin){.source = source, .offset = string->begin + 1, .escaped = true};
}

void json_write(const struct json *node, struct buffer *out)
{
    switch (node->kind) {
    case JSON_NULL: buffer_put_str(out, STR("null")); return;
    case JSON_BOOL: buffer_put_str(out, node->boolean ? STR("true") : STR("false")); return;
    case JSON_NUMBER: buffer_put_str(out, node->text); return;
    case JSON_STRING: buffer_put_json_string(out, node->text); return;
    case JSON_ARRAY:
    case JSON_OBJECT: break;
    }
    bool object = node->kind == JSON_OBJECT;
    buffer_put_char(out, object ? '{' : '[');
    for (const struct json *child = node->child; child; child = child->next) {
        if (child != node->child) buffer_put_char(out, ',');
        if (object) {
            buffer_put_json_string(out, child->key);
            buffer_put_char(out, ':');
        }
        json_write(child, out);
    }
    buffer_put_char(out, object ? '}' : ']');
}
