/* What Redis answers, read by type: the one reader of it, for files of this room only.
 *
 * Whoever reads an answer says of which kind it has to be. One of another kind is an error with a sentence, and never
 * more than that: at the other end may be a proxy, another program, or a Redis that is ill. What these functions return:
 *     RELANCE_OK       it is of that kind
 *     RELANCE_AGAIN    Redis answers with an error; the sentence has its words (OOM, NOPERM, MOVED …)
 *     RELANCE_IO       it is no answer to what was asked, and none behind it is one: the line is to be closed
 * `asked` is the command, for the sentence. */
#ifndef CONSUMER_REDIS_ANSWER_H
#define CONSUMER_REDIS_ANSWER_H

#include <relance/text.h>
#include <stdbool.h>
#include <stdint.h>

struct redisReply; /* hiredis's; nobody else looks into it */

void redis_answer_free(struct redisReply *answer);

/* What Redis refuses, in its words, as long as the answer lives; data NULL: it is no error. */
struct relance_str redis_read_refusal(const struct redisReply *answer);
/* Does it say that this server is, for now or for good, not the one to ask: a slot of a cluster that is elsewhere or on
 * its way, a replica, a server that loads or that its replicas have left? Whoever asks again does so on a new line. */
bool redis_is_elsewhere(const struct redisReply *answer);

/* A word of Redis's own: OK, QUEUED, PONG. */
RELANCE_MUST enum relance_status redis_read_word(const struct redisReply *answer, const char *asked,
                                                 const char *word, struct relance_error *error);
/* A number, 0 or more. */
RELANCE_MUST enum relance_status redis_read_count(const struct redisReply *answer, const char *asked,
                                                  int64_t *out, struct relance_error *error);
/* A text that may be absent: then out->data is NULL. It lives as long as the answer, and a NUL stands behind it. */
RELANCE_MUST enum relance_status redis_read_text(const struct redisReply *answer, const char *asked,
                                                 struct relance_str *out, struct relance_error *error);

/* The first of a list, a text: of ROLE's answer. */
RELANCE_MUST enum relance_status redis_read_first(const struct redisReply *answer, const char *asked,
                                                  struct relance_str *out, struct relance_error *error);

/* A list of so many texts, each of which may be absent. */
#define REDIS_ANY SIZE_MAX
typedef enum relance_status redis_text_visit(void *context, size_t index, struct relance_str text,
                                             struct relance_error *error);
RELANCE_MUST enum relance_status redis_read_texts(const struct redisReply *answer, const char *asked,
                                                  size_t count, redis_text_visit *visit, void *context,
                                                  struct relance_error *error);
/* A list of two texts by turns, none absent: field and value, member and score. */
typedef enum relance_status redis_pair_visit(void *context, struct relance_str name, struct relance_str value,
                                             struct relance_error *error);
RELANCE_MUST enum relance_status redis_read_pairs(const struct redisReply *answer, const char *asked,
                                                  redis_pair_visit *visit, void *context,
                                                  struct relance_error *error);

/* One step of SCAN or HSCAN: where to go on, "0" at the end, and a list of what was found, part of the answer. */
enum { REDIS_CURSOR_SIZE = 24 };
RELANCE_MUST enum relance_status redis_read_scan(const struct redisReply *answer, const char *asked,
                                                 char cursor[REDIS_CURSOR_SIZE],
                                                 const struct redisReply **found,
                                                 struct relance_error *error);

/* What an EXEC of so many commands answers. *done: false when a watched key had been written by another.
 * RELANCE_INVALID: it was done but for a part, which Redis refused; there is no going on from that. An integer that has no
 * room for more is no such part. */
RELANCE_MUST enum relance_status redis_read_exec(const struct redisReply *answer, size_t count, bool *done,
                                                 struct relance_error *error);

#endif
