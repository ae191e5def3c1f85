/* Floating-point numbers as text, behind a small C++ shim (digits.cc): std::to_chars and std::from_chars are
 * exact and know no locale, which printf and strtod are not and do. */
#ifndef RULES_CEL_DIGITS_H
#define RULES_CEL_DIGITS_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The shortest decimal digits that read back as `d` (finite, not negative), no trailing zeros; the value is
 * 0.DIGITS times 10 to `*point`. Returns their number. */
size_t digits_shortest(double d, char digits[20], int *point);
/* `precision` digits after the point, as printf's %f ('f') or %e ('e') do; 0 when it does not fit. */
size_t digits_format(double d, char form, int precision, char *out, size_t size);
/* Reads a whole text as a decimal floating-point number; beyond the range gives an infinity or zero. */
bool digits_read(const char *text, size_t size, double *d);

#ifdef __cplusplus
}
#endif

#endif
