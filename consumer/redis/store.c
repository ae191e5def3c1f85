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
#include "delivery/store.h"
#include "base/ensure.h"
#include "host/stop.h"
#include "redis/keys.h"
#include "redis/line.h"
#include "redis/resp.h"
#include "host/text.h"
#include <stdio.h>
#include <stdlib.h>

enum {
    STORE_READ_FIRST = 64,            /* customers of the first HMGET */
    STORE_READ_MOST = 4096,           /* customers that no HMGET exceeds */
    STORE_READ_BYTES = 1 << 20,       /* bytes that the states of one HMGET are meant to have */
    STORE_READ_BYTES_MOST = 64 << 20, /* bytes that they may have, unless it is one state */
    STORE_READ_MS_MOST = 24000,       /* time that no HMGET is given more of */
    STORE_DUES_FIRST = 10000,         /* waits of the first ZRANGE */
    STORE_DUES_MOST = 160000,         /* waits that no ZRANGE exceeds */
};
#define STORE_MINUTE_S "172800"  /* how long the counters of a minute are kept: 48 h, */
enum { STORE_KEPT = 256 << 10 }; /* bytes of a checkpoint's commands that are kept for the next one */
#define STORE_DAY_S "69120000"   /* and the sums of a day: 800 days */

/* What a checkpoint has many of: HSET, HDEL, ZADD, ZREM. */
enum { STORE_STATES, STORE_GONE, STORE_DUES, STORE_OVER, STORE_MANY };

struct store {
    const char *url;
    struct redis_line *line;  /* NULL: none */
    char stamp[STAMP_SIZE];   /* the stamp written last by this claim */
    char attempt[STAMP_SIZE]; /* the stamp of a commit without an answer; "": there is none */
    char whole[STAMP_SIZE];   /* the stamp that the last checkpoint was based on; "" before the first */
    bool is_part;             /* a part of a checkpoint is what the claim has found */
    bool is_first;            /* the next checkpoint is the first of its connection */
    bool is_put_as_first;     /* the one that is begun has been put so */
    size_t read_count;        /* customers of the next question for states */
    int64_t read_ms;          /* how long that question may take */
    char meta_key[REDIS_KEY_SIZE], customers_key[REDIS_KEY_SIZE], timers_key[REDIS_KEY_SIZE],
        metrics_key[REDIS_KEY_SIZE], cohorts_key[REDIS_KEY_SIZE], sales_key[REDIS_KEY_SIZE];
    char minute_key[REDIS_KEY_SIZE];   /* counters of this checkpoint go here, too; "": none yet */
    char day_key[REDIS_KEY_SIZE];      /* the day whose sums were put last; "": none yet */
    int64_t day;                       /* it, since 1970 */
    struct redis_question question;    /* what is to be sent, or on its way */
    struct redis_question checkpoint;  /* likewise; states are asked for while one is being put together */
    struct resp_many many[STORE_MANY]; /* of the checkpoint */
};

static struct resp_many store_many(struct buffer *out, const char *verb, const char *key)
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

static void store_disconnect(struct store *store)
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
#define STORE_ASK(store, ...) REDIS_ASK(&(store)->question, __VA_ARGS__)
#define STORE_PUT(store, ...) REDIS_ASK(&(store)->checkpoint, __VA_ARGS__)

/* The line has failed: nothing was done, or nothing that counts. */
static enum relance_status store_down(struct store *store, struct relance_error *error)
{
    store_disconnect(store);
    redis_question_clear(&store->question);
    return error->status = RELANCE_AGAIN;
}

/* RELANCE_IO: what has come is no answer to what was asked, and whatever comes behind it is none either. A server that
 * is not the one to ask is left, too. */
static enum relance_status store_judge(struct store *store, enum relance_status status,
                                       struct relance_error *error)
{
    if (status == RELANCE_IO) return store_down(store, error);
    if (status != RELANCE_OK && redis_must_reconnect(store->line)) store_disconnect(store);
    return status;
}

static bool store_send(struct store *store, struct redis_question *question, struct relance_error *error)
{
    return redis_send(store->line, question, error) == RELANCE_OK;
}

/* NULL: the line has failed. */
static struct redisReply *store_take(struct store *store, struct redis_question *question,
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

/* MULTI and what it has queued, up to EXEC. The first thing that Redis refuses is told; the answers behind it are
 * taken all the same. RELANCE_IO: the line has failed. */
static enum relance_status store_take_queued(struct store *store, struct redis_question *question,
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

/* Sends WATCH and what asks for meta behind it, and takes the answers; *meta is the second. */
static enum relance_status store_run_watch(struct store *store, struct redisReply **meta,
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

static enum relance_status store_watch_now(struct store *store, struct relance_error *error)
{
    struct redisReply *answer;
    store_watch(store);
    enum relance_status status = store_run_watch(store, &answer, error);
    if (status != RELANCE_OK) return status;
    status = store_judge(store, store_check_guard(store, answer, error), error);
    redis_answer_free(answer);
    return status;
}

/* A connection that watches and has seen our stamp. */
static enum relance_status store_attach(struct store *store, struct relance_error *error)
{
    if (store->line) return RELANCE_OK;
    if (redis_connect(store->url, store->meta_key, &store->line, error) != RELANCE_OK) {
        store->line = NULL;
        return error->status = RELANCE_AGAIN;
    }
    redis_question_clear(&store->question);
    enum relance_status status = store_watch_now(store, error);
    if (status != RELANCE_OK) store_disconnect(store);
    return status;
}

/* ---- claim */
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
    redis_question_clear(&store->question);
    *store->attempt = '\0';
    memcpy(store->stamp, stamp, STAMP_SIZE);
    if (redis_connect(store->url, store->meta_key, &store->line, error) != RELANCE_OK) {
        store->line = NULL;
        return error->status = RELANCE_AGAIN;
    }
    enum relance_status status = store_take_over(store, meta, error);
    if (status == RELANCE_OK) status = store_watch_now(store, error);
    if (status != RELANCE_OK) store_disconnect(store); /* it would watch nothing, or what is not ours */
    return status;
}

/* ---- reading */
/* Sends what is asked, with the guard behind it; *out is the answer before that one, when the store is ours and whole. A
 * server that has become another's replica may take over what that one has on a connection that stays open. */
static enum relance_status store_guarded_read(struct store *store, struct redisReply **out,
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

enum relance_status store_customer_count(struct store *store, int64_t *count, struct relance_error *error)
{
    struct redisReply *answer;
    enum relance_status status = store_attach(store, error);
    if (status != RELANCE_OK) return status;
    STORE_ASK(store, STR("HLEN"), str_of(store->customers_key));
    status = store_guarded_read(store, &answer, error);
    if (status != RELANCE_OK) return status;
    status = store_judge(store, redis_read_count(answer, "HLEN", count, error), error);
    redis_answer_free(answer);
    return status;
}

struct store_dues {
    store_due_visit *visit;
    void *context;
    int64_t from_ms, last_ms; /* the last one that was visited */
    size_t found;             /* by the last question */
};

static enum relance_status store_take_due(void *context, struct relance_str customer,
                                          struct relance_str score, struct relance_error *error)
{
    struct store_dues *dues = context;
    char *end;
    double due_ms = strtod(score.data, &end);
    bool is_time = score.size && end == score.data + score.size && due_ms > -9.1e18 && due_ms < 9.1e18;
    if (!is_time)
        return relance_error_set(error, RELANCE_INVALID, "Redis: a customer waits for a time that is none");
    dues->found++;
    dues->last_ms = (int64_t)due_ms;
    dues->visit(dues->context, customer, (int64_t)due_ms);
    return RELANCE_OK;
}

static enum relance_status store_ask_dues(struct store *store, struct store_dues *dues, int64_t skip,
                                          int64_t most, struct relance_error *error)
{
    char from[TEXT_NUMBER_SIZE], offset[TEXT_NUMBER_SIZE], count[TEXT_NUMBER_SIZE];
    struct redisReply *answer;
    text_put_int(from, dues->from_ms);
    text_put_int(offset, skip);
    text_put_int(count, most);
    STORE_ASK(store, STR("ZRANGE"), str_of(store->timers_key),
              dues->from_ms == INT64_MIN ? STR("-inf") : str_of(from), STR("+inf"), STR("BYSCORE"),
              STR("LIMIT"), str_of(offset), str_of(count), STR("WITHSCORES"));
    enum relance_status status = store_guarded_read(store, &answer, error);
    if (status != RELANCE_OK) return status;
    dues->found = 0;
    status = store_judge(store, redis_read_pairs(answer, "ZRANGE", store_take_due, dues, error), error);
    redis_answer_free(answer);
    return status;
}

/* By time, since places shift with each checkpoint. Until one that is later has come: what waits for the last time of an answer
 * may go on behind it. Nobody but us may write the set, and between two questions only a checkpoint changes it whose answer was
 * lost: the stamp tells, and what waits for that time is asked for once more. Of what is to be passed over Redis walks past,
 * so the questions grow. */
enum relance_status store_read_dues(struct store *store, int64_t from_ms, int64_t *to_ms,
                                    store_due_visit *visit, void *context, struct relance_error *error)
{
    struct store_dues dues = {visit, context, from_ms, from_ms, 0};
    int64_t most = STORE_DUES_FIRST, skip = 0;
    char stamp[STAMP_SIZE];
    enum relance_status status = store_attach(store, error);
    while (status == RELANCE_OK && dues.last_ms == from_ms) {
        if (skip && stop_requested()) return relance_error_set(error, RELANCE_AGAIN, "ending");
        if (skip && most < STORE_DUES_MOST) most *= 2;
        memcpy(stamp, store->stamp, STAMP_SIZE);
        status = store_ask_dues(store, &dues, skip, most, error);
        if (status == RELANCE_OK && skip && memcmp(stamp, store->stamp, STAMP_SIZE) != 0) {
            dues.last_ms = from_ms;
            skip = 0;
            continue;
        }
        if (status == RELANCE_OK && dues.found < (size_t)most) dues.last_ms = RELANCE_NEVER;
        skip += (int64_t)dues.found;
    }
    *to_ms = dues.last_ms;
    return status;
}

/* ---- states
 * Nobody knows how large they are before they have come. So a question is for few at first, then for twice as many each
 * time, as long as what the last ones had on average promises no more than STORE_READ_BYTES; and half as many after one
 * that did not come in time, down to a single one, which is then given more time. */
struct store_states {
    const struct relance_str *customers;
    store_state_visit *visit;
    void *context;
    size_t bytes;
};

static enum relance_status store_take_state(void *context, size_t index, struct relance_str state,
                                            struct relance_error *error)
{
    struct store_states *states = context;
    (void)error;
    states->bytes += state.size;
    states->visit(states->context, states->customers[index], state);
    return RELANCE_OK;
}

static void store_learn_from_states(struct store *store, size_t count, size_t bytes)
{
    size_t fit = STORE_READ_BYTES / (bytes / count + 1), most = 2 * store->read_count;
    store->read_count = fit < most ? fit : most;
    if (store->read_count > STORE_READ_MOST) store->read_count = STORE_READ_MOST;
    if (store->read_count < 1) store->read_count = 1;
    store->read_ms = REDIS_TIMEOUT_MS;
}

static void store_learn_from_silence(struct store *store, size_t count)
{
    store->read_count = count > 1 ? count / 2 : 1;
    if (count == 1 && store->read_ms < STORE_READ_MS_MOST) store->read_ms *= 2;
}

static enum relance_status store_ask_states(struct store *store, struct store_states *states, size_t count,
                                            struct relance_error *error)
{
    struct redisReply *answer;
    resp_begin(&store->question.commands, count + 2);
    resp_word(&store->question.commands, STR("HMGET"));
    resp_word(&store->question.commands, str_of(store->customers_key));
    for (size_t i = 0; i < count; i++)
        resp_word(&store->question.commands, states->customers[i]);
    store->question.expected++;
    store->question.timeout_ms = store->read_ms;
    store->question.bytes_max = count > 1 ? STORE_READ_BYTES_MOST : 0;
    enum relance_status status = store_guarded_read(store, &answer, error);
    store->question.timeout_ms = 0;
    store->question.bytes_max = 0;
    if (status != RELANCE_OK) return status;
    status =
        store_judge(store, redis_read_texts(answer, "HMGET", count, store_take_state, states, error), error);
    redis_answer_free(answer);
    return status;
}

enum relance_status store_read_states(struct store *store, const struct relance_str *customers, size_t *count,
                                      store_state_visit *visit, void *context, struct relance_error *error)
{
    struct store_states states = {customers, visit, context, 0};
    enum relance_status status = store_attach(store, error);
    if (status != RELANCE_OK) return status;
    if (*count > store->read_count) *count = store->read_count;
    status = store_ask_states(store, &states, *count, error);
    if (status == RELANCE_OK)
        store_learn_from_states(store, *count, states.bytes);
    else if (!store->line)
        store_learn_from_silence(store, *count);
    return status;
}

/* ---- checkpoint */
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
