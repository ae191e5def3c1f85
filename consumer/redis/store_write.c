/* A checkpoint: put together, sent, and settled where its answer was lost. */
#include "redis/store_parts.h"
#include "base/ensure.h"
#include "host/text.h"

#include <stdio.h>

#define STORE_MINUTE_S "172800"   /* how long the counters of a minute are kept: 48 h, */
#define STORE_DAY_S    "69120000" /* and the sums of a day: 800 days */

void store_begin(struct store *store)
{
    for (size_t i = 0; i < STORE_MANY; i++)
        resp_many_clear(&store->many[i]); /* one that was put together may have been given up */
    redis_question_clear(&store->checkpoint);
    store->is_put_as_first = store->is_first;
    *store->minute_key = *store->day_key = '\0';
    STORE_PUT(store, STR("MULTI"));
    STORE_PUT(store, STR("HSET"), str_of(store->meta_key), STR("begun"), str_of(store->stamp));
}

/* What is taken out comes behind what is put in: see store_put_change. */
static void store_flush_when_full(struct store *store, struct resp_many *in, struct resp_many *out)
{
    if (in->count < RESP_MANY && out->count < RESP_MANY) return;
    store->checkpoint.expected += resp_many_flush(in);
    store->checkpoint.expected += resp_many_flush(out);
}

static void store_put_due(struct store *store, int64_t due_ms, struct relance_str customer)
{
    char score[TEXT_NUMBER_SIZE];
    size_t size = text_put_int(score, due_ms);
    resp_many_add(&store->many[STORE_DUES], (struct relance_str){score, size}, customer);
}

/* A wait's time in the set is never later than the true one: it is written only when that moves earlier, and
 * taken out when nothing waits any more. One that comes too early is looked up, at a claim, and found to be
 * later. That spares a write for every re-armed run. */
static void store_put_wait(struct store *store, const struct relance_change *change)
{
    bool waits = change->due_ms != RELANCE_NEVER;
    if (store->is_put_as_first) store_put_due(store, waits ? change->due_ms - 1 : 0, change->customer);
    if (waits && (store->is_put_as_first || change->due_ms < change->due_saved_ms))
        store_put_due(store, change->due_ms, change->customer);
    if (!waits && (store->is_put_as_first || change->due_saved_ms != RELANCE_NEVER))
        resp_many_add_one(&store->many[STORE_OVER], change->customer);
    store_flush_when_full(store, &store->many[STORE_DUES], &store->many[STORE_OVER]);
}

/* The first checkpoint of a connection may have to undo a lost one that comes back. Redis keeps no command that changes
 * nothing, such as taking out what the lost one has put in and is not there: so there each of them changes something. */
void store_put_change(struct store *store, const struct relance_change *change)
{
    if (store->is_put_as_first || change->state.size)
        resp_many_add(&store->many[STORE_STATES], change->customer,
                      change->state.size ? change->state : STR(""));
    if (!change->state.size) resp_many_add_one(&store->many[STORE_GONE], change->customer);
    store_flush_when_full(store, &store->many[STORE_STATES], &store->many[STORE_GONE]);
    store_put_wait(store, change);
}

static void store_put_counter(struct store *store, struct relance_str verb, struct relance_str name,
                              struct relance_str number, const char *minute)
{
    if (!*store->minute_key) redis_key_of_minute(store->minute_key, store->metrics_key, minute);
    STORE_PUT(store, verb, str_of(store->metrics_key), name, number);
    STORE_PUT(store, verb, str_of(store->minute_key), name, number);
}

void store_put_count(struct store *store, struct relance_str name, int64_t number, const char *minute)
{
    char text[TEXT_NUMBER_SIZE];
    store_put_counter(store, STR("HINCRBY"), name, (struct relance_str){text, text_put_int(text, number)},
                      minute);
}

void store_put_sum(struct store *store, struct relance_str name, double number, const char *minute)
{
    char text[40];
    snprintf(text, sizeof text, "%.17g", number);
    store_put_counter(store, STR("HINCRBYFLOAT"), name, str_of(text), minute);
}

static void store_end_day(struct store *store)
{
    if (*store->day_key) STORE_PUT(store, STR("EXPIRE"), str_of(store->day_key), STR(STORE_DAY_S));
}

static void store_begin_day(struct store *store, int64_t day)
{
    char text[TEXT_DAY_SIZE];
    store_end_day(store);
    store->day = day;
    text_put_day(text, day);
    redis_key_of_day(store->day_key, store->sales_key, text);
    STORE_PUT(store, STR("HSET"), str_of(store->sales_key), str_of(text), STR("1"));
}

void store_put_addition(struct store *store, const struct relance_addition *addition)
{
    const char *const keys[RELANCE_SUMS_COUNT] = {[RELANCE_SUMS_ALL] = store->metrics_key,
                                                  [RELANCE_SUMS_DAY] = store->day_key,
                                                  [RELANCE_SUMS_COHORTS] = store->cohorts_key};
    char text[TEXT_NUMBER_SIZE];
    if (addition->table == RELANCE_SUMS_DAY && (!*store->day_key || addition->day != store->day))
        store_begin_day(store, addition->day);
    STORE_PUT(store, STR("HINCRBY"), str_of(keys[addition->table]), addition->name,
              (struct relance_str){text, text_put_int(text, addition->number)});
}

static void store_put_meta_field(void *out, struct relance_str name, struct relance_str value)
{
    resp_word(out, name);
    resp_word(out, value);
}

static void store_finish(struct store *store, const struct meta *meta)
{
    for (size_t i = 0; i < STORE_MANY; i++)
        store->checkpoint.expected += resp_many_flush(&store->many[i]);
    store_end_day(store);
    if (*store->minute_key) STORE_PUT(store, STR("EXPIRE"), str_of(store->minute_key), STR(STORE_MINUTE_S));
    resp_begin(&store->checkpoint.commands, 2 * meta_field_count() + 4);
    resp_word(&store->checkpoint.commands, STR("HSET"));
    resp_word(&store->checkpoint.commands, str_of(store->meta_key));
    meta_each(meta, store_put_meta_field, &store->checkpoint.commands);
    resp_word(&store->checkpoint.commands, STR("whole"));
    resp_word(&store->checkpoint.commands, str_of(store->stamp));
    store->checkpoint.expected++;
    STORE_PUT(store, STR("EXEC"));
}

/* Sends the checkpoint; RELANCE_IO: the line has failed before all answers had come, or one was none. */
static enum relance_status store_run_exec(struct store *store, struct relance_error *error)
{
    bool done = false;
    struct relance_error later;
    size_t queued = store->checkpoint.expected - 2;
    enum relance_status status = store_take_queued(store, &store->checkpoint, error);
    struct redisReply *answer = status != RELANCE_IO ? store_take(store, &store->checkpoint, &later) : NULL;
    if (!answer && status != RELANCE_IO) *error = later;
    if (!answer) return RELANCE_IO;
    enum relance_status verdict = redis_read_exec(answer, queued, &done, &later);
    redis_answer_free(answer);
    if (verdict == RELANCE_AGAIN && status != RELANCE_OK)
        return status; /* it was not done, since this was refused */
    if (verdict != RELANCE_OK) *error = later;
    if (verdict != RELANCE_OK) return verdict;
    return done
               ? RELANCE_OK
               : relance_error_set(error, RELANCE_REFUSED, "Redis: somebody else has written the checkpoint");
}

/* The EXEC dropped the watch, whatever came of it, and a connection that does not watch must not be used again:
 * where watching fails, or the server is not the one to ask, the next use attaches anew. */
static void store_watch_again(struct store *store)
{
    struct relance_error later;
    if (redis_must_reconnect(store->line) || store_watch_now(store, &later) != RELANCE_OK)
        store_disconnect(store);
}

enum relance_status store_commit(struct store *store, const struct meta *meta, struct relance_error *error)
{
    enum relance_status status = store_attach(store, error);
    if (status != RELANCE_OK) return status;
    if (store->is_first && !store->is_put_as_first)
        return relance_error_set(error, RELANCE_AGAIN,
                                 "Redis: connected anew since this checkpoint was put together");
    store_finish(store, meta);
    ensure(meta->stamp.size == STAMP_SIZE - 1);
    if (!store_send(store, &store->checkpoint, error))
        return store_down(store, error); /* EXEC has not arrived */
    memcpy(store->attempt, meta->stamp.data, STAMP_SIZE - 1);
    store->attempt[STAMP_SIZE - 1] = '\0';
    status = store_run_exec(store, error);
    if (status == RELANCE_IO) {
        store_down(store, error);
        return error->status = RELANCE_IO;
    }
    if (status == RELANCE_OK) {
        store_adopt(store);
        store->is_first = false;
    }
    *store->attempt = '\0';
    if (status == RELANCE_OK || status == RELANCE_AGAIN)
        store_watch_again(store);
    else
        store_disconnect(store);
    return status;
}

enum relance_status store_settle(struct store *store, struct relance_error *error)
{
    ensure(*store->attempt);
    enum relance_status status = store_attach(store, error);
    if (status == RELANCE_AGAIN) return error->status = RELANCE_IO;
    if (status != RELANCE_OK) return status;
    bool applied = memcmp(store->stamp, store->attempt, STAMP_SIZE) == 0;
    *store->attempt = '\0';
    return applied ? RELANCE_OK
                   : relance_error_set(error, RELANCE_AGAIN, "Redis: the checkpoint did not arrive");
}
