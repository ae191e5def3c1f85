/* One connection to Redis: questions out, answers in. For files of this room only.
 *
 * A question, that is all of its commands and all of their answers, has one deadline, so that a server that drips a
 * byte a second is as much too late as one that is silent; and bounds for what comes back: bytes, elements of lists,
 * lists in lists. Once a stop is asked for, a question ends LINE_STOP_US later at the latest. A line on which anything
 * has failed says so for ever: close it. */
#ifndef CONSUMER_REDIS_LINE_H
#define CONSUMER_REDIS_LINE_H

#include "base/buffer.h"
#include "redis/answer.h"
#include "redis/url.h"

enum {
    /* Of a question, and as much again for each REDIS_SENT_MORE bytes that it sends. */
    REDIS_TIMEOUT_MS = 3000,
    REDIS_SENT_MORE = 16 << 20,
    REDIS_ELEMENTS_MAX = 1 << 20, /* of all lists of an answer */
    REDIS_DEPTH_MAX = 4,          /* lists in lists */
};
#define REDIS_BYTES_MAX ((size_t)600 << 20) /* of the answers to a question: a value has 512 MiB at most */

struct redis_line;

/* A connection from a URL, whose forms are told in redis/url.h. Authenticated, with its database selected, and in a Redis Cluster to the node that
 * has the slot of `key`; NULL: any node. RELANCE_INVALID: the URL; RELANCE_IO: the server. The password is in no
 * message. */
RELANCE_MUST enum relance_status redis_connect(const char *url, const char *key, struct redis_line **out,
                                               struct relance_error *error);
/* The next connection begins at another of the hosts that a URL names. */
void redis_connect_elsewhere(void);
/* The same to one of the hosts that a URL may name, whatever it has; of a unix socket `host` means nothing. */
RELANCE_MUST enum relance_status redis_line_open(const struct redis_url *url, const struct redis_host *host,
                                                 struct redis_line **out, struct relance_error *error);
void redis_close(struct redis_line *line); /* NULL: nothing to do */
/* Whom it leads to; of a unix socket without a name. */
const struct redis_host *redis_line_host(const struct redis_line *line);
/* Has an answer said that another server is to be asked (redis_is_elsewhere)? Then this line is of no more use. */
bool redis_must_reconnect(const struct redis_line *line);

/* Just the URL, for the check of options before anything is started. */
RELANCE_MUST enum relance_status redis_check_url(const char *url, struct relance_error *error);

/* Commands to be sent together, and how many of their answers are still to come. */
struct redis_question {
    struct buffer commands;
    size_t expected;
    int64_t timeout_ms; /* 0: as above */
    size_t bytes_max;   /* likewise */
};
#define REDIS_ASK(question, ...)                                                                             \
    redis_ask(question, sizeof((struct relance_str[]){__VA_ARGS__}) / sizeof(struct relance_str),            \
              (struct relance_str[]){__VA_ARGS__})
void redis_ask(struct redis_question *question, size_t count,
               const struct relance_str *words);            /* one command more */
void redis_question_clear(struct redis_question *question); /* keeps its room */
void redis_question_free(struct redis_question *question);

/* Both: RELANCE_IO, the line has failed. After redis_send has failed, the last command has not arrived whole. */
RELANCE_MUST enum relance_status redis_send(struct redis_line *line, struct redis_question *question,
                                            struct relance_error *error);
/* The next answer, to be freed. */
RELANCE_MUST enum relance_status redis_take(struct redis_line *line, struct redis_question *question,
                                            struct redisReply **out, struct relance_error *error);

/* One command and its answer. */
RELANCE_MUST enum relance_status redis_do(struct redis_line *line, size_t count,
                                          const struct relance_str *words, struct redisReply **out,
                                          struct relance_error *error);
#define REDIS_DO(line, out, error, ...)                                                                      \
    redis_do(line, sizeof((struct relance_str[]){__VA_ARGS__}) / sizeof(struct relance_str),                 \
             (struct relance_str[]){__VA_ARGS__}, out, error)

#endif
