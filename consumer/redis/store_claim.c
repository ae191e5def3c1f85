/* A partition's store is claimed by writing a stamp under WATCH, emptied, and confirmed. */
#include "redis/store_parts.h"
#include "host/text.h"

#include <stdio.h>

struct store_reading {
    struct meta *meta;
    struct relance_str begun, whole;
};

static enum relance_status store_take_field(void *context, struct relance_str name, struct relance_str value,
                                            struct relance_error *error)
{
    struct store_reading *reading = context;
    if (str_equal(name, STR("begun"))) reading->begun = value;
    if (str_equal(name, STR("whole"))) reading->whole = value;
    if (meta_take(reading->meta, name, value)) return RELANCE_OK;
    return relance_error_set(error, RELANCE_INVALID, "Redis: field %.*s of the checkpoint is not of its form",
                             STR_ARG(name));
}

static enum relance_status store_take_meta(struct store *store, const struct redisReply *answer,
                                           struct meta *meta, struct relance_error *error)
{
    struct store_reading reading = {.meta = meta};
    meta_clear(meta);
    enum relance_status status = redis_read_pairs(answer, "HGETALL", store_take_field, &reading, error);
    if (status != RELANCE_OK) return status;
    store->is_part = !str_equal(reading.begun, reading.whole);
    snprintf(store->whole, STAMP_SIZE, "%.*s", STR_ARG(reading.whole));
    return RELANCE_OK;
}

/* Reads meta under WATCH. */
static enum relance_status store_read_meta(struct store *store, struct meta *meta,
                                           struct relance_error *error)
{
    struct redisReply *answer;
    STORE_ASK(store, STR("WATCH"), str_of(store->meta_key));
    STORE_ASK(store, STR("HGETALL"), str_of(store->meta_key));
    enum relance_status status = store_run_watch(store, &answer, error);
    if (status != RELANCE_OK) return status;
    status = store_judge(store, store_take_meta(store, answer, meta, error), error);
    redis_answer_free(answer);
    return status;
}

struct store_unlinking {
    const struct store *store;
    struct resp_many keys;
};

static enum relance_status store_unlink_day(void *context, struct relance_str day, struct relance_str value,
                                            struct relance_error *error)
{
    struct store_unlinking *unlinking = context;
    char key[REDIS_KEY_SIZE];
    (void)value, (void)error;
    if (day.size >= TEXT_DAY_SIZE) return RELANCE_OK; /* none of ours */
    redis_key_of_day(key, unlinking->store->sales_key, day.data);
    resp_many_add_one(&unlinking->keys, str_of(key));
    return RELANCE_OK;
}

/* Puts what empties the store; `days` is what HGETALL of those that have sums has said. One command: of a part of an EXEC
 * that is carried out, either all keys are gone or none. Which days have sums stays known: a lost checkpoint that comes
 * back in front of this may bring a day that nobody knows of now, and the next one who empties the store has to. */
static enum relance_status store_unlink(struct store *store, const struct redisReply *days,
                                        struct relance_error *error)
{
    const char *const keys[] = {store->customers_key, store->timers_key, store->metrics_key,
                                store->cohorts_key};
    struct store_unlinking unlinking = {store,
                                        store_many(&store->question.commands, "UNLINK", store->meta_key)};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        resp_many_add_one(&unlinking.keys, str_of(keys[i]));
    enum relance_status status = redis_read_pairs(days, "HGETALL", store_unlink_day, &unlinking, error);
    store->question.expected += resp_many_flush(&unlinking.keys);
    buffer_free(&unlinking.keys.words);
    return status;
}

/* Writes the stamp behind what has been put, if meta is still what was read. *written tells. */
static enum relance_status store_write_stamp(struct store *store, bool *written, struct relance_error *error)
{
    STORE_ASK(store, STR("HSET"), str_of(store->meta_key), STR("stamp"), str_of(store->stamp));
    STORE_ASK(store, STR("EXEC"));
    size_t queued = store->question.expected - 2;
    if (!store_send(store, &store->question, error)) return store_down(store, error);
    enum relance_status status = store_take_queued(store, &store->question, error);
    struct redisReply *answer = status != RELANCE_IO ? store_take(store, &store->question, error) : NULL;
    if (!answer) return store_down(store, error);
    if (status == RELANCE_OK) status = redis_read_exec(answer, queued, written, error);
    redis_answer_free(answer);
    return store_judge(store, status, error);
}

/* Another may write meta between our reading it and our EXEC; who loses so often is not alone with it. */
enum { STORE_CLAIMS = 100 };
static enum relance_status store_take_over(struct store *store, struct meta *meta,
                                           struct relance_error *error)
{
    for (int tries = 0; tries < STORE_CLAIMS; tries++) {
        bool written = false;
        enum relance_status status = store_read_meta(store, meta, error);
        if (status == RELANCE_OK) {
            STORE_ASK(store, STR("MULTI"));
            status = store_write_stamp(store, &written, error);
        }
        if (status != RELANCE_OK || written) return status;
    }
    return relance_error_set(error, RELANCE_AGAIN, "Redis: %s is written by another all the time",
                             store->meta_key);
}

enum relance_status store_claim(struct store *store, const char stamp[STAMP_SIZE], struct meta *meta,
                                struct relance_error *error)
{
    store_disconnect(store);
    *store->attempt = '\0';
    memcpy(store->stamp, stamp, STAMP_SIZE);
    enum relance_status status = store_connect(store, error);
    if (status != RELANCE_OK) return status;
    status = store_take_over(store, meta, error);
    if (status == RELANCE_OK) status = store_watch_now(store, error);
    if (status != RELANCE_OK) store_disconnect(store); /* it would watch nothing, or what is not ours */
    return status;
}

/* Which days have sums is asked for first: no other key says it. */
static enum relance_status store_empty_now(struct store *store, bool *written, struct relance_error *error)
{
    struct redisReply *days;
    STORE_ASK(store, STR("HGETALL"), str_of(store->sales_key));
    enum relance_status status = store_guarded_read(store, &days, error);
    if (status != RELANCE_OK) return status;
    STORE_ASK(store, STR("MULTI"));
    status = store_judge(store, store_unlink(store, days, error), error);
    redis_answer_free(days);
    if (status != RELANCE_OK) {
        redis_question_clear(&store->question);
        return status;
    }
    status = store_write_stamp(store, written, error);
    if (status != RELANCE_OK || !*written) return status;
    store->is_part = false;
    *store->whole = '\0';
    return RELANCE_OK;
}

/* Writes what `change` puts, and the stamp behind it, if the store is ours; *written tells. */
typedef enum relance_status store_change(struct store *store, bool *written, struct relance_error *error);

static enum relance_status store_make(struct store *store, store_change *change, struct relance_error *error)
{
    bool written = false;
    enum relance_status status = store_attach(store, error);
    if (status == RELANCE_OK) status = change(store, &written, error);
    if (status == RELANCE_OK && !written)
        status = relance_error_set(error, RELANCE_REFUSED, "Redis: somebody else has written the checkpoint");
    if (status == RELANCE_OK) status = store_watch_now(store, error);
    if (status != RELANCE_OK) store_disconnect(store);
    return status;
}

enum relance_status store_empty(struct store *store, struct relance_error *error)
{
    return store_make(store, store_empty_now, error);
}

static enum relance_status store_confirm_now(struct store *store, bool *written, struct relance_error *error)
{
    STORE_ASK(store, STR("MULTI"));
    return store_write_stamp(store, written, error);
}

enum relance_status store_confirm(struct store *store, struct relance_error *error)
{
    store_disconnect(store);
    return store_make(store, store_confirm_now, error);
}
