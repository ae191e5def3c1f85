/* The customers that an engine knows: a hash table by id, a heap by due time, the list of changed ones, and that of
 * those whose state is awake.
 *
 * A customer is known while its state is at hand, or while it has a due time: then a stub stays, so that the
 * state can be asked for when the time comes. A state at hand is awake, as deciding reads and changes it, or at rest:
 * packed, in about a third of the memory (rest.c). */
#ifndef RULES_RULE_RUN_CUSTOMERS_H
#define RULES_RULE_RUN_CUSTOMERS_H

#include "state/state.h"

#include <relance/engine.h>

struct customer {
    struct state *state;  /* NULL: not at hand, or none, or at rest */
    int64_t due_ms;       /* earliest wait; RELANCE_NEVER: none */
    int64_t due_saved_ms; /* the same in the last checkpoint */
    union {
        struct bytes *rest; /* of a state at rest */
        struct {
            uint32_t state_memory; /* of the pool, that the state takes; as counted last (bound.c) */
            uint32_t awake_place;  /* index + 1; 0: it does not stand in `awake` */
        };
    };
    uint32_t entries; /* of the heap, that name it */
    uint16_t id_size;
    bool held : 1;    /* what there is of its state is at hand */
    bool changed : 1; /* since the last checkpoint was begun: it stands in `changed` */
    bool saving : 1;  /* it stands in `saving` */
    bool touched : 1; /* since the hand of eviction last passed */
    bool resting : 1; /* its state is at rest */
    bool used : 1;    /* since states were last put to rest */
    bool counted : 1; /* while what is due is counted */
    char id[];
};

/* Packed: a third of the table would be padding. */
struct __attribute__((packed)) customer_slot {
    uint32_t hash;             /* its low half */
    struct customer *customer; /* NULL: free */
};

struct wait {
    int64_t due_ms;
    struct customer *customer;
};

struct changed {
    struct customer *customer;
    int64_t due_ms; /* in `saving`: as it is being saved */
};

/* A heap with four children a node. */
struct waits {
    struct wait *items;
    size_t count, capacity;
    void *block; /* in which they stand, of `size` bytes */
    size_t size;
    bool by_id;
};

struct customers {
    struct pool base; /* owns everything here, but for states that are awake */
    struct pool pool; /* owns those */
    struct customer_slot *slots;
    size_t slot_count; /* a power of two, or 0 */
    size_t count, held;
    struct waits front; /* what is due first; at equal times by id, and all that is due at its first time */
    struct waits later; /* the others, by time alone */
    size_t wait_count;  /* customers with a due time */
    struct vector changed; /* struct changed, in the order of their first change; what is to be saved next */
    struct vector saving;  /* struct changed: what is being saved, as it was when that began */
    bool is_saving;
    struct vector awake; /* struct customer *: all that have a state that is awake, in no order */
    uint32_t rest_at;    /* of them, those before this one are looked at next (rest.c) */
    size_t hand;         /* of eviction: the slot to look at next */
};

void customers_init(struct customers *customers);
void customers_free(struct customers *customers);

static inline str customer_id(const struct customer *customer)
{
    return (str){customer->id, customer->id_size};
}

static inline bool customer_is_visitor(const struct customer *customer)
{
    return customer->id_size && customer->id[0] == RELANCE_VISITOR_MARK;
}

/* The id as events have it. */
static inline str customer_bare_id(const struct customer *customer)
{
    str id = customer_id(customer);
    return str_slice(id, customer_is_visitor(customer), id.size);
}

/* Blocks begin anywhere in a line, so the last byte may lie in one more. GCC takes a function that does nothing but this for one
 * without an effect, and leaves calls of it out. */
static inline void expect_lines(const void *memory, size_t size)
{
    enum { LINE = 64 };
    uintptr_t begin = (uintptr_t)memory, end = begin + size;
    __asm__ volatile("" : : "r"(memory));
    for (uintptr_t line = begin - begin % LINE; line < end; line += LINE)
        __builtin_prefetch((const void *)line, 1);
}

/* Asks memory for the state, awake or at rest. */
static inline void customer_expect(const struct customer *customer)
{
    enum { AT_REST = 256 }; /* bytes: more than most have is asked for in vain, and costs little */
    if (customer->resting)
        expect_lines(customer->rest, AT_REST);
    else if (customer->state)
        expect_lines(customer->state, sizeof *customer->state);
}

struct customer *customers_find(const struct customers *customers, str id);
/* By what a customer is looked up. Asks memory for the slot where the search begins; the customer who stands there, or right behind
 * it, under that hash, with the slot at hand; NULL: nobody. It may be another one. */
uint32_t customers_hash(str id);
void customers_expect(const struct customers *customers, uint32_t hash);
const struct customer *customers_guess(const struct customers *customers, uint32_t hash);
/* finds or makes a stub; NULL: no memory */
struct customer *customers_add(struct customers *customers, str id);

/* Moves a customer in the heap. Others that are unknown but for an entry there may go. False without memory (then nothing has changed). */
bool customers_set_due(struct customers *customers, struct customer *customer, int64_t due_ms);
/* The earliest wait; NULL: none. */
static inline struct customer *customers_next(const struct customers *customers)
{
    return customers->front.count ? customers->front.items[0].customer : NULL;
}

/* Are more than `count` due before `before_ms`? Takes time for so many, at most. */
bool customers_due_exceed(const struct customers *customers, int64_t before_ms, size_t count);
/* Visits some of what is due before `before_ms`, the first one among them and as good as in order, at most so many; perhaps a
 * customer twice. False without memory (then nothing has been visited). */
typedef void customers_visit(void *context, const struct customer *customer);
bool customers_first_due(struct customers *customers, int64_t before_ms, size_t most, customers_visit *visit,
                         void *context);

/* Bytes of both pools that are handed out. */
static inline size_t customers_bytes(const struct customers *customers)
{
    return customers->base.used + customers->pool.used;
}

/* Notes that there is a state that is awake. False without memory. */
bool customers_mark_awake(struct customers *customers, struct customer *customer);
void customers_unmark_awake(struct customers *customers, struct customer *customer);
void customers_drop_state(struct customers *customers, struct customer *customer);
bool customers_mark_changed(struct customers *customers, struct customer *customer);
/* The changed ones are being saved, and what changes from here on is not a part of that; then they are saved, or were not:
 * then they have changed as before. customers_end_saving without a beginning: they are saved as they are now. False: no
 * memory (then nothing has changed). */
void customers_begin_saving(struct customers *customers);
void customers_end_saving(struct customers *customers);
bool customers_stop_saving(struct customers *customers);

/* Gives up states of customers that are saved, least recently touched first (a clock's hand), until at most
 * `bytes` are used. False without memory, likewise. */
bool customers_evict(struct customers *customers, size_t bytes);

#endif
