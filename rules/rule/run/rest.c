/* States at rest: of customers that nothing has happened to for a while the state is packed, and takes a third of the
 * memory. It is the saved form (state.h) but for its declarations, which stand by number, so that waking one looks no
 * name up. Nothing is decided by whether a state is at rest: load(save(s)) is s.
 *
 * The shell asks for it now and then, since it costs as much as a checkpoint of that state, and waking as much as
 * reading one: who comes often stays awake. A state that waits for a checkpoint does so, too. Awake states have a pool of
 * their own; when few are left of many, all are put to rest and the pool goes back to the system whole, since otherwise a
 * few of them would hold its slabs for ever. */
#include "rule/run/engine_internal.h"

#include "base/ensure.h"

/* A pool of states that is smaller is kept. */
enum { REST_POOL_KEPT = 1 << 20, REST_POOL_FULL = 4 };

static struct state_names numbered(const struct state_names *names)
{
    struct state_names by_number = *names;
    by_number.numbered = true;
    return by_number;
}

bool rest_wake_under(struct relance_engine *e, struct customer *customer, const struct state_names *names)
{
    if (!customer->resting) return true;
    const struct state_names by_number = numbered(names);
    struct bytes *rest = customer->rest;
    size_t before = e->customers.pool.used;
    struct state *state = state_load(&e->customers.pool, &by_number, NULL, bytes_str(rest));
    if (!or_fail(e, state)) return false;
    bytes_release(&e->customers.base, rest);
    size_t memory = e->customers.pool.used - before;
    e->pool_used += memory; /* it is not the present customer's */
    customer->resting = false;
    customer->used = true;
    customer->state = state;
    customer->state_memory = (uint32_t)memory;
    customer->awake_place = 0;
    if (!customers_mark_awake(&e->customers, customer)) e->failed = true;
    return !e->failed;
}

bool rest_pack(struct relance_engine *e, struct customer *customer)
{
    struct buffer packed;
    const struct state_names by_number = numbered(&e->set->names);
    arena_reset(&e->scratch);
    buffer_init(&packed, &e->scratch);
    state_save(customer->state, &by_number, &packed);
    struct bytes *rest = packed.failed ? NULL : bytes_new(&e->customers.base, buffer_str(&packed));
    if (!rest) return false;
    customers_drop_state(&e->customers, customer);
    customer->rest = rest;
    customer->resting = true;
    return true;
}

/* Few states are left in a large pool. */
static bool is_sparse(const struct pool *pool)
{
    return pool->slab_bytes > REST_POOL_KEPT && pool->used < pool->slab_bytes / REST_POOL_FULL;
}

/* The last of all has been looked at: the pool goes back to the system when it is empty. */
static bool end_round(struct customers *customers)
{
    if (customers->pool.used || customers->pool.slab_bytes <= REST_POOL_KEPT) return false;
    pool_free_all(&customers->pool);
    vector_fit(&customers->base, &customers->awake, sizeof(struct customer *));
    return true;
}

enum relance_rest relance_engine_rest(struct relance_engine *e, size_t most)
{
    struct customers *c = &e->customers;
    if (e->failed || e->frame.stopped) return RELANCE_REST_DONE;
    if (!c->rest_at || c->rest_at > c->awake.count) c->rest_at = c->awake.count;
    scope_forget(e); /* slots borrow from states */
    bool all = is_sparse(&c->pool);
    for (; c->rest_at && most; c->rest_at--, most--) {
        struct customer *customer = *VECTOR_AT(c->awake, struct customer *, c->rest_at - 1);
        if (customer->changed || customer->saving || (customer->used && !all))
            customer->used = false;
        else if (!customer->state)
            customers_unmark_awake(c, customer);
        else if (!rest_pack(e, customer))
            return RELANCE_REST_DONE; /* without memory as it was */
    }
    if (c->rest_at) return RELANCE_REST_MORE;
    return end_round(c) ? RELANCE_REST_FREED : RELANCE_REST_DONE;
}
