/* Regular expressions, RE2 behind a small C++ shim (regex.cc): linear time, whatever the pattern. */
#ifndef RULES_CEL_REGEX_H
#define RULES_CEL_REGEX_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct regex;
/* NULL when the pattern is none; then `error` says why. */
struct regex *regex_new(const char *pattern, size_t size, char *error, size_t error_size);
bool regex_match(const struct regex *regex, const char *text, size_t size); /* somewhere in the text */
void regex_free(struct regex *regex);

#ifdef __cplusplus
}
#endif

#endif
