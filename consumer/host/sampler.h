/* Which of many alike mishaps are worth a line of the log: of each kind the first, and then one a minute. */
#ifndef CONSUMER_HOST_SAMPLER_H
#define CONSUMER_HOST_SAMPLER_H

#include <relance/text.h>
#include <stdbool.h>
#include <stdint.h>

enum { SAMPLER_PLACES = 256 }; /* for kinds of mishaps; of two in one place the newer counts */

struct sampler {
    struct {
        uint64_t kind;    /* hash of the kind; 0: the place is free */
        int64_t until_us; /* no line of this kind before then */
        uint64_t more;    /* mishaps passed over since the last line */
    } places[SAMPLER_PLACES];
};

/* `a` and `b` make the kind. True: tell of this one, and of `more` since the last that were not told of. */
bool sampler_take(struct sampler *sampler, struct relance_str a, struct relance_str b, uint64_t *more);

#endif
