/* The compiler's own: what its files share while one rule set is made. Order of work in ruleset.c. */
#ifndef RULES_RULE_COMPILE_COMPILE_H
#define RULES_RULE_COMPILE_COMPILE_H

#include "rule/compile/gather.h"
#include "rule/set.h"

/* What a list of event types shares, as a record. */
struct scope_block {
    const struct cel_record_type *record; /* envelope first */
    const uint32_t *offsets;              /* by field: its slot from the beginning of an event block */
    const uint32_t *event_slots, *trigger_slots, *answer_slots;
    const struct cel_type *list; /* of such records */
    struct type_list fields;     /* the numbers of those declared, ascending */
};

/* What environments of one set are made of, each thing once: env.c. */
struct scopes {
    const struct relance_ruleset *set;
    struct arena *keep;  /* what programs keep of environments */
    struct arena *arena; /* what lives as long as this */
    struct cel_budget budget;
    const struct cel_record_type *customer, *segments;
    struct cel_env *envs[17];    /* by flags; NULL: nobody has asked */
    struct names lists;          /* of event types, by their bytes */
    struct scope_block **blocks; /* by number of the list */
    uint32_t *shares, *offsets;  /* while a list is looked at, as `shared` */
    struct cel_field *shared;
    const struct cel_shorthands *lets; /* of the place that is being compiled */
    bool *tables_named;                /* by table: some expression names it; NULL: nobody asks */
    size_t shared_fields;              /* of lists of several types, all together */
    int64_t *windows;                  /* of orders: those that were compiled last, in ms, each once */
    size_t window_count, window_capacity;
    bool failed; /* out of memory */
};

struct compiler {
    struct relance_ruleset *set; /* set->arena holds what lives on */
    struct arena *keep;          /* that arena */
    struct arena *scratch;       /* what dies with compiling */
    struct arena *place;         /* what dies with the rule, count or attribute being compiled */
    struct arena *work;          /* what dies with an expression */
    struct gathered files;
    struct diagnostics *diag;
    struct cel_record_type *records; /* of "types", by their order there */
    bool *read;                      /* by slot: some expression reads it */
    bool *listed;                    /* by event type: the list that is being read has it */
    /* fields of events by name: the first of each, and the next of its name, + 1 */
    struct names field_names;
    uint32_t *field_first, *field_next;
    struct scopes scopes;
    struct owner owner; /* of the expressions that are being compiled */
    size_t expressions; /* so far */
    size_t to_compare;  /* suspect.c: nodes of conditions that may still be */
    bool strict;        /* warn of what is usual and yet a risk, too */
};

static inline struct point new_point(struct compiler *c, const struct source *source, size_t begin)
{
    return (struct point){++c->set->point_count, source, begin};
}

/* declare.c: types, events, attributes, and the numbers of all that has one. */
void declare_types(struct compiler *c);
void declare_events(struct compiler *c);
void declare_attributes(struct compiler *c); /* with `identify` and `forget` among the types */
void declare_counts(struct compiler *c);     /* names and signatures */
bool declare_slots(struct compiler *c);      /* false: no memory */
/* Says of a name, which is to be called as a function, where it already means something else. */
void declare_check_call(struct compiler *c, const struct declared *d);

/* Ascending, as lists of numbers stand. */
void sort_numbers(uint32_t *numbers, size_t count);

/* Names of event types, from a string or a list of them; every unknown one is an error. */
void declare_check_name(struct compiler *c, const struct source *source, const struct json *member,
                        const char *what);
struct type_list declare_read_types(struct compiler *c, const struct source *source, const struct json *node);
/* The same of types that are looked at by nobody who decides. */
struct type_list declare_list_types(struct compiler *c, const struct source *source, const struct json *node);

/* env.c: what an expression may name, by where it stands. */
enum scope_flag {
    SCOPE_EVENT = 1,
    SCOPE_TRIGGER = 2,
    SCOPE_TRIGGERS = 4,
    SCOPE_RUN = 8,
    SCOPE_RULE = 16,
    SCOPE_LAST = 32,
    SCOPE_NOW = 64,
    SCOPE_COUNTS = 128,
    SCOPE_SEGMENTS = 256,
    /* `on` is a mistake: events may be anything, so that other mistakes are found, too */
    SCOPE_ANYTHING = 512,
    SCOPE_ANSWER = 1024,
    /* of `run` what a goal's window keeps of it: key and variant */
    SCOPE_WINDOW = 2048,
    /* the event and `tables`, and nothing of the customer */
    SCOPE_BARE = 4096,
};
/* What is known of `event` where these are the events: nothing, where naming them was a mistake. */
static inline unsigned scope_of(struct type_list events)
{
    return events.count ? 0 : SCOPE_ANYTHING;
}

/* The environment of a place. `event` has the fields that all of `events` share, `trigger` those of `triggers`. `where`
 * names the place in messages ("'if'"). NULL without memory. */
struct cel_env *scope_env(struct compiler *c, unsigned flags, struct type_list events,
                          struct type_list triggers, const char *where);
struct cel_env *scope_env_of(struct compiler *c, struct scope_names names, const char *where);
void scopes_init(struct scopes *s, const struct relance_ruleset *set, struct arena *keep,
                 struct arena *arena);
/* The environment of a program of a finished set, made again from what it was made of, in `arena`; NULL without memory. */
const struct cel_env *scope_env_again(struct scopes *s, const struct noted_program *program,
                                      struct arena *arena);
/* What the types of `on` share; NULL without memory. Lists are borrowed. */
const struct scope_block *scope_block(struct scopes *s, struct type_list on);

/* Does a program read that slot? NULL reads none. */
bool program_reads(const struct cel_program *program, uint32_t slot);

/* Is it a variable of some expressions (`event`, `now` …)? Then no count can be called so. */
bool scope_is_variable(str name);
/* Is it a function that `sales` gives? Then no count can be called so where there is that. */
bool scope_is_of_sales(str name);

/* Compiles the text of a node; NULL on mistakes. Notes the program and the slots that it reads. `wanted` as in
 * cel_compile. */
const struct cel_program *compile_text(struct compiler *c, const struct cel_env *env,
                                       const struct source *source, const struct json *node,
                                       const struct cel_type *wanted);
/* The same for a condition, as it is kept. */
const struct noted_program *compile_condition(struct compiler *c, const struct cel_env *env,
                                              const struct source *source, const struct json *node);
/* The same for a part of a text, which stands at `origin`. */
const struct cel_program *compile_part(struct compiler *c, const struct cel_env *env, str text,
                                       struct origin origin, const struct cel_type *wanted);

/* template.c: payloads. */
/* A string in a payload in which something is filled in: of what type the whole is then. */
struct typed_text {
    struct typed_text *next;
    const struct json *node;
    const struct cel_type *type;
};
/* `typed`, unless NULL, becomes a list of these, in whatever order; it lives as long as the place. */
struct template compile_template(struct compiler *c, const struct cel_env *env, const struct source *source,
                                 const struct json *node, struct typed_text **typed);

/* fit.c: says of each value in `node` that would not be what the declared type says, where it is no such; null is a value
 * that is left out. `typed`: strings that are filled in. */
void check_fit(struct compiler *c, const struct source *source, const struct json *node,
               const struct cel_type *type, const struct typed_text *typed);
/* The program of such a text, with a type that is wanted; NULL on mistakes. */
const struct cel_program *compile_expression(struct compiler *c, const struct cel_env *env,
                                             const struct source *source, const struct json *node,
                                             const struct cel_type *wanted);

/* rules.c */
void compile_attributes(struct compiler *c);
void compile_counts(struct compiler *c);
void compile_rules(struct compiler *c);
int64_t compile_duration(struct compiler *c, const struct source *source, const struct json *node,
                         int64_t absent);
/* Is a program's type one of `kinds` (bits of enum cel_type_kind), or, with `list`, a list of one? */
void compile_expect_kinds(struct compiler *c, const struct source *source, const struct json *node,
                          const struct cel_program *program, unsigned kinds, bool list, const char *wanted);

enum {
    SCOPE_OF_RULE = SCOPE_RULE | SCOPE_LAST | SCOPE_NOW | SCOPE_COUNTS | SCOPE_SEGMENTS,
    KINDS_KEY = 1u << CEL_TYPE_STRING | 1u << CEL_TYPE_INT | 1u << CEL_TYPE_UINT | 1u << CEL_TYPE_BOOL,
    KINDS_NUMBER = 1u << CEL_TYPE_INT | 1u << CEL_TYPE_UINT | 1u << CEL_TYPE_DOUBLE,
    KINDS_TEXT = 1u << CEL_TYPE_STRING,
};

/* parts.c: the parts of a rule that stand by themselves. */
void compile_goal(struct compiler *c, const struct source *source, const struct json *rule_node,
                  struct rule *rule);
void compile_split(struct compiler *c, const struct source *source, const struct json *rule_node,
                   struct rule *rule);
void compile_tags(struct compiler *c, const struct json *node, struct rule *rule);
void compile_sets(struct compiler *c, const struct cel_env *env, const struct source *source,
                  const struct json *node, struct step *step);

/* segments.c and limits.c */
/* lists.c */
void declare_lists(struct compiler *c); /* names */
void compile_lists(struct compiler *c);

/* affinities.c */
void declare_affinities(struct compiler *c); /* names */
void compile_affinities(struct compiler *c);

/* totals.c */
void compile_totals(struct compiler *c);
void compile_feedback(struct compiler *c); /* which event types tell what became of a send */

/* sales.c */
void declare_sales(struct compiler *c); /* that there are any */
void compile_sales(struct compiler *c);

void declare_segments(struct compiler *c);
void compile_segments(struct compiler *c); /* and which rules wait for them */
void compile_limits(struct compiler *c);

/* let.c: names that stand for expressions */
void declare_lets(struct compiler *c);
struct cel_shorthands *declare_rule_lets(struct compiler *c, const struct source *source,
                                         const struct json *rule_node);
void check_unused_lets(struct compiler *c, const struct cel_shorthands *lets);

/* constants.c: what a set says once, and never computes */
void declare_tables(struct compiler *c);
void compile_holidays(struct compiler *c);
void compile_credit(struct compiler *c);

/* tests.c */
void compile_tests(struct compiler *c);

/* env.c: when all programs have been noted */
void index_programs(struct compiler *c);
/* picking.c: items of an event type by what their conditions, by number, need of it; false without memory */
bool make_picking(struct compiler *c, struct type_list all, const struct noted_program *const *conditions,
                  struct picking *out);
/* suspect.c: warnings, of a set without mistakes */
void suspect_rules(struct compiler *c);
/* mapped.c: mistakes and warnings where the set and its mapping, both without mistakes of their own, do not fit. */
void compare_mapping(struct compiler *c);
/* What the set does not declare, its mapping need not compute. */
void narrow_mapping(struct compiler *c);
/* suspect_payload.c */
void suspect_payload(struct compiler *c, const struct declared *rule, const struct json *step);

#endif
