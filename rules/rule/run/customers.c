#include "rule/run/customers.h"
#include "base/ensure.h"

#include <relance/engine.h>

enum { SLOTS_MIN = 64, HEAP_WAYS = 4, HEAP_LINE = 64, HEAP_MIN = 1024 };

void customers_init(struct customers *customers)
{
    *customers = (struct customers){0};
    pool_init(&customers->base);
    pool_init(&customers->pool);
    customers->front.by_id = true;
}

void customers_free(struct customers *customers)
{
    pool_free_all(&customers->base);
    pool_free_all(&customers->pool);
}

/* ---- the table: linear probing; a removed entry is filled from behind, so there are no graves */

uint32_t customers_hash(str id)
{
    return (uint32_t)str_hash(id);
}

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
    return customers->slots[slot_find(customers, id, customers_hash(id))].customer;
}

void customers_expect(const struct customers *customers, uint32_t hash)
{
    if (!customers->slot_count) return;
    __builtin_prefetch(&customers->slots[hash & (customers->slot_count - 1)]);
}

const struct customer *customers_guess(const struct customers *customers, uint32_t hash)
{
    enum { LOOKS = 4 };
    if (!customers->slot_count) return NULL;
    size_t mask = customers->slot_count - 1, at = hash & mask;
    for (size_t looks = LOOKS; looks && customers->slots[at].customer; looks--, at = (at + 1) & mask)
        if (customers->slots[at].hash == hash) return customers->slots[at].customer;
    return NULL;
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
    uint32_t hash = customers_hash(id);
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

/* ---- the waits
 * Two heaps. What is due later is ordered by time alone: at equal times ids would have to be read of customers that are cold,
 * and that cost more than all else there. What is due first, and whatever else is due at that very instant, stands in front of
 * it, in the order of ids.
 *
 * Entries know their customers, and customers merely how many entries name them: so moving an entry touches no customer. Where
 * a wait ends or moves on its entry stays; when it comes to the front it goes, or sinks to where the wait is by then. Where a
 * wait begins, or moves to an earlier time, an entry is added. So there is one for each wait, at its time or before it, and
 * others that mean nothing, of which there are not many more than of waits (heap_make_room). */

static bool wait_before(const struct waits *waits, struct wait a, struct wait b)
{
    if (a.due_ms != b.due_ms) return a.due_ms < b.due_ms;
    return waits->by_id && str_compare(customer_id(a.customer), customer_id(b.customer)) < 0;
}

static void heap_sink(struct waits *waits, size_t at, struct wait wait)
{
    for (;;) {
        size_t first = at * HEAP_WAYS + 1, end = first + HEAP_WAYS, least = first;
        if (first >= waits->count) break;
        if (end > waits->count) end = waits->count;
        for (size_t child = first + 1; child < end; child++)
            if (wait_before(waits, waits->items[child], waits->items[least])) least = child;
        if (!wait_before(waits, waits->items[least], wait)) break;
        waits->items[at] = waits->items[least];
        at = least;
    }
    waits->items[at] = wait;
}

static void heap_rise(struct waits *waits, size_t at, struct wait wait)
{
    for (; at > 0 && wait_before(waits, wait, waits->items[(at - 1) / HEAP_WAYS]); at = (at - 1) / HEAP_WAYS)
        waits->items[at] = waits->items[(at - 1) / HEAP_WAYS];
    waits->items[at] = wait;
}

static struct wait heap_take(struct waits *waits)
{
    struct wait first = waits->items[0], last = waits->items[--waits->count];
    if (waits->count) heap_sink(waits, 0, last);
    return first;
}

static size_t heap_entries(const struct customers *customers)
{
    return customers->front.count + customers->later.count;
}

/* An entry is gone: a stub that was only kept for it goes, too. */
static void heap_let_go(struct customers *customers, struct customer *customer)
{
    if (--customer->entries || customer->held || customer->due_ms != RELANCE_NEVER) return;
    str id = customer_id(customer);
    table_remove(customers, slot_find(customers, id, customers_hash(id)));
}

/* Four siblings stand in one line of the cache. */
static bool heap_grow(struct customers *customers, struct waits *waits)
{
    size_t size = waits->size ? waits->size * 2 : HEAP_MIN;
    char *block = pool_alloc(&customers->base, size);
    if (!block) return false;
    size_t before_line = HEAP_LINE - sizeof(struct wait), place = (uintptr_t)block % HEAP_LINE;
    struct wait *items = (void *)(block + (before_line + HEAP_LINE - place) % HEAP_LINE);
    if (waits->count) memcpy(items, waits->items, waits->count * sizeof *items);
    pool_release(&customers->base, waits->block, waits->size);
    waits->items = items;
    waits->block = block;
    waits->size = size;
    waits->capacity = (size - HEAP_LINE) / sizeof *items;
    return true;
}

static bool heap_put(struct customers *customers, struct waits *waits, struct wait wait)
{
    if (waits->count == waits->capacity && !heap_grow(customers, waits)) return false;
    heap_rise(waits, waits->count++, wait);
    return true;
}

/* One of the first and its children comes next. */
static void heap_expect(const struct waits *waits)
{
    for (size_t i = 0; i <= HEAP_WAYS && i < waits->count; i++)
        __builtin_prefetch(waits->items[i].customer);
}

/* The first of those that are due later comes to the front, unless it means nothing or its wait has moved on. */
static bool heap_advance(struct customers *customers)
{
    struct wait first = customers->later.items[0];
    struct customer *customer = first.customer;
    if (customer->due_ms > first.due_ms && customer->due_ms != RELANCE_NEVER) {
        heap_sink(&customers->later, 0, (struct wait){customer->due_ms, customer});
        return true;
    }
    heap_take(&customers->later);
    heap_expect(&customers->later);
    if (customer->due_ms == first.due_ms) {
        customer_expect(customer); /* it is about to be needed */
        return heap_put(customers, &customers->front, first);
    }
    heap_let_go(customers, customer);
    return true;
}

/* Until the first entry is the first wait. False without memory. */
static bool heap_tidy(struct customers *customers)
{
    struct waits *front = &customers->front, *later = &customers->later;
    for (;;) {
        while (later->count && (!front->count || later->items[0].due_ms <= front->items[0].due_ms))
            if (!heap_advance(customers)) return false;
        if (!front->count) return true;
        struct wait first = front->items[0];
        struct customer *customer = first.customer;
        if (customer->due_ms == first.due_ms) return true;
        heap_take(front);
        first.due_ms = customer->due_ms;
        if (first.due_ms == RELANCE_NEVER)
            heap_let_go(customers, customer);
        else if (!heap_put(customers, later, first))
            return false;
    }
}

/* Leaves one entry for each wait, at its time. */
static void heap_sweep_one(struct customers *customers, struct waits *waits)
{
    size_t count = waits->count, kept = 0;
    for (size_t i = 0; i < count; i++) {
        struct customer *customer = waits->items[i].customer;
        if (customer->due_ms != RELANCE_NEVER && customer->entries == 1)
            waits->items[kept++] = (struct wait){customer->due_ms, customer};
        else
            heap_let_go(customers, customer);
    }
    waits->count = kept;
    for (size_t at = kept; at-- > 0;)
        heap_sink(waits, at, waits->items[at]);
}

/* To be tidied afterwards. */
static void heap_sweep(struct customers *customers)
{
    heap_sweep_one(customers, &customers->front);
    heap_sweep_one(customers, &customers->later);
}

/* The customer seems to have one entry more already, so a sweep takes whatever else names it. */
static bool heap_add(struct customers *customers, struct wait wait)
{
    struct waits *front = &customers->front, *later = &customers->later;
    bool is_first = front->count && wait.due_ms <= front->items[0].due_ms;
    wait.customer->entries++;
    if (later->count == later->capacity && heap_entries(customers) > 2 * customers->wait_count)
        heap_sweep(customers);
    if (heap_put(customers, is_first ? front : later, wait)) return true;
    wait.customer->entries--;
    return false;
}

bool customers_set_due(struct customers *customers, struct customer *customer, int64_t due_ms)
{
    int64_t before_ms = customer->due_ms;
    if (due_ms == before_ms) return true;
    if (due_ms < before_ms && !heap_add(customers, (struct wait){due_ms, customer})) return false;
    customer->due_ms = due_ms;
    customers->wait_count += before_ms == RELANCE_NEVER;
    customers->wait_count -= due_ms == RELANCE_NEVER;
    return heap_tidy(customers);
}

/* ---- what is due, without taking it out */

/* Does the entry stand for a wait that is due before then? */
static bool is_due(struct wait entry, int64_t before_ms)
{
    return entry.due_ms <= entry.customer->due_ms && entry.customer->due_ms < before_ms;
}

/* Marks those that are due, or takes the mark away, until `*left` have been. Only nodes that are due and their children are
 * looked at; those that mean nothing go when what is due does. */
static void mark_due(const struct waits *waits, size_t at, int64_t before_ms, bool counted, size_t *left)
{
    if (!*left || at >= waits->count || waits->items[at].due_ms >= before_ms) return;
    struct customer *customer = waits->items[at].customer;
    if (is_due(waits->items[at], before_ms) && customer->counted != counted) {
        customer->counted = counted;
        --*left;
    }
    size_t first = at * HEAP_WAYS + 1;
    for (size_t child = first; child < first + HEAP_WAYS; child++)
        mark_due(waits, child, before_ms, counted, left);
}

/* A customer may have several entries and counts once. */
bool customers_due_exceed(const struct customers *customers, int64_t before_ms, size_t count)
{
    size_t left = count + 1;
    if (!customers->front.count || customers->front.items[0].due_ms >= before_ms) return false; /* mostly */
    mark_due(&customers->front, 0, before_ms, true, &left);
    mark_due(&customers->later, 0, before_ms, true, &left);
    size_t marked = count + 1 - left;
    mark_due(&customers->front, 0, before_ms, false, &marked);
    mark_due(&customers->later, 0, before_ms, false, &marked);
    return !left;
}

/* Places of a heap whose parents have been visited, themselves a heap, so that the first of them is the next. */
struct border {
    const struct waits *waits;
    size_t *places, count;
};

static bool border_before(const struct border *border, size_t a, size_t b)
{
    return wait_before(border->waits, border->waits->items[border->places[a]],
                       border->waits->items[border->places[b]]);
}

static void border_swap(struct border *border, size_t a, size_t b)
{
    size_t place = border->places[a];
    border->places[a] = border->places[b];
    border->places[b] = place;
}

static void border_add(struct border *border, size_t place, int64_t before_ms)
{
    if (place >= border->waits->count || border->waits->items[place].due_ms >= before_ms) return;
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

/* Each that is taken is replaced by at most its children. Of as many more, no more are looked at, since entries that mean
 * nothing may stand between. */
static bool visit_due(const struct waits *waits, int64_t before_ms, size_t most, customers_visit *visit,
                      void *context)
{
    size_t looks = most < waits->count / 2 ? 2 * most : waits->count;
    struct arena arena;
    arena_init(&arena, 0);
    struct border border = {waits, arena_alloc(&arena, (looks * (HEAP_WAYS - 1) + 1) * sizeof(size_t)), 0};
    bool ok = border.places;
    if (ok) border_add(&border, 0, before_ms);
    for (; looks && most && border.count; looks--) {
        size_t at = border_take(&border), first = at * HEAP_WAYS + 1;
        if (is_due(waits->items[at], before_ms)) {
            visit(context, waits->items[at].customer);
            most--;
        }
        for (size_t child = first; child < first + HEAP_WAYS; child++)
            border_add(&border, child, before_ms);
    }
    arena_free(&arena);
    return ok;
}

/* They come to the front before they are looked at, with all that is due at the time of the last of them. */
bool customers_first_due(struct customers *customers, int64_t before_ms, size_t most, customers_visit *visit,
                         void *context)
{
    const struct waits *front = &customers->front, *later = &customers->later;
    for (int64_t last_ms = INT64_MIN; later->count && later->items[0].due_ms < before_ms &&
                                      (front->count < most || later->items[0].due_ms == last_ms);) {
        last_ms = later->items[0].due_ms;
        if (!heap_advance(customers)) return false;
    }
    return visit_due(front, before_ms, most, visit, context);
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
    if (customer->entries) return false;
    table_remove(customers, at);
    return true;
}

bool customers_evict(struct customers *customers, size_t bytes)
{
    size_t steps = customers->slot_count * 2; /* two rounds: the first takes `touched` away */
    bool is_short = customers_bytes(customers) > bytes;
    if (is_short && heap_entries(customers) > 2 * customers->wait_count) { /* such entries keep stubs */
        heap_sweep(customers);
        if (!heap_tidy(customers)) return false;
    }
    while (steps-- > 0 && customers_bytes(customers) > bytes) {
        size_t at = customers->hand;
        struct customer *customer = customers->slots[at].customer;
        bool kept =
            !customer || !customer->held || customer->changed || customer->saving || customer->touched;
        if (customer) customer->touched = false;
        if (kept || !evict_one(customers, at)) customers->hand = (at + 1) & (customers->slot_count - 1);
    }
    return true;
}
