#include "json/brackets.h"

#include "base/limits.h"

struct walk {
    str text;
    size_t at, line; /* the line's first byte */
    size_t indent;   /* of the line: its first byte that is no blank */
    size_t depth;
    struct open_bracket { /* `indent` is that of its line */
        size_t at, line, indent;
    } open[LIMIT_RULE_JSON_DEPTH + 1];
    size_t forgotten;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static size_t skip_string(str text, size_t at)
{
    for (at++; at < text.size && text.data[at] != '"'; at++)
        at += text.data[at] == '\\';
    return at;
}

static void open_bracket(struct walk *w)
{
    if (w->depth <= LIMIT_RULE_JSON_DEPTH)
        w->open[w->depth] = (struct open_bracket){w->at, w->line, w->indent - w->line};
    w->depth++;
}

/* A bracket that begins its line closes what began on a line as far in. */
static void close_bracket(struct walk *w)
{
    if (!w->depth || --w->depth > LIMIT_RULE_JSON_DEPTH) return;
    const struct open_bracket *open = &w->open[w->depth];
    bool first = w->indent == w->at, elsewhere = open->line != w->line;
    if (first && elsewhere && w->at - w->line < open->indent && w->forgotten == BRACKETS_NONE)
        w->forgotten = open->at;
}

static void walk_to(struct walk *w, size_t end)
{
    for (; w->at < end; w->at++) {
        char c = w->text.data[w->at];
        if (c == '\n') w->line = w->indent = w->at + 1;
        if (is_blank(c)) {
            w->indent += w->indent == w->at;
            continue;
        }
        if (c == '"') w->at = skip_string(w->text, w->at);
        if (c == '{' || c == '[') open_bracket(w);
        if (c == '}' || c == ']') close_bracket(w);
    }
}

static size_t innermost(const struct walk *w)
{
    size_t kept = w->depth <= LIMIT_RULE_JSON_DEPTH ? w->depth : LIMIT_RULE_JSON_DEPTH + 1;
    return kept ? w->open[kept - 1].at : BRACKETS_NONE;
}

size_t brackets_innermost(str text, size_t end)
{
    struct walk w = {.text = text, .forgotten = BRACKETS_NONE};
    walk_to(&w, end);
    return innermost(&w);
}

size_t brackets_forgotten(str text)
{
    struct walk w = {.text = text, .forgotten = BRACKETS_NONE};
    walk_to(&w, text.size);
    return w.forgotten != BRACKETS_NONE ? w.forgotten : innermost(&w);
}
