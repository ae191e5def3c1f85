#include "base/csv.h"

static size_t find(str text, size_t from, char c)
{
    const char *found = from < text.size ? memchr(text.data + from, c, text.size - from) : NULL;
    return found ? (size_t)(found - text.data) : text.size;
}

/* Where the closing quote stands of a cell whose text begins at `from`; the end: nowhere. */
static size_t find_closing(str text, size_t from, bool *doubled)
{
    for (;;) {
        size_t quote = find(text, from, '"');
        if (quote + 1 >= text.size || text.data[quote + 1] != '"') return quote;
        *doubled = true;
        from = quote + 2;
    }
}

static void add_cell(struct csv_row *row, str cell)
{
    if (row->count == CSV_COLUMNS_MAX)
        row->mistake = "it has more than 1000 cells";
    else
        row->cells[row->count++] = cell;
}

/* Doubled quotes are one each, and lines end with a line feed. */
static str unquoted(str raw, char **room)
{
    char *begin = *room, *out = begin;
    for (size_t i = 0; i < raw.size; i++) {
        char c = raw.data[i], next = i + 1 < raw.size ? raw.data[i + 1] : '\0';
        if (c == '\r' && next == '\n') continue;
        *out++ = c;
        i += c == '"' && next == '"';
    }
    *room = out;
    return (str){begin, (size_t)(out - begin)};
}

/* The cell behind a quote at `at`; where it ends. */
static size_t take_quoted(struct csv_row *row, str text, size_t at, char **room)
{
    bool doubled = false;
    size_t close = find_closing(text, at + 1, &doubled);
    str raw = str_slice(text, at + 1, close);
    if (close == text.size) row->mistake = "a quote is opened here and not closed";
    bool plain = !doubled && !(raw.size && memchr(raw.data, '\r', raw.size));
    add_cell(row, plain ? raw : unquoted(raw, room));
    return close < text.size ? close + 1 : close;
}

/* Cells from `at` on; where the row ends: at its line feed, or the end of the text. */
static size_t take_cells(struct csv_row *row, str text, size_t at, char separator, char **room)
{
    size_t line = find(text, at, '\n');
    for (;;) {
        bool quoted = at < text.size && text.data[at] == '"';
        size_t begin = at;
        if (quoted) {
            begin = take_quoted(row, text, at, room);
            if (begin > line) line = find(text, begin, '\n');
        }
        str rest = {text.data, line};
        size_t end = find(rest, begin, separator), used = end;
        if (end == line && end > begin && text.data[end - 1] == '\r') used--;
        if (!quoted)
            add_cell(row, str_slice(text, begin, used));
        else if (used > begin && !row->mistake)
            row->mistake = "something stands behind a closing quote";
        if (end == line) return end;
        at = end + 1;
    }
}

static void take_words(struct csv_row *row, str line)
{
    for (size_t at = 0; at < line.size;) {
        size_t end = at;
        while (end < line.size && line.data[end] != ' ' && line.data[end] != '\t')
            end++;
        if (end > at) add_cell(row, str_slice(line, at, end));
        at = end + 1;
    }
}

bool csv_row_take(struct csv_row *row, str *text, char separator, char **room)
{
    size_t at = 0, end;
    row->count = 0;
    row->mistake = NULL;
    for (;; at = end + 1) {
        if (at >= text->size) return false;
        end = find(*text, at, '\n');
        if (str_trim(str_slice(*text, at, end)).size) break;
    }
    if (separator == CSV_BLANKS)
        take_words(row, str_trim(str_slice(*text, at, end)));
    else
        end = take_cells(row, *text, at, separator, room);
    *text = str_slice(*text, end < text->size ? end + 1 : end, text->size);
    return true;
}

bool csv_line_opens(str line, char separator, bool open)
{
    bool doubled;
    if (separator == CSV_BLANKS || !line.size || !memchr(line.data, '"', line.size)) return open;
    for (size_t at = 0;;) {
        if (!open && at < line.size && line.data[at] == '"') {
            open = true;
            at++;
        }
        if (open) {
            at = find_closing(line, at, &doubled) + 1;
            if (at > line.size) return true;
            open = false;
        }
        at = find(line, at, separator) + 1;
        if (at > line.size) return false;
    }
}
