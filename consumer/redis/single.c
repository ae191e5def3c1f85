#include "redis/single.h"
#include "base/str.h"
#include "redis/resp.h"

enum { SINGLE_TIMEOUT_MS = 1000 }; /* the thread that asks also hears that the process is to end */

void redis_single_open(struct redis_single *single, const char *url)
{
    *single = (struct redis_single){.url = url};
    single->question.timeout_ms = SINGLE_TIMEOUT_MS;
}

void redis_single_close(struct redis_single *single)
{
    redis_close(single->line);
    redis_question_free(&single->question);
}

static enum relance_status single_run(struct redis_single *single, redis_single_visit *visit, void *context)
{
    struct relance_error error;
    enum relance_status status = redis_send(single->line, &single->question, &error);
    for (size_t i = 0; status == RELANCE_OK && single->question.expected; i++) {
        struct redisReply *answer = NULL;
        status = redis_take(single->line, &single->question, &answer, &error);
        if (status == RELANCE_OK) status = visit(context, i, answer, &error);
        redis_answer_free(answer);
    }
    return status;
}

bool redis_single_ask(struct redis_single *single, redis_single_visit *visit, void *context)
{
    struct relance_error error;
    if (!single->line && redis_connect(single->url, single->key, &single->line, &error) != RELANCE_OK)
        single->line = NULL;
    if (single->line && single_run(single, visit, context) == RELANCE_OK) return true;
    redis_close(single->line);
    single->line = NULL;
    redis_question_clear(&single->question);
    return false;
}

void redis_single_begin(struct redis_single *single, size_t fields)
{
    struct buffer *out = &single->question.commands;
    REDIS_ASK(&single->question, STR("MULTI"));
    REDIS_ASK(&single->question, STR("UNLINK"), str_of(single->key));
    resp_begin(out, 2 * fields + 2);
    resp_word(out, STR("HSET"));
    resp_word(out, str_of(single->key));
    single->question.expected++;
}

void redis_single_put(struct redis_single *single, struct relance_str field, struct relance_str value)
{
    resp_word(&single->question.commands, field);
    resp_word(&single->question.commands, value);
}

/* MULTI, so many that are queued, and EXEC. */
static enum relance_status single_hear_exec(void *context, size_t index, const struct redisReply *answer,
                                            struct relance_error *error)
{
    const size_t *queued = context;
    bool done;
    if (index == 0) return redis_read_word(answer, "MULTI", "OK", error);
    if (index <= *queued) return redis_read_word(answer, "MULTI", "QUEUED", error);
    return redis_read_exec(answer, *queued, &done, error);
}

bool redis_single_replace(struct redis_single *single, struct relance_str expire_s)
{
    size_t queued = expire_s.size ? 3 : 2;
    if (expire_s.size) REDIS_ASK(&single->question, STR("EXPIRE"), str_of(single->key), expire_s);
    REDIS_ASK(&single->question, STR("EXEC"));
    return redis_single_ask(single, single_hear_exec, &queued);
}

enum relance_status redis_single_hear_counts(void *context, size_t index, const struct redisReply *answer,
                                             struct relance_error *error)
{
    int64_t count;
    (void)context;
    (void)index;
    return redis_read_count(answer, "HSET", &count, error);
}
