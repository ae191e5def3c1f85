#include "host/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool terminal_is_set(const char *variable)
{
    const char *value = getenv(variable);
    return value && *value;
}

/* A stream in memory has no descriptor, and so is no terminal. */
bool terminal_obeys(FILE *out)
{
    return isatty(fileno(out)) && terminal_is_set("TERM") && strcmp(getenv("TERM"), "dumb") != 0;
}

bool terminal_paints(FILE *out)
{
    return terminal_obeys(out) && !terminal_is_set("NO_COLOR");
}

size_t terminal_columns(FILE *out)
{
    struct winsize size;
    return isatty(fileno(out)) && ioctl(fileno(out), TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

size_t terminal_rows(FILE *out)
{
    struct winsize size;
    return isatty(fileno(out)) && ioctl(fileno(out), TIOCGWINSZ, &size) == 0 ? size.ws_row : 0;
}
