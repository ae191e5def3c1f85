#include "cel/placeholder.h"

#include "base/limits.h"

/* Behind a string literal of CEL that begins at `at`; the text's end when it does not end. */
static size_t skip_literal(str text, size_t at)
{
    bool raw = at > 0 && (text.data[at - 1] | 0x20) == 'r';
    char quote = text.data[at];
    str three = {(char[]){quote, quote, quote}, 3};
    size_t width = str_starts_with(str_slice(text, at, text.size), three) ? 3 : 1;
    three.size = width;
    for (at += width; at < text.size; at++) {
        if (text.data[at] == '\\' && !raw)
            at++;
        else if (str_starts_with(str_slice(text, at, text.size), three))
            return at + width;
    }
    return text.size;
}

size_t placeholder_end(str text, size_t at)
{
    enum { DEEP = LIMIT_CEL_DEPTH + 1 };
    char open[DEEP];
    size_t count = 0;
    while (at < text.size) {
        char ch = text.data[at];
        if (ch == '"' || ch == '\'') {
            at = skip_literal(text, at);
            continue;
        }
        if (ch == '}') {
            while (count && open[count - 1] != '{')
                count--;
            if (!count) return at;
            count--;
        }
        if (count < DEEP && (ch == '(' || ch == '[' || ch == '{')) open[count++] = ch;
        if (count && ((ch == ')' && open[count - 1] == '(') || (ch == ']' && open[count - 1] == '[')))
            count--;
        at++;
    }
    return text.size;
}

bool placeholder_is_whole(str text)
{
    return str_starts_with(text, STR("${")) && placeholder_end(text, 2) == text.size - 1;
}
