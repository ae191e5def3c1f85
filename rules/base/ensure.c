#include "base/ensure.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void ensure_failed(const char *expression, const char *file, int line)
{
    fprintf(stderr, "relance: %s:%d: this cannot be: !(%s)\n", file, line, expression);
    abort();
}
