/* Time zones for tests of the core, which opens no files. */
#ifndef SUPPORT_ZONES_H
#define SUPPORT_ZONES_H

#include "suite.h"

#include <relance/ruleset.h>

/* A relance_zone_load over the system's zones; the context is the struct arena that keeps their bytes. */
static inline bool zone_file(void *arena, struct relance_str name, struct relance_str *bytes)
{
    char path[256];
    if (!name.size || name.size > 100 || memchr(name.data, '\0', name.size) ||
        memchr(name.data, '.', name.size))
        return false;
    snprintf(path, sizeof path, "/usr/share/zoneinfo/%.*s", STR_ARG(name));
    *bytes = suite_file(arena, path);
    return bytes->size > 0;
}

#endif
