#include "view/learnt.h"
#include "base/buffer.h"
#include "base/ensure.h"
#include "delivery/modelbook.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <pthread.h>
#include <relance/affinity.h>
#include <stdlib.h>

enum { LEARNT_OK = 200, LEARNT_WRONG = 400, LEARNT_UNKNOWN = 404, LEARNT_NOT_READ = 501, LEARNT_AWAY = 502 };

struct learnt {
    struct modelbook *book; /* NULL: nobody has said where to read */
    pthread_t thread;
};

/* ---- reading */
struct learnt *learnt_start(const struct options *options)
{
    struct learnt *learnt = calloc(1, sizeof *learnt);
    ensure(learnt);
    if (options->output && options_kafka(options, "bootstrap.servers")) {
        learnt->book = modelbook_open(options);
        ensure(pthread_create(&learnt->thread, NULL, modelbook_run, learnt->book) == 0);
    }
    return learnt;
}

void learnt_join(struct learnt *learnt)
{
    if (learnt->book) pthread_join(learnt->thread, NULL);
    modelbook_close(learnt->book);
    free(learnt);
}

/* ---- /api/learnt */
struct learnt_printing {
    struct learnt *learnt;
    const struct checkpoints *checkpoints;
    cJSON **adopted; /* by partition: {NAME: "NUMBER:CHAIN"}; NULL: none */
    int64_t now_ms;
    struct buffer *to;
};

static const char *learnt_adopted(const struct learnt_printing *printing, size_t partition, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(printing->adopted[partition], name));
}

/* The partitions that have the version of the partition `first`, none of which comes before it; else nothing. */
static void learnt_put_adopted(const struct learnt_printing *printing, const char *name, size_t first,
                               bool *more)
{
    const char *version = learnt_adopted(printing, first, name), *same;
    uint64_t number, chain;
    if (!version || !parcel_parse(str_of(version), &number, &chain)) return;
    for (size_t p = 0; p < first; p++)
        if ((same = learnt_adopted(printing, p, name)) && strcmp(same, version) == 0) return;
    buffer_put_format(printing->to,
                      "%s{\"version\":%" PRIu64 ",\"chain\":\"%016" PRIx64 "\",\"partitions\":[%zu",
                      *more ? "," : "", number, chain, first);
    for (size_t p = first + 1; p < printing->checkpoints->count; p++)
        if ((same = learnt_adopted(printing, p, name)) && strcmp(same, version) == 0)
            buffer_put_format(printing->to, ",%zu", p);
    buffer_put_str(printing->to, STR("]}"));
    *more = true;
}

/* [{"product", "weight"}, …]; of what weighs `whole`, 1 is said. */
static void learnt_put_list(struct buffer *to, const struct relance_partner *list, size_t count,
                            uint64_t whole)
{
    buffer_put_char(to, '[');
    for (size_t i = 0; i < count; i++) {
        buffer_put_str(to, i ? STR(",{\"product\":") : STR("{\"product\":"));
        buffer_put_json_string(to, list[i].product);
        buffer_put_format(to, ",\"weight\":%.3g}", (double)list[i].weight / (double)whole);
    }
    buffer_put_char(to, ']');
}

static void learnt_put_newest(const struct learnt_printing *printing, const struct relance_affinity *affinity)
{
    struct relance_partner popular[LEARNT_POPULAR];
    struct buffer *to = printing->to;
    struct modelbook *book = printing->learnt->book;
    const struct modelbook_version *newest =
        book ? modelbook_newest(book, affinity->name, affinity->recipe) : NULL;
    if (!newest) return;
    int64_t at_ms = relance_model_about(newest->model)->at_ms;
    uint64_t whole;
    size_t count = relance_model_listed(newest->model, STR("*"), LEARNT_POPULAR, popular, &whole);
    buffer_put_format(to, ",\"newest\":{\"version\":%" PRIu64 ",\"chain\":\"%016" PRIx64 "\"", newest->number,
                      newest->chain);
    buffer_put_format(to, ",\"at_ms\":%" PRId64 ",\"age_s\":%.3f", at_ms,
                      (double)(printing->now_ms - at_ms) / 1000);
    buffer_put_format(to, ",\"products\":%zu,\"popular\":", relance_model_product_count(newest->model));
    learnt_put_list(to, popular, count, whole);
    buffer_put_char(to, '}');
    modelbook_release(book, newest);
}

static void learnt_put_affinity(const struct learnt_printing *printing,
                                const struct relance_affinity *affinity)
{
    struct buffer *to = printing->to;
    char name[PARCEL_NAME_BYTES];
    bool more = false;
    snprintf(name, sizeof name, "%.*s", STR_ARG(affinity->name));
    buffer_put_str(to, STR("{\"name\":"));
    buffer_put_json_string(to, affinity->name);
    buffer_put_format(to, ",\"recipe\":\"%016" PRIx64 "\",\"in_force\":[", affinity->recipe);
    for (size_t p = 0; p < printing->checkpoints->count; p++)
        learnt_put_adopted(printing, name, p, &more);
    buffer_put_char(to, ']');
    learnt_put_newest(printing, affinity);
    buffer_put_char(to, '}');
}

/* While a new set is taken there are two for a moment: one is shown. */
static const struct relance_ruleset *learnt_rules(const struct rulesets *rulesets)
{
    return rulesets->count ? rulesets->items[0].rules : NULL;
}

static void learnt_put_affinities(const struct learnt_printing *printing, const struct rulesets *rulesets)
{
    const struct relance_ruleset *rules = learnt_rules(rulesets);
    size_t count = rules ? relance_ruleset_affinity_count(rules) : 0;
    if (count && printing->learnt->book) modelbook_want(printing->learnt->book);
    for (size_t i = 0; i < count; i++) {
        struct relance_affinity affinity = relance_ruleset_affinity(rules, i);
        if (i) buffer_put_char(printing->to, ',');
        learnt_put_affinity(printing, &affinity);
    }
}

static cJSON **learnt_read_adopted(const struct checkpoints *checkpoints)
{
    cJSON **adopted = calloc(checkpoints->count + 1, sizeof *adopted);
    ensure(adopted);
    for (size_t p = 0; p < checkpoints->count; p++)
        if (checkpoints->items[p].models) adopted[p] = cJSON_Parse(checkpoints->items[p].models);
    return adopted;
}

static void learnt_get_trouble(struct learnt *learnt, char trouble[MODELBOOK_TROUBLE_SIZE])
{
    *trouble = '\0';
    if (learnt->book) modelbook_trouble(learnt->book, trouble);
}

char *learnt_print(struct learnt *learnt, const struct rulesets *rulesets,
                   const struct checkpoints *checkpoints, int64_t now_ms)
{
    struct buffer to = {0};
    char trouble[MODELBOOK_TROUBLE_SIZE];
    const struct learnt_printing printing = {learnt, checkpoints, learnt_read_adopted(checkpoints), now_ms,
                                             &to};
    learnt_get_trouble(learnt, trouble);
    buffer_put_format(&to, "{\"read\":%s", learnt->book ? "true" : "false");
    if (*trouble) buffer_put_str(&to, STR(",\"trouble\":")), buffer_put_json_string(&to, str_of(trouble));
    buffer_put_str(&to, STR(",\"affinities\":["));
    learnt_put_affinities(&printing, rulesets);
    buffer_put(&to, "]}\n", 4); /* its NUL, too */
    for (size_t p = 0; p < checkpoints->count; p++)
        cJSON_Delete(printing.adopted[p]);
    free(printing.adopted);
    return to.data;
}

/* ---- /api/also */
/* The newest version of the affinity of that name, held for the caller; NULL: there is none. */
static const struct modelbook_version *learnt_find(struct learnt *learnt, const struct rulesets *rulesets,
                                                   const char *name)
{
    const struct relance_ruleset *rules = learnt_rules(rulesets);
    for (size_t i = 0; rules && i < relance_ruleset_affinity_count(rules); i++)
        if (str_equal(relance_ruleset_affinity_name(rules, i), str_of(name)))
            return modelbook_newest(learnt->book, str_of(name), relance_ruleset_affinity_recipe(rules, i));
    return NULL;
}

static void learnt_give(struct learnt *learnt, const struct modelbook_version *version, const char *product,
                        struct http_question *question)
{
    struct relance_partner partners[RELANCE_MODEL_PARTNERS];
    struct buffer to = {0};
    uint64_t whole;
    size_t count =
        relance_model_listed(version->model, str_of(product), RELANCE_MODEL_PARTNERS, partners, &whole);
    buffer_put_str(&to, STR("{\"name\":"));
    buffer_put_json_string(&to, str_of(version->name));
    buffer_put_str(&to, STR(",\"product\":"));
    buffer_put_json_string(&to, str_of(product));
    buffer_put_format(&to, ",\"version\":%" PRIu64 ",\"partners\":", version->number);
    learnt_put_list(&to, partners, count, whole);
    buffer_put_str(&to, STR("}\n"));
    modelbook_release(learnt->book, version);
    http_question_answer(question, LEARNT_OK, buffer_str(&to));
    buffer_free(&to);
}

void learnt_answer(struct learnt *learnt, const struct rulesets *rulesets, struct http_question *question)
{
    const char *name = http_question_value(question, "name"),
               *product = http_question_value(question, "product");
    char trouble[MODELBOOK_TROUBLE_SIZE];
    if (!name || !product || !*product) {
        http_question_refuse(question, LEARNT_WRONG, "name=… and product=… are needed.");
        return;
    }
    if (!learnt->book) {
        http_question_refuse(
            question, LEARNT_NOT_READ,
            "Lists take Kafka: start `relance serve` with --output and --kafka.bootstrap.servers.");
        return;
    }
    const struct modelbook_version *version = learnt_find(learnt, rulesets, name);
    learnt_get_trouble(learnt, trouble);
    if (version)
        learnt_give(learnt, version, product, question);
    else
        http_question_refuse(question, *trouble ? LEARNT_AWAY : LEARNT_UNKNOWN,
                             *trouble ? trouble : "There is no version of that affinity.");
}
