/* Coercion: a JSON value as a declared type (LANGUAGE.md §1.2). For those who read records: rules/event and
 * rules/mapping.
 *
 * A value that cannot be is CEL_ABSENT, JSON's null is CEL_NULL. In a record only the bad field is absent; a
 * bad element, null included, makes its whole list or map absent. Of equal keys the last one wins. */
#ifndef RULES_EVENT_COERCE_H
#define RULES_EVENT_COERCE_H

#include "cel/value.h"
#include "json/scan.h"
#include <relance/misfit.h>

struct coercion {
    struct scan scan;
    struct arena *values;    /* where lists, maps, records and bytes are made */
    struct arena *keep;      /* where the stack grows: not reset while the stack is in use */
    struct cel_value *stack; /* elements of lists and maps that are being read */
    size_t stack_count, stack_capacity;
    uint32_t invalid;               /* fields that could not be coerced */
    struct relance_misfit *misfits; /* room for the first RELANCE_MISFITS_MAX of them; NULL: only counted */
    bool no_memory;
};

/* Reads the next value of the scan. */
struct cel_value coerce(struct coercion *c, const struct cel_type *type);

/* For lists read otherwise: elements are pushed; what has been pushed since the stack had `base` becomes a list. */
void coerce_push(struct coercion *c, struct cel_value value);
struct cel_value coerce_take_list(struct coercion *c, size_t base);
/* Likewise pairs of key and value; of equal keys the first keeps its place and the last its value. */
struct cel_value coerce_take_map(struct coercion *c, size_t base);

/* The list that comes next, whose elements `read` reads; after a bad one the others are only passed over. Inline, for `read`
 * to be. */
typedef struct cel_value coerce_read(void *reader, const void *element);
static inline struct cel_value coerce_list_by(struct coercion *c, coerce_read *read, void *reader,
                                              const void *element)
{
    size_t base = c->stack_count;
    bool good = true;
    for (bool more = scan_open(&c->scan); more; more = scan_more(&c->scan, ']')) {
        if (!good) {
            scan_skip(&c->scan);
            continue;
        }
        struct cel_value value = read(reader, element);
        good = value.kind != CEL_ABSENT && value.kind != CEL_NULL;
        coerce_push(c, value);
    }
    struct cel_value list = coerce_take_list(c, base);
    return good ? list : (struct cel_value){.kind = CEL_ABSENT};
}

/* The value just read as an instant in ms since 1970: RFC 3339 or a number of ms; false when it is neither,
 * or not in the years 1 to 9999. */
bool coerce_instant(const struct coercion *c, const struct scan_value *v, int64_t *ms);

/* The value just read, from the token `from` on, is none of its field. */
void coerce_misfit(struct coercion *c, str field, const struct cel_type *type, const uint32_t *from);

/* Reads the value of a field; one that does not fit is absent and counted. */
static inline struct cel_value coerce_field(struct coercion *c, str field, const struct cel_type *type)
{
    const uint32_t *from = c->scan.next;
    struct cel_value value = coerce(c, type);
    if (value.kind == CEL_ABSENT) coerce_misfit(c, field, type, from);
    return value;
}

#endif
