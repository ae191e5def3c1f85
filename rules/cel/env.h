/* Environments from the inside: the names and functions that an expression may use. */
#ifndef RULES_CEL_ENV_H
#define RULES_CEL_ENV_H

#include "base/names.h"
#include "cel/cel.h"
#include "cel/func.h"

enum declaration_kind { DECLARED_VARIABLE, DECLARED_RECORD, DECLARED_CONSTANT, DECLARED_REFUSED };

struct declaration {
    struct declaration *next;
    enum declaration_kind kind;
    str name;
    const struct cel_type *type; /* of the variable, or the record's */
    str text;                    /* a record: how messages speak of it; a refused name: the message */
    const uint32_t *slots;       /* one for a variable, one a field for a record */
    uint32_t slot;               /* the variable's: what `slots` is then */
    uint32_t presence;
    struct cel_value value; /* a constant's */
    bool *named;            /* becomes true when an expression names the constant; may be NULL */
};

/* The functions of one style by name: the host's, the newest first, and then the rows of func.def. */
struct named_function {
    const struct overload *row;
    struct overload *host;
};
struct functions {
    struct names names;
    struct named_function *named; /* by the number of the name */
};

struct cel_env {
    struct arena *arena;
    struct zones *zones;
    /* known as well, unless here is something of that name; NULL: nothing */
    const struct cel_env *outer;
    struct declaration *declarations; /* the newest first */
    /* Of an outermost environment only: */
    struct names names;           /* of the declarations; inside, there are few */
    struct declaration **by_name; /* the newest of each name */
    struct functions functions[FUNC_METHOD + 1];
    struct overload *hosts;   /* the host's functions, the newest first */
    const uint32_t *row_next; /* by row of func.def: the next of its name and style; 0: none */
    struct names spaces;      /* "math" of math.abs: what stands before the dots of functions */

    str container;
    bool unchecked, zones_known;
    str lenient; /* name of a record; empty: none */
    const struct cel_shorthands *shorthands;
    cel_env_refuse *refuse;
    void *context;
    struct cel_budget *budget;
};

const struct declaration *env_find(const struct cel_env *env, str name);
/* The first overload of that name and style, and the one behind another of its name; NULL: there is none. */
const struct overload *env_function(const struct cel_env *env, str name, enum func_style style);
const struct overload *env_function_after(const struct cel_env *env, const struct overload *o);
/* All functions, one behind the other, from NULL on. */
const struct overload *env_function_any(const struct cel_env *env, const struct overload *before);
/* Is there a function SPACE.… ? */
bool env_has_space(const struct cel_env *env, str space);

#endif
