/* Rules for a command that needs nothing else of them: read, compiled, and every mistake printed. */
#ifndef CONSUMER_LOAD_H
#define CONSUMER_LOAD_H

#include <relance/ruleset.h>

/* The set at PATH, freed by relance_ruleset_free; NULL: what is wrong has been printed, by a command of that
 * name
 * ("relance replay"). */
struct relance_ruleset *load_rules(const char *command, const char *path);

#endif
