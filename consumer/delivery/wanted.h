/* Customers whose states are to be asked for, each once: in a batch one customer comes again and again. */
#ifndef CONSUMER_DELIVERY_WANTED_H
#define CONSUMER_DELIVERY_WANTED_H

#include <relance/text.h>
#include <stdint.h>

struct wanted {
    struct relance_str *customers; /* borrowed; in the order in which they came */
    size_t count;
    struct wanted_slot *slots; /* twice as many as there is room for customers; a power of two */
    size_t capacity;
    uint64_t round; /* slots of an earlier one are empty */
};

void wanted_clear(struct wanted *wanted); /* keeps its room */
void wanted_add(struct wanted *wanted, struct relance_str customer);
void wanted_free(struct wanted *wanted);

#endif
