#include "state/state.h"

#include "base/ensure.h"
#include "base/rfc3339.h"
#include "state/pack.h"

struct state *state_new(struct pool *pool)
{
    struct state *state = pool_alloc(pool, sizeof *state);
    if (!state) return NULL;
    memset(state, 0, sizeof *state);
    state->now_ms = state->newest_ms = STATE_NO_TIME;
    state->due_ms = INT64_MAX;
    return state;
}

void run_release(struct pool *pool, struct run *run)
{
    bytes_release(pool, run->key);
    bytes_release(pool, run->origin);
    bytes_release(pool, run->variant);
    VECTOR_EACH(run->triggers, struct bytes *, event) bytes_release(pool, *event);
    vector_release(pool, &run->triggers, sizeof(struct bytes *));
}

void count_value_release(struct pool *pool, struct count_value *value)
{
    bytes_release(pool, value->by);
    vector_release(pool, &value->buckets, sizeof(struct bucket));
}

void state_release(struct pool *pool, struct state *state)
{
    if (!state) return;
    VECTOR_EACH(state->attributes, struct attribute, attribute) bytes_release(pool, attribute->packed);
    VECTOR_EACH(state->lasts, struct last_event, last) bytes_release(pool, last->packed);
    VECTOR_EACH(state->counts, struct count_value, value) count_value_release(pool, value);
    VECTOR_EACH(state->runs, struct run, run) run_release(pool, run);
    VECTOR_EACH(state->overtakers, struct overtaker, overtaker) bytes_release(pool, overtaker->key);
    VECTOR_EACH(state->dropped, struct dropped_run, dropped)
    {
        bytes_release(pool, dropped->rule);
        bytes_release(pool, dropped->key);
    }
    VECTOR_EACH(state->goals, struct goal_window, window)
    {
        bytes_release(pool, window->key);
        bytes_release(pool, window->variant);
    }
    VECTOR_EACH(state->dates, struct date_wait, date) bytes_release(pool, date->basis);
    vector_release(pool, &state->segments, sizeof(struct segment_value));
    vector_release(pool, &state->sends, sizeof(struct counted_send));
    vector_release(pool, &state->goals, sizeof(struct goal_window));
    vector_release(pool, &state->dates, sizeof(struct date_wait));
    vector_release(pool, &state->attributes, sizeof(struct attribute));
    vector_release(pool, &state->lasts, sizeof(struct last_event));
    vector_release(pool, &state->counts, sizeof(struct count_value));
    vector_release(pool, &state->runs, sizeof(struct run));
    vector_release(pool, &state->cooldowns, sizeof(struct cooldown));
    vector_release(pool, &state->seen, sizeof(struct seen));
    vector_release(pool, &state->overtakers, sizeof(struct overtaker));
    vector_release(pool, &state->dropped, sizeof(struct dropped_run));
    pool_release(pool, state, sizeof *state);
}

/* ---- saving */

static void save_bytes(struct buffer *out, const struct bytes *bytes)
{
    if (bytes)
        pack_str(out, bytes_str(bytes));
    else
        pack_nil(out);
}

static void save_attributes(const struct state *state, const struct state_names *names, struct buffer *out)
{
    pack_map(out, state->attributes.count);
    VECTOR_EACH(state->attributes, struct attribute, attribute)
    {
        pack_str(out, names->attributes.list[attribute->number]);
        pack_array(out, 2);
        pack_int(out, attribute->time_ms);
        if (attribute->packed)
            pack_raw(out, bytes_str(attribute->packed));
        else
            pack_nil(out);
    }
}

static void save_lasts(const struct state *state, const struct state_names *names, struct buffer *out)
{
    pack_map(out, state->lasts.count);
    VECTOR_EACH(state->lasts, struct last_event, last)
    {
        pack_str(out, names->types.list[last->type]);
        pack_raw(out, bytes_str(last->packed));
    }
}

static void save_count_value(const struct count_value *value, bool sums, struct buffer *out)
{
    save_bytes(out, value->by);
    pack_array(out, value->buckets.count * 2);
    VECTOR_EACH(value->buckets, struct bucket, bucket)
    {
        pack_int(out, bucket->index);
        if (sums)
            pack_double(out, bucket->sum);
        else
            pack_int(out, bucket->n);
    }
}

/* The values of one count stand together: how many from `at` on belong to it. */
static size_t count_values(const struct state *state, size_t at)
{
    const struct count_value *values = state->counts.items;
    size_t end = at;
    while (end < state->counts.count && values[end].count == values[at].count)
        end++;
    return end - at;
}

static void save_counts(const struct state *state, const struct state_names *names, struct buffer *out)
{
    size_t distinct = 0;
    for (size_t at = 0; at < state->counts.count; at += count_values(state, at))
        distinct++;
    pack_map(out, distinct);
    for (size_t at = 0, n; at < state->counts.count; at += n) {
        n = count_values(state, at);
        const struct count_value *values = VECTOR_AT(state->counts, struct count_value, at);
        pack_str(out, names->counts.list[values->count]);
        pack_array(out, 1 + n * 2);
        pack_int(out, names->count_forms[values->count]);
        for (size_t i = 0; i < n; i++)
            save_count_value(&values[i], names->count_sums[values->count], out);
    }
}

static void save_runs(const struct state *state, const struct state_names *names, struct buffer *out)
{
    pack_array(out, state->runs.count);
    VECTOR_EACH(state->runs, struct run, run)
    {
        pack_array(out, run->said ? 10 : 9);
        pack_str(out, names->rules.list[run->rule]);
        save_bytes(out, run->key);
        pack_int(out, run->step);
        pack_int(out, run->due_ms);
        pack_int(out, run->started_ms);
        pack_int(out, run->trigger_ms);
        save_bytes(out, run->origin);
        save_bytes(out, run->variant);
        pack_array(out, run->triggers.count);
        VECTOR_EACH(run->triggers, struct bytes *, event) pack_raw(out, bytes_str(*event));
        if (run->said) pack_int(out, run->said);
    }
}

static void save_cooldowns(const struct state *state, const struct state_names *names, struct buffer *out)
{
    pack_map(out, state->cooldowns.count);
    VECTOR_EACH(state->cooldowns, struct cooldown, cooldown)
    {
        pack_str(out, names->rules.list[cooldown->rule]);
        pack_int(out, cooldown->sent_ms);
    }
}

static void save_seen(const struct state *state, const struct state_names *names, struct buffer *out)
{
    (void)names;
    pack_array(out, state->seen.count * 2);
    VECTOR_EACH(state->seen, struct seen, seen)
    {
        pack_uint(out, seen->id_hash);
        pack_int(out, seen->at_ms);
    }
}

static void save_overtakers(const struct state *state, const struct state_names *names, struct buffer *out)
{
    pack_array(out, state->overtakers.count);
    VECTOR_EACH(state->overtakers, struct overtaker, overtaker)
    {
        pack_array(out, 4);
        pack_int(out, overtaker->time_ms);
        pack_str(out, names->rules.list[overtaker->rule]);
        save_bytes(out, overtaker->key);
        pack_bool(out, overtaker->first);
    }
}

static void save_dropped(const struct state *state, const struct state_names *names, struct buffer *out)
{
    (void)names;
    pack_array(out, state->dropped.count * 2);
    VECTOR_EACH(state->dropped, struct dropped_run, dropped)
    {
        save_bytes(out, dropped->rule);
        save_bytes(out, dropped->key);
    }
}

static void save_segments(const struct state *state, const struct state_names *names, struct buffer *out)
{
    pack_map(out, state->segments.count);
    VECTOR_EACH(state->segments, struct segment_value, segment)
    {
        pack_str(out, names->segments.list[segment->number]);
        pack_array(out, 2);
        pack_bool(out, segment->value);
        pack_bool(out, segment->left_over);
    }
}

static void save_sends(const struct state *state, const struct state_names *names, struct buffer *out)
{
    pack_array(out, state->sends.count * 2);
    VECTOR_EACH(state->sends, struct counted_send, send)
    {
        pack_str(out, names->limits.list[send->limit]);
        pack_int(out, send->time_ms);
    }
}

static void save_goals(const struct state *state, const struct state_names *names, struct buffer *out)
{
    pack_array(out, state->goals.count);
    VECTOR_EACH(state->goals, struct goal_window, window)
    {
        pack_array(out, 5);
        pack_str(out, names->rules.list[window->rule]);
        save_bytes(out, window->key);
        pack_int(out, window->opened_ms);
        pack_int(out, window->closes_ms);
        save_bytes(out, window->variant);
    }
}

static void save_dates(const struct state *state, const struct state_names *names, struct buffer *out)
{
    pack_array(out, state->dates.count);
    VECTOR_EACH(state->dates, struct date_wait, date)
    {
        pack_array(out, 4);
        pack_str(out, names->rules.list[date->rule]);
        pack_int(out, date->due_ms);
        pack_int(out, date->fired);
        save_bytes(out, date->basis);
    }
}

/* ---- loading: a part is read item by item; `bad` bytes end it */

struct loading {
    struct pool *pool;
    const struct state_names *names;
    const struct state_since *since;
    struct state *state;
    struct unpack in;
    bool no_memory;
    bool first_lost; /* the beginning of the present event's overtakers was of a rule that is gone */
};

/* A declaration by its name: its number, unless it is younger than the state. */
static uint32_t load_number(const struct loading *l, const struct names *names, const int64_t *since,
                            str name)
{
    uint32_t number = names_find(names, name);
    return number != NAME_NONE && since && since[number] > l->state->mark ? NAME_NONE : number;
}

#define LOAD_NUMBER(l, kind, name)                                                                           \
    load_number(l, &(l)->names->kind, (l)->since ? (l)->since->kind : NULL, name)

static struct bytes *load_bytes(struct loading *l, str s)
{
    struct bytes *bytes = bytes_new(l->pool, s);
    if (!bytes) l->no_memory = true;
    return bytes;
}

static struct bytes *load_text(struct loading *l)
{
    return unpack_is_nil(&l->in) ? NULL : load_bytes(l, unpack_str(&l->in));
}

/* An instant; far ones would overflow where durations are added to them. */
static int64_t load_time(struct loading *l)
{
    int64_t ms = unpack_int(&l->in);
    if (ms < -STATE_TIME_MAX || ms > STATE_TIME_MAX) l->in.bad = true;
    return l->in.bad ? 0 : ms;
}

/* The same where there may be none yet, or none any more. */
static int64_t load_time_or(struct loading *l, int64_t none)
{
    struct unpack ahead = l->in;
    if (unpack_int(&ahead) != none) return load_time(l);
    l->in = ahead;
    return none;
}

/* Room at the end of a vector, cleared; NULL without memory. */
static void *load_item(struct loading *l, struct vector *vector, size_t size)
{
    void *item = vector_insert(l->pool, vector, size, vector->count);
    if (item)
        memset(item, 0, size);
    else
        l->no_memory = true;
    return item;
}

static void load_attribute(struct loading *l)
{
    uint32_t number = LOAD_NUMBER(l, attributes, unpack_str(&l->in));
    if (unpack_array(&l->in) != 2) l->in.bad = true;
    int64_t time_ms = load_time(l);
    bool removed = unpack_is_nil(&l->in);
    str packed = removed ? (str){0} : unpack_skip(&l->in);
    if (number == NAME_NONE || l->in.bad) return;
    struct attribute *attribute = load_item(l, &l->state->attributes, sizeof *attribute);
    if (attribute) *attribute = (struct attribute){number, time_ms, removed ? NULL : load_bytes(l, packed)};
}

/* An event as it is stored: a map that begins with id, type and time. Those are what the engine reads unasked. */
static str load_event(struct loading *l, int64_t *time_ms)
{
    str packed = unpack_skip(&l->in);
    struct unpack in = unpack_of(packed);
    bool begins = unpack_map(&in) >= 3;
    begins &= str_equal(unpack_str(&in), STR("id")), unpack_str(&in);
    begins &= str_equal(unpack_str(&in), STR("type")), unpack_str(&in);
    begins &= str_equal(unpack_str(&in), STR("time"));
    *time_ms = unpack_int(&in);
    if (!begins || in.bad || *time_ms < -STATE_TIME_MAX || *time_ms > STATE_TIME_MAX) l->in.bad = true;
    return packed;
}

static void load_last(struct loading *l)
{
    uint32_t type = LOAD_NUMBER(l, types, unpack_str(&l->in));
    int64_t time_ms;
    str packed = load_event(l, &time_ms);
    if (type == NAME_NONE || l->in.bad) return;
    struct last_event *last = load_item(l, &l->state->lasts, sizeof *last);
    if (last) *last = (struct last_event){type, time_ms, load_bytes(l, packed)};
}

/* ---- forms of counts */

static const int64_t bucket_widths[] = {1, 1000, 60000, 3600000,
                                        86400000}; /* ms; the first: no buckets, for life */
enum { WIDTHS = sizeof bucket_widths / sizeof *bucket_widths };

uint8_t state_count_form(int64_t bucket_ms, bool sums, bool keyed)
{
    uint8_t width = 0;
    for (uint8_t i = 1; i < WIDTHS; i++)
        if (bucket_ms == bucket_widths[i]) width = i;
    return (uint8_t)(width * 4 + sums * 2 + keyed);
}

static bool bucket_is_sane(const struct bucket *bucket, uint8_t form, bool sums)
{
    int64_t width_ms = bucket_widths[form / 4 % WIDTHS];
    bool countable = sums || (bucket->n >= 0 && bucket->n <= STATE_COUNT_MAX);
    return countable && bucket->index >= RFC3339_MS_MIN / width_ms - 1 &&
           bucket->index <= RFC3339_MS_MAX / width_ms;
}

static void load_buckets(struct loading *l, struct vector *buckets, uint8_t form, bool sums)
{
    for (size_t n = unpack_array(&l->in) / 2; n > 0 && !l->in.bad && !l->no_memory; n--) {
        struct bucket *bucket = load_item(l, buckets, sizeof *bucket);
        if (!bucket) return;
        bucket->index = unpack_int(&l->in);
        if (sums)
            bucket->sum = unpack_double(&l->in);
        else
            bucket->n = unpack_int(&l->in);
        if (!bucket_is_sane(bucket, form, sums)) l->in.bad = true;
    }
}

static void load_count(struct loading *l)
{
    uint32_t number = LOAD_NUMBER(l, counts, unpack_str(&l->in));
    struct unpack whole = l->in;
    size_t items = unpack_array(&l->in);
    int64_t form = unpack_int(&l->in);
    if (number == NAME_NONE || form != l->names->count_forms[number]) {
        l->in = whole;
        unpack_skip(&l->in);
        return;
    }
    if (items % 2 == 0) l->in.bad = true;
    for (size_t n = items / 2; n > 0 && !l->in.bad && !l->no_memory; n--) {
        struct count_value *value = load_item(l, &l->state->counts, sizeof *value);
        if (!value) return;
        value->count = number;
        value->by = load_text(l);
        load_buckets(l, &value->buckets, (uint8_t)form, l->names->count_sums[number]);
    }
}

static void load_triggers(struct loading *l, struct run *run)
{
    size_t count = unpack_array(&l->in);
    if (!count) l->in.bad = true;
    for (int64_t time_ms; count > 0 && !l->in.bad && !l->no_memory; count--) {
        struct bytes *packed = load_bytes(l, load_event(l, &time_ms));
        struct bytes **event = packed ? load_item(l, &run->triggers, sizeof *event) : NULL;
        if (event)
            *event = packed;
        else
            bytes_release(l->pool, packed);
    }
}

static void add_dropped(struct loading *l, str rule, str key)
{
    struct dropped_run *dropped = load_item(l, &l->state->dropped, sizeof *dropped);
    if (dropped) *dropped = (struct dropped_run){load_bytes(l, rule), load_bytes(l, key)};
}

static void load_dropped(struct loading *l)
{
    str rule = unpack_str(&l->in), key = unpack_str(&l->in);
    add_dropped(l, rule, key);
}

static uint32_t load_step(struct loading *l, int64_t least)
{
    int64_t step = unpack_int(&l->in);
    if (step < least || step > INT32_MAX) l->in.bad = true;
    return (uint32_t)step;
}

static void load_run(struct loading *l)
{
    size_t parts = unpack_array(&l->in);
    if (parts != 9 && parts != 10) l->in.bad = true;
    str rule = unpack_str(&l->in);
    struct run run = {.rule = LOAD_NUMBER(l, rules, rule)};
    run.key = load_bytes(l, unpack_str(&l->in));
    run.step = load_step(l, 0);
    run.due_ms = load_time(l);
    run.started_ms = load_time(l);
    run.trigger_ms = load_time(l);
    run.origin = load_bytes(l, unpack_str(&l->in));
    run.variant = load_text(l);
    load_triggers(l, &run);
    if (parts == 10) run.said = load_step(l, 1);
    if (run.rule == NAME_NONE) {
        add_dropped(l, rule, bytes_str(run.key));
        run_release(l->pool, &run);
        return;
    }
    struct run *place = load_item(l, &l->state->runs, sizeof *place);
    if (place)
        *place = run;
    else
        run_release(l->pool, &run);
}

static void load_cooldown(struct loading *l)
{
    uint32_t rule = LOAD_NUMBER(l, rules, unpack_str(&l->in));
    int64_t sent_ms = load_time(l);
    if (rule == NAME_NONE || l->in.bad) return;
    struct cooldown *cooldown = load_item(l, &l->state->cooldowns, sizeof *cooldown);
    if (cooldown) *cooldown = (struct cooldown){rule, sent_ms};
}

static void load_seen(struct loading *l)
{
    struct seen *seen = load_item(l, &l->state->seen, sizeof *seen);
    if (!seen) return;
    seen->id_hash = unpack_uint(&l->in);
    seen->at_ms = load_time(l);
}

static void load_overtaker(struct loading *l)
{
    if (unpack_array(&l->in) != 4) l->in.bad = true;
    struct overtaker overtaker = {.time_ms = load_time(l)};
    overtaker.rule = LOAD_NUMBER(l, rules, unpack_str(&l->in));
    overtaker.key = load_text(l);
    overtaker.first = unpack_bool(&l->in) || l->first_lost;
    l->first_lost = overtaker.first && overtaker.rule == NAME_NONE;
    if (overtaker.rule == NAME_NONE) {
        bytes_release(l->pool, overtaker.key);
        return;
    }
    struct overtaker *place = load_item(l, &l->state->overtakers, sizeof *place);
    if (place)
        *place = overtaker;
    else
        bytes_release(l->pool, overtaker.key);
}

static void load_segment(struct loading *l)
{
    uint32_t number = LOAD_NUMBER(l, segments, unpack_str(&l->in));
    if (unpack_array(&l->in) != 2) l->in.bad = true;
    bool value = unpack_bool(&l->in), left_over = unpack_bool(&l->in);
    if (number == NAME_NONE || l->in.bad) return;
    struct segment_value *segment = load_item(l, &l->state->segments, sizeof *segment);
    if (segment) *segment = (struct segment_value){number, value, left_over};
}

static void load_send(struct loading *l)
{
    uint32_t limit = LOAD_NUMBER(l, limits, unpack_str(&l->in));
    int64_t time_ms = load_time(l);
    if (limit == NAME_NONE || l->in.bad) return;
    struct counted_send *send = load_item(l, &l->state->sends, sizeof *send);
    if (send) *send = (struct counted_send){limit, time_ms};
}

static void load_goal(struct loading *l)
{
    if (unpack_array(&l->in) != 5) l->in.bad = true;
    struct goal_window window = {.rule = LOAD_NUMBER(l, rules, unpack_str(&l->in))};
    window.key = load_bytes(l, unpack_str(&l->in));
    window.opened_ms = load_time(l);
    window.closes_ms = load_time(l);
    window.variant = load_text(l);
    struct goal_window *place =
        window.rule == NAME_NONE ? NULL : load_item(l, &l->state->goals, sizeof *place);
    if (place) {
        *place = window;
        return;
    }
    bytes_release(l->pool, window.key);
    bytes_release(l->pool, window.variant);
}

static void load_date(struct loading *l)
{
    if (unpack_array(&l->in) != 4) l->in.bad = true;
    struct date_wait date = {.rule = LOAD_NUMBER(l, rules, unpack_str(&l->in))};
    date.due_ms = load_time_or(l, INT64_MAX);
    date.fired = load_time_or(l, STATE_NO_TIME);
    date.basis = load_text(l);
    struct date_wait *place = date.rule == NAME_NONE ? NULL : load_item(l, &l->state->dates, sizeof *place);
    if (place)
        *place = date;
    else
        bytes_release(l->pool, date.basis);
}

/* ---- the parts, one row each */

#define PART(letter, vector, save, load, paired, width)                                                      \
    {                                                                                                        \
        letter, offsetof(struct state, vector), save, load, paired, width                                    \
    }

static const struct state_part {
    char letter;
    size_t vector; /* offset in struct state */
    void (*save)(const struct state *state, const struct state_names *names, struct buffer *out);
    void (*load)(struct loading *l);
    bool map;     /* a map of what load reads, else an array */
    size_t width; /* array elements that one load reads */
} state_parts[] = {
    PART('a', attributes, save_attributes, load_attribute, true, 1),
    PART('l', lasts, save_lasts, load_last, true, 1),
    PART('c', counts, save_counts, load_count, true, 1),
    PART('r', runs, save_runs, load_run, false, 1),
    PART('s', cooldowns, save_cooldowns, load_cooldown, true, 1),
    PART('i', seen, save_seen, load_seen, false, 2),
    PART('o', overtakers, save_overtakers, load_overtaker, false, 1),
    PART('g', segments, save_segments, load_segment, true, 1),
    PART('h', sends, save_sends, load_send, false, 2),
    PART('w', goals, save_goals, load_goal, false, 1),
    PART('y', dates, save_dates, load_date, false, 1),
    PART('d', dropped, save_dropped, load_dropped, false, 2),
};

enum { STATE_PARTS = sizeof state_parts / sizeof *state_parts, STATE_FORMAT = 1 };

static uint32_t part_count(const struct state *state, const struct state_part *part)
{
    return ((const struct vector *)((const char *)state + part->vector))->count;
}

static void save_key(struct buffer *out, char letter)
{
    pack_str(out, (str){&letter, 1});
}

void state_save(const struct state *state, const struct state_names *names, struct buffer *out)
{
    size_t members = 3u + (state->due_ms != INT64_MAX) + (state->mark != 0);
    for (size_t i = 0; i < STATE_PARTS; i++)
        members += part_count(state, &state_parts[i]) != 0;
    pack_map(out, members);
    save_key(out, 'v');
    pack_int(out, STATE_FORMAT);
    save_key(out, 'n');
    pack_int(out, state->now_ms);
    save_key(out, 'e');
    pack_int(out, state->newest_ms);
    if (state->due_ms != INT64_MAX) {
        save_key(out, 't');
        pack_int(out, state->due_ms);
    }
    if (state->mark) { /* before the parts, which are read by it */
        save_key(out, 'm');
        pack_int(out, state->mark);
    }
    for (size_t i = 0; i < STATE_PARTS; i++) {
        if (!part_count(state, &state_parts[i])) continue;
        save_key(out, state_parts[i].letter);
        state_parts[i].save(state, names, out);
    }
}

static void load_part(struct loading *l, char letter)
{
    const struct state_part *part = NULL;
    for (size_t i = 0; i < STATE_PARTS; i++)
        if (state_parts[i].letter == letter) part = &state_parts[i];
    if (!part) {
        l->in.bad = true;
        return;
    }
    size_t count = (part->map ? unpack_map(&l->in) : unpack_array(&l->in)) / part->width;
    while (count-- > 0 && !l->in.bad && !l->no_memory)
        part->load(l);
}

static int run_order(const struct run *a, const struct run *b)
{
    if (a->rule != b->rule) return a->rule < b->rule ? -1 : 1;
    return str_compare(bytes_str(a->key), bytes_str(b->key));
}

/* Runs dropped by one change of rules or by several: told in the same order. */
static void sort_dropped(struct state *state)
{
    struct dropped_run *items = state->dropped.items;
    for (size_t i = 1; i < state->dropped.count; i++)
        for (size_t j = i; j > 0; j--) {
            int order = str_compare(bytes_str(items[j - 1].rule), bytes_str(items[j].rule));
            if (!order) order = str_compare(bytes_str(items[j - 1].key), bytes_str(items[j].key));
            if (order <= 0) break;
            struct dropped_run swap = items[j];
            items[j] = items[j - 1];
            items[j - 1] = swap;
        }
}

/* A changed rule set numbers its declarations anew: what is kept in their order is put back into it. Nearly
 * always in order already, so by insertion. */
static void state_sort(struct state *state)
{
    struct run *runs = state->runs.items;
    for (size_t i = 1; i < state->runs.count; i++)
        for (size_t j = i; j > 0 && run_order(&runs[j - 1], &runs[j]) > 0; j--) {
            struct run swap = runs[j];
            runs[j] = runs[j - 1];
            runs[j - 1] = swap;
        }
#define SORT_BY(vector, type, member)                                                                        \
    for (size_t i = 1; i < (vector).count; i++)                                                              \
        for (type *items = (vector).items, *p = items + i; p > items && p[-1].member > p->member; p--) {     \
            type swap = p[0];                                                                                \
            p[0] = p[-1];                                                                                    \
            p[-1] = swap;                                                                                    \
        }
    SORT_BY(state->attributes, struct attribute, number)
    SORT_BY(state->lasts, struct last_event, type)
    SORT_BY(state->counts, struct count_value, count)
    SORT_BY(state->cooldowns, struct cooldown, rule)
    SORT_BY(state->segments, struct segment_value, number)
    SORT_BY(state->sends, struct counted_send, limit)
    SORT_BY(state->dates, struct date_wait, rule)
    sort_dropped(state);
#undef SORT_BY
}

/* Events and waits happen in the years 1 to 9999. */
static bool is_now(int64_t ms)
{
    return ms == STATE_NO_TIME || (ms >= RFC3339_MS_MIN && ms <= RFC3339_MS_MAX);
}

struct state *state_load(struct pool *pool, const struct state_names *names, const struct state_since *since,
                         str packed)
{
    struct loading l = {
        .pool = pool, .names = names, .since = since, .state = state_new(pool), .in = unpack_of(packed)};
    if (!l.state) return NULL;
    bool known = false;
    for (size_t members = unpack_map(&l.in); members > 0 && !l.in.bad && !l.no_memory; members--) {
        str key = unpack_str(&l.in);
        if (key.size != 1)
            l.in.bad = true;
        else if (*key.data == 'v')
            known = unpack_int(&l.in) == STATE_FORMAT;
        else if (*key.data == 'n')
            l.state->now_ms = load_time_or(&l, STATE_NO_TIME);
        else if (*key.data == 'e')
            l.state->newest_ms = load_time_or(&l, STATE_NO_TIME);
        else if (*key.data == 't')
            l.state->due_ms = load_time(&l);
        else if (*key.data == 'm')
            l.state->mark = unpack_int(&l.in);
        else
            load_part(&l, *key.data);
    }
    bool possible = is_now(l.state->now_ms) && is_now(l.state->newest_ms);
    if (!known || !possible || l.in.bad || l.no_memory || l.in.at != l.in.end || l.state->mark < 0) {
        state_release(pool, l.state);
        return NULL;
    }
    state_sort(l.state);
    return l.state;
}
