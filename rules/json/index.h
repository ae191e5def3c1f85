/* Where the tokens of a JSON text begin: simdjson's first stage, behind two C functions.
 *
 *     {"id": "e-81", "n": [1, 2]}
 *     ^^   ^ ^     ^ ^  ^ ^^^ ^^^      one number for each
 *
 * It finds every bracket, colon, comma, opening quote and first letter of a number or word, 64 bytes at a
 * time, and has then checked that the text is UTF-8, that every string is closed and that none holds a control
 * character. What stands between the tokens it has not looked at: that is scan.h's work. */
#ifndef RULES_JSON_INDEX_H
#define RULES_JSON_INDEX_H

#include "base/str.h"

#ifdef __cplusplus
extern "C" {
#endif

struct json_index;

enum json_index_status { JSON_INDEX_OK, JSON_INDEX_BROKEN, JSON_INDEX_NOT_UTF8, JSON_INDEX_NO_MEMORY };

struct json_index *json_index_new(void); /* NULL without memory */
void json_index_free(struct json_index *index);

/* Tokens of `text` in ascending order, then the text's size twice. Valid until the next build; no allocation
 * for a text no longer than one before it. */
enum json_index_status json_index_build(struct json_index *index, struct relance_str text,
                                        const uint32_t **tokens, size_t *count);

#ifdef __cplusplus
}
#endif
#endif
