#include "log.h"
#include <relance/decision.h>
#include <stdarg.h>
#include <stdio.h>
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

/* The line is put together first and written with one call: that is what keeps lines of threads apart. The
 * time is the machine's, also where a demonstration's clock runs faster: a log is for comparing with others.
 */
void log_line(enum log_level level, const char *sentence, const char *facts, ...)
{
    char line[2048], at[24];
    struct timespec now;
    if (level < log_least) return;
    clock_gettime(CLOCK_REALTIME, &now);
    relance_time_print((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000, at);
    int size =
        snprintf(line, sizeof line - 1, "%.24s %s %s%s", at, log_names[level], sentence, *facts ? " " : "");
    va_list list;
    va_start(list, facts);
    size_t used = (size_t)size < sizeof line - 1 ? (size_t)size : sizeof line - 2;
    int more = vsnprintf(line + used, sizeof line - 1 - used, facts, list);
    va_end(list);
    used += more > 0 ? (size_t)more : 0;
    if (used > sizeof line - 2) used = sizeof line - 2;
    for (size_t i = 0; i < used; i++)
        if ((unsigned char)line[i] < ' ') line[i] = ' ';
    line[used] = '\n';
    ssize_t written = write(STDERR_FILENO, line, used + 1);
    (void)written; /* where would one say that the log is gone? */
}
