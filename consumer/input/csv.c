#include "input/csv.h"
#include "base/str.h"

void csv_init(struct csv *csv, struct lines *lines, char separator)
{
    *csv = (struct csv){.lines = lines, .separator = separator};
}

void csv_free(struct csv *csv)
{
    buffer_free(&csv->text);
}

struct relance_str csv_cell(const struct csv *csv, size_t column)
{
    if (column >= csv->count) return (struct relance_str){"", 0};
    return (struct relance_str){csv->text.data + csv->cells[column].begin, csv->cells[column].size};
}

static void csv_open_cell(struct csv *csv)
{
    csv->quoted = csv->closed = false;
    if (csv->count == CSV_COLUMNS_MAX)
        csv->mistake = "it has more than 1000 cells";
    else
        csv->cells[csv->count++] = (struct csv_cell){csv->text.size, 0};
}

static void csv_put(struct csv *csv, const char *data, size_t size)
{
    buffer_put(&csv->text, data, size);
    csv->cells[csv->count - 1].size += size;
}

/* Inside quotes, up to the closing one or the end of the line: the bytes used. */
static size_t csv_take_quoted(struct csv *csv, struct relance_str rest)
{
    const char *quote = memchr(rest.data, '"', rest.size);
    size_t run = quote ? (size_t)(quote - rest.data) : rest.size;
    csv_put(csv, rest.data, run);
    if (!quote) return run;
    if (run + 1 < rest.size && quote[1] == '"') {
        csv_put(csv, "\"", 1);
        return run + 2;
    }
    csv->quoted = false;
    csv->closed = true;
    return run + 1;
}

static size_t csv_take_plain(struct csv *csv, struct relance_str rest)
{
    if (rest.data[0] == csv->separator) {
        csv_open_cell(csv);
        return 1;
    }
    bool fresh = csv->cells[csv->count - 1].size == 0 && !csv->closed;
    if (fresh && rest.data[0] == '"') {
        csv->quoted = true;
        return 1;
    }
    const char *end = memchr(rest.data, csv->separator, rest.size);
    size_t run = end ? (size_t)(end - rest.data) : rest.size;
    if (csv->closed) csv->mistake = "something stands behind a closing quote";
    csv_put(csv, rest.data, run);
    return run;
}

static void csv_take_line(struct csv *csv, struct relance_str line)
{
    for (size_t at = 0; at < line.size;) {
        struct relance_str rest = {line.data + at, line.size - at};
        at += csv->quoted ? csv_take_quoted(csv, rest) : csv_take_plain(csv, rest);
    }
}

static void csv_take_words(struct csv *csv, struct relance_str line)
{
    for (size_t at = 0; at < line.size;) {
        size_t end = at;
        while (end < line.size && line.data[end] != ' ' && line.data[end] != '\t')
            end++;
        if (end > at) {
            csv_open_cell(csv);
            csv_put(csv, line.data + at, end - at);
        }
        at = end + 1;
    }
}

static struct relance_str csv_line_of(const struct csv *csv, struct relance_str line)
{
    static const struct relance_str mark = {"\xEF\xBB\xBF", 3};
    if (csv->lines->number == 0 && str_starts_with(line, mark)) line.data += 3, line.size -= 3;
    if (line.size && line.data[line.size - 1] == '\r') line.size--;
    return line;
}

/* The rest of a row whose quotes are open: line by line, as long as that is no whole file by mistake. */
static void csv_read_on(struct csv *csv)
{
    struct relance_str line;
    while (csv->quoted) {
        bool more = csv->text.size < LINES_MAX && lines_next(csv->lines, &line);
        if (!more) {
            csv->mistake = "a quote is opened here and not closed";
            return;
        }
        csv_put(csv, "\n", 1);
        csv_take_line(csv, csv_line_of(csv, line));
    }
}

bool csv_next(struct csv *csv)
{
    struct relance_str line;
    do {
        if (!lines_next(csv->lines, &line)) return false;
        line = csv_line_of(csv, line);
    } while (!str_trim(line).size);
    csv->line = csv->lines->number + 1;
    csv->text.size = csv->count = 0;
    csv->mistake = NULL;
    csv->quoted = csv->closed = false;
    if (csv->separator == CSV_BLANKS) {
        csv_take_words(csv, line);
        return true;
    }
    csv_open_cell(csv);
    csv_take_line(csv, line);
    csv_read_on(csv);
    return true;
}
