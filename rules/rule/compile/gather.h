/* From files to declarations: unites the sections of all files of a set (LANGUAGE.md §1.1). */
#ifndef RULES_RULE_COMPILE_GATHER_H
#define RULES_RULE_COMPILE_GATHER_H

#include "base/names.h"
#include "rule/compile/keyword.h"

struct declared {
    const struct source *source;
    str name;
    const struct json *value; /* as a member: key and places included */
    /* Where what several files say of a name is united: what the others say, in the order of the files … */
    struct declared *more;
    /* … and, of event types and records, the fields of all of them: value is a field's type. */
    struct declared *fields;
    size_t field_count;
};

struct section {
    struct declared *items;
    size_t count;
    struct names names; /* by number: an item's place */
};

struct single { /* what stands once in a set; NULL: not said */
    const struct source *source;
    const struct json *node;
};

struct gathered {
    struct single tz, stale, holidays, credit;
    struct single sales; /* all files that say it say the same */
    struct section types, events, customer, counts, lists, affinities, segments, totals, lets, tables, rules;
    struct section tests;  /* of the set; without names */
    struct section limits; /* in the order of the files; without names */
    struct arena *arena;
    size_t source_count;
    struct source_index *lines; /* by source; NULL: nobody has asked */
};

/* Reads all files. What is wrong is in `diag`; what could be read is in *out all the same. */
void gather_sources(struct arena *arena, const struct source *sources, size_t count, struct gathered *out,
                    struct diagnostics *diag);

/* "b.jsonc:12": where a member stands, for messages; empty where the message would not be kept. */
str gather_place(struct gathered *files, const struct source *source, const struct json *member,
                 struct diagnostics *diag);
/* Does an attribute say where it comes from? */
bool gather_has_source(const struct declared *attribute);

const struct declared *section_find(const struct section *section, str name);

/* unite.c: of event types, records and the customer each file names what it needs, and that is put together. */
void unite_fields(struct gathered *files, struct section *section, const char *what,
                  struct diagnostics *diag);
void unite_attributes(struct gathered *files, struct section *section, const char *what,
                      struct diagnostics *diag);

/* Adds an error at a node. */
void gather_error(struct diagnostics *diag, const struct source *source, const struct json *node, str hint,
                  const char *format, ...) __attribute__((format(printf, 5, 6)));
void gather_error_at_key(struct diagnostics *diag, const struct source *source, const struct json *member,
                         str hint, const char *format, ...) __attribute__((format(printf, 5, 6)));
/* "did you mean 'NAME'?" for the nearest of a section's names; empty when none is near. */
str section_hint(const struct section *section, str name, struct diagnostics *diag);

#endif
