#include "redis/takeover.h"

#include "base/str.h"
#include "redis/answer.h"
#include "redis/keys.h"
#include "redis/line.h"

#include <stdio.h>

static enum relance_status takeover_count(struct redis_line *line, const char *key, int64_t *count,
                                          struct relance_error *error)
{
    struct redisReply *answer = NULL;
    enum relance_status status =
        REDIS_DO(line, &answer, error, STR("HINCRBY"), str_of(key), STR("count"), STR("1"));
    if (status == RELANCE_OK) status = redis_read_count(answer, "HINCRBY", count, error);
    redis_answer_free(answer);
    return status;
}

static enum relance_status takeover_expire(struct redis_line *line, const char *key,
                                           struct relance_error *error)
{
    char seconds[16];
    struct redisReply *answer = NULL;
    snprintf(seconds, sizeof seconds, "%d", TAKEOVER_WINDOW_S);
    enum relance_status status = REDIS_DO(line, &answer, error, STR("EXPIRE"), str_of(key), str_of(seconds));
    redis_answer_free(answer);
    return status;
}

int64_t takeover_note(const char *url, const char *group, const char *instance)
{
    int64_t count = 0;
    char key[REDIS_KEY_SIZE];
    struct redis_line *line = NULL;
    struct relance_error error;
    redis_key_takeovers(key, group, instance);
    enum relance_status status = redis_connect(url, key, &line, &error);
    if (status == RELANCE_OK) status = takeover_count(line, key, &count, &error);
    if (status == RELANCE_OK && count == 1) status = takeover_expire(line, key, &error);
    redis_close(line);
    return status == RELANCE_OK ? count : 0;
}
