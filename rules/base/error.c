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
