/* The tree of one expression, and what compiling it carries along.
 *
 * Macros are gone from the tree: they have become loops (all, map …), bindings (cel.bind, optMap) and
 * presence tests (has). Every node keeps the bytes of the text that it came from.
 *
 * Out of memory: `failed` is set and a broken node stands in, so that no stage has to look at every step;
 * after a stage the compiler looks once and stops. */
#ifndef RULES_CEL_AST_H
#define RULES_CEL_AST_H

#include "base/diag.h"
#include "cel/cel.h"
#include "cel/func.h"

struct span {
    uint32_t begin, end;
};

enum node_kind {
    NODE_BROKEN,   /* a mistake that has been reported */
    NODE_CONSTANT, /* value */
    NODE_NAME,     /* name, perhaps with a leading dot */
    NODE_SELECT,   /* [operand].name; `optional`: .?name; `test`: has() */
    NODE_CALL,     /* name(children…); `method`: the first child is the target */
    NODE_LIST,     /* children; `marked`: [?x] */
    NODE_MAP,      /* key, value, key, value …; keys that are `marked`: {?k: v} */
    NODE_AND,      /* children, two or more */
    NODE_OR,
    NODE_IF,        /* condition, then, else */
    NODE_COALESCE,  /* children, two or more: the first that is there */
    NODE_LOOP,      /* range, condition or NULL, body */
    NODE_LET,       /* value, body */
    NODE_SHORTHAND, /* what the name stands for; the checker puts it in its place */
};

enum loop_kind { LOOP_ALL, LOOP_EXISTS, LOOP_ONE, LOOP_LIST, LOOP_MAP, LOOP_MAP_ENTRY };

/* A name bound by a loop or a let: the checker finds its type, the emitter its place on the stack. */
struct local {
    str name;
    const struct cel_type *type;
    uint32_t depth;
    struct local *outer; /* the scope around it, while checking */
};

/* What a name or a selection turned out to be. */
enum place {
    PLACE_NONE,     /* a selection from a value, at run time by name */
    PLACE_SLOT,     /* slot `number` */
    PLACE_LOCAL,    /* `local` */
    PLACE_FIELD,    /* field `number` of a record value */
    PLACE_RECORD,   /* a whole record whose fields lie in slots: `declared` */
    PLACE_PRESENCE, /* has(): the bool in slot `number` */
};

struct node {
    enum node_kind kind;
    /* grouped: stood in brackets of its own; quoted: a name in `…`, no part of a dotted name */
    bool optional, test, method, grouped, quoted;
    /* by a `?`, in its place in a list or map: no part of itself */
    bool marked;
    struct span span, name_span;
    str name;
    struct node **children;
    size_t count, capacity;
    /* of the tree below, itself included: the recursive stages go so deep */
    uint32_t height;
    struct cel_value value; /* NODE_CONSTANT */
    enum loop_kind loop;
    struct local *local, *local2; /* loops and lets: what they bind; names: what they mean */
    const struct cel_type *type;  /* found by the checker */
    enum place place;
    uint32_t number;
    const struct declaration *declared;
    const struct overload *overload; /* calls: the one that fits, or the first of several */
    /* which overload of that name it is, its arguments tell at run time */
    bool several;
};

/* A set, ascending, in scratch memory. */
struct numbers {
    uint32_t *items, count, capacity;
};

/* A text that is put in for a shorthand: it stands behind what there was, so that a span says of what text it is. */
struct put_in {
    struct span span;
    struct origin origin;
};

/* What an expression names, as it is written: also what folding makes superfluous. */
struct reads {
    struct numbers slots, functions; /* of functions, those of the environment */
};

struct compile {
    struct arena *keep, *scratch;
    const struct cel_env *env;
    str text; /* as given, and behind it all that was put in */
    struct origin origin;
    struct put_in *put_ins; /* in the order of the text */
    size_t put_in_count, put_in_capacity;
    bool overlong; /* with what was to be put in: reported */
    struct diagnostics *diag;
    bool failed;     /* out of memory */
    size_t mistakes; /* errors found in this expression */
    struct reads reads;
    struct node broken;
    struct local nowhere;
};

struct node *node_new(struct compile *c, enum node_kind kind, struct span span);
void node_add(struct compile *c, struct node *node, struct node *child);
struct node *node_call(struct compile *c, const char *name, bool method, struct span span, struct node *a,
                       struct node *b); /* a and b may be NULL */
struct node *node_name(struct compile *c, struct local *meaning, struct span span);
struct local *local_new(struct compile *c, str name);
struct span span_join(struct span a, struct span b);
str span_text(const struct compile *c, struct span span);

/* Reports an error at `span`; the hint may be {0}. */
void mistake(struct compile *c, struct span span, str hint, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void caution(struct compile *c, struct span span, str hint, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Of a checked tree, into c->reads. */
void reads_note(struct compile *c, const struct node *root);

/* Puts a shorthand's text behind all there is, for the name at `at` of the text as given; false: too long, which is
 * reported, once, or no memory. */
bool put_in(struct compile *c, struct span at, const struct cel_shorthand *shorthand, struct span *span);
/* The text of which a place is a part, or NULL: it is the one that was given. */
const struct put_in *put_in_at(const struct compile *c, uint32_t at);

/* Words that name nothing (langdef.md); names of types; what macros are called, or have before their dot. */
bool parse_is_reserved(str name);
bool check_is_type(str name);
bool macro_is_named(str name);

/* Text to tree. Never NULL. */
struct node *parse_expression(struct compile *c);
/* If `call` is written like a macro, what it expands to; NULL when it is none. Reports a wrong form. */
struct node *macro_expand(struct compile *c, struct node *call);
/* The macros for the manual, one a call from *at = 0 on; false behind the last. */
bool macro_row(size_t *at, const char **form, const char **prose);
/* The names of those that are methods and take names, for "did you mean", in the same way; empty behind the last. */
str macro_method(size_t *at);
/* Finds types, names and overloads in place. */
void check_expression(struct compile *c, struct node *root, const struct cel_type *wanted);
/* The next overload of the same name and style, or NULL. */
const struct overload *overload_after(const struct compile *c, const struct overload *o);
/* Computes what is constant, in place. An error stays an error of evaluation. */
void fold_expression(struct compile *c, struct node *root);
/* Tree to program; NULL without memory. */
struct cel_program *emit_program(struct compile *c, struct node *root);

/* For taking apart a text that has been compiled: its tree, checked; the program of a part of it; that part as written,
 * without brackets of its own. NULL without memory. */
struct node *compile_tree(struct compile *c);
struct cel_program *compile_node(struct compile *c, struct node *node);
str node_text(const struct compile *c, const struct node *node);

#endif
