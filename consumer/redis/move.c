#include "redis/move.h"
#include "base/ensure.h"
#include "redis/keys.h"
#include "redis/nodes.h"
#include "host/stop.h"
#include "host/text.h"

#include <stdlib.h>

#define MOVE_CHUNK "1000"      /* customers of one HSCAN, about */
enum { MOVE_ROUNDS = 200000 }; /* enough for a hundred million; a scan of more has no end */

struct redis_move {
    struct redis_move_plan plan;
    struct redis_nodes *nodes;
    struct buffer state; /* scratch */
};

enum relance_status redis_move_open(const struct redis_move_plan *plan, struct redis_move **out,
                                    struct relance_error *error)
{
    struct redis_move *move = calloc(1, sizeof *move);
    ensure(move);
    move->plan = *plan;
    enum relance_status status = redis_nodes_open(plan->url, &move->nodes, error);
    if (status == RELANCE_OK)
        *out = move;
    else
        free(move);
    return status;
}

void redis_move_close(struct redis_move *move)
{
    if (!move) return;
    redis_nodes_close(move->nodes);
    buffer_free(&move->state);
    free(move);
}

static struct relance_str move_key(const struct redis_move *move, int partition, enum redis_key key,
                                   char out[REDIS_KEY_SIZE])
{
    redis_key(out, move->plan.group, move->plan.topic, partition, key);
    return str_of(out);
}

/* ---- one chunk of customers: field and value by turns, with the times for which they wait */
struct move_chunk {
    struct redis_move *move;
    int from;
    int64_t *moved, *stayed;
    const struct redisReply *fields;
    struct relance_str *customers, *states,
        *dues; /* in the order of `fields`; they live as long as the answers */
    size_t count, capacity;
};

static void move_free_chunk(struct move_chunk *chunk)
{
    free(chunk->customers);
    free(chunk->states);
    free(chunk->dues);
}

static void move_grow_chunk(struct move_chunk *chunk)
{
    struct relance_str **columns[] = {&chunk->customers, &chunk->states, &chunk->dues};
    chunk->capacity = chunk->capacity ? 2 * chunk->capacity : 1024;
    for (size_t i = 0; i < 3; i++) {
        *columns[i] = realloc(*columns[i], chunk->capacity * sizeof **columns[i]);
        ensure(*columns[i]);
    }
}

static enum relance_status move_take_customer(void *context, struct relance_str customer,
                                              struct relance_str state, struct relance_error *error)
{
    struct move_chunk *chunk = context;
    (void)error;
    if (chunk->count == chunk->capacity) move_grow_chunk(chunk);
    chunk->customers[chunk->count] = customer;
    chunk->states[chunk->count] = state;
    chunk->dues[chunk->count++] = (struct relance_str){0};
    return RELANCE_OK;
}

static enum relance_status move_take_due(void *context, size_t index, struct relance_str due,
                                         struct relance_error *error)
{
    struct move_chunk *chunk = context;
    double number;
    bool is_time = !due.data || text_number(due, &number);
    chunk->dues[index] = due;
    return is_time
               ? RELANCE_OK
               : relance_error_set(error, RELANCE_IO, "Redis: customer '%.*s' waits for a time that is none",
                                   STR_ARG(chunk->customers[index]));
}

static int move_home(const struct move_chunk *chunk, size_t i)
{
    return chunk->move->plan.home(chunk->move->plan.context, chunk->customers[i], chunk->from);
}

/* Puts one customer's commands to the node that has the partition `to`. */
static enum relance_status move_put(struct move_chunk *chunk, size_t i, int to, struct relance_error *error)
{
    struct redis_move *move = chunk->move;
    struct redis_question *question;
    char customers[REDIS_KEY_SIZE], timers[REDIS_KEY_SIZE];
    move->state.size = 0;
    if (!move->plan.carry(move->plan.context, chunk->states[i], chunk->from, to, &move->state))
        return relance_error_set(error, RELANCE_INVALID, "the state of customer '%.*s' cannot be read",
                                 STR_ARG(chunk->customers[i]));
    move_key(move, to, REDIS_KEY_CUSTOMERS, customers);
    enum relance_status status = redis_nodes_question(move->nodes, customers, &question, error);
    if (status != RELANCE_OK) return status;
    REDIS_ASK(question, STR("HSET"), str_of(customers), chunk->customers[i], buffer_str(&move->state));
    if (chunk->dues[i].data)
        REDIS_ASK(question, STR("ZADD"), move_key(move, to, REDIS_KEY_TIMERS, timers), chunk->dues[i],
                  chunk->customers[i]);
    return RELANCE_OK;
}

static enum relance_status move_write(struct move_chunk *chunk, struct relance_error *error)
{
    for (size_t i = 0; i < chunk->count; i++) {
        int to = move_home(chunk, i);
        if (to == chunk->from) {
            ++*chunk->stayed;
            continue;
        }
        enum relance_status status = move_put(chunk, i, to, error);
        if (status != RELANCE_OK) return status;
        ++*chunk->moved;
    }
    return redis_nodes_change(chunk->move->nodes, error);
}

static enum relance_status move_erase(struct move_chunk *chunk, struct relance_error *error)
{
    struct redis_move *move = chunk->move;
    struct redis_question *question;
    char customers[REDIS_KEY_SIZE], timers[REDIS_KEY_SIZE];
    move_key(move, chunk->from, REDIS_KEY_CUSTOMERS, customers);
    move_key(move, chunk->from, REDIS_KEY_TIMERS, timers);
    enum relance_status status = redis_nodes_question(move->nodes, customers, &question, error);
    if (status != RELANCE_OK) return status;
    for (size_t i = 0; i < chunk->count; i++) {
        if (move_home(chunk, i) == chunk->from) continue;
        REDIS_ASK(question, STR("HDEL"), str_of(customers), chunk->customers[i]);
        REDIS_ASK(question, STR("ZREM"), str_of(timers), chunk->customers[i]);
    }
    return redis_nodes_change(move->nodes, error);
}

static enum relance_status move_ask_dues(struct move_chunk *chunk, struct redisReply **dues,
                                         struct relance_error *error)
{
    char timers[REDIS_KEY_SIZE];
    size_t count = chunk->count + 2;
    struct relance_str *words = calloc(count, sizeof *words);
    ensure(words);
    words[0] = STR("ZMSCORE");
    words[1] = move_key(chunk->move, chunk->from, REDIS_KEY_TIMERS, timers);
    memcpy(words + 2, chunk->customers, chunk->count * sizeof *words);
    enum relance_status status = redis_nodes_do(chunk->move->nodes, timers, count, words, dues, error);
    free(words);
    return status;
}

static enum relance_status move_customers(struct move_chunk *chunk, struct relance_error *error)
{
    struct redisReply *dues = NULL;
    enum relance_status status = redis_read_pairs(chunk->fields, "HSCAN", move_take_customer, chunk, error);
    if (status != RELANCE_OK || !chunk->count) return status;
    status = move_ask_dues(chunk, &dues, error);
    if (status == RELANCE_OK)
        status = redis_read_texts(dues, "ZMSCORE", chunk->count, move_take_due, chunk, error);
    if (status == RELANCE_OK) status = move_write(chunk, error);
    if (status == RELANCE_OK) status = move_erase(chunk, error);
    redis_answer_free(dues);
    return status;
}

/* One step of the scan; `cursor` is where to go on. */
static enum relance_status move_step(struct redis_move *move, int partition, char cursor[REDIS_CURSOR_SIZE],
                                     int64_t *moved, int64_t *stayed, struct relance_error *error)
{
    char key[REDIS_KEY_SIZE];
    struct redisReply *answer = NULL;
    struct move_chunk chunk = {.move = move, .from = partition, .moved = moved, .stayed = stayed};
    move_key(move, partition, REDIS_KEY_CUSTOMERS, key);
    enum relance_status status = REDIS_NODES_DO(move->nodes, key, &answer, error, STR("HSCAN"), str_of(key),
                                                str_of(cursor), STR("COUNT"), STR(MOVE_CHUNK));
    if (status == RELANCE_OK) status = redis_read_scan(answer, "HSCAN", cursor, &chunk.fields, error);
    if (status == RELANCE_OK) status = move_customers(&chunk, error);
    move_free_chunk(&chunk);
    redis_answer_free(answer);
    return status;
}

static enum relance_status move_scan(struct redis_move *move, int partition, int64_t *moved, int64_t *stayed,
                                     struct relance_error *error)
{
    char cursor[REDIS_CURSOR_SIZE] = "0";
    for (int round = 0; round < MOVE_ROUNDS; round++) {
        if (stop_requested()) return relance_error_set(error, RELANCE_IO, "interrupted: call it again");
        enum relance_status status = move_step(move, partition, cursor, moved, stayed, error);
        if (status != RELANCE_OK || strcmp(cursor, "0") == 0) return status;
    }
    return relance_error_set(error, RELANCE_IO, "Redis: HSCAN does not come to its end");
}

enum relance_status redis_move_partition(struct redis_move *move, int partition, int64_t *moved,
                                         int64_t *stayed, struct relance_error *error)
{
    enum relance_status status = move_scan(move, partition, moved, stayed, error);
    return status == RELANCE_AGAIN ? (error->status = RELANCE_IO) : status;
}
