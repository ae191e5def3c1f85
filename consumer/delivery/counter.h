/* Counters of one partition since its last checkpoint (counter.def). They are part of the state: thrown away
 * with it, written with it, made again when it is decided again. */
#ifndef CONSUMER_DELIVERY_COUNTER_H
#define CONSUMER_DELIVERY_COUNTER_H

#include "base/names.h"

#include <relance/decision.h>
#include <relance/forgot.h>

enum counter {
#define COUNTER(ENUM, name, prose) COUNTER_##ENUM,
#define COUNTER_FAMILY(ENUM, form, prose)
#include "counter.def"
#undef COUNTER
#undef COUNTER_FAMILY
    COUNTER_COUNT,
    COUNTER_FORGOT_FIRST = COUNTER_FORGOT_COUNT_VALUES, /* of those that stand in the order of forgot.h */
};

struct counter_row;

enum { COUNTER_RECENT = 64 };

struct counters {
    int64_t plain[COUNTER_COUNT];
    struct names names;       /* of the families' members */
    struct counter_row *rows; /* theirs */
    /* Of those met last their number + 1, by what the parts of their names end with; 0: none. Nearly always it is one of them
     * again, and then no name is put together. */
    uint32_t recent[COUNTER_RECENT];
};

static inline void counters_add(struct counters *counters, enum counter counter, int64_t number)
{
    counters->plain[counter] += number;
}
/* A member of a family: `start` (with its dot) and the name behind it. */
void counters_add_named(struct counters *counters, struct relance_str start, struct relance_str name,
                        int64_t number);
/* Everything that a decision counts for. */
void counters_add_decision(struct counters *counters, const struct relance_decision *decision);

void counters_add_all(struct counters *sum, const struct counters *more);

/* Every counter that is not 0. `whole`: it counts; else it is a sum of doubles. */
typedef void counter_visit(void *context, struct relance_str name, bool whole, double value);
void counters_each(const struct counters *counters, counter_visit *visit, void *context);
bool counters_empty(const struct counters *counters);
void counters_clear(struct counters *counters); /* names are kept: they will be met again */
void counters_free(struct counters *counters);

#endif
