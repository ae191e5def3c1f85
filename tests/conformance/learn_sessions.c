/* learn_sessions TRAIN TEST DAYS STATES: recall@20 and MRR@20 of what is learnt from sessions, for what comes next.
 *
 * TRAIN has a session a line, products in the order of their clicks; TEST a query a line, "prefix > next". Sessions are spread
 * evenly over DAYS days with a half-life of 60 days, and a state is made STATES times. Counted, pruned, made into a version
 * and asked as live; but what was there before may be answered, since people often look again. */
#include "base/ensure.h"
#include "learn/model.h"

#include <relance/learn.h>
#include <stdio.h>
#include <stdlib.h>

enum { LINE_MAX = 1 << 16, PRODUCTS_MAX = 4096, MOST = 20 };
#define DAY_MS 86400000LL

static size_t words(char *line, str *out)
{
    size_t count = 0;
    for (char *word = strtok(line, " \n"); word && count < PRODUCTS_MAX; word = strtok(NULL, " \n"))
        out[count++] = str_of(word);
    return count;
}

static FILE *opened(const char *path)
{
    FILE *file = fopen(path, "r");
    if (!file) perror(path), exit(2);
    return file;
}

static size_t lines_of(const char *path)
{
    static char line[LINE_MAX];
    FILE *file = opened(path);
    size_t count = 0;
    while (fgets(line, sizeof line, file))
        count++;
    fclose(file);
    return count;
}

static void train(struct relance_learn *learn, const char *path, int64_t days, size_t states)
{
    static char line[LINE_MAX];
    static str products[PRODUCTS_MAX];
    size_t sessions = lines_of(path);
    FILE *file = opened(path);
    relance_learn_state(learn, 0);
    for (size_t i = 0; fgets(line, sizeof line, file); i++) {
        int64_t at_ms = (int64_t)i * days * DAY_MS / (int64_t)sessions;
        if (states && i % (sessions / states + 1) == 0) relance_learn_state(learn, at_ms);
        size_t count = words(line, products);
        uint64_t customer = str_hash((str){(const char *)&i, sizeof i});
        for (size_t j = 0; j < count; j++)
            relance_learn_count(learn, &(struct relance_learn_event){customer, &products[j], 1,
                                                                     at_ms + (int64_t)j * 1000, 1});
    }
    fclose(file);
}

struct score {
    size_t queries, hits, popular;
    double reciprocal;
};

static size_t place_of(str product, const struct relance_partner *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal(list[i].product, product)) return i + 1;
    return 0;
}

/* The newest of a prefix first, each once. */
static size_t seeds_of(const str *prefix, size_t count, str *seeds)
{
    size_t kept = 0;
    while (count-- && kept < RELANCE_MODEL_SEEDS) {
        size_t known = 0;
        while (known < kept && !str_equal(seeds[known], prefix[count]))
            known++;
        if (known == kept) seeds[kept++] = prefix[count];
    }
    return kept;
}

/* A seed that no version knows is answered as those that one does. */
static size_t with_unknown(const struct relance_model *model, const str *seeds, size_t seed_count,
                           struct relance_partner *list, size_t count)
{
    for (size_t i = 0; i < seed_count; i++) {
        struct relance_partner itself = {seeds[i], model_itself(RELANCE_MODEL_SHARES / (i + 1))};
        if (model_find(model, seeds[i]) != MODEL_NONE) continue;
        size_t at = count < MOST ? count++ : MOST;
        for (; at && list[at - 1].weight < itself.weight; at--)
            if (at < MOST) list[at] = list[at - 1];
        if (at < MOST) list[at] = itself;
    }
    return count;
}

static struct score examined(const struct relance_model *model, const char *path)
{
    static char line[LINE_MAX];
    static str products[PRODUCTS_MAX];
    struct relance_partner list[RELANCE_MODEL_ANSWERS];
    struct score score = {0};
    FILE *file = opened(path);
    while (fgets(line, sizeof line, file)) {
        size_t count = words(line, products);
        ensure(count >= 3 && str_equal(products[count - 2], STR(">")));
        str seeds[RELANCE_MODEL_SEEDS], next = products[count - 1];
        size_t seed_count = seeds_of(products, count - 2, seeds);
        size_t found = model_rank(model, seeds, seed_count, MOST, MODEL_REPEATS, list);
        found = with_unknown(model, seeds, seed_count, list, found);
        size_t place = place_of(next, list, found);
        score.queries++;
        score.hits += place > 0;
        if (place) score.reciprocal += 1.0 / (double)place;
        score.popular += place_of(next, list, relance_model_popular(model, MOST, list)) > 0;
    }
    fclose(file);
    return score;
}

int main(int count, char **arguments)
{
    ensure(count == 5);
    struct relance_learn *learn = relance_learn_new(&(struct relance_learn_recipe){
        .recipe = 1, .within_ms = DAY_MS, .half_life_ms = 60 * DAY_MS, .least = 1});
    struct relance_str bytes;
    train(learn, arguments[1], atoll(arguments[3]), strtoul(arguments[4], NULL, 10));
    size_t memory = relance_learn_bytes(learn);
    struct relance_model *model =
        relance_learn_version(learn, atoll(arguments[3]) * DAY_MS, NULL, true, &bytes);
    ensure(model);
    struct score score = examined(model, arguments[2]);
    double queries = (double)score.queries;
    printf("{\"queries\": %zu, \"recall\": %.4f, \"mrr\": %.4f, \"popular\": %.4f, \"learner_bytes\": %zu, "
           "\"model_bytes\": %zu}\n",
           score.queries, (double)score.hits / queries, score.reciprocal / queries,
           (double)score.popular / queries, memory, relance_model_bytes(model));
    relance_model_release(model);
    relance_learn_free(learn);
    return 0;
}
