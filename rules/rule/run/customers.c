#include "rule/run/customers.h"
#include "base/ensure.h"

#include <relance/engine.h>

enum { SLOTS_MIN = 64, HEAP_WAYS = 4, HEAP_MIN = 64 };

void customers_init(struct customers *customers)
{
    *customers = (struct customers){0};
    pool_init(&customers->base);
    pool_init(&customers->pool);
}

void customers_free(struct customers *customers)
{
    pool_free_all(&customers->base);
    pool_free_all(&customers->pool);
}

/* ---- the table: linear probing; a removed entry is filled from behind, so there are no graves */

static size_t slot_find(const struct customers *customers, str id, uint32_t hash)
{
    size_t mask = customers->slot_count - 1, at = hash & mask;
    while (customers->slots[at].customer) {
        const struct customer_slot *slot = &customers->slots[at];
        if (slot->hash == hash && str_equal(customer_id(slot->customer), id)) break;
        at = (at + 1) & mask;
    }
    return at;
}

struct customer *customers_find(const struct customers *customers, str id)
{
    if (!customers->slot_count) return NULL;
    return customers->slots[slot_find(customers, id, (uint32_t)str_hash(id))].customer;
}

static bool table_grow(struct customers *customers)
{
    size_t count = customers->slot_count ? customers->slot_count * 2 : SLOTS_MIN;
    struct customer_slot *old = customers->slots,
                         *slots = pool_alloc(&customers->base, count * sizeof *slots);
    if (!slots) return false;
    memset(slots, 0, count * sizeof *slots);
    for (size_t i = 0; i < customers->slot_count; i++) {
        if (!old[i].customer) continue;
        size_t at = old[i].hash & (count - 1);
        while (slots[at].customer)
            at = (at + 1) & (count - 1);
        slots[at] = old[i];
    }
    pool_release(&customers->base, old, customers->slot_count * sizeof *old);
    customers->slots = slots;
    customers->slot_count = count;
    customers->hand = 0;
    return true;
}

/* Its id begins where the padding of the structure would. */
static size_t customer_size(size_t id_size)
{
    size_t size = offsetof(struct customer, id) + id_size;
    return size < sizeof(struct customer) ? sizeof(struct customer) : size;
}

struct customer *customers_add(struct customers *customers, str id)
{
    bool full = customers->count + customers->count / 2 >= customers->slot_count; /* two thirds */
    if (full && !table_grow(customers)) return NULL;
    uint32_t hash = (uint32_t)str_hash(id);
    struct customer_slot *slot = &customers->slots[slot_find(customers, id, hash)];
    if (slot->customer) return slot->customer;
    struct customer *customer = pool_alloc(&customers->base, customer_size(id.size));
    if (!customer) return NULL;
    *customer = (struct customer){
        .due_ms = RELANCE_NEVER, .due_saved_ms = RELANCE_NEVER, .id_size = (uint16_t)id.size};
    memcpy(customer->id, id.data, id.size);
    *slot = (struct customer_slot){hash, customer};
    customers->count++;
    return customer;
}

static void table_remove(struct customers *customers, size_t at)
{
    size_t mask = customers->slot_count - 1;
    struct customer *customer = customers->slots[at].customer;
    pool_release(&customers->base, customer, customer_size(customer->id_size));
    customers->count--;
    for (size_t next = (at + 1) & mask; customers->slots[next].customer; next = (next + 1) & mask) {
        size_t home = customers->slots[next].hash & mask;
        if (((next - home) & mask) < ((next - at) & mask)) continue; /* it would stand before its home */
        customers->slots[at] = customers->slots[next];
        at = next;
    }
    customers->slots[at].customer = NULL;
}

/* ---- the heap */

static bool wait_before(struct wait a, struct wait b)
{
    if (a.due_ms != b.due_ms) return a.due_ms < b.due_ms;
    return str_compare(customer_id(a.customer), customer_id(b.customer)) < 0;
}

static void heap_put(struct customers *customers, size_t at, struct wait wait)
{
    customers->heap[at] = wait;
    wait.customer->heap_place = (uint32_t)at + 1;
}

/* Lets a wait sink or rise from `at` to where it belongs. */
static void heap_settle(struct customers *customers, size_t at, struct wait wait)
{
    while (at > 0 && wait_before(wait, customers->heap[(at - 1) / HEAP_WAYS])) {
        heap_put(customers, at, customers->heap[(at - 1) / HEAP_WAYS]);
        at = (at - 1) / HEAP_WAYS;
    }
    for (;;) {
        size_t first = at * HEAP_WAYS + 1, end = first + HEAP_WAYS, least = first;
        if (first >= customers->wait_count) break;
        if (end > customers->wait_count) end = customers->wait_count;
        for (size_t child = first + 1; child < end; child++)
            if (wait_before(customers->heap[child], customers->heap[least])) least = child;
        if (!wait_before(customers->heap[least], wait)) break;
        heap_put(customers, at, customers->heap[least]);
        at = least;
    }
    heap_put(customers, at, wait);
}

static bool heap_grow(struct customers *customers)
{
    size_t capacity = customers->wait_capacity ? customers->wait_capacity * 2 : HEAP_MIN;
    struct wait *heap = pool_alloc(&customers->base, capacity * sizeof *heap);
    if (!heap) return false;
    if (customers->wait_count) memcpy(heap, customers->heap, customers->wait_count * sizeof *heap);
    pool_release(&customers->base, customers->heap, customers->wait_capacity * sizeof *heap);
    customers->heap = heap;
    customers->wait_capacity = capacity;
    return true;
}

static void heap_remove(struct customers *customers, struct customer *customer)
{
    size_t at = customer->heap_place - 1;
    struct wait last = customers->heap[--customers->wait_count];
    customer->heap_place = 0;
    if (last.customer != customer) heap_settle(customers, at, last);
}

bool customers_set_due(struct customers *customers, struct customer *customer, int64_t due_ms)
{
    if (due_ms == customer->due_ms) return true;
    if (due_ms == RELANCE_NEVER) {
        heap_remove(customers, customer);
    } else {
        bool is_new = !customer->heap_place;
        if (is_new && customers->wait_count == customers->wait_capacity && !heap_grow(customers))
            return false;
        size_t at = is_new ? customers->wait_count++ : customer->heap_place - 1;
        heap_settle(customers, at, (struct wait){due_ms, customer});
    }
    customer->due_ms = due_ms;
    return true;
}

/* ---- what is due, without taking it out of the heap */

/* Only nodes that are due and their children are looked at. */
static void count_due(const struct customers *customers, size_t at, int64_t before_ms, size_t *left)
{
    if (!*left || at >= customers->wait_count || customers->heap[at].due_ms >= before_ms) return;
    --*left;
    size_t first = at * HEAP_WAYS + 1;
    for (size_t child = first; child < first + HEAP_WAYS; child++)
        count_due(customers, child, before_ms, left);
}

bool customers_due_exceed(const struct customers *customers, int64_t before_ms, size_t count)
{
    size_t left = count + 1;
    count_due(customers, 0, before_ms, &left);
    return !left;
}

/* Places of the heap whose parents have been visited, themselves a heap, so that the first of them is the next. */
struct border {
    const struct customers *customers;
    size_t *places, count;
};

static bool border_before(const struct border *border, size_t a, size_t b)
{
    return wait_before(border->customers->heap[border->places[a]],
                       border->customers->heap[border->places[b]]);
}

static void border_swap(struct border *border, size_t a, size_t b)
{
    size_t place = border->places[a];
    border->places[a] = border->places[b];
    border->places[b] = place;
}

static void border_add(struct border *border, size_t place)
{
    size_t at = border->count++;
    border->places[at] = place;
    for (; at && border_before(border, at, (at - 1) / 2); at = (at - 1) / 2)
        border_swap(border, at, (at - 1) / 2);
}

static size_t border_take(struct border *border)
{
    size_t first = border->places[0];
    border->places[0] = border->places[--border->count];
    for (size_t at = 0, child; (child = 2 * at + 1) < border->count; at = child) {
        if (child + 1 < border->count && border_before(border, child + 1, child)) child++;
        if (!border_before(border, child, at)) break;
        border_swap(border, at, child);
    }
    return first;
}

/* Each that is taken is replaced by at most its children. */
bool customers_first_due(const struct customers *customers, int64_t before_ms, size_t most,
                         customers_visit *visit, void *context)
{
    if (most > customers->wait_count) most = customers->wait_count;
    struct arena arena;
    arena_init(&arena, 0);
    struct border border = {customers, arena_alloc(&arena, (most * (HEAP_WAYS - 1) + 1) * sizeof(size_t)), 0};
    bool ok = border.places;
    if (ok && most && customers->heap[0].due_ms < before_ms) border_add(&border, 0);
    for (; most && border.count; most--) {
        size_t at = border_take(&border), first = at * HEAP_WAYS + 1;
        visit(context, customers->heap[at].customer);
        for (size_t child = first; child < first + HEAP_WAYS && child < customers->wait_count; child++)
            if (customers->heap[child].due_ms < before_ms) border_add(&border, child);
    }
    arena_free(&arena);
    return ok;
}

/* ---- states */

bool customers_mark_awake(struct customers *customers, struct customer *customer)
{
    if (customer->awake_place) return true;
    struct customer **place =
        vector_insert(&customers->base, &customers->awake, sizeof *place, customers->awake.count);
    if (!place) return false;
    *place = customer;
    customer->awake_place = customers->awake.count;
    return true;
}

/* The last one takes its place. */
void customers_unmark_awake(struct customers *customers, struct customer *customer)
{
    if (!customer->awake_place) return;
    struct customer *last = *VECTOR_AT(customers->awake, struct customer *, customers->awake.count - 1);
    *VECTOR_AT(customers->awake, struct customer *, customer->awake_place - 1) = last;
    last->awake_place = customer->awake_place;
    customer->awake_place = 0;
    customers->awake.count--;
}

void customers_drop_state(struct customers *customers, struct customer *customer)
{
    if (customer->resting) {
        bytes_release(&customers->base, customer->rest);
        customer->resting = false;
        customer->awake_place = 0;
    }
    customers_unmark_awake(customers, customer);
    state_release(&customers->pool, customer->state);
    customer->state = NULL;
    customer->state_memory = 0;
}

/* ---- changed ones */

bool customers_mark_changed(struct customers *customers, struct customer *customer)
{
    customer->touched = customer->used = true;
    if (customer->state && !customers_mark_awake(customers, customer)) return false;
    if (customer->changed) return true;
    struct changed *place =
        vector_insert(&customers->base, &customers->changed, sizeof *place, customers->changed.count);
    if (!place) return false;
    place->customer = customer;
    return customer->changed = true;
}

static void swap_changed(struct customers *customers)
{
    struct vector changed = customers->changed;
    customers->changed = customers->saving;
    customers->saving = changed;
    customers->is_saving = !customers->is_saving;
}

void customers_begin_saving(struct customers *customers)
{
    ensure(!customers->is_saving);
    VECTOR_EACH (customers->changed, struct changed, one) {
        one->customer->changed = false;
        one->customer->saving = true;
        one->due_ms = one->customer->due_ms;
    }
    swap_changed(customers);
}

void customers_end_saving(struct customers *customers)
{
    if (!customers->is_saving) customers_begin_saving(customers);
    VECTOR_EACH (customers->saving, struct changed, one) {
        one->customer->saving = false;
        one->customer->due_saved_ms = one->due_ms;
    }
    customers->saving.count = 0;
    customers->is_saving = false;
}

bool customers_stop_saving(struct customers *customers)
{
    if (!customers->is_saving) return true;
    uint32_t before = customers->saving.count;
    VECTOR_EACH (customers->changed, struct changed, one) {
        if (one->customer->saving) continue;
        struct changed *place =
            vector_insert(&customers->base, &customers->saving, sizeof *place, customers->saving.count);
        if (place) *place = *one;
        if (!place) customers->saving.count = before;
        if (!place) return false;
    }
    VECTOR_EACH (customers->saving, struct changed, one) {
        one->customer->saving = false;
        one->customer->changed = true;
    }
    swap_changed(customers);
    customers->saving.count = 0;
    return true;
}

/* ---- eviction */

/* True when its entry is gone and another may stand here. */
static bool evict_one(struct customers *customers, size_t at)
{
    struct customer *customer = customers->slots[at].customer;
    customers_drop_state(customers, customer);
    if (customer->held) customers->held--;
    customer->held = false;
    if (customer->heap_place) return false;
    table_remove(customers, at);
    return true;
}

void customers_evict(struct customers *customers, size_t bytes)
{
    size_t steps = customers->slot_count * 2; /* two rounds: the first takes `touched` away */
    while (steps-- > 0 && customers_bytes(customers) > bytes) {
        size_t at = customers->hand;
        struct customer *customer = customers->slots[at].customer;
        bool kept =
            !customer || !customer->held || customer->changed || customer->saving || customer->touched;
        if (customer) customer->touched = false;
        if (kept || !evict_one(customers, at)) customers->hand = (at + 1) & (customers->slot_count - 1);
    }
}
