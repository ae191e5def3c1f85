#include "host/sampler.h"
#include "host/clock.h"
#include <xxhash.h>

enum { SAMPLER_PAUSE_US = 60000000 };

bool sampler_take(struct sampler *sampler, struct relance_str a, struct relance_str b, uint64_t *more)
{
    uint64_t kind = XXH3_64bits_withSeed(b.data, b.size, XXH3_64bits(a.data, a.size)) | 1;
    int64_t now = clock_monotonic_us();
    size_t place = (size_t)(kind >> 32) % SAMPLER_PLACES;
    bool known = sampler->places[place].kind == kind;
    if (known && now < sampler->places[place].until_us) {
        sampler->places[place].more++;
        return false;
    }
    *more = known ? sampler->places[place].more : 0;
    sampler->places[place].kind = kind;
    sampler->places[place].until_us = now + SAMPLER_PAUSE_US;
    sampler->places[place].more = 0;
    return true;
}
