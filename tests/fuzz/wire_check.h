/* What the targets of wire formats share: an input is a schema, a NUL, and a value; what a value has been written as is
 * JSON for the reader of rule files, too, no larger and no deeper than an event may be. */
#ifndef FUZZ_WIRE_CHECK_H
#define FUZZ_WIRE_CHECK_H

#include "base/ensure.h"
#include "base/limits.h"
#include "json_check.h"
#include "wire/put.h"

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
    if (!run->fault) fuzz_check_json(buffer_str(run->json));
}

#endif
