/* Tallies: two counts for each of many names, such as what a customer got under one rule set and the other. */
#ifndef CONSUMER_REPORT_TALLY_H
#define CONSUMER_REPORT_TALLY_H

#include "base/names.h"
#include <stdint.h>

struct tally_item {
    struct relance_str name; /* a NUL stands behind it */
    uint64_t count[2];
    uint64_t digest[2]; /* of what was counted, whatever its order */
};

struct tally {
    struct tally_item *items; /* in the order of their first mention, until sorted */
    size_t count, capacity;
    struct names names; /* the item's number by its name, until sorted */
};

/* The item of that name, added when new; valid until the next call. */
struct tally_item *tally_at(struct tally *tally, struct relance_str name);
void tally_sort(struct tally *tally); /* by the bytes of names; then only for reading */
void tally_free(struct tally *tally);

#endif
