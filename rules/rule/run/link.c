/* Visitors who become customers (LANGUAGE.md §4.16): an event that names both links them.
 *
 *     customer: links [(visitor, ask), …]   ⟷   visitor: known [(customer, ask)]
 *
 * What the visitor did moves to the customer once, in merge.c, and from then on the visitor's events are the
 * customer's. `ask` is the id of the event that linked them: only where both ends have the same one is there a link,
 * so either end may be forgotten alone. Customers are never merged: there are no chains and no loops.
 *
 * Nothing is changed until all whom a link concerns are at hand, and the event has turned out to be no duplicate. */
#include "rule/run/bound.h"
#include "rule/run/explain.h"
#include "rule/run/link.h"
#include "rule/run/merge.h"

#include "base/buffer.h"

size_t relance_visitor_name(struct relance_str visitor, char out[RELANCE_VISITOR_NAME_BYTES])
{
    size_t size =
        visitor.size < RELANCE_VISITOR_NAME_BYTES - 1 ? visitor.size : RELANCE_VISITOR_NAME_BYTES - 1;
    out[0] = RELANCE_VISITOR_MARK;
    memcpy(out + 1, visitor.data, size);
    return size + 1;
}

struct customer *link_visitor(struct relance_engine *e, str visitor, enum relance_progress *progress)
{
    str name = {e->visitor_name, relance_visitor_name(visitor, e->visitor_name)};
    return engine_at_hand(e, name, progress);
}

/* ---- both ends of a link */

/* Where a customer's link to the visitor stands; NAME_NONE: there is none. */
uint32_t link_place(const struct state *state, str visitor)
{
    for (uint32_t i = 0; state && i < state->links.count; i++)
        if (str_equal(bytes_str(VECTOR_AT(state->links, struct link, i)->visitor), visitor)) return i;
    return NAME_NONE;
}

uint32_t link_find_with(const struct state *state, str visitor, str ask)
{
    uint32_t at = link_place(state, visitor);
    bool same = at != NAME_NONE && str_equal(bytes_str(VECTOR_AT(state->links, struct link, at)->ask), ask);
    return same ? at : NAME_NONE;
}

/* One whose visitor has not been heard of for as long as visitors are remembered is none any more. */
static const struct link *link_of(const struct relance_engine *e, const struct customer *customer,
                                  str visitor)
{
    uint32_t at = engine_is_idle(e, customer) ? NAME_NONE : link_place(customer->state, visitor);
    const struct link *link = at == NAME_NONE ? NULL : VECTOR_AT(customer->state->links, struct link, at);
    bool old = link && e->options.forget_visitors_after_ms &&
               e->clock_ms - link->used_ms > e->options.forget_visitors_after_ms;
    return old ? NULL : link;
}

/* As whom the visitor is known; NULL: as nobody. */
const struct known_as *link_known_as(const struct customer *visitor)
{
    const struct state *state = visitor->state;
    const struct known_as *known = state && state->known.count ? state->known.items : NULL;
    return known && known->customer ? known : NULL;
}

bool link_knows(const struct customer *visitor, str customer, str ask)
{
    const struct known_as *known = link_known_as(visitor);
    return known && str_equal(bytes_str(known->customer), customer) && str_equal(bytes_str(known->ask), ask);
}

bool link_is_shared(const struct state *state)
{
    return state && state->known.count && !((const struct known_as *)state->known.items)->customer;
}

void link_end_known(struct relance_engine *e, struct customer *visitor)
{
    state_item_remove(&e->customers.pool, visitor->state, STATE_KNOWN, 0);
    if (!customers_mark_changed(&e->customers, visitor)) e->failed = true;
}

/* ---- whose an event is */

static bool forgets(const struct relance_engine *e)
{
    return e->event.type && e->event.type->number == e->set->forget;
}

static bool lives_elsewhere(const struct relance_engine *e, str customer, str visitor)
{
    return e->options.lives_here && !e->options.lives_here(e->options.context, customer, visitor);
}

/* An event with both: the customer's. If they are not linked yet, the visitor is needed, too, and whose it was. */
static struct customer *find_both(struct relance_engine *e, enum relance_progress *progress)
{
    str id = e->event.customer, visitor = e->event.visitor;
    struct customer *customer = engine_at_hand(e, id, progress);
    if (!customer || forgets(e) || link_of(e, customer, visitor)) return customer;
    if (lives_elsewhere(e, id, visitor)) {
        e->linking.elsewhere = true;
        return customer;
    }
    struct customer *found = link_visitor(e, visitor, progress), *before = NULL;
    const struct known_as *known = found ? link_known_as(found) : NULL;
    bool changes = known && !str_equal(bytes_str(known->customer), id);
    if (changes) before = engine_at_hand(e, bytes_str(known->customer), progress);
    if (!found || (changes && !before)) return NULL;
    e->linking.visitor = found;
    e->linking.before = before;
    return customer;
}

/* An event of a visitor alone: that of the customer whom the visitor has become, if the customer knows. */
static struct customer *find_alone(struct relance_engine *e, enum relance_progress *progress)
{
    struct customer *visitor = link_visitor(e, e->event.visitor, progress);
    const struct known_as *known = visitor && !forgets(e) ? link_known_as(visitor) : NULL;
    if (!known) return visitor;
    if (lives_elsewhere(e, bytes_str(known->customer), e->event.visitor)) {
        e->linking.known = known;
        return visitor;
    }
    struct customer *customer = engine_at_hand(e, bytes_str(known->customer), progress);
    const struct link *link = customer ? link_of(e, customer, e->event.visitor) : NULL;
    bool same = link && str_equal(bytes_str(link->ask), bytes_str(known->ask));
    return !customer || same ? customer : visitor;
}

struct customer *link_find(struct relance_engine *e, enum relance_progress *progress)
{
    e->linking = (struct linking){0};
    return e->event.customer.size ? find_both(e, progress) : find_alone(e, progress);
}

/* ---- linking */

/* The visitor has been heard of: its link stands last. */
void link_use(struct relance_engine *e, uint32_t at, int64_t time_ms)
{
    struct vector *links = &e->customer->state->links;
    struct link link = *VECTOR_AT(*links, struct link, at);
    if (time_ms > link.used_ms) link.used_ms = time_ms;
    vector_remove(links, sizeof link, at);
    *VECTOR_AT(*links, struct link, links->count) = link;
    links->count++;
}

void link_drop(struct relance_engine *e, struct customer *customer, uint32_t at)
{
    state_item_remove(&e->customers.pool, customer->state, STATE_LINKS, at);
    e->links.dropped++;
    if (!customers_mark_changed(&e->customers, customer)) e->failed = true;
}

/* Of too many visitors the one not heard of for longest is a visitor again, be it elsewhere. */
static void make_room(struct relance_engine *e, const struct state *state)
{
    const struct link *oldest = VECTOR_AT(state->links, struct link, 0);
    elsewhere_leave(e, bytes_str(oldest->visitor), customer_id(e->customer), bytes_str(oldest->ask));
    link_drop(e, e->customer, 0);
}

/* Puts the visitor on the customer's list. */
static void link_add(struct relance_engine *e, bool open)
{
    struct pool *pool = &e->customers.pool;
    struct state *state = e->customer->state;
    uint32_t known = link_place(state, e->event.visitor);
    if (known != NAME_NONE) state_item_remove(pool, state, STATE_LINKS, known);
    if (state->links.count >= LIMIT_LINKS) make_room(e, state);
    struct link link = {or_fail(e, bytes_new(pool, e->event.visitor)),
                        or_fail(e, bytes_new(pool, e->event.id)), e->event.time_ms, open};
    struct link *place = or_fail(e, vector_insert(pool, &state->links, sizeof *place, state->links.count));
    if (place) *place = link;
}

/* The visitor is not the customer's any more who had it until now. */
static void leave_before(struct relance_engine *e)
{
    struct customer *before = e->linking.before;
    const struct known_as *known = link_known_as(e->linking.visitor);
    if (!before) return;
    uint32_t at = link_find_with(before->state, e->event.visitor, bytes_str(known->ask));
    if (at == NAME_NONE)
        elsewhere_drop(e, e->event.visitor, bytes_str(known->customer), bytes_str(known->ask));
    else
        link_drop(e, before, at);
    bound_give(e, before);
}

static bool has_been(const struct state *visitor, uint64_t customer_hash)
{
    VECTOR_EACH (visitor->linked_to, struct linked_to, to)
        if (to->id_hash == customer_hash) return true;
    return false;
}

/* Is the customer one of those whom the visitor has been, or the next, of whom there are not too many yet? */
static bool may_become(const struct state *visitor, uint64_t customer_hash)
{
    return has_been(visitor, customer_hash) || visitor->linked_to.count < LIMIT_LINKED_CUSTOMERS;
}

bool link_note_customer(struct relance_engine *e, struct state *visitor, str customer)
{
    uint64_t hash = str_hash(customer);
    if (!may_become(visitor, hash)) return false;
    if (has_been(visitor, hash)) return true;
    struct linked_to *place = or_fail(
        e, vector_insert(&e->customers.pool, &visitor->linked_to, sizeof *place, visitor->linked_to.count));
    if (place) place->id_hash = hash;
    return true;
}

static void set_known(struct relance_engine *e, struct state *visitor, struct known_as as)
{
    while (visitor->known.count)
        state_item_remove(&e->customers.pool, visitor, STATE_KNOWN, 0);
    struct known_as *place = or_fail(e, vector_insert(&e->customers.pool, &visitor->known, sizeof *place, 0));
    if (place) *place = as;
}

/* One device of too many people: it keeps what it has, and is nobody's. */
void link_become_shared(struct relance_engine *e, struct state *visitor)
{
    e->links.shared++;
    set_known(e, visitor, (struct known_as){NULL, or_fail(e, bytes_new(&e->customers.pool, (str){0}))});
    vector_release(&e->customers.pool, &visitor->linked_to, sizeof(struct linked_to));
}

/* What stays of a visitor: whose it is now, and who it has been. Else it is as one who has never been heard of: nothing
 * of it is left that another link could merge. */
struct state *link_make_stub(struct relance_engine *e, const struct vector *linked_to, int64_t newest_ms,
                             struct known_as known)
{
    struct pool *pool = &e->customers.pool;
    struct state *stub = or_fail(e, state_new(pool));
    if (!stub) return NULL;
    stub->newest_ms = newest_ms;
    VECTOR_EACH (*linked_to, struct linked_to, to) {
        struct linked_to *place =
            or_fail(e, vector_insert(pool, &stub->linked_to, sizeof *place, stub->linked_to.count));
        if (place) *place = *to;
    }
    set_known(e, stub, known);
    return stub;
}

/* "cart k-17 (parked since 2026-03-02T10:00:00.000Z), …": what the visitor brings. */
static str brought(struct relance_engine *e, const struct state *visitor)
{
    struct buffer text;
    buffer_init(&text, &e->scratch);
    VECTOR_EACH (visitor->runs, struct run, run) {
        char since[24];
        relance_time_print(run->started_ms, since);
        buffer_put_format(&text, "%s%.*s%s%.*s", text.size ? ", " : "",
                          STR_ARG(e->set->rules[run->rule].name), run->key->size ? " " : "",
                          STR_ARG(bytes_str(run->key)));
        buffer_put_format(&text, " (%s since %.24s)", run_is_parked(run) ? "parked" : "live", since);
    }
    if (text.failed) e->failed = true;
    return buffer_str(&text);
}

/* Told of either, whoever of the two is asked about. */
static void note_link(struct relance_engine *e, const struct customer *visitor)
{
    bool may = !visitor->state || (!link_is_shared(visitor->state) &&
                                   may_become(visitor->state, str_hash(customer_id(e->customer))));
    struct relance_note note = {.kind = may ? RELANCE_NOTE_LINKED : RELANCE_NOTE_SHARED,
                                .key = customer_bare_id(visitor),
                                .subject = customer_id(e->customer)};
    bool explaining = e->explaining, asked = explain_is_on(e, customer_id(visitor));
    if (!asked && !explaining) return;
    e->explaining = true;
    if (asked) explain_note_event(e, RELANCE_NOTE_EVENT); /* which is the customer's */
    if (visitor->state && may) note.reason = brought(e, visitor->state);
    explain_note(e, note);
    e->explaining = explaining;
}

static void hand_over(struct relance_engine *e, struct customer *visitor)
{
    struct pool *pool = &e->customers.pool;
    struct state *state = visitor->state;
    struct vector linked_to = state->linked_to;
    int64_t horizon_ms = e->event.time_ms > e->clock_ms ? e->event.time_ms : e->clock_ms;
    e->links.taken++;
    state->linked_to = (struct vector){0};
    bound_take_over(e, visitor);
    if (state->now_ms > e->now_ms) scope_enter_customer(e, e->customer, state->now_ms);
    if (state->now_ms != STATE_NO_TIME) merge_state(e, customer_bare_id(visitor), state, horizon_ms);
    visitor->state = NULL;
    state_release(pool, state);
    bound_note(e);
    struct known_as known = {or_fail(e, bytes_new(pool, customer_id(e->customer))),
                             or_fail(e, bytes_new(pool, e->event.id))};
    visitor->state = link_make_stub(e, &linked_to, e->event.time_ms, known);
    bound_give(e, visitor);
    vector_release(pool, &linked_to, sizeof(struct linked_to));
}

static void settle_visitor(struct relance_engine *e, struct customer *visitor)
{
    if (e->failed) return;
    visitor->state->due_ms = happen_next_due(e->set, visitor->state);
    visitor->state->mark = e->rules_mark;
    if (!customers_set_due(&e->customers, visitor, visitor->state->due_ms) ||
        !customers_mark_changed(&e->customers, visitor))
        e->failed = true;
}

/* It has a state from here on: its own, unless that is forgotten. */
static void start_visitor(struct relance_engine *e, struct customer *visitor)
{
    if (visitor->state && engine_is_idle(e, visitor)) {
        bound_take_over(e, visitor);
        customers_drop_state(&e->customers, visitor);
        bound_note(e);
    }
    if (!visitor->state) visitor->state = or_fail(e, state_new(&e->customers.pool));
}

static void take_link(struct relance_engine *e)
{
    struct customer *visitor = e->linking.visitor;
    link_add(e, false);
    note_link(e, visitor);
    bound_note(e);
    leave_before(e);
    start_visitor(e, visitor);
    if (!visitor->state || link_is_shared(visitor->state)) return;
    bool may = link_note_customer(e, visitor->state, customer_id(e->customer));
    if (!may) link_become_shared(e, visitor->state);
    bound_give(e, visitor);
    if (may) hand_over(e, visitor);
    settle_visitor(e, visitor);
}

void link_settle(struct relance_engine *e)
{
    if (e->linking.elsewhere) {
        link_add(e, true);
        elsewhere_ask(e);
        return;
    }
    if (e->linking.visitor) {
        take_link(e);
        return;
    }
    struct state *state = e->customer->state;
    uint32_t at = link_place(state, e->event.visitor);
    if (at != NAME_NONE)
        link_use(e, at, e->event.time_ms);
    else if (link_known_as(e->customer))
        link_end_known(e, e->customer);
}

/* ---- forgetting */

static bool knows(const struct customer *visitor, const struct customer *customer)
{
    const struct known_as *known = link_known_as(visitor);
    return known && str_equal(bytes_str(known->customer), customer_id(customer));
}

/* The visitor's end: the link of the customer whom it has become. */
static bool dissolve_known(struct relance_engine *e, const struct customer *visitor,
                           enum relance_progress *progress)
{
    const struct known_as *known = link_known_as(visitor);
    struct customer *customer = known ? engine_at_hand(e, bytes_str(known->customer), progress) : NULL;
    if (!customer) return !known;
    uint32_t at = link_place(customer->state, customer_bare_id(visitor));
    if (at != NAME_NONE)
        link_drop(e, customer, at);
    else
        elsewhere_drop(e, customer_bare_id(visitor), bytes_str(known->customer), bytes_str(known->ask));
    return true;
}

/* The customer's end: all visitors who have become this one. */
static bool dissolve_links(struct relance_engine *e, const struct customer *customer,
                           enum relance_progress *progress)
{
    VECTOR_EACH (customer->state->links, struct link, link)
        if (!link_visitor(e, bytes_str(link->visitor), progress)) return false;
    VECTOR_EACH (customer->state->links, struct link, link) {
        struct customer *visitor = link_visitor(e, bytes_str(link->visitor), progress);
        if (knows(visitor, customer))
            link_end_known(e, visitor);
        else
            elsewhere_leave(e, bytes_str(link->visitor), customer_id(customer), bytes_str(link->ask));
    }
    return true;
}

bool link_dissolve(struct relance_engine *e, const struct customer *customer, enum relance_progress *progress)
{
    if (!customer->state) return true;
    return (customer_is_visitor(customer) ? dissolve_known : dissolve_links)(e, customer, progress);
}

const struct relance_links *relance_engine_links(const struct relance_engine *e)
{
    return &e->links;
}
