#include "kafka/line.h"
#include "base/ensure.h"
#include "host/clock.h"
#include "host/log.h"
#include "kafka/login.h"
#include "kafka/number.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    LINE_PREFIX = 4,
    LINE_PAUSE_US = 100000,
    LINE_PAUSE_DOUBLED = 4, /* times: 1.6 s, cut to the longest */
    LINE_PAUSE_MAX_US = 1000000,
    LINE_KEPT = 1 << 22, /* bytes of a request, as of an ordinary portion of records */
    LINE_CONNECT_US = 3000000,
    LINE_LOGIN_PERCENT = 80,  /* of the time that a login lasts */
    LINE_LOGIN_MIN_MS = 1000, /* that are believed, as the two below */
    LINE_LOGIN_MAX_MS = 86400000,
    LINE_LOGIN_MAX = 1 << 16, /* bytes of an answer to whoever has not come in */
    LINE_FRESH_US =
        30000000, /* less than brokers and what stands between keep a connection that says nothing */
    LINE_ANSWER_MAX =
        1 << 28, /* bytes; more than any answer: what is asked for is bounded, but for one batch */
};

/* ---- opening and closing */
void kafka_line_init(struct kafka_line *line, const struct kafka_access *access, const char *host, int port,
                     int timeout_ms)
{
    *line = (struct kafka_line){.access = access, .port = port, .timeout_ms = timeout_ms, .fd = -1};
    snprintf(line->host, sizeof line->host, "%s", host);
}

static void line_disconnect(struct kafka_line *line)
{
    kafka_login_close(line->login);
    channel_close(line->channel);
    if (line->fd >= 0) close(line->fd);
    free(line->chunk);
    line->fd = -1;
    line->chunk = NULL;
    line->login = NULL;
    line->channel = NULL;
    line->state = KAFKA_LINE_DOWN;
}

void kafka_line_close(struct kafka_line *line)
{
    line_disconnect(line);
    buffer_free(&line->request);
}

void kafka_line_move(struct kafka_line *line, const char *host, int port)
{
    if (strcmp(line->host, host) == 0 && line->port == port) return;
    kafka_line_close(line);
    kafka_line_init(line, line->access, host, port, line->timeout_ms);
}

/* What TLS 1.3 has against our certificate comes only behind the handshake, in place of the first answer. */
static bool line_is_coming_in(const struct kafka_line *line)
{
    bool is_guarded = line->access->is_tls || line->access->mechanism != KAFKA_NO_LOGIN;
    return is_guarded && (line->state == KAFKA_LINE_SHAKING || line->state == KAFKA_LINE_LOGGING_IN ||
                          (line->state == KAFKA_LINE_ASKED && !line->is_proven));
}

static bool line_fail(struct kafka_line *line, const char *why, struct relance_error *error)
{
    unsigned doubled = line->failures < LINE_PAUSE_DOUBLED ? line->failures : LINE_PAUSE_DOUBLED;
    int64_t pause = (int64_t)LINE_PAUSE_US << doubled;
    line->is_refused = line_is_coming_in(line);
    line_disconnect(line);
    line->failures++;
    line->until_us = clock_monotonic_us() + (pause < LINE_PAUSE_MAX_US ? pause : LINE_PAUSE_MAX_US);
    relance_error_set(error, RELANCE_AGAIN, "%s", why);
    return false;
}

static void line_set_free(struct kafka_line *line)
{
    line->state = KAFKA_LINE_FREE;
    line->until_us = clock_monotonic_us() + LINE_FRESH_US;
}

static void line_reopen(struct kafka_line *line)
{
    line_disconnect(line);
    line->until_us = 0;
}

/* Of a line that is FREE. */
static void line_leave_old_login(struct kafka_line *line)
{
    if (clock_monotonic_us() < line->logged_in_until_us) return;
    log_line(LOG_DEBUG, "A login at a broker is about to end.", "broker=%s:%d", line->host, line->port);
    line_reopen(line);
}

void kafka_line_freshen(struct kafka_line *line)
{
    if (line->state != KAFKA_LINE_FREE) return;
    if (clock_monotonic_us() >= line->until_us || !channel_is_silent(line->channel))
        line_reopen(line);
    else
        line_leave_old_login(line);
}

static int64_t line_patience(const struct kafka_line *line)
{
    return clock_monotonic_us() + (int64_t)line->timeout_ms * 1000;
}

/* A broker that is there takes a connection at once. */
static int64_t line_connect_patience(const struct kafka_line *line)
{
    int64_t longest = clock_monotonic_us() + LINE_CONNECT_US, patience = line_patience(line);
    return patience < longest ? patience : longest;
}

/* Of several addresses each attempt takes another. */
static const struct addrinfo *line_pick(const struct addrinfo *all, unsigned turn)
{
    unsigned count = 0;
    for (const struct addrinfo *each = all; each; each = each->ai_next)
        count++;
    for (turn %= count; turn; turn--)
        all = all->ai_next;
    return all;
}

static int line_begin_connecting(const struct addrinfo *address)
{
    const int on = 1;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    if (connect(fd, address->ai_addr, address->ai_addrlen) == 0 || errno == EINPROGRESS) return fd;
    int code = errno;
    close(fd);
    errno = code;
    return -1;
}

static bool line_connect(struct kafka_line *line, struct relance_error *error)
{
    const struct addrinfo wanted = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    char port[16];
    snprintf(port, sizeof port, "%d", line->port);
    int code = getaddrinfo(line->host, port, &wanted, &found);
    if (code) return line_fail(line, gai_strerror(code), error);
    line->fd = line_begin_connecting(line_pick(found, line->failures));
    freeaddrinfo(found);
    if (line->fd < 0) return line_fail(line, strerror(errno), error);
    line->state = KAFKA_LINE_CONNECTING;
    line->until_us = line_connect_patience(line);
    return true;
}

/* ---- moving bytes */
static const char *line_gone(const struct kafka_line *line)
{
    if (line->state == KAFKA_LINE_SHAKING) return "closed by the broker in the handshake of TLS";
    return line->state == KAFKA_LINE_LOGGING_IN ? "closed by the broker while we log in"
                                                : "closed by the broker";
}

/* Of a call that has moved nothing. */
static bool line_stuck(struct kafka_line *line, ssize_t size, const struct relance_error *why,
                       struct relance_error *error)
{
    if (size == CHANNEL_FAILED) return line_fail(line, why->message, error);
    if (size == CHANNEL_GONE) return line_fail(line, line_gone(line), error);
    line->wanted = channel_events(size);
    return clock_monotonic_us() < line->until_us || line_fail(line, "no answer in time", error);
}

/* A request's bytes, behind its size. */
static struct buffer *line_begin(struct kafka_line *line)
{
    if (line->request.capacity > LINE_KEPT) buffer_free(&line->request);
    line->request.size = 0;
    buffer_put(&line->request, "\0\0\0\0", LINE_PREFIX);
    return &line->request;
}

static void line_ask(struct kafka_line *line, enum kafka_line_state state)
{
    uint32_t size = htobe32((uint32_t)(line->request.size - LINE_PREFIX));
    memcpy(line->request.data, &size, sizeof size);
    line->sent = line->received = 0;
    line->state = state;
    line->wanted = POLLOUT;
    line->until_us = line_patience(line);
}

/* Where the answer's next bytes go, and how many there may be. */
static unsigned char *line_room(struct kafka_line *line, size_t *size)
{
    if (line->received < LINE_PREFIX) {
        *size = LINE_PREFIX - line->received;
        return line->prefix + line->received;
    }
    *size = line->chunk->size + LINE_PREFIX - line->received;
    return line->chunk->bytes + (line->received - LINE_PREFIX);
}

static bool line_is_answered(const struct kafka_line *line)
{
    return line->chunk && line->received == line->chunk->size + LINE_PREFIX;
}

static int32_t line_most(const struct kafka_line *line)
{
    return line->state == KAFKA_LINE_LOGGING_IN ? LINE_LOGIN_MAX : LINE_ANSWER_MAX;
}

/* Sends what is left of the request, then takes what has come of the answer. */
static bool line_exchange(struct kafka_line *line, struct kafka_chunk **spare, struct relance_error *error)
{
    struct relance_error why;
    while (line->sent < line->request.size) {
        ssize_t size = channel_send(line->channel, line->request.data + line->sent,
                                    line->request.size - line->sent, &why);
        if (size < 0) return line_stuck(line, size, &why, error);
        line->sent += (size_t)size;
    }
    while (!line_is_answered(line)) {
        size_t room;
        unsigned char *at = line_room(line, &room);
        ssize_t size = channel_receive(line->channel, at, room, &why);
        if (size < 0) return line_stuck(line, size, &why, error);
        line->received += (size_t)size;
        line->until_us = line_patience(line);
        if (line->received != LINE_PREFIX) continue;
        int32_t announced = kafka_get_int32(line->prefix);
        if (announced <= 0 || announced > line_most(line))
            return line_fail(line, "that is no Kafka broker", error);
        line->chunk = kafka_chunk_take(spare, (size_t)announced);
    }
    line->is_proven = true;
    return true;
}

/* ---- coming in */
static void line_welcome(struct kafka_line *line)
{
    const char *login = kafka_mechanism_name(line->access->mechanism);
    line_set_free(line);
    log_line(LOG_DEBUG, "Connected to a broker.", "broker=%s:%d tls=%s login=%s", line->host, line->port,
             line->access->is_tls ? "yes" : "no", login ? login : "none");
}

/* `lasts_ms`: 0 for ever */
static void line_note_end(struct kafka_line *line, int64_t lasts_ms)
{
    if (lasts_ms <= 0) return;
    if (lasts_ms < LINE_LOGIN_MIN_MS) lasts_ms = LINE_LOGIN_MIN_MS;
    if (lasts_ms > LINE_LOGIN_MAX_MS) lasts_ms = LINE_LOGIN_MAX_MS;
    line->logged_in_until_us = clock_monotonic_us() + lasts_ms * 1000 / 100 * LINE_LOGIN_PERCENT;
}

static void line_put_login(struct kafka_line *line)
{
    kafka_login_put(line->login, line_begin(line));
    line_ask(line, KAFKA_LINE_LOGGING_IN);
}

/* The answer's memory is given back with the connection's end, or here. */
static bool line_take_login(struct kafka_line *line, struct kafka_chunk **spare, struct relance_error *error)
{
    struct relance_error why;
    struct kafka_answer in = {.at = line->chunk->bytes, .bound = line->chunk->bytes + line->chunk->size};
    enum relance_status status = kafka_login_take(line->login, &in, &why);
    kafka_chunk_give(spare, line->chunk);
    line->chunk = NULL;
    if (status == RELANCE_AGAIN) {
        line_put_login(line);
        return true;
    }
    if (status != RELANCE_OK) return line_fail(line, why.message, error);
    line_note_end(line, kafka_login_lasts_ms(line->login));
    kafka_login_close(line->login);
    line->login = NULL;
    line_welcome(line);
    return true;
}

static bool line_log_in(struct kafka_line *line, struct kafka_chunk **spare, struct relance_error *error)
{
    while (line->state == KAFKA_LINE_LOGGING_IN) {
        if (!line_exchange(line, spare, error)) return false;
        if (!line_is_answered(line)) return true;
        if (!line_take_login(line, spare, error)) return false;
    }
    return true;
}

static bool line_shake(struct kafka_line *line, struct kafka_chunk **spare, struct relance_error *error)
{
    struct relance_error why;
    ssize_t done = channel_shake(line->channel, &why);
    if (done < 0) return line_stuck(line, done, &why, error);
    line->logged_in_until_us = INT64_MAX;
    line->is_proven = false;
    line->login = kafka_login_open(line->access);
    if (line->login)
        line_put_login(line);
    else
        line_welcome(line);
    return line_log_in(line, spare, error);
}

static bool line_connected(struct kafka_line *line, struct kafka_chunk **spare, struct relance_error *error)
{
    struct relance_error why;
    struct pollfd ready = {.fd = line->fd, .events = POLLOUT};
    int code = 0;
    socklen_t size = sizeof code;
    if (poll(&ready, 1, 0) <= 0)
        return clock_monotonic_us() < line->until_us || line_fail(line, "no connection in time", error);
    getsockopt(line->fd, SOL_SOCKET, SO_ERROR, &code, &size);
    if (code) return line_fail(line, strerror(code), error);
    line->until_us = line_patience(line);
    line->state = KAFKA_LINE_SHAKING;
    if (channel_open(line->fd, line->access->is_tls ? &line->access->trust : NULL, line->host, &line->channel,
                     &why) != RELANCE_OK)
        return line_fail(line, why.message, error);
    return line_shake(line, spare, error);
}

/* ---- asking */
struct buffer *kafka_line_begin(struct kafka_line *line)
{
    ensure(line->state == KAFKA_LINE_FREE);
    return line_begin(line);
}

void kafka_line_ask(struct kafka_line *line)
{
    line_ask(line, KAFKA_LINE_ASKED);
}

static bool line_await(struct kafka_line *line, struct kafka_chunk **spare, struct relance_error *error)
{
    if (!line_exchange(line, spare, error)) return false;
    if (!line_is_answered(line)) return true;
    line->failures = 0;
    line->state = KAFKA_LINE_ANSWERED;
    return true;
}

struct kafka_chunk *kafka_line_answer(struct kafka_line *line)
{
    ensure(line->state == KAFKA_LINE_ANSWERED);
    struct kafka_chunk *chunk = line->chunk;
    line->chunk = NULL;
    line_set_free(line);
    line_leave_old_login(line);
    return chunk;
}

/* ---- going on */
bool kafka_line_go_on(struct kafka_line *line, struct kafka_chunk **spare, struct relance_error *error)
{
    switch (line->state) {
    case KAFKA_LINE_DOWN: return clock_monotonic_us() < line->until_us || line_connect(line, error);
    case KAFKA_LINE_CONNECTING: return line_connected(line, spare, error);
    case KAFKA_LINE_SHAKING: return line_shake(line, spare, error);
    case KAFKA_LINE_LOGGING_IN: return line_log_in(line, spare, error);
    case KAFKA_LINE_ASKED: return line_await(line, spare, error);
    case KAFKA_LINE_FREE:
    case KAFKA_LINE_ANSWERED: return true;
    }
    return true;
}

short kafka_line_events(const struct kafka_line *line)
{
    switch (line->state) {
    case KAFKA_LINE_CONNECTING: return POLLOUT;
    case KAFKA_LINE_SHAKING:
    case KAFKA_LINE_LOGGING_IN:
    case KAFKA_LINE_ASKED: return line->wanted;
    case KAFKA_LINE_DOWN:
    case KAFKA_LINE_FREE:
    case KAFKA_LINE_ANSWERED: return 0;
    }
    return 0;
}

int64_t kafka_line_until(const struct kafka_line *line)
{
    return line->state == KAFKA_LINE_FREE || line->state == KAFKA_LINE_ANSWERED ? INT64_MAX : line->until_us;
}
