/* The parts of a condition, each by itself: what &&, ||, ! and ?: join, down to where there is none of them.
 *
 *     customer.email_ok && (event.total >= 50.0 || !(orders() > 1))        three parts
 *
 * To find out which of them have ever been true, and ever false. They are programs of their own beside the
 * condition's, made from its text and asked behind it: what runs every day does not know of them. What stands inside
 * a comparison, a call or a loop is not taken apart. */
#ifndef RULES_CEL_PARTS_H
#define RULES_CEL_PARTS_H

#include "cel/cel.h"

enum cel_outcome { CEL_WAS_TRUE = 1, CEL_WAS_FALSE = 2, CEL_HAS_FAILED = 4 };

struct cel_part {
    str text;          /* as written */
    unsigned outcomes; /* enum cel_outcome, all that there were */
};

struct cel_parts;

/* `text` has been compiled in `env`. NULL without memory. */
struct cel_parts *cel_parts_new(struct arena *keep, struct arena *scratch, const struct cel_env *env,
                                str text);
/* Asks the parts that evaluating the condition asks, and notes what they were; what the condition is, by them. */
enum cel_outcome cel_parts_ask(struct cel_parts *parts, struct cel_frame *frame);
/* In the order of the text; constants are none. */
size_t cel_parts_list(const struct cel_parts *parts, const struct cel_part **list);

#endif
