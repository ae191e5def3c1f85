/* The live figures in Redis, and the list of instances. Losing them costs nothing. */
#include "base/ensure.h"
#include "base/str.h"
#include "delivery/live_store.h"
#include "redis/single.h"
#include "redis/totals.h"
#include <stdio.h>
#include <stdlib.h>

#define LIVE_EXPIRES_S "5"

struct live_store {
    const char *instance;
    struct redis_single figures, instances;
    struct redis_totals *totals;
};

struct live_store *live_store_open(const struct live_store_place *place)
{
    struct live_store *store = calloc(1, sizeof *store);
    ensure(store);
    store->instance = place->instance;
    redis_single_open(&store->figures, place->url);
    redis_single_open(&store->instances, place->url);
    redis_key_live(store->figures.key, place->group, place->instance);
    redis_key_instances(store->instances.key, place->group, place->topic);
    store->totals = redis_totals_open(place->url, place->group, place->topic, place->partitions);
    return store;
}

void live_store_close(struct live_store *store)
{
    redis_single_close(&store->figures);
    redis_single_close(&store->instances);
    redis_totals_close(store->totals);
    free(store);
}

/* All at once, since one that is there no more is to go. */
bool live_store_write(struct live_store *store, const struct live_figure *figures, size_t count)
{
    redis_single_begin(&store->figures, count);
    for (size_t i = 0; i < count; i++)
        redis_single_put(&store->figures, str_of(figures[i].name), str_of(figures[i].value));
    return redis_single_replace(&store->figures, STR(LIVE_EXPIRES_S));
}

/* ---- which instances there are */

/* What stood there, then what is written. */
static enum relance_status live_hear_entry(void *context, size_t index, const struct redisReply *answer,
                                           struct relance_error *error)
{
    char *before = context;
    struct relance_str text;
    if (index > 0) return redis_single_hear_counts(NULL, index, answer, error);
    enum relance_status status = redis_read_text(answer, "HGET", &text, error);
    if (status == RELANCE_OK && text.data) snprintf(before, LIVE_BEFORE_SIZE, "%.*s", STR_ARG(text));
    return status;
}

bool live_store_enter(struct live_store *store, struct relance_str entry, char before[LIVE_BEFORE_SIZE])
{
    struct relance_str key = str_of(store->instances.key), instance = str_of(store->instance);
    *before = '\0';
    REDIS_ASK(&store->instances.question, STR("HGET"), key, instance);
    REDIS_ASK(&store->instances.question, STR("HSET"), key, instance, entry);
    REDIS_ASK(&store->instances.question, STR("EXPIRE"), key, STR(LIVE_EXPIRES_S));
    return redis_single_ask(&store->instances, live_hear_entry, before);
}

void live_store_leave(struct live_store *store)
{
    REDIS_ASK(&store->instances.question, STR("HDEL"), str_of(store->instances.key), str_of(store->instance));
    redis_single_ask(&store->instances, redis_single_hear_counts, NULL);
}

/* Those whose live figures are gone are no instances any more. */
static void live_forget(void *context, struct relance_str instance)
{
    struct live_store *store = context;
    REDIS_ASK(&store->instances.question, STR("HDEL"), str_of(store->instances.key), instance);
}

void live_store_total(struct live_store *store, bool is_last)
{
    redis_totals_write(store->totals, is_last, live_forget, store);
    if (store->instances.question.expected)
        redis_single_ask(&store->instances, redis_single_hear_counts, NULL);
}
