/* `${CEL}` in texts: where the expression ends. */
#ifndef RULES_CEL_PLACEHOLDER_H
#define RULES_CEL_PLACEHOLDER_H

#include "base/str.h"

/* Where the `}` stands that ends an expression beginning at `at`, behind its `${`; the text's size when there is none.
 * Brackets and strings of the expression's own are passed over; a `(` that is open at the `}` is the expression's
 * mistake. */
size_t placeholder_end(str text, size_t at);
/* Is a text one `${CEL}` and nothing else? Then the expression is all but the first two bytes and the last. */
bool placeholder_is_whole(str text);

#endif
