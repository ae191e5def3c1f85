/* The bound of a customer's state. Its size is that of its form in full (state_save_whole), and when that is above the limit after an event
 * or wait, things go until it fits: kind by kind in the order of the table below, of each kind the oldest first. This
 * decides as everything else here does: by what is saved of the customer, so that a restart or a replay forgets the
 * same.
 *
 * Nearly no state ever comes near its limit, so none is measured until the memory that it takes says that it might
 * (state_memory_safe, state_size_most). Then it is measured anew after each round of forgetting; a round stops as soon as what has
 * gone might be enough, since a header or the name of a count may go with the last item of its kind. */
#include "rule/run/bound.h"

#include "state/pack.h"

/* At most in between: one event can trigger hundreds of runs that each keep all of it. */
enum { WITHIN_BYTES = 16 << 20 };

/* What may go together with an item: of its part as long as others stay (a shorter header; the customer's due time), with
 * the last value of a count (headers, the form), of an array that it stands in (a shorter header). */
enum { PART_AROUND = 16, GROUP_AROUND = 16, ARRAY_AROUND = 4 };

/* A vector with more than that many places for an item is made anew. */
enum { FITS_LOOSELY = 4 };

/* ---- ages: less goes first; equal ones go in the order in which they stand */

#define STAYS INT64_MIN

static int64_t age_trigger(const struct relance_engine *e, const void *item)
{
    (void)e;
    return kept_event_time(*(struct kept_event *const *)item);
}

static int64_t age_value_of_by(const struct relance_engine *e, const void *item)
{
    const struct count_value *value = item;
    return e->set->counts[value->count].keyed ? (int64_t)value->updated_s : STAYS;
}

static int64_t age_list_entry(const struct relance_engine *e, const void *item)
{
    (void)e;
    return ((const struct list_entry *)item)->time_ms;
}

static int64_t age_run(const struct relance_engine *e, const void *item)
{
    (void)e;
    return ((const struct run *)item)->started_ms;
}

static int64_t age_goal_window(const struct relance_engine *e, const void *item)
{
    (void)e;
    return ((const struct goal_window *)item)->opened_ms;
}

static int64_t age_last_event(const struct relance_engine *e, const void *item)
{
    (void)e;
    return ((const struct last_event *)item)->time_ms;
}

static int64_t age_attribute(const struct relance_engine *e, const void *item)
{
    (void)e;
    return ((const struct attribute *)item)->time_ms;
}

/* The time of its newest event; one for life does not know it and goes last. */
static int64_t age_count(const struct relance_engine *e, const void *item)
{
    const struct count_value *value = item;
    const struct count_rule *rule = &e->set->counts[value->count];
    if (rule->keyed) return STAYS;
    if (!rule->over_ms) return INT64_MAX;
    if (!value->buckets.count) return STATE_NO_TIME + 1;
    int64_t newest = VECTOR_AT(value->buckets, struct bucket, value->buckets.count - 1)->index;
    return count_bucket(rule, newest) * rule->bucket_ms;
}

static int64_t age_overtaker(const struct relance_engine *e, const void *item)
{
    (void)e;
    return ((const struct overtaker *)item)->time_ms;
}

static int64_t age_past_overtaker(const struct relance_engine *e, const void *item)
{
    (void)e;
    return ((const struct past_overtaker *)item)->time_ms;
}

static int64_t age_seen(const struct relance_engine *e, const void *item)
{
    (void)e;
    return seen_at_ms(item);
}

static int64_t age_send(const struct relance_engine *e, const void *item)
{
    (void)e;
    return ((const struct counted_send *)item)->time_ms;
}

static int64_t age_cooldown(const struct relance_engine *e, const void *item)
{
    (void)e;
    return ((const struct cooldown *)item)->sent_ms;
}

static int64_t age_measured(const struct relance_engine *e, const void *item)
{
    (void)e, (void)item;
    return 0;
}

static int64_t age_date(const struct relance_engine *e, const void *item)
{
    (void)e;
    return -((const struct date_wait *)item)->due_ms;
}

static int64_t age_link(const struct relance_engine *e, const void *item)
{
    (void)e;
    return ((const struct link *)item)->used_ms;
}

static int64_t age_sales(const struct relance_engine *e, const void *item)
{
    (void)e, (void)item;
    return 0;
}

static int64_t age_segment(const struct relance_engine *e, const void *item)
{
    (void)e, (void)item;
    return 0;
}

/* ---- the kinds, in the order in which they go; forgot.h has the words for them */

static const struct bound_kind {
    enum relance_forgot_kind forgot;
    enum state_part part;
    int64_t (*age)(const struct relance_engine *e, const void *item);
    bool of_runs; /* the items are the triggers of each run, of which the newest stays */
} bound_kinds[] = {
    {RELANCE_FORGOT_STATE_TRIGGERS, STATE_RUNS, age_trigger, true},
    {RELANCE_FORGOT_STATE_BY, STATE_COUNTS, age_value_of_by, false},
    {RELANCE_FORGOT_STATE_LISTS, STATE_LISTS, age_list_entry, false},
    {RELANCE_FORGOT_STATE_RUNS, STATE_RUNS, age_run, false},
    {RELANCE_FORGOT_STATE_GOALS, STATE_GOALS, age_goal_window, false},
    {RELANCE_FORGOT_STATE_LAST, STATE_LASTS, age_last_event, false},
    {RELANCE_FORGOT_STATE_ATTRIBUTES, STATE_ATTRIBUTES, age_attribute, false},
    {RELANCE_FORGOT_STATE_COUNTS, STATE_COUNTS, age_count, false},
    {RELANCE_FORGOT_STATE_CANCELS, STATE_OVERTAKERS, age_overtaker, false},
    {RELANCE_FORGOT_STATE_CANCELS, STATE_PAST_OVERTAKERS, age_past_overtaker, false},
    {RELANCE_FORGOT_STATE_IDS, STATE_SEEN, age_seen, false},
    {RELANCE_FORGOT_STATE_SALES, STATE_SALES, age_sales, false},
    {RELANCE_FORGOT_STATE_SENDS, STATE_SENDS, age_send, false},
    {RELANCE_FORGOT_STATE_COOLDOWNS, STATE_COOLDOWNS, age_cooldown, false},
    {RELANCE_FORGOT_STATE_MEASURED, STATE_MEASURED, age_measured, false},
    {RELANCE_FORGOT_STATE_DATES, STATE_DATES, age_date, false},
    {RELANCE_FORGOT_STATE_LINKS, STATE_LINKS, age_link, false},
    {RELANCE_FORGOT_STATE_SEGMENTS, STATE_SEGMENTS, age_segment, false},
};

enum { BOUND_KINDS = sizeof bound_kinds / sizeof *bound_kinds };

/* ---- where the items of a kind stand */

/* The n-th vector of them: that of the part, or of the n-th run its triggers. NULL: there is no such. */
static struct vector *kind_vector(const struct bound_kind *kind, struct state *state, uint32_t n)
{
    if (!kind->of_runs) return n ? NULL : state_items(state, kind->part);
    return n < state->runs.count ? &VECTOR_AT(state->runs, struct run, n)->triggers : NULL;
}

static size_t kind_item_size(const struct bound_kind *kind)
{
    return kind->of_runs ? sizeof(struct kept_event *) : state_item_width(kind->part);
}

/* What of a run's triggers may go with it: also those that others keep, which may be going as well. */
static size_t shared_size(const struct run *run)
{
    size_t size = 0;
    VECTOR_EACH (run->triggers, struct kept_event *, event)
        size += (*event)->keepers > 1 ? (*event)->size : 0;
    return size;
}

/* With the last value of a count go its name and its form, with the last id of a type and the last entry of a list its name. */
static size_t group_around(const struct relance_engine *e, enum state_part part, const void *item)
{
    const struct names *names = state_group_names(part, &e->set->names);
    const struct vector *items = state_items(e->customer->state, part);
    size_t width = state_item_width(part);
    const char *next = (const char *)item + width, *end = (const char *)items->items + items->count * width;
    uint32_t group = state_group(part, item);
    if (next < end && state_group(part, next) == group) return 0;
    return GROUP_AROUND + (group == NAME_NONE ? 0 : names->list[group].size);
}

/* At least what forgetting an item makes the saved form smaller by, with nothing else. */
static size_t kind_saved_size(const struct relance_engine *e, const struct bound_kind *kind, const void *item)
{
    size_t size = ARRAY_AROUND;
    if (kind->of_runs) {
        const struct kept_event *event = *(struct kept_event *const *)item;
        return size + (event->keepers > 1 ? sizeof event->number + 1 : event->size);
    }
    if (kind->part == STATE_RUNS) size += shared_size(item);
    if (kind->part == STATE_COUNTS || kind->part == STATE_SEEN || kind->part == STATE_LISTS)
        size += group_around(e, kind->part, item);
    return size + state_item_size(kind->part, item, &e->set->names);
}

/* ---- candidates: a heap with the oldest at its top */

struct candidate {
    int64_t age;
    uint32_t place; /* among all items of the kind */
    void *item;
};

struct candidates {
    struct candidate *heap;
    uint32_t count, places;
};

static bool candidate_before(struct candidate a, struct candidate b)
{
    return a.age != b.age ? a.age < b.age : a.place < b.place;
}

/* Lets a candidate sink from `at` to where it belongs. */
static void candidate_sink(struct candidates *c, uint32_t at, struct candidate candidate)
{
    for (uint32_t child; (child = 2 * at + 1) < c->count; at = child) {
        if (child + 1 < c->count && candidate_before(c->heap[child + 1], c->heap[child])) child++;
        if (!candidate_before(c->heap[child], candidate)) break;
        c->heap[at] = c->heap[child];
    }
    c->heap[at] = candidate;
}

static struct candidate candidate_take(struct candidates *c)
{
    struct candidate oldest = c->heap[0];
    c->count--;
    if (c->count) candidate_sink(c, 0, c->heap[c->count]);
    return oldest;
}

static struct candidates candidates_of(struct relance_engine *e, const struct bound_kind *kind)
{
    struct state *state = e->customer->state;
    struct candidates c = {0};
    size_t size = kind_item_size(kind);
    struct vector *items;
    for (uint32_t n = 0; (items = kind_vector(kind, state, n)); n++)
        c.places += items->count;
    c.heap = or_fail(e, arena_alloc(&e->scratch, (c.places + 1) * sizeof *c.heap));
    uint32_t place = 0;
    for (uint32_t n = 0; c.heap && (items = kind_vector(kind, state, n)); n++)
        for (uint32_t i = 0; i < items->count; i++, place++) {
            void *item = (char *)items->items + i * size;
            int64_t age = kind->of_runs && i + 1 == items->count ? STAYS : kind->age(e, item);
            if (age != STAYS) c.heap[c.count++] = (struct candidate){age, place, item};
        }
    for (uint32_t at = c.count / 2; at-- > 0;)
        candidate_sink(&c, at, c.heap[at]);
    return c;
}

/* ---- forgetting */

/* A trigger is given up at once, so that it is seen which run is the last to keep it; a run is told of. */
static void leave(struct relance_engine *e, const struct bound_kind *kind, void *item)
{
    bound_count(e, kind->forgot, 1);
    if (kind->of_runs) kept_event_release(&e->customers.pool, *(struct kept_event **)item);
    if (kind->forgot != RELANCE_FORGOT_STATE_RUNS) return;
    const struct run *run = item;
    struct relance_decision decision = {
        .outcome = RELANCE_OUTCOME_DROPPED, .key = bytes_str(run->key), .why = STR("state")};
    scope_enter_rule(e, &e->set->rules[run->rule], NULL);
    engine_decide(e, &decision);
}

static void sweep_vector(struct relance_engine *e, const struct bound_kind *kind, struct vector *items,
                         const bool *gone)
{
    size_t size = kind_item_size(kind);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < items->count; i++) {
        char *item = (char *)items->items + i * size;
        if (gone[i]) {
            if (!kind->of_runs) state_item_release(&e->customers.pool, kind->part, item);
            continue;
        }
        if (kept < i) memcpy((char *)items->items + kept * size, item, size);
        kept++;
    }
    items->count = kept;
    if (items->capacity / FITS_LOOSELY > kept) vector_fit(&e->customers.pool, items, size);
}

static void sweep(struct relance_engine *e, const struct bound_kind *kind, const bool *gone)
{
    struct state *state = e->customer->state;
    struct vector *items;
    for (uint32_t n = 0; (items = kind_vector(kind, state, n)); n++) {
        uint32_t count = items->count;
        sweep_vector(e, kind, items, gone);
        gone += count;
    }
    state->found = (struct state_found){0};
}

/* Forgets the oldest of a kind until it may be enough; false: there is none. */
static bool forget_some(struct relance_engine *e, const struct bound_kind *kind, size_t over)
{
    struct candidates c = candidates_of(e, kind);
    bool *gone = or_fail(e, arena_alloc_zero(&e->scratch, (size_t)c.places + 1));
    size_t freed = 0;
    if (!c.count || !gone) return false;
    do {
        struct candidate oldest = candidate_take(&c);
        freed += kind_saved_size(e, kind, oldest.item);
        gone[oldest.place] = true;
        leave(e, kind, oldest.item);
    } while (c.count && freed + PART_AROUND < over);
    sweep(e, kind, gone);
    return true;
}

/* By how many bytes the state is above its limit; 0: it is not. */
static size_t excess(struct relance_engine *e)
{
    struct state *state = e->customer->state;
    state->due_ms = happen_next_due(e->set, state); /* it is saved, too */
    size_t size = state_size(state, &e->set->names);
    return size > e->options.state_bytes ? size - e->options.state_bytes : 0;
}

static void forget_until_it_fits(struct relance_engine *e)
{
    size_t over = excess(e);
    if (over) scope_forget(e); /* slots borrow from what goes */
    for (size_t i = 0; i < BOUND_KINDS; i++)
        while (over && !e->failed && forget_some(e, &bound_kinds[i], over))
            over = excess(e);
}

/* ---- when */

static void count_memory(struct relance_engine *e)
{
    e->customer->state_memory += (uint32_t)(e->customers.pool.used - e->pool_used);
    e->pool_used = e->customers.pool.used;
}

void bound_start(struct relance_engine *e)
{
    const struct state_names *names = &e->set->names;
    const struct names *kinds[] = {&names->attributes, &names->types,  &names->counts, &names->rules,
                                   &names->segments,   &names->limits, &names->lists};
    size_t longest = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i]->longest > longest) longest = kinds[i]->longest;
    e->longest_name = longest;
    e->fits_memory = state_memory_safe(e->options.state_bytes, longest);
    e->fits_within = state_memory_safe(WITHIN_BYTES, longest);
}

void bound_state(struct relance_engine *e)
{
    kept_event_release(&e->customers.pool, e->kept);
    e->kept = NULL;
    count_memory(e);
    if (e->customer->state_memory <= e->fits_memory) return;
    if (state_size_most(e->customer->state, e->customer->state_memory, &e->set->names, e->longest_name) <=
        e->options.state_bytes)
        return;
    forget_until_it_fits(e);
    count_memory(e);
}

void bound_state_within(struct relance_engine *e)
{
    count_memory(e);
    if (e->customer->state_memory <= e->fits_within) return;
    if (state_size(e->customer->state, &e->set->names) <= WITHIN_BYTES) return;
    forget_until_it_fits(e);
    count_memory(e);
}

void bound_note(struct relance_engine *e)
{
    count_memory(e);
}

void bound_take_over(struct relance_engine *e, struct customer *from)
{
    count_memory(e);
    e->customer->state_memory += from->state_memory;
    from->state_memory = 0;
}

void bound_give(struct relance_engine *e, struct customer *to)
{
    to->state_memory += (uint32_t)(e->customers.pool.used - e->pool_used);
    e->pool_used = e->customers.pool.used;
}

void bound_take_count(struct relance_engine *e, enum relance_forgot_kind kind, int64_t number)
{
    struct vector *forgotten = &e->customer->state->forgotten;
    uint32_t at = 0;
    while (at < forgotten->count && VECTOR_AT(*forgotten, struct forgotten, at)->kind < kind)
        at++;
    struct forgotten *place = at < forgotten->count ? VECTOR_AT(*forgotten, struct forgotten, at) : NULL;
    if (!place || place->kind != kind) {
        place = or_fail(e, vector_insert(&e->customers.pool, forgotten, sizeof *place, at));
        if (place) *place = (struct forgotten){.kind = kind};
    }
    if (place && place->count < STATE_COUNT_MAX) place->count += number;
    if (place && place->count > STATE_COUNT_MAX) place->count = STATE_COUNT_MAX;
}

void bound_count(struct relance_engine *e, enum relance_forgot_kind kind, uint32_t number)
{
    e->forgot.total += number;
    e->forgot.of[kind] += number;
    e->forgot.customer = customer_bare_id(e->customer);
    bound_take_count(e, kind, number);
}
