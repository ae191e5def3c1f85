/* hiredis connects and takes answers apart (redis/make.h says into what); bytes are written and read here, since a deadline
 * of hiredis's is one for each byte, and its bounds are none. */
#include "redis/line.h"
#include "host/channel.h"
#include "host/clock.h"
#include "base/ensure.h"
#include "redis/answer.h"
#include "redis/make.h"
#include "redis/reach.h"
#include "host/stop.h"
#include <errno.h>
#include <hiredis/hiredis.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

enum {
    LINE_CONNECT_MS = 1500, /* of one attempt: a first packet that is lost is sent again after 1 s */
    LINE_STOP_US = 1500000,
    LINE_LOOK_MS = 100, /* how often whoever waits looks whether a stop is asked for */
    LINE_PIECE = 1 << 16,
};

struct redis_line {
    redisContext *redis;
    struct channel *channel;
    bool is_tls;
    bool has_heard; /* something has come */
    int64_t deadline_us;
    size_t bytes_left;
    bool must_reconnect;
    struct redis_host host;
    struct redis_maker maker;
};

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

/* Who is refused for the certificate that was not shown, or speaks to TLS without any, often hears just the end. */
static const char *line_gone(const struct redis_line *line)
{
    if (line->has_heard) return "Server closed the connection";
    return line->is_tls
               ? "Server closed the connection before it said anything; if it asks for a certificate of "
                 "ours, ?cert=FILE&key=FILE names one"
               : "Server closed the connection before it said anything; if TLS is spoken there, say "
                 "rediss:// (or sentinels://)";
}

static enum relance_status line_said(struct relance_error *error)
{
    const struct relance_error found = *error;
    return line_failed(found.message, error);
}

/* Nothing has moved: waits until something can, or says why nothing will. */
static enum relance_status line_stuck(struct redis_line *line, ssize_t why, struct relance_error *error)
{
    if (why == CHANNEL_FAILED) return line_said(error);
    if (why == CHANNEL_GONE) return line_failed(line_gone(line), error);
    return line_wait(line, channel_events(why), error);
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
        ssize_t sent = channel_send(line->channel, commands->data + at, commands->size - at, error);
        if (sent > 0)
            at += (size_t)sent;
        else
            status = line_stuck(line, sent, error);
    }
    if (status == RELANCE_OK) question->commands.size = 0;
    return status;
}

/* ---- in */
static enum relance_status line_read(struct redis_line *line, struct relance_error *error)
{
    char piece[LINE_PIECE];
    ssize_t size = channel_receive(line->channel, piece, sizeof piece, error);
    if (size < 0) return line_stuck(line, size, error);
    line->has_heard = true;
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
    line->maker.elements_left = REDIS_ELEMENTS_MAX;
    for (void *reply = NULL;;) {
        if (redisReaderGetReply(reader, &reply) != REDIS_OK)
            return line_failed(line->maker.crossed ? line->maker.crossed : reader->errstr, error);
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
static redisContext *line_connect(const struct redis_url *url, const struct redis_host *host,
                                  int64_t limit_ms)
{
    redisContext *redis = NULL;
    for (int64_t left_ms = limit_ms; left_ms > 0; left_ms -= LINE_CONNECT_MS) {
        int64_t began_us = clock_monotonic_us(),
                wait_us = (left_ms < LINE_CONNECT_MS ? left_ms : LINE_CONNECT_MS) * 1000;
        int64_t left_us = line_left_us(began_us + wait_us);
        if (left_us < 1000) left_us = 1000; /* 0 would be no limit */
        const struct timeval limit = {left_us / 1000000, left_us % 1000000};
        if (redis) redisFree(redis);
        redis = *url->path ? redisConnectUnixWithTimeout(url->path, limit)
                           : redisConnectWithTimeout(host->name, (int)host->port, limit);
        ensure(redis); /* hiredis has no memory left */
        bool is_late = clock_monotonic_us() - began_us >= wait_us;
        if (!redis->err || !is_late || stop_requested()) break;
    }
    return redis;
}

static enum relance_status line_shake(struct redis_line *line, const struct redis_url *url,
                                      const struct redis_host *host, struct relance_error *error)
{
    enum relance_status status = channel_open(line->redis->fd, url->is_tls ? &url->trust : NULL,
                                              host ? host->name : "", &line->channel, error);
    if (status != RELANCE_OK) return status;
    for (ssize_t moved; (moved = channel_shake(line->channel, error)) != 0;) {
        if (moved == CHANNEL_FAILED) return RELANCE_IO;
        if (moved == CHANNEL_GONE || line_wait(line, channel_events(moved), error) != RELANCE_OK)
            return relance_error_set(error, RELANCE_IO, "no TLS handshake%s: is TLS spoken there?",
                                     moved == CHANNEL_GONE ? "" : " in time");
    }
    return RELANCE_OK;
}

enum relance_status redis_reach(const struct redis_url *url, const struct redis_host *host, int64_t limit_ms,
                                struct redis_line **out, struct relance_error *error)
{
    enum relance_status status = RELANCE_OK;
    struct redis_line *line = calloc(1, sizeof *line);
    ensure(line);
    if (host) line->host = *host;
    line->is_tls = url->is_tls;
    line->redis = line_connect(url, host, limit_ms);
    line->deadline_us = clock_monotonic_us() + limit_ms * 1000;
    if (line->redis->err)
        status = relance_error_set(error, RELANCE_IO, "%s", line->redis->errstr);
    else
        status = line_shake(line, url, host, error);
    if (status != RELANCE_OK) {
        redis_close(line);
        return status;
    }
    redis_make_by(line->redis->reader, &line->maker);
    *out = line;
    return RELANCE_OK;
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
    channel_close(line->channel);
    redisFree(line->redis);
    free(line);
}
