#include "redis/move.h"
#include "base/ensure.h"
#include "redis/keys.h"
#include "redis/line.h"
#include "redis/resp.h"
#include "host/stop.h"
#include "host/text.h"

#include <stdlib.h>

#define MOVE_CHUNK "1000"      /* customers of one HSCAN, about */
enum { MOVE_ROUNDS = 200000 }; /* enough for a hundred million; a scan of more has no end */

struct redis_move {
    struct redis_move_plan plan;
    struct redis_line *line;
    struct redis_question question; /* what is to be written */
    struct buffer state;            /* scratch */
};

enum relance_status redis_move_open(const struct redis_move_plan *plan, struct redis_move **out,
                                    struct relance_error *error)
{
    struct redis_move *move = calloc(1, sizeof *move);
    ensure(move);
    move->plan = *plan;
    enum relance_status status = redis_connect(plan->url, NULL, &move->line, error);
    if (status == RELANCE_OK)
        *out = move;
    else
        free(move);
    return status;
}

void redis_move_close(struct redis_move *move)
{
    if (!move) return;
    redis_close(move->line);
    redis_question_free(&move->question);
    buffer_free(&move->state);
    free(move);
}

static struct relance_str move_key(const struct redis_move *move, int partition, enum redis_key key,
                                   char out[REDIS_KEY_SIZE])
{
    redis_key(out, move->plan.group, move->plan.topic, partition, key);
    return str_of(out);
}

/* ---- many commands, each answered by a count */
static enum relance_status move_take_counts(struct redis_move *move, struct relance_error *error)
{
    enum relance_status first = RELANCE_OK;
    while (move->question.expected && first != RELANCE_IO) {
        struct redisReply *answer;
        struct relance_error later;
        int64_t count;
        enum relance_status status = redis_take(move->line, &move->question, &answer, &later);
        if (status == RELANCE_OK) {
            status = redis_read_count(answer, "a change", &count, &later);
            redis_answer_free(answer);
        }
        if (status != RELANCE_OK && (first == RELANCE_OK || status == RELANCE_IO))
            *error = later, first = status;
    }
    return first;
}

static enum relance_status move_run(struct redis_move *move, struct relance_error *error)
{
    enum relance_status status = redis_send(move->line, &move->question, error);
    if (status == RELANCE_OK) status = move_take_counts(move, error);
    redis_question_clear(&move->question);
    return status;
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

static enum relance_status move_write(struct move_chunk *chunk, struct relance_error *error)
{
    struct redis_move *move = chunk->move;
    char customers[REDIS_KEY_SIZE], timers[REDIS_KEY_SIZE];
    for (size_t i = 0; i < chunk->count; i++) {
        int to = move_home(chunk, i);
        if (to == chunk->from) {
            ++*chunk->stayed;
            continue;
        }
        move->state.size = 0;
        if (!move->plan.carry(move->plan.context, chunk->states[i], chunk->from, to, &move->state))
            return relance_error_set(error, RELANCE_INVALID, "the state of customer '%.*s' cannot be read",
                                     STR_ARG(chunk->customers[i]));
        REDIS_ASK(&move->question, STR("HSET"), move_key(move, to, REDIS_KEY_CUSTOMERS, customers),
                  chunk->customers[i], buffer_str(&move->state));
        if (chunk->dues[i].data)
            REDIS_ASK(&move->question, STR("ZADD"), move_key(move, to, REDIS_KEY_TIMERS, timers),
                      chunk->dues[i], chunk->customers[i]);
        ++*chunk->moved;
    }
    return move_run(move, error);
}

static enum relance_status move_erase(struct move_chunk *chunk, struct relance_error *error)
{
    struct redis_move *move = chunk->move;
    char customers[REDIS_KEY_SIZE], timers[REDIS_KEY_SIZE];
    move_key(move, chunk->from, REDIS_KEY_CUSTOMERS, customers);
    move_key(move, chunk->from, REDIS_KEY_TIMERS, timers);
    for (size_t i = 0; i < chunk->count; i++) {
        if (move_home(chunk, i) == chunk->from) continue;
        REDIS_ASK(&move->question, STR("HDEL"), str_of(customers), chunk->customers[i]);
        REDIS_ASK(&move->question, STR("ZREM"), str_of(timers), chunk->customers[i]);
    }
    return move_run(move, error);
}

static enum relance_status move_ask_dues(struct move_chunk *chunk, struct redisReply **dues,
                                         struct relance_error *error)
{
    char timers[REDIS_KEY_SIZE];
    struct redis_question *question = &chunk->move->question;
    resp_begin(&question->commands, chunk->count + 2);
    resp_word(&question->commands, STR("ZMSCORE"));
    resp_word(&question->commands, move_key(chunk->move, chunk->from, REDIS_KEY_TIMERS, timers));
    for (size_t i = 0; i < chunk->count; i++)
        resp_word(&question->commands, chunk->customers[i]);
    question->expected++;
    enum relance_status status = redis_send(chunk->move->line, question, error);
    if (status == RELANCE_OK) status = redis_take(chunk->move->line, question, dues, error);
    redis_question_clear(question);
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
    enum relance_status status = REDIS_DO(move->line, &answer, error, STR("HSCAN"),
                                          move_key(move, partition, REDIS_KEY_CUSTOMERS, key), str_of(cursor),
                                          STR("COUNT"), STR(MOVE_CHUNK));
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
