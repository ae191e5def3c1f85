/* Where a text that was to be JSON breaks, for whoever has to mend what wrote it. Slower than reading, and with memory of
 * its own: for texts that are known to be broken. */
#ifndef RULES_JSON_BROKEN_H
#define RULES_JSON_BROKEN_H

#include "base/str.h"

#define BROKEN_NOWHERE SIZE_MAX

/* The first byte that does not belong there: in a character that is no UTF-8, of what JSON's grammar does not have, or of
 * a bracket beyond depth_max. The text's size: it ends too early. BROKEN_NOWHERE: it is JSON (or memory ran out). Numbers
 * and words count as a whole, from their first byte on. */
size_t json_broken_at(str text, unsigned depth_max);

#endif
