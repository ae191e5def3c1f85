/* The engine of one partition: the seam of relance/engine.h, the clock, and the order of waits.
 *
 * What happens is a function of the records, the marks and the state: no wall clock, no order of the hash table
 * gets in. A call that lacks a state stops before anything of the event or wait in question has been done, so
 * that making it again goes on there. */
#include "rule/run/explain.h"

#include "rule/run/bound.h"

#include "base/buffer.h"
#include "base/ensure.h"
#include "base/rfc3339.h"
#include "base/traceparent.h"
#include "rule/run/since.h"
#include "state/pack.h"

#include <inttypes.h>

/* An event further ahead of the wall clock is not believed: 15 min (LANGUAGE.md §4.1). */
#define FUTURE_MS 900000

/* ---- life */

/* Takes note of what the set in force declares, and since when: `before` may stand in the old arena. */
static bool set_since(struct relance_engine *e, str before, int64_t mark)
{
    struct arena arena;
    struct buffer packed;
    arena_init(&arena, 0);
    buffer_init(&packed, &arena);
    bool ok = since_make(e->set, before, mark, &arena, &e->since);
    if (ok) since_pack(e->set, &e->since, &packed);
    arena_free(&e->since_arena);
    e->since_arena = arena;
    e->since_packed = buffer_str(&packed);
    e->rules_mark = mark;
    return ok && !packed.failed;
}

struct relance_engine *relance_engine_new(const struct relance_engine_options *options)
{
    struct arena arena;
    arena_init(&arena, 0);
    struct relance_engine *e = ARENA_NEW(&arena, struct relance_engine);
    if (!e) return NULL;
    e->arena = arena;
    e->options = *options;
    if (!e->options.state_bytes) e->options.state_bytes = LIMIT_STATE_BYTES;
    e->set = options->rules;
    e->clock_ms = e->newest_ms = STATE_NO_TIME;
    e->wall_ms = e->waits_known_ms = RELANCE_NEVER;
    customers_init(&e->customers);
    arena_init(&e->scratch, 0);
    arena_init(&e->frame_arena, 0);
    arena_init(&e->since_arena, 0);
    e->reader = event_reader_new();
    known_take(e, options->names);
    bound_start(e);
    if (e->reader && scope_init(e) && set_since(e, options->since, options->rules_mark)) return e;
    relance_engine_free(e);
    return NULL;
}

void relance_engine_free(struct relance_engine *e)
{
    if (!e) return;
    affinity_forget_models(e);
    event_reader_free(e->reader);
    known_free(e);
    customers_free(&e->customers);
    arena_free(&e->scratch);
    arena_free(&e->frame_arena);
    arena_free(&e->since_arena);
    struct arena arena = e->arena; /* the engine lives in its own arena */
    arena_free(&arena);
}

struct relance_str relance_engine_needed(const struct relance_engine *e)
{
    return e->needed;
}

struct relance_str relance_engine_error(const struct relance_engine *e)
{
    return e->failed ? STR("out of memory") : e->frame.stopped ? STR("stopped") : (str){0};
}

/* ---- waits */

static enum relance_progress need(struct relance_engine *e, str customer)
{
    e->needed = customer;
    return RELANCE_NEEDS;
}

enum relance_progress engine_done(const struct relance_engine *e)
{
    return e->failed ? RELANCE_FAILED : e->frame.stopped ? RELANCE_STOPPED : RELANCE_DONE;
}

/* What the customer's state has become is noted: where it stands among the waits, and that it has changed. The
 * state keeps the wait: under other rules it may be another one, but only from the next touch on, whether the
 * state was at hand at the change of rules or not. */
void engine_settle_customer(struct relance_engine *e, struct customer *customer)
{
    if (customer->state) bound_state(e);
    int64_t due_ms = happen_next_due(e->set, customer->state);
    if (customer->state) customer->state->due_ms = due_ms, customer->state->mark = e->rules_mark;
    if (!customers_set_due(&e->customers, customer, due_ms) ||
        !customers_mark_changed(&e->customers, customer))
        e->failed = true;
}

/* ---- what is about to be looked at */

/* What an event or a wait looks at of a state lies in memory that is cold in most customers. Asked for at once it comes at once, and
 * not part by part as it is got to. */
static void expect_state(const struct state *state)
{
    expect_lines(state, sizeof *state);
}

static void expect_parts(const struct state *state)
{
    const struct vector *parts[] = {&state->seen, &state->counts, &state->runs, &state->overtakers,
                                    &state->cooldowns};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        __builtin_prefetch(parts[i]->items, 1);
}

/* Of a part the first lines, and of what is put behind what was there before the last. */
static void expect_ends(const struct vector *items, size_t width, size_t begin, size_t end)
{
    const char *memory = items->items;
    size_t size = items->count * width, ended = size < end ? 0 : size - end;
    expect_lines(memory, size < begin ? size : begin);
    if (ended < begin) ended = begin;
    if (ended < size) expect_lines(memory + ended, size - ended);
}

/* Some events before. Of what few have much of all is asked for. */
static void expect_contents(const struct state *state)
{
    enum { LITTLE = 128, SOME = 256, MUCH = 512 }; /* bytes */
    expect_ends(&state->attributes, sizeof(struct attribute), LITTLE, 0);
    expect_ends(&state->lasts, sizeof(struct last_event), LITTLE, 0);
    expect_ends(&state->counts, sizeof(struct count_value), SOME, SOME);
    expect_ends(&state->runs, sizeof(struct run), MUCH, SOME);
    expect_ends(&state->cooldowns, sizeof(struct cooldown), LITTLE, 0);
    expect_ends(&state->seen, sizeof(struct seen), MUCH, SOME);
    expect_ends(&state->overtakers, sizeof(struct overtaker), LITTLE, 0);
    expect_ends(&state->past_overtakers, sizeof(struct past_overtaker), LITTLE, 0);
    expect_ends(&state->segments, sizeof(struct segment_value), LITTLE, 0);
    expect_ends(&state->dates, sizeof(struct date_wait), SOME, 0);
    expect_ends(&state->lists, sizeof(struct list_entry), SOME, SOME);
}

bool relance_engine_is_cold(const struct relance_engine *e)
{
    enum { MANY = 8192 };
    return e->customers.count >= MANY;
}

uint32_t relance_engine_place(struct relance_str customer)
{
    return customers_hash(customer);
}

void relance_engine_expect(const struct relance_engine *e, uint32_t place, enum relance_expect step)
{
    enum { CUSTOMER = 48 }; /* bytes, with a short id */
    if (step == RELANCE_EXPECT_PLACE) {
        customers_expect(&e->customers, place);
        return;
    }
    const struct customer *customer = customers_guess(&e->customers, place);
    if (customer && step == RELANCE_EXPECT_CUSTOMER) expect_lines(customer, CUSTOMER);
    if (customer && step == RELANCE_EXPECT_STATE) customer_expect(customer);
    if (customer && step == RELANCE_EXPECT_PARTS && !customer->resting && customer->state)
        expect_contents(customer->state);
}

/* Lets happen, in order, what is due before `before_ms` (with `inclusive`: by then), at most `*most` of it, which is
 * lowered. Time ends with the year 9999. At the very instant up to which waits are known there may be others, which come
 * first. */
static enum relance_progress fire(struct relance_engine *e, int64_t before_ms, bool inclusive, uint64_t *most)
{
    if (before_ms > RFC3339_MS_MAX) before_ms = RFC3339_MS_MAX;
    while (*most && !e->failed && !cel_frame_stopped(&e->frame)) {
        struct customer *customer = customers_next(&e->customers);
        int64_t next_ms = relance_engine_next_due(e);
        if (next_ms > before_ms || (!inclusive && next_ms == before_ms)) break;
        if (next_ms == e->waits_known_ms) return RELANCE_WAITS;
        if (!customer->held) return need(e, customer_id(customer));
        if (!rest_wake(e, customer)) break;
        expect_state(customer->state);
        --*most;
        arena_reset(&e->scratch);
        int64_t due_ms = customer->due_ms, now_ms = customer->state->now_ms;
        expect_parts(customer->state);
        scope_enter_customer(e, customer, due_ms > now_ms ? due_ms : now_ms);
        happen_wait(e, due_ms);
        engine_settle_customer(e, customer);
    }
    return engine_done(e);
}

enum relance_progress relance_engine_tick(struct relance_engine *e, int64_t before_ms, uint64_t *most)
{
    return fire(e, before_ms, false, most);
}

enum relance_progress relance_engine_run_until(struct relance_engine *e, int64_t until_ms)
{
    if (until_ms > RFC3339_MS_MAX) until_ms = RFC3339_MS_MAX;
    if (until_ms > e->clock_ms) e->clock_ms = until_ms;
    return fire(e, until_ms, true, &(uint64_t){UINT64_MAX});
}

int64_t relance_engine_much(const struct relance_engine *e)
{
    return e->much_ms;
}

/* ---- records */

str engine_traceparent(struct relance_engine *e)
{
    if (e->traceparent_known) return e->traceparent;
    str text = e->options.traceparent ? e->options.traceparent(e->options.context) : (str){0};
    e->traceparent = traceparent_is_valid(text) ? text : (str){0};
    e->traceparent_known = true;
    return e->traceparent;
}

/* When the event happened: its own time, else the record's; one from the future is not believed. False: it has
 * none. */
static bool find_time(const struct relance_engine *e, const struct relance_record *record,
                      struct event *event, bool *future)
{
    bool stamped = record->timestamp_ms != RELANCE_NEVER && record->timestamp_ms >= RFC3339_MS_MIN &&
                   record->timestamp_ms <= RFC3339_MS_MAX;
    if (!event->has_time && !stamped) return false;
    if (!event->has_time) event->time_ms = record->timestamp_ms;
    *future =
        !e->options.trust_future && e->wall_ms != RELANCE_NEVER && event->time_ms > e->wall_ms + FUTURE_MS;
    if (*future)
        event->time_ms = stamped && record->timestamp_ms < e->wall_ms ? record->timestamp_ms : e->wall_ms;
    return true;
}

/* The id of an event that brings none: TOPIC/PARTITION/OFFSET, and /N behind it in a list. */
static str make_id(struct relance_engine *e, const struct relance_record *record)
{
    const int64_t numbers[] = {record->partition, record->offset, (int64_t)e->unfolded.at};
    size_t count = e->unfolded.at ? 3 : 2, size = record->topic.size;
    char *id = or_fail(e, arena_alloc(&e->scratch, size + count * (1 + INT_PRINT_SIZE)));
    if (!id) return (str){0};
    if (size) memcpy(id, record->topic.data, size);
    for (size_t i = 0; i < count; i++) {
        id[size++] = '/';
        size += int_print(numbers[i], id + size);
    }
    return (str){id, size};
}

static void advance_clock(struct relance_engine *e, int64_t time_ms)
{
    int64_t clock_ms = time_ms - e->options.lateness_ms;
    if (clock_ms > e->clock_ms) e->clock_ms = clock_ms;
    if (time_ms > e->newest_ms) e->newest_ms = time_ms;
}

struct customer *engine_at_hand(struct relance_engine *e, str name, enum relance_progress *progress)
{
    struct customer *customer = customers_find(&e->customers, name);
    bool at_hand = customer ? customer->held : e->options.complete;
    if (!at_hand) {
        *progress = need(e, name);
        return NULL;
    }
    if (!customer) customer = or_fail(e, customers_add(&e->customers, name));
    if (customer && !customer->held) {
        customer->held = true;
        e->customers.held++;
    }
    if (customer) rest_wake(e, customer);
    *progress = engine_done(e);
    return customer;
}

static int64_t event_now(const struct relance_engine *e, const struct state *state)
{
    int64_t now_ms = e->event.time_ms > e->clock_ms ? e->event.time_ms : e->clock_ms;
    return state && state->now_ms > now_ms ? state->now_ms : now_ms;
}

/* Nothing has been heard of whoever it is for so long, and nothing is to come (--forget-after, --forget-visitors-after). A
 * visitor who is known as a customer is remembered as long as the link. */
bool engine_is_idle(const struct relance_engine *e, const struct customer *customer)
{
    const struct state *state = customer->state;
    bool visitor = customer_is_visitor(customer);
    int64_t after_ms = visitor ? e->options.forget_visitors_after_ms : e->options.forget_after_ms;
    bool silent =
        after_ms && state && state->newest_ms != STATE_NO_TIME && e->clock_ms - state->newest_ms > after_ms;
    if (!silent || state->due_ms != RELANCE_NEVER) return false;
    if (visitor ? state->known.count : state->runs.count) return false;
    VECTOR_EACH (state->goals, struct goal_window, window)
        if (window->closes_ms >= e->clock_ms) return false;
    return true;
}

/* Whose the event is, in scope; NULL, or not done: *progress says why not. */
static struct customer *event_customer(struct relance_engine *e, const struct relance_record *record,
                                       enum relance_progress *progress)
{
    struct customer *customer =
        e->event.visitor.size ? link_find(e, progress) : engine_at_hand(e, e->event.customer, progress);
    if (!customer) return NULL;
    if (customer->state) expect_state(customer->state);
    bool forgets = e->event.type && e->event.type->number == e->set->forget;
    if (forgets && !link_dissolve(e, customer, progress)) return NULL;
    arena_reset(&e->scratch);
    if (!e->event.id.size) e->event.id = make_id(e, record);
    if (engine_is_idle(e, customer)) customers_drop_state(&e->customers, customer);
    if (customer->state) expect_parts(customer->state);
    scope_enter_customer(e, customer, event_now(e, customer->state));
    return customer;
}

static bool is_seen(struct relance_engine *e, struct relance_fate *fate)
{
    if (!happen_is_duplicate(e, e->customer->state)) return false;
    fate->kind = RELANCE_DUPLICATE;
    explain_note_event(e, RELANCE_NOTE_DUPLICATE);
    return true;
}

/* The customer in scope has a state from here on. */
static bool open_state(struct relance_engine *e)
{
    if (!e->customer->state) e->customer->state = or_fail(e, state_new(&e->customers.pool));
    return e->customer->state && or_fail(e, customers_mark_awake(&e->customers, e->customer) ? e : NULL);
}

static enum relance_progress deal_with_event(struct relance_engine *e, const struct relance_record *record,
                                             struct relance_fate *fate)
{
    enum relance_progress progress = RELANCE_DONE;
    struct customer *customer = event_customer(e, record, &progress);
    if (!customer || progress != RELANCE_DONE) return progress;
    bool linking = e->event.visitor.size, seen = is_seen(e, fate);
    if (seen || !open_state(e)) return engine_done(e);
    scope_set_event(e);
    explain_note_event(e, RELANCE_NOTE_EVENT);
    if (linking && e->linking.known) {
        elsewhere_forward(e);
        return engine_done(e);
    }
    if (linking) link_settle(e);
    if (!linking || !is_seen(e, fate)) happen_event(e, customer);
    engine_settle_customer(e, customer);
    return engine_done(e);
}

/* An event that nothing looks at links nevertheless: who has logged in is known from then on. */
static enum relance_progress link_by_event(struct relance_engine *e, const struct relance_record *record,
                                           struct relance_fate *fate)
{
    enum relance_progress progress = RELANCE_DONE;
    struct customer *customer = event_customer(e, record, &progress);
    if (!customer || progress != RELANCE_DONE || !(e->linking.visitor || e->linking.elsewhere))
        return progress;
    if (!open_state(e)) return engine_done(e);
    scope_set_event(e);
    explain_note_event(e, RELANCE_NOTE_EVENT);
    fate->linked = true;
    link_settle(e);
    engine_settle_customer(e, customer);
    return engine_done(e);
}

/* Would the event end more waits than the record may? Then nothing of it has been done yet. Of a list only the first event
 * is asked: in front of the others there is no place in the log. */
static bool is_much(struct relance_engine *e, const struct relance_record *record)
{
    int64_t before_ms = e->event.time_ms - e->options.lateness_ms;
    if (!record->waits_most || e->unfolded.at ||
        !customers_due_exceed(&e->customers, before_ms, record->waits_most))
        return false;
    e->much_ms = before_ms;
    return true;
}

/* Does the event bring the clock to where it is not known how much is due? */
static bool is_unknown(const struct relance_engine *e, const struct relance_record *record)
{
    return record->waits_most && !e->unfolded.at &&
           e->event.time_ms - e->options.lateness_ms > e->waits_known_ms;
}

bool engine_read(struct relance_engine *e, const struct relance_record *record, struct relance_fate *fate)
{
    enum event_dead dead =
        event_read(e->reader, e->set->schema, e->unfolded.present, e->frame.slots, &e->event);
    bool future = false;
    if (dead == EVENT_NO_MEMORY)
        e->failed = true; /* nothing is wrong with the record: it is no dead letter */
    if (e->failed) return false;
    if (!dead && !find_time(e, record, &e->event, &future)) dead = EVENT_DEAD_TIME;
    bool is_visitor = !e->event.customer.size;
    *fate = (struct relance_fate){.kind = RELANCE_DEAD,
                                  .type = e->event.type_name,
                                  .customer = is_visitor ? e->event.visitor : e->event.customer,
                                  .is_visitor = is_visitor && e->event.visitor.size};
    if (dead) {
        fate->reason = event_dead_name(dead);
        return true;
    }
    fate->kind = RELANCE_IGNORED;
    fate->declared = e->event.type != NULL;
    fate->late = e->event.time_ms < e->clock_ms;
    fate->future = future;
    fate->fields_invalid = e->event.fields_invalid;
    fate->misfits = e->event.misfits;
    fate->misfit_count = e->event.misfit_count;
    return true;
}

static enum relance_progress record_event(struct relance_engine *e, const struct relance_record *record,
                                          struct relance_fate *fate)
{
    if (!engine_read(e, record, fate)) return RELANCE_FAILED;
    if (fate->kind == RELANCE_DEAD) return RELANCE_DONE;
    if (is_much(e, record)) return RELANCE_MUCH;
    if (is_unknown(e, record)) return RELANCE_WAITS;
    advance_clock(e, e->event.time_ms);
    enum relance_progress progress = fire(e, e->clock_ms, false, &(uint64_t){UINT64_MAX});
    if (progress != RELANCE_DONE) return progress;
    bool named = e->event.type && e->set->types[e->event.type->number].named;
    if (named) fate->kind = RELANCE_EVENT;
    if (named) return deal_with_event(e, record, fate);
    bool both = e->event.visitor.size && e->event.customer.size;
    return both ? link_by_event(e, record, fate) : RELANCE_DONE;
}

enum relance_progress relance_engine_record(struct relance_engine *e, const struct relance_record *record,
                                            struct relance_fate *fate)
{
    if (e->failed || e->frame.stopped) return engine_done(e);
    e->traceparent_known = false;
    if (!unfold_next(e, record, fate)) return engine_done(e);
    enum relance_progress progress = record_event(e, record, fate);
    if (progress == RELANCE_DONE) unfold_advance(e, fate);
    return progress;
}

/* ---- marks and clocks */

void relance_engine_set_wall(struct relance_engine *e, int64_t wall_ms)
{
    e->wall_ms = wall_ms;
}

const struct relance_forgot *relance_engine_forgot(const struct relance_engine *e)
{
    return &e->forgot;
}

int64_t relance_engine_clock(const struct relance_engine *e)
{
    return e->clock_ms;
}

void relance_engine_set_clock(struct relance_engine *e, int64_t clock_ms)
{
    e->clock_ms = clock_ms;
}

int64_t relance_engine_newest(const struct relance_engine *e)
{
    return e->newest_ms;
}

int64_t relance_engine_next_due(const struct relance_engine *e)
{
    const struct customer *customer = customers_next(&e->customers);
    return customer && customer->due_ms < e->waits_known_ms ? customer->due_ms : e->waits_known_ms;
}

void relance_engine_know_waits(struct relance_engine *e, int64_t before_ms)
{
    e->waits_known_ms = before_ms;
}

int64_t relance_engine_waits_known(const struct relance_engine *e)
{
    return e->waits_known_ms;
}

/* The customer has none at hand; false: this is no state, or memory has run out. */
static bool load_state(struct relance_engine *e, struct customer *customer, str packed)
{
    size_t before = e->customers.pool.used;
    customer->state = state_load(&e->customers.pool, &e->set->names, &e->since, packed);
    if (!customer->state) return false;
    customer->state_memory = (uint32_t)(e->customers.pool.used - before);
    return customers_mark_awake(&e->customers, customer);
}

/* A state speaks of declarations by number: it is written under the old set and read under the new one. One at rest is
 * again at rest. */
static bool renumber(struct relance_engine *e, struct customer *customer, const struct state_names *before)
{
    struct buffer packed;
    bool was_resting = customer->resting;
    if (!rest_wake_under(e, customer, before)) return false;
    if (!customer->state) return true;
    arena_reset(&e->scratch);
    buffer_init(&packed, &e->scratch);
    state_save(customer->state, before, &packed);
    if (packed.failed) return false;
    customers_drop_state(&e->customers, customer);
    if (!load_state(e, customer, buffer_str(&packed))) return false;
    return !was_resting || rest_pack(e, customer);
}

enum relance_status relance_engine_set_rules(struct relance_engine *e, const struct relance_ruleset *rules,
                                             int64_t mark)
{
    const struct relance_ruleset *old = e->set;
    const struct state_names *before = &old->names;
    scope_forget(e);
    e->set = e->options.rules = rules;
    affinity_take_over(e, old);
    e->options.coverage = NULL; /* that was of the others */
    if (!set_since(e, e->since_packed, mark)) e->failed = true;
    for (size_t i = 0; i < e->customers.slot_count && !e->failed; i++) {
        struct customer *customer = e->customers.slots[i].customer;
        if (customer && !renumber(e, customer, before)) e->failed = true;
    }
    arena_free(&e->frame_arena);
    e->scopes = NULL;
    if (!scope_init(e)) e->failed = true;
    bound_start(e);
    return e->failed ? RELANCE_NO_MEMORY : RELANCE_OK;
}

struct relance_str relance_engine_since(const struct relance_engine *e)
{
    return e->since_packed;
}

/* ---- states, in and out */

bool relance_engine_holds(const struct relance_engine *e, struct relance_str id)
{
    const struct customer *customer = customers_find(&e->customers, id);
    return customer ? customer->held : e->options.complete;
}

struct missing {
    relance_want *want;
    void *context;
};

static void visit_missing(void *context, const struct customer *customer)
{
    const struct missing *missing = context;
    if (!customer->held) missing->want(missing->context, customer_id(customer));
}

enum relance_status relance_engine_missing(struct relance_engine *e, int64_t before_ms, size_t most,
                                           relance_want *want, void *context)
{
    struct missing missing = {want, context};
    return customers_first_due(&e->customers, before_ms, most, visit_missing, &missing) ? RELANCE_OK
                                                                                        : RELANCE_NO_MEMORY;
}

/* Of a customer whose wait has not been handed in, the checkpoint has what the state says. */
enum relance_status relance_engine_put(struct relance_engine *e, struct relance_str id,
                                       struct relance_str packed, struct relance_error *error)
{
    struct customer *customer = customers_add(&e->customers, id);
    if (!customer) return relance_error_set(error, RELANCE_NO_MEMORY, "out of memory for customers");
    ensure(!customer->held);
    if (packed.size && !load_state(e, customer, packed))
        return relance_error_set(error, RELANCE_INVALID, "the saved state of customer '%.*s' cannot be read",
                                 STR_ARG(customer_bare_id(customer)));
    customer->held = true;
    e->customers.held++;
    int64_t due_ms = packed.size ? customer->state->due_ms : RELANCE_NEVER;
    if (customer->due_saved_ms == RELANCE_NEVER) customer->due_saved_ms = due_ms;
    if (!customers_set_due(&e->customers, customer, due_ms))
        return relance_error_set(error, RELANCE_NO_MEMORY, "out of memory for waits");
    return RELANCE_OK;
}

enum relance_status relance_engine_put_due(struct relance_engine *e, struct relance_str id, int64_t due_ms)
{
    struct customer *customer = customers_add(&e->customers, id);
    if (!customer) return RELANCE_NO_MEMORY;
    if (customer->held || customer->due_ms != RELANCE_NEVER) return RELANCE_OK;
    if (!customers_set_due(&e->customers, customer, due_ms)) return RELANCE_NO_MEMORY;
    customer->due_saved_ms = due_ms;
    return RELANCE_OK;
}

size_t relance_engine_changed_count(const struct relance_engine *e)
{
    return e->customers.changed.count;
}

static const struct changed *changed_at(const struct relance_engine *e, uint32_t i)
{
    return VECTOR_AT(e->customers.changed, struct changed, i);
}

/* They may have changed a while ago: what is saved after the next few is asked of memory. */
static void expect_changed(const struct relance_engine *e, uint32_t i)
{
    enum { CUSTOMER = 12, STATE = 8, PARTS = 4 }; /* so many later */
    uint32_t count = e->customers.changed.count;
    if (i + CUSTOMER < count) __builtin_prefetch(changed_at(e, i + CUSTOMER)->customer);
    const struct state *next = i + STATE < count ? changed_at(e, i + STATE)->customer->state : NULL,
                       *soon = i + PARTS < count ? changed_at(e, i + PARTS)->customer->state : NULL;
    if (next) expect_state(next);
    if (soon) expect_parts(soon);
}

enum relance_status relance_engine_changes(struct relance_engine *e, relance_change_visit *visit,
                                           void *context)
{
    if (e->frame.stopped) return RELANCE_INVALID;
    for (uint32_t i = 0; i < e->customers.changed.count; i++) {
        const struct customer *customer = changed_at(e, i)->customer;
        expect_changed(e, i);
        struct buffer packed;
        arena_reset(&e->scratch);
        buffer_init(&packed, &e->scratch);
        if (customer->state) state_save(customer->state, &e->set->names, &packed);
        if (packed.failed) return RELANCE_NO_MEMORY;
        struct relance_change change = {customer_id(customer), buffer_str(&packed), customer->due_ms,
                                        customer->due_saved_ms};
        visit(context, &change);
    }
    return RELANCE_OK;
}

void relance_engine_saved(struct relance_engine *e)
{
    customers_end_saving(&e->customers);
}

void relance_engine_saving(struct relance_engine *e)
{
    customers_begin_saving(&e->customers);
}

enum relance_status relance_engine_unsaved(struct relance_engine *e)
{
    return customers_stop_saving(&e->customers) ? RELANCE_OK : RELANCE_NO_MEMORY;
}

struct relance_engine_size relance_engine_size(const struct relance_engine *e)
{
    const struct customers *c = &e->customers;
    return (struct relance_engine_size){customers_bytes(c), c->count, c->held, c->wait_count};
}

void relance_engine_evict(struct relance_engine *e, size_t bytes)
{
    if (customers_bytes(&e->customers) <= bytes) return;
    scope_forget(e);
    e->options.complete = false; /* from here on, unknown does not mean new */
    if (!customers_evict(&e->customers, bytes)) e->failed = true;
}
