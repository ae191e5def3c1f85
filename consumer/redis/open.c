/* A line to one server: reached, logged in, with its database selected. */
#include "redis/reach.h"
#include "host/text.h"

static enum relance_status open_expect_ok(struct redis_line *line, size_t count,
                                          const struct relance_str *words, const char *asked,
                                          struct relance_error *error)
{
    struct redisReply *answer = NULL;
    enum relance_status status = redis_do(line, count, words, &answer, error);
    if (status == RELANCE_OK) status = redis_read_word(answer, asked, "OK", error);
    redis_answer_free(answer);
    return status;
}

enum relance_status redis_log_in(struct redis_line *line, const struct redis_url *url,
                                 struct relance_error *error)
{
    const struct relance_str words[] = {STR("AUTH"), str_of(url->user), str_of(url->password)};
    const struct relance_str plain[] = {STR("AUTH"), str_of(url->password)};
    if (*url->user) return open_expect_ok(line, 3, words, "AUTH", error);
    return *url->password ? open_expect_ok(line, 2, plain, "AUTH", error) : RELANCE_OK;
}

static enum relance_status open_select(struct redis_line *line, const struct redis_url *url,
                                       struct relance_error *error)
{
    char db[TEXT_NUMBER_SIZE];
    if (!url->db) return RELANCE_OK;
    const struct relance_str words[] = {STR("SELECT"), {db, text_put_int(db, url->db)}};
    enum relance_status status = open_expect_ok(line, 2, words, "SELECT", error);
    if (status == RELANCE_OK || !strstr(error->message, "cluster mode")) return status;
    return relance_error_set(error, RELANCE_INVALID,
                             "--redis: a Redis Cluster has no database but 0: leave out the /%s", db);
}

static enum relance_status open_unreachable(const struct redis_url *url, const struct redis_host *host,
                                            struct relance_error *error)
{
    const struct relance_error found = *error;
    if (found.status == RELANCE_INVALID) return found.status;
    return *url->path ? relance_error_set(error, found.status, "Redis at %s: %s", url->path, found.message)
                      : relance_error_set(error, found.status, "Redis at %s:%d: %s", host->name,
                                          (int)host->port, found.message);
}

/* What Redis refuses here is of no other use than a Redis that is away. */
enum relance_status redis_line_open(const struct redis_url *url, const struct redis_host *host,
                                    struct redis_line **out, struct relance_error *error)
{
    struct redis_line *line = NULL;
    enum relance_status status = redis_reach(url, host, REDIS_TIMEOUT_MS, &line, error);
    if (status != RELANCE_OK) return open_unreachable(url, host, error);
    status = redis_log_in(line, url, error);
    if (status == RELANCE_OK) status = open_select(line, url, error);
    if (status == RELANCE_OK) {
        *out = line;
        return RELANCE_OK;
    }
    redis_close(line);
    return status == RELANCE_INVALID ? status : (error->status = RELANCE_IO);
}
