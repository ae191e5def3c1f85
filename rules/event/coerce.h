/* Coercion: a JSON value as a declared type (LANGUAGE.md §1.2). Inside rules/event only.
 *
 * A value that cannot be is CEL_ABSENT, JSON's null is CEL_NULL. In a record only the bad field is absent; a
 * bad element, null included, makes its whole list or map absent. Of equal keys the last one wins. */
#ifndef RULES_EVENT_COERCE_H
#define RULES_EVENT_COERCE_H

#include "cel/value.h"
#include "json/scan.h"

struct coercion {
    struct scan scan;
    struct arena *values;    /* where lists, maps, records and bytes are made */
    struct arena *keep;      /* where the stack grows: not reset while the stack is in use */
    struct cel_value *stack; /* elements of lists and maps that are being read */
    size_t stack_count, stack_capacity;
    uint32_t invalid;  /* fields that could not be coerced */
    str first_invalid; /* the name of the first of them */
    bool no_memory;
};

/* Reads the next value of the scan. A field of an event or record that is CEL_ABSENT is counted by whoever
 * holds it. */
struct cel_value coerce(struct coercion *c, const struct cel_type *type);

/* The value just read as an instant in ms since 1970: RFC 3339 or a number of ms; false when it is neither,
 * or not in the years 1 to 9999. */
bool coerce_instant(const struct coercion *c, const struct scan_value *v, int64_t *ms);

static inline void coerce_begin_count(struct coercion *c)
{
    c->invalid = 0;
    c->first_invalid = (str){0};
}

static inline void coerce_count(struct coercion *c, str field)
{
    if (c->invalid++ == 0) c->first_invalid = field;
}

#endif
