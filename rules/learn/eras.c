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

/* A tally of an era as of the epoch. */
static uint64_t era_weigh(const struct relance_learn *learn, const struct era *era, uint64_t tally)
{
    enum { SHIFT_MAX = TALLY_WEIGHT_BITS };
    int64_t ahead = era->epoch - learn->decay.epoch;
    if (ahead <= 0) return tally_less(tally, -ahead < SHIFT_MAX ? (unsigned)-ahead : SHIFT_MAX);
    for (int64_t i = 0; i < ahead && i < DECAY_AHEAD_MAX; i++)
        tally = tally_sum(tally, tally);
    return tally;
}

/* What weighs nothing any more leaves nothing, its customers' marks neither. */
static void era_add(struct relance_learn *learn, struct era *era)
{
    pairs_flush(&era->pairs);
    for (uint32_t i = 0; i < era->own.count; i++) {
        uint64_t tally = era_weigh(learn, era, *VECTOR_AT(era->own, uint64_t, i));
        if (tally_weight(tally)) *learn_own(learn, i) = tally_sum(*learn_own(learn, i), tally);
    }
    for (size_t i = 0; i < era->pairs.size; i++) {
        const struct pair *pair = &era->pairs.slots[i];
        uint64_t tally = era_weigh(learn, era, pair->tally);
        if (tally_weight(tally)) pairs_add(&learn->pairs, pair_earlier(pair), pair_later(pair), tally);
    }
}

/* The last one that is not ahead of the instant says the epoch. Its tables are taken as they are, since it is mostly the only
 * one. */
static void eras_take_base(struct relance_learn *learn, int64_t at_ms)
{
    uint32_t behind = eras_place(learn, decay_epoch_at(&learn->decay, at_ms) + 1),
             at = behind ? behind - 1 : 0;
    struct era *base = VECTOR_AT(learn->eras, struct era, at);
    if (learn->products.count) own_of(&learn->pool, &base->own, learn->products.count - 1);
    vector_release(&learn->pool, &learn->own, sizeof(uint64_t));
    pairs_clear(&learn->pairs);
    learn->own = base->own;
    learn->pairs = base->pairs;
    learn->decay.epoch = base->epoch;
    learn->has_epoch = true;
    vector_remove(&learn->eras, sizeof *base, at);
}

void learn_settle(struct relance_learn *learn, int64_t at_ms)
{
    if (learn->eras.count) {
        eras_take_base(learn, at_ms);
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
