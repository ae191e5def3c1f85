/* Functions: what one is, and the evaluation that calls it.
 *
 * The built-in ones are the rows of func.def; a host adds its own to an environment. An overload is chosen by
 * the checker where the types are known, and by the kinds of the arguments where they are not. */
#ifndef RULES_CEL_FUNC_H
#define RULES_CEL_FUNC_H

#include "cel/cel.h"
#include "cel/charge.h"

typedef struct cel_value func_body(struct machine *m, const struct cel_value *arguments);

enum func_style {
    FUNC_OPERATOR, /* "+": written between its operands, or before one */
    FUNC_GLOBAL,   /* size(x), math.abs(x) */
    FUNC_METHOD,   /* x.size() */
};

enum { PARAMETERS_MAX = 8 };

struct overload {
    const char *name;
    enum func_style style;
    const struct cel_type *result;
    const struct cel_type *const *parameters;
    size_t count;
    func_body *body; /* NULL: the host's */
    const char *prose;
    const char *example, *value; /* expressions: the one calls this overload and comes to the other */
    uint32_t number;             /* the host's */
    str host_name;
    /* of the host's: asked about its one argument, which is written down; NULL: that may be anything */
    cel_env_take *take;
    void *take_context;
    const char *wanted;
    struct overload *next;   /* of the host's, the next of this name */
    struct overload *before; /* the one that the host declared before */
};

extern const struct overload func_rows[];
extern const size_t func_row_count;

str overload_name(const struct overload *overload);
/* "string.startsWith(string) -> bool", "int + int -> int" */
str overload_form(struct arena *arena, const struct overload *overload);
/* Which kinds of value a parameter of this type takes, as bits 1 << kind. */
uint32_t type_kinds(const struct cel_type *type);

/* ---- for the bodies */

/* Memory of the result; NULL past the bound of one evaluation, or where it has ended: then return
 * machine_exhausted(m). */
void *machine_alloc(struct machine *m, size_t size);
struct cel_value machine_exhausted(struct machine *m);
/* Is there room for `count` pieces of `size` bytes? For what is not asked of machine_alloc: no text is begun that
 * cannot end. False: then return machine_exhausted(m). */
static inline bool machine_room(struct machine *m, size_t count, size_t size)
{
    size_t total;
    m->over = __builtin_mul_overflow(count, size, &total) || m->frame->scratch->used + total > m->used_max;
    return !m->over;
}
/* Why it has ended: no steps left, a stop, or values that nest too deep. */
struct cel_value machine_out_of_steps(struct machine *m);
/* What a body returns, unless the evaluation has ended meanwhile. */
static inline struct cel_value func_run(struct machine *m, func_body *body, const struct cel_value *arguments)
{
    struct cel_value v = body(m, arguments);
    return __builtin_expect(machine_ended(m), 0) ? machine_out_of_steps(m) : v;
}
struct cel_value fail_overload(struct machine *m, const char *name);
struct cel_value fail_overflow(struct machine *m, const char *what);
/* An empty list with room for so many elements, which it pays for. */
struct cel_list *list_new(struct machine *m, size_t capacity);
struct cel_value list_value(const struct cel_list *list);
/* Does the pattern match somewhere in the text? */
struct regex;
bool match_pattern(struct machine *m, const struct regex *regex, str text);
/* Sorts by keys, equal ones stay in place; `room` is for as many. */
struct sort_pair {
    struct cel_value key, value;
};
void sort_pairs(struct machine *m, struct sort_pair *pairs, struct sort_pair *room, size_t count);
/* optional.of(v) */
struct cel_value optional_new(struct machine *m, struct cel_value v);
static inline struct cel_value optional_none(void)
{
    return (struct cel_value){.kind = CEL_OPTIONAL};
}

/* x[key], and what x[?key] and x.?key look up: CEL_UNSET when there is nothing there. */
struct cel_value value_lookup(struct machine *m, struct cel_value container, struct cel_value key);
struct cel_value value_select(struct machine *m, struct cel_value operand, str name);
struct cel_value value_has(struct machine *m, struct cel_value operand, str name);
struct cel_value value_select_optional(struct machine *m, struct cel_value operand, str name);
struct cel_value value_type(struct machine *m, struct cel_value v);
bool is_zero_value(struct cel_value v);
bool key_kind(uint8_t kind); /* may it be a map's key? */

#define CEL_FUNC(body, style, name, result, parameters, prose, example, value) func_body body;
#include "cel/func.def"
#undef CEL_FUNC

/* Is there such a zone, or offset? */
bool time_zone_is(struct zones *zones, str name);

#endif
