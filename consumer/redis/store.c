/* The store in Redis. All keys of a partition carry one hash tag:
 *
 *     relance:{GROUP:TOPIC:P}:meta  :customers  :timers  :metrics  :metrics:MINUTE
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
#include "delivery/store.h"
#include "host/ensure.h"
#include "host/log.h"
#include "redis/connect.h"
#include "redis/resp.h"
#include "host/text.h"
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum {
    STORE_READ_CHUNK = 4096,  /* customers of one HMGET */
    STORE_DUES_CHUNK = 10000, /* waits of one ZRANGE */
};
#define STORE_MINUTE_S "172800" /* how long the counters of a minute are kept: 48 h */

struct store {
    const char *url;
    redisContext *redis;      /* NULL: none */
    char stamp[STAMP_SIZE];   /* written last by this claim */
    char attempt[STAMP_SIZE]; /* of a commit without an answer; "" when there is none */
    char whole[STAMP_SIZE];   /* that the last checkpoint was based on; "" before the first */
    bool is_part;             /* a part of a checkpoint is what the claim has found */
    bool is_first;            /* the next checkpoint is the first of its connection */
    char meta_key[512], customers_key[512], timers_key[512], metrics_key[512];
    struct blob out;                           /* commands to be written */
    size_t expected;                           /* answers to them */
    struct resp_many states, gone, dues, over; /* HSET, HDEL, ZADD, ZREM */
    char minute_key[560]; /* the minute that counters of this checkpoint went to; "" none yet */
};

static struct resp_many store_many(struct blob *out, const char *verb, const char *key)
{
    return (struct resp_many){.out = out, .verb = text_of(verb), .key = text_of(key)};
}

struct store *store_open(const struct store_place *place)
{
    struct store *store = calloc(1, sizeof *store);
    ensure(store);
    store->url = place->url;
    store->is_first = true;
    const struct {
        char *key;
        const char *name;
    } keys[] = {{store->meta_key, "meta"},
                {store->customers_key, "customers"},
                {store->timers_key, "timers"},
                {store->metrics_key, "metrics"}};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        snprintf(keys[i].key, sizeof store->meta_key, "relance:{%s:%s:%d}:%s", place->group, place->topic,
                 place->partition, keys[i].name);
    store->states = store_many(&store->out, "HSET", store->customers_key);
    store->gone = store_many(&store->out, "HDEL", store->customers_key);
    store->dues = store_many(&store->out, "ZADD", store->timers_key);
    store->over = store_many(&store->out, "ZREM", store->timers_key);
    return store;
}

static void store_disconnect(struct store *store)
{
    if (store->redis) redisFree(store->redis);
    store->redis = NULL;
    store->is_first = true;
}

void store_close(struct store *store)
{
    store_disconnect(store);
    blob_free(&store->out);
    struct resp_many *many[] = {&store->states, &store->gone, &store->dues, &store->over};
    for (size_t i = 0; i < 4; i++)
        blob_free(&many[i]->words);
    free(store);
}

/* ---- writing and reading */
#define STORE_SAY(store, ...)                                                                                \
    store_say(store, sizeof((struct relance_str[]){__VA_ARGS__}) / sizeof(struct relance_str),               \
              (struct relance_str[]){__VA_ARGS__})

static void store_say(struct store *store, size_t count, const struct relance_str *words)
{
    resp_command(&store->out, count, words);
    store->expected++;
}

static void store_discard(struct store *store)
{
    store->out.size = 0;
    store->expected = 0;
}

/* Down: nothing was done, or nothing that counts. */
static enum relance_status store_down(struct store *store, struct relance_error *error)
{
    const char *why = store->redis && store->redis->err ? store->redis->errstr : strerror(errno);
    relance_error_set(error, RELANCE_AGAIN, "Redis: %s", why);
    store_disconnect(store);
    store_discard(store);
    return RELANCE_AGAIN;
}

/* Writes what has been put together. When it fails, the last command has not arrived whole. */
static bool store_write(struct store *store)
{
    size_t at = 0;
    while (at < store->out.size) {
        ssize_t wrote = write(store->redis->fd, store->out.data + at, store->out.size - at);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) return false;
        at += (size_t)wrote;
    }
    store->out.size = 0;
    return true;
}

static redisReply *store_answer(struct store *store)
{
    void *reply = NULL;
    if (redisGetReply(store->redis, &reply) != REDIS_OK) return NULL;
    store->expected--;
    return reply;
}

/* Passes over all but the last `keep` answers; the first error among them is told. False: the line is dead. */
static bool store_skip_answers(struct store *store, size_t keep, enum relance_status *status,
                               struct relance_error *error)
{
    while (store->expected > keep) {
        redisReply *reply = store_answer(store);
        if (!reply) return false;
        if (reply->type == REDIS_REPLY_ERROR && *status == RELANCE_OK)
            *status = relance_error_set(error, RELANCE_AGAIN, "Redis: %s", reply->str);
        freeReplyObject(reply);
    }
    return true;
}

static struct relance_str store_text(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_STRING ? (struct relance_str){reply->str, (size_t)reply->len}
                                             : (struct relance_str){0};
}

/* The checkpoint that was attempted is there: the next one is based on it. */
static void store_adopt(struct store *store)
{
    memcpy(store->whole, store->stamp, STAMP_SIZE);
    memcpy(store->stamp, store->attempt, STAMP_SIZE);
}

/* Is the store ours? */
static enum relance_status store_check_stamp(struct store *store, struct relance_str found,
                                             struct relance_error *error)
{
    if (text_equal(found, text_of(store->stamp))) return RELANCE_OK;
    if (!*store->attempt || !text_equal(found, text_of(store->attempt)))
        return relance_error_set(error, RELANCE_REFUSED, "%s has another stamp", store->meta_key);
    store_adopt(store);
    return RELANCE_OK;
}

static void store_watch(struct store *store)
{
    STORE_SAY(store, TEXT("WATCH"), text_of(store->meta_key));
    STORE_SAY(store, TEXT("HMGET"), text_of(store->meta_key), TEXT("stamp"), TEXT("begun"), TEXT("whole"));
}

static enum relance_status store_check_watched(struct store *store, const redisReply *reply,
                                               struct relance_error *error)
{
    if (reply->type == REDIS_REPLY_ERROR)
        return relance_error_set(error, RELANCE_AGAIN, "Redis: %s", reply->str);
    ensure(reply->type == REDIS_REPLY_ARRAY && reply->elements == 3);
    struct relance_str begun = store_text(reply->element[1]), whole = store_text(reply->element[2]);
    enum relance_status status = store_check_stamp(store, store_text(reply->element[0]), error);
    if (status != RELANCE_OK) return status;
    bool is_sound = text_equal(whole, text_of(store->whole)) && (store->is_part || text_equal(begun, whole));
    return is_sound ? RELANCE_OK
                    : relance_error_set(error, RELANCE_REFUSED, "%s has more of a checkpoint than it had",
                                        store->meta_key);
}

/* Writes what stands in the buffer and takes all answers; the last one is store_watch's. */
static enum relance_status store_run_to_watch(struct store *store, struct relance_error *error)
{
    enum relance_status status = RELANCE_OK;
    if (!store_write(store) || !store_skip_answers(store, 1, &status, error)) return store_down(store, error);
    redisReply *reply = store_answer(store);
    if (!reply) return store_down(store, error);
    if (status == RELANCE_OK) status = store_check_watched(store, reply, error);
    freeReplyObject(reply);
    return status;
}

/* A connection that watches and has seen our stamp. */
static enum relance_status store_attach(struct store *store, struct relance_error *error)
{
    if (store->redis) return RELANCE_OK;
    if (redis_connect(store->url, &store->redis, error) != RELANCE_OK) {
        store->redis = NULL;
        return error->status = RELANCE_AGAIN;
    }
    struct blob kept = store->out; /* a checkpoint may be standing there */
    size_t expected = store->expected;
    store->out = (struct blob){0};
    store->expected = 0;
    store_watch(store);
    enum relance_status status = store_run_to_watch(store, error);
    blob_free(&store->out);
    store->out = kept;
    store->expected = expected;
    if (status != RELANCE_OK) store_disconnect(store);
    return status;
}

/* ---- claim */
static enum relance_status store_take_meta(struct store *store, const redisReply *reply, struct meta *meta,
                                           struct relance_error *error)
{
    struct relance_str begun = {0}, whole = {0};
    meta_clear(meta);
    if (reply->type != REDIS_REPLY_ARRAY)
        return relance_error_set(error, RELANCE_AGAIN, "Redis: %s", reply->str);
    for (size_t i = 0; i + 1 < reply->elements; i += 2) {
        const redisReply *name = reply->element[i], *value = reply->element[i + 1];
        struct relance_str field = store_text(name);
        if (text_equal(field, TEXT("begun"))) begun = store_text(value);
        if (text_equal(field, TEXT("whole"))) whole = store_text(value);
        if (!meta_take(meta, field, store_text(value)))
            return relance_error_set(error, RELANCE_INVALID,
                                     "Redis: field %.*s of the checkpoint is not of its form",
                                     TEXT_ARG(field));
    }
    store->is_part = !text_equal(begun, whole);
    snprintf(store->whole, STAMP_SIZE, "%.*s", TEXT_ARG(whole));
    return RELANCE_OK;
}

const char *store_stamp(const struct store *store)
{
    return store->stamp;
}

bool store_is_part(const struct store *store)
{
    return store->is_part;
}

/* Reads meta under WATCH. */
static enum relance_status store_read_meta(struct store *store, struct meta *meta,
                                           struct relance_error *error)
{
    enum relance_status status = RELANCE_OK;
    STORE_SAY(store, TEXT("WATCH"), text_of(store->meta_key));
    STORE_SAY(store, TEXT("HGETALL"), text_of(store->meta_key));
    if (!store_write(store) || !store_skip_answers(store, 1, &status, error)) return store_down(store, error);
    redisReply *reply = store_answer(store);
    if (!reply) return store_down(store, error);
    if (status == RELANCE_OK) status = store_take_meta(store, reply, meta, error);
    freeReplyObject(reply);
    return status;
}

/* Writes the stamp, and empties the store before if so asked, if meta is still what was read. *written tells. */
static enum relance_status store_write_stamp(struct store *store, bool empty, bool *written,
                                             struct relance_error *error)
{
    enum relance_status status = RELANCE_OK;
    STORE_SAY(store, TEXT("MULTI"));
    if (empty)
        STORE_SAY(store, TEXT("UNLINK"), text_of(store->meta_key), text_of(store->customers_key),
                  text_of(store->timers_key), text_of(store->metrics_key));
    STORE_SAY(store, TEXT("HSET"), text_of(store->meta_key), TEXT("stamp"), text_of(store->stamp));
    STORE_SAY(store, TEXT("EXEC"));
    if (!store_write(store) || !store_skip_answers(store, 1, &status, error)) return store_down(store, error);
    redisReply *reply = store_answer(store);
    if (!reply) return store_down(store, error);
    *written = reply->type == REDIS_REPLY_ARRAY;
    if (status == RELANCE_OK && reply->type == REDIS_REPLY_ERROR)
        status = relance_error_set(error, RELANCE_AGAIN, "Redis: %s", reply->str);
    freeReplyObject(reply);
    return status;
}

enum relance_status store_claim(struct store *store, const char stamp[STAMP_SIZE], struct meta *meta,
                                struct relance_error *error)
{
    store_disconnect(store);
    store_discard(store);
    *store->attempt = '\0';
    memcpy(store->stamp, stamp, STAMP_SIZE);
    if (redis_connect(store->url, &store->redis, error) != RELANCE_OK) {
        store->redis = NULL;
        return error->status = RELANCE_AGAIN;
    }
    enum relance_status status = RELANCE_OK;
    for (bool written = false; status == RELANCE_OK && !written;) {
        status = store_read_meta(store, meta, error);
        if (status == RELANCE_OK) status = store_write_stamp(store, false, &written, error);
    }
    if (status == RELANCE_OK) {
        store_watch(store);
        status = store_run_to_watch(store, error);
    }
    if (status != RELANCE_OK) store_disconnect(store); /* it would watch nothing, or what is not ours */
    return status;
}

enum relance_status store_empty(struct store *store, struct relance_error *error)
{
    bool written = false;
    enum relance_status status = store_attach(store, error);
    if (status == RELANCE_OK) status = store_write_stamp(store, true, &written, error);
    if (status == RELANCE_OK && !written)
        status = relance_error_set(error, RELANCE_REFUSED, "Redis: somebody else has written the checkpoint");
    if (status == RELANCE_OK) {
        store->is_part = false;
        *store->whole = '\0';
        store_watch(store);
        status = store_run_to_watch(store, error);
    }
    if (status != RELANCE_OK) store_disconnect(store);
    return status;
}

/* ---- reading */
/* Writes what stands in the buffer, with HGET meta stamp behind it; *out is the answer before that one, when
 * the stamp is ours. */
static enum relance_status store_guarded_read(struct store *store, redisReply **out,
                                              struct relance_error *error)
{
    STORE_SAY(store, TEXT("HGET"), text_of(store->meta_key), TEXT("stamp"));
    if (!store_write(store)) return store_down(store, error);
    redisReply *reply = store_answer(store), *stamp = reply ? store_answer(store) : NULL;
    if (!stamp) {
        freeReplyObject(reply);
        return store_down(store, error);
    }
    enum relance_status status = stamp->type == REDIS_REPLY_ERROR
                                     ? relance_error_set(error, RELANCE_AGAIN, "Redis: %s", stamp->str)
                                     : store_check_stamp(store, store_text(stamp), error);
    freeReplyObject(stamp);
    if (status == RELANCE_OK && reply->type == REDIS_REPLY_ERROR)
        status = relance_error_set(error, RELANCE_AGAIN, "Redis: %s", reply->str);
    if (status == RELANCE_OK)
        *out = reply;
    else
        freeReplyObject(reply);
    return status;
}

enum relance_status store_customer_count(struct store *store, int64_t *count, struct relance_error *error)
{
    redisReply *reply;
    enum relance_status status = store_attach(store, error);
    if (status != RELANCE_OK) return status;
    STORE_SAY(store, TEXT("HLEN"), text_of(store->customers_key));
    status = store_guarded_read(store, &reply, error);
    if (status != RELANCE_OK) return status;
    *count = reply->integer;
    freeReplyObject(reply);
    return RELANCE_OK;
}

static int64_t store_score(const redisReply *reply)
{
    return (int64_t)strtod(reply->str, NULL);
}

static enum relance_status store_read_dues_chunk(struct store *store, int64_t from, redisReply **reply,
                                                 struct relance_error *error)
{
    resp_begin(&store->out, 5);
    resp_word(&store->out, TEXT("ZRANGE"));
    resp_word(&store->out, text_of(store->timers_key));
    resp_int(&store->out, from);
    resp_int(&store->out, from + STORE_DUES_CHUNK - 1);
    resp_word(&store->out, TEXT("WITHSCORES"));
    store->expected++;
    return store_guarded_read(store, reply, error);
}

/* In chunks: the set does not change under us, since nobody but us may write it. */
enum relance_status store_read_dues(struct store *store, store_due_visit *visit, void *context,
                                    struct relance_error *error)
{
    enum relance_status status = store_attach(store, error);
    size_t found = STORE_DUES_CHUNK;
    for (int64_t from = 0; status == RELANCE_OK && found == STORE_DUES_CHUNK; from += STORE_DUES_CHUNK) {
        redisReply *reply;
        status = store_read_dues_chunk(store, from, &reply, error);
        if (status != RELANCE_OK) return status;
        found = reply->elements / 2;
        for (size_t i = 0; i < found; i++) {
            const redisReply *customer = reply->element[2 * i];
            visit(context, (struct relance_str){customer->str, (size_t)customer->len},
                  store_score(reply->element[2 * i + 1]));
        }
        freeReplyObject(reply);
    }
    return status;
}

static enum relance_status store_read_states_chunk(struct store *store, const struct relance_str *customers,
                                                   size_t count, store_state_visit *visit, void *context,
                                                   struct relance_error *error)
{
    redisReply *reply;
    resp_begin(&store->out, count + 2);
    resp_word(&store->out, TEXT("HMGET"));
    resp_word(&store->out, text_of(store->customers_key));
    for (size_t i = 0; i < count; i++)
        resp_word(&store->out, customers[i]);
    store->expected++;
    enum relance_status status = store_guarded_read(store, &reply, error);
    if (status != RELANCE_OK) return status;
    ensure(reply->type == REDIS_REPLY_ARRAY && reply->elements == count);
    for (size_t i = 0; i < count; i++) {
        const redisReply *state = reply->element[i];
        bool there = state->type == REDIS_REPLY_STRING;
        visit(context, customers[i],
              there ? (struct relance_str){state->str, (size_t)state->len} : (struct relance_str){0});
    }
    freeReplyObject(reply);
    return RELANCE_OK;
}

enum relance_status store_read_states(struct store *store, const struct relance_str *customers, size_t count,
                                      store_state_visit *visit, void *context, struct relance_error *error)
{
    enum relance_status status = store_attach(store, error);
    for (size_t at = 0; at < count && status == RELANCE_OK; at += STORE_READ_CHUNK) {
        size_t chunk = count - at < STORE_READ_CHUNK ? count - at : STORE_READ_CHUNK;
        status = store_read_states_chunk(store, customers + at, chunk, visit, context, error);
    }
    return status;
}

/* ---- checkpoint */
void store_begin(struct store *store)
{
    store_discard(store);
    *store->minute_key = '\0';
    STORE_SAY(store, TEXT("MULTI"));
    STORE_SAY(store, TEXT("HSET"), text_of(store->meta_key), TEXT("begun"), text_of(store->stamp));
}

/* What is taken out comes behind what is put in: see store_put_change. */
static void store_flush_when_full(struct store *store, struct resp_many *in, struct resp_many *out)
{
    if (in->count < RESP_MANY && out->count < RESP_MANY) return;
    store->expected += resp_many_flush(in);
    store->expected += resp_many_flush(out);
}

static void store_put_due(struct store *store, int64_t due_ms, struct relance_str customer)
{
    char score[TEXT_NUMBER_SIZE];
    size_t size = text_put_int(score, due_ms);
    resp_many_add(&store->dues, (struct relance_str){score, size}, customer);
}

/* A wait's time in the set is never later than the true one: it is written only when that moves earlier, and
 * taken out when nothing waits any more. One that comes too early is looked up, at a claim, and found to be
 * later. That spares a write for every re-armed run. */
static void store_put_wait(struct store *store, const struct relance_change *change)
{
    bool waits = change->due_ms != RELANCE_NEVER;
    if (store->is_first) store_put_due(store, waits ? change->due_ms - 1 : 0, change->customer);
    if (waits && (store->is_first || change->due_ms < change->due_saved_ms))
        store_put_due(store, change->due_ms, change->customer);
    if (!waits && (store->is_first || change->due_saved_ms != RELANCE_NEVER))
        resp_many_add_one(&store->over, change->customer);
    store_flush_when_full(store, &store->dues, &store->over);
}

/* The first checkpoint of a connection may have to undo a lost one that comes back. Redis keeps no command that changes
 * nothing, such as taking out what the lost one has put in and is not there: so there each of them changes something. */
void store_put_change(struct store *store, const struct relance_change *change)
{
    if (store->is_first || change->state.size)
        resp_many_add(&store->states, change->customer, change->state.size ? change->state : TEXT(""));
    if (!change->state.size) resp_many_add_one(&store->gone, change->customer);
    store_flush_when_full(store, &store->states, &store->gone);
    store_put_wait(store, change);
}

static void store_put_counter(struct store *store, struct relance_str verb, struct relance_str name,
                              struct relance_str number, const char *minute)
{
    if (!*store->minute_key)
        snprintf(store->minute_key, sizeof store->minute_key, "%s:%s", store->metrics_key, minute);
    STORE_SAY(store, verb, text_of(store->metrics_key), name, number);
    STORE_SAY(store, verb, text_of(store->minute_key), name, number);
}

void store_put_count(struct store *store, struct relance_str name, int64_t number, const char *minute)
{
    char text[TEXT_NUMBER_SIZE];
    store_put_counter(store, TEXT("HINCRBY"), name, (struct relance_str){text, text_put_int(text, number)},
                      minute);
}

void store_put_sum(struct store *store, struct relance_str name, double number, const char *minute)
{
    char text[40];
    snprintf(text, sizeof text, "%.17g", number);
    store_put_counter(store, TEXT("HINCRBYFLOAT"), name, text_of(text), minute);
}

static void store_put_meta_field(void *out, struct relance_str name, struct relance_str value)
{
    resp_word(out, name);
    resp_word(out, value);
}

static void store_finish(struct store *store, const struct meta *meta)
{
    struct resp_many *many[] = {&store->states, &store->gone, &store->dues, &store->over};
    for (size_t i = 0; i < 4; i++)
        store->expected += resp_many_flush(many[i]);
    if (*store->minute_key)
        STORE_SAY(store, TEXT("EXPIRE"), text_of(store->minute_key), TEXT(STORE_MINUTE_S));
    resp_begin(&store->out, 2 * meta_field_count() + 4);
    resp_word(&store->out, TEXT("HSET"));
    resp_word(&store->out, text_of(store->meta_key));
    meta_each(meta, store_put_meta_field, &store->out);
    resp_word(&store->out, TEXT("whole"));
    resp_word(&store->out, text_of(store->stamp));
    store->expected++;
    STORE_SAY(store, TEXT("EXEC"));
}

/* EXEC's answer: null when meta had been written by another; an error when a command could not be queued, and
 * then none was done. An error inside means that a part was done: there is no going on from that. */
static enum relance_status store_check_exec(const redisReply *reply, enum relance_status queued,
                                            struct relance_error *error)
{
    if (reply->type == REDIS_REPLY_ERROR)
        return queued != RELANCE_OK ? queued
                                    : relance_error_set(error, RELANCE_AGAIN, "Redis: %s", reply->str);
    if (reply->type == REDIS_REPLY_NIL)
        return relance_error_set(error, RELANCE_REFUSED, "Redis: somebody else has written the checkpoint");
    for (size_t i = 0; i < reply->elements; i++)
        if (reply->element[i]->type == REDIS_REPLY_ERROR)
            return relance_error_set(error, RELANCE_INVALID, "Redis refused a part of a checkpoint: %s",
                                     reply->element[i]->str);
    return RELANCE_OK;
}

/* The EXEC dropped the watch, whatever came of it, and a connection that does not watch must not be used again:
 * where watching fails, the next use attaches anew. */
static void store_watch_again(struct store *store)
{
    struct relance_error later;
    store_watch(store);
    if (store_run_to_watch(store, &later) != RELANCE_OK) store_disconnect(store);
}

enum relance_status store_commit(struct store *store, const struct meta *meta, struct relance_error *error)
{
    store_finish(store, meta);
    enum relance_status status = store_attach(store, error), queued = RELANCE_OK;
    if (status != RELANCE_OK) {
        store_discard(store);
        return status;
    }
    ensure(meta->stamp.size == STAMP_SIZE - 1);
    memcpy(store->attempt, meta->stamp.data, STAMP_SIZE - 1);
    store->attempt[STAMP_SIZE - 1] = '\0';
    if (!store_write(store)) {
        *store->attempt = '\0';
        return store_down(store, error);
    }
    redisReply *reply = store_skip_answers(store, 1, &queued, error) ? store_answer(store) : NULL;
    if (!reply) {
        store_down(store, error);
        return error->status = RELANCE_IO;
    }
    status = store_check_exec(reply, queued, error);
    freeReplyObject(reply);
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

/* ---- the server */
/* The value behind "\nNAME:" in INFO's text. */
static struct relance_str store_info(const char *info, const char *name)
{
    char line[64];
    snprintf(line, sizeof line, "\n%s:", name);
    const char *at = strstr(info, line);
    if (!at) return (struct relance_str){0};
    at += strlen(line);
    return (struct relance_str){at, strcspn(at, "\r\n")};
}

static enum relance_status store_check_info(const char *info, struct relance_error *error)
{
    struct relance_str version = store_info(info, "redis_version"),
                       policy = store_info(info, "maxmemory_policy");
    int major = 0, minor = 0;
    if (version.size) sscanf(version.data, "%d.%d", &major, &minor);
    if (major < 6 || (major == 6 && minor < 2))
        return relance_error_set(error, RELANCE_REFUSED, "Redis is version %.*s; 6.2 or later is needed",
                                 TEXT_ARG(version));
    if (!text_equal(policy, TEXT("noeviction")))
        return relance_error_set(
            error, RELANCE_REFUSED,
            "Redis has maxmemory-policy %.*s and would throw customers away; set maxmemory-policy noeviction",
            TEXT_ARG(policy));
    return RELANCE_OK;
}

enum relance_status store_check_server(const char *url, struct relance_error *error)
{
    redisContext *redis;
    enum relance_status status = redis_connect(url, &redis, error);
    if (status != RELANCE_OK) return status;
    redisReply *reply = redisCommand(redis, "INFO");
    if (!reply || reply->type != REDIS_REPLY_STRING)
        status = relance_error_set(error, RELANCE_IO, "Redis: INFO: %s", reply ? reply->str : redis->errstr);
    else
        status = store_check_info(reply->str, error);
    if (status == RELANCE_OK && !text_equal(store_info(reply->str, "aof_enabled"), TEXT("1")))
        log_line(LOG_WARNING, "Redis keeps no append-only file: what it loses has to be decided again.",
                 "set=\"appendonly yes\"");
    freeReplyObject(reply);
    redisFree(redis);
    return status;
}

enum relance_status store_check_url(const char *url, struct relance_error *error)
{
    return redis_check_url(url, error);
}
