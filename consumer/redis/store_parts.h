/* The store in Redis, for the files that make it up: store.c asks and guards, store_claim.c claims and empties, store_read.c
 * reads waits and states, store_write.c writes checkpoints. */
#ifndef CONSUMER_REDIS_STORE_PARTS_H
#define CONSUMER_REDIS_STORE_PARTS_H

#include "delivery/store.h"
#include "redis/keys.h"
#include "redis/line.h"
#include "redis/resp.h"

enum { STORE_READ_FIRST = 64 }; /* customers of the first question for states */

/* What a checkpoint has many of: HSET, HDEL, ZADD, ZREM. */
enum { STORE_STATES, STORE_GONE, STORE_DUES, STORE_OVER, STORE_MANY };

struct store {
    const char *url;
    struct redis_line *line;  /* NULL: none */
    char stamp[STAMP_SIZE];   /* the stamp written last by this claim */
    char attempt[STAMP_SIZE]; /* the stamp of a commit without an answer; "": there is none */
    char whole[STAMP_SIZE];   /* the stamp that the last checkpoint was based on; "" before the first */
    bool is_part;             /* a part of a checkpoint is what the claim has found */
    bool is_first;            /* the next checkpoint is the first of its connection */
    bool is_put_as_first;     /* the one that is begun has been put so */
    size_t read_count;        /* customers of the next question for states */
    int64_t read_ms;          /* how long that question may take */
    char meta_key[REDIS_KEY_SIZE], customers_key[REDIS_KEY_SIZE], timers_key[REDIS_KEY_SIZE],
        metrics_key[REDIS_KEY_SIZE], cohorts_key[REDIS_KEY_SIZE], sales_key[REDIS_KEY_SIZE];
    char minute_key[REDIS_KEY_SIZE];   /* counters of this checkpoint go here, too; "": none yet */
    char day_key[REDIS_KEY_SIZE];      /* the day whose sums were put last; "": none yet */
    int64_t day;                       /* it, since 1970 */
    struct redis_question question;    /* what is to be sent, or on its way */
    struct redis_question checkpoint;  /* likewise; states are asked for while one is being put together */
    struct resp_many many[STORE_MANY]; /* of the checkpoint */
};

#define STORE_ASK(store, ...) REDIS_ASK(&(store)->question, __VA_ARGS__)
#define STORE_PUT(store, ...) REDIS_ASK(&(store)->checkpoint, __VA_ARGS__)

struct resp_many store_many(struct buffer *out, const char *verb, const char *key);

/* A connection, and nothing asked of it yet. */
enum relance_status store_connect(struct store *store, struct relance_error *error);
/* A connection that watches and has seen our stamp. */
enum relance_status store_attach(struct store *store, struct relance_error *error);
void store_disconnect(struct store *store);

bool store_send(struct store *store, struct redis_question *question, struct relance_error *error);
/* The next answer, which is the caller's to free. NULL: the line has failed. */
struct redisReply *store_take(struct store *store, struct redis_question *question,
                              struct relance_error *error);
/* MULTI and what it has queued, up to EXEC. The first thing that Redis refuses is told; the answers behind it are
 * taken all the same. RELANCE_IO: the line has failed. */
enum relance_status store_take_queued(struct store *store, struct redis_question *question,
                                      struct relance_error *error);
/* The line has failed: nothing was done, or nothing that counts. Gives RELANCE_AGAIN. */
enum relance_status store_down(struct store *store, struct relance_error *error);
/* RELANCE_IO: what has come is no answer to what was asked, and whatever comes behind it is none either. A server that
 * is not the one to ask is left, too. */
enum relance_status store_judge(struct store *store, enum relance_status status, struct relance_error *error);

/* Sends WATCH and what asks for meta behind it, and takes the answers; *meta is the second, the caller's to free. */
enum relance_status store_run_watch(struct store *store, struct redisReply **meta,
                                    struct relance_error *error);
enum relance_status store_watch_now(struct store *store, struct relance_error *error);
/* Sends what is asked, with the guard behind it; *out is the answer before that one, when the store is ours and whole. A
 * server that has become another's replica may take over what that one has on a connection that stays open. */
enum relance_status store_guarded_read(struct store *store, struct redisReply **out,
                                       struct relance_error *error);
/* The checkpoint that was attempted is there: the next one is based on it. */
void store_adopt(struct store *store);

#endif
