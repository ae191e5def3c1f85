/* An event as a state keeps it. In memory it is a map that begins with `id`, `type` and `time`, as expressions read it and
 * as all formats before 4 saved it:
 *
 *     {"id": "e-81", "type": "view", "time": 1772445600120, "product": "tent", ...}
 *
 * In format 4 it is an array without those names, its time told from the state's `now` on, and its type by number where an
 * event before it in the state has the same:
 *
 *     ["e-81", "view", 1, "product", "tent", ...]
 *
 * In format 5 usual names are words (words.def), those of fields and of the fields of records in them, too:
 *
 *     ["e-81", 8, 1, 3, "tent", ...] */
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

/* So many fields, copied to the end of `out` with words in place of names, and the other way round, in which `words` may be
 * NULL where there are none. What cannot have been packed sets in->bad. */
struct unpack;
struct state_words;
void stored_fields_to_words(struct unpack *in, size_t fields, const struct state_words *words,
                            struct buffer *out);
void stored_fields_from_words(struct unpack *in, size_t fields, const struct state_words *words,
                              struct buffer *out);

#endif
