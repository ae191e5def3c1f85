/* Which of many alike mishaps are worth a line of the log: of each kind the first, and then one a minute. */
#ifndef CONSUMER_DELIVERY_SAMPLER_H
#define CONSUMER_DELIVERY_SAMPLER_H

#include <relance/text.h>
#include <stdbool.h>
#include <stdint.h>

enum { SAMPLER_PLACES = 256 }; /* kinds; of two in one place the newer counts */

struct sampler {
    struct {
        uint64_t kind;     /* hash; 0: free */
        int64_t until_us;  /* quiet until then */
        uint64_t more;     /* passed over since the last line */
    } places[SAMPLER_PLACES];
};

/* `a` and `b` make the kind. True: tell of this one, and of `more` since the last that were not told of. */
bool sampler_take(struct sampler *sampler, struct relance_str a, struct relance_str b, uint64_t *more);

#endif
