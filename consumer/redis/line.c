/* hiredis connects and takes answers apart; bytes are written and read here, since a deadline of hiredis's is one for
 * each byte, and its bounds are none. */
#include "redis/line.h"
#include "host/clock.h"
#include "base/ensure.h"
#include "redis/url.h"
#include "host/stop.h"
#include "host/text.h"
#include <errno.h>
#include <hiredis/hiredis.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

enum {
    LINE_CONNECT_MS = 1500, /* of one attempt: a first packet that is lost is sent again after 1 s */
    LINE_CONNECTS = 2,      /* attempts */
    LINE_STOP_US = 1500000,
    LINE_LOOK_MS = 100, /* how often whoever waits looks whether a stop is asked for */
    LINE_PIECE = 1 << 16,
};

#if HIREDIS_MAJOR >= 1
typedef size_t line_count;
#else
typedef int line_count;
#endif

struct redis_line {
    redisContext *redis;
    int64_t deadline_us;
    size_t bytes_left, elements_left;
    bool must_reconnect;
    struct redis_host host;
    const char *crossed;                    /* the bound that made the reader give up; NULL: none */
    const redisReplyObjectFunctions *plain; /* what makes answers, as hiredis has it */
    redisReplyObjectFunctions bounded;      /* the same, but for lists, which are bounded */
};

/* ---- bounds */
static void *line_make_list(const redisReadTask *task, line_count count)
{
    struct redis_line *line = task->privdata;
    int depth = 1;
    for (const redisReadTask *in = task->parent; in; in = in->parent)
        depth++;
    if (depth > REDIS_DEPTH_MAX)
        line->crossed = "an answer with too many lists in lists";
    else if ((size_t)count > line->elements_left)
        line->crossed = "an answer with too many elements";
    if (line->crossed) return NULL;
    line->elements_left -= (size_t)count;
    return line->plain->createArray(task, count);
}

static void line_bound(struct redis_line *line)
{
    redisReader *reader = line->redis->reader;
    line->plain = reader->fn;
    line->bounded = *reader->fn;
    line->bounded.createArray = line_make_list;
    reader->fn = &line->bounded;
    reader->privdata = line;
}

static enum relance_status line_failed(const char *why, struct relance_error *error)
{
    return relance_error_set(error, RELANCE_IO, "Redis: %s", why);
}

/* ---- waiting */
static int64_t line_left_us(int64_t deadline_us)
{
    int64_t stop_us = stop_requested_us();
    if (stop_us >= 0 && stop_us + LINE_STOP_US < deadline_us) deadline_us = stop_us + LINE_STOP_US;
    return deadline_us - clock_monotonic_us();
}

/* Until bytes can go or come, or the line has failed, which the next call says. */
static enum relance_status line_wait(struct redis_line *line, short events, struct relance_error *error)
{
    struct pollfd at = {.fd = line->redis->fd, .events = events};
    for (;;) {
        int64_t left_us = line_left_us(line->deadline_us);
        if (left_us <= 0) return line_failed("no whole answer in time", error);
        int64_t left_ms = left_us / 1000 + 1;
        int ready = poll(&at, 1, left_ms < LINE_LOOK_MS ? (int)left_ms : LINE_LOOK_MS);
        if (ready > 0) return RELANCE_OK;
        if (ready < 0 && errno != EINTR) return line_failed(strerror(errno), error);
    }
}

static bool line_is_busy(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

/* ---- out */
static void line_begin(struct redis_line *line, const struct redis_question *question)
{
    int64_t more = (int64_t)(question->commands.size / REDIS_SENT_MORE);
    int64_t timeout_ms = question->timeout_ms ? question->timeout_ms : REDIS_TIMEOUT_MS * (1 + more);
    line->deadline_us = clock_monotonic_us() + timeout_ms * 1000;
    line->bytes_left = question->bytes_max ? question->bytes_max : REDIS_BYTES_MAX;
}

enum relance_status redis_send(struct redis_line *line, struct redis_question *question,
                               struct relance_error *error)
{
    const struct buffer *commands = &question->commands;
    enum relance_status status = RELANCE_OK;
    line_begin(line, question);
    for (size_t at = 0; at < commands->size && status == RELANCE_OK;) {
        ssize_t sent =
            send(line->redis->fd, commands->data + at, commands->size - at, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent >= 0)
            at += (size_t)sent;
        else if (line_is_busy())
            status = line_wait(line, POLLOUT, error);
        else
            return line_failed(strerror(errno), error);
    }
    if (status == RELANCE_OK) question->commands.size = 0;
    return status;
}

/* ---- in */
static enum relance_status line_read(struct redis_line *line, struct relance_error *error)
{
    char piece[LINE_PIECE];
    ssize_t size = recv(line->redis->fd, piece, sizeof piece, MSG_DONTWAIT);
    if (size < 0 && line_is_busy()) return line_wait(line, POLLIN, error);
    if (size < 0) return line_failed(strerror(errno), error);
    if (size == 0) return line_failed("Server closed the connection", error);
    if ((size_t)size > line->bytes_left) return line_failed("an answer of too many bytes", error);
    line->bytes_left -= (size_t)size;
    if (line_left_us(line->deadline_us) <= 0) return line_failed("no whole answer in time", error);
    redisReader *reader = line->redis->reader;
    return redisReaderFeed(reader, piece, (size_t)size) == REDIS_OK ? RELANCE_OK
                                                                    : line_failed(reader->errstr, error);
}

enum relance_status redis_take(struct redis_line *line, struct redis_question *question, redisReply **out,
                               struct relance_error *error)
{
    redisReader *reader = line->redis->reader;
    ensure(question->expected);
    line->elements_left = REDIS_ELEMENTS_MAX;
    for (void *reply = NULL;;) {
        if (redisReaderGetReply(reader, &reply) != REDIS_OK)
            return line_failed(line->crossed ? line->crossed : reader->errstr, error);
        if (reply) {
            question->expected--;
            line->must_reconnect |= redis_is_elsewhere(reply);
            *out = reply;
            return RELANCE_OK;
        }
        enum relance_status status = line_read(line, error);
        if (status != RELANCE_OK) return status;
    }
}

/* ---- connecting */
static enum relance_status line_expect_ok(struct redis_line *line, size_t count,
                                          const struct relance_str *words, const char *asked,
                                          struct relance_error *error)
{
    redisReply *answer = NULL;
    enum relance_status status = redis_do(line, count, words, &answer, error);
    if (status == RELANCE_OK) status = redis_read_word(answer, asked, "OK", error);
    redis_answer_free(answer);
    return status == RELANCE_OK ? status : (error->status = RELANCE_IO);
}

static enum relance_status line_greet(struct redis_line *line, const struct redis_url *url,
                                      struct relance_error *error)
{
    const struct relance_str login[] = {STR("AUTH"), str_of(url->user), str_of(url->password)};
    const struct relance_str plain[] = {STR("AUTH"), str_of(url->password)};
    char db[TEXT_NUMBER_SIZE];
    enum relance_status status = RELANCE_OK;
    if (*url->user)
        status = line_expect_ok(line, 3, login, "AUTH", error);
    else if (*url->password)
        status = line_expect_ok(line, 2, plain, "AUTH", error);
    if (status != RELANCE_OK || !url->db) return status;
    const struct relance_str select[] = {STR("SELECT"), {db, text_put_int(db, url->db)}};
    status = line_expect_ok(line, 2, select, "SELECT", error);
    if (status == RELANCE_OK || !strstr(error->message, "cluster mode")) return status;
    return relance_error_set(error, RELANCE_INVALID,
                             "--redis: a Redis Cluster has no database but 0: leave out the /%s", db);
}

static redisContext *line_reach(const struct redis_url *url, const struct redis_host *host)
{
    redisContext *redis = NULL;
    for (int tries = 0; tries < LINE_CONNECTS; tries++) {
        int64_t began_us = clock_monotonic_us(), left_us = line_left_us(began_us + LINE_CONNECT_MS * 1000);
        if (left_us < 1000) left_us = 1000; /* 0 would be no limit */
        const struct timeval limit = {left_us / 1000000, left_us % 1000000};
        if (redis) redisFree(redis);
        redis = *url->path ? redisConnectUnixWithTimeout(url->path, limit)
                           : redisConnectWithTimeout(host->name, (int)host->port, limit);
        ensure(redis); /* hiredis has no memory left */
        bool is_late = clock_monotonic_us() - began_us >= LINE_CONNECT_MS * 1000;
        if (!redis->err || !is_late || stop_requested()) break;
    }
    return redis;
}

static enum relance_status line_unreachable(const struct redis_url *url, const struct redis_host *host,
                                            const char *why, struct relance_error *error)
{
    return *url->path
               ? relance_error_set(error, RELANCE_IO, "Redis at %s: %s", url->path, why)
               : relance_error_set(error, RELANCE_IO, "Redis at %s:%d: %s", host->name, (int)host->port, why);
}

enum relance_status redis_line_open(const struct redis_url *url, const struct redis_host *host,
                                    struct redis_line **out, struct relance_error *error)
{
    enum relance_status status;
    struct redis_line *line = calloc(1, sizeof *line);
    ensure(line);
    if (host) line->host = *host;
    line->redis = line_reach(url, host);
    if (line->redis->err) {
        status = line_unreachable(url, host, line->redis->errstr, error);
    } else {
        line_bound(line);
        status = line_greet(line, url, error);
    }
    if (status == RELANCE_OK)
        *out = line;
    else
        redis_close(line);
    return status;
}

const struct redis_host *redis_line_host(const struct redis_line *line)
{
    return &line->host;
}

bool redis_must_reconnect(const struct redis_line *line)
{
    return line->must_reconnect;
}

void redis_close(struct redis_line *line)
{
    if (!line) return;
    redisFree(line->redis);
    free(line);
}
