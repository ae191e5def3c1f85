#include "host/preset.h"
#include "base/nearest.h"

#include <stdio.h>

bool preset_find(str name, str *text)
{
    for (const struct preset *preset = preset_table; preset->name; preset++)
        if (str_equal(str_of(preset->name), name)) return *text = *preset->text, true;
    return false;
}

str preset_nearest(str name)
{
    struct nearest nearest = nearest_to(name);
    for (const struct preset *preset = preset_table; preset->name; preset++)
        nearest_offer(&nearest, str_of(preset->name));
    return nearest.name;
}

/* The next line of the comment that opens the file, without its slashes; false behind its end. */
static bool next_line(str *rest, str *line)
{
    if (!str_starts_with(*rest, STR("//"))) return false;
    const char *end = memchr(rest->data, '\n', rest->size);
    size_t size = end ? (size_t)(end - rest->data) : rest->size;
    *line = str_trim(str_slice(*rest, 2, size));
    *rest = str_slice(*rest, end ? size + 1 : size, rest->size);
    return true;
}

/* Up to and with the point that ends a sentence, or all of it. */
static str until_point(str line, bool *ends)
{
    for (size_t at = 0; at < line.size; at++) {
        bool last = at + 1 == line.size;
        *ends = line.data[at] == '.' && (last || line.data[at + 1] == ' ');
        if (*ends) return str_slice(line, 0, at + 1);
    }
    return line;
}

size_t preset_prose(const struct preset *preset, char *out, size_t size)
{
    str rest = *preset->text, line;
    size_t wanted = 0;
    bool ends = false;
    /* the title, and an empty line */
    if (!next_line(&rest, &line) || !next_line(&rest, &line)) return 0;
    while (!ends && next_line(&rest, &line) && line.size) {
        line = until_point(line, &ends);
        int put = snprintf(out + (wanted < size ? wanted : size), wanted < size ? size - wanted : 0, "%s%.*s",
                           wanted ? " " : "", STR_ARG(line));
        wanted += put > 0 ? (size_t)put : 0;
    }
    return wanted;
}
