/* The live figures in Redis. Losing them costs nothing, so no error leaves this file. */
#include "host/ensure.h"
#include "delivery/live_store.h"
#include "redis/connect.h"
#include "redis/resp.h"
#include "host/text.h"

#define LIVE_EXPIRES_S "5"

struct live_store {
    const char *url;
    char key[512];
    redisContext *redis; /* NULL: none */
    struct blob out;
};

struct live_store *live_store_open(const char *url, const char *instance)
{
    struct live_store *store = calloc(1, sizeof *store);
    ensure(store);
    store->url = url;
    snprintf(store->key, sizeof store->key, "relance:live:%s", instance);
    return store;
}

static void live_store_drop(struct live_store *store)
{
    if (store->redis) redisFree(store->redis);
    store->redis = NULL;
}

static void live_store_format(struct live_store *store, const struct live_figure *figures, size_t count)
{
    store->out.size = 0;
    resp_begin(&store->out, 2 * count + 2);
    resp_word(&store->out, TEXT("HSET"));
    resp_word(&store->out, text_of(store->key));
    for (size_t i = 0; i < count; i++) {
        resp_word(&store->out, text_of(figures[i].name));
        resp_word(&store->out, text_of(figures[i].value));
    }
    resp_command(&store->out, 3,
                 (struct relance_str[]){TEXT("EXPIRE"), text_of(store->key), TEXT(LIVE_EXPIRES_S)});
}

void live_store_write(struct live_store *store, const struct live_figure *figures, size_t count)
{
    struct relance_error error;
    if (!store->redis && redis_connect(store->url, &store->redis, &error) != RELANCE_OK) {
        store->redis = NULL;
        return;
    }
    live_store_format(store, figures, count);
    redisAppendFormattedCommand(store->redis, store->out.data, store->out.size);
    for (int answers = 0; answers < 2; answers++) {
        void *reply = NULL;
        if (redisGetReply(store->redis, &reply) != REDIS_OK) {
            live_store_drop(store);
            return;
        }
        freeReplyObject(reply);
    }
}

void live_store_close(struct live_store *store)
{
    live_store_drop(store);
    blob_free(&store->out);
    free(store);
}
