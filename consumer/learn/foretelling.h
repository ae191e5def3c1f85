/* How well versions foretell: each event of the last days is asked about before it is counted, as a rule would ask.
 *
 * The question holds what its customer came to last, as a `lists` declaration keeps it, the newest first: ten of them weigh, and
 * where the affinity is of what comes together all that are kept. Of the answers those that the customer had are left out, and
 * twenty are looked at. The right answers are the event's products that the customer had not come to; those that he comes to
 * again need no foretelling. The most popular products are asked in the same way. */
#ifndef CONSUMER_LEARN_FORETELLING_H
#define CONSUMER_LEARN_FORETELLING_H

#include <relance/affinity.h>

enum { FORETELLING_ANSWERS = 20, FORETELLING_DAYS_MAX = 366 };

/* How a list did: how often the product was in it, and the sum of 1/place. */
struct served {
    uint64_t hits;
    double reciprocal;
};

struct foretold {
    int64_t day;    /* of which the figures are, since 1970 */
    uint64_t asked; /* products that were new to their customers */
    struct served learnt, popular;
};

struct foretelling;

/* Of one affinity. Without memory the process ends. */
struct foretelling *foretelling_open(const struct relance_affinity *about);
void foretelling_close(struct foretelling *foretelling); /* NULL: nothing to do */
/* An event of that day. `model` is what is known then; NULL: nothing yet. */
void foretelling_give(struct foretelling *foretelling, const struct relance_given *given,
                      const struct relance_model *model, int64_t day);
/* Of so many days, the last of which is `day`. */
struct foretold foretelling_sum(const struct foretelling *foretelling, int64_t day, int64_t days);

#endif
