/* What happens to one customer: an event, or a wait that falls due, each in the order of LANGUAGE.md §4.3. */
#include "rule/run/bound.h"
#include "rule/run/coverage.h"
#include "rule/run/explain.h"
#include "rule/run/runs.h"
#include "rule/run/sales.h"

#include "base/buffer.h"
#include "state/pack.h"

/* ---- duplicates */

enum { FEW_IDS = 64 }; /* are gone through sooner than those of a type are found */

/* The first id not before those of a type. */
static uint32_t first_id(const struct vector *seen, uint32_t type)
{
    uint32_t low = 0, high = seen->count;
    if (!high || seen_type(VECTOR_AT(*seen, struct seen, high - 1)) < type) return high;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (seen_type(VECTOR_AT(*seen, struct seen, middle)) < type)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Few are counted through without a branch, which is guessed wrongly too often for the search to pay. */
static struct range few_ids_of(const struct vector *seen, uint32_t type)
{
    uint32_t below = 0, up_to = 0;
    VECTOR_EACH (*seen, struct seen, known) {
        uint32_t other = seen_type(known);
        below += other < type;
        up_to += other <= type;
    }
    return (struct range){below, up_to};
}

static struct range ids_of(const struct vector *seen, uint32_t type)
{
    if (seen->count <= FEW_IDS) return few_ids_of(seen, type);
    uint32_t begin = first_id(seen, type), end = seen->count;
    if (begin < end && type != NAME_NONE) end = first_id(seen, type + 1);
    return (struct range){begin, end};
}

static bool was_seen(const struct relance_engine *e, const struct vector *seen, struct range range,
                     uint64_t hash)
{
    for (uint32_t i = range.begin; i < range.end; i++) {
        const struct seen *known = VECTOR_AT(*seen, struct seen, i);
        if (known->id_hash != hash || e->now_ms - seen_at_ms(known) > LIMIT_EVENT_ID_AGE_MS) continue;
        uint32_t type = seen_type(known);
        if (type == e->event.type->number || type == NAME_NONE) return true;
    }
    return false;
}

bool happen_is_duplicate(const struct relance_engine *e, const struct state *state)
{
    if (!state || !state->seen.count) return false;
    const struct vector *seen = &state->seen;
    uint64_t hash = str_hash(e->event.id);
    if (seen->count <= FEW_IDS) return was_seen(e, seen, (struct range){0, seen->count}, hash);
    return was_seen(e, seen, ids_of(seen, e->event.type->number), hash) ||
           was_seen(e, seen, ids_of(seen, NAME_NONE), hash);
}

/* Where the ids begin of the type that has most; of equally many, of the one whose name comes first. */
static uint32_t fullest_type(const struct relance_engine *e, const struct vector *seen)
{
    struct range most = {0, 0};
    str most_name = {0};
    for (struct range of = {0, 0}; of.begin < seen->count; of.begin = of.end) {
        uint32_t type = seen_type(VECTOR_AT(*seen, struct seen, of.begin));
        str name = type == NAME_NONE ? (str){0} : e->set->names.types.list[type];
        of.end = ids_of(seen, type).end;
        uint32_t count = of.end - of.begin, before = most.end - most.begin;
        if (count < before || (count == before && str_compare(name, most_name) > 0)) continue;
        most = of;
        most_name = name;
    }
    return most.begin;
}

void ids_trim(struct relance_engine *e, uint32_t type)
{
    struct vector *seen = &e->customer->state->seen;
    struct range range = ids_of(seen, type);
    bool full = type != NAME_NONE && range.end - range.begin > LIMIT_EVENT_IDS;
    if (full) vector_remove(seen, sizeof(struct seen), range.begin);
    if (seen->count > LIMIT_ALL_EVENT_IDS) vector_remove(seen, sizeof(struct seen), fullest_type(e, seen));
}

/* A customer's `now` never goes back: what is too old to be compared with once is too old for good, and what is still to come
 * is no older than what is there. */
static void forget_old_ids(const struct relance_engine *e, struct state *state)
{
    struct state_found *found = &state->found;
    const int64_t oldest = seen_of(0, 0, e->now_ms - LIMIT_EVENT_ID_AGE_MS).at_x_type;
    if (found->ids && found->oldest_id >= oldest) return;
    struct seen *ids = state->seen.items;
    uint32_t left = 0;
    found->ids = true;
    found->oldest_id = seen_of(0, 0, e->now_ms).at_x_type;
    for (uint32_t at = 0; at < state->seen.count; at++) {
        if (ids[at].at_x_type < oldest) continue;
        if (ids[at].at_x_type < found->oldest_id) found->oldest_id = ids[at].at_x_type;
        ids[left++] = ids[at];
    }
    state->seen.count = left;
}

/* Keeps the newest ids of each type, and not too many over all. */
static void remember_id(struct relance_engine *e)
{
    struct vector *seen = &e->customer->state->seen;
    forget_old_ids(e, e->customer->state);
    uint32_t type = e->event.type->number;
    struct range range = ids_of(seen, type);
    if (range.end - range.begin >= LIMIT_EVENT_IDS) {
        vector_remove(seen, sizeof(struct seen), range.begin);
        range.end--;
    }
    struct seen *place = or_fail(e, vector_insert(&e->customers.pool, seen, sizeof *place, range.end));
    if (place) *place = seen_of(type, str_hash(e->event.id), e->now_ms);
    if (seen->count > LIMIT_ALL_EVENT_IDS) vector_remove(seen, sizeof *place, fullest_type(e, seen));
}

/* ---- attributes */

/* Where it stands, or would stand. */
static uint32_t attribute_place(const struct vector *attributes, uint32_t number)
{
    uint32_t at = 0;
    while (at < attributes->count && VECTOR_AT(*attributes, struct attribute, at)->number < number)
        at++;
    return at;
}

/* Does a write at `time_ms` take effect? Every write has a time; at equal times the later arrival wins. */
static bool write_wins(const struct attribute *attribute, bool keep_first, int64_t time_ms)
{
    return keep_first ? time_ms <= attribute->time_ms : time_ms >= attribute->time_ms;
}

/* The value as it is kept; NULL: it is too large to be, or memory has run out. */
static struct bytes *pack_attribute(struct relance_engine *e, struct cel_value value)
{
    struct bytes *packed = NULL;
    struct buffer out;
    struct arena_mark before = arena_mark(&e->scratch);
    buffer_init_bounded(&out, &e->scratch, LIMIT_ATTRIBUTE_BYTES);
    pack_value(&out, value);
    if (out.over)
        bound_count(e, RELANCE_FORGOT_ATTRIBUTE, 1);
    else
        packed = or_fail(e, out.failed ? NULL : bytes_new(&e->customers.pool, buffer_str(&out)));
    arena_rewind(&e->scratch, before);
    return packed;
}

bool attribute_write(struct relance_engine *e, uint32_t number, struct cel_value value, int64_t time_ms)
{
    struct vector *attributes = &e->customer->state->attributes;
    uint32_t at = attribute_place(attributes, number);
    struct attribute *known = at < attributes->count ? VECTOR_AT(*attributes, struct attribute, at) : NULL;
    if (known && known->number != number) known = NULL;
    if (known && !write_wins(known, e->set->attributes[number].keep_first, time_ms)) return false;
    struct bytes *packed = value.kind == CEL_NULL ? NULL : pack_attribute(e, value);
    if (value.kind != CEL_NULL && !packed) return false;
    scope_forget(e);
    if (known)
        bytes_release(&e->customers.pool, known->packed);
    else
        known = or_fail(e, vector_insert(&e->customers.pool, attributes, sizeof *known, at));
    if (known) *known = (struct attribute){number, time_ms, packed};
    state_fact_changed(e->customer->state, e->set->attributes[number].readers);
    return known;
}

/* Is a value of a declared type? (What the checker could not know.) */
static bool value_has_type(struct cel_value value, const struct cel_type *type)
{
    static const enum cel_kind kinds[] = {
        [CEL_TYPE_BOOL] = CEL_BOOL,         [CEL_TYPE_INT] = CEL_INT,
        [CEL_TYPE_UINT] = CEL_UINT,         [CEL_TYPE_DOUBLE] = CEL_DOUBLE,
        [CEL_TYPE_STRING] = CEL_STRING,     [CEL_TYPE_BYTES] = CEL_BYTES,
        [CEL_TYPE_DURATION] = CEL_DURATION, [CEL_TYPE_TIMESTAMP] = CEL_TIMESTAMP,
        [CEL_TYPE_LIST] = CEL_LIST,         [CEL_TYPE_MAP] = CEL_MAP,
        [CEL_TYPE_RECORD] = CEL_RECORD,
    };
    return type->kind < sizeof kinds / sizeof *kinds && kinds[type->kind] == value.kind;
}

static void take_sourced_attributes(struct relance_engine *e, const struct typed_event *type)
{
    for (size_t i = 0; i < type->attributes.count; i++) {
        uint32_t number = type->attributes.types[i];
        const struct attribute_rule *rule = &e->set->attributes[number];
        struct cel_value value = engine_evaluate(e, rule->value);
        if (value_has_type(value, rule->type)) attribute_write(e, number, value, e->event.time_ms);
    }
}

static void take_identify(struct relance_engine *e, const struct typed_event *type)
{
    for (size_t i = 0; i < type->reader->field_count; i++) {
        struct cel_value value = e->frame.slots[type->reader->fields[i].slot];
        if (value.kind == CEL_ABSENT) continue;
        attribute_write(e, names_find(&e->set->names.attributes, type->reader->fields[i].name), value,
                        e->event.time_ms);
    }
}

/* ---- what an event can mean */

struct picked engine_pick(const struct relance_engine *e, const struct picking *picking)
{
    return covering(e) || e->explaining ? pick_all(picking) : pick_by(picking, e->frame.slots);
}

/* ---- the newest event of each type */

static void take_last(struct relance_engine *e, const struct typed_event *type)
{
    struct vector *lasts = &e->customer->state->lasts;
    uint32_t number = type->reader->number, at = 0;
    while (at < lasts->count && VECTOR_AT(*lasts, struct last_event, at)->type < number)
        at++;
    struct last_event *last = at < lasts->count ? VECTOR_AT(*lasts, struct last_event, at) : NULL;
    bool known = last && last->type == number;
    if (known && last->time_ms > e->event.time_ms) return;
    struct bytes *packed = scope_pack_event(e, type->last_fields, type->last_field_count);
    if (!packed) return;
    if (known)
        bytes_release(&e->customers.pool, last->packed);
    else
        last = or_fail(e, vector_insert(&e->customers.pool, lasts, sizeof *last, at));
    scope_forget(e);
    if (last) *last = (struct last_event){number, e->event.time_ms, packed};
    state_fact_changed(e->customer->state, type->last_readers);
}

/* ---- an event */

static void happen_forget(struct relance_engine *e, struct customer *customer)
{
    customers_drop_state(&e->customers, customer);
}

/* What is known of the customer changes. */
static void take_facts(struct relance_engine *e, const struct typed_event *type)
{
    if (type->sells) sales_ask_loyal(e);
    take_sourced_attributes(e, type);
    if (type->reader->number == e->set->identify) take_identify(e, type);
    if (type->remembered) take_last(e, type);
    count_event(e, type);
    lists_take(e, type);
    if (type->sells || type->refunds) sales_take(e, type);
    totals_take(e, type);
}

void happen_event(struct relance_engine *e, struct customer *customer)
{
    const struct typed_event *type = &e->set->types[e->event.type->number];
    if (type->reader->number == e->set->forget) {
        happen_forget(e, customer);
        return;
    }
    struct state *state = customer->state;
    int64_t horizon_ms = e->event.time_ms > e->clock_ms ? e->event.time_ms : e->clock_ms;
    e->happening = true;
    e->segments_silent = state->now_ms != STATE_NO_TIME;
    state->now_ms = e->now_ms;
    if (e->event.time_ms > state->newest_ms) state->newest_ms = e->event.time_ms;
    remember_id(e);
    runs_drop(e);
    segments_start_event(e);
    take_facts(e, type);
    dates_update(e);
    runs_cancel(e, type);
    overtakers_remember(e, type);
    goals_reach(e, type);
    runs_answer(e, type, horizon_ms);
    segments_update(e, false, horizon_ms);
    runs_trigger(e, type, horizon_ms);
    segments_settle(e, horizon_ms);
    overtakers_trim(e);
    e->happening = false;
}

/* ---- a wait */

/* Of the runs and the dates. */
static int64_t rules_next_due(struct state *state)
{
    int64_t due_ms = dates_next_due(state);
    VECTOR_EACH (state->runs, struct run, run)
        if (run->due_ms < due_ms) due_ms = run->due_ms;
    state->found.next_due = true;
    state->found.next_due_ms = due_ms;
    return due_ms;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t happen_next_due(const struct relance_ruleset *set, struct state *state)
{
    if (!state) return RELANCE_NEVER;
    int64_t of_rules_ms = state->found.next_due ? state->found.next_due_ms : rules_next_due(state);
    return earlier(of_rules_ms, segments_next_due(set, state));
}

/* When it is whose turn, of what is due at one instant. */
struct turn {
    uint32_t rule;
    int64_t since_ms; /* due, before any deferral */
};

/* By priority; of one priority what has waited longest goes first. */
static bool turn_is_before(const struct relance_ruleset *set, struct turn a, struct turn b)
{
    int64_t a_priority = set->rules[a.rule].priority, b_priority = set->rules[b.rule].priority;
    if (a_priority != b_priority) return a_priority > b_priority;
    return a.since_ms != b.since_ms ? a.since_ms < b.since_ms : a.rule < b.rule;
}

static struct turn turn_of(const struct run *run)
{
    return (struct turn){run->rule, run->first_due_ms};
}

/* The first of the rules' waits at that instant; of one rule a date goes before the steps, and these by key. */
static void rules_fall_due(struct relance_engine *e, int64_t due_ms)
{
    struct state *state = e->customer->state;
    struct date_wait *first_date = NULL;
    struct run *first = NULL;
    VECTOR_EACH (state->dates, struct date_wait, date)
        if (!first_date && date->due_ms == due_ms) first_date = date;
    VECTOR_EACH (state->runs, struct run, run)
        if (run->due_ms == due_ms && (!first || turn_is_before(e->set, turn_of(run), turn_of(first))))
            first = run;
    struct turn of_date = {first_date ? first_date->rule : 0, due_ms};
    if (first_date && !(first && turn_is_before(e->set, turn_of(first), of_date)))
        date_fall_due(e, first_date, due_ms);
    else if (first)
        step_perform_due(e, first, due_ms);
}

void happen_wait(struct relance_engine *e, int64_t due_ms)
{
    struct state *state = e->customer->state;
    bool segment = segments_next_due(e->set, state) == due_ms;
    explain_note(e, (struct relance_note){.kind = RELANCE_NOTE_WAIT});
    state->now_ms = e->now_ms;
    e->segments_silent = true;
    runs_drop(e);
    dates_update(e);
    if (segment)
        segments_update(e, true, due_ms);
    else
        rules_fall_due(e, due_ms);
    segments_settle(e, due_ms);
}
