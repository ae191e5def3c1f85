/* One question at a time: whoever reads for people has time. */
#include "redis/view.h"
#include "base/ensure.h"
#include "redis/keys.h"
#include "redis/nodes.h"
#include "host/text.h"

#include <relance/decision.h>
#include <stdlib.h>

enum {
    VIEW_PARTITIONS_MAX = 100000, /* more would be no count of partitions */
    VIEW_MINUTE_SIZE = 16,        /* bytes of a minute's name */
    VIEW_LOOKED_AT = 64,          /* partitions that are asked how many there are */
};

struct redis_view {
    struct redis_nodes *nodes;
    char *group, *topic;
    int partitions;
};

/* ---- asking */

static enum relance_status view_no_memory(struct relance_error *error)
{
    return relance_error_set(error, RELANCE_NO_MEMORY, "out of memory");
}

/* Whoever looks does not try again: all that Redis refuses or garbles is one and the same. */
static enum relance_status view_end(enum relance_status status, struct redisReply *answer,
                                    struct relance_error *error)
{
    redis_answer_free(answer);
    return status == RELANCE_AGAIN ? (error->status = RELANCE_IO) : status;
}

/* HGETALL of one key. */
static enum relance_status view_hash(struct redis_view *view, const char *key, redis_pair_visit *visit,
                                     void *context, struct relance_error *error)
{
    struct redisReply *answer = NULL;
    enum relance_status status =
        REDIS_NODES_DO(view->nodes, key, &answer, error, STR("HGETALL"), str_of(key));
    if (status == RELANCE_OK) status = redis_read_pairs(answer, "HGETALL", visit, context, error);
    return view_end(status, answer, error);
}

/* HGET of one field; to be freed where it is there. */
static enum relance_status view_field(struct redis_view *view, const char *key, struct relance_str field,
                                      char **out, size_t *size, struct relance_error *error)
{
    struct redisReply *answer = NULL;
    struct relance_str text = {0};
    *out = NULL;
    *size = 0;
    enum relance_status status =
        REDIS_NODES_DO(view->nodes, key, &answer, error, STR("HGET"), str_of(key), field);
    if (status == RELANCE_OK) status = redis_read_text(answer, "HGET", &text, error);
    if (status == RELANCE_OK && text.data) {
        *size = text.size;
        *out = malloc(text.size + 1);
        if (*out)
            memcpy(*out, text.data, text.size + 1); /* a NUL stands behind it */
        else
            status = view_no_memory(error);
    }
    return view_end(status, answer, error);
}

static enum relance_status view_number(struct redis_view *view, const char *key, const char *field,
                                       int64_t *out, struct relance_error *error)
{
    char *text;
    size_t size;
    enum relance_status status = view_field(view, key, str_of(field), &text, &size, error);
    if (status == RELANCE_OK && text && !text_count((struct relance_str){text, size}, out))
        status = relance_error_set(error, RELANCE_IO, "Redis: field %s of a checkpoint is no number", field);
    free(text);
    return status;
}

/* ---- opening */

/* The count stands in the meta of each partition that has a checkpoint; until its first, it has none. They are asked for
 * by name: looking through all keys would show those of one node of a cluster. */
static enum relance_status view_find_partitions(struct redis_view *view, struct relance_error *error)
{
    for (int p = 0; p < VIEW_LOOKED_AT; p++) {
        int64_t count = 0;
        enum relance_status status = redis_view_number(view, p, "partitions", &count, error);
        if (status != RELANCE_OK) return status;
        if (count <= 0 || count > VIEW_PARTITIONS_MAX) continue;
        view->partitions = (int)count;
        return RELANCE_OK;
    }
    return relance_error_set(error, RELANCE_REFUSED, "Redis holds no state of group and topic '%s:%s'",
                             view->group, view->topic);
}

struct redis_view *redis_view_of(const char *url, const char *group, const char *topic,
                                 struct relance_error *error)
{
    if (!redis_keys_fit(group, topic)) {
        relance_error_set(error, RELANCE_INVALID, "--group, --input: more than %d bytes", REDIS_NAME_MAX);
        return NULL;
    }
    struct redis_view *view = calloc(1, sizeof *view);
    ensure(view);
    view->group = strdup(group);
    view->topic = strdup(topic);
    ensure(view->group && view->topic);
    if (redis_nodes_open(url, &view->nodes, error) == RELANCE_OK) return view;
    redis_view_close(view);
    return NULL;
}

struct redis_view *redis_view_open(const char *url, const char *group, const char *topic,
                                   struct relance_error *error)
{
    struct redis_view *view = redis_view_of(url, group, topic, error);
    if (!view || view_find_partitions(view, error) == RELANCE_OK) return view;
    redis_view_close(view);
    return NULL;
}

void redis_view_close(struct redis_view *view)
{
    if (!view) return;
    redis_nodes_close(view->nodes);
    free(view->group);
    free(view->topic);
    free(view);
}

bool redis_view_ping(const char *url)
{
    struct relance_error error;
    struct redisReply *answer = NULL;
    struct redis_view *view = redis_view_of(url, "", "", &error);
    bool answers = view && REDIS_NODES_DO(view->nodes, "", &answer, &error, STR("PING")) == RELANCE_OK &&
                   redis_read_word(answer, "PING", "PONG", &error) == RELANCE_OK;
    redis_answer_free(answer);
    redis_view_close(view);
    return answers;
}

bool redis_view_claimed(const char *url, const char *group, const char *topic, int partitions)
{
    struct relance_error error;
    struct redis_view *view = redis_view_of(url, group, topic, &error);
    bool claimed = view != NULL;
    for (int p = 0; p < partitions && claimed; p++) {
        char *stamp = NULL;
        size_t size;
        claimed =
            redis_view_field(view, p, REDIS_VIEW_META, STR("stamp"), &stamp, &size, &error) == RELANCE_OK &&
            stamp;
        free(stamp);
    }
    redis_view_close(view);
    return claimed;
}

enum relance_status redis_view_count(const char *url, const char *group, const char *topic, int *partitions,
                                     struct relance_error *error)
{
    int64_t count = 0;
    struct redis_view *view = redis_view_of(url, group, topic, error);
    if (!view) return RELANCE_IO;
    enum relance_status status = redis_view_number(view, 0, "partitions", &count, error);
    redis_view_close(view);
    *partitions = count > 0 && count < VIEW_PARTITIONS_MAX ? (int)count : 0;
    if (status != RELANCE_OK || *partitions) return status;
    return relance_error_set(error, RELANCE_REFUSED, "Redis has no checkpoint of group %s and topic %s",
                             group, topic);
}

int redis_view_partitions(const struct redis_view *view)
{
    return view->partitions;
}

/* ---- counters */

struct view_counting {
    redis_view_counter *visit;
    void *context;
};

static enum relance_status view_take_counter(void *context, struct relance_str name, struct relance_str text,
                                             struct relance_error *error)
{
    const struct view_counting *counting = context;
    char *end;
    double value = strtod(text.data, &end);
    if (!text.size || end != text.data + text.size)
        return relance_error_set(error, RELANCE_IO, "Redis: the counter '%.*s' is no number", STR_ARG(name));
    counting->visit(counting->context, name, value);
    return RELANCE_OK;
}

enum relance_status redis_view_partition_counters(struct redis_view *view, int partition,
                                                  redis_view_counter *visit, void *context,
                                                  struct relance_error *error)
{
    struct view_counting counting = {visit, context};
    char key[REDIS_KEY_SIZE];
    redis_key(key, view->group, view->topic, partition, REDIS_KEY_METRICS);
    return view_hash(view, key, view_take_counter, &counting, error);
}

enum relance_status redis_view_counters(struct redis_view *view, redis_view_counter *visit, void *context,
                                        struct relance_error *error)
{
    enum relance_status status = RELANCE_OK;
    for (int p = 0; p < view->partitions && status == RELANCE_OK; p++)
        status = redis_view_partition_counters(view, p, visit, context, error);
    return status;
}

/* ---- sums */

struct view_summing {
    redis_view_take_sum *visit;
    redis_view_day *visit_day;
    void *context;
};

static enum relance_status view_take_sum(void *context, struct relance_str name, struct relance_str text,
                                         struct relance_error *error)
{
    const struct view_summing *summing = context;
    struct redis_view_sum sum = {.name = name};
    sum.whole = text_int(text, &sum.number);
    sum.value = (double)sum.number;
    if (!sum.whole && !text_number(text, &sum.value))
        return relance_error_set(error, RELANCE_IO, "Redis: the sum '%.*s' is no number", STR_ARG(name));
    summing->visit(summing->context, &sum);
    return RELANCE_OK;
}

enum relance_status redis_view_sums(struct redis_view *view, int partition, enum relance_sums table,
                                    int64_t day, redis_view_take_sum *visit, void *context,
                                    struct relance_error *error)
{
    static const enum redis_key keys[RELANCE_SUMS_COUNT] = {[RELANCE_SUMS_ALL] = REDIS_KEY_METRICS,
                                                            [RELANCE_SUMS_DAY] = REDIS_KEY_SALES,
                                                            [RELANCE_SUMS_COHORTS] = REDIS_KEY_COHORTS};
    struct view_summing summing = {visit, NULL, context};
    char key[REDIS_KEY_SIZE], of_day[REDIS_KEY_SIZE], text[TEXT_DAY_SIZE];
    redis_key(key, view->group, view->topic, partition, keys[table]);
    if (table != RELANCE_SUMS_DAY) return view_hash(view, key, view_take_sum, &summing, error);
    text_put_day(text, day);
    redis_key_of_day(of_day, key, text);
    return view_hash(view, of_day, view_take_sum, &summing, error);
}

static enum relance_status view_take_day(void *context, struct relance_str text, struct relance_str ignored,
                                         struct relance_error *error)
{
    const struct view_summing *summing = context;
    int64_t day;
    (void)ignored;
    if (!text_day(text, &day))
        return relance_error_set(error, RELANCE_IO, "Redis: '%.*s' is no day", STR_ARG(text));
    summing->visit_day(summing->context, day);
    return RELANCE_OK;
}

enum relance_status redis_view_days(struct redis_view *view, int partition, redis_view_day *visit,
                                    void *context, struct relance_error *error)
{
    struct view_summing summing = {NULL, visit, context};
    char key[REDIS_KEY_SIZE];
    redis_key(key, view->group, view->topic, partition, REDIS_KEY_SALES);
    return view_hash(view, key, view_take_day, &summing, error);
}

/* ---- live instances */

struct view_live {
    struct redis_view *view;
    redis_view_live *visit;
    void *context;
    struct relance_str instance;
};

static enum relance_status view_take_live(void *context, struct relance_str field, struct relance_str value,
                                          struct relance_error *error)
{
    const struct view_live *live = context;
    (void)error;
    live->visit(live->context, live->instance, field, value);
    return RELANCE_OK;
}

/* What the list says of an instance is one more field; one whose figures are gone has no other. */
static enum relance_status view_take_instance(void *context, struct relance_str instance,
                                              struct relance_str entry, struct relance_error *error)
{
    struct view_live *live = context;
    char key[REDIS_KEY_SIZE];
    if (strlen(instance.data) != instance.size || instance.size > REDIS_NAME_MAX) return RELANCE_OK;
    live->instance = instance;
    redis_key_live(key, live->view->group, instance.data);
    live->visit(live->context, instance, STR(REDIS_VIEW_ENTRY), entry);
    return view_hash(live->view, key, view_take_live, live, error);
}

enum relance_status redis_view_lives(struct redis_view *view, redis_view_live *visit, void *context,
                                     struct relance_error *error)
{
    struct view_live live = {view, visit, context, {0}};
    char key[REDIS_KEY_SIZE];
    redis_key_instances(key, view->group, view->topic);
    return view_hash(view, key, view_take_instance, &live, error);
}

enum relance_status redis_view_instance(const char *url, const char *group, const char *topic,
                                        const char *instance, redis_view_live *visit, void *context,
                                        struct relance_error *error)
{
    char key[REDIS_KEY_SIZE];
    struct redis_view *view = redis_view_of(url, group, topic, error);
    struct view_live live = {view, visit, context, str_of(instance)};
    if (!view) return RELANCE_IO;
    redis_key_live(key, group, instance);
    enum relance_status status = view_hash(view, key, view_take_live, &live, error);
    redis_view_close(view);
    return status;
}

/* ---- single fields */

enum relance_status redis_view_number(struct redis_view *view, int partition, const char *field, int64_t *out,
                                      struct relance_error *error)
{
    char key[REDIS_KEY_SIZE];
    redis_key(key, view->group, view->topic, partition, REDIS_KEY_META);
    return view_number(view, key, field, out, error);
}

static const enum redis_key view_keys[] = {
    [REDIS_VIEW_META] = REDIS_KEY_META, [REDIS_VIEW_CUSTOMERS] = REDIS_KEY_CUSTOMERS};

enum relance_status redis_view_field(struct redis_view *view, int partition, enum redis_view_hash hash,
                                     struct relance_str field, char **text, size_t *size,
                                     struct relance_error *error)
{
    char key[REDIS_KEY_SIZE];
    redis_key(key, view->group, view->topic, partition, view_keys[hash]);
    return view_field(view, key, field, text, size, error);
}

/* ---- many at once */

enum relance_status redis_view_fields(struct redis_view *view, int partition, enum redis_view_hash hash,
                                      const struct relance_str *fields, size_t count, redis_view_text *visit,
                                      void *context, struct relance_error *error)
{
    char key[REDIS_KEY_SIZE];
    struct redis_question *question;
    redis_key(key, view->group, view->topic, partition, view_keys[hash]);
    enum relance_status status = redis_nodes_question(view->nodes, key, &question, error);
    if (status != RELANCE_OK) return view_end(status, NULL, error);
    for (size_t i = 0; i < count; i++)
        REDIS_ASK(question, STR("HGET"), str_of(key), fields[i]);
    return view_end(redis_nodes_texts(view->nodes, visit, context, error), NULL, error);
}

enum relance_status redis_view_minutes(struct redis_view *view, int partition, struct relance_str counter,
                                       int64_t minute, size_t count, redis_view_text *visit, void *context,
                                       struct relance_error *error)
{
    char metrics[REDIS_KEY_SIZE], key[REDIS_KEY_SIZE], time[24];
    struct redis_question *question;
    redis_key(metrics, view->group, view->topic, partition, REDIS_KEY_METRICS);
    enum relance_status status = redis_nodes_question(view->nodes, metrics, &question, error);
    if (status != RELANCE_OK) return view_end(status, NULL, error);
    for (size_t i = 0; i < count; i++) {
        relance_time_print((minute + (int64_t)i) * 60000, time);
        time[VIEW_MINUTE_SIZE] = '\0'; /* "2026-03-02T10:00" */
        redis_key_of_minute(key, metrics, time);
        REDIS_ASK(question, STR("HGET"), str_of(key), counter);
    }
    return view_end(redis_nodes_texts(view->nodes, visit, context, error), NULL, error);
}
