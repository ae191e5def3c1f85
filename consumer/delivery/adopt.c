/* Which versions of models a partition decides by (DELIVERY.md §3.10).
 *
 * M1: nothing that decides reads anything of a model but through the mark in force: what is newest is asked here, and
 * becomes a mark first. M3: what a mark names was committed before, since the book has nothing else. */
#include "delivery/partition.h"
#include "base/ensure.h"
#include "host/log.h"
#include "base/str.h"
#include <cjson/cJSON.h>
#include <relance/affinity.h>
#include <inttypes.h>
#include <stdlib.h>

static const char adopt_cure[] = "--accept-loss goes on without it, and with the newest that there is";

/* ---- those in force */
static struct adopted *adopt_find(const struct partition *partition, struct relance_str name)
{
    const struct in_force *in_force = &partition->in_force;
    for (size_t i = 0; i < in_force->adopted_count; i++)
        if (str_equal(str_of(in_force->adopted[i].name), name)) return &in_force->adopted[i];
    return NULL;
}

static void adopt_set(const struct partition *partition, const struct adopted *adopted)
{
    if (partition->engine)
        relance_engine_set_model(partition->engine, str_of(adopted->name),
                                 adopted->version ? adopted->version->model : NULL);
}

static void adopt_release(const struct partition *partition, const struct adopted *adopted)
{
    if (adopted->version) modelbook_release(partition->place->models, adopted->version);
}

/* The functions of that affinity give empty lists from here on. */
static void adopt_leave(struct partition *partition, struct adopted *adopted)
{
    struct in_force *in_force = &partition->in_force;
    struct adopted gone = *adopted;
    *adopted = in_force->adopted[--in_force->adopted_count];
    if (partition->engine) relance_engine_set_model(partition->engine, str_of(gone.name), NULL);
    adopt_release(partition, &gone);
}

/* Takes over what `fresh` holds. */
static void adopt_take(struct partition *partition, const struct adopted *fresh)
{
    struct in_force *in_force = &partition->in_force;
    struct adopted *adopted = adopt_find(partition, str_of(fresh->name)), before = {.version = NULL};
    if (adopted) {
        before = *adopted;
    } else {
        size_t size = (in_force->adopted_count + 1) * sizeof *in_force->adopted;
        ensure(in_force->adopted = realloc(in_force->adopted, size));
        adopted = &in_force->adopted[in_force->adopted_count++];
    }
    *adopted = *fresh;
    adopt_set(partition, adopted); /* the engine lets the one before go, too */
    adopt_release(partition, &before);
}

void partition_set_models(const struct partition *partition)
{
    for (size_t i = 0; i < partition->in_force.adopted_count; i++)
        adopt_set(partition, &partition->in_force.adopted[i]);
}

void partition_drop_models(struct partition *partition)
{
    struct in_force *in_force = &partition->in_force;
    for (size_t i = 0; i < in_force->adopted_count; i++)
        adopt_release(partition, &in_force->adopted[i]);
    in_force->adopted_count = 0;
    in_force->models_seen = 0;
}

static bool adopt_is_declared(const struct relance_ruleset *rules, const struct adopted *adopted)
{
    for (size_t i = 0; i < relance_ruleset_affinity_count(rules); i++)
        if (str_equal(relance_ruleset_affinity_name(rules, i), str_of(adopted->name)))
            return !adopted->version || adopted->version->recipe == relance_ruleset_affinity_recipe(rules, i);
    return false;
}

void partition_keep_models(struct partition *partition)
{
    struct in_force *in_force = &partition->in_force;
    for (size_t i = in_force->adopted_count; i-- > 0;)
        if (!adopt_is_declared(in_force->rules->rules, &in_force->adopted[i]))
            adopt_leave(partition, &in_force->adopted[i]);
    partition_set_models(partition);
    if (partition->place->models && relance_ruleset_affinity_count(in_force->rules->rules))
        modelbook_want(partition->place->models);
    in_force->models_seen = 0;
}

void partition_print_models(const struct partition *partition, struct buffer *out)
{
    const struct in_force *in_force = &partition->in_force;
    out->size = 0;
    for (size_t i = 0; i < in_force->adopted_count; i++) {
        char version[PARCEL_TEXT_SIZE];
        parcel_print(in_force->adopted[i].number, in_force->adopted[i].chain, version);
        buffer_put_char(out, i ? ',' : '{');
        buffer_put_json_string(out, str_of(in_force->adopted[i].name));
        buffer_put_format(out, ":\"%s\"", version);
    }
    if (in_force->adopted_count) buffer_put_char(out, '}');
}

int64_t partition_oldest_model(const struct partition *partition)
{
    int64_t oldest = 0;
    for (size_t i = 0; i < partition->in_force.adopted_count; i++) {
        const struct modelbook_version *version = partition->in_force.adopted[i].version;
        int64_t at_ms = version ? relance_model_about(version->model)->at_ms : 0;
        if (at_ms && (!oldest || at_ms < oldest)) oldest = at_ms;
    }
    return oldest;
}

/* ---- what a mark or a checkpoint names */
static enum relance_status adopt_misread(const struct partition *partition, const char *name,
                                         struct relance_error *error)
{
    return partition_refuse(partition, error, "a mark or the checkpoint names no version of %s", name);
}

/* With nothing to decide again, and no mark to be met, it is not needed: the next mark names the newest. */
static bool adopt_is_needed(const struct partition *partition)
{
    return partition->ahead.count || partition->decided.offset < partition->published.position.offset;
}

/* The topic has it no longer. */
static enum relance_status adopt_miss(struct partition *partition, struct relance_error *error)
{
    const struct options *options = partition->place->options;
    bool was_approximate = partition->recovery.is_approximate;
    char gone[256];
    snprintf(gone, sizeof gone, "%.*s", (int)sizeof gone - 1, error->message);
    if (!adopt_is_needed(partition)) {
        log_line(LOG_WARNING, "A version of a model is no longer kept; going on with the newest.",
                 "partition=%d why=\"%s\"", partition->number, gone);
        return RELANCE_OK;
    }
    enum relance_status status = partition_lacks(
        partition, options->accept_loss || partition->recovery.is_rebuild, adopt_cure, error, "%s", gone);
    if (status != RELANCE_OK || was_approximate || partition->state != PARTITION_BEHIND) return status;
    return partition_read_published(partition, error);
}

/* Fills in what is to be in force of one member; its version is NULL where it is no longer kept. */
static enum relance_status adopt_get(struct partition *partition, const cJSON *member, struct adopted *out,
                                     struct relance_error *error)
{
    size_t size = strlen(member->string);
    if (!partition->place->models || !cJSON_IsString(member) || size >= sizeof out->name ||
        !parcel_parse(str_of(member->valuestring), &out->number, &out->chain))
        return adopt_misread(partition, member->string, error);
    memcpy(out->name, member->string, size + 1);
    out->version = NULL;
    const struct modelbook_wanted wanted = {str_of(out->name), out->number, out->chain};
    enum relance_status status = modelbook_get(partition->place->models, &wanted, &out->version, error);
    return status == RELANCE_REFUSED ? adopt_miss(partition, error) : status;
}

static enum relance_status adopt_member(struct partition *partition, const cJSON *member,
                                        struct relance_error *error)
{
    struct adopted fresh;
    if (cJSON_IsNull(member)) {
        struct adopted *adopted = adopt_find(partition, str_of(member->string));
        if (adopted) adopt_leave(partition, adopted);
        return RELANCE_OK;
    }
    enum relance_status status = adopt_get(partition, member, &fresh, error);
    if (status == RELANCE_OK) adopt_take(partition, &fresh);
    return status;
}

enum relance_status partition_apply_models(struct partition *partition, struct relance_str models,
                                           struct relance_error *error)
{
    cJSON *object = cJSON_ParseWithLength(models.data, models.size);
    enum relance_status status =
        cJSON_IsObject(object) ? RELANCE_OK : adopt_misread(partition, "anything", error);
    for (const cJSON *member = object ? object->child : NULL; member && status == RELANCE_OK;
         member = member->next)
        status = adopt_member(partition, member, error);
    cJSON_Delete(object);
    return status;
}

/* ---- a claim */
/* Later ones are kept longer: where the first that a mark names is there, so are those behind it. */
static enum relance_status adopt_check_ahead(struct partition *partition, struct relance_error *error)
{
    size_t first = 0;
    while (first < partition->ahead.count && !partition->ahead.items[first].models)
        first++;
    if (first == partition->ahead.count) return RELANCE_OK;
    cJSON *object = cJSON_Parse(partition->ahead.items[first].models);
    enum relance_status status = RELANCE_OK;
    for (const cJSON *member = object ? object->child : NULL; member && status == RELANCE_OK;
         member = member->next) {
        struct adopted found = {.version = NULL};
        if (!cJSON_IsNull(member)) status = adopt_get(partition, member, &found, error);
        adopt_release(partition, &found);
    }
    cJSON_Delete(object);
    return status;
}

enum relance_status partition_load_models(struct partition *partition, struct relance_error *error)
{
    struct relance_str models = buffer_str(&partition->meta.models);
    enum relance_status status = models.size ? partition_apply_models(partition, models, error) : RELANCE_OK;
    return status == RELANCE_OK ? adopt_check_ahead(partition, error) : status;
}

/* ---- the newest */
/* What a mark is to say of one affinity; false: nothing. */
static bool adopt_is_news(const struct adopted *adopted, const struct modelbook_version *newest,
                          uint64_t recipe)
{
    if (!newest) return adopted && !adopted->version;
    return !adopted || !adopted->version || adopted->version->recipe != recipe ||
           newest->number > adopted->number;
}

static void adopt_compare(const struct partition *partition, size_t affinity, struct buffer *out)
{
    const struct relance_ruleset *rules = partition->in_force.rules->rules;
    struct relance_str name = relance_ruleset_affinity_name(rules, affinity);
    uint64_t recipe = relance_ruleset_affinity_recipe(rules, affinity);
    const struct modelbook_version *newest = modelbook_newest(partition->place->models, name, recipe);
    if (adopt_is_news(adopt_find(partition, name), newest, recipe)) {
        char version[PARCEL_TEXT_SIZE];
        buffer_put_char(out, out->size ? ',' : '{');
        buffer_put_json_string(out, name);
        if (newest) parcel_print(newest->number, newest->chain, version);
        buffer_put_format(out, newest ? ":\"%s\"" : ":null", version);
    }
    if (newest) modelbook_release(partition->place->models, newest);
}

/* How many of its affinities may have another version than when they were last compared. */
static size_t adopt_to_compare(const struct partition *partition)
{
    const struct in_force *in_force = &partition->in_force;
    size_t count = in_force->rules ? relance_ruleset_affinity_count(in_force->rules->rules) : 0;
    if (!count || !partition->place->models) return 0;
    return modelbook_edition(partition->place->models) + 1 == in_force->models_seen ? 0 : count;
}

bool partition_has_new_models(const struct partition *partition)
{
    return adopt_to_compare(partition) > 0;
}

void partition_find_models(struct partition *partition, struct buffer *out)
{
    size_t count = adopt_to_compare(partition);
    if (!count) return;
    partition->in_force.models_seen = modelbook_edition(partition->place->models) + 1;
    for (size_t i = 0; i < count; i++)
        adopt_compare(partition, i, out);
    if (out->size) buffer_put(out, "}", sizeof "}");
}
