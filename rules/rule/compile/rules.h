/* One rule while it is compiled: what rules.c and steps.c share. */
#ifndef RULES_RULE_COMPILE_RULES_H
#define RULES_RULE_COMPILE_RULES_H

#include "rule/compile/compile.h"

struct rule_compiler {
    struct compiler *c;
    const struct source *source;
    const struct json *node;
    struct rule *rule;
    uint32_t number;
    unsigned whatever;        /* SCOPE_ANYTHING where its 'on' is a mistake */
    struct type_list answers; /* of the wait in front of the present step */
    struct type_list waited;  /* of all its waits together, ascending */
    bool fires;               /* its 'on' is sound */
    bool lists;               /* a program that runs in a run reads `triggers` */
};

static inline const struct json *rule_get(const struct rule_compiler *r, const char *keyword)
{
    return keyword_get(r->node, PLACE_RULE, keyword);
}

/* What `while` and steps may name; `answers`: of the waits in front of them. NULL without memory. */
struct cel_env *rule_run_env(struct rule_compiler *r, struct type_list answers);

/* Takes note that a run reads this. NULL is let through. */
void rule_note_program(struct rule_compiler *r, const struct cel_program *program);

/* Does the list have more than that many? Says so. */
bool rule_has_too_many(struct rule_compiler *r, const struct json *node, size_t most, const char *what);

/* Where events are named with `on`, `key` and `if`, and the words for it. */
struct filter_place {
    enum keyword_place place;
    const char *what;    /* "'cancel'" */
    const char *purpose; /* of `on`: "which events end the run" */
    const char *form;    /* "'cancel' lists event types, or objects with …" */
};

/* A name, or an object; false: nothing that could be used. */
struct event_filter {
    struct type_list on;
    const struct cel_program *key;
    const struct noted_program *condition;
};
bool rule_compile_filter(struct rule_compiler *r, const struct json *node, const struct filter_place *place,
                         struct event_filter *out);

/* steps.c */
void compile_steps(struct rule_compiler *r);

#endif
