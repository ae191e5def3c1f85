/* Rule files: JSON with comments and trailing commas, read by cJSON, with the place of every node.
 *
 * Comments and trailing commas are blanked in place before cJSON sees the text, so that offsets stay true; a
 * walk over the same text beside cJSON's tree then gives every node its bytes. What cJSON lets through and we
 * do not (keys given twice, trailing garbage, NUL, bad UTF-8, depth, 01) is a diagnostic here. */
#ifndef RULES_JSON_JSON_H
#define RULES_JSON_JSON_H

#include "base/diag.h"

enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

/* A node with its place. The tree is immutable and lives in the arena. */
struct json {
    enum json_kind kind;
    size_t begin, end; /* bytes of the file, quotes and brackets included */
    bool boolean;
    double number;      /* JSON_NUMBER */
    str text;           /* JSON_STRING: decoded. JSON_NUMBER: as written */
    struct json *child; /* first element or member */
    struct json *next;  /* next sibling */
    str key;            /* of a member: decoded */
    size_t key_begin, key_end;
    size_t count; /* children */
};

/* NULL when the file is no JSON; every mistake is in `diag` (as many as can be found). The text must be UTF-8
 * and at most LIMIT_RULE_SET_BYTES. Keys given twice are mistakes that leave a tree, with both in it. */
const struct json *json_parse(struct arena *arena, const struct source *source, struct diagnostics *diag);

/* The member of an object, NULL where absent or `object` is none. */
const struct json *json_member(const struct json *object, const char *key);
const struct json *json_member_of(const struct json *object, str key);

/* The origin of a node's decoded text: positions in it lead back through the escapes. */
struct origin json_origin(const struct source *source, const struct json *string);
/* Writes the node as compact JSON, numbers as written. */
struct buffer;
void json_write(const struct json *node, struct buffer *out);

#endif
