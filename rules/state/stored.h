/* An event as a state keeps it. In memory it is a map that begins with `id`, `type` and `time`, as expressions read it and
 * as all formats before 4 saved it:
 *
 *     {"id": "e-81", "type": "view", "time": 1772445600120, "product": "tent", ...}
 *
 * In format 4 it is an array without those names, its time told from the state's `now` on, and its type by number where an
 * event before it in the state has the same:
 *
 *     ["e-81", "view", 1, "product", "tent", ...] */
#ifndef RULES_STATE_STORED_H
#define RULES_STATE_STORED_H

#include "base/buffer.h"

/* Borrowed from the bytes. */
struct stored_event {
    str id, type;
    int64_t time_ms;
    size_t fields;
    str rest; /* the fields: a name, a value, ... */
};

/* Of the form in memory; false: it is none. */
bool stored_event_read(str packed, struct stored_event *event);
/* And into it: that many bytes. */
size_t stored_event_size(const struct stored_event *event);
void stored_event_write(const struct stored_event *event, char *out, size_t size);

#endif
