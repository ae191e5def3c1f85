/* The live figures in Redis. Losing them costs nothing, so no error leaves this file. The two keys are of no partition:
 * in a Redis Cluster each may be another node's. */
#include "base/ensure.h"
#include "base/str.h"
#include "delivery/live_store.h"
#include "redis/keys.h"
#include "redis/line.h"
#include "redis/resp.h"
#include <stdio.h>
#include <stdlib.h>

#define LIVE_EXPIRES_S "5"
enum { LIVE_TIMEOUT_MS = 1000 }; /* the thread that writes them also hears that the process is to end */

/* A key, and the connection to whoever has it; NULL: none. */
struct live_key {
    char name[REDIS_KEY_SIZE];
    struct redis_line *line;
};

struct live_store {
    const char *url, *instance;
    struct live_key figures, instances;
    struct redis_question question;
};

struct live_store *live_store_open(const struct live_store_place *place)
{
    struct live_store *store = calloc(1, sizeof *store);
    ensure(store);
    store->url = place->url;
    store->instance = place->instance;
    redis_key_live(store->figures.name, place->group, place->instance);
    redis_key_instances(store->instances.name, place->group, place->topic);
    store->question.timeout_ms = LIVE_TIMEOUT_MS;
    return store;
}

/* Asks what has been put into the question. `visit` gets each answer that is no error. */
typedef enum relance_status live_visit(void *context, size_t index, const struct redisReply *answer,
                                       struct relance_error *error);

/* Of one that has failed, or that has answered with an error, the connection is given up. */
static bool live_ask(struct live_store *store, struct live_key *key, live_visit *visit, void *context)
{
    struct relance_error error;
    enum relance_status status = RELANCE_OK;
    if (!key->line && redis_connect(store->url, key->name, &key->line, &error) != RELANCE_OK) {
        key->line = NULL;
        redis_question_clear(&store->question);
        return false;
    }
    if (status == RELANCE_OK) status = redis_send(key->line, &store->question, &error);
    for (size_t i = 0; status == RELANCE_OK && store->question.expected; i++) {
        struct redisReply *answer = NULL;
        status = redis_take(key->line, &store->question, &answer, &error);
        if (status == RELANCE_OK) status = visit(context, i, answer, &error);
        redis_answer_free(answer);
    }
    if (status == RELANCE_OK) return true;
    redis_close(key->line);
    key->line = NULL;
    redis_question_clear(&store->question);
    return false;
}

/* ---- the figures: all at once, since one that is there no more is to go */

static void live_put_figures(struct live_store *store, const struct live_figure *figures, size_t count)
{
    struct buffer *out = &store->question.commands;
    struct relance_str key = str_of(store->figures.name);
    REDIS_ASK(&store->question, STR("MULTI"));
    REDIS_ASK(&store->question, STR("UNLINK"), key);
    resp_begin(out, 2 * count + 2);
    resp_word(out, STR("HSET"));
    resp_word(out, key);
    for (size_t i = 0; i < count; i++) {
        resp_word(out, str_of(figures[i].name));
        resp_word(out, str_of(figures[i].value));
    }
    store->question.expected++;
    REDIS_ASK(&store->question, STR("EXPIRE"), key, STR(LIVE_EXPIRES_S));
    REDIS_ASK(&store->question, STR("EXEC"));
}

/* MULTI, three that are queued, and EXEC. */
static enum relance_status live_hear_exec(void *context, size_t index, const struct redisReply *answer,
                                          struct relance_error *error)
{
    bool done;
    (void)context;
    if (index == 0) return redis_read_word(answer, "MULTI", "OK", error);
    if (index < 4) return redis_read_word(answer, "MULTI", "QUEUED", error);
    return redis_read_exec(answer, 3, &done, error);
}

bool live_store_write(struct live_store *store, const struct live_figure *figures, size_t count)
{
    live_put_figures(store, figures, count);
    return live_ask(store, &store->figures, live_hear_exec, NULL);
}

/* ---- which instances there are */

/* What stood there, then what is written. */
static enum relance_status live_hear_entry(void *context, size_t index, const struct redisReply *answer,
                                           struct relance_error *error)
{
    char *before = context;
    struct relance_str text;
    int64_t count;
    if (index > 0) return redis_read_count(answer, "HSET", &count, error);
    enum relance_status status = redis_read_text(answer, "HGET", &text, error);
    if (status == RELANCE_OK && text.data) snprintf(before, LIVE_BEFORE_SIZE, "%.*s", STR_ARG(text));
    return status;
}

bool live_store_enter(struct live_store *store, struct relance_str entry, char before[LIVE_BEFORE_SIZE])
{
    struct relance_str key = str_of(store->instances.name), instance = str_of(store->instance);
    *before = '\0';
    REDIS_ASK(&store->question, STR("HGET"), key, instance);
    REDIS_ASK(&store->question, STR("HSET"), key, instance, entry);
    REDIS_ASK(&store->question, STR("EXPIRE"), key, STR(LIVE_EXPIRES_S));
    return live_ask(store, &store->instances, live_hear_entry, before);
}

static enum relance_status live_hear_count(void *context, size_t index, const struct redisReply *answer,
                                           struct relance_error *error)
{
    int64_t count;
    (void)context;
    (void)index;
    return redis_read_count(answer, "HDEL", &count, error);
}

void live_store_leave(struct live_store *store)
{
    REDIS_ASK(&store->question, STR("HDEL"), str_of(store->instances.name), str_of(store->instance));
    live_ask(store, &store->instances, live_hear_count, NULL);
}

void live_store_close(struct live_store *store)
{
    redis_close(store->figures.line);
    redis_close(store->instances.line);
    redis_question_free(&store->question);
    free(store);
}
