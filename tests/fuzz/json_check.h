/* Of what our own reader of JSON has taken, or written: the reader of rule files takes it, too. */
#ifndef FUZZ_JSON_CHECK_H
#define FUZZ_JSON_CHECK_H

#include "base/ensure.h"
#include "json/json.h"

/* cJSON knows no numbers of more than 63 characters, and a key that is given twice is a mistake in rule files alone. */
static inline void fuzz_check_json(str json)
{
    struct arena scratch;
    struct diagnostics diag;
    struct source source = {.name = STR("value"), .text = json};
    arena_init(&scratch, 0);
    diag_init(&diag, &scratch);
    const struct json *root = json_parse(&scratch, &source, &diag);
    for (const struct diagnostic *d = diag.first; d && !root; d = d->next)
        ensure(str_starts_with(d->message, STR("a number has at most")));
    ensure(root || diag.first);
    arena_free(&scratch);
}

#endif
