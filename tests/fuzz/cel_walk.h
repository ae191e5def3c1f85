/* A plain evaluator of CEL, to hold the VM against: it walks the parser's tree, looks names up by their text,
 * decides everything by the kinds of values, and knows nothing of the checker, of folding or of programs. */
#ifndef TESTS_CEL_WALK_H
#define TESTS_CEL_WALK_H

#include "cel/cel.h"

struct walk_name; /* bound by a loop or cel.bind */

struct walk {
    struct arena *arena;
    str (*names)(void *context, size_t i); /* of the variables, dotted ones whole */
    void *context;
    const struct cel_value *values; /* CEL_ABSENT: not there */
    size_t count;
    struct walk_name *scope;
};

/* CEL_ERROR for any error. */
struct cel_value walk_text(struct walk *w, str text);
/* The same value, or both errors. */
bool walk_same(struct cel_value a, struct cel_value b);

#endif
