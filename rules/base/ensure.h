/* ensure(): what must hold if the program is right. On in release: a state that cannot be is not carried on
 * with. What can happen (bad input, no memory) is handled, never ensured. */
#ifndef RULES_BASE_ENSURE_H
#define RULES_BASE_ENSURE_H

_Noreturn void ensure_failed(const char *expression, const char *file, int line);

#define ensure(expression) ((expression) ? (void)0 : ensure_failed(#expression, __FILE__, __LINE__))

#endif
