/* One connection, one question at a time: whoever reads for people has time. */
#include "redis/view.h"
#include "redis/connect.h"
#include "host/text.h"

#include <stdio.h>
#include <stdlib.h>

struct redis_view {
    redisContext *redis;
    char *place; /* GROUP:TOPIC, as keys have it */
    int partitions;
};

#define LIVE_PREFIX "relance:live:"
enum { PARTITIONS_MAX = 100000 }; /* more would be no count of partitions */

/* ---- asking */

static enum relance_status view_no_memory(struct relance_error *error)
{
    return relance_error_set(error, RELANCE_NO_MEMORY, "out of memory");
}

/* Asks, and takes the answer if it is of the wanted type; to be freed. A hiredis connection that has failed
 * once stays failed: so do we. */
static enum relance_status view_ask(struct redis_view *view, int count, const struct relance_str *words,
                                    int type, redisReply **out, struct relance_error *error)
{
    const char *data[8];
    size_t sizes[8];
    for (int i = 0; i < count; i++)
        data[i] = words[i].data, sizes[i] = words[i].size;
    redisReply *reply = redisCommandArgv(view->redis, count, data, sizes);
    if (!reply) return relance_error_set(error, RELANCE_IO, "Redis: %s", view->redis->errstr);
    if (reply->type == type || (type == REDIS_REPLY_STRING && reply->type == REDIS_REPLY_NIL)) {
        *out = reply;
        return RELANCE_OK;
    }
    relance_error_set(error, RELANCE_IO, "Redis: %.*s: %s", TEXT_ARG(words[0]),
                      reply->type == REDIS_REPLY_ERROR ? reply->str
                                                       : "an answer of a form that nobody expected");
    freeReplyObject(reply);
    return RELANCE_IO;
}

static struct relance_str view_text(const redisReply *reply)
{
    return (struct relance_str){reply->str, (size_t)reply->len};
}

/* "relance:{GROUP:TOPIC:P}:WHAT", to be freed. */
static char *view_key(const struct redis_view *view, int partition, const char *what)
{
    char *key;
    return asprintf(&key, "relance:{%s:%d}:%s", view->place, partition, what) < 0 ? NULL : key;
}

/* HGETALL of one key: fields and values by turns. */
static enum relance_status view_hash(struct redis_view *view, const char *key, redisReply **out,
                                     struct relance_error *error)
{
    struct relance_str words[] = {TEXT("HGETALL"), text_of(key)};
    return view_ask(view, 2, words, REDIS_REPLY_ARRAY, out, error);
}

/* ---- finding keys: there are few, since customers are fields of one */

typedef enum relance_status view_key_visit(struct redis_view *view, const char *key, void *context,
                                           struct relance_error *error);

/* One step of a SCAN; `cursor` is where to go on, "0" at the end. */
static enum relance_status view_scan(struct redis_view *view, const char *pattern, char cursor[32],
                                     view_key_visit *visit, void *context, struct relance_error *error)
{
    struct relance_str words[] = {TEXT("SCAN"),     text_of(cursor), TEXT("MATCH"),
                                  text_of(pattern), TEXT("COUNT"),   TEXT("1000")};
    redisReply *reply = NULL;
    enum relance_status status = view_ask(view, 6, words, REDIS_REPLY_ARRAY, &reply, error);
    if (status != RELANCE_OK) return status;
    const redisReply *keys = reply->element[1];
    for (size_t i = 0; i < keys->elements && status == RELANCE_OK; i++)
        status = visit(view, keys->element[i]->str, context, error);
    snprintf(cursor, 32, "%s", reply->element[0]->str);
    freeReplyObject(reply);
    return status;
}

static enum relance_status view_each_key(struct redis_view *view, const char *pattern, view_key_visit *visit,
                                         void *context, struct relance_error *error)
{
    char cursor[32] = "0";
    enum relance_status status;
    do
        status = view_scan(view, pattern, cursor, visit, context, error);
    while (status == RELANCE_OK && strcmp(cursor, "0") != 0);
    return status;
}

/* ---- opening */

/* Takes the count from the meta of a partition that has a checkpoint; until its first, it has none. */
static enum relance_status view_take_partitions(struct redis_view *view, const char *key, void *context,
                                                struct relance_error *error)
{
    (void)context;
    struct relance_str words[] = {TEXT("HGET"), text_of(key), TEXT("partitions")};
    redisReply *reply = NULL;
    int64_t count;
    enum relance_status status = view_ask(view, 3, words, REDIS_REPLY_STRING, &reply, error);
    if (status != RELANCE_OK) return status;
    if (reply->type == REDIS_REPLY_STRING && text_count(view_text(reply), &count) && count <= PARTITIONS_MAX)
        view->partitions = (int)count;
    freeReplyObject(reply);
    return RELANCE_OK;
}

/* "relance:{GROUP:TOPIC:*}:meta" with what a pattern would take for a sign of its own kept apart. To be
 * freed. */
static char *view_meta_pattern(const struct redis_view *view)
{
    char *pattern = NULL;
    size_t size;
    FILE *out = open_memstream(&pattern, &size);
    if (!out) return NULL;
    fputs("relance:{", out);
    for (const char *c = view->place; *c; c++) {
        if (strchr("*?[]\\^", *c)) fputc('\\', out);
        fputc(*c, out);
    }
    fputs(":*}:meta", out);
    fclose(out);
    return pattern;
}

static enum relance_status view_find_partitions(struct redis_view *view, struct relance_error *error)
{
    char *pattern = view_meta_pattern(view);
    if (!pattern) return view_no_memory(error);
    enum relance_status status = view_each_key(view, pattern, view_take_partitions, NULL, error);
    free(pattern);
    if (status != RELANCE_OK || view->partitions > 0) return status;
    return relance_error_set(error, RELANCE_REFUSED, "Redis holds no state of group and topic '%s'",
                             view->place);
}

static struct redis_view *view_connect(const char *url, const char *group, const char *topic,
                                       struct relance_error *error)
{
    struct redis_view *view = calloc(1, sizeof *view);
    if (!view || asprintf(&view->place, "%s:%s", group, topic) < 0) {
        free(view);
        view_no_memory(error);
        return NULL;
    }
    if (redis_connect(url, &view->redis, error) == RELANCE_OK) return view;
    redis_view_close(view);
    return NULL;
}

struct redis_view *redis_view_open(const char *url, const char *group, const char *topic,
                                   struct relance_error *error)
{
    struct redis_view *view = view_connect(url, group, topic, error);
    if (!view || view_find_partitions(view, error) == RELANCE_OK) return view;
    redis_view_close(view);
    return NULL;
}

void redis_view_close(struct redis_view *view)
{
    if (!view) return;
    if (view->redis) redisFree(view->redis);
    free(view->place);
    free(view);
}

bool redis_view_ping(const char *url)
{
    struct relance_error error;
    struct redis_view *view = view_connect(url, "", "", &error);
    struct relance_str words[] = {TEXT("PING")};
    redisReply *reply = NULL;
    bool answers = view && view_ask(view, 1, words, REDIS_REPLY_STATUS, &reply, &error) == RELANCE_OK;
    freeReplyObject(reply);
    redis_view_close(view);
    return answers;
}

bool redis_view_claimed(const char *url, const char *group, const char *topic, int partitions)
{
    struct relance_error error;
    struct redis_view *view = view_connect(url, group, topic, &error);
    bool claimed = view != NULL;
    for (int p = 0; p < partitions && claimed; p++) {
        char *stamp = NULL;
        size_t size;
        claimed =
            redis_view_field(view, p, REDIS_VIEW_META, TEXT("stamp"), &stamp, &size, &error) == RELANCE_OK &&
            stamp;
        free(stamp);
    }
    redis_view_close(view);
    return claimed;
}

enum relance_status redis_view_count(const char *url, const char *group, const char *topic, int *partitions,
                                     struct relance_error *error)
{
    char *text = NULL;
    size_t size;
    int64_t count = 0;
    struct redis_view *view = view_connect(url, group, topic, error);
    if (!view) return RELANCE_IO;
    enum relance_status status =
        redis_view_field(view, 0, REDIS_VIEW_META, TEXT("partitions"), &text, &size, error);
    redis_view_close(view);
    if (text) text_count((struct relance_str){text, size}, &count);
    free(text);
    *partitions = count > 0 && count < PARTITIONS_MAX ? (int)count : 0;
    if (status != RELANCE_OK || *partitions) return status;
    return relance_error_set(error, RELANCE_REFUSED, "Redis has no checkpoint of group %s and topic %s",
                             group, topic);
}

int redis_view_partitions(const struct redis_view *view)
{
    return view->partitions;
}

/* ---- counters */

enum relance_status redis_view_counters(struct redis_view *view, redis_view_counter *visit, void *context,
                                        struct relance_error *error)
{
    for (int p = 0; p < view->partitions; p++) {
        redisReply *reply = NULL;
        char *key = view_key(view, p, "metrics");
        enum relance_status status = key ? view_hash(view, key, &reply, error) : view_no_memory(error);
        free(key);
        if (status != RELANCE_OK) return status;
        for (size_t i = 0; i + 1 < reply->elements; i += 2)
            visit(context, view_text(reply->element[i]), strtod(reply->element[i + 1]->str, NULL));
        freeReplyObject(reply);
    }
    return RELANCE_OK;
}

/* ---- live instances */

struct view_live {
    redis_view_live *visit;
    void *context;
};

static enum relance_status view_read_live(struct redis_view *view, const char *key, void *context,
                                          struct relance_error *error)
{
    const struct view_live *live = context;
    redisReply *reply = NULL;
    enum relance_status status = view_hash(view, key, &reply, error);
    if (status != RELANCE_OK) return status;
    struct relance_str instance = text_of(key + strlen(LIVE_PREFIX));
    for (size_t i = 0; i + 1 < reply->elements; i += 2)
        live->visit(live->context, instance, view_text(reply->element[i]), view_text(reply->element[i + 1]));
    freeReplyObject(reply);
    return RELANCE_OK;
}

enum relance_status redis_view_lives(struct redis_view *view, redis_view_live *visit, void *context,
                                     struct relance_error *error)
{
    struct view_live live = {visit, context};
    return view_each_key(view, LIVE_PREFIX "*", view_read_live, &live, error);
}

/* ---- single fields */

enum relance_status redis_view_field(struct redis_view *view, int partition, enum redis_view_hash hash,
                                     struct relance_str field, char **text, size_t *size,
                                     struct relance_error *error)
{
    static const char *const names[] = {[REDIS_VIEW_META] = "meta", [REDIS_VIEW_CUSTOMERS] = "customers"};
    char *key = view_key(view, partition, names[hash]);
    if (!key) return view_no_memory(error);
    struct relance_str words[] = {TEXT("HGET"), text_of(key), field};
    redisReply *reply = NULL;
    enum relance_status status = view_ask(view, 3, words, REDIS_REPLY_STRING, &reply, error);
    free(key);
    if (status != RELANCE_OK) return status;
    *text = NULL;
    *size = 0;
    if (reply->type == REDIS_REPLY_STRING) {
        *size = (size_t)reply->len;
        *text = malloc(*size + 1);
        if (*text) memcpy(*text, reply->str, *size + 1); /* hiredis keeps a NUL behind it */
        if (!*text) status = view_no_memory(error);
    }
    freeReplyObject(reply);
    return status;
}
