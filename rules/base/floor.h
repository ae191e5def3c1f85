/* Division of instants, which may lie before 1970. */
#ifndef RULES_BASE_FLOOR_H
#define RULES_BASE_FLOOR_H

#include <stdint.h>

/* Rounded down, also below 0; b > 0. */
static inline int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

#endif
