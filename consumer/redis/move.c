#include "redis/move.h"
#include "host/ensure.h"
#include "redis/connect.h"
#include "redis/resp.h"
#include "host/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { MOVE_KEY_SIZE = 560 };
#define MOVE_CHUNK "1000" /* customers of one HSCAN, about */

struct redis_move {
    struct redis_move_plan plan;
    redisContext *redis;
    struct blob out;   /* commands to be written */
    size_t expected;   /* answers to them */
    struct blob state; /* scratch */
};

enum relance_status redis_move_open(const struct redis_move_plan *plan, struct redis_move **out,
                                    struct relance_error *error)
{
    struct redis_move *move = calloc(1, sizeof *move);
    ensure(move);
    move->plan = *plan;
    enum relance_status status = redis_connect(plan->url, &move->redis, error);
    if (status == RELANCE_OK)
        *out = move;
    else
        free(move);
    return status;
}

void redis_move_close(struct redis_move *move)
{
    if (!move) return;
    redisFree(move->redis);
    blob_free(&move->out);
    blob_free(&move->state);
    free(move);
}

static struct relance_str move_key(const struct redis_move *move, int partition, const char *what, char *out)
{
    int size = snprintf(out, MOVE_KEY_SIZE, "relance:{%s:%s:%d}:%s", move->plan.group, move->plan.topic,
                        partition, what);
    return (struct relance_str){out, (size_t)size};
}

/* ---- many commands, then their answers */
static void move_say(struct redis_move *move, size_t count, const struct relance_str *words)
{
    resp_command(&move->out, count, words);
    move->expected++;
}

static enum relance_status move_down(const struct redis_move *move, struct relance_error *error)
{
    return relance_error_set(error, RELANCE_IO, "Redis: %s",
                             move->redis->err ? move->redis->errstr : strerror(errno));
}

static enum relance_status move_answers(struct redis_move *move, struct relance_error *error)
{
    enum relance_status status = RELANCE_OK;
    for (size_t at = 0; at < move->out.size;) {
        ssize_t wrote = write(move->redis->fd, move->out.data + at, move->out.size - at);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) return move_down(move, error);
        at += (size_t)wrote;
    }
    move->out.size = 0;
    for (; move->expected; move->expected--) {
        void *reply = NULL;
        if (redisGetReply(move->redis, &reply) != REDIS_OK) return move_down(move, error);
        const redisReply *answer = reply;
        if (answer->type == REDIS_REPLY_ERROR && status == RELANCE_OK)
            status = relance_error_set(error, RELANCE_IO, "Redis: %s", answer->str);
        freeReplyObject(reply);
    }
    return status;
}

/* ---- one chunk of customers: field and value by turns, with the times for which they wait */
struct move_chunk {
    int from;
    const redisReply *fields, *dues;
};

static struct relance_str move_text(const redisReply *reply)
{
    return (struct relance_str){reply->str, reply->str ? (size_t)reply->len : 0};
}

static enum relance_status move_write(struct redis_move *move, const struct move_chunk *chunk, int64_t *moved,
                                      int64_t *stayed, struct relance_error *error)
{
    char customers[MOVE_KEY_SIZE], timers[MOVE_KEY_SIZE];
    for (size_t i = 0; i < chunk->fields->elements; i += 2) {
        struct relance_str customer = move_text(chunk->fields->element[i]),
                           state = move_text(chunk->fields->element[i + 1]),
                           due = move_text(chunk->dues->element[i / 2]);
        int to = move->plan.home(move->plan.context, customer, chunk->from);
        if (to == chunk->from) {
            ++*stayed;
            continue;
        }
        move->state.size = 0;
        if (!move->plan.carry(move->plan.context, state, chunk->from, to, &move->state))
            return relance_error_set(error, RELANCE_INVALID, "the state of customer '%.*s' cannot be read",
                                     TEXT_ARG(customer));
        move_say(move, 4,
                 (struct relance_str[]){TEXT("HSET"), move_key(move, to, "customers", customers), customer,
                                        blob_text(&move->state)});
        if (due.size)
            move_say(
                move, 4,
                (struct relance_str[]){TEXT("ZADD"), move_key(move, to, "timers", timers), due, customer});
        ++*moved;
    }
    return move_answers(move, error);
}

static enum relance_status move_erase(struct redis_move *move, const struct move_chunk *chunk,
                                      struct relance_error *error)
{
    char customers[MOVE_KEY_SIZE], timers[MOVE_KEY_SIZE];
    struct relance_str from = move_key(move, chunk->from, "customers", customers),
                       waits = move_key(move, chunk->from, "timers", timers);
    for (size_t i = 0; i < chunk->fields->elements; i += 2) {
        struct relance_str customer = move_text(chunk->fields->element[i]);
        if (move->plan.home(move->plan.context, customer, chunk->from) == chunk->from) continue;
        move_say(move, 3, (struct relance_str[]){TEXT("HDEL"), from, customer});
        move_say(move, 3, (struct relance_str[]){TEXT("ZREM"), waits, customer});
    }
    return move_answers(move, error);
}

static redisReply *move_ask_dues(struct redis_move *move, int partition, const redisReply *fields)
{
    char timers[MOVE_KEY_SIZE];
    size_t count = fields->elements / 2;
    const char **words = calloc(count + 2, sizeof *words);
    size_t *sizes = calloc(count + 2, sizeof *sizes);
    ensure(words && sizes);
    struct relance_str key = move_key(move, partition, "timers", timers);
    words[0] = "ZMSCORE", sizes[0] = 7;
    words[1] = key.data, sizes[1] = key.size;
    for (size_t i = 0; i < count; i++)
        words[i + 2] = fields->element[2 * i]->str, sizes[i + 2] = (size_t)fields->element[2 * i]->len;
    redisReply *reply = redisCommandArgv(move->redis, (int)count + 2, words, sizes);
    free(words);
    free(sizes);
    return reply;
}

static enum relance_status move_chunk(struct redis_move *move, int partition, const redisReply *fields,
                                      int64_t *moved, int64_t *stayed, struct relance_error *error)
{
    if (!fields->elements) return RELANCE_OK;
    redisReply *dues = move_ask_dues(move, partition, fields);
    if (!dues || dues->type != REDIS_REPLY_ARRAY) {
        enum relance_status status =
            dues ? relance_error_set(error, RELANCE_IO, "Redis: ZMSCORE: %s", dues->str)
                 : move_down(move, error);
        freeReplyObject(dues);
        return status;
    }
    const struct move_chunk chunk = {partition, fields, dues};
    enum relance_status status = move_write(move, &chunk, moved, stayed, error);
    if (status == RELANCE_OK) status = move_erase(move, &chunk, error);
    freeReplyObject(dues);
    return status;
}

enum relance_status redis_move_partition(struct redis_move *move, int partition, int64_t *moved,
                                         int64_t *stayed, struct relance_error *error)
{
    char key[MOVE_KEY_SIZE], cursor[32] = "0";
    move_key(move, partition, "customers", key);
    enum relance_status status = RELANCE_OK;
    do {
        redisReply *reply = redisCommand(move->redis, "HSCAN %s %s COUNT " MOVE_CHUNK, key, cursor);
        if (!reply) return move_down(move, error);
        if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 2) {
            snprintf(cursor, sizeof cursor, "%s", reply->element[0]->str);
            status = move_chunk(move, partition, reply->element[1], moved, stayed, error);
        } else {
            status = relance_error_set(error, RELANCE_IO, "Redis: HSCAN: %s", reply->str);
        }
        freeReplyObject(reply);
    } while (status == RELANCE_OK && strcmp(cursor, "0") != 0);
    return status;
}
