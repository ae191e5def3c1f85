/* The store in Redis. All keys of a partition carry one hash tag:
 *
 *     relance:{GROUP:TOPIC:P}:meta  :customers  :timers  :metrics  :metrics:MINUTE  :cohorts  :sales  :sales:DAY
 *
 * I2: a checkpoint is one EXEC under WATCH on meta. It, and every read of state, counts only if `stamp` is
 * the one this claim wrote last; after an answer that was lost, that one or the attempted one. Any other:
 * claim.
 *
 * The connection has been WATCHing meta since it last found its own stamp there: MULTI … EXEC, and at once
 * WATCH and HMGET for the next. A connection that breaks is made anew when it is next needed, and then watches
 * and compares before anything else. Commands are formatted into our own buffer and written with one call;
 * hiredis reads the answers.
 *
 * A Redis that lost its tail may keep a part of a checkpoint: where the file ends in the middle of a command of a
 * MULTI, it takes that command away and leaves the MULTI open (Redis 6.2 to 7.4 at least; Valkey before its pull
 * request 4342), and at its next start the next EXEC, of whomever, carries out what stands there. So the first
 * command of a checkpoint writes `begun` and the last one `whole`, both with the stamp that it is based on. Where the
 * two differ a part was done; where `whole` is not what this owner has read or written, a checkpoint that was lost has
 * come back. A checkpoint that follows in the same partition heals all that, since it has whatever had changed in
 * the one that was lost, and the first of a connection writes of each of those all that it may have written. */
#include "redis/store_parts.h"
#include "base/ensure.h"

#include <stdlib.h>

enum { STORE_KEPT = 256 << 10 }; /* bytes of a checkpoint's commands that are kept for the next one */

struct resp_many store_many(struct buffer *out, const char *verb, const char *key)
{
    return (struct resp_many){.out = out, .verb = str_of(verb), .key = str_of(key)};
}

struct store *store_open(const struct store_place *place)
{
    struct store *store = calloc(1, sizeof *store);
    ensure(store);
    store->url = place->url;
    store->is_first = true;
    store->read_count = STORE_READ_FIRST;
    store->read_ms = REDIS_TIMEOUT_MS;
    const struct {
        char *name;
        enum redis_key key;
    } keys[] = {{store->meta_key, REDIS_KEY_META},       {store->customers_key, REDIS_KEY_CUSTOMERS},
                {store->timers_key, REDIS_KEY_TIMERS},   {store->metrics_key, REDIS_KEY_METRICS},
                {store->cohorts_key, REDIS_KEY_COHORTS}, {store->sales_key, REDIS_KEY_SALES}};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        redis_key(keys[i].name, place->group, place->topic, place->partition, keys[i].key);
    store->many[STORE_STATES] = store_many(&store->checkpoint.commands, "HSET", store->customers_key);
    store->many[STORE_GONE] = store_many(&store->checkpoint.commands, "HDEL", store->customers_key);
    store->many[STORE_DUES] = store_many(&store->checkpoint.commands, "ZADD", store->timers_key);
    store->many[STORE_OVER] = store_many(&store->checkpoint.commands, "ZREM", store->timers_key);
    return store;
}

void store_disconnect(struct store *store)
{
    redis_close(store->line);
    store->line = NULL;
    store->is_first = true;
}

static void store_free_checkpoint(struct store *store)
{
    redis_question_free(&store->checkpoint);
    for (size_t i = 0; i < STORE_MANY; i++)
        buffer_free(&store->many[i].words);
}

bool store_rest(struct store *store)
{
    if (store->checkpoint.commands.capacity <= STORE_KEPT) return false;
    store_free_checkpoint(store);
    return true;
}

void store_close(struct store *store)
{
    store_disconnect(store);
    redis_question_free(&store->question);
    store_free_checkpoint(store);
    free(store);
}

/* ---- asking */

enum relance_status store_down(struct store *store, struct relance_error *error)
{
    store_disconnect(store);
    redis_question_clear(&store->question);
    return error->status = RELANCE_AGAIN;
}

enum relance_status store_judge(struct store *store, enum relance_status status, struct relance_error *error)
{
    if (status == RELANCE_IO) return store_down(store, error);
    if (status != RELANCE_OK && redis_must_reconnect(store->line)) store_disconnect(store);
    return status;
}

bool store_send(struct store *store, struct redis_question *question, struct relance_error *error)
{
    return redis_send(store->line, question, error) == RELANCE_OK;
}

struct redisReply *store_take(struct store *store, struct redis_question *question,
                              struct relance_error *error)
{
    struct redisReply *answer = NULL;
    return redis_take(store->line, question, &answer, error) == RELANCE_OK ? answer : NULL;
}

/* Takes an answer that is to be this word. */
static enum relance_status store_take_word(struct store *store, struct redis_question *question,
                                           const char *asked, const char *word, struct relance_error *error)
{
    struct redisReply *answer = store_take(store, question, error);
    if (!answer) return RELANCE_IO;
    enum relance_status status = redis_read_word(answer, asked, word, error);
    redis_answer_free(answer);
    return status;
}

enum relance_status store_take_queued(struct store *store, struct redis_question *question,
                                      struct relance_error *error)
{
    enum relance_status first = store_take_word(store, question, "MULTI", "OK", error);
    while (first != RELANCE_IO && question->expected > 1) {
        struct relance_error later;
        enum relance_status status = store_take_word(store, question, "a checkpoint", "QUEUED", &later);
        if (status != RELANCE_OK && (first == RELANCE_OK || status == RELANCE_IO))
            *error = later, first = status;
    }
    return first;
}

void store_adopt(struct store *store)
{
    memcpy(store->whole, store->stamp, STAMP_SIZE);
    memcpy(store->stamp, store->attempt, STAMP_SIZE);
}

/* Is the store ours? */
static enum relance_status store_check_stamp(struct store *store, struct relance_str found,
                                             struct relance_error *error)
{
    if (str_equal(found, str_of(store->stamp))) return RELANCE_OK;
    if (!*store->attempt || !str_equal(found, str_of(store->attempt)))
        return relance_error_set(error, RELANCE_REFUSED, "%s has another stamp", store->meta_key);
    store_adopt(store);
    return RELANCE_OK;
}

static void store_ask_guard(struct store *store)
{
    STORE_ASK(store, STR("HMGET"), str_of(store->meta_key), STR("stamp"), STR("begun"), STR("whole"));
}

static void store_watch(struct store *store)
{
    STORE_ASK(store, STR("WATCH"), str_of(store->meta_key));
    store_ask_guard(store);
}

static enum relance_status store_put_guard(void *context, size_t index, struct relance_str text,
                                           struct relance_error *error)
{
    struct relance_str *guard = context;
    (void)error;
    guard[index] = text;
    return RELANCE_OK;
}

static enum relance_status store_check_guard(struct store *store, const struct redisReply *answer,
                                             struct relance_error *error)
{
    struct relance_str guard[3]; /* stamp, begun, whole */
    enum relance_status status = redis_read_texts(answer, "HMGET", 3, store_put_guard, guard, error);
    if (status == RELANCE_OK) status = store_check_stamp(store, guard[0], error);
    if (status != RELANCE_OK) return status;
    bool is_sound =
        str_equal(guard[2], str_of(store->whole)) && (store->is_part || str_equal(guard[1], guard[2]));
    return is_sound ? RELANCE_OK
                    : relance_error_set(error, RELANCE_REFUSED, "%s has more of a checkpoint than it had",
                                        store->meta_key);
}

enum relance_status store_run_watch(struct store *store, struct redisReply **meta,
                                    struct relance_error *error)
{
    if (!store_send(store, &store->question, error)) return store_down(store, error);
    enum relance_status status = store_take_word(store, &store->question, "WATCH", "OK", error);
    *meta = status != RELANCE_IO ? store_take(store, &store->question, error) : NULL;
    if (!*meta) return store_down(store, error);
    if (status == RELANCE_OK) return RELANCE_OK;
    redis_answer_free(*meta);
    *meta = NULL;
    return status;
}

enum relance_status store_watch_now(struct store *store, struct relance_error *error)
{
    struct redisReply *answer;
    store_watch(store);
    enum relance_status status = store_run_watch(store, &answer, error);
    if (status != RELANCE_OK) return status;
    status = store_judge(store, store_check_guard(store, answer, error), error);
    redis_answer_free(answer);
    return status;
}

enum relance_status store_connect(struct store *store, struct relance_error *error)
{
    redis_question_clear(&store->question);
    if (redis_connect(store->url, store->meta_key, &store->line, error) == RELANCE_OK) return RELANCE_OK;
    store->line = NULL;
    return error->status = RELANCE_AGAIN;
}

enum relance_status store_attach(struct store *store, struct relance_error *error)
{
    if (store->line) return RELANCE_OK;
    enum relance_status status = store_connect(store, error);
    if (status != RELANCE_OK) return status;
    status = store_watch_now(store, error);
    if (status != RELANCE_OK) store_disconnect(store);
    return status;
}

enum relance_status store_guarded_read(struct store *store, struct redisReply **out,
                                       struct relance_error *error)
{
    store_ask_guard(store);
    struct redis_question *question = &store->question;
    if (!store_send(store, question, error)) return store_down(store, error);
    struct redisReply *answer = store_take(store, question, error),
                      *guard = answer ? store_take(store, question, error) : NULL;
    if (!guard) {
        redis_answer_free(answer);
        return store_down(store, error);
    }
    enum relance_status status = store_check_guard(store, guard, error);
    redis_answer_free(guard);
    if (status == RELANCE_OK)
        *out = answer;
    else
        redis_answer_free(answer);
    return store_judge(store, status, error);
}

const char *store_stamp(const struct store *store)
{
    return store->stamp;
}

bool store_is_part(const struct store *store)
{
    return store->is_part;
}
