/* Expressions: compile once, evaluate often.
 *
 *     text -> lex -> parse (macros expand) -> check (types, overloads) -> emit -> verify -> program
 *     program + frame -> VM -> value
 *
 * An environment says which names an expression may use and in which slot of the frame each value stands: at
 * run time nothing is looked up by name. Evaluating allocates nothing but results in the scratch arena. */
#ifndef RULES_CEL_CEL_H
#define RULES_CEL_CEL_H

#include "base/diag.h"
#include "cel/value.h"
#include "time/zone.h"

#include <stdatomic.h>

/* ---- environment: built once per kind of expression, then only read. What many kinds share is an environment of
 * its own, around theirs: declared once, whatever the number of places. */
struct cel_env;
#define CEL_NO_SLOT UINT32_MAX

/* Lives in `arena`; `zones` may be NULL (then only UTC and fixed offsets are known). NULL without memory. */
struct cel_env *cel_env_new(struct arena *arena, struct zones *zones);
/* One that knows all that `outer` knows, which must live as long, and the few names that are added to it. Functions
 * are added to the outermost. NULL without memory. */
struct cel_env *cel_env_inside(struct arena *arena, const struct cel_env *outer);
/* A variable with one value in one slot. The name may be dotted ("a.b"): CEL's qualified names. */
bool cel_env_add_variable(struct cel_env *env, str name, const struct cel_type *type, uint32_t slot);
/* A record whose fields lie in slots of their own, slots[i] for field i, so that `event.total` is one load.
 * `kind_text` is how messages speak of it ("event 'view'", "customer"). `presence`: slot of a bool that
 * has(NAME) reads when NAME is dotted (`has(last.purchase)`), or CEL_NO_SLOT. Used whole (`${trigger}`), a
 * record value is made. `type` and `slots` must live as long as the environment. */
bool cel_env_add_record(struct cel_env *env, str name, str kind_text, const struct cel_record_type *type,
                        const uint32_t *slots, uint32_t presence);
/* A name for a value that never changes: an expression is compiled as if it stood there. It is not copied: it must be
 * marked CEL_KEPT and live as long as any program that names it. *named, unless NULL, becomes true when one does. */
bool cel_env_add_constant(struct cel_env *env, str name, const struct cel_type *type, struct cel_value value,
                          bool *named);
/* Names that stand for expressions: an expression is compiled as if what one stands for were written in its place, in
 * brackets; but that is looked at by itself, so that a name which a macro binds around the place means nothing in it.
 * It may use the shorthands before it in its list, and all of the list's `outer`. The lists live as long as the
 * environment. */
struct cel_shorthand {
    str name, text;
    struct origin origin; /* of the text, for messages */
};
struct cel_shorthands {
    const struct cel_shorthands *outer; /* NULL: none */
    const struct cel_shorthand *items;
    size_t count;
    struct names names; /* of the items, by number */
    bool *used;         /* by number: becomes true where it is used; may be NULL */
};
void cel_env_set_shorthands(struct cel_env *env, const struct cel_shorthands *shorthands);
/* Does the language itself have a meaning for a name: a word, a type, a function, a macro, or what stands before the dot
 * of one (`math`)? */
bool cel_is_taken(str name);
/* A function of the host: calls arrive at frame->call with `number`. */
bool cel_env_add_function(struct cel_env *env, str name, const struct cel_type *const *parameters,
                          size_t count, const struct cel_type *result, uint32_t number);
/* The function added last takes one text, which must be written down: `take` is asked about it each time that one is
 * compiled, and says whether it is `wanted` ("a duration, such as '365d'"). */
typedef bool cel_env_take(void *context, str text);
void cel_env_set_written(struct cel_env *env, cel_env_take *take, void *context, const char *wanted);
/* Asked about a name that nothing declares, but which may exist in rules, only not in this place: then *message, in
 * `arena`, says so ("'run' is not known in 'if': …"); else it stays empty. False without memory. */
typedef bool cel_env_refuse(void *context, struct arena *arena, str name, str *message);
void cel_env_set_refuse(struct cel_env *env, cel_env_refuse *refuse, void *context);
void *cel_env_context(const struct cel_env *env); /* the one given there */

/* What is left to all expressions that are compiled with it. Without one, each has LIMIT_FOLDING_STEPS and _BYTES, and
 * as many patterns as it likes. */
struct cel_budget {
    /* for computing constants in advance: then they are computed when they are evaluated */
    size_t steps, bytes;
    size_t patterns; /* instructions of literal patterns: more are a mistake */
};
void cel_env_set_budget(struct cel_env *env, struct cel_budget *budget);

/* Names are looked for in this namespace first, then in those around it (langdef.md "Name Resolution").
 * `container` must live as long as the environment. */
void cel_env_set_container(struct cel_env *env, str container);
/* Leaves types, names and functions that do not fit to evaluation, where they are errors; not the syntax. */
void cel_env_set_unchecked(struct cel_env *env);
/* Those that `zones` finds are all there are: a time zone written down that is none of them is a mistake. Else it is a
 * warning, since the expression fails only when it is evaluated. */
void cel_env_set_zones_known(struct cel_env *env);
/* From here on, a field that this record does not have is worth a warning, and an error when it is read; empty:
 * no such record. For values whose failing means no more than that nothing changes. */
void cel_env_set_lenient(struct cel_env *env, str record);

/* Can two conditions not both be true of the same values? Looks at their parts joined by &&: `a` beside `!a`,
 * `x > 5` beside `x < 3`, `x == 'a'` beside `x == 'b'`. The name `rename` in the first stands for `as`. True: they
 * contradict; false: nobody knows, also where *work, in nodes compared, is spent. Both texts have been compiled.
 * Without memory *failed becomes true. */
bool cel_contradicts(struct arena *scratch, str one, str other, str rename, str as, size_t *work,
                     bool *failed);

/* An expression that has been compiled, in one form: the same text whatever its layout, and whatever names it has for what it
 * says. Ends early where `out` has failed; false then, and without memory. */
struct buffer;
bool cel_canonical(struct arena *scratch, const struct cel_env *env, str text, struct buffer *out);

/* ---- programs */
struct cel_program;

/* Compiles `text`. The program lives in `keep`; `scratch` holds what only compiling needs. `wanted` may be
 * NULL (any type); a dyn result is let through and checked by the caller at run time. Mistakes go to `diag`,
 * all of them, placed by `origin`; NULL then, and NULL without memory (diag->failed). */
struct cel_program *cel_compile(struct arena *keep, struct arena *scratch, const struct cel_env *env,
                                str text, struct origin origin, const struct cel_type *wanted,
                                struct diagnostics *diag);
const struct cel_type *cel_program_type(const struct cel_program *program);
/* The slots that it may read, ascending, each once. */
size_t cel_program_slots(const struct cel_program *program, const uint32_t **slots);
/* The host functions that it may call, by number, ascending, each once. */
size_t cel_program_functions(const struct cel_program *program, const uint32_t **functions);
bool cel_program_constant(const struct cel_program *program, struct cel_value *value);
/* What a slot has to hold for a condition to be true: one of these values, which are all strings, or all ints. Where it holds
 * another of their kind the condition is false, and nothing else comes of evaluating it: no error, no call of the host. Where
 * it holds something else, or nothing, evaluating tells. */
struct cel_need {
    uint32_t slot;
    const struct cel_value *values;
    size_t count;
};
/* Of the comparisons that stand first among the parts that && joins, in the order of the text; valid as long as the
 * program. */
size_t cel_program_needs(const struct cel_program *program, const struct cel_need **needs);
struct buffer;
void cel_program_dump(const struct cel_program *program, struct buffer *out);

/* ---- what expressions may use, row by row, for help and the manual: "Strings", "string.trim() -> string"
 * and a sentence. Texts are valid until the callback returns. False: no memory. */
struct cel_row {
    str group, form, prose;
    str example, value; /* empty: none */
};
typedef void cel_row_show(void *context, const struct cel_row *row);
bool cel_function_rows(cel_row_show *show, void *context);

/* ---- evaluation */
enum cel_error_code {
    CEL_ERROR_NO_FIELD = 1,
    CEL_ERROR_NO_KEY,
    CEL_ERROR_NO_OVERLOAD,
    CEL_ERROR_OVERFLOW,
    CEL_ERROR_ZERO_DIVISION,
    CEL_ERROR_INDEX,
    CEL_ERROR_CONVERSION,
    CEL_ERROR_ARGUMENT,
    CEL_ERROR_LIMIT,
    CEL_ERROR_MEMORY,
    CEL_ERROR_HOST,
    CEL_ERROR_STOPPED, /* frame->stop said so: there is no answer */
};

/* Does a value say that what was asked for is not there? Other errors are errors. */
static inline bool cel_is_missing(struct cel_value value)
{
    return value.kind == CEL_ERROR && (value.code == CEL_ERROR_NO_FIELD || value.code == CEL_ERROR_NO_KEY ||
                                       value.code == CEL_ERROR_INDEX);
}

struct cel_frame {
    struct cel_value *slots;
    struct arena *scratch; /* results and temporaries; the caller resets it when it is done with them */
    void *context;         /* the host's */
    /* Fills slots[slot] (and any others it likes) when an expression reads one that is CEL_UNSET; must leave
     * it anything else. May be NULL when there are no such slots. */
    void (*resolve)(struct cel_frame *frame, uint32_t slot);
    /* A host function; may return cel_fail(…). */
    struct cel_value (*call)(struct cel_frame *frame, uint32_t function, const struct cel_value *arguments);
    /* Not 0: give up. Looked at every few thousand steps; NULL: nobody stops it. Who finds it set says so in
     * `stopped`, also where the error is absorbed by the expression, as errors may be. */
    const atomic_int *stop;
    bool stopped;
    /* Steps left to several evaluations together, from which each takes what it needs; NULL: each has LIMIT_CEL_STEPS. */
    int64_t *steps_left;
    struct machine *machine; /* of the evaluation that calls the host: for cel_charge */
    char error[160];         /* the sentence of the last error, NUL-terminated */
};

/* Has somebody asked for a stop? Notes it in `stopped`. */
static inline bool cel_frame_stopped(struct cel_frame *frame)
{
    if (frame->stop && atomic_load_explicit(frame->stop, memory_order_relaxed)) frame->stopped = true;
    return frame->stopped;
}

/* For host functions, before they evaluate anything themselves: counts work that grows with the customer's state as
 * steps of the evaluation that calls. False: it has none left; what the function returns is of no account then. */
bool cel_charge(struct cel_frame *frame, size_t steps);
/* Likewise: optional.of(held), in the memory of the evaluation that calls. */
struct cel_value cel_optional_of(struct cel_frame *frame, struct cel_value held);
/* Likewise: an empty list with room for so many, to be filled before it is returned; NULL: there is no memory left to the
 * evaluation, which cel_fail_memory() says. */
struct cel_list *cel_list_with_room(struct cel_frame *frame, size_t count);
struct cel_value cel_fail_memory(struct cel_frame *frame);

/* Evaluates; a CEL_ERROR value is an error, its sentence in frame->error. Re-entrant: resolve and call may
 * evaluate other programs with the same frame. */
struct cel_value cel_eval(const struct cel_program *program, struct cel_frame *frame);

/* The same for programs that only follow fields (`a.b.c`, `coalesce(a.b, c, 'x')`), in a fraction of the time, where nobody
 * reads the sentence: what is missing is CEL_ABSENT. False: it takes cel_eval, since it is another program, has met
 * something else than records, or comes to another error. */
bool cel_follow(const struct cel_program *program, struct cel_frame *frame, struct cel_value *value);

/* For host functions and callers: makes an error value and writes its sentence. */
struct cel_value cel_fail(struct cel_frame *frame, enum cel_error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* CEL's string(), with doubles printed as JavaScript prints numbers, into `out`; false when the kind has no
 * text (list, map, record, null …). */
bool cel_print(struct cel_value value, struct buffer *out);
/* The value as JSON (LANGUAGE.md §3.4): timestamps RFC 3339, durations "90s", bytes base64, integral
 * doubles without a point, absent fields left out. False for what JSON cannot hold (NaN, infinities,
 * optionals, types), for values that nest deeper than LIMIT_CEL_VALUE_DEPTH, and where the buffer has failed: a bounded
 * one ends the writing of a value that is shared over and over. */
bool cel_print_json(struct cel_value value, struct buffer *out);
/* Shortest digits that read back as `d`, as ECMAScript's Number::toString but without an exponent from 1e-6
 * to below 1e21. */
void cel_print_double(double d, struct buffer *out);
/* RFC 3339, and "90s"; a fraction has three, six or nine digits: "1.500s". */
void cel_print_timestamp(struct cel_value timestamp, struct buffer *out);
void cel_print_duration(struct cel_value duration, struct buffer *out);
/* RFC 3339 date-time, strictly; false when it is none or not in the years 1 to 9999. */
bool cel_parse_timestamp(str text, struct cel_value *out);

#endif
