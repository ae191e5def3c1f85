/* Forward decay: what comes later weighs more, so that what has been counted need never be touched. An instant weighs 2^(t/H),
 * of which whole half-lives are a shift and the rest is one of 256 constants; all in whole numbers. Cormode et al., "Forward
 * Decay: A Practical Time Decay Model for Streaming Systems", ICDE 2009. */
#ifndef RULES_LEARN_DECAY_H
#define RULES_LEARN_DECAY_H

#include <stdint.h>

enum { DECAY_STEPS = 256, DECAY_AHEAD_MAX = 4, LOG_STEPS = 2048, LOG_ONE = 1 << 16 };

struct decay {
    int64_t half_life_ms;
    int64_t epoch;                 /* half-lives since 1970 that a shift of 0 stands for */
    uint16_t factors[DECAY_STEPS]; /* 2^(i/256), in 256ths */
    uint16_t logs[LOG_STEPS];      /* log2(1 + i/2048), in 65536ths */
};

void decay_init(struct decay *decay, int64_t half_life_ms);
int64_t decay_epoch_at(const struct decay *decay, int64_t at_ms);
/* What one unit weighs at an instant: 256 at the epoch. An instant before it weighs less, down to 0; one far behind it no more
 * than what lies four half-lives behind it. */
uint64_t decay_factor(const struct decay *decay, int64_t at_ms);

/* log2 in 65536ths; of 0 as of 1. */
int32_t decay_log(const struct decay *decay, uint64_t number);
/* The code (learn/weight.h) of a number whose log2 is given, in 65536ths; codes have 2^-`below` as their least. */
uint16_t decay_code(const struct decay *decay, int64_t log, int below);

#endif
