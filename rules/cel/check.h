/* The checker from the inside. */
#ifndef RULES_CEL_CHECK_H
#define RULES_CEL_CHECK_H

#include "base/nearest.h"
#include "cel/ast.h"
#include "cel/env.h"

struct trail {
    uint32_t param;
    const struct cel_type *before;
};

struct check {
    struct compile *c;
    struct local *scope;              /* names bound around the node being checked, innermost first */
    const struct cel_type **bindings; /* of type parameters, by number; NULL: free */
    uint32_t count, capacity;
    struct trail *trail; /* what bindings were before, to go back */
    size_t trail_count, trail_capacity;
    size_t work;    /* with types, so far */
    uint32_t loops; /* around the node being checked */
};

/* ---- types with parameters (unify.c) */

/* A new type parameter. */
const struct cel_type *type_fresh(struct check *k);
/* The type with its parameters (of a row of func.def) replaced by new ones, from number `base` on. */
const struct cel_type *type_instance(struct check *k, const struct cel_type *type, uint32_t base);
uint32_t type_reserve(struct check *k, uint32_t count); /* numbers of `count` new parameters */
/* May a value of type `from` stand where `to` is wanted? Binds parameters if so. */
bool type_assignable(struct check *k, const struct cel_type *from, const struct cel_type *to);
/* Takes back what was bound since k->trail_count was `mark`. */
void type_undo(struct check *k, size_t mark);
/* With bound parameters replaced; free ones too, by dyn, if `final`. */
const struct cel_type *type_resolve(struct check *k, const struct cel_type *type, bool final);
/* The type of a list that holds both; dyn when they have nothing in common. */
const struct cel_type *type_join(struct check *k, const struct cel_type *a, const struct cel_type *b);
/* For messages: "int"; "an int", "an 'item'". */
str type_text(struct check *k, const struct cel_type *type);
str type_noun(struct check *k, const struct cel_type *type);

#define TYPE(KIND) (&cel_types[CEL_TYPE_##KIND])

/* ---- nodes */
void check_node(struct check *k, struct node *node);
void check_call(struct check *k, struct node *node);
/* Is there an x.name(…)? */
bool check_is_method(const struct compile *c, str name);
/* What a function or constant of that name elsewhere is called here; empty: nothing of the kind. */
str check_other_name(str name);
/* The text of a node where it is short enough for a hint, else empty. */
str check_source(struct check *k, const struct node *node);
/* "3d", which CEL's own durations have no unit for, as 72h; empty where the text is no duration of ours. */
str duration_cure(struct arena *arena, str text);
/* How to give an optional a value for when there is none; empty where the node is none. */
str optional_cure(struct check *k, const struct node *node);
/* A selection whose operand has been checked. */
void check_field(struct check *k, struct node *node);
/* A mistake that evaluation would meet: reported, or left to evaluation where checking is off. */
void check_mistake(struct check *k, struct node *node, struct span span, str hint, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* The text "a.b.c" of a chain of plain selections from a name that no loop binds; empty when it is none. */
str check_qualified(struct check *k, const struct node *node);
/* What declares the name, or refuses it; NULL: nothing. */
const struct declaration *check_declared(struct check *k, str name);
/* Tries `name` in the container and around it, as `find` knows it. */
const void *check_in_container(struct check *k, str name, const void *(*find)(struct check *k, str name));

#endif
