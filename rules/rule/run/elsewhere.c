/* A visitor of one partition who becomes the customer of another: what their engines tell each other (DELIVERY.md §3.7).
 *
 *     customer's                                     visitor's
 *         an event names both ──── take ───────────▶ known as the customer from here on
 *         merged          ◀─────── state ────────────
 *         decided         ◀─────── event ──────────── the visitor alone does something
 *         off the list    ◀─────── drop ───────────── another customer has asked
 *         forgotten       ──────── leave ──────────▶ known as nobody
 *
 * A record is said within the event or record that causes it, and dealt with wherever a mark has put it. All have the ask,
 * the id of the event that linked the two: what is late meets a newer link of the same two, and does nothing to it.
 *
 *     [kind, visitor, customer, ask]     behind them of `take` the partition that asks, of `state` the state, nil where
 *                                        there is nothing, false where the visitor is shared, of `event` the event, and
 *                                        behind that, where its record has one, the traceparent */
#include "rule/run/bound.h"
#include "rule/run/link.h"
#include "rule/run/merge.h"

#include "base/buffer.h"
#include "base/murmur2.h"
#include "base/traceparent.h"
#include "state/pack.h"

enum kind { TAKE, STATE, EVENT, DROP, LEAVE, KINDS };

static const char *const kind_names[KINDS] = {"take", "state", "event", "drop", "leave"};

/* What a record is about. */
struct told {
    enum kind kind;
    str visitor, customer, ask;
};

/* ---- saying */

/* The partition of whoever has that id, as producers have it. */
static int32_t home_of(const struct relance_engine *e, str id)
{
    return murmur2_partition(id, e->options.partitions > 0 ? e->options.partitions : 1);
}

static bool lives_elsewhere(const struct relance_engine *e, str id)
{
    return e->options.say && home_of(e, id) != e->options.partition;
}

/* The first four elements, and how many come behind them. */
static void begin(struct relance_engine *e, struct buffer *out, struct told told, size_t more)
{
    buffer_init(out, &e->scratch);
    pack_array(out, 4 + more);
    pack_str(out, str_of(kind_names[told.kind]));
    pack_str(out, told.visitor);
    pack_str(out, told.customer);
    pack_str(out, told.ask);
}

static void say(struct relance_engine *e, struct told told, int32_t partition, const struct buffer *value)
{
    char name[RELANCE_VISITOR_NAME_BYTES];
    bool to_visitor = told.kind == TAKE || told.kind == LEAVE;
    str key = to_visitor ? (str){name, relance_visitor_name(told.visitor, name)} : told.customer;
    if (value->failed) e->failed = true;
    if (e->failed || !e->options.say) return;
    const struct relance_link_record record = {partition, key, buffer_str(value)};
    e->options.say(e->options.context, &record);
}

void elsewhere_ask(struct relance_engine *e)
{
    struct buffer value;
    const struct told told = {TAKE, e->event.visitor, customer_id(e->customer), e->event.id};
    begin(e, &value, told, 1);
    pack_int(&value, e->options.partition);
    e->links.open++;
    say(e, told, home_of(e, told.visitor), &value);
}

void elsewhere_forward(struct relance_engine *e)
{
    struct buffer value;
    const struct known_as *known = e->linking.known;
    const struct told told = {EVENT, e->event.visitor, bytes_str(known->customer), bytes_str(known->ask)};
    str event = scope_pack_whole(e), traceparent = engine_traceparent(e);
    begin(e, &value, told, 1 + (traceparent.size > 0));
    pack_raw(&value, event);
    if (traceparent.size) pack_str(&value, traceparent);
    e->links.forwarded++;
    say(e, told, home_of(e, told.customer), &value);
}

static void say_bare(struct relance_engine *e, struct told told, str to)
{
    struct buffer value;
    begin(e, &value, told, 0);
    say(e, told, home_of(e, to), &value);
}

void elsewhere_drop(struct relance_engine *e, str visitor, str customer, str ask)
{
    if (lives_elsewhere(e, customer)) say_bare(e, (struct told){DROP, visitor, customer, ask}, customer);
}

void elsewhere_leave(struct relance_engine *e, str visitor, str customer, str ask)
{
    if (lives_elsewhere(e, visitor)) say_bare(e, (struct told){LEAVE, visitor, customer, ask}, visitor);
}

/* ---- take */

static int64_t now_of(const struct relance_engine *e, const struct customer *customer)
{
    const struct state *state = customer->state;
    return state && state->now_ms > e->clock_ms ? state->now_ms : e->clock_ms;
}

/* Above that of any mark, and below what is said of declarations that keep nothing (state.h): marks of one partition mean
 * nothing in another, so the state counts as newer there than all that is declared. */
#define TOLD_MARK (INT64_MAX - 1)

/* What the visitor did, as it is saved, without who it has been. */
static void pack_visitor(struct relance_engine *e, const struct state *state, struct buffer *value)
{
    struct state told = *state;
    told.known = told.linked_to = (struct vector){0};
    told.mark = TOLD_MARK;
    struct buffer saved;
    buffer_init(&saved, &e->scratch);
    state_save_whole(&told, &e->set->names, &saved);
    if (saved.failed) e->failed = true;
    if (state->now_ms == STATE_NO_TIME)
        pack_nil(value);
    else
        pack_str(value, buffer_str(&saved));
}

/* It goes to the customer, and a stub stays. */
static void give_away(struct relance_engine *e, struct customer *visitor, const struct told *told,
                      struct buffer *value)
{
    struct pool *pool = &e->customers.pool;
    struct state *state = visitor->state;
    pack_visitor(e, state, value);
    struct known_as known = {or_fail(e, bytes_new(pool, told->customer)),
                             or_fail(e, bytes_new(pool, told->ask))};
    visitor->state = link_make_stub(e, &state->linked_to, state->newest_ms, known);
    state_release(pool, state);
}

/* Whoever it was until now is told; the same customer may ask anew. */
static void drop_before(struct relance_engine *e, const struct customer *visitor, const struct told *told)
{
    const struct known_as *known = link_known_as(visitor);
    if (!known || str_equal(bytes_str(known->customer), told->customer)) return;
    str before = bytes_str(known->customer);
    say_bare(e, (struct told){DROP, told->visitor, before, bytes_str(known->ask)}, before);
}

static enum relance_progress hear_take(struct relance_engine *e, const struct told *told, struct unpack *in)
{
    enum relance_progress progress;
    struct customer *visitor = link_visitor(e, told->visitor, &progress);
    int64_t asking = unpack_int(in);
    if (!visitor || in->bad || asking < 0 || asking >= e->options.partitions) return progress;
    if (visitor->state && engine_is_idle(e, visitor)) customers_drop_state(&e->customers, visitor);
    scope_enter_customer(e, visitor, now_of(e, visitor));
    drop_before(e, visitor, told);
    if (!visitor->state) visitor->state = or_fail(e, state_new(&e->customers.pool));
    if (!visitor->state) return RELANCE_FAILED;
    struct buffer value;
    const struct told answer = {STATE, told->visitor, told->customer, told->ask};
    begin(e, &value, answer, 1);
    bool shared = link_is_shared(visitor->state);
    if (!shared && !link_note_customer(e, visitor->state, told->customer)) {
        link_become_shared(e, visitor->state);
        shared = true;
    }
    if (shared)
        pack_bool(&value, false);
    else
        give_away(e, visitor, told, &value);
    say(e, answer, (int32_t)asking, &value);
    if (visitor->state) engine_settle_customer(e, visitor);
    return progress;
}

/* ---- state */

/* The customer, who has a link with that ask, in scope; NULL: it has none, or is not at hand. */
static struct customer *asked_by(struct relance_engine *e, const struct told *told, uint32_t *at,
                                 enum relance_progress *progress)
{
    struct customer *customer = engine_at_hand(e, told->customer, progress);
    if (!customer || engine_is_idle(e, customer)) return NULL;
    *at = link_find_with(customer->state, told->visitor, told->ask);
    if (*at == NAME_NONE) return NULL;
    scope_enter_customer(e, customer, now_of(e, customer));
    return customer;
}

static void merge_packed(struct relance_engine *e, str visitor, str packed)
{
    struct pool *pool = &e->customers.pool;
    struct state *from = state_load(pool, &e->set->names, &e->since, packed);
    if (!from) return;
    bound_note(e);
    if (from->now_ms > e->now_ms) scope_enter_customer(e, e->customer, from->now_ms);
    e->event = (struct event){.time_ms = e->now_ms};
    e->segments_silent = true;
    merge_state(e, visitor, from, e->clock_ms);
    state_release(pool, from);
}

static enum relance_progress hear_state(struct relance_engine *e, const struct told *told, struct unpack *in)
{
    enum relance_progress progress;
    uint32_t at;
    struct customer *customer = asked_by(e, told, &at, &progress);
    if (!customer || !VECTOR_AT(customer->state->links, struct link, at)->open) return progress;
    VECTOR_AT(customer->state->links, struct link, at)->open = false;
    bool nothing = unpack_is_nil(in), has_state = !nothing && in->at < in->end && *in->at != 0xc2;
    if (!nothing && has_state) merge_packed(e, told->visitor, unpack_str(in));
    e->links.taken++;
    engine_settle_customer(e, customer);
    return progress;
}

/* ---- event */

static void decide_event(struct relance_engine *e, struct customer *customer)
{
    int64_t now_ms = now_of(e, customer);
    scope_enter_customer(e, customer, e->event.time_ms > now_ms ? e->event.time_ms : now_ms);
    if (happen_is_duplicate(e, customer->state)) return;
    scope_set_event(e);
    happen_event(e, customer);
}

static enum relance_progress hear_event(struct relance_engine *e, const struct told *told, struct unpack *in)
{
    enum relance_progress progress;
    uint32_t at = 0;
    struct customer *customer = asked_by(e, told, &at, &progress);
    if (!customer && progress == RELANCE_DONE)
        say_bare(e, (struct told){LEAVE, told->visitor, told->customer, told->ask}, told->visitor);
    if (!customer) return progress;
    e->event = (struct event){.visitor = told->visitor};
    if (!scope_unpack_whole(e, unpack_skip(in))) return progress;
    str traceparent = in->at < in->end ? unpack_str(in) : (str){0};
    e->traceparent = traceparent_is_valid(traceparent) ? traceparent : (str){0};
    e->traceparent_known = true;
    link_use(e, at, e->event.time_ms);
    if (e->set->types[e->event.type->number].named) decide_event(e, customer);
    engine_settle_customer(e, customer);
    return progress;
}

/* ---- drop, leave */

static enum relance_progress hear_drop(struct relance_engine *e, const struct told *told, struct unpack *in)
{
    enum relance_progress progress;
    uint32_t at;
    (void)in;
    struct customer *customer = asked_by(e, told, &at, &progress);
    if (!customer) return progress;
    link_drop(e, customer, at);
    engine_settle_customer(e, customer);
    return progress;
}

static enum relance_progress hear_leave(struct relance_engine *e, const struct told *told, struct unpack *in)
{
    enum relance_progress progress;
    (void)in;
    struct customer *visitor = link_visitor(e, told->visitor, &progress);
    if (!visitor || !link_knows(visitor, told->customer, told->ask)) return progress;
    scope_enter_customer(e, visitor, now_of(e, visitor));
    link_end_known(e, visitor);
    engine_settle_customer(e, visitor);
    return progress;
}

/* ---- hearing */

static bool read_told(struct unpack *in, struct told *told)
{
    size_t count = unpack_array(in);
    str kind = unpack_str(in);
    *told = (struct told){.kind = TAKE};
    while (told->kind < KINDS && !str_equal(kind, str_of(kind_names[told->kind])))
        told->kind++;
    told->visitor = unpack_str(in);
    told->customer = unpack_str(in);
    told->ask = unpack_str(in);
    return !in->bad && count >= 4 && told->kind < KINDS && told->visitor.size && told->customer.size &&
           told->visitor.size <= LIMIT_ID_BYTES && told->customer.size <= LIMIT_ID_BYTES;
}

enum relance_progress relance_engine_hear(struct relance_engine *e, struct relance_str value)
{
    typedef enum relance_progress hearing(struct relance_engine *, const struct told *, struct unpack *);
    static hearing *const hear[KINDS] = {[TAKE] = hear_take,
                                         [STATE] = hear_state,
                                         [EVENT] = hear_event,
                                         [DROP] = hear_drop,
                                         [LEAVE] = hear_leave};
    struct unpack in = unpack_of(value);
    struct told told;
    if (e->failed || e->frame.stopped || !read_told(&in, &told)) return engine_done(e);
    arena_reset(&e->scratch);
    enum relance_progress progress = hear[told.kind](e, &told, &in);
    return progress == RELANCE_DONE ? engine_done(e) : progress;
}
