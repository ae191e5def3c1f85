#include "host/print.h"

#include "base/ensure.h"
#include "host/terminal.h"

#include <errno.h>
#include <stdlib.h>

static const char *print_name; /* NULL: no command has begun */
static int print_error;        /* errno of the first flush that failed */
static bool print_has_status;  /* the line of print_status is there */

void print_command(const char *name)
{
    print_name = name;
}

/* ---- text */

static void print_bytes(str bytes, FILE *out)
{
    if (bytes.size) fwrite(bytes.data, 1, bytes.size, out); /* C forbids NULL also where there are none */
}

str print_piece(str text, size_t *at, const char *kept, char escape[PLAIN_ESCAPE_SIZE])
{
    size_t begin = *at, end = plain_end(text, begin);
    if (begin == text.size) return (str){0};
    *at = end;
    if (end > begin) return str_slice(text, begin, end);
    char c = text.data[begin];
    if (c != '\t' && c != '\r' && c != '\n') return plain_escape(text, at, escape);
    ++*at;
    return strchr(kept, c) ? str_slice(text, begin, *at) : STR(" ");
}

static void print_plain(str text, const char *kept, FILE *out)
{
    char escape[PLAIN_ESCAPE_SIZE];
    size_t at = 0;
    for (str piece; (piece = print_piece(text, &at, kept, escape)).size;)
        print_bytes(piece, out);
}

void print_text(str text, FILE *out)
{
    print_plain(text, "", out);
}

void print_lines(str text, FILE *out)
{
    print_plain(text, "\t\n", out);
}

static void print_marked(str text, const char *kept, const char *escaped, FILE *out)
{
    char escape[PLAIN_ESCAPE_SIZE];
    size_t at = 0;
    for (str piece; (piece = print_piece(text, &at, kept, escape)).size;)
        for (size_t i = 0; i < piece.size; i++) {
            char c = piece.data[i];
            if (c == '\n' || strchr(escaped, c)) fputc('\\', out);
            fputc(c == '\n' ? 'n' : c, out);
        }
}

void print_escaped(str text, const char *escaped, FILE *out)
{
    print_marked(text, "", escaped, out);
}

void print_label(str text, FILE *out)
{
    print_marked(text, "\n", "\\\"", out);
}

/* Blanks of lines by their number, since readers make a blank of those that stand in an attribute. */
static void print_xml_point(uint32_t point, str bytes, FILE *out)
{
    bool blank = point == '\t' || point == '\n' || point == '\r';
    if (point == 0xFFFE || point == 0xFFFF || (point < 0x20 && !blank))
        fprintf(out, "\\u%04x", (unsigned)point); /* XML 1.0 has it in no form */
    else if (plain_hides(point))
        fprintf(out, "&#%u;", (unsigned)point);
    else
        print_bytes(bytes, out);
}

void print_xml(str text, FILE *out)
{
    uint32_t point;
    for (size_t at = 0, length; at < text.size; at += length ? length : 1) {
        length = utf8_decode(text, at, &point);
        switch (length ? point : 0xFFFD) {
        case '<': fputs("&lt;", out); break;
        case '>': fputs("&gt;", out); break;
        case '&': fputs("&amp;", out); break;
        case '"': fputs("&quot;", out); break;
        case 0xFFFD: fputs("\xEF\xBF\xBD", out); break;
        default: print_xml_point(point, str_slice(text, at, at + length), out);
        }
    }
}

void print_control(const char *orders, FILE *out)
{
    fputs(orders, out);
}

void print_paint(enum paint paint, FILE *out)
{
    static const char *const orders[] = {
        [PAINT_NONE] = "\033[m",   [PAINT_STRONG] = "\033[1m",    [PAINT_FAINT] = "\033[2m",
        [PAINT_GOOD] = "\033[32m", [PAINT_DOUBTFUL] = "\033[33m", [PAINT_BAD] = "\033[31m",
    };
    if (terminal_paints(out)) print_control(orders[paint], out);
}

void print_painted(enum paint paint, str text, FILE *out)
{
    bool painted = text.size && paint != PAINT_NONE;
    if (painted) print_paint(paint, out);
    print_text(text, out);
    if (painted) print_paint(PAINT_NONE, out);
}

/* ---- forms */

/* A conversion: %[flags][width][.precision][length]letter. */
struct print_form {
    char flags[4], letter;
    int width, precision; /* precision -1: none */
    bool counted;         /* the precision is an argument, so it is the size of a text */
    bool is_long;         /* its number has 64 bits: all larger types have */
};

static int print_number(const char **at, va_list *list)
{
    char *end;
    if (**at == '*') return ++*at, va_arg(*list, int);
    long number = strtol(*at, &end, 10);
    *at = end;
    return (int)number;
}

static struct print_form print_form(const char **at, va_list *list)
{
    struct print_form form = {.precision = -1};
    for (size_t i = 0; i < sizeof form.flags - 1 && **at && strchr("-+0", **at); i++)
        form.flags[i] = *(*at)++;
    form.width = print_number(at, list);
    if (**at == '.') {
        ++*at;
        form.counted = **at == '*';
        form.precision = print_number(at, list);
    }
    for (; **at && strchr("ljzt", **at); ++*at)
        form.is_long = true;
    form.letter = *(*at)++;
    return form;
}

static size_t print_width(str text)
{
    char escape[PLAIN_ESCAPE_SIZE];
    size_t at = 0, width = 0;
    for (str piece; (piece = print_piece(text, &at, "", escape)).size;)
        width += utf8_count(piece);
    return width;
}

static void print_string(const struct print_form *form, str text, FILE *out)
{
    int blanks = form->width ? form->width - (int)print_width(text) : 0;
    bool left = strchr(form->flags, '-');
    if (blanks > 0 && !left) fprintf(out, "%*s", blanks, "");
    print_text(text, out);
    if (blanks > 0 && left) fprintf(out, "%*s", blanks, "");
}

static str print_argument(const struct print_form *form, const char *text)
{
    if (!text) return (str){0};
    if (form->counted) return (str){text, (size_t)form->precision};
    return (str){text, form->precision < 0 ? strlen(text) : strnlen(text, (size_t)form->precision)};
}

static void print_value(const struct print_form *form, va_list *list, FILE *out)
{
    char spec[16];
    snprintf(spec, sizeof spec, "%%%s*.*%s%c", form->flags, form->is_long ? "ll" : "", form->letter);
    if (strchr("fg", form->letter))
        fprintf(out, spec, form->width, form->precision, va_arg(*list, double));
    else if (form->is_long)
        fprintf(out, spec, form->width, form->precision, va_arg(*list, long long));
    else
        fprintf(out, spec, form->width, form->precision, va_arg(*list, int));
}

/* The conversion behind a %; returns what comes behind it. */
static const char *print_conversion(const char *at, va_list *list, FILE *out)
{
    struct print_form form = print_form(&at, list);
    switch (form.letter) {
    case 's': print_string(&form, print_argument(&form, va_arg(*list, const char *)), out); break;
    case 'c': print_string(&form, (str){(char[]){(char)va_arg(*list, int)}, 1}, out); break;
    case '%': fputc('%', out); break;
    default: ensure(strchr("diuxfg", form.letter)); print_value(&form, list, out);
    }
    return at;
}

void print_list(FILE *out, const char *format, va_list list)
{
    va_list rest;
    va_copy(rest, list); /* an array in some ABIs: only of a copy of ours there is a pointer */
    while (*format) {
        const char *end = strchrnul(format, '%');
        print_bytes((str){format, (size_t)(end - format)}, out);
        format = *end ? print_conversion(end + 1, &rest, out) : end;
    }
    va_end(rest);
}

void print(FILE *out, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    print_list(out, format, list);
    va_end(list);
}

/* ---- the line at the foot */

/* Of one line: what does not fit would leave a line behind that nothing wipes. */
static void print_cut(const char *text, size_t columns, FILE *out)
{
    size_t size = strlen(text);
    print(out, "%.*s", (int)(columns && size >= columns ? columns - 1 : size), text);
}

void print_status(const char *format, ...)
{
    char line[256];
    va_list list;
    va_start(list, format);
    vsnprintf(line, sizeof line, format, list);
    va_end(list);
    print_control("\r\033[K", stderr);
    print_cut(line, terminal_columns(stderr), stderr);
    fflush(stderr);
    print_has_status = true;
}

void print_status_wipe(void)
{
    if (!print_has_status) return;
    print_control("\r\033[K", stderr);
    fflush(stderr);
    print_has_status = false;
}

/* ---- mistakes */

void print_mistake_list(const char *kind, const char *format, va_list list)
{
    print_status_wipe();
    flockfile(stderr); /* a line is one, whoever else prints */
    print(stderr, "relance%s%s: %s", print_name ? " " : "", print_name ? print_name : "", kind);
    print_list(stderr, format, list);
    fputc('\n', stderr);
    funlockfile(stderr);
}

void print_mistake(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    print_mistake_list("", format, list);
    va_end(list);
}

/* ---- rows */

enum { ROW_SENTENCE_LEAST = 40, ROW_BELOW = 6 }; /* columns: of a sentence beside its row, before one below */

static void print_line_to(size_t column, FILE *out)
{
    print(out, "\n%*s", (int)column, "");
}

/* Word by word, from column `at`; further lines begin at `indent`. */
static void print_wrapped(str text, size_t at, size_t indent, size_t columns, FILE *out)
{
    bool first = true;
    while (text.size) {
        const char *blank = memchr(text.data, ' ', text.size);
        str word = str_slice(text, 0, blank ? (size_t)(blank - text.data) : text.size);
        size_t width = print_width(word);
        bool fits = at + !first + width <= columns;
        if (!first && fits) fputc(' ', out);
        if (!first && !fits) print_line_to(indent, out);
        at = (fits ? at + !first : indent) + width;
        print_text(word, out);
        text = str_slice(text, word.size + (blank != NULL), text.size);
        first = false;
    }
}

void print_row(FILE *out, size_t width, str left, str sentence)
{
    size_t columns = terminal_columns(out), indent = 2 + width + 1, at = 2 + print_width(left) + 2;
    bool below = columns && columns < indent + ROW_SENTENCE_LEAST;
    print(out, "  %.*s", STR_ARG(left));
    if (below)
        print_line_to(at = indent = ROW_BELOW, out);
    else if (sentence.size)
        print(out, "%*s", at < indent ? (int)(indent - at + 2) : 2, "");
    print_wrapped(sentence, at < indent ? indent : at, indent, columns ? columns : SIZE_MAX, out);
    fputc('\n', out);
}

/* ---- the end */

bool print_failed(void)
{
    return ferror(stdout);
}

void print_flush(void)
{
    if (fflush(stdout) != 0 && !print_error) print_error = errno;
}

/* A standard output that nobody has opened matters only where something was printed. */
bool print_end(void)
{
    print_flush();
    bool failed = ferror(stdout);
    if (fclose(stdout) != 0 && errno != EBADF && !failed) print_error = errno;
    if (!failed && !print_error) return true;
    print_mistake("standard output cannot be written: %s",
                  print_error ? strerror(print_error) : "it has failed");
    return false;
}
