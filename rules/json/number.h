/* Numbers as JSON writes them, without loss: the digits are kept as an integer and a power of ten, so that
 * all 64 bits of an int survive and 40.0 or 4e1 is as integral as 40. */
#ifndef RULES_JSON_NUMBER_H
#define RULES_JSON_NUMBER_H

#include "base/str.h"

struct json_number {
    str text;        /* as written */
    uint64_t digits; /* the size of the value is digits * 10^exponent */
    int32_t exponent;
    bool negative;
    bool exact; /* false: more digits, not all of them 0, did not fit, and the value is larger in size */
};

/* False when the text, all of it, is no number by RFC 8259's grammar. */
bool json_number_read(str text, struct json_number *number);

/* False when the value is not integral or does not fit. */
bool json_number_int(const struct json_number *number, int64_t *value);
bool json_number_uint(const struct json_number *number, uint64_t *value);
/* The greatest integer that is not above the value; false when it does not fit. */
bool json_number_floor(const struct json_number *number, int64_t *value);

#endif
