/* learn_baskets ORDERS FROM TEST: what is learnt of orders foretells what new a customer buys next.
 *
 * ORDERS has an order a line, in the order of time: seconds, customer, its products. A version and a state are made at the
 * begin of each day, of all that came before. From FROM on an order is foretold where the customer had one before, and it has
 * products that he had not: in two ways, by the products of his last order, and by the last 32 that he had, as a list keeps
 * them. Those of the fifty answers that he never had are the answer, twenty of them. Just so a rule would ask. Told is of each
 * way how it went before TEST and from there on. */
#include "base/ensure.h"
#include "base/names.h"

#include <relance/learn.h>
#include <stdio.h>
#include <stdlib.h>

enum { LINE_MAX = 1 << 16, PRODUCTS_MAX = 4096, HAD_MAX = 1 << 13, MOST = 20, DAY_S = 86400 };
enum { WAYS = 2, LISTED = 32 };
#define DAY_MS 86400000LL

/* What a customer had, the newest order first and in it the first product; each once, where it was had last. */
struct had {
    str products[HAD_MAX];
    size_t count, last_order;
};

struct score {
    size_t orders, any, popular_any;
    double recall, popular;
};

struct course {
    struct relance_learn *learn;
    struct relance_model *model;
    struct names customers, products;
    struct had **had;
    long from, test, day;
    struct score scores[WAYS][2]; /* before the test, and of it */
};

static bool is_among(str product, const str *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal(list[i], product)) return true;
    return false;
}

static str lasting(struct course *course, str product)
{
    uint32_t number = names_add(&course->products, product);
    return course->products.list[number];
}

static struct had *had_by(struct course *course, str customer)
{
    uint32_t number = names_find(&course->customers, customer);
    if (number != NAME_NONE) return course->had[number];
    number = names_add(&course->customers, customer);
    course->had = realloc(course->had, (number + 1) * sizeof(struct had *));
    ensure(course->had && (course->had[number] = calloc(1, sizeof(struct had))));
    return course->had[number];
}

static void had_more(struct had *had, const str *products, size_t count)
{
    static struct had before;
    before = *had;
    had->count = 0;
    for (size_t i = 0; i < count; i++)
        if (!is_among(products[i], had->products, had->count)) had->products[had->count++] = products[i];
    had->last_order = had->count;
    for (size_t i = 0; i < before.count && had->count < HAD_MAX; i++)
        if (!is_among(before.products[i], had->products, had->last_order))
            had->products[had->count++] = before.products[i];
}

/* How many of the first twenty that were not had are new ones. */
static size_t hits_of(const struct had *had, const struct relance_partner *list, size_t count,
                      const str *fresh, size_t fresh_count)
{
    size_t hits = 0, kept = 0;
    for (size_t i = 0; i < count && kept < MOST; i++) {
        if (is_among(list[i].product, had->products, had->count)) continue;
        kept++;
        hits += is_among(list[i].product, fresh, fresh_count);
    }
    return hits;
}

/* What of an order the customer never had. */
static size_t fresh_of(const struct had *had, const str *products, size_t count, str *fresh)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (!is_among(products[i], had->products, had->count) && !is_among(products[i], fresh, kept))
            fresh[kept++] = products[i];
    return kept;
}

static void foretell(const struct course *course, struct score *score, const struct had *had, size_t seeds,
                     const str *fresh, size_t fresh_count)
{
    struct relance_partner best[RELANCE_MODEL_ANSWERS], popular[RELANCE_MODEL_POPULAR];
    size_t best_count = relance_model_together(
        course->model, had->products, seeds < had->count ? seeds : had->count, RELANCE_MODEL_ANSWERS, best);
    size_t popular_count = relance_model_popular(course->model, RELANCE_MODEL_POPULAR, popular);
    size_t hits = hits_of(had, best, best_count, fresh, fresh_count);
    size_t popular_hits = hits_of(had, popular, popular_count, fresh, fresh_count);
    double possible = fresh_count < MOST ? (double)fresh_count : MOST;
    score->orders++;
    score->any += hits > 0;
    score->popular_any += popular_hits > 0;
    score->recall += (double)hits / possible;
    score->popular += (double)popular_hits / possible;
}

static void foretell_each_way(struct course *course, const struct had *had, long time_s, const str *products,
                              size_t count)
{
    static str fresh[PRODUCTS_MAX];
    size_t fresh_count = had->count ? fresh_of(had, products, count, fresh) : 0;
    const size_t seeds[WAYS] = {had->last_order, LISTED};
    for (size_t way = 0; fresh_count && way < WAYS; way++)
        foretell(course, &course->scores[way][time_s >= course->test], had, seeds[way], fresh, fresh_count);
}

static void begin_day(struct course *course, long day)
{
    struct relance_str bytes;
    if (course->day >= 0) {
        struct relance_model *next =
            relance_learn_version(course->learn, day * DAY_MS, course->model, false, &bytes);
        ensure(next);
        relance_model_release(course->model);
        course->model = next;
    }
    relance_learn_state(course->learn, day * DAY_MS);
    course->day = day;
}

static void take(struct course *course, char *line)
{
    static str products[PRODUCTS_MAX];
    size_t count = 0;
    long time_s = atol(strtok(line, " \n"));
    str customer = str_of(strtok(NULL, " \n"));
    for (char *word = strtok(NULL, " \n"); word && count < PRODUCTS_MAX; word = strtok(NULL, " \n"))
        products[count++] = lasting(course, str_of(word));
    if (time_s / DAY_S > course->day) begin_day(course, time_s / DAY_S);
    struct had *had = had_by(course, customer);
    if (time_s >= course->from) foretell_each_way(course, had, time_s, products, count);
    relance_learn_count(course->learn, &(struct relance_learn_event){str_hash(customer), products, count,
                                                                     time_s * 1000LL, 1});
    had_more(had, products, count);
}

static void print_scores(const char *asked, const struct score scores[2])
{
    for (size_t i = 0; i < 2; i++) {
        const struct score *score = &scores[i];
        double orders = score->orders ? (double)score->orders : 1;
        printf("{\"asked\": \"%s\", \"part\": \"%s\", \"orders\": %zu, \"recall\": %.4f, \"any\": %.3f, "
               "\"popular\": %.4f, \"popular_any\": %.3f}\n",
               asked, i ? "test" : "earlier", score->orders, score->recall / orders,
               (double)score->any / orders, score->popular / orders, (double)score->popular_any / orders);
    }
}

int main(int count, char **arguments)
{
    static char line[LINE_MAX];
    ensure(count == 4);
    struct course course = {.from = atol(arguments[2]), .test = atol(arguments[3]), .day = -1};
    course.learn = relance_learn_new(&(struct relance_learn_recipe){
        .recipe = 1, .within_ms = 30 * DAY_MS, .half_life_ms = 30 * DAY_MS, .lift = 300, .least = 3});
    FILE *file = fopen(arguments[1], "r");
    ensure(file);
    while (fgets(line, sizeof line, file))
        take(&course, line);
    fclose(file);
    for (size_t way = 0; way < WAYS; way++)
        print_scores(way ? "list" : "order", course.scores[way]);
    relance_model_release(course.model);
    relance_learn_free(course.learn);
    for (uint32_t i = 0; i < course.customers.count; i++)
        free(course.had[i]);
    free(course.had);
    names_free(&course.customers);
    names_free(&course.products);
    return 0;
}
