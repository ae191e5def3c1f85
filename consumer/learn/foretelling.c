#include "learn/foretelling.h"
#include "base/ensure.h"
#include "base/limits.h"
#include "base/names.h"
#include "base/str.h"
#include "learn/given.h"
#include <stdlib.h>

/* What a customer came to, the newest first, each once: by the products' numbers. */
struct had {
    uint32_t *products;
    uint32_t count, asked; /* `asked`: products, on that day */
    int64_t day;
};

struct foretelling {
    bool together;
    struct names customers, products;
    struct had *had;                            /* by customer */
    size_t room;                                /* for so many of them */
    struct foretold days[FORETELLING_DAYS_MAX]; /* the last ones, in a ring */
};

struct foretelling *foretelling_open(const struct relance_affinity *about)
{
    struct foretelling *foretelling = calloc(1, sizeof *foretelling);
    ensure(foretelling);
    foretelling->together = about->together;
    return foretelling;
}

void foretelling_close(struct foretelling *foretelling)
{
    if (!foretelling) return;
    for (uint32_t i = 0; i < foretelling->customers.count; i++)
        free(foretelling->had[i].products);
    free(foretelling->had);
    names_free(&foretelling->customers);
    names_free(&foretelling->products);
    free(foretelling);
}

/* ---- what customers had */
static struct had *had_by(struct foretelling *foretelling, uint64_t customer)
{
    uint32_t number = names_add(&foretelling->customers, (str){(const char *)&customer, sizeof customer});
    if (number >= foretelling->room) {
        size_t room = foretelling->room ? 2 * foretelling->room : 256;
        ensure(foretelling->had = realloc(foretelling->had, room * sizeof *foretelling->had));
        memset(foretelling->had + foretelling->room, 0,
               (room - foretelling->room) * sizeof *foretelling->had);
        foretelling->room = room;
    }
    return &foretelling->had[number];
}

static bool had_has(const struct had *had, uint32_t product)
{
    for (size_t i = 0; i < had->count; i++)
        if (had->products[i] == product) return true;
    return false;
}

/* To the front, wherever it stood; the oldest goes where there are more than a list keeps. */
static void had_push(struct had *had, uint32_t product)
{
    size_t at = 0;
    while (at < had->count && had->products[at] != product)
        at++;
    if (at == had->count && had->count < LIMIT_LIST_ENTRIES) {
        had->count++;
        ensure(had->products = realloc(had->products, had->count * sizeof *had->products));
    }
    if (at == had->count) at--;
    memmove(had->products + 1, had->products, at * sizeof *had->products);
    had->products[0] = product;
}

/* ---- asking */
/* Of a list what the customer had not, as many as are looked at. */
static size_t fresh_of(const struct foretelling *foretelling, const struct had *had,
                       const struct relance_partner *list, size_t count, str out[FORETELLING_ANSWERS])
{
    size_t kept = 0;
    for (size_t i = 0; i < count && kept < FORETELLING_ANSWERS; i++) {
        uint32_t number = names_find(&foretelling->products, list[i].product);
        if (number == NAME_NONE || !had_has(had, number)) out[kept++] = list[i].product;
    }
    return kept;
}

static void served_by(struct served *served, str product, const str *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal(list[i], product)) {
            served->hits++;
            served->reciprocal += 1.0 / (double)(i + 1);
        }
}

static void foretelling_ask(struct foretelling *foretelling, struct had *had,
                            const struct relance_given *given, const struct relance_model *model,
                            struct foretold *foretold)
{
    struct relance_partner best[RELANCE_MODEL_ANSWERS], most[RELANCE_MODEL_POPULAR];
    str seeds[LIMIT_LIST_ENTRIES], learnt[FORETELLING_ANSWERS], popular[FORETELLING_ANSWERS];
    for (size_t i = 0; i < had->count; i++)
        seeds[i] = foretelling->products.list[had->products[i]];
    size_t count = foretelling->together
                       ? relance_model_together(model, seeds, had->count, RELANCE_MODEL_ANSWERS, best)
                       : relance_model_best(model, seeds, had->count, RELANCE_MODEL_ANSWERS, best);
    size_t learnt_count = fresh_of(foretelling, had, best, count, learnt);
    count = relance_model_popular(model, RELANCE_MODEL_POPULAR, most);
    size_t popular_count = fresh_of(foretelling, had, most, count, popular);
    for (size_t i = 0; i < given->product_count; i++) {
        uint32_t number = names_find(&foretelling->products, given->products[i]);
        if (number != NAME_NONE && had_has(had, number)) continue;
        if (had->asked == LIMIT_PRODUCTS_A_DAY) break; /* of a robot no more is learnt, either */
        had->asked++;
        foretold->asked++;
        served_by(&foretold->learnt, given->products[i], learnt, learnt_count);
        served_by(&foretold->popular, given->products[i], popular, popular_count);
    }
}

void foretelling_give(struct foretelling *foretelling, const struct relance_given *given,
                      const struct relance_model *model, int64_t day)
{
    struct had *had = had_by(foretelling, given_customer(given));
    struct foretold *foretold = &foretelling->days[(uint64_t)day % FORETELLING_DAYS_MAX];
    if (foretold->day != day) *foretold = (struct foretold){.day = day};
    if (had->day != day) had->day = day, had->asked = 0;
    if (model && had->count) foretelling_ask(foretelling, had, given, model, foretold);
    for (size_t i = 0; i < given->product_count; i++)
        had_push(had, names_add(&foretelling->products, given->products[i]));
}

struct foretold foretelling_sum(const struct foretelling *foretelling, int64_t day, int64_t days)
{
    struct foretold sum = {.day = day};
    for (int64_t i = 0; i < days; i++) {
        const struct foretold *one = &foretelling->days[(uint64_t)(day - i) % FORETELLING_DAYS_MAX];
        if (one->day != day - i) continue;
        sum.asked += one->asked;
        sum.learnt.hits += one->learnt.hits;
        sum.learnt.reciprocal += one->learnt.reciprocal;
        sum.popular.hits += one->popular.hits;
        sum.popular.reciprocal += one->popular.reciprocal;
    }
    return sum;
}
