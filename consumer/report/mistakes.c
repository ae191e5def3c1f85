/* A report is text, of three kinds of lines:
 *
 *     cart.jsonc:73:54: error: event 'view' has no field 'pruduct'
 *        73 |       "if": "views(event.product) >= 3 && adds(event.pruduct) == 0",
 *           |                                                      ^^^^^^^ did you mean 'product'?
 *
 * Each is told by what it begins with; one that is none of them is printed as it is. */
#include "report/mistakes.h"
#include "base/str.h"
#include "host/print.h"
#include "host/terminal.h"

static const struct severity_word {
    str word;
    enum paint paint;
} severities[] = {{STR("error: "), PAINT_BAD}, {STR("warning: "), PAINT_DOUBTFUL}};
enum { SEVERITIES = sizeof severities / sizeof *severities };

/* The first place of a word in a line; its size where there is none. */
static size_t place_of(str line, str word)
{
    const char *at = line.size ? memmem(line.data, line.size, word.data, word.size) : NULL;
    return at ? (size_t)(at - line.data) : line.size;
}

/* Where the text of a file begins, behind a number or nothing and " | "; 0: this is no such line. */
static size_t excerpt_begin(str line)
{
    size_t at = 0;
    while (at < line.size && (line.data[at] == ' ' || (line.data[at] >= '0' && line.data[at] <= '9')))
        at++;
    return str_starts_with(str_slice(line, at, line.size), STR("| ")) ? at + 2 : 0;
}

static void print_excerpt(str line, size_t begin, enum paint paint, FILE *out)
{
    bool carets = str_starts_with(line, STR("      | "));
    size_t end = begin;
    while (carets && end < line.size && (line.data[end] == ' ' || line.data[end] == '^'))
        end++;
    print_painted(PAINT_FAINT, str_slice(line, 0, begin), out);
    print_painted(paint, str_slice(line, begin, end), out);
    print_text(str_slice(line, end, line.size), out);
}

/* The place strong, the severity in its colour, which is returned. */
static enum paint print_head(str line, FILE *out)
{
    const struct severity_word *severity = &severities[0];
    size_t at = line.size;
    for (size_t i = 0; i < SEVERITIES; i++)
        if (place_of(line, severities[i].word) < at)
            severity = &severities[i], at = place_of(line, severity->word);
    size_t end = at < line.size ? at + severity->word.size : at;
    print_painted(PAINT_STRONG, str_slice(line, 0, at), out);
    print_painted(severity->paint, str_slice(line, at, end), out);
    print_text(str_slice(line, end, line.size), out);
    return severity->paint;
}

void mistakes_print(const struct relance_report *report, FILE *out)
{
    str rest = relance_report_text(report);
    if (!terminal_paints(out)) {
        print_lines(rest, out);
        return;
    }
    enum paint paint = PAINT_BAD;
    while (rest.size) {
        str line = str_slice(rest, 0, place_of(rest, STR("\n")));
        size_t begin = excerpt_begin(line);
        if (begin)
            print_excerpt(line, begin, paint, out);
        else
            paint = print_head(line, out);
        fputc('\n', out);
        rest = str_slice(rest, line.size + (line.size < rest.size), rest.size);
    }
}
