#include "learn/decay.h"

#include "base/floor.h"
#include "base/rfc3339.h"
#include "learn/weight.h"

/* 2^(1/2), 2^(1/4), … 2^(1/256), in 2^-30. */
static const uint64_t roots[] = {1518500250, 1276901417, 1170923762, 1121280436,
                                 1097253708, 1085434106, 1079572136, 1076653033};

enum { ROOTS = 8, ROOT_BITS = 30, FACTOR_BITS = 8, LOG_BITS = 16 };

static uint16_t factor_of(unsigned step)
{
    uint64_t product = (uint64_t)1 << ROOT_BITS;
    for (unsigned i = 0; i < ROOTS; i++)
        if (step & (unsigned)DECAY_STEPS >> (i + 1)) product = (product * roots[i]) >> ROOT_BITS;
    return (uint16_t)((product + ((uint64_t)1 << (ROOT_BITS - FACTOR_BITS - 1))) >>
                      (ROOT_BITS - FACTOR_BITS));
}

/* By squaring: a number between 1 and 2 that becomes 2 or more has a bit. */
static uint16_t log_of(unsigned mantissa)
{
    uint64_t number = (WEIGHT_ONE | mantissa) << (ROOT_BITS - WEIGHT_MANTISSA_BITS);
    uint64_t log = 0;
    for (unsigned i = 0; i < LOG_BITS; i++) {
        number = number * number >> ROOT_BITS;
        log = log << 1 | number >> (ROOT_BITS + 1);
        number >>= number >> (ROOT_BITS + 1);
    }
    return (uint16_t)log;
}

void decay_init(struct decay *decay, int64_t half_life_ms)
{
    *decay = (struct decay){.half_life_ms = half_life_ms > 0 ? half_life_ms : 1};
    for (unsigned i = 0; i < DECAY_STEPS; i++)
        decay->factors[i] = factor_of(i);
    for (unsigned i = 0; i < LOG_STEPS; i++)
        decay->logs[i] = log_of(i);
}

static int64_t within_reason(int64_t at_ms)
{
    return at_ms < RFC3339_MS_MIN ? RFC3339_MS_MIN : at_ms > RFC3339_MS_MAX ? RFC3339_MS_MAX : at_ms;
}

int64_t decay_epoch_at(const struct decay *decay, int64_t at_ms)
{
    return floor_div(within_reason(at_ms), decay->half_life_ms);
}

uint64_t decay_factor(const struct decay *decay, int64_t at_ms)
{
    at_ms = within_reason(at_ms);
    int64_t whole = decay_epoch_at(decay, at_ms), rest = at_ms - whole * decay->half_life_ms;
    uint64_t factor = decay->factors[(uint64_t)rest * DECAY_STEPS / (uint64_t)decay->half_life_ms];
    int64_t ahead = whole - decay->epoch;
    if (ahead > DECAY_AHEAD_MAX) return (uint64_t)decay->factors[0] << DECAY_AHEAD_MAX;
    if (ahead >= 0) return factor << ahead;
    return ahead < -2 * FACTOR_BITS ? 0 : factor >> -ahead;
}

int32_t decay_log(const struct decay *decay, uint64_t number)
{
    if (number < 2) return 0;
    int exponent = 63 - __builtin_clzll(number);
    uint64_t top = exponent > WEIGHT_MANTISSA_BITS ? number >> (exponent - WEIGHT_MANTISSA_BITS)
                                                   : number << (WEIGHT_MANTISSA_BITS - exponent);
    return exponent * LOG_ONE + decay->logs[top & (WEIGHT_ONE - 1)];
}

uint16_t decay_code(const struct decay *decay, int64_t log, int below)
{
    log += (int64_t)below * LOG_ONE;
    if (log < 0) return 0;
    if (log >= 32LL * LOG_ONE) return WEIGHT_CODE_MAX;
    uint32_t rest = (uint32_t)log % LOG_ONE, mantissa = 0;
    for (uint32_t bit = LOG_STEPS / 2; bit; bit /= 2)
        if (decay->logs[mantissa | bit] <= rest) mantissa |= bit;
    return (uint16_t)((uint32_t)log / LOG_ONE << WEIGHT_MANTISSA_BITS | mantissa);
}
