#include "redis/sentinel.h"
#include "redis/reach.h"
#include "host/text.h"

enum { SENTINEL_MS = 500 }; /* for connecting to one, and for each question to it: there are others */

static enum relance_status sentinel_ask(struct redis_line *line, size_t count,
                                        const struct relance_str *words, struct redisReply **answer,
                                        struct relance_error *error)
{
    struct redis_question question = {.timeout_ms = SENTINEL_MS};
    redis_ask(&question, count, words);
    enum relance_status status = redis_send(line, &question, error);
    if (status == RELANCE_OK) status = redis_take(line, &question, answer, error);
    redis_question_free(&question);
    return status;
}

static enum relance_status sentinel_take_part(void *context, size_t index, struct relance_str text,
                                              struct relance_error *error)
{
    struct redis_host *master = context;
    if (index == 1 && text_count(text, &master->port) && master->port > 0 && master->port < 65536)
        return RELANCE_OK;
    if (index == 0 && text.size && text.size < REDIS_HOST_SIZE && !memchr(text.data, 0, text.size)) {
        memcpy(master->name, text.data, text.size);
        master->name[text.size] = '\0';
        return RELANCE_OK;
    }
    return relance_error_set(error, RELANCE_IO, "Redis: SENTINEL: what it names is no address");
}

static enum relance_status sentinel_read_master(const struct redis_url *url, const struct redisReply *answer,
                                                struct redis_host *master, struct relance_error *error)
{
    struct relance_str none;
    struct relance_error ignored;
    if (redis_read_text(answer, "SENTINEL", &none, &ignored) == RELANCE_OK && !none.data)
        return relance_error_set(error, RELANCE_IO, "it knows no master of the name %s", url->master);
    return redis_read_texts(answer, "SENTINEL", 2, sentinel_take_part, master, error);
}

/* Sentinels often have no users of their own: one that refuses ours is asked all the same, and refuses that where it
 * matters. */
static enum relance_status sentinel_ask_for_master(struct redis_line *line, const struct redis_url *url,
                                                   struct redis_host *master, struct relance_error *error)
{
    struct redisReply *answer = NULL;
    const struct relance_str words[] = {STR("SENTINEL"), STR("get-master-addr-by-name"), str_of(url->master)};
    enum relance_status status = redis_log_in(line, url, error);
    if (status == RELANCE_OK || status == RELANCE_AGAIN)
        status = sentinel_ask(line, 3, words, &answer, error);
    if (status == RELANCE_OK) status = sentinel_read_master(url, answer, master, error);
    redis_answer_free(answer);
    return status;
}

static enum relance_status sentinel_find_master(const struct redis_url *url,
                                                const struct redis_host *sentinel, struct redis_host *master,
                                                struct relance_error *error)
{
    struct redis_line *line;
    enum relance_status status = redis_reach(url, sentinel, SENTINEL_MS, &line, error);
    if (status == RELANCE_OK) {
        status = sentinel_ask_for_master(line, url, master, error);
        redis_close(line);
    }
    if (status == RELANCE_OK || status == RELANCE_INVALID) return status;
    const struct relance_error found = *error;
    return relance_error_set(error, RELANCE_IO, "Sentinel at %s:%d: %s", sentinel->name, (int)sentinel->port,
                             found.message);
}

static enum relance_status sentinel_check_role(struct redis_line *line, const struct redis_host *master,
                                               struct relance_error *error)
{
    struct redisReply *answer = NULL;
    struct relance_str role = {0};
    enum relance_status status = REDIS_DO(line, &answer, error, STR("ROLE"));
    if (status == RELANCE_OK) status = redis_read_first(answer, "ROLE", &role, error);
    if (status == RELANCE_OK && !str_equal(role, STR("master")))
        status =
            relance_error_set(error, RELANCE_IO, "Redis at %s:%d is no master, though a sentinel says so",
                              master->name, (int)master->port);
    redis_answer_free(answer);
    return status == RELANCE_OK ? status : (error->status = RELANCE_IO);
}

static enum relance_status sentinel_try(const struct redis_url *url, const struct redis_host *master,
                                        struct redis_line **out, struct relance_error *error)
{
    struct redis_line *line = NULL;
    enum relance_status status = redis_line_open(url, master, &line, error);
    if (status == RELANCE_OK) status = sentinel_check_role(line, master, error);
    if (status == RELANCE_OK)
        *out = line;
    else
        redis_close(line);
    return status;
}

static bool sentinel_is_same(const struct redis_host *a, const struct redis_host *b)
{
    return a->port == b->port && strcmp(a->name, b->name) == 0;
}

/* Where none leads to a master, what a server says of itself tells more than what ails a sentinel. */
enum relance_status redis_connect_to_master(const struct redis_url *url, struct redis_line **out,
                                            struct relance_error *error)
{
    struct redis_host tried = {0};
    enum relance_status status = RELANCE_IO;
    for (size_t i = 0; i < url->host_count; i++) {
        struct redis_host master = {0};
        struct relance_error later;
        enum relance_status found = sentinel_find_master(url, &url->hosts[i], &master, &later);
        if (found == RELANCE_OK && sentinel_is_same(&master, &tried)) continue;
        if (found != RELANCE_OK && *tried.name) continue;
        if (found == RELANCE_OK) found = sentinel_try(url, &master, out, &later);
        if (found == RELANCE_OK) return found;
        tried = master;
        *error = later;
        status = found;
    }
    return status;
}
