#include "learn/counts.h"

#include "base/ensure.h"
#include "base/limits.h"

#include <stdlib.h>

struct relance_learn *relance_learn_new(const struct relance_learn_recipe *recipe)
{
    struct pool pool;
    pool_init(&pool);
    struct relance_learn *learn = pool_alloc(&pool, sizeof *learn);
    if (!learn) return NULL;
    *learn = (struct relance_learn){.recipe = *recipe, .pool = pool};
    if (learn->recipe.least > RELANCE_LEARN_LEAST_MAX) learn->recipe.least = RELANCE_LEARN_LEAST_MAX;
    decay_init(&learn->decay, recipe->half_life_ms);
    pairs_init(&learn->pairs, &learn->pool);
    windows_init(&learn->windows, &learn->pool);
    return learn;
}

void learn_clear(struct relance_learn *learn)
{
    if (learn->products.list) names_free(&learn->products);
    learn->name_bytes = 0;
    vector_release(&learn->pool, &learn->own, sizeof(uint64_t));
    pairs_clear(&learn->pairs);
    eras_clear(learn);
    learn->has_epoch = false;
    windows_clear(&learn->windows);
}

void relance_learn_free(struct relance_learn *learn)
{
    if (!learn) return;
    learn_clear(learn);
    buffer_free(&learn->bytes);
    struct pool pool = learn->pool; /* it lies in there */
    pool_free_all(&pool);
}

size_t relance_learn_bytes(const struct relance_learn *learn)
{
    enum { NAME_BYTES = sizeof(str) + 2 * sizeof(uint32_t) + 16 }; /* beside its text */
    return learn->pool.used + learn->name_bytes + learn->products.count * NAME_BYTES + learn->bytes.capacity;
}

/* `*` and `#` are names that live lists have for other things. */
static bool product_is_learnt(str name)
{
    return name.size && name.size <= LIMIT_PRODUCT_BYTES && !str_equal(name, STR("*")) &&
           !str_equal(name, STR("#")) && utf8_valid(name);
}

uint32_t learn_product(struct relance_learn *learn, str name)
{
    uint32_t known = names_find(&learn->products, name);
    if (known != NAME_NONE || !product_is_learnt(name) || learn->products.count == LIMIT_PRODUCTS)
        return known;
    own_of(&learn->pool, &learn->own, learn->products.count);
    learn->name_bytes += name.size + 1;
    return names_add(&learn->products, name);
}

static uint32_t seconds_of(int64_t time_ms)
{
    int64_t seconds = time_ms / 1000;
    return seconds < 0 ? 0 : seconds > UINT32_MAX ? UINT32_MAX : (uint32_t)seconds;
}

/* A product that an event brings, and whether it counts: it does not where it still stands among the customer's last ones. */
struct arrival {
    uint32_t product;
    bool counts;
};

uint64_t *own_of(struct pool *pool, struct vector *own, uint32_t product)
{
    while (own->count <= product) {
        uint64_t *fresh = vector_insert(pool, own, sizeof *fresh, own->count);
        ensure(fresh);
        *fresh = 0;
    }
    return VECTOR_AT(*own, uint64_t, product);
}

/* An event's products, each once, and no more of those that count than a day has room for. */
static size_t learn_arrivals(struct relance_learn *learn, struct window *window,
                             const struct relance_learn_event *event, struct arrival *arrivals)
{
    size_t count = 0;
    for (size_t i = 0; i < event->count && count < LIMIT_PRODUCTS_AT_ONCE; i++) {
        if (window->counted == LIMIT_PRODUCTS_A_DAY) break;
        uint32_t product = learn_product(learn, event->products[i]);
        bool is_known = product == NAME_NONE;
        for (size_t j = 0; !is_known && j < count; j++)
            is_known = arrivals[j].product == product;
        if (is_known) continue;
        arrivals[count] = (struct arrival){product, !window_has(window, product)};
        window->counted = (uint16_t)(window->counted + arrivals[count++].counts);
    }
    return count;
}

static bool is_within(const struct relance_learn *learn, uint32_t a_s, uint32_t b_s)
{
    int64_t apart_s = (int64_t)a_s - (int64_t)b_s;
    return (apart_s < 0 ? -apart_s : apart_s) * 1000 <= learn->recipe.within_ms;
}

/* One product after those of the window, and beside those that came with it, which have no order. */
static void learn_pairs(const struct relance_learn *learn, struct pairs *pairs, const struct window *window,
                        uint32_t time_s, const struct arrival *arrivals, size_t at,
                        const uint64_t tallies[WINDOW_PRODUCTS])
{
    uint32_t product = arrivals[at].product;
    for (size_t k = 0; k < window->size; k++)
        if (is_within(learn, window->times_s[k], time_s))
            pairs_add(pairs, window->products[k], product, tallies[k]);
    for (size_t j = 0; j < at; j++) {
        if (!arrivals[j].counts) continue;
        pairs_add(pairs, arrivals[j].product, product, tallies[0]);
        pairs_add(pairs, product, arrivals[j].product, tallies[0]);
    }
}

void relance_learn_count(struct relance_learn *learn, const struct relance_learn_event *event)
{
    struct arrival arrivals[LIMIT_PRODUCTS_AT_ONCE];
    uint64_t tallies[WINDOW_PRODUCTS];
    uint32_t time_s = seconds_of(event->time_ms), day = time_s / (COUNTS_DAY_MS / 1000);
    struct window *window = windows_of(&learn->windows, event->customer);
    if (day > window->day) window->day = day, window->counted = 0;
    size_t count = learn_arrivals(learn, window, event, arrivals);
    struct era *era = learn->has_epoch ? NULL : learn_era(learn, event->time_ms);
    struct pairs *pairs = era ? &era->pairs : &learn->pairs;
    struct vector *owns = era ? &era->own : &learn->own;
    uint64_t unit = event->weight * decay_factor(&learn->decay, event->time_ms);
    for (size_t k = 0; k < WINDOW_PRODUCTS; k++)
        tallies[k] = tally_of(unit * (COUNTS_UNIT / (k + 1)), event->customer >> 32);
    for (size_t i = 0; i < count; i++) {
        if (!arrivals[i].counts) continue;
        uint64_t *own = own_of(&learn->pool, owns, arrivals[i].product);
        *own = tally_sum(*own, tallies[0]);
        learn_pairs(learn, pairs, window, time_s, arrivals, i, tallies);
    }
    for (size_t i = 0; i < count; i++)
        window_push(window, arrivals[i].product, time_s);
}

void relance_learn_forget(struct relance_learn *learn, uint64_t customer)
{
    windows_empty(&learn->windows, customer);
}

static uint32_t pair_of(const struct pair *pair, bool by_later)
{
    return by_later ? pair_later(pair) : pair_earlier(pair);
}

bool rows_make(struct rows *rows, struct arena *arena, const struct relance_learn *learn, bool by_later)
{
    const struct pairs *pairs = &learn->pairs;
    size_t count = learn->products.count;
    rows->ends = ARENA_ARRAY(arena, uint32_t, count + 2);
    rows->order = arena_alloc(arena, pairs->count * sizeof *rows->order);
    if (!rows->ends || !rows->order) return false;
    for (size_t i = 0; i < pairs->size; i++)
        if (pairs->slots[i].key) rows->ends[pair_of(&pairs->slots[i], by_later) + 2]++;
    for (size_t i = 2; i < count + 2; i++)
        rows->ends[i] += rows->ends[i - 1];
    for (size_t i = 0; i < pairs->size; i++) /* the begin of each row moves to its end as the row fills */
        if (pairs->slots[i].key)
            rows->order[rows->ends[pair_of(&pairs->slots[i], by_later) + 1]++] = (uint32_t)i;
    return true;
}

struct named {
    str name;
    uint32_t number;
};

static int named_order(const void *a, const void *b)
{
    return str_compare(((const struct named *)a)->name, ((const struct named *)b)->name);
}

uint32_t *learn_by_name(const struct relance_learn *learn, struct arena *arena, uint32_t **ranks)
{
    uint32_t count = learn->products.count;
    struct named *named = arena_alloc(arena, count * sizeof *named);
    uint32_t *order = arena_alloc(arena, count * sizeof *order);
    *ranks = arena_alloc(arena, count * sizeof **ranks);
    if (!named || !order || !*ranks) return NULL;
    for (uint32_t i = 0; i < count; i++)
        named[i] = (struct named){learn->products.list[i], i};
    if (count) qsort(named, count, sizeof *named, named_order);
    for (uint32_t i = 0; i < count; i++)
        order[i] = named[i].number, (*ranks)[named[i].number] = i;
    return order;
}

int64_t learn_popularity(const struct relance_learn *learn, uint32_t product)
{
    if (!learn->recipe.lift) return 0;
    return decay_log(&learn->decay, tally_weight(*learn_own(learn, product))) * (int64_t)learn->recipe.lift /
           1000;
}
