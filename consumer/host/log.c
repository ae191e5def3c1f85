#include "host/log.h"
#include "host/print.h"
#include "base/str.h"
#include <relance/decision.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const log_names[] = {"debug", "info", "warning", "error"};
static enum log_level log_least = LOG_INFO;

bool log_set_level(const char *name)
{
    for (int i = LOG_DEBUG; i <= LOG_ERROR; i++)
        if (strcmp(name, log_names[i]) == 0) return log_least = (enum log_level)i, true;
    return false;
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

static void log_blot_out(char *line, size_t size)
{
    for (size_t i = 0; i < log_secret_count; i++) {
        char *from = line, *end = line + size, *at;
        while ((at = memmem(from, (size_t)(end - from), log_secrets[i].text, log_secrets[i].size))) {
            memset(at, '*', log_secrets[i].size);
            from = at + log_secrets[i].size;
        }
    }
}

/* ---- lines */
enum { LOG_LINE_MAX = 2048 };

/* The line as it is written, plain; as much of it as there is room for. Returns its size, its end included. */
static size_t log_write_plain(struct relance_str line, char out[LOG_LINE_MAX])
{
    char escape[PLAIN_ESCAPE_SIZE];
    size_t size = 0;
    size_t at = 0;
    for (str piece; (piece = print_piece(line, &at, "", escape)).size; size += piece.size) {
        if (size + piece.size > LOG_LINE_MAX - 1) break;
        memcpy(out + size, piece.data, piece.size);
    }
    out[size] = '\n';
    return size + 1;
}

/* The line is put together first and written with one call: that is what keeps lines of threads apart. The
 * time is the machine's, also where a demonstration's clock runs faster: a log is for comparing with others. */
void log_line(enum log_level level, const char *sentence, const char *facts, ...)
{
    char line[LOG_LINE_MAX], shown[LOG_LINE_MAX], at[24];
    struct timespec now;
    if (level < log_least) return;
    clock_gettime(CLOCK_REALTIME, &now);
    relance_time_print((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000, at);
    int size =
        snprintf(line, sizeof line, "%.24s %s %s%s", at, log_names[level], sentence, *facts ? " " : "");
    size_t used = (size_t)size < sizeof line ? (size_t)size : sizeof line - 1;
    va_list list;
    va_start(list, facts);
    int more = vsnprintf(line + used, sizeof line - used, facts, list);
    va_end(list);
    used += more > 0 ? (size_t)more : 0;
    if (used > sizeof line - 1) used = sizeof line - 1;
    log_blot_out(line, used);
    ssize_t written = write(STDERR_FILENO, shown, log_write_plain((struct relance_str){line, used}, shown));
    (void)written; /* where would one say that the log is gone? */
}
