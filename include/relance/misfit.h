/* A value that is not of its field's declared type: the field is left absent. */
#ifndef RELANCE_MISFIT_H
#define RELANCE_MISFIT_H

#include <relance/text.h>

/* of one event; the others are counted */
enum { RELANCE_MISFITS_MAX = 8 };

struct relance_misfit {
    struct relance_str field; /* in a record, the record's field */
    struct relance_str value; /* as it stands in the event */
    struct relance_str type;  /* the declared one: "double", "list(string)" */
};

/* "total is no double: "12,50"", a long value cut short. Like snprintf: returns the bytes wanted, writes at most `size`, no
 * NUL; 0: no memory. */
size_t relance_misfit_tell(const struct relance_misfit *misfit, char *out, size_t size);

#endif
