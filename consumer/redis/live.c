/* The live figures in Redis. Losing them costs nothing, so no error leaves this file. */
#include "base/ensure.h"
#include "delivery/live_store.h"
#include "redis/keys.h"
#include "redis/line.h"
#include "redis/resp.h"
#include "base/str.h"
#include <stdlib.h>

#define LIVE_EXPIRES_S "5"
enum { LIVE_TIMEOUT_MS = 1000 }; /* the thread that writes them also hears that the process is to end */

struct live_store {
    const char *url;
    char key[REDIS_KEY_SIZE];
    struct redis_line *line; /* NULL: none */
    struct redis_question question;
};

struct live_store *live_store_open(const char *url, const char *instance)
{
    struct live_store *store = calloc(1, sizeof *store);
    ensure(store);
    store->url = url;
    redis_key_live(store->key, instance);
    store->question.timeout_ms = LIVE_TIMEOUT_MS;
    return store;
}

static void live_store_drop(struct live_store *store)
{
    redis_close(store->line);
    store->line = NULL;
    redis_question_clear(&store->question);
}

static void live_store_ask(struct live_store *store, const struct live_figure *figures, size_t count)
{
    struct buffer *out = &store->question.commands;
    resp_begin(out, 2 * count + 2);
    resp_word(out, STR("HSET"));
    resp_word(out, str_of(store->key));
    for (size_t i = 0; i < count; i++) {
        resp_word(out, str_of(figures[i].name));
        resp_word(out, str_of(figures[i].value));
    }
    store->question.expected++;
    REDIS_ASK(&store->question, STR("EXPIRE"), str_of(store->key), STR(LIVE_EXPIRES_S));
}

/* Whatever Redis answers is passed over, but it has to come. */
static enum relance_status live_store_run(struct live_store *store, struct relance_error *error)
{
    enum relance_status status = redis_send(store->line, &store->question, error);
    while (status == RELANCE_OK && store->question.expected) {
        struct redisReply *answer = NULL;
        status = redis_take(store->line, &store->question, &answer, error);
        redis_answer_free(answer);
    }
    return status;
}

void live_store_write(struct live_store *store, const struct live_figure *figures, size_t count)
{
    struct relance_error error;
    if (!store->line && redis_connect(store->url, store->key, &store->line, &error) != RELANCE_OK) {
        store->line = NULL;
        return;
    }
    live_store_ask(store, figures, count);
    if (live_store_run(store, &error) != RELANCE_OK || redis_must_reconnect(store->line))
        live_store_drop(store);
}

void live_store_close(struct live_store *store)
{
    live_store_drop(store);
    redis_question_free(&store->question);
    free(store);
}
