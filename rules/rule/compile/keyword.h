/* Keywords of rule files: one row each in keyword.def, which feeds the reader here and the manual. */
#ifndef RULES_RULE_COMPILE_KEYWORD_H
#define RULES_RULE_COMPILE_KEYWORD_H

#include "json/json.h"

enum keyword_place {
    PLACE_SET,
    PLACE_ATTRIBUTE,
    PLACE_COUNT,
    PLACE_LIST,
    PLACE_AFFINITY,
    PLACE_FROM,
    PLACE_SALES,
    PLACE_ORDER,
    PLACE_REFUND,
    PLACE_TOTAL,
    PLACE_RULE,
    PLACE_CANCEL,
    PLACE_COOLDOWN,
    PLACE_STEP,
    PLACE_WAIT,
    PLACE_LIMIT,
    PLACE_GOAL,
    PLACE_ON,
    PLACE_TEST,
    PLACE_EXPECT
};

enum keyword_form {
    FORM_TEXT,
    FORM_OBJECT,
    FORM_LIST,
    FORM_TEXTS, /* a list of strings, which may be empty */
    FORM_RULES, /* names of rules, or "*" */
    FORM_INTEGER,
    FORM_NUMBER,
    FORM_BOOL,
    FORM_DURATION, /* a string in the form of LANGUAGE.md §2 */
    FORM_CEL,
    FORM_EVENTS, /* a string or a list of strings */
    FORM_TRIGGER,
    FORM_CANCELS,
    FORM_COOLDOWN,
    FORM_WAIT,
    FORM_PAYLOAD, /* looked at by their readers */
};

struct keyword {
    enum keyword_place place;
    str name;
    enum keyword_form form;
    str prose;
};

extern const struct keyword keywords[];
extern const size_t keyword_count;

/* Checks the members of an object against the keywords of its place: unknown ones, values of the wrong form. `what` names the object in messages ("a step"). False when something was wrong. */
bool keyword_check(const struct source *source, const struct json *object, enum keyword_place place,
                   const char *what, struct diagnostics *diag);

/* The member with a keyword's name if its value has the keyword's form, else NULL (then a diagnostic exists,
 * or it is absent). */
const struct json *keyword_get(const struct json *object, enum keyword_place place, const char *name);

/* A list, and of nothing but strings? */
bool keyword_is_texts(const struct json *node);

#endif
