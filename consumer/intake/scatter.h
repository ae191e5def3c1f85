/* Do a customer's events come from one partition? What comes from several is in the order of reading, not of happening.
 *
 * A table of fixed size: a customer who meets another one in a place takes it over. So the count is a lower bound, and
 * near the truth while the customers of the moment are fewer than the places. */
#ifndef CONSUMER_INTAKE_SCATTER_H
#define CONSUMER_INTAKE_SCATTER_H

#include <relance/text.h>
#include <stdbool.h>
#include <stdint.h>

enum { SCATTER_PLACES = 1 << 16 }; /* of 16 bytes */

struct scatter {
    struct scatter_place {
        uint64_t customer; /* the hash; 0: free */
        uint32_t source;
    } places[SCATTER_PLACES];
};

/* Takes note that an event of `customer` came from `source`. True: the one before came from another one. */
bool scatter_note(struct scatter *scatter, struct relance_str customer, uint32_t source);

#endif
