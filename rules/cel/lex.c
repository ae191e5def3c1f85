/* Text to tokens, by langdef.md "Syntax". Strings arrive decoded, in scratch memory.
 *
 * A mistake inside a token is reported here and the token still delivered, so that the parser can go on and
 * find the next mistake. */
#include "cel/lex.h"

#include "cel/digits.h"

static int char_at(const struct lexer *lexer, uint32_t at)
{
    return at < lexer->end ? (unsigned char)lexer->c->text.data[at] : -1;
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static int hex_digit(int c)
{
    if (is_digit(c)) return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void skip_blanks(struct lexer *lexer)
{
    for (;; lexer->at++) {
        int c = char_at(lexer, lexer->at);
        if (c == '/' && char_at(lexer, lexer->at + 1) == '/') {
            while (char_at(lexer, lexer->at) != '\n' && char_at(lexer, lexer->at) != -1)
                lexer->at++;
            c = char_at(lexer, lexer->at);
        }
        if (c != ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f') return;
    }
}

static struct token finish(const struct lexer *lexer, enum token_kind kind, uint32_t begin)
{
    struct span span = {begin, lexer->at};
    return (struct token){.kind = kind, .span = span, .text = span_text(lexer->c, span)};
}

/* ---- numbers */

static struct token lex_hexadecimal(struct lexer *lexer, uint32_t begin)
{
    uint64_t value = 0;
    bool huge = false;
    lexer->at += 2;
    for (int digit; (digit = hex_digit(char_at(lexer, lexer->at))) >= 0; lexer->at++) {
        huge |= value >> 60 != 0;
        value = value << 4 | (uint64_t)digit;
    }
    struct token token = finish(lexer, TOKEN_INTEGER, begin);
    token.value.as.u = value;
    token.huge = huge;
    if (token.span.end == begin + 2)
        mistake(lexer->c, token.span, (str){0}, "hexadecimal digits are missing after '0x'");
    return token;
}

static struct token lex_decimal(struct lexer *lexer, uint32_t begin)
{
    uint64_t value = 0;
    bool huge = false;
    for (; is_digit(char_at(lexer, lexer->at)); lexer->at++)
        huge |= __builtin_mul_overflow(value, 10u, &value) ||
                __builtin_add_overflow(value, (uint64_t)(char_at(lexer, lexer->at) - '0'), &value);
    struct token token = finish(lexer, TOKEN_INTEGER, begin);
    token.value.as.u = value;
    token.huge = huge;
    return token;
}

/* The end of a floating-point literal at `at`, or 0 when none begins there. */
static uint32_t double_end(const struct lexer *lexer, uint32_t at)
{
    bool fraction = false, exponent = false;
    while (is_digit(char_at(lexer, at)))
        at++;
    if (char_at(lexer, at) == '.' && is_digit(char_at(lexer, at + 1))) {
        fraction = true;
        at++;
        while (is_digit(char_at(lexer, at)))
            at++;
    }
    if ((char_at(lexer, at) | 32) == 'e') {
        uint32_t digits = at + 1;
        if (char_at(lexer, digits) == '+' || char_at(lexer, digits) == '-') digits++;
        exponent = is_digit(char_at(lexer, digits));
        if (exponent) at = digits;
        while (exponent && is_digit(char_at(lexer, at)))
            at++;
    }
    return fraction || exponent ? at : 0;
}

static struct token lex_double(struct lexer *lexer, uint32_t begin, uint32_t end)
{
    lexer->at = end;
    struct token token = finish(lexer, TOKEN_VALUE, begin);
    double d = 0;
    digits_read(token.text.data, token.text.size, &d);
    token.value = cel_double(d);
    if (d > 1.7976931348623157e308)
        mistake(lexer->c, token.span, (str){0}, "this number is too large for a double");
    return token;
}

static struct token lex_number(struct lexer *lexer)
{
    uint32_t begin = lexer->at;
    if (char_at(lexer, begin) == '0' && (char_at(lexer, begin + 1) | 32) == 'x') {
        struct token token = lex_hexadecimal(lexer, begin);
        token.unsigned_suffix = (char_at(lexer, lexer->at) | 32) == 'u';
        lexer->at += token.unsigned_suffix;
        token.span.end = lexer->at;
        return token;
    }
    uint32_t end = double_end(lexer, begin);
    if (end) return lex_double(lexer, begin, end);
    struct token token = lex_decimal(lexer, begin);
    token.unsigned_suffix = (char_at(lexer, lexer->at) | 32) == 'u';
    lexer->at += token.unsigned_suffix;
    token.span.end = lexer->at;
    return token;
}

/* ---- strings */

struct literal {
    bool raw, bytes, triple, done;
    int quote;
    uint32_t begin;
    char *out; /* decoded text: never longer than what is written */
    size_t size;
};

static bool at_closing(const struct lexer *lexer, const struct literal *l)
{
    if (char_at(lexer, lexer->at) != l->quote) return false;
    return !l->triple ||
           (char_at(lexer, lexer->at + 1) == l->quote && char_at(lexer, lexer->at + 2) == l->quote);
}

static void put_point(struct literal *l, uint32_t point, bool octet)
{
    if (l->bytes && octet)
        l->out[l->size++] = (char)point;
    else
        l->size += utf8_encode(point, l->out + l->size);
}

/* `count` digits of `base` after the backslash and `skip` characters; -1 when they are not all there. */
static int64_t escape_number(const struct lexer *lexer, uint32_t skip, uint32_t count, int base)
{
    int64_t value = 0;
    for (uint32_t i = 0; i < count; i++) {
        int digit = hex_digit(char_at(lexer, lexer->at + skip + i));
        if (digit < 0 || digit >= base) return -1;
        value = value * base + digit;
    }
    return value;
}

static void lex_numbered_escape(struct lexer *lexer, struct literal *l, uint32_t skip, uint32_t count,
                                int base)
{
    uint32_t begin = lexer->at;
    int64_t value = escape_number(lexer, skip, count, base);
    bool octet = count <= 3;
    lexer->at += skip;
    if (value >= 0) lexer->at += count;
    struct span span = {begin, lexer->at};
    if (value < 0)
        mistake(lexer->c, span, (str){0}, "this escape needs %u %s digits", count,
                base == 8 ? "octal" : "hexadecimal");
    else if (octet && value > 255)
        mistake(lexer->c, span, STR("\\377 is the largest"), "this octal escape is more than a byte");
    else if (!octet && l->bytes)
        mistake(lexer->c, span, STR("write the bytes as \\xHH"), "bytes cannot hold a code point");
    else if (!octet && (value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)))
        mistake(lexer->c, span, (str){0}, "U+%04X is not a code point that a text can have", (unsigned)value);
    else
        put_point(l, (uint32_t)value, octet);
}

static void lex_escape(struct lexer *lexer, struct literal *l)
{
    static const char plain[] = "a\ab\bf\fn\nr\rt\tv\v\\\\??\"\"''``";
    int c = char_at(lexer, lexer->at + 1);
    for (size_t i = 0; i + 1 < sizeof plain; i += 2)
        if (c == plain[i]) {
            l->out[l->size++] = plain[i + 1];
            lexer->at += 2;
            return;
        }
    if ((c | 32) == 'x') return lex_numbered_escape(lexer, l, 2, 2, 16);
    if (c == 'u') return lex_numbered_escape(lexer, l, 2, 4, 16);
    if (c == 'U') return lex_numbered_escape(lexer, l, 2, 8, 16);
    if (c >= '0' && c <= '7') return lex_numbered_escape(lexer, l, 1, 3, 8);
    size_t length = utf8_length(lexer->c->text, lexer->at + 1);
    struct span span = {lexer->at, lexer->at + 1 + (uint32_t)length};
    mistake(lexer->c, span, STR("write '\\\\' for a backslash, or r'…' for a text without escapes"),
            "'%.*s' is not an escape sequence", STR_ARG(span_text(lexer->c, span)));
    lexer->at = span.end;
}

static void lex_literal_step(struct lexer *lexer, struct literal *l)
{
    int c = char_at(lexer, lexer->at);
    if (c == -1 || (!l->triple && (c == '\n' || c == '\r'))) {
        mistake(lexer->c, (struct span){l->begin, lexer->at},
                c == -1 ? (str){0} : STR("'''…''' may span lines"), "this text has no closing %s",
                l->quote == '"' ? "\"" : "'");
        l->done = true;
    } else if (at_closing(lexer, l)) {
        lexer->at += l->triple ? 3 : 1;
        l->done = true;
    } else if (c == '\\' && !l->raw) {
        lex_escape(lexer, l);
    } else {
        l->out[l->size++] = (char)c;
        lexer->at++;
    }
}

/* Whether a string literal begins here: its quote, after r, b or br. */
static bool literal_begins(const struct lexer *lexer, struct literal *l, uint32_t *open)
{
    *l = (struct literal){.begin = lexer->at};
    uint32_t at = lexer->at;
    if ((char_at(lexer, at) | 32) == 'b') {
        l->bytes = true;
        at++;
    }
    if ((char_at(lexer, at) | 32) == 'r') {
        l->raw = true;
        at++;
    }
    l->quote = char_at(lexer, at);
    if (l->quote != '"' && l->quote != '\'') return false;
    l->triple = char_at(lexer, at + 1) == l->quote && char_at(lexer, at + 2) == l->quote;
    *open = at + (l->triple ? 3 : 1);
    return true;
}

/* Enough for the decoded text: what is written up to its end, or to the end of everything. */
static size_t literal_room(const struct lexer *lexer, const struct literal *l)
{
    struct lexer ahead = *lexer;
    while (!at_closing(&ahead, l) && char_at(&ahead, ahead.at) != -1)
        ahead.at += char_at(&ahead, ahead.at) == '\\' && !l->raw ? 2 : 1;
    return ahead.at - lexer->at + 4;
}

static struct token lex_literal(struct lexer *lexer, struct literal *l, uint32_t open)
{
    lexer->at = open;
    l->out = arena_alloc(lexer->c->scratch, literal_room(lexer, l));
    if (!l->out) {
        lexer->c->failed = true;
        lexer->at = lexer->end;
        return finish(lexer, TOKEN_BAD, l->begin);
    }
    while (!l->done)
        lex_literal_step(lexer, l);
    struct token token = finish(lexer, TOKEN_VALUE, l->begin);
    token.value = cel_string((str){l->out, l->size});
    if (l->bytes) token.value.kind = CEL_BYTES;
    return token;
}

/* ---- names and signs */

static struct token lex_name(struct lexer *lexer)
{
    uint32_t begin = lexer->at;
    while (is_letter(char_at(lexer, lexer->at)) || is_digit(char_at(lexer, lexer->at)))
        lexer->at++;
    return finish(lexer, TOKEN_NAME, begin);
}

static struct token lex_quoted_name(struct lexer *lexer)
{
    uint32_t begin = lexer->at++;
    while (char_at(lexer, lexer->at) != '`' && char_at(lexer, lexer->at) != -1)
        lexer->at++;
    if (char_at(lexer, lexer->at) == -1) {
        mistake(lexer->c, (struct span){begin, lexer->at}, (str){0}, "this name has no closing '`'");
        return finish(lexer, TOKEN_BAD, begin);
    }
    lexer->at++;
    struct token token = finish(lexer, TOKEN_QUOTED, begin);
    token.text = str_slice(token.text, 1, token.text.size - 1);
    return token;
}

static struct token lex_unknown(struct lexer *lexer, uint32_t begin)
{
    static const struct {
        const char *sign, *hint;
    } known[] = {
        {"=", "write '==' to compare"},
        {"&", "write '&&'"},
        {"|", "write '||'"},
        {";", "an expression has no ';'"},
        {"$", "${…} belongs into payloads: here the expression stands alone"},
        {"~", "write x.matches('…')"},
        {"’", "write a straight quote: '"},
        {"‘", "write a straight quote: '"},
        {"“", "write a straight quote: '"},
        {"”", "write a straight quote: '"},
    };
    size_t length = utf8_length(lexer->c->text, begin);
    lexer->at = begin + (uint32_t)(length ? length : 1);
    struct token token = finish(lexer, TOKEN_BAD, begin);
    str hint = {0};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (str_equal(token.text, str_of(known[i].sign))) hint = str_of(known[i].hint);
    unsigned char byte = (unsigned char)lexer->c->text.data[begin];
    if (byte < 0x20 || byte == 0x7F || !length)
        mistake(lexer->c, token.span, hint, "byte 0x%02X has no meaning here", byte);
    else
        mistake(lexer->c, token.span, hint, "'%.*s' has no meaning here", STR_ARG(token.text));
    return token;
}

/* The bytes of a quote of typographers at `at`; 0: there is none. */
static uint32_t curly_size(const struct lexer *lexer, uint32_t at)
{
    static const str quotes[] = {STR("“"), STR("”"), STR("„"), STR("‟"), STR("‘"),
                                 STR("’"), STR("‚"), STR("‛"), STR("«"), STR("»")};
    str rest = span_text(lexer->c, (struct span){at, (uint32_t)lexer->c->text.size});
    for (size_t i = 0; i < sizeof quotes / sizeof *quotes; i++)
        if (str_starts_with(rest, quotes[i])) return (uint32_t)quotes[i].size;
    return 0;
}

/* “tent”: what a word processor makes of quotes. It is meant as a text, and taken as one so that it is told of once;
 * false: none begins here, or it does not end. */
static bool lex_curly(struct lexer *lexer, struct token *token)
{
    uint32_t begin = lexer->at, opening = curly_size(lexer, begin), end = begin + opening, closing = 0;
    if (!opening) return false;
    while (char_at(lexer, end) != -1 && !(closing = curly_size(lexer, end)))
        end++;
    if (!closing) return false;
    str text = span_text(lexer->c, (struct span){begin + opening, end});
    lexer->at = end + closing;
    *token = finish(lexer, TOKEN_VALUE, begin);
    token->value = cel_string(text);
    mistake(lexer->c, token->span, arena_format(lexer->c->scratch, "write '%.*s'", STR_ARG(text)),
            "a text needs straight quotes");
    return true;
}

static struct token lex_sign(struct lexer *lexer)
{
    static const char *const signs[] = {"&&", "||", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/",
                                        "%",  "!",  "?",  ":",  ",",  ".",  "(", ")", "[", "]", "{", "}"};
    uint32_t begin = lexer->at;
    str rest = span_text(lexer->c, (struct span){begin, lexer->end});
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
        if (str_starts_with(rest, str_of(signs[i]))) {
            lexer->at += (uint32_t)strlen(signs[i]);
            return finish(lexer, TOKEN_SIGN, begin);
        }
    return lex_unknown(lexer, begin);
}

struct token lex_next(struct lexer *lexer)
{
    skip_blanks(lexer);
    int c = char_at(lexer, lexer->at);
    if (c == -1) return finish(lexer, TOKEN_END, lexer->at);
    if (is_digit(c) || (c == '.' && is_digit(char_at(lexer, lexer->at + 1)))) return lex_number(lexer);
    struct literal literal;
    uint32_t open;
    if (literal_begins(lexer, &literal, &open)) return lex_literal(lexer, &literal, open);
    if (is_letter(c)) return lex_name(lexer);
    if (c == '`') return lex_quoted_name(lexer);
    struct token curly;
    if (c >= 0x80 && lex_curly(lexer, &curly)) return curly;
    return lex_sign(lexer);
}
