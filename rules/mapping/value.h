/* Values of mappings: JSON in which `${CEL}` is filled in, written member by member. A member whose expression reads
 * something that is not there is left out; so is an empty optional. Any other failure leaves it out, too, and is counted.
 *
 *     [{"for": "i in p.products", "product": "${i.sku}"}]        one element for each of the list */
#ifndef RULES_MAPPING_VALUE_H
#define RULES_MAPPING_VALUE_H

#include "base/buffer.h"
#include "cel/cel.h"
#include "json/json.h"

struct value;

/* What values are compiled with. */
struct value_compiler {
    struct arena *keep; /* of programs and values */
    struct arena *work; /* of one expression */
    const struct cel_env *env;
    struct diagnostics *diag;
    uint32_t *slot_count;         /* slots given to names so far */
    const struct value_let *lets; /* templates that have a name: the newest first */
    bool *reads;                  /* by slot, of the first `reads_count`: some expression reads it */
    size_t reads_count;
    const str *ground; /* names of the language itself */
    size_t ground_count;
    cel_env_refuse *refuse; /* what there is to say of names that are not known */
    void *refuse_context;
};

/* An environment within the present one, with what there is to say of unknown names. NULL without memory (diag->failed). */
struct cel_env *value_env_inside(struct value_compiler *c);
/* May it be the name of a variable? What else there is to say is in `diag`, at [begin, end) of `origin`. */
bool value_name_check(struct value_compiler *c, str name, struct origin origin, size_t begin, size_t end);

/* A name that stands for a template, which can only be a whole value. */
struct value_let {
    const struct value_let *next;
    str name;
    const struct value *value;
};

/* NULL on mistakes, which are in `diag`. */
const struct cel_program *value_program(struct value_compiler *c, str text, struct origin origin,
                                        const struct cel_type *wanted);
struct value *value_compile(struct value_compiler *c, const struct source *source, const struct json *node);

/* "i in record.items": the list, and a name for its elements, which lies in a slot of its own. *inside is the environment
 * that knows the name. False on mistakes. */
struct value_loop {
    const struct cel_program *list;
    uint32_t slot;
};
bool value_loop_compile(struct value_compiler *c, const struct source *source, const struct json *node,
                        struct value_loop *loop, const struct cel_env **inside);

/* Can it come to a text or a whole number? */
bool value_may_be_text(const struct value *value);
/* Or, as a time may, to an instant or any number? */
bool value_may_be_time(const struct value *value);
/* A text that nothing is filled into? */
bool value_is_plain_text(const struct value *value, str *text);
/* One program and nothing else? Else NULL. */
const struct cel_program *value_is_program(const struct value *value);

/* What does not fit where: the path behind the value, such as ".items.price" (empty: all of it), what is there, and what
 * should be. */
struct value_misfit {
    str path;
    const struct cel_type *found, *wanted;
};
/* Can the value be what a declared type says? Else *misfit says what cannot; its path lies in `arena`. */
bool value_fits(const struct value *value, const struct cel_type *declared, struct arena *arena,
                struct value_misfit *misfit);

struct value_writer {
    struct cel_frame *frame;
    struct buffer *out;
    struct buffer *splice; /* for texts on their way into a text */
    size_t full;           /* where `out` has so much, nothing more is written: a list may be long */
    uint32_t failed;       /* expressions that failed otherwise than by something's not being there */
};

/* Evaluates a program: CEL_ABSENT where there is nothing, an optional's value where it holds one. */
struct cel_value value_eval(struct value_writer *w, const struct cel_program *program);
/* The elements of a loop's list; NULL: there is none. */
const struct cel_list *value_loop_list(struct value_writer *w, const struct value_loop *loop);
/* A value that is a text or a whole number, as a text; empty: there is none. Lives as long as what expressions make. */
str value_text(struct value_writer *w, const struct value *value);
/* Writes a value as JSON; false: it is left out, and nothing has been written. */
bool value_write(struct value_writer *w, const struct value *value);

#endif
