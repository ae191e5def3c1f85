#include "report/passed.h"
#include "base/str.h"
#include "host/print.h"

#include <inttypes.h>

void passed_take(struct passed *passed, const struct relance_mapped *mapped, int64_t line)
{
    char name[PASSED_NAME_SHOWN];
    bool cut = mapped->row.size >= sizeof name;
    snprintf(name, sizeof name, "%.*s%s", (int)(cut ? sizeof name - 4 : mapped->row.size),
             mapped->row.size ? mapped->row.data : "", cut ? "..." : "");
    passed->count += mapped->unmapped;
    size_t i = 0;
    while (i < passed->name_count && strcmp(passed->names[i].name, name) != 0)
        i++;
    if (i == PASSED_NAMES_MAX) return;
    struct passed_name *found = &passed->names[i];
    if (i == passed->name_count) {
        passed->name_count++;
        found->line = line;
        memcpy(found->name, name, sizeof name);
    }
    found->count += mapped->unmapped;
}

void passed_print(const struct passed *passed, const char *path)
{
    uint64_t told = 0;
    for (size_t i = 0; i < passed->name_count; i++) {
        const struct passed_name *name = &passed->names[i];
        bool one = name->count == 1, named = name->name[0];
        told += name->count;
        print_mistake("%s: %" PRIu64 " passed over: %s%s%s (%sline %" PRId64 ")", path, name->count,
                      named ? "no row is for '" : "they have no name by which a row is found", name->name,
                      named ? "'" : "", one ? "" : "first in ", name->line);
    }
    if (told < passed->count) print_mistake("%s: %" PRIu64 " more passed over", path, passed->count - told);
}
