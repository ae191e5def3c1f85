/* Counts: sliding and lifetime counters, sums, and what is kept of numbers (LANGUAGE.md §1.4).
 *
 * A count with `over` w is kept in buckets of width b, bucket i for events with floor(time / b) = i; at `now`
 * it is the sum of buckets i with floor((now − w) / b) < i ≤ floor(now / b), added in ascending order, or the least or
 * greatest of them. A customer's `now` never goes back, so a bucket that has left the window is gone for good, and of
 * a count that keeps the last value no older one is ever asked for. */
#include "rule/run/bound.h"

#include <math.h>

/* The last bucket that is out of the window. */
static int64_t expired_bucket(const struct count_rule *rule, int64_t now_ms)
{
    return floor_div(now_ms - rule->over_ms, rule->bucket_ms);
}

/* The first value of a count not before that number. */
static uint32_t first_value(const struct state *state, uint32_t number)
{
    uint32_t low = 0, high = state->counts.count;
    if (!high || VECTOR_AT(state->counts, struct count_value, high - 1)->count < number) return high;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (VECTOR_AT(state->counts, struct count_value, middle)->count < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Few are counted through without a branch, which is guessed wrongly too often for the search to pay. */
static struct range few_values(const struct state *state, uint32_t number)
{
    uint32_t below = 0, up_to = 0;
    VECTOR_EACH (state->counts, struct count_value, value) {
        below += value->count < number;
        up_to += value->count <= number;
    }
    return (struct range){below, up_to};
}

struct range count_values(const struct state *state, uint32_t number)
{
    enum { FEW = 16 };
    if (state->counts.count <= FEW) return few_values(state, number);
    uint32_t begin = first_value(state, number), count = state->counts.count;
    const struct count_value *values = state->counts.items;
    if (begin == count || values[begin].count != number) return (struct range){begin, begin};
    return (struct range){begin, first_value(state, number + 1)};
}

/* Where the value of `by` stands in the range, its end if nowhere. What was updated last is what is asked for next, too, so
 * from behind. Without `by` there is one value at most. */
static uint32_t value_place(const struct state *state, struct range range, const str *by)
{
    const struct count_value *values = state->counts.items;
    uint16_t tag = by ? text_tag(*by) : 0;
    for (uint32_t at = range.end; at-- > range.begin;)
        if (!by || (values[at].by_tag == tag && str_equal(bytes_str(values[at].by), *by))) return at;
    return range.end;
}

static void drop_expired(const struct count_rule *rule, struct count_value *value, int64_t expired)
{
    struct bucket *buckets = value->buckets.items;
    uint32_t gone = 0;
    while (gone < value->buckets.count && count_bucket(rule, buckets[gone].index) <= expired)
        gone++;
    if (!gone) return;
    value->buckets.count -= gone;
    memmove(buckets, buckets + gone, value->buckets.count * sizeof *buckets);
}

/* The value that stands at `at` of its count's goes to their end: it is the one updated last. */
static struct count_value *move_last(struct state *state, uint32_t at, struct range range)
{
    struct count_value *values = state->counts.items, found = values[at];
    if (at + 1 < range.end) memmove(&values[at], &values[at + 1], (range.end - at - 1) * sizeof *values);
    values[range.end - 1] = found;
    return &values[range.end - 1];
}

/* One too many values of `by`: the one updated longest ago, which stands first, goes, and leaves its place. */
static struct count_value *replace_oldest(struct relance_engine *e, struct range range)
{
    struct count_value *value = move_last(e->customer->state, range.begin, range);
    state_item_release(&e->customers.pool, STATE_COUNTS, value);
    bound_count(e, RELANCE_FORGOT_COUNT_VALUES, 1);
    return value;
}

/* Values of `by` that nothing is left of in the window: their buckets have left it, or stood before it from the start. What
 * was updated longest ago stands first; behind one that is still there nobody looks. */
static struct range forget_values(struct relance_engine *e, const struct count_rule *rule, struct range range)
{
    struct state *state = e->customer->state;
    int64_t expired = expired_bucket(rule, e->now_ms);
    for (; range.begin < range.end; range.end--) {
        const struct vector *buckets = &VECTOR_AT(state->counts, struct count_value, range.begin)->buckets;
        const struct bucket *newest = buckets->items;
        if (buckets->count && count_bucket(rule, newest[buckets->count - 1].index) > expired) break;
        state_item_remove(&e->customers.pool, state, STATE_COUNTS, range.begin);
    }
    return range;
}

/* The value of `by`, updated now. NULL without memory. */
static struct count_value *touch_value(struct relance_engine *e, uint32_t number, const str *by)
{
    struct state *state = e->customer->state;
    const struct count_rule *rule = &e->set->counts[number];
    struct range range = count_values(state, number);
    if (by && rule->over_ms) range = forget_values(e, rule, range);
    uint32_t at = value_place(state, range, by);
    if (at < range.end) return move_last(state, at, range);
    struct bytes *owned = by ? or_fail(e, bytes_new(&e->customers.pool, *by)) : NULL;
    if (by && !owned) return NULL;
    struct count_value *value =
        range.end - range.begin >= LIMIT_COUNT_KEYS
            ? replace_oldest(e, range)
            : or_fail(e, vector_insert(&e->customers.pool, &state->counts, sizeof *value, range.end));
    if (value)
        *value =
            (struct count_value){.count = (uint16_t)number, .by_tag = by ? text_tag(*by) : 0, .by = owned};
    return value;
}

/* In seconds since 1970, as far as that can be told: only which was earlier matters. */
static uint32_t updated_s(int64_t now_ms)
{
    int64_t seconds = now_ms / 1000;
    return seconds < 0 ? 0 : seconds > UINT32_MAX ? UINT32_MAX : (uint32_t)seconds;
}

/* What one more number makes of those before it. */
double count_take(enum count_kind kind, bool first, double before, double number)
{
    switch (kind) {
    case COUNT_SUM: return before + number; /* 0 at first */
    case COUNT_MIN: return first || number < before ? number : before;
    case COUNT_MAX: return first || number > before ? number : before;
    default: return number;
    }
}

static void add_to_bucket(struct relance_engine *e, const struct count_rule *rule, struct count_value *value,
                          int64_t index, double number)
{
    struct bucket *buckets = value->buckets.items;
    uint32_t at = value->buckets.count;
    while (at > 0 && buckets[at - 1].index >= index)
        at--;
    struct bucket *bucket = at < value->buckets.count ? &buckets[at] : NULL;
    bool first = !bucket || bucket->index != index;
    if (first) {
        bucket = or_fail(e, vector_insert(&e->customers.pool, &value->buckets, sizeof *bucket, at));
        if (!bucket) return;
        *bucket = (struct bucket){.index = index};
    }
    if (rule->kind != COUNT_EVENTS)
        bucket->number = count_take(rule->kind, first, bucket->number, number);
    else if (bucket->n < STATE_COUNT_MAX)
        bucket->n++;
}

/* By event time; at equal times the later arrival wins. */
static void keep_last(struct relance_engine *e, struct count_value *value, double number)
{
    struct bucket *last = value->buckets.items;
    if (!value->buckets.count)
        last = or_fail(e, vector_insert(&e->customers.pool, &value->buckets, sizeof *last, 0));
    else if (last->index > e->event.time_ms)
        return;
    if (last) *last = (struct bucket){.index = e->event.time_ms, .number = number};
}

static void add_to(struct relance_engine *e, uint32_t number, const str *by, double amount)
{
    const struct count_rule *rule = &e->set->counts[number];
    struct count_value *value = touch_value(e, number, by);
    if (!value) return;
    state_fact_changed(e->customer->state, (struct state_readers){.segments = rule->tracked});
    if (rule->keyed) value->updated_s = updated_s(e->now_ms);
    int64_t index = 0;
    if (rule->over_ms) {
        int64_t expired = expired_bucket(rule, e->now_ms);
        index = floor_div(e->event.time_ms, rule->bucket_ms);
        drop_expired(rule, value, expired);
        if (index <= expired) return;
    }
    if (rule->kind == COUNT_LAST)
        keep_last(e, value, amount);
    else
        add_to_bucket(e, rule, value, index, amount);
}

static bool number_of(struct cel_value value, double *out)
{
    switch (value.kind) {
    case CEL_INT: *out = (double)value.as.i; return true;
    case CEL_UINT: *out = (double)value.as.u; return true;
    case CEL_DOUBLE: *out = value.as.d; return true;
    default: return false;
    }
}

static void count_one(struct relance_engine *e, uint32_t number)
{
    const struct count_rule *rule = &e->set->counts[number];
    struct texts by = {0};
    double amount = 0;
    if (!condition_holds(e, rule->condition)) return;
    if (rule->by && !engine_evaluate_texts(e, rule->by, &by)) return;
    if (rule->sum && !number_of(engine_evaluate(e, rule->sum), &amount)) return;
    if (count_keeps(rule) && isnan(amount)) return;
    if (!rule->by) add_to(e, number, NULL, amount);
    for (size_t i = 0; i < by.count; i++)
        add_to(e, number, &by.list[i], amount);
}

void count_event(struct relance_engine *e, const struct typed_event *type)
{
    struct picked counts = engine_pick(e, &type->counts);
    for (uint32_t number; pick_next(&counts, &number);)
        count_one(e, number);
}

struct cel_value count_total(const struct count_rule *rule, const struct count_value *value, int64_t now_ms)
{
    bool any = false;
    int64_t n = 0, expired = rule->over_ms ? expired_bucket(rule, now_ms) : -1;
    int64_t newest = rule->over_ms ? floor_div(now_ms, rule->bucket_ms) : 0;
    double number = 0;
    VECTOR_EACH (value->buckets, struct bucket, bucket) {
        int64_t i = rule->over_ms ? count_bucket(rule, bucket->index) : 0;
        if (i <= expired || i > newest) continue;
        if (rule->kind == COUNT_EVENTS)
            n += bucket->n;
        else
            number = count_take(rule->kind, !any, number, bucket->number);
        any = true;
    }
    if (rule->kind == COUNT_EVENTS) return cel_int(n);
    return any || rule->kind == COUNT_SUM ? cel_double(number) : (struct cel_value){.kind = CEL_NULL};
}

struct cel_value count_value_at(struct relance_engine *e, uint32_t number, str by)
{
    static const struct count_value none = {0};
    const struct count_rule *rule = &e->set->counts[number];
    const struct state *state = e->customer->state;
    struct range range = count_values(state, number);
    uint32_t at = value_place(state, range, rule->by ? &by : NULL);
    const struct count_value *found =
        at < range.end ? VECTOR_AT(state->counts, struct count_value, at) : &none;
    struct cel_value total = count_total(rule, found, e->now_ms);
    if (!count_keeps(rule)) return total;
    return total.kind == CEL_NULL ? (struct cel_value){.kind = CEL_OPTIONAL}
                                  : cel_optional_of(&e->frame, total);
}
