/* Listings: what the language of rules consists of, and what the expressions of a set were compiled to. For
 * help, the manual and `relance check --dump`. Texts are valid until the callback returns. */
#ifndef RELANCE_LISTING_H
#define RELANCE_LISTING_H

#include <relance/ruleset.h>

/* One row of a printed table: "Strings", "string.trim() -> string", "Without white space at both ends."; of a function
 * also a call and what it comes to: "'  tent '.trim()", "'tent'". */
struct relance_row {
    struct relance_str group, name, prose, example, value;
};
typedef void relance_row_show(void *context, const struct relance_row *row);

/* What expressions may use: operators, functions, macros; by group. RELANCE_NO_MEMORY or RELANCE_OK. */
RELANCE_MUST enum relance_status relance_function_rows(relance_row_show *show, void *context,
                                                       struct relance_error *error);
/* Every keyword of rule files, by the object that it stands in. */
void relance_keyword_rows(relance_row_show *show, void *context);
/* Every bound of the core, its value as the name. */
void relance_limit_rows(relance_row_show *show, void *context);

/* An expression of a rule set: where it stands, its text as a JSON string, and its program, an instruction a
 * line. */
struct relance_program {
    struct relance_str file, text, code;
    size_t line, column; /* from 1 */
};
typedef void relance_program_show(void *context, const struct relance_program *program);

/* All programs of a set, in the order of the files. RELANCE_NO_MEMORY or RELANCE_OK. */
RELANCE_MUST enum relance_status relance_ruleset_programs(const struct relance_ruleset *rules,
                                                          relance_program_show *show, void *context,
                                                          struct relance_error *error);

#endif
