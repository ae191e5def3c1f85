#include "base/limits.h"
#include "event/event.h"
#include "json/broken.h"
#include "json/scan.h"

#include <relance/dead.h>

str relance_dead_prose(str reason)
{
    static const struct {
        str name, prose;
    } rows[] = {
#define DEAD_ROW(name, text, prose) {STR(text), STR(prose)},
        EVENT_DEAD_TABLE(DEAD_ROW)
#undef DEAD_ROW
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (str_equal(rows[i].name, reason)) return rows[i].prose;
    return (str){0};
}

size_t relance_dead_at(str value)
{
    str json = str_skip_mark(value);
    size_t mark = value.size - json.size, at = json_broken_at(json, LIMIT_EVENT_DEPTH);
    if (at != BROKEN_NOWHERE) return mark + at;
    size_t begin = 0;
    while (scan_blank(json.data[begin]))
        begin++;
    bool may_be = json.data[begin] == '{' || json.data[begin] == '[';
    return may_be ? RELANCE_DEAD_NOWHERE : mark + begin;
}
