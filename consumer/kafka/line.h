/* A connection to a broker that carries one request at a time. For this room only.
 *
 *     DOWN ──▶ CONNECTING ──▶ SHAKING ──▶ LOGGING_IN ──▶ FREE ──kafka_line_ask──▶ ASKED ──▶ ANSWERED ──kafka_line_answer──▶ FREE
 *
 * What needs no handshake, or no login, is passed through at once. A login that does not last is made anew, over another connection, between
 * two requests and before the broker would ask for it.
 *
 * Nothing here waits, but for the resolver where a broker has a name. Whatever fails closes the connection, and it is opened anew after
 * a pause that grows from 100 ms to 1 s; what was asked is lost then. */
#ifndef CONSUMER_KAFKA_LINE_H
#define CONSUMER_KAFKA_LINE_H

#include "base/buffer.h"
#include "kafka/access.h"
#include "kafka/chunk.h"

enum kafka_line_state {
    KAFKA_LINE_DOWN,
    KAFKA_LINE_CONNECTING,
    KAFKA_LINE_SHAKING,
    KAFKA_LINE_LOGGING_IN,
    KAFKA_LINE_FREE,
    KAFKA_LINE_ASKED,
    KAFKA_LINE_ANSWERED,
};

struct kafka_line {
    char host[256];
    int port;
    int timeout_ms; /* for each part of an answer, and, if less than 3 s, for a connection */
    enum kafka_line_state state;
    unsigned failures; /* since the last answer */
    /* Its last failure: files that cannot be used, a handshake or a login that came to no good end. */
    bool is_refused;
    /* for line.c */
    const struct kafka_access *access;
    int fd;
    struct channel *channel;   /* from SHAKING on */
    struct kafka_login *login; /* LOGGING_IN */
    short wanted;              /* of SHAKING, LOGGING_IN and ASKED: what poll() is to wait for */
    int64_t until_us;          /* DOWN: pause; FREE: fresh enough; ANSWERED: nothing; else patience */
    int64_t logged_in_until_us;
    bool is_proven; /* the broker has answered over this connection */
    struct buffer request;
    size_t sent;
    unsigned char prefix[4]; /* the answer's size */
    size_t received;         /* with the prefix */
    struct kafka_chunk *chunk;
};

/* `access` stays. */
void kafka_line_init(struct kafka_line *line, const struct kafka_access *access, const char *host, int port,
                     int timeout_ms);
void kafka_line_close(struct kafka_line *line);
/* Whom it leads to: where that is somebody else, it is closed. */
void kafka_line_move(struct kafka_line *line, const char *host, int port);

/* Goes on as far as it can without waiting. False: it has failed just now, and why is in `error`. */
bool kafka_line_go_on(struct kafka_line *line, struct kafka_chunk **spare, struct relance_error *error);

/* A line that is FREE and has not been used for long, or that the broker has closed meanwhile, is opened anew: a request that it does not get
 * would be one of which nobody knows. */
void kafka_line_freshen(struct kafka_line *line);
/* Of a line that is FREE: a request's bytes behind its size. Sent as soon as they can be. */
struct buffer *kafka_line_begin(struct kafka_line *line);
void kafka_line_ask(struct kafka_line *line);
/* Of one that is ANSWERED: the answer behind its size; the caller's. */
struct kafka_chunk *kafka_line_answer(struct kafka_line *line);

/* What poll() is to wait for; 0: nothing. And until when, µs of the monotonic clock; INT64_MAX: as long as it takes. */
short kafka_line_events(const struct kafka_line *line);
int64_t kafka_line_until(const struct kafka_line *line);

#endif
