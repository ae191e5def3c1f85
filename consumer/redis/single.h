/* A key of no partition, and the connection to whoever has it: in a Redis Cluster each may be another node's. For whoever
 * writes what may be lost, so no error leaves it. For files of this room only. */
#ifndef CONSUMER_REDIS_SINGLE_H
#define CONSUMER_REDIS_SINGLE_H

#include "redis/keys.h"
#include "redis/line.h"

struct redis_single {
    const char *url;
    char key[REDIS_KEY_SIZE];
    struct redis_line *line; /* NULL: none */
    struct redis_question question;
};
void redis_single_open(struct redis_single *single,
                       const char *url); /* connects when it is asked; sets no key */
void redis_single_close(struct redis_single *single);

/* Asks what has been put into the question. `visit` gets one answer after the other. False: it has not been asked, or an
 * answer was not what the visit took; then the connection is given up. */
typedef enum relance_status redis_single_visit(void *context, size_t index, const struct redisReply *answer,
                                               struct relance_error *error);
bool redis_single_ask(struct redis_single *single, redis_single_visit *visit, void *context);

/* Puts the hash's new fields in the place of all that it has, at once: begun, then HSET's words without verb and key, then
 * ended. expire_s: "" where it is to stay. */
void redis_single_begin(struct redis_single *single, size_t fields);
void redis_single_put(struct redis_single *single, struct relance_str field, struct relance_str value);
bool redis_single_replace(struct redis_single *single, struct relance_str expire_s);

/* A visit: any answer that is no error, of commands that answer with a count. */
redis_single_visit redis_single_hear_counts;

#endif
