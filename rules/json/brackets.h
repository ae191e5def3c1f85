/* Which bracket of a broken text is open: for messages. */
#ifndef RULES_JSON_BRACKETS_H
#define RULES_JSON_BRACKETS_H

#include "base/str.h"

#define BRACKETS_NONE SIZE_MAX

/* Where the innermost bracket stands that is open at `end`; BRACKETS_NONE: none is. `text` is JSON up to there, without
 * comments. */
size_t brackets_innermost(str text, size_t end);

/* Where the bracket stands that was probably forgotten to be closed, of a text that ends too early: one whose closing
 * bracket is another's, by the indentation; else the innermost that is open. */
size_t brackets_forgotten(str text);

#endif
