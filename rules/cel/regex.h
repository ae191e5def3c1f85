/* Regular expressions, RE2 behind a small C++ shim (regex.cc): linear time, whatever the pattern. */
#ifndef RULES_CEL_REGEX_H
#define RULES_CEL_REGEX_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct regex;
/* NULL when the pattern is none, or `large`: its program is larger than LIMIT_CEL_REGEX_PROGRAM; `error` says why. */
struct regex *regex_new(const char *pattern, size_t size, bool *large, char *error, size_t error_size);
bool regex_match(const struct regex *regex, const char *text, size_t size); /* somewhere in the text */
/* Instructions of its program: what a byte of the text may cost at most. */
size_t regex_size(const struct regex *regex);
/* Steps that compiling a pattern may take, but for those of its program. */
size_t regex_cost(const char *pattern, size_t size);
void regex_free(struct regex *regex);

#ifdef __cplusplus
}
#endif

#endif
