#include "base/ensure.h"
#include "learn/counts.h"

/* The place of the first era that is not before that epoch. */
static uint32_t eras_place(const struct relance_learn *learn, int64_t epoch)
{
    uint32_t from = 0, to = learn->eras.count;
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        if (VECTOR_AT(learn->eras, struct era, middle)->epoch < epoch)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

/* The decay is told to weigh as of its begin. */
struct era *learn_era(struct relance_learn *learn, int64_t at_ms)
{
    int64_t epoch = learn->decay.epoch = decay_epoch_at(&learn->decay, at_ms);
    uint32_t at = eras_place(learn, epoch);
    struct era *era = at < learn->eras.count ? VECTOR_AT(learn->eras, struct era, at) : NULL;
    if (era && era->epoch == epoch) return era;
    ensure(era = vector_insert(&learn->pool, &learn->eras, sizeof *era, at));
    *era = (struct era){.epoch = epoch};
    pairs_init(&era->pairs, &learn->pool);
    return era;
}

static void era_clear(struct relance_learn *learn, struct era *era)
{
    vector_release(&learn->pool, &era->own, sizeof(uint64_t));
    pairs_clear(&era->pairs);
}

void eras_clear(struct relance_learn *learn)
{
    VECTOR_EACH (learn->eras, struct era, era)
        era_clear(learn, era);
    vector_release(&learn->pool, &learn->eras, sizeof(struct era));
}

/* What weighs nothing any more leaves nothing, its customers' marks neither. */
static void era_add(struct relance_learn *learn, struct era *era)
{
    enum { SHIFT_MAX = TALLY_WEIGHT_BITS };
    uint64_t since = (uint64_t)learn->decay.epoch - (uint64_t)era->epoch, less;
    unsigned shift = since < SHIFT_MAX ? (unsigned)since : SHIFT_MAX;
    pairs_flush(&era->pairs);
    for (uint32_t i = 0; i < era->own.count; i++) {
        less = tally_less(*VECTOR_AT(era->own, uint64_t, i), shift);
        if (tally_weight(less)) *learn_own(learn, i) = tally_sum(*learn_own(learn, i), less);
    }
    for (size_t i = 0; i < era->pairs.size; i++) {
        const struct pair *pair = &era->pairs.slots[i];
        less = tally_less(pair->tally, shift);
        if (tally_weight(less)) pairs_add(&learn->pairs, pair_earlier(pair), pair_later(pair), less);
    }
}

/* The newest one's tables are taken as they are, since it is mostly the only one. */
void learn_settle(struct relance_learn *learn)
{
    if (learn->eras.count) {
        struct era *newest = VECTOR_AT(learn->eras, struct era, learn->eras.count - 1);
        if (learn->products.count) own_of(&learn->pool, &newest->own, learn->products.count - 1);
        vector_release(&learn->pool, &learn->own, sizeof(uint64_t));
        pairs_clear(&learn->pairs);
        learn->own = newest->own;
        learn->pairs = newest->pairs;
        learn->decay.epoch = newest->epoch;
        learn->has_epoch = true;
        learn->eras.count--;
        VECTOR_EACH (learn->eras, struct era, era)
            era_add(learn, era);
        eras_clear(learn);
    }
    pairs_flush(&learn->pairs);
}

bool relance_learn_is_far(const struct relance_learn *learn, int64_t at_ms)
{
    return learn->has_epoch && decay_epoch_at(&learn->decay, at_ms) - learn->decay.epoch >= DECAY_AHEAD_MAX;
}
