#include "json/broken.h"

#include "base/arena.h"
#include "json/loader.h"
#include "json/scan.h"

/* The tokens as index.h has them, found byte by byte, so that there are some up to where it finds none. */
struct breaking {
    str text; /* up to a character that is no UTF-8, or to what breaks a string */
    bool is_cut;
    uint32_t *tokens;
    size_t count;
};

static void cut_at(struct breaking *b, size_t at)
{
    b->text.size = at;
    b->is_cut = true;
}

static void cut_utf8(struct breaking *b)
{
    size_t at = 0;
    for (size_t length; at < b->text.size; at += length)
        if ((length = utf8_length(b->text, at)) == 0) cut_at(b, at);
}

static bool is_bracket(char c)
{
    return c && strchr("{}[]:,", c);
}

/* Behind the token that begins at `at`. */
static size_t pass_string(struct breaking *b, size_t at)
{
    for (at++; at < b->text.size; at++) {
        char c = b->text.data[at];
        if (c == '"') return at + 1;
        if ((unsigned char)c < ' ') break;
        at += c == '\\';
    }
    cut_at(b, at < b->text.size ? at : b->text.size);
    return b->text.size;
}

static size_t pass_word(const struct breaking *b, size_t at)
{
    for (at++; at < b->text.size; at++) {
        char c = b->text.data[at];
        if (c == '"' || scan_blank(c) || is_bracket(c)) break;
    }
    return at;
}

static void find_tokens(struct breaking *b)
{
    for (size_t at = 0; at < b->text.size;) {
        char c = b->text.data[at];
        size_t end = c == '"'                         ? pass_string(b, at)
                     : scan_blank(c) || is_bracket(c) ? at + 1
                                                      : pass_word(b, at);
        bool is_broken = c == '"' && end == b->text.size && b->is_cut;
        if (!scan_blank(c) && !is_broken) b->tokens[b->count++] = (uint32_t)at;
        at = end;
    }
    b->tokens[b->count] = b->tokens[b->count + 1] = (uint32_t)b->text.size;
}

static size_t walk_tokens(const struct breaking *b, char *room, unsigned depth_max)
{
    struct scan scan;
    scan_begin(&scan, b->text, b->tokens, b->count, room, depth_max);
    scan_skip(&scan);
    if (scan_finish(&scan) != SCAN_OK) return scan.fault_at;
    return b->is_cut ? b->text.size : BROKEN_NOWHERE;
}

size_t json_broken_at(str text, unsigned depth_max)
{
    struct arena arena;
    arena_init(&arena, 0);
    char *copy = arena_alloc_zero(&arena, text.size + JSON_PADDING),
         *room = arena_alloc(&arena, text.size + 1);
    struct breaking b = {.text = {copy, text.size}, .tokens = ARENA_ARRAY(&arena, uint32_t, text.size + 2)};
    size_t at = BROKEN_NOWHERE;
    if (copy && room && b.tokens) {
        if (text.size) memcpy(copy, text.data, text.size);
        cut_utf8(&b);
        memset(copy + b.text.size, 0, text.size - b.text.size);
        find_tokens(&b);
        at = walk_tokens(&b, room, depth_max);
    }
    arena_free(&arena);
    return at;
}
