/* Text of strangers, shown to people: names of rules, ids, keys, paths, whatever came from outside. A character
 * that gives orders to a terminal, forges lines or turns the direction of writing is shown as its escape, `\u001b`.
 * JSON writes it so, too: JSON that is shown this way stays the same JSON. Broken UTF-8 is shown as U+FFFD. */
#ifndef RULES_BASE_PLAIN_H
#define RULES_BASE_PLAIN_H

#include "base/str.h"

/* Controls of both sets (C0, DEL, C1), separators of lines and paragraphs, and what turns the direction. */
bool plain_hides(uint32_t point);

/* The end of what may be shown as it stands, from `at` on: valid, and nothing hidden in it. */
size_t plain_end(str text, size_t at);

/* What is shown for the character at text[*at], which may not be shown as it stands; moves behind it. */
enum { PLAIN_ESCAPE_SIZE = 6 };
str plain_escape(str text, size_t *at, char out[PLAIN_ESCAPE_SIZE]);

#endif
