#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>

enum relance_status relance_error_set(struct relance_error *error, enum relance_status status,
                                      const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    error->status = status;
    return status;
}

enum relance_status relance_error_while(struct relance_error *error, const char *format, ...)
{
    char doing[sizeof error->message], inner[sizeof error->message];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(doing, sizeof doing, format, arguments);
    va_end(arguments);
    memcpy(inner, error->message, sizeof inner);
    size_t room = sizeof error->message - 1, at = 0;
    const char *parts[] = {"while ", doing, ": ", inner};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        for (const char *p = parts[i]; *p && at < room; p++)
            error->message[at++] = *p;
    error->message[at] = '\0';
    return error->status;
}
