#include "host/log.h"

#include "base/buffer.h"
#include "base/ensure.h"
#include "base/plain.h"

#include <relance/decision.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static const char *const log_names[] = {"debug", "info", "warning", "error"};
static enum log_level log_least = LOG_INFO;
static bool log_is_json;

bool log_set_level(const char *name)
{
    for (int i = LOG_DEBUG; i <= LOG_ERROR; i++)
        if (strcmp(name, log_names[i]) == 0) return log_least = (enum log_level)i, true;
    return false;
}

bool log_set_format(const char *name)
{
    log_is_json = strcmp(name, "json") == 0;
    return log_is_json || strcmp(name, "text") == 0;
}

/* ---- what is never said */
enum { LOG_SECRETS_MAX = 16, LOG_SECRET_LEAST = 4 };
static struct log_secret {
    char *text;
    size_t size;
} log_secrets[LOG_SECRETS_MAX];
static size_t log_secret_count;

void log_hide(struct relance_str secret)
{
    if (secret.size < LOG_SECRET_LEAST || log_secret_count == LOG_SECRETS_MAX) return;
    char *copy = strndup(secret.data, secret.size);
    if (!copy) abort(); /* a few bytes, at the start of the process */
    log_secrets[log_secret_count++] = (struct log_secret){copy, secret.size};
}

static void log_blot_out(char *text, size_t size)
{
    for (size_t i = 0; i < log_secret_count; i++) {
        char *from = text, *end = text + size, *at;
        while ((at = memmem(from, (size_t)(end - from), log_secrets[i].text, log_secrets[i].size))) {
            memset(at, '*', log_secrets[i].size);
            from = at + log_secrets[i].size;
        }
    }
}

/* ---- a line, put together in full and then written with one call: that is what keeps lines of threads apart */
enum {
    LOG_END_MAX = 16,     /* bytes kept free for what closes a value and the line */
    LOG_VALUE_MAX = 2048, /* bytes of one value: there is room for the others */
    LOG_BARE_MAX = 256,   /* bytes of a value that is never cut */
};

struct log_text {
    char data[LOG_LINE_MAX];
    size_t size;
    bool is_full; /* something had no room: nothing more is put but the end */
};

static void log_put_whole(struct log_text *line, const char *data, size_t size)
{
    memcpy(line->data + line->size, data, size);
    line->size += size;
}

static void log_put(struct log_text *line, str piece)
{
    line->is_full |= line->size + piece.size > sizeof line->data - LOG_END_MAX;
    if (!line->is_full) log_put_whole(line, piece.data, piece.size);
}

/* One character, as both forms have it between quotes. */
static str log_character(str text, size_t *at, char escape[PLAIN_ESCAPE_SIZE])
{
    size_t begin = *at;
    unsigned char c = (unsigned char)text.data[begin];
    if (c < 0x80 && !json_is_plain(c)) return ++*at, (str){escape, json_escape(c, escape)};
    uint32_t point;
    size_t length = utf8_decode(text, begin, &point);
    if (!length || plain_hides(point)) return plain_escape(text, at, escape);
    *at += length;
    return str_slice(text, begin, *at);
}

static void log_put_quoted(struct log_text *line, str text)
{
    char escape[PLAIN_ESCAPE_SIZE];
    size_t at = 0, begin = line->size;
    log_put(line, STR("\""));
    if (line->is_full) return;
    while (at < text.size && line->size - begin < LOG_VALUE_MAX && !line->is_full)
        log_put(line, log_character(text, &at, escape));
    if (line->is_full || at < text.size) log_put_whole(line, "\u2026", sizeof "\u2026" - 1);
    log_put_whole(line, "\"", 1);
}

/* May a value stand in logfmt without quotes? */
static bool log_is_bare(str text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] <= ' ' || text.data[i] > '~' || strchr("\"=\\", text.data[i])) return false;
    return text.size > 0 && text.size <= LOG_BARE_MAX;
}

static void log_put_key(struct log_text *line, str key)
{
    if (!log_is_json) {
        if (line->size) log_put(line, STR(" "));
        log_put(line, key);
        log_put(line, STR("="));
        return;
    }
    log_put(line, line->size ? STR(",") : STR("{"));
    log_put_quoted(line, key);
    log_put(line, STR(":"));
}

/* A fact for which there is no room leaves nothing behind. */
static void log_put_fact(struct log_text *line, str key, str value, bool is_number)
{
    size_t begin = line->size;
    log_put_key(line, key);
    size_t before = line->size;
    bool has_key = !line->is_full;
    if (is_number || (!log_is_json && log_is_bare(value)))
        log_put(line, value);
    else
        log_put_quoted(line, value);
    if (!has_key || line->size == before) line->size = begin;
}

/* ---- facts */
static void log_put_number(struct buffer *value, char letter, bool is_long, va_list *list)
{
    if (letter == 'd' || letter == 'i')
        buffer_put_format(value, "%lld", is_long ? va_arg(*list, long long) : va_arg(*list, int));
    else if (letter == 'f' || letter == 'g')
        buffer_put_format(value, "%g", va_arg(*list, double));
    else
        buffer_put_format(value, letter == 'x' ? "%llx" : "%llu",
                          is_long ? va_arg(*list, unsigned long long) : va_arg(*list, unsigned));
}

/* The conversion behind a %: what it gives is put as it is. Returns what comes behind it. */
static const char *log_put_conversion(struct buffer *value, const char *at, va_list *list)
{
    bool is_counted = at[0] == '.' && at[1] == '*';
    int size = is_counted ? va_arg(*list, int) : 0;
    at += is_counted ? 2 : 0;
    size_t lengths = strspn(at, "ljzt"); /* all these are of 64 bits */
    char letter = at[lengths];
    ensure(letter && strchr("diuxfgs", letter));
    const char *text = letter == 's' ? va_arg(*list, const char *) : NULL;
    if (letter != 's')
        log_put_number(value, letter, lengths > 0, list);
    else if (text)
        buffer_put(value, text, is_counted ? (size_t)size : strlen(text));
    return at + lengths + 1;
}

/* The value at the start of a form, up to the blank behind it, or between its quotes. Returns what comes behind it. */
static const char *log_read_value(struct buffer *value, const char *at, va_list *list)
{
    char end = *at == '"' ? *at++ : ' ';
    while (*at && *at != end)
        if (*at == '%')
            at = log_put_conversion(value, at + 1, list);
        else
            buffer_put_char(value, *at++);
    return at + (*at == '"');
}

/* Is the form of a value a whole number and nothing else? */
static bool log_is_number(const char *form)
{
    if (*form++ != '%') return false;
    form += strspn(form, "ljzt");
    return (*form == 'd' || *form == 'i' || *form == 'u') && (form[1] == ' ' || form[1] == '\0');
}

static void log_put_facts(struct log_text *line, const char *facts, va_list *list)
{
    struct buffer value = {0};
    while (*facts) {
        const char *equals = strchr(facts, '=');
        ensure(equals);
        const str key = {facts, (size_t)(equals - facts)};
        value.size = 0;
        facts = log_read_value(&value, equals + 1, list);
        log_blot_out(value.data, value.size);
        log_put_fact(line, key, buffer_str(&value), log_is_number(equals + 1));
        facts += *facts == ' ';
    }
    buffer_free(&value);
}

/* ---- lines */
/* The time is the machine's, also where a demonstration's clock runs faster: a log is for comparing with others. */
static void log_begin(struct log_text *line, enum log_level level, const char *sentence)
{
    char at[24];
    struct timespec now;
    line->size = 0;
    line->is_full = false;
    clock_gettime(CLOCK_REALTIME, &now);
    relance_time_print((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000, at);
    log_put_fact(line, STR("time"), (str){at, sizeof at}, false);
    log_put_fact(line, STR("level"), str_of(log_names[level]), false);
    log_put_fact(line, STR("msg"), str_of(sentence), false);
}

static void log_end(struct log_text *line)
{
    if (log_is_json) log_put_whole(line, "}", 1);
    log_put_whole(line, "\n", 1);
    ssize_t written = write(STDERR_FILENO, line->data, line->size);
    (void)written; /* where would one say that the log is gone? */
}

void log_line(enum log_level level, const char *sentence, const char *facts, ...)
{
    struct log_text line;
    va_list list;
    if (level < log_least) return;
    log_begin(&line, level, sentence);
    va_start(list, facts);
    log_put_facts(&line, facts, &list);
    va_end(list);
    log_end(&line);
}

void log_counts(enum log_level level, const char *sentence, const struct log_count *counts, size_t count)
{
    struct log_text line;
    if (level < log_least) return;
    log_begin(&line, level, sentence);
    for (size_t i = 0; i < count; i++) {
        char number[24];
        int size = snprintf(number, sizeof number, "%lld", (long long)counts[i].number);
        log_put_fact(&line, counts[i].key, (str){number, (size_t)size}, true);
    }
    log_end(&line);
}
