#include "delivery/modelbook.h"
#include "base/ensure.h"
#include "host/clock.h"
#include "host/log.h"
#include "host/stop.h"
#include "base/str.h"
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
    MODELBOOK_PATIENCE_US = 60000000, /* how long a version that is to be there is waited for */
    MODELBOOK_POLL_MS = 100,
    MODELBOOK_LOOK_US = 100000,   /* between looks, while nobody wants a version */
    MODELBOOK_RETRY_US = 2000000, /* after one that has failed */
};

/* One version that somebody holds. */
struct modelbook_entry {
    struct modelbook_version version; /* the first: a version is known by it */
    unsigned held;
    int64_t end; /* offset behind it on the topic */
    struct modelbook_entry *next;
};

/* The newest version of one affinity, by the order of the topic. */
struct modelbook_slot {
    struct modelbook_entry *newest;
    struct modelbook_slot *next;
};

struct modelbook {
    const struct options *options;
    atomic_bool is_wanted;
    atomic_uint_fast64_t edition;
    pthread_mutex_t lock;            /* of what follows */
    struct modelbook_entry *entries; /* all that are held */
    struct modelbook_slot *slots;
    struct models *reader; /* of the one thread that looks; NULL: not yet */
    struct parcel_joiner joiner;
    char trouble[MODELBOOK_TROUBLE_SIZE];
    bool has_seen, is_whole; /* a version has come; it reads from the beginning */
};

struct modelbook *modelbook_open(const struct options *options)
{
    struct modelbook *book = calloc(1, sizeof *book);
    ensure(book);
    book->options = options;
    book->joiner.skips_states = true;
    pthread_mutex_init(&book->lock, NULL);
    return book;
}

/* ---- what is held; under the lock */
static struct modelbook_entry *modelbook_find(struct modelbook *book, const struct modelbook_wanted *wanted)
{
    struct modelbook_entry *entry = book->entries;
    while (entry && !(entry->version.number == wanted->number && entry->version.chain == wanted->chain &&
                      str_equal(str_of(entry->version.name), wanted->name)))
        entry = entry->next;
    return entry;
}

static void modelbook_let_go(struct modelbook *book, struct modelbook_entry *entry)
{
    ensure(entry->held);
    if (--entry->held) return;
    struct modelbook_entry **at = &book->entries;
    while (*at != entry)
        at = &(*at)->next;
    *at = entry->next;
    relance_model_release(entry->version.model);
    free(entry);
}

/* Takes a model over, held once more; one that is held already is not held twice. */
static struct modelbook_entry *modelbook_put(struct modelbook *book, struct relance_str name,
                                             struct relance_model *model, int64_t end)
{
    const struct relance_model_head *head = relance_model_about(model);
    const struct modelbook_wanted same = {name, head->number, head->chain};
    struct modelbook_entry *entry = modelbook_find(book, &same);
    if (entry) {
        relance_model_release(model);
    } else {
        ensure(entry = calloc(1, sizeof *entry));
        entry->version = (struct modelbook_version){
            .model = model, .number = head->number, .recipe = head->recipe, .chain = head->chain};
        memcpy(entry->version.name, name.data, name.size);
        entry->end = end;
        entry->next = book->entries;
        book->entries = entry;
    }
    entry->held++;
    return entry;
}

static struct modelbook_slot *modelbook_slot(struct modelbook *book, struct relance_str name)
{
    struct modelbook_slot *slot = book->slots;
    while (slot && !str_equal(str_of(slot->newest->version.name), name))
        slot = slot->next;
    return slot;
}

void modelbook_release(struct modelbook *book, const struct modelbook_version *version)
{
    pthread_mutex_lock(&book->lock);
    modelbook_let_go(book, (struct modelbook_entry *)(uintptr_t)version);
    pthread_mutex_unlock(&book->lock);
}

void modelbook_close(struct modelbook *book)
{
    if (!book) return;
    while (book->slots) {
        struct modelbook_slot *slot = book->slots;
        book->slots = slot->next;
        modelbook_let_go(book, slot->newest);
        free(slot);
    }
    ensure(!book->entries);
    models_close(book->reader);
    parcel_joiner_free(&book->joiner);
    pthread_mutex_destroy(&book->lock);
    free(book);
}

/* ---- from bytes to a version */
struct relance_model *modelbook_build(const struct parcel_joiner *joiner, const struct relance_model *base)
{
    struct relance_model *model = NULL;
    struct relance_model_head head;
    struct relance_error error;
    struct relance_str bytes = buffer_str(&joiner->bytes);
    enum relance_status status = relance_model_head(bytes, &head, &error);
    if (status == RELANCE_OK && head.is_delta && (!base || relance_model_about(base)->chain != head.base))
        return NULL; /* what it says differs from what we do not have; the next full one comes */
    if (status == RELANCE_OK)
        status = head.is_delta ? relance_model_apply(base, bytes, &model, &error)
                               : relance_model_read(bytes, &model, &error);
    if (status == RELANCE_OK) return model;
    log_line(LOG_WARNING, "The topic of models holds something that is no version.",
             "affinity=%s n=%" PRIu64 " why=\"%s\"", joiner->head.name, joiner->head.number, error.message);
    return NULL;
}

/* ---- the reader */
static void modelbook_make_newest(struct modelbook *book, struct relance_str name,
                                  struct relance_model *model, int64_t end)
{
    pthread_mutex_lock(&book->lock);
    struct modelbook_slot *slot = modelbook_slot(book, name);
    struct modelbook_entry *entry = modelbook_put(book, name, model, end);
    if (slot) {
        modelbook_let_go(book, slot->newest);
        slot->newest = entry;
    } else {
        ensure(slot = malloc(sizeof *slot));
        *slot = (struct modelbook_slot){entry, book->slots};
        book->slots = slot;
    }
    pthread_mutex_unlock(&book->lock);
    atomic_fetch_add(&book->edition, 1);
}

static void modelbook_take(struct modelbook *book, int64_t end)
{
    struct relance_str name = str_of(book->joiner.head.name);
    pthread_mutex_lock(&book->lock); /* only we replace what stands in a slot */
    struct modelbook_slot *slot = modelbook_slot(book, name);
    pthread_mutex_unlock(&book->lock);
    struct relance_model *model = modelbook_build(&book->joiner, slot ? slot->newest->version.model : NULL);
    if (!model) return;
    const struct relance_model_head *head = relance_model_about(model);
    book->has_seen = true;
    if (slot && slot->newest->version.chain == head->chain) { /* it came twice */
        relance_model_release(model);
        return;
    }
    char version[PARCEL_TEXT_SIZE];
    parcel_print(head->number, head->chain, version);
    log_line(LOG_INFO, "A version of a model is available.", "affinity=%s version=%s", book->joiner.head.name,
             version);
    modelbook_make_newest(book, name, model, end);
}

static enum relance_status modelbook_start(struct modelbook *book, int64_t from, struct relance_error *error)
{
    models_close(book->reader);
    book->reader = NULL;
    book->is_whole = from == MODELS_BEGINNING;
    return models_open(book->options, from, &book->reader, error);
}

/* A learner that has not been there for days has left nothing in these days. */
static enum relance_status modelbook_look_back(struct modelbook *book, struct relance_error *error)
{
    return book->has_seen || book->is_whole ? RELANCE_OK : modelbook_start(book, MODELS_BEGINNING, error);
}

enum relance_status modelbook_look(struct modelbook *book, int wait_ms, struct relance_error *error)
{
    struct parcel_record record;
    bool at_end = false;
    enum relance_status status = RELANCE_OK;
    if (!atomic_load(&book->is_wanted)) return RELANCE_OK;
    if (!book->reader) status = modelbook_start(book, MODELS_RECENT, error);
    while (status == RELANCE_OK && !stop_requested()) {
        status = models_next(book->reader, wait_ms, &record, &at_end, error);
        if (status != RELANCE_OK || record.offset < 0) break;
        if (parcel_join(&book->joiner, &record)) modelbook_take(book, record.offset + 1);
    }
    if (status == RELANCE_OK && at_end) status = modelbook_look_back(book, error);
    if (status == RELANCE_OK) return status;
    models_close(book->reader); /* and once more, later */
    book->reader = NULL;
    return error->status = RELANCE_AGAIN;
}

/* What stays so is logged once. */
static void modelbook_set_trouble(struct modelbook *book, const char *why)
{
    pthread_mutex_lock(&book->lock);
    bool is_new = *why && !*book->trouble;
    snprintf(book->trouble, sizeof book->trouble, "%s", why);
    pthread_mutex_unlock(&book->lock);
    if (is_new)
        log_line(LOG_WARNING, "Versions of models cannot be read; those in force go on deciding.",
                 "why=\"%s\"", why);
}

void modelbook_trouble(struct modelbook *book, char trouble[MODELBOOK_TROUBLE_SIZE])
{
    pthread_mutex_lock(&book->lock);
    memcpy(trouble, book->trouble, MODELBOOK_TROUBLE_SIZE);
    pthread_mutex_unlock(&book->lock);
}

void *modelbook_run(void *argument)
{
    struct modelbook *book = argument;
    struct relance_error error;
    while (!stop_requested()) {
        bool is_read = modelbook_look(book, MODELBOOK_POLL_MS, &error) == RELANCE_OK;
        modelbook_set_trouble(book, is_read ? "" : error.message);
        if (!is_read || !atomic_load(&book->is_wanted))
            clock_sleep_us(is_read ? MODELBOOK_LOOK_US : MODELBOOK_RETRY_US);
    }
    return NULL;
}

/* ---- whoever adopts */
void modelbook_want(struct modelbook *book)
{
    atomic_store(&book->is_wanted, true);
}

uint64_t modelbook_edition(struct modelbook *book)
{
    return atomic_load(&book->edition);
}

const struct modelbook_version *modelbook_newest(struct modelbook *book, struct relance_str name,
                                                 uint64_t recipe)
{
    pthread_mutex_lock(&book->lock);
    struct modelbook_slot *slot = modelbook_slot(book, name);
    struct modelbook_entry *entry = slot && slot->newest->version.recipe == recipe ? slot->newest : NULL;
    if (entry) entry->held++;
    pthread_mutex_unlock(&book->lock);
    return entry ? &entry->version : NULL;
}

/* ---- one that a mark names */
/* Reading on from a version that is held costs least: the nearest before it, held for us; NULL: none. */
static struct modelbook_entry *modelbook_near(struct modelbook *book, const struct modelbook_wanted *wanted)
{
    struct modelbook_entry *best = NULL;
    pthread_mutex_lock(&book->lock);
    for (struct modelbook_entry *entry = book->entries; entry; entry = entry->next)
        if (str_equal(str_of(entry->version.name), wanted->name) && entry->version.number < wanted->number &&
            (!best || entry->version.number > best->version.number))
            best = entry;
    if (best) best->held++;
    pthread_mutex_unlock(&book->lock);
    return best;
}

/* Looking for one version on the topic. */
struct modelbook_search {
    struct modelbook *book;
    const struct modelbook_wanted *wanted;
    struct models *models;
    struct parcel_joiner joiner;
    const struct relance_model *base; /* the version read last, which is ours or `near`'s */
    struct relance_model *own;
    bool is_other; /* the number has been met, with another chain */
    struct modelbook_entry *found;
};

static void modelbook_meet(struct modelbook_search *search, int64_t end)
{
    const struct parcel_joiner *joiner = &search->joiner;
    if (!str_equal(str_of(joiner->head.name), search->wanted->name)) return;
    struct relance_model *model = modelbook_build(joiner, search->base);
    if (!model) return;
    const struct relance_model_head *head = relance_model_about(model);
    bool is_it = head->number == search->wanted->number && head->chain == search->wanted->chain;
    search->is_other |= head->number == search->wanted->number && !is_it;
    if (search->own) relance_model_release(search->own);
    search->base = search->own = model;
    if (!is_it) return;
    search->own = NULL;
    pthread_mutex_lock(&search->book->lock);
    search->found = modelbook_put(search->book, search->wanted->name, model, end);
    pthread_mutex_unlock(&search->book->lock);
}

static enum relance_status modelbook_read(struct modelbook_search *search, struct relance_error *error)
{
    int64_t began = clock_monotonic_us();
    enum relance_status status = RELANCE_OK;
    bool at_end = false;
    while (status == RELANCE_OK && !search->found && !at_end) {
        struct parcel_record record;
        if (stop_requested()) return relance_error_set(error, RELANCE_AGAIN, "ending");
        if (clock_monotonic_us() - began > MODELBOOK_PATIENCE_US)
            return relance_error_set(error, RELANCE_AGAIN, "topic of models: its end has not come");
        status = models_next(search->models, MODELBOOK_POLL_MS, &record, &at_end, error);
        if (status == RELANCE_OK && record.offset >= 0 && parcel_join(&search->joiner, &record))
            modelbook_meet(search, record.offset + 1);
    }
    return status;
}

/* From the version that is nearest, or from the beginning. */
static enum relance_status modelbook_search(struct modelbook_search *search, struct modelbook_entry *near,
                                            struct relance_error *error)
{
    search->joiner.skips_states = true;
    search->base = near ? near->version.model : NULL;
    enum relance_status status =
        models_open(search->book->options, near ? near->end : MODELS_BEGINNING, &search->models, error);
    if (status == RELANCE_OK) status = modelbook_read(search, error);
    models_close(search->models);
    parcel_joiner_free(&search->joiner);
    if (search->own) relance_model_release(search->own);
    search->models = NULL;
    search->joiner = (struct parcel_joiner){0};
    search->own = NULL;
    return status;
}

static enum relance_status modelbook_gone(const struct modelbook_search *search, struct relance_error *error)
{
    const struct modelbook_wanted *wanted = search->wanted;
    const char *topic = search->book->options->output;
    if (search->is_other)
        return relance_error_set(error, RELANCE_REFUSED,
                                 "version %" PRIu64 " of %.*s is needed with chain %016" PRIx64
                                 ", and %s.models has another one: it has been made anew",
                                 wanted->number, STR_ARG(wanted->name), wanted->chain, topic);
    return relance_error_set(error, RELANCE_REFUSED,
                             "version %" PRIu64 " of %.*s is needed, and %s.models has it no longer",
                             wanted->number, STR_ARG(wanted->name), topic);
}

enum relance_status modelbook_get(struct modelbook *book, const struct modelbook_wanted *wanted,
                                  const struct modelbook_version **out, struct relance_error *error)
{
    pthread_mutex_lock(&book->lock);
    struct modelbook_entry *entry = modelbook_find(book, wanted);
    if (entry) entry->held++;
    pthread_mutex_unlock(&book->lock);
    if (entry) return *out = &entry->version, RELANCE_OK;
    struct modelbook_search search = {.book = book, .wanted = wanted};
    struct modelbook_entry *near = modelbook_near(book, wanted);
    enum relance_status status = near ? modelbook_search(&search, near, error) : RELANCE_OK;
    if (near) modelbook_release(book, &near->version);
    if (status != RELANCE_AGAIN && !search.found) status = modelbook_search(&search, NULL, error);
    if (status != RELANCE_OK) return status;
    if (!search.found) return modelbook_gone(&search, error);
    return *out = &search.found->version, RELANCE_OK;
}
