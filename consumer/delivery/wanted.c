#include "delivery/wanted.h"
#include "base/ensure.h"
#include "base/str.h"
#include <stdlib.h>

struct wanted_slot {
    uint64_t round;
    size_t index;
};

void wanted_clear(struct wanted *wanted)
{
    wanted->count = 0;
    wanted->round++;
}

/* The slot of the customer, or the empty one where it is to stand. */
static struct wanted_slot *wanted_find(const struct wanted *wanted, struct relance_str customer)
{
    size_t mask = 2 * wanted->capacity - 1, at = str_hash(customer) & mask;
    while (wanted->slots[at].round == wanted->round &&
           !str_equal(wanted->customers[wanted->slots[at].index], customer))
        at = (at + 1) & mask;
    return &wanted->slots[at];
}

static void wanted_grow(struct wanted *wanted)
{
    wanted->capacity = wanted->capacity ? 2 * wanted->capacity : 256;
    wanted->customers = realloc(wanted->customers, wanted->capacity * sizeof *wanted->customers);
    free(wanted->slots);
    wanted->slots = calloc(2 * wanted->capacity, sizeof *wanted->slots);
    ensure(wanted->customers && wanted->slots);
    wanted->round = 1;
    for (size_t i = 0; i < wanted->count; i++)
        *wanted_find(wanted, wanted->customers[i]) = (struct wanted_slot){wanted->round, i};
}

void wanted_add(struct wanted *wanted, struct relance_str customer)
{
    if (wanted->count == wanted->capacity) wanted_grow(wanted);
    struct wanted_slot *slot = wanted_find(wanted, customer);
    if (slot->round == wanted->round) return;
    *slot = (struct wanted_slot){wanted->round, wanted->count};
    wanted->customers[wanted->count++] = customer;
}

void wanted_free(struct wanted *wanted)
{
    free(wanted->customers);
    free(wanted->slots);
    *wanted = (struct wanted){0};
}
