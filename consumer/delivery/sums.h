/* Sums over all customers of one partition since its last checkpoint (relance/sums.h): thrown away with the counters,
 * written with them, made again with them. Exact whole numbers, whatever their order; one that would leave 64 bits stays at
 * the last that has room. */
#ifndef CONSUMER_DELIVERY_SUMS_H
#define CONSUMER_DELIVERY_SUMS_H

#include "base/names.h"

#include <relance/sums.h>

struct sums {
    struct names names; /* table and day in front of each */
    int64_t *numbers;   /* theirs */
};

void sums_add(struct sums *sums, const struct relance_addition *addition);
/* Every sum that is not 0, by table, day and name; a name is valid during the visit. */
void sums_each(const struct sums *sums, relance_add *visit, void *context);
void sums_add_all(struct sums *sums, const struct sums *more);
void sums_clear(struct sums *sums);
void sums_free(struct sums *sums);

#endif
