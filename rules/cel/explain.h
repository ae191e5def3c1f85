/* Why a condition is not true: the parts that decided, with the values that they were asked about.
 *
 *     orders() >= 3 is false (orders() = 1), and customer.email_ok fails (no such field 'email_ok')
 *
 * The text is parsed and checked again and its parts are evaluated one by one: slow, for people who ask, and of no
 * cost to anybody else. */
#ifndef RULES_CEL_EXPLAIN_H
#define RULES_CEL_EXPLAIN_H

#include "base/buffer.h"
#include "cel/cel.h"

/* `text` has been compiled in `env`; `arena` holds what only explaining needs. False without memory. */
bool cel_explain(struct arena *arena, const struct cel_env *env, str text, struct cel_frame *frame,
                 struct buffer *out);
/* A text as explanations show it: in one line, cut between code points where it is long; a value, which is JSON, likewise. */
void cel_explain_text(str text, struct buffer *out);
void cel_explain_value(struct cel_value value, struct buffer *out);

#endif
