/* What the targets of wire formats share: an input is a schema, a NUL, and a value; what a value has been written as is
 * JSON for the reader of rule files, too, no larger and no deeper than an event may be. */
#ifndef FUZZ_WIRE_CHECK_H
#define FUZZ_WIRE_CHECK_H

#include "base/ensure.h"
#include "base/limits.h"
#include "json/json.h"
#include "wire/put.h"

/* cJSON knows no numbers of more than 63 characters, and a key that is given twice is a mistake in rule files alone. */
static inline void wire_check_json(str json)
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

/* The value behind the schema; false where there is none. */
static inline bool wire_split(const uint8_t *data, size_t size, str *schema, struct wire_run *run)
{
    const uint8_t *end = size ? memchr(data, 0, size) : NULL;
    if (!end) return false;
    *schema = (str){(const char *)data, (size_t)(end - data)};
    run->at = end + 1;
    run->end = data + size;
    return true;
}

static inline void wire_check_run(const struct wire_run *run)
{
    ensure(run->json->size <= LIMIT_EVENT_BYTES && run->fault != WIRE_FAULT_MEMORY);
    if (!run->fault) wire_check_json(buffer_str(run->json));
}

#endif
