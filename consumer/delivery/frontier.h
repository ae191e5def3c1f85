/* The frontier's metadata: what stands in Kafka beside the committed offset P (DELIVERY.md §1, STATE.md §5.5).
 *
 *     1;STORE;SEQ;MARKS;CHAIN      1;0b7e…-…;251;17;9f86d081884c7d65
 *     1;STORE;SEQ;MARKS;-          put back by `relance restore-offsets`, which cannot know the chain
 *
 * Everything caused by records below P and by the first `marks` marks is in Kafka, and that was `seq`
 * actions. */
#ifndef CONSUMER_DELIVERY_FRONTIER_H
#define CONSUMER_DELIVERY_FRONTIER_H

#include <relance/text.h>
#include <stdbool.h>
#include <stdint.h>

enum { STORE_ID_SIZE = 37, FRONTIER_TEXT_SIZE = 128 };

/* A place in the history of a partition, and what has come of that history so far: what has been decided, what
 * has been published and what has been saved are each such a place. */
struct position {
    int64_t offset; /* records below it are behind us */
    uint64_t marks; /* number of the last mark */
    uint64_t seq;   /* number of the last action */
    uint64_t chain; /* running hash over actions and dead letters */
};

/* The same records and marks: then deciding is a function, and so is all else. */
static inline bool position_is_same(struct position a, struct position b)
{
    return a.offset == b.offset && a.marks == b.marks;
}

/* Are no records and no marks behind `a` that are not behind `b`, too? */
static inline bool position_is_within(struct position a, struct position b)
{
    return a.offset <= b.offset && a.marks <= b.marks;
}

struct frontier {
    char store[STORE_ID_SIZE]; /* UUID of the state in Redis */
    struct position position;  /* its offset is the one that the group has committed; -1: none */
    bool is_restored;          /* the chain is not known: whatever deciding again gives */
};

/* The metadata: all but the offset. NUL-terminated; its length. */
size_t frontier_print(const struct frontier *frontier, char out[FRONTIER_TEXT_SIZE]);
/* Reads metadata, and takes the offset beside which it stands. False: it is not ours, and *out is as it was. */
bool frontier_parse(int64_t offset, struct relance_str metadata, struct frontier *out);

/* Nothing has been published or marked yet: the state of a group that has just begun. */
bool frontier_is_first(const struct frontier *frontier);
/* A new random UUID. */
void frontier_make_store(char out[STORE_ID_SIZE]);

#endif
