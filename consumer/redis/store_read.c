/* What is read of a store beside its claim: waits and states. */
#include "redis/store_parts.h"
#include "host/stop.h"
#include "host/text.h"

#include <stdlib.h>

enum {
    STORE_READ_MOST = 4096,           /* customers that no HMGET exceeds */
    STORE_READ_BYTES = 1 << 20,       /* bytes that the states of one HMGET are meant to have */
    STORE_READ_BYTES_MOST = 64 << 20, /* bytes that they may have, unless it is one state */
    STORE_READ_MS_MOST = 24000,       /* time that no HMGET is given more of */
    STORE_DUES_FIRST = 10000,         /* waits of the first ZRANGE */
    STORE_DUES_MOST = 160000,         /* waits that no ZRANGE exceeds */
};

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
