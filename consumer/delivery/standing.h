/* How each partition of the input stands in this process, and whether the servers answer, for whoever shows it. Written by
 * the worker that has the partition, read at any time by others; each number by itself is as last written. Instants are of
 * the monotonic clock, in us; 0: not so. */
#ifndef CONSUMER_DELIVERY_STANDING_H
#define CONSUMER_DELIVERY_STANDING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* The state's name is what live figures say. */
#define STANDING_STATES(X)                                                                                   \
    X(ELSEWHERE, "elsewhere") /* not ours */                                                                 \
    X(UNCLAIMED, "unclaimed") /* the group has given it to us, and it waits to be claimed */                 \
    X(BEHIND, "behind")       /* catching up with what has been published */                                 \
    X(LIVE, "live")
enum standing_state {
#define STANDING_STATE(NAME, text) STANDING_##NAME,
    STANDING_STATES(STANDING_STATE)
#undef STANDING_STATE
};

/* A store that takes no writes may well be read, and the other way round. */
enum standing_store { STANDING_READS, STANDING_WRITES, STANDING_STORE_WAYS };

struct standing {
    _Atomic enum standing_state state;
    _Atomic int64_t lag;       /* records from where it is to the end of the input; -1: not known */
    _Atomic int64_t behind;    /* of them, those up to P */
    _Atomic int64_t published; /* P: the records below it have been published; -1: not known */
    _Atomic int64_t clock_ms;  /* the least number: there is none yet */
    _Atomic int64_t
        model_ms; /* up to when the oldest version of a model in force was counted; 0: there is none */
    _Atomic int64_t unsaved_us;                          /* since when something waits for a checkpoint */
    _Atomic int64_t store_fails_us[STANDING_STORE_WAYS]; /* since when the store does not answer or refuses */
};

/* The earlier of two instants, 0 being none. */
int64_t standing_earlier(int64_t a_us, int64_t b_us);
/* It is not ours any more. */
void standing_leave(struct standing *standing);
void standing_store(struct standing *standing, enum standing_store way, bool answers);
/* 0: it answers. */
int64_t standing_store_fails(const struct standing *standing);

/* A server that is asked by one thread: a question begins and ends. */
struct contact {
    _Atomic int64_t asked_us; /* when the question began that is still open */
    _Atomic int64_t fails_us; /* since when none has been answered */
};
void contact_ask(struct contact *contact);
void contact_end(struct contact *contact); /* it says nothing about the server */
void contact_answer(struct contact *contact, bool answers);
/* Since when the server is away; 0: it is not. One that has had CONTACT_PATIENCE_US for an answer is. */
enum { CONTACT_PATIENCE_US = 5000000 };
int64_t contact_away(const struct contact *contact, int64_t now_us);

#endif
