/* Environments from the inside: the names and functions that an expression may use. */
#ifndef RULES_CEL_ENV_H
#define RULES_CEL_ENV_H

#include "cel/cel.h"
#include "cel/func.h"

enum declaration_kind { DECLARED_VARIABLE, DECLARED_RECORD, DECLARED_REFUSED };

struct declaration {
    struct declaration *next;
    enum declaration_kind kind;
    str name;
    const struct cel_type *type; /* of the variable, or the record's */
    str text;                    /* a record: how messages speak of it; a refused name: the message */
    uint32_t *slots;             /* one for a variable, one a field for a record */
    uint32_t presence;
};

struct cel_env {
    struct arena *arena;
    struct zones *zones;
    struct declaration *declarations;
    struct overload *functions; /* the host's */
    str container;
    bool unchecked;
    str lenient; /* name of a record; empty: none */
};

const struct declaration *env_find(const struct cel_env *env, str name);

#endif
