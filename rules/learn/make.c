/* From counts to a version. What comes before counts half: with f = "b came after a", the pair a → b weighs 2 f(a, b) + f(b, a).
 *
 *     weight of b for a = that / (own(a)^(1 - lift) · own(b)^lift)
 *
 * so that lift 0 asks "of those who came to a, how many came to b", and more of it lets what everybody takes give way. It is
 * reckoned by logarithms in whole numbers, and listed as a two-byte code: what is equal there is in the order of names. */
#include "learn/counts.h"
#include "learn/model.h"
#include "learn/version.h"
#include "learn/weight.h"

#include <stdlib.h>

struct candidate {
    uint32_t rank; /* of the partner's name */
    uint32_t number;
    uint64_t tally; /* while they are gathered, of one direction */
    uint16_t code;
};

struct maker {
    const struct relance_learn *learn;
    struct arena arena;
    uint32_t *by_name, *ranks;
    struct rows later, earlier;
    struct candidate *candidates; /* room for the longest row */
    uint32_t *places;             /* by number, while they are gathered: where among them, plus 1 */
    int64_t *popularity;          /* by number */
};

static int candidate_by_rank(const void *a, const void *b)
{
    const struct candidate *one = a, *other = b;
    return (one->rank > other->rank) - (one->rank < other->rank);
}

static int candidate_by_code(const void *a, const void *b)
{
    const struct candidate *one = a, *other = b;
    if (one->code != other->code) return one->code < other->code ? 1 : -1;
    return candidate_by_rank(a, b);
}

static uint64_t twice(uint64_t tally)
{
    return tally_sum(tally, tally);
}

static size_t row_length(const struct maker *maker, uint32_t product)
{
    return maker->later.ends[product + 1] - maker->later.ends[product] + maker->earlier.ends[product + 1] -
           maker->earlier.ends[product];
}

static void maker_add(struct maker *maker, size_t *count, uint32_t number, uint64_t tally)
{
    uint32_t *place = &maker->places[number];
    struct candidate *one = &maker->candidates[*place ? *place - 1 : *count];
    if (*place) {
        one->tally = tally_sum(one->tally, tally);
    } else {
        *one = (struct candidate){maker->ranks[number], number, tally, 0};
        *count += 1;
        *place = (uint32_t)*count;
    }
}

/* All that came before or after a product, each once, in no order that means anything. */
static size_t maker_gather(struct maker *maker, uint32_t product)
{
    const struct pair *slots = maker->learn->pairs.slots;
    size_t count = 0;
    for (uint32_t i = maker->later.ends[product]; i < maker->later.ends[product + 1]; i++) {
        const struct pair *pair = &slots[maker->later.order[i]];
        maker_add(maker, &count, pair_later(pair), twice(pair->tally));
    }
    for (uint32_t i = maker->earlier.ends[product]; i < maker->earlier.ends[product + 1]; i++) {
        const struct pair *pair = &slots[maker->earlier.order[i]];
        maker_add(maker, &count, pair_earlier(pair), pair->tally);
    }
    for (size_t i = 0; i < count; i++)
        maker->places[maker->candidates[i].number] = 0;
    return count;
}

/* Those that enough customers made, with their codes, the strongest first. */
static size_t maker_weigh(struct maker *maker, uint32_t product, size_t count)
{
    const struct relance_learn *learn = maker->learn;
    int64_t own = decay_log(&learn->decay, tally_weight(*learn_own(learn, product)));
    int64_t less = own - learn_popularity(learn, product);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        struct candidate one = maker->candidates[i];
        if (tally_customers(one.tally) < learn->recipe.least || !tally_weight(one.tally)) continue;
        int64_t log =
            decay_log(&learn->decay, tally_weight(one.tally)) - less - maker->popularity[one.number];
        one.code = decay_code(&learn->decay, log, WEIGHT_WHOLE);
        maker->candidates[kept++] = one;
    }
    qsort(maker->candidates, kept, sizeof *maker->candidates, candidate_by_code);
    return kept < RELANCE_MODEL_PARTNERS ? kept : RELANCE_MODEL_PARTNERS;
}

/* The lists, still by number of product; a product has one where it has partners. */
struct draft {
    struct candidate *items;
    size_t *ends; /* by rank */
    bool *named;  /* by rank: has a list, or stands in one */
    struct candidate *popular;
    size_t popular_count;
};

static bool maker_lists(struct maker *maker, struct draft *draft)
{
    size_t products = maker->learn->products.count, room = 0, at = 0;
    for (uint32_t i = 0; i < products; i++) {
        size_t length = row_length(maker, i);
        room += length < RELANCE_MODEL_PARTNERS ? length : RELANCE_MODEL_PARTNERS;
    }
    draft->items = arena_alloc(&maker->arena, room * sizeof *draft->items);
    draft->ends = arena_alloc(&maker->arena, products * sizeof *draft->ends);
    draft->named = ARENA_ARRAY(&maker->arena, bool, products);
    if (!draft->items || !draft->ends || !draft->named) return false;
    for (uint32_t rank = 0; rank < products; rank++) {
        uint32_t product = maker->by_name[rank];
        size_t count = maker_weigh(maker, product, maker_gather(maker, product));
        for (size_t i = 0; i < count; i++) {
            draft->items[at++] = maker->candidates[i];
            draft->named[maker->candidates[i].rank] = draft->named[rank] = true;
        }
        draft->ends[rank] = at;
    }
    return true;
}

static bool maker_popular(struct maker *maker, struct draft *draft)
{
    const struct relance_learn *learn = maker->learn;
    size_t products = learn->products.count, count = 0;
    struct candidate *all = arena_alloc(&maker->arena, products * sizeof *all);
    if (!all) return false;
    int64_t most = 0;
    for (uint32_t i = 0; i < products; i++) {
        uint64_t own = *learn_own(learn, i);
        int64_t log = decay_log(&learn->decay, tally_weight(own));
        if (log > most) most = log;
        if (tally_customers(own) >= learn->recipe.least && tally_weight(own))
            all[count++] = (struct candidate){maker->ranks[i], i, own, 0};
    }
    for (size_t i = 0; i < count; i++)
        all[i].code = decay_code(&learn->decay, decay_log(&learn->decay, tally_weight(all[i].tally)) - most,
                                 WEIGHT_WHOLE);
    qsort(all, count, sizeof *all, candidate_by_code);
    draft->popular = all;
    draft->popular_count = count < RELANCE_MODEL_POPULAR ? count : RELANCE_MODEL_POPULAR;
    for (size_t i = 0; i < draft->popular_count; i++)
        draft->named[all[i].rank] = true;
    return true;
}

/* A list in the numbers of the version. */
static struct model_row drafted(const struct candidate *items, size_t count, const uint32_t *numbers,
                                uint32_t *partners, uint16_t *weights)
{
    for (size_t i = 0; i < count; i++)
        partners[i] = numbers[items[i].rank], weights[i] = items[i].code;
    return (struct model_row){partners, weights, count};
}

static struct relance_model *maker_names(struct maker *maker, const struct draft *draft, uint32_t *numbers)
{
    const struct names *names = &maker->learn->products;
    size_t count = 0, bytes = 0;
    for (uint32_t rank = 0; rank < names->count; rank++)
        if (draft->named[rank])
            numbers[rank] = (uint32_t)count++, bytes += names->list[maker->by_name[rank]].size;
    struct relance_model *model = model_new(count, bytes, names->count ? draft->ends[names->count - 1] : 0);
    for (uint32_t rank = 0; model && rank < names->count; rank++)
        if (draft->named[rank]) model_put_name(model, names->list[maker->by_name[rank]]);
    if (model && model_index(model)) return model;
    relance_model_release(model);
    return NULL;
}

static struct relance_model *maker_model(struct maker *maker, const struct draft *draft)
{
    uint32_t products = maker->learn->products.count, partners[RELANCE_MODEL_POPULAR];
    uint16_t weights[RELANCE_MODEL_POPULAR];
    uint32_t *numbers = arena_alloc(&maker->arena, products * sizeof *numbers);
    struct relance_model *model = numbers ? maker_names(maker, draft, numbers) : NULL;
    if (!model) return NULL;
    for (uint32_t rank = 0; rank < products; rank++) {
        size_t begin = rank ? draft->ends[rank - 1] : 0;
        if (!draft->named[rank]) continue;
        struct model_row row =
            drafted(draft->items + begin, draft->ends[rank] - begin, numbers, partners, weights);
        model_put_list(model, numbers[rank], &row);
    }
    struct model_row row = drafted(draft->popular, draft->popular_count, numbers, partners, weights);
    model_put_popular(model, &row);
    return model;
}

static bool maker_start(struct maker *maker)
{
    const struct relance_learn *learn = maker->learn;
    maker->by_name = learn_by_name(learn, &maker->arena, &maker->ranks);
    maker->popularity = arena_alloc(&maker->arena, learn->products.count * sizeof *maker->popularity);
    maker->places = ARENA_ARRAY(&maker->arena, uint32_t, learn->products.count);
    if (!maker->by_name || !maker->popularity || !maker->places ||
        !rows_make(&maker->later, &maker->arena, learn, false) ||
        !rows_make(&maker->earlier, &maker->arena, learn, true))
        return false;
    size_t longest = 0;
    for (uint32_t i = 0; i < learn->products.count; i++) {
        maker->popularity[i] = learn_popularity(learn, i);
        if (row_length(maker, i) > longest) longest = row_length(maker, i);
    }
    maker->candidates = arena_alloc(&maker->arena, longest * sizeof *maker->candidates);
    return maker->candidates;
}

struct relance_model *relance_learn_version(struct relance_learn *learn, int64_t at_ms,
                                            const struct relance_model *base, bool in_full,
                                            struct relance_str *bytes)
{
    struct maker maker = {.learn = learn};
    struct draft draft;
    learn_settle(learn, at_ms);
    arena_init(&maker.arena, 0);
    struct relance_model *model = NULL;
    if (maker_start(&maker) && maker_lists(&maker, &draft) && maker_popular(&maker, &draft))
        model = maker_model(&maker, &draft);
    arena_free(&maker.arena);
    if (!model) return NULL;
    model->head = (struct relance_model_head){.number = base ? base->head.number + 1 : 1,
                                              .recipe = learn->recipe.recipe,
                                              .base = base ? base->head.chain : 0,
                                              .at_ms = at_ms,
                                              .is_delta = base && !in_full};
    learn->bytes.size = 0;
    version_write(model, model->head.is_delta ? base : NULL, &learn->bytes);
    *bytes = buffer_str(&learn->bytes);
    return model;
}
