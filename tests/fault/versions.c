#include "versions.h"
#include "base/ensure.h"
#include "base/str.h"
#include "delivery/modelbook.h"
#include "kafka.h"
#include "workload.h"
#include <relance/affinity.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    VERSIONS_MAX = 14,
    VERSIONS_PARTNERS = 3,
    VERSIONS_PLACES = 3, /* offsets that one takes: its head, its piece, the end of its transaction */
    VERSIONS_WAIT_US = 5000000,
};

struct version {
    struct parcel_head head;
    bool is_delta, is_aborted;
    int64_t begun_us, ended_us; /* its transaction is open in between */
    struct relance_str text, bytes;
    struct relance_model *model;
};

static struct {
    uint64_t random;
    struct version items[VERSIONS_MAX];
    size_t count;
} versions;

/* ---- chance, of its own */
static uint64_t versions_random(void)
{
    uint64_t x = versions.random += 0x9e3779b97f4a7c15; /* splitmix64 */
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

static int64_t versions_between(int64_t least, int64_t most)
{
    return least + (int64_t)(versions_random() % (uint64_t)(most - least + 1));
}

/* ---- what they say */
/* What goes with a product follows from the version's chain. */
static struct relance_model *versions_model(const struct relance_model_head *head)
{
    static const struct relance_str products[] = {{"p0", 2}, {"p1", 2}, {"p2", 2}, {"*", 1}};
    enum { PRODUCTS = sizeof products / sizeof *products };
    char names[PRODUCTS][VERSIONS_PARTNERS][24];
    struct relance_str partners[PRODUCTS][VERSIONS_PARTNERS];
    struct relance_model_list lists[PRODUCTS];
    for (unsigned p = 0; p < PRODUCTS; p++) {
        for (unsigned i = 0; i < VERSIONS_PARTNERS; i++) {
            snprintf(names[p][i], sizeof names[p][i], "x%u", (unsigned)(head->chain >> (p + i)) % 997);
            partners[p][i] = str_of(names[p][i]);
        }
        lists[p] = (struct relance_model_list){products[p], partners[p], VERSIONS_PARTNERS};
    }
    struct relance_model *model = relance_model_of_lists(lists, PRODUCTS, head);
    ensure(model);
    return model;
}

static struct relance_model_head versions_about(const struct version *version)
{
    return (struct relance_model_head){.number = version->head.number,
                                       .recipe = version->head.recipe,
                                       .chain = version->head.chain,
                                       .base = version->head.base,
                                       .at_ms = version->head.at_ms,
                                       .is_delta = version->is_delta};
}

/* The bytes of a version are the head itself: what is read is made of that. */
enum relance_status __wrap_relance_model_head(struct relance_str bytes, struct relance_model_head *head,
                                              struct relance_error *error);
enum relance_status __wrap_relance_model_head(struct relance_str bytes, struct relance_model_head *head,
                                              struct relance_error *error)
{
    (void)error;
    ensure(bytes.size == sizeof *head);
    memcpy(head, bytes.data, sizeof *head);
    return RELANCE_OK;
}

enum relance_status __wrap_relance_model_read(struct relance_str bytes, struct relance_model **out,
                                              struct relance_error *error);
enum relance_status __wrap_relance_model_read(struct relance_str bytes, struct relance_model **out,
                                              struct relance_error *error)
{
    struct relance_model_head head;
    enum relance_status status = __wrap_relance_model_head(bytes, &head, error);
    *out = versions_model(&head);
    return status;
}

enum relance_status __wrap_relance_model_apply(const struct relance_model *base, struct relance_str bytes,
                                               struct relance_model **out, struct relance_error *error);
enum relance_status __wrap_relance_model_apply(const struct relance_model *base, struct relance_str bytes,
                                               struct relance_model **out, struct relance_error *error)
{
    struct relance_model_head head;
    enum relance_status status = __wrap_relance_model_head(bytes, &head, error);
    ensure(relance_model_about(base)->chain == head.base);
    *out = versions_model(&head);
    return status;
}

/* ---- when they come */
/* The newest of that recipe that is committed; NULL: none. */
static const struct version *versions_before(uint64_t recipe)
{
    for (size_t i = versions.count; i-- > 0;)
        if (versions.items[i].head.recipe == recipe && !versions.items[i].is_aborted)
            return &versions.items[i];
    return NULL;
}

static void versions_write(struct version *version)
{
    struct relance_model_head about = versions_about(version);
    struct buffer text = {0};
    version->bytes = sim_keep_text((struct relance_str){(const char *)&about, sizeof about});
    version->head.kind = version->is_delta ? PARCEL_DELTA : PARCEL_FULL;
    version->head.bytes = sizeof about;
    parcel_head_print(&version->head, &text);
    version->text = sim_keep_text(buffer_str(&text));
    version->model = versions_model(&about);
    buffer_free(&text);
}

static void versions_add(struct relance_str name, uint64_t recipe, int64_t *now_us, int64_t pause_us)
{
    const struct version *before = versions_before(recipe);
    struct version *version = &versions.items[versions.count];
    *version = (struct version){.is_delta = before && versions_between(0, 2),
                                .is_aborted = !versions_between(0, 3),
                                .head = {.number = before ? before->head.number + 1 : 1,
                                         .recipe = recipe,
                                         .chain = versions_random(),
                                         .base = before ? before->head.chain : 0}};
    snprintf(version->head.name, sizeof version->head.name, "%.*s", STR_ARG(name));
    bool again = before && !versions_between(0, 7); /* the same comes once more */
    if (again) version->head = before->head, version->is_delta = before->is_delta;
    version->begun_us = *now_us += versions_between(0, 2 * pause_us);
    version->ended_us = *now_us +=
        versions_between(0, 3) ? versions_between(500, 50000) : versions_between(0, 4000000);
    versions_write(version);
    versions.count++;
}

void versions_begin(void)
{
    versions.random = sim.seed ^ 0x6d6f64656c73; /* "models" */
    versions.count = 0;
    if (!sim.models) return;
    size_t count = (size_t)versions_between(1, VERSIONS_MAX);
    int64_t now_us = 0, pause_us = (sim.input_end_us + 8000000) / (int64_t)count;
    int edition = sim.edition;
    while (versions.count < count) {
        if (!versions_between(0, 3)) edition = (int)versions_between(0, workload_editions() - 1);
        const struct relance_ruleset *rules = workload_set(str_of(workload_rules(edition)))->rules;
        versions_add(relance_ruleset_affinity_name(rules, 0), relance_ruleset_affinity_recipe(rules, 0),
                     &now_us, pause_us);
    }
}

void versions_end(void)
{
    for (size_t i = 0; i < versions.count; i++)
        relance_model_release(versions.items[i].model);
    versions.count = 0;
}

int64_t versions_last_us(void)
{
    return versions.count ? versions.items[versions.count - 1].ended_us : 0;
}

/* ---- what can be read */
static bool versions_is_committed(const struct version *version)
{
    return !version->is_aborted && version->ended_us <= sim.now_us;
}

const struct relance_model *versions_find(struct relance_str name, struct relance_str text)
{
    uint64_t number, chain;
    if (!parcel_parse(text, &number, &chain)) return NULL;
    for (size_t i = 0; i < versions.count; i++) {
        const struct version *version = &versions.items[i];
        if (version->head.number == number && version->head.chain == chain &&
            str_equal(str_of(version->head.name), name) && versions_is_committed(version))
            return version->model;
    }
    return NULL;
}

static bool versions_is_named(const struct version *version)
{
    char text[PARCEL_TEXT_SIZE];
    parcel_print(version->head.number, version->head.chain, text);
    for (int p = 0; p < sim.partitions; p++) {
        const struct kafka_log *log = kafka_log(KAFKA_MARKS + p);
        for (size_t i = 0; i < log->count; i++)
            if (memmem(log->items[i].value.data, log->items[i].value.size, text, strlen(text))) return true;
    }
    return false;
}

/* The first that is kept, once processes are started anew: those before were no longer the newest ones, no mark names them,
 * and nothing that is kept says what differs from them. */
static size_t versions_low(void)
{
    size_t low = 0, newest = versions.count;
    if (!sim.renewed) return 0;
    while (newest && versions.items[newest - 1].ended_us > sim.renewed_us)
        newest--;
    for (size_t i = 0; i < newest; i++) {
        if (versions_is_named(&versions.items[i])) break;
        if (!versions.items[i].is_delta && !versions.items[i].is_aborted && i + 1 < newest) low = i;
    }
    return low;
}

struct models {
    int64_t next;
};

enum relance_status models_open(const struct options *options, int64_t from, struct models **out,
                                struct relance_error *error)
{
    (void)options;
    if (!sim_enter()) return relance_error_set(error, RELANCE_AGAIN, "the model of Kafka is silent");
    *out = sim_keep(sizeof **out);
    int64_t low = (int64_t)versions_low() * VERSIONS_PLACES;
    (*out)->next = from < low ? low : from;
    return RELANCE_OK;
}

void models_close(struct models *models)
{
    (void)models;
}

/* Is the version there for whoever reads? What is open hides what is behind it. */
static bool versions_can_be_read(const struct version *version)
{
    return (sabotage(BUG_MODELS_OPEN) ? version->begun_us : version->ended_us) <= sim.now_us;
}

static bool models_take(struct models *models, struct parcel_record *record)
{
    while ((size_t)models->next / VERSIONS_PLACES < versions.count) {
        const struct version *version = &versions.items[models->next / VERSIONS_PLACES];
        int64_t place = models->next % VERSIONS_PLACES;
        if (!versions_can_be_read(version)) return false;
        bool passes = version->is_aborted && !sabotage(BUG_MODELS_OPEN);
        if (passes || place == VERSIONS_PLACES - 1) {
            models->next++;
            continue;
        }
        *record =
            (struct parcel_record){place ? version->bytes : version->text, models->next++, place ? 0 : -1};
        return true;
    }
    return false;
}

/* Now and then what is there has not come yet. */
enum relance_status models_next(struct models *models, int wait_ms, struct parcel_record *record,
                                bool *at_end, struct relance_error *error)
{
    *record = (struct parcel_record){.offset = -1};
    *at_end = false;
    if (!sim_enter() || (wait_ms && !sim_wait(sim_network_us())))
        return relance_error_set(error, RELANCE_AGAIN, "the model of Kafka is silent");
    bool late = !sim.calm && !versions_between(0, 3);
    if (late && wait_ms && !sim_wait(versions_between(1, VERSIONS_WAIT_US)))
        return relance_error_set(error, RELANCE_AGAIN, "the model of Kafka is silent");
    if (!late) *at_end = !models_take(models, record);
    return RELANCE_OK;
}

/* ---- the book, which no thread of its own fills here */
uint64_t __real_modelbook_edition(struct modelbook *book);
uint64_t __wrap_modelbook_edition(struct modelbook *book);
uint64_t __wrap_modelbook_edition(struct modelbook *book)
{
    struct relance_error error;
    modelbook_want(book);
    if (modelbook_look(book, 0, &error) != RELANCE_OK) sim_tell("%s", error.message);
    return __real_modelbook_edition(book);
}

enum relance_status __real_modelbook_get(struct modelbook *book, const struct modelbook_wanted *wanted,
                                         const struct modelbook_version **out, struct relance_error *error);
enum relance_status __wrap_modelbook_get(struct modelbook *book, const struct modelbook_wanted *wanted,
                                         const struct modelbook_version **out, struct relance_error *error);
enum relance_status __wrap_modelbook_get(struct modelbook *book, const struct modelbook_wanted *wanted,
                                         const struct modelbook_version **out, struct relance_error *error)
{
    enum relance_status status = __real_modelbook_get(book, wanted, out, error);
    if (status != RELANCE_OK || !sabotage(BUG_MODELS_NEWEST)) return status;
    const struct modelbook_version *newest = modelbook_newest(book, wanted->name, (*out)->recipe);
    if (!newest) return status;
    modelbook_release(book, *out);
    *out = newest;
    return status;
}
