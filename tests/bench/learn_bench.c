/* learn_bench [EVENTS]: what counting, a state, a version, and a call cost. 100,000 products of a skewed popularity; customers of
 * whom each comes to eight. CPU time, so that a busy machine shows less. */
#include "base/ensure.h"
#include "base/str.h"

#include <relance/learn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { PRODUCTS = 100000, A_CUSTOMER = 8, CALLS = 200000, MOST = 20 };
#define DAY_MS 86400000LL

static char texts[PRODUCTS][16];
static str products[PRODUCTS];

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static uint64_t drawn(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* Products of one kind lie together; the first of all are the most popular. */
static str product_of(uint64_t *seed, uint64_t kind)
{
    uint64_t at = drawn(seed) % 8 ? kind * 50 + drawn(seed) % 50
                                  : drawn(seed) % PRODUCTS * (drawn(seed) % PRODUCTS) / PRODUCTS;
    return products[at % PRODUCTS];
}

static void count_all(struct relance_learn *learn, size_t events)
{
    uint64_t seed = 88172645463325252u;
    double begin = seconds();
    for (size_t i = 0; i < events / A_CUSTOMER; i++) {
        uint64_t customer = drawn(&seed), kind = drawn(&seed) % (PRODUCTS / 50);
        for (int j = 0; j < A_CUSTOMER; j++) {
            str product = product_of(&seed, kind);
            relance_learn_count(learn,
                                &(struct relance_learn_event){customer, &product, 1, (int64_t)i * 10 + j, 1});
        }
    }
    double spent = seconds() - begin;
    printf("counting   %7.0f ns an event, %zu MB\n", spent / (double)events * 1e9,
           relance_learn_bytes(learn) >> 20);
}

typedef size_t asking(const struct relance_model *model, const str *seeds, size_t count, size_t most,
                      struct relance_partner *out);

static void call_all(const struct relance_model *model, size_t seed_count, asking *ask)
{
    struct relance_partner out[RELANCE_MODEL_ANSWERS];
    uint64_t seed = 88172645463325252u;
    size_t found = 0;
    double begin = seconds();
    for (size_t i = 0; i < CALLS; i++) {
        str seeds[RELANCE_MODEL_TOGETHER];
        uint64_t kind = drawn(&seed) % (PRODUCTS / 50);
        for (size_t j = 0; j < seed_count; j++)
            seeds[j] = product_of(&seed, kind);
        found += ask(model, seeds, seed_count, MOST, out);
    }
    double spent = seconds() - begin;
    printf("%2zu seeds   %7.2f us a call, %.1f found\n", seed_count, spent / CALLS * 1e6,
           (double)found / CALLS);
}

int main(int count, char **arguments)
{
    size_t events = count > 1 ? strtoul(arguments[1], NULL, 10) : 4000000;
    struct relance_learn *learn = relance_learn_new(&(struct relance_learn_recipe){
        .recipe = 1, .within_ms = DAY_MS, .half_life_ms = 60 * DAY_MS, .least = 1});
    struct relance_str bytes;
    ensure(learn);
    for (size_t i = 0; i < PRODUCTS; i++)
        products[i] = (str){texts[i], (size_t)snprintf(texts[i], sizeof texts[i], "product-%zu", i)};
    relance_learn_state(learn, 0);
    count_all(learn, events);
    double begin = seconds();
    bytes = relance_learn_state(learn, DAY_MS / 2);
    printf("a state    %7.0f ms, %zu MB\n", (seconds() - begin) * 1e3, bytes.size >> 20);
    begin = seconds();
    struct relance_model *model = relance_learn_version(learn, DAY_MS / 2, NULL, true, &bytes);
    ensure(model);
    printf("a version  %7.0f ms, %zu MB, %zu MB in memory\n", (seconds() - begin) * 1e3, bytes.size >> 20,
           relance_model_bytes(model) >> 20);
    struct relance_model *read;
    struct relance_error error;
    begin = seconds();
    ensure(relance_model_read(bytes, &read, &error) == RELANCE_OK);
    printf("reading it %7.0f ms\n", (seconds() - begin) * 1e3);
    call_all(read, 1, relance_model_best);
    call_all(read, 4, relance_model_best);
    call_all(read, 10, relance_model_best);
    call_all(read, 40, relance_model_together);
    relance_model_release(read);
    relance_model_release(model);
    relance_learn_free(learn);
    return 0;
}
