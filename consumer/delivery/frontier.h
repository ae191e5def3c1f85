/* The frontier's metadata: what stands in Kafka beside the committed offset P (delivery.md, "Terms").
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

struct frontier {
    char store[STORE_ID_SIZE]; /* UUID of the state in Redis */
    uint64_t seq;              /* number of the last action */
    uint64_t marks;            /* number of the last mark */
    uint64_t chain;            /* running hash over actions and dead letters */
    bool is_restored;          /* the chain is not known: whatever deciding again gives */
};

size_t frontier_print(const struct frontier *frontier,
                      char out[FRONTIER_TEXT_SIZE]);                /* NUL-terminated; its length */
bool frontier_parse(struct relance_str text, struct frontier *out); /* false: not ours */

/* Nothing has been said or marked yet: the state of a group that has just begun. */
bool frontier_is_first(const struct frontier *frontier);
/* A new random UUID. */
void frontier_make_store(char out[STORE_ID_SIZE]);

#endif
