/* Of a line, what does not touch the network. */
#include "redis/line.h"
#include "redis/resp.h"

void redis_ask(struct redis_question *question, size_t count, const struct relance_str *words)
{
    resp_command(&question->commands, count, words);
    question->expected++;
}

void redis_question_clear(struct redis_question *question)
{
    question->commands.size = 0;
    question->expected = 0;
}

void redis_question_free(struct redis_question *question)
{
    buffer_free(&question->commands);
    question->expected = 0;
}

enum relance_status redis_do(struct redis_line *line, size_t count, const struct relance_str *words,
                             struct redisReply **out, struct relance_error *error)
{
    struct redis_question question = {0};
    redis_ask(&question, count, words);
    enum relance_status status = redis_send(line, &question, error);
    if (status == RELANCE_OK) status = redis_take(line, &question, out, error);
    redis_question_free(&question);
    return status;
}
