/* Weights in two bytes: five bits of exponent and eleven of mantissa, value = (2048 + mantissa) << exponent, so that the order
 * of two codes is that of their values. 0 is no weight. A list keeps its order and its proportions to a two-thousandth, and
 * nothing depends on how a machine rounds. */
#ifndef RULES_LEARN_WEIGHT_H
#define RULES_LEARN_WEIGHT_H

#include <stdint.h>

enum { WEIGHT_MANTISSA_BITS = 11, WEIGHT_CODE_MAX = 0xffff };
/* A code of exponent WEIGHT_WHOLE is a whole: of two for one, in a version. Below 2^-26 of that there is none. */
enum { WEIGHT_WHOLE = 26 };
#define WEIGHT_ONE ((uint64_t)1 << WEIGHT_MANTISSA_BITS) /* the least value that has a code */

/* The largest code whose value is no more than `value`; 0 below WEIGHT_ONE. */
static inline uint16_t weight_code(uint64_t value)
{
    if (value < WEIGHT_ONE) return 0;
    unsigned exponent = 63 - (unsigned)__builtin_clzll(value) - WEIGHT_MANTISSA_BITS;
    if (exponent > 31) return WEIGHT_CODE_MAX;
    return (uint16_t)(exponent << WEIGHT_MANTISSA_BITS | ((value >> exponent) & (WEIGHT_ONE - 1)));
}

/* Code 0 is the least value of all: a reader need not tell it apart. */
static inline uint64_t weight_value(uint16_t code)
{
    return (WEIGHT_ONE | (code & (WEIGHT_ONE - 1))) << (code >> WEIGHT_MANTISSA_BITS);
}

#endif
