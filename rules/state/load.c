/* The saved form, read: a part item by item; `bad` bytes end it. */
#include "state/parts.h"

#include "base/limits.h"
#include "base/rfc3339.h"
#include "base/traceparent.h"
#include "state/pack.h"
#include "state/stored.h"

#include <relance/forgot.h>

/* Names of rules or of limits that have been read, in that order. */
struct told_names {
    uint32_t count;
    str names[STATE_TOLD];
};

struct state_loading {
    struct pool *pool;
    const struct state_names *names;
    const struct state_since *since;
    struct state *state;
    struct unpack in;
    int64_t format;
    const struct state_words *words; /* numbers are theirs; NULL: there are none */
    int64_t now_ms; /* from format 4 on instants are told from here on; what falls due, from `due_ms` on */
    int64_t due_ms;
    struct vector shared; /* struct kept_event * */
    struct buffer fields; /* of the event that was read last, with their names */
    bool no_memory;
    struct told_names rules, limits;
    uint32_t event_count;
    struct told_event {
        str id, type;
    } events[STATE_TOLD];
};

/* From format 4 on less is said. */
static bool is_whole(const struct state_loading *l)
{
    return l->format <= STATE_FORMAT_WHOLE;
}

static bool at_word(const struct state_loading *l)
{
    return l->words && unpack_at_uint(&l->in);
}

static uint32_t load_word(struct state_loading *l)
{
    uint64_t word = unpack_uint(&l->in);
    if (word >= l->words->count) l->in.bad = true;
    return l->in.bad ? 0 : (uint32_t)word;
}

/* A name, which may stand there as a word. */
static str load_name(struct state_loading *l)
{
    return at_word(l) ? l->words->list[load_word(l)] : unpack_str(&l->in);
}

/* A declaration's number, unless it is younger than the state. */
static uint32_t as_old(const struct state_loading *l, uint32_t number, const int64_t *since)
{
    return number != NAME_NONE && since && since[number] > l->state->mark ? NAME_NONE : number;
}

static uint32_t load_number(const struct state_loading *l, const struct names *names, const int64_t *since,
                            str name)
{
    return as_old(l, names_find(names, name), since);
}

/* The same by what stands there: a name, which *name is, or in a state at rest the number. */
static uint32_t load_declared(struct state_loading *l, const struct names *names,
                              const struct state_words_of *words, const int64_t *since, str *name)
{
    *name = (str){0};
    if (!l->names->numbered && words && at_word(l)) {
        uint32_t word = load_word(l);
        *name = l->words->list[word];
        return as_old(l, words->numbers[word], since);
    }
    if (!l->names->numbered) return load_number(l, names, since, *name = unpack_str(&l->in));
    uint64_t number = unpack_uint(&l->in);
    return number < names->count ? (uint32_t)number : NAME_NONE;
}

#define LOAD_SINCE(l, kind)    ((l)->since ? (l)->since->kind : NULL)
#define LOAD_WORDS(l, kind)    ((l)->words ? &(l)->words->kind : NULL)
#define LOAD_DECLARED(l, kind) LOAD_NAMED(l, kind, &(str){0})
#define LOAD_NAMED(l, kind, name)                                                                            \
    load_declared(l, &(l)->names->kind, LOAD_WORDS(l, kind), LOAD_SINCE(l, kind), name)

/* Does a number come that says which of those before it is? */
static bool at_number_before(const struct state_loading *l)
{
    if (is_whole(l) || !unpack_at_int(&l->in)) return false;
    return !l->words || !unpack_at_uint(&l->in);
}

static uint64_t load_number_before(struct state_loading *l, uint32_t count)
{
    uint64_t before = l->words ? (uint64_t)-1 - (uint64_t)unpack_int(&l->in) : unpack_uint(&l->in);
    if (before >= count) l->in.bad = true;
    return l->in.bad ? 0 : before;
}

/* A name that may have been told before, and in the number of which there stands that then. */
static str load_told(struct state_loading *l, struct told_names *told)
{
    if (at_number_before(l)) {
        uint64_t before = load_number_before(l, told->count);
        return l->in.bad ? (str){0} : told->names[before];
    }
    str name = unpack_str(&l->in);
    if (told->count < STATE_TOLD) told->names[told->count++] = name;
    return name;
}

static uint32_t load_rule(struct state_loading *l, str *name)
{
    if (l->names->numbered || at_word(l)) return LOAD_NAMED(l, rules, name);
    *name = load_told(l, &l->rules);
    return load_number(l, &l->names->rules, LOAD_SINCE(l, rules), *name);
}

/* From format 4 on there stands the hash of its name. */
static uint32_t load_limit(struct state_loading *l)
{
    if (l->names->numbered || is_whole(l))
        return load_declared(l, &l->names->limits, NULL, LOAD_SINCE(l, limits), &(str){0});
    str hash = load_told(l, &l->limits);
    struct unpack in = unpack_of(hash);
    if (hash.size != PACK_HASH_SIZE) l->in.bad = true;
    return as_old(l, names_find_hash(&l->names->limits, unpack_hash(&in)), LOAD_SINCE(l, limits));
}

static struct bytes *load_bytes(struct state_loading *l, str s)
{
    struct bytes *bytes = bytes_new(l->pool, s);
    if (!bytes) l->no_memory = true;
    return bytes;
}

/* The id of somebody: there is no empty one. */
static str load_id(struct state_loading *l)
{
    str id = unpack_str(&l->in);
    if (!id.size || id.size > LIMIT_ID_BYTES) l->in.bad = true;
    return id;
}

/* What may stand there once. */
static void load_once(struct state_loading *l, struct bytes **to, str text)
{
    if (*to) l->in.bad = true;
    if (!l->in.bad) *to = load_bytes(l, text);
}

static struct bytes *load_text(struct state_loading *l)
{
    return unpack_is_nil(&l->in) ? NULL : load_bytes(l, unpack_str(&l->in));
}

/* Far instants would overflow where durations are added to them. */
static int64_t sane(struct state_loading *l, int64_t ms)
{
    if (ms < -STATE_TIME_MAX || ms > STATE_TIME_MAX) l->in.bad = true;
    return l->in.bad ? 0 : ms;
}

static int64_t moved(int64_t from_ms, int64_t by_ms)
{
    return (int64_t)((uint64_t)from_ms + (uint64_t)by_ms);
}

static int64_t load_past(struct state_loading *l)
{
    int64_t ms = unpack_int(&l->in);
    return sane(l, is_whole(l) ? ms : moved(l->now_ms, (int64_t) - (uint64_t)ms));
}

static int64_t load_coming(struct state_loading *l)
{
    int64_t ms = unpack_int(&l->in);
    return sane(l, is_whole(l) ? ms : moved(l->now_ms, ms));
}

/* There may be none yet, or none any more. */
static bool load_none(struct state_loading *l, int64_t none)
{
    struct unpack ahead = l->in;
    if (!is_whole(l)) return unpack_is_nil(&l->in);
    if (unpack_int(&ahead) != none) return false;
    l->in = ahead;
    return true;
}

static int64_t load_past_or(struct state_loading *l, int64_t none)
{
    return load_none(l, none) ? none : load_past(l);
}

static int64_t load_coming_or(struct state_loading *l, int64_t none)
{
    return load_none(l, none) ? none : load_coming(l);
}

/* Room at the end of a vector, cleared; NULL without memory. */
static void *load_item(struct state_loading *l, struct vector *vector, size_t size)
{
    void *item = vector_insert(l->pool, vector, size, vector->count);
    if (item)
        memset(item, 0, size);
    else
        l->no_memory = true;
    return item;
}

void load_forgotten(struct state_loading *l)
{
    str letter = unpack_str(&l->in);
    int64_t count = unpack_int(&l->in);
    uint32_t kind = 0;
    while (kind < RELANCE_FORGOT_KINDS && !str_equal(state_forgot_letters[kind], letter))
        kind++;
    if (count <= 0 || count > STATE_COUNT_MAX) l->in.bad = true;
    if (kind == RELANCE_FORGOT_KINDS || l->in.bad) return;
    struct forgotten *forgotten = load_item(l, &l->state->forgotten, sizeof *forgotten);
    if (forgotten) *forgotten = (struct forgotten){kind, count};
}

void load_attribute(struct state_loading *l)
{
    uint32_t number = LOAD_DECLARED(l, attributes);
    if (unpack_array(&l->in) != 2) l->in.bad = true;
    int64_t time_ms = load_past(l);
    bool removed = unpack_is_nil(&l->in);
    str packed = removed ? (str){0} : unpack_skip(&l->in);
    if (number == NAME_NONE || l->in.bad) return;
    struct attribute *attribute = load_item(l, &l->state->attributes, sizeof *attribute);
    if (attribute) *attribute = (struct attribute){number, time_ms, removed ? NULL : load_bytes(l, packed)};
}

/* ---- events */

static str load_type(struct state_loading *l)
{
    if (!at_number_before(l)) return load_name(l);
    uint64_t before = load_number_before(l, l->event_count);
    return l->in.bad ? (str){0} : l->events[before].type;
}

/* As long as names make them; none that has been saved is as large. */
enum { FIELDS_MAX = 16 << 20 };

/* Until the next event is read. Names are looked at in every format: what is none could not be saved as one. */
static void load_fields(struct state_loading *l, struct unpack *in, struct stored_event *event)
{
    l->fields.size = 0;
    stored_fields_from_words(in, event->fields, l->words, &l->fields);
    event->rest = buffer_str(&l->fields);
    if (in->bad || l->fields.failed) l->in.bad = true;
}

/* An array: id, type, time, and the fields, each a name and a value. */
static void load_stored(struct state_loading *l, struct stored_event *event)
{
    enum { NAMED = 3 };
    size_t parts = unpack_array(&l->in);
    if (parts < NAMED || (parts - NAMED) % 2) l->in.bad = true;
    event->id = unpack_str(&l->in);
    event->type = load_type(l);
    event->time_ms = load_past(l);
    event->fields = l->in.bad ? 0 : (parts - NAMED) / 2;
    load_fields(l, &l->in, event);
    if (!l->in.bad && l->event_count < STATE_TOLD)
        l->events[l->event_count++] = (struct told_event){event->id, event->type};
}

/* Those of older formats are read as they stand in memory. */
static void load_event(struct state_loading *l, struct stored_event *event)
{
    *event = (struct stored_event){0};
    if (!is_whole(l)) {
        load_stored(l, event);
        return;
    }
    str packed = unpack_skip(&l->in);
    if (l->in.bad || !stored_event_read(packed, event)) {
        l->in.bad = true;
        return;
    }
    struct unpack fields = unpack_of(event->rest);
    load_fields(l, &fields, event);
    sane(l, event->time_ms);
}

static struct bytes *make_event(struct state_loading *l, const struct stored_event *event)
{
    size_t size = stored_event_size(event);
    struct bytes *bytes = bytes_make(l->pool, size);
    if (bytes)
        stored_event_write(event, bytes->data, size);
    else
        l->no_memory = true;
    return bytes;
}

void load_last_event(struct state_loading *l)
{
    uint32_t type = LOAD_DECLARED(l, types);
    struct stored_event event;
    load_event(l, &event);
    if (type == NAME_NONE || l->in.bad) return;
    struct last_event *last = load_item(l, &l->state->lasts, sizeof *last);
    if (last) *last = (struct last_event){type, event.time_ms, make_event(l, &event)};
}

/* ---- forms of counts */

/* ms, by their number; the first: no buckets, for life */
static const int64_t bucket_widths[] = {1, 1000, 60000, 3600000, 86400000, 10000, 600000, 21600000};
enum { WIDTHS = sizeof bucket_widths / sizeof *bucket_widths };

/* The first two kinds came first: 4 × width + 2 × kind. The others stand behind them, 16 for each. */
enum { FORMS_BEFORE = 4 * WIDTHS, FORMS_OF_KIND = 2 * WIDTHS };

uint8_t state_count_form(int64_t bucket_ms, enum count_kind kind, bool keyed)
{
    int width = 0;
    for (int i = 1; i < WIDTHS && kind != COUNT_LAST; i++)
        if (bucket_ms == bucket_widths[i]) width = i;
    int form = kind <= COUNT_SUM ? width * 4 + (int)kind * 2
                                 : FORMS_BEFORE + ((int)kind - COUNT_LAST) * FORMS_OF_KIND + width * 2;
    return (uint8_t)(form + keyed); /* state_form_is_keyed reads it */
}

enum count_kind state_form_kind(uint8_t form)
{
    if (form < FORMS_BEFORE) return form / 2 % 2 ? COUNT_SUM : COUNT_EVENTS;
    return (enum count_kind)(COUNT_LAST + (form - FORMS_BEFORE) / FORMS_OF_KIND);
}

int64_t state_form_width(uint8_t form)
{
    return bucket_widths[form < FORMS_BEFORE ? form / 4 : (form - FORMS_BEFORE) / 2 % WIDTHS];
}

int64_t state_form_base(uint8_t form, int64_t now_ms)
{
    int64_t width_ms = state_form_width(form);
    return width_ms == 1 && state_form_kind(form) != COUNT_LAST ? 0 : now_ms / width_ms;
}

int64_t state_form_split(uint8_t from, uint8_t to)
{
    if (from == to) return 1;
    int64_t coarse_ms = state_form_width(from), fine_ms = state_form_width(to);
    bool alike = state_form_kind(from) == state_form_kind(to) && (from & 1) == (to & 1);
    return alike && fine_ms > 1 && coarse_ms % fine_ms == 0 ? coarse_ms / fine_ms : 0;
}

static bool bucket_is_sane(const struct bucket *bucket, uint8_t form)
{
    int64_t width_ms = state_form_width(form);
    bool countable =
        state_form_kind(form) != COUNT_EVENTS || (bucket->n >= 0 && bucket->n <= STATE_COUNT_MAX);
    return countable && bucket->index >= RFC3339_MS_MIN / width_ms - 1 &&
           bucket->index <= RFC3339_MS_MAX / width_ms;
}

/* A number, or in an array of its own how many hundredths. */
static double load_sum(struct state_loading *l)
{
    if (!l->words || !unpack_at_array(&l->in)) return unpack_double(&l->in);
    if (unpack_array(&l->in) != 1) l->in.bad = true;
    return (double)unpack_int(&l->in) / 100;
}

static void load_buckets(struct state_loading *l, struct vector *buckets, size_t count, uint8_t form,
                         int64_t split, int64_t from_ms)
{
    int64_t base = is_whole(l) ? 0 : state_form_base(form, from_ms);
    for (; count > 0 && !l->in.bad && !l->no_memory; count--) {
        struct bucket *bucket = load_item(l, buckets, sizeof *bucket);
        if (!bucket) return;
        int64_t index = unpack_int(&l->in);
        bucket->index = is_whole(l) ? index : moved(base, (int64_t) - (uint64_t)index);
        if (state_form_kind(form) == COUNT_EVENTS)
            bucket->n = unpack_int(&l->in);
        else
            bucket->number = load_sum(l);
        if (!bucket_is_sane(bucket, form)) l->in.bad = true;
        bucket->index = l->in.bad ? 0 : bucket->index * split;
    }
}

/* What a value of a count consists of. */
static size_t value_width(const struct state_loading *l, uint8_t form)
{
    return state_form_is_keyed(form) && l->format > 1 ? 3 : 2;
}

/* From format 5 on, of a value that is not the first: after the one before it. */
static uint32_t load_updated(struct state_loading *l, const struct count_value *before)
{
    int64_t seconds = unpack_int(&l->in);
    if (before && l->words)
        seconds = moved(before->updated_s, seconds);
    else if (!is_whole(l))
        seconds = moved(l->now_ms / 1000, (int64_t) - (uint64_t)seconds);
    if (seconds < 0 || seconds > UINT32_MAX) l->in.bad = true;
    return (uint32_t)seconds;
}

static uint8_t load_form(struct state_loading *l)
{
    int64_t form = unpack_int(&l->in);
    return form >= 0 && form < UINT8_MAX ? (uint8_t)form : UINT8_MAX;
}

static struct count_value *load_value(struct state_loading *l, uint32_t number)
{
    struct count_value *value = load_item(l, &l->state->counts, sizeof *value);
    if (value) value->count = (uint16_t)number;
    return value;
}

/* A count without `by` says nothing but its buckets. */
static void load_flat(struct state_loading *l, uint32_t number, size_t items, uint8_t form, int64_t split)
{
    struct count_value *value = load_value(l, number);
    if (items % 2) l->in.bad = true;
    if (value) load_buckets(l, &value->buckets, items / 2, form, split, l->now_ms);
}

/* All values of one count. */
void load_count_value(struct state_loading *l)
{
    uint32_t number = LOAD_DECLARED(l, counts);
    struct unpack whole = l->in;
    size_t items = unpack_array(&l->in);
    uint8_t form = load_form(l);
    int64_t split = number == NAME_NONE ? 0 : state_form_split(form, l->names->count_forms[number]);
    if (!split) {
        l->in = whole;
        unpack_skip(&l->in);
        return;
    }
    bool flat = !is_whole(l) && !state_form_is_keyed(form) && (items == 1 || unpack_at_int(&l->in));
    if (flat) {
        load_flat(l, number, items - 1, form, split);
        return;
    }
    size_t width = value_width(l, form);
    if (items % width != 1) l->in.bad = true;
    for (size_t n = 0; n < items / width && !l->in.bad && !l->no_memory; n++) {
        struct count_value *value = load_value(l, number);
        if (!value) return;
        value->by = load_text(l);
        value->by_tag = text_tag(bytes_str(value->by));
        if (width == 3) value->updated_s = load_updated(l, n ? value - 1 : NULL);
        load_buckets(l, &value->buckets, unpack_array(&l->in) / 2, form, split,
                     state_value_base_ms(l->now_ms, l->words ? value->updated_s : 0));
    }
}

static struct kept_event *load_kept(struct state_loading *l, struct stored_event *event)
{
    load_event(l, event);
    struct kept_event *kept = l->in.bad ? NULL : kept_event_make(l->pool, stored_event_size(event));
    if (kept) stored_event_write(event, kept->data, kept->size);
    l->no_memory |= !l->in.bad && !kept;
    return kept;
}

/* Events that several runs keep; until all is read, this list keeps them, too. */
static void load_shared(struct state_loading *l)
{
    for (size_t n = unpack_array(&l->in); n > 0 && !l->in.bad && !l->no_memory; n--) {
        struct stored_event stored;
        struct kept_event *event = load_kept(l, &stored), **place = NULL;
        if (event) place = load_item(l, &l->shared, sizeof *place);
        if (place)
            *place = event;
        else
            kept_event_release(l->pool, event);
    }
}

static void release_shared(struct state_loading *l)
{
    VECTOR_EACH (l->shared, struct kept_event *, event)
        kept_event_release(l->pool, *event);
    vector_release(l->pool, &l->shared, sizeof(struct kept_event *));
}

/* An event, or the place of a shared one; and what stands at its head. */
static struct kept_event *load_trigger(struct state_loading *l, struct stored_event *event)
{
    if (!unpack_at_uint(&l->in)) return load_kept(l, event);
    uint64_t place = unpack_uint(&l->in);
    if (place >= l->shared.count) l->in.bad = true;
    if (l->in.bad) return NULL;
    struct kept_event *shared = *VECTOR_AT(l->shared, struct kept_event *, place);
    if (!is_whole(l) && !stored_event_read(kept_event_str(shared), event)) l->in.bad = true;
    return l->in.bad ? NULL : kept_event_share(shared);
}

static void add_trigger(struct state_loading *l, struct run *run, struct kept_event *event)
{
    struct kept_event **place = event ? load_item(l, &run->triggers, sizeof *place) : NULL;
    if (place)
        *place = event;
    else
        kept_event_release(l->pool, event);
}

static void load_triggers(struct state_loading *l, struct run *run)
{
    size_t count = unpack_array(&l->in);
    struct stored_event event;
    if (!count) l->in.bad = true;
    for (; count > 0 && !l->in.bad && !l->no_memory; count--)
        add_trigger(l, run, load_trigger(l, &event));
}

static void add_dropped(struct state_loading *l, str rule, str key)
{
    struct dropped_run *dropped = load_item(l, &l->state->dropped, sizeof *dropped);
    if (dropped) *dropped = (struct dropped_run){load_bytes(l, rule), load_bytes(l, key)};
}

void load_dropped_run(struct state_loading *l)
{
    str rule = unpack_str(&l->in), key = unpack_str(&l->in);
    add_dropped(l, rule, key);
}

static uint32_t load_step(struct state_loading *l, int64_t least)
{
    int64_t step = unpack_int(&l->in);
    if (step < least || step > INT32_MAX) l->in.bad = true;
    return (uint32_t)step;
}

static uint32_t load_small(struct state_loading *l, int64_t most)
{
    int64_t i = unpack_int(&l->in);
    if (i < 1 || i > most) l->in.bad = true;
    return l->in.bad ? 0 : (uint32_t)i;
}

static void load_earlier(struct state_loading *l, struct run *run)
{
    for (size_t n = unpack_array(&l->in); n > 0 && !l->in.bad && !l->no_memory; n--) {
        int64_t before_ms = unpack_int(&l->in);
        if (before_ms < 0 || before_ms > 2 * STATE_TIME_MAX) l->in.bad = true;
        int64_t *time_ms = l->in.bad ? NULL : load_item(l, &run->earlier, sizeof *time_ms);
        if (time_ms) *time_ms = run->trigger_ms - before_ms;
    }
}

/* What is left out from format 4 on where it is as it mostly is. */
static void load_run_usual(struct state_loading *l, struct run *run, str letter)
{
    switch (letter.size == 1 && !is_whole(l) ? *letter.data : 0) {
    case STATE_RUN_STEP: run->step = load_step(l, 1); break;
    case STATE_RUN_STARTED: run->started_ms = load_past(l); break;
    case STATE_RUN_TRIGGER: run->trigger_ms = load_past(l); break;
    case STATE_RUN_ORIGIN: load_once(l, &run->origin, unpack_str(&l->in)); break;
    case STATE_RUN_VARIANT: load_once(l, &run->variant, unpack_str(&l->in)); break;
    default: l->in.bad = true;
    }
}

/* What the run has beside what every run has. Before format 3 that was a number of steps published, if anything. */
static void load_run_rest(struct state_loading *l, struct run *run)
{
    enum { DAYS_MAX = STATE_TIME_MAX / 86400000 };
    if (l->format < 3) {
        run->said = load_step(l, 1);
        return;
    }
    for (size_t members = unpack_map(&l->in); members > 0 && !l->in.bad; members--) {
        str letter = unpack_str(&l->in);
        struct stored_event event;
        switch (letter.size == 1 ? *letter.data : 0) {
        case STATE_RUN_FIRST_DUE: run->first_due_ms = load_coming(l); break;
        case STATE_RUN_BASE: run->base_ms = load_past(l); break;
        case STATE_RUN_DAY:
            run->day = unpack_int(&l->in);
            if (run->day < -DAYS_MAX || run->day > DAYS_MAX) l->in.bad = true;
            break;
        case STATE_RUN_LATE: run->late = load_small(l, 1); break;
        case STATE_RUN_SENT: run->sent = load_small(l, INT32_MAX); break;
        case STATE_RUN_ACTION: run->action_step = load_small(l, INT32_MAX); break;
        case STATE_RUN_OUTCOME: run->outcome = (uint8_t)load_small(l, STATE_OUTCOMES - 1); break;
        case STATE_RUN_SAID: run->said = load_step(l, 1); break;
        case STATE_RUN_ANSWER: {
            if (run->answer) l->in.bad = true;
            load_event(l, &event);
            if (!l->in.bad) run->answer = make_event(l, &event);
            break;
        }
        case STATE_RUN_EARLIER: load_earlier(l, run); break;
        case STATE_RUN_TRACEPARENT: {
            str traceparent = unpack_str(&l->in);
            if (!traceparent_is_valid(traceparent)) l->in.bad = true;
            load_once(l, &run->traceparent, traceparent);
            break;
        }
        case STATE_RUN_SENT_TO: load_once(l, &run->sent_to, load_id(l)); break;
        default: load_run_usual(l, run, letter);
        }
    }
}

/* A run of an older format does not know what it has sent: of one that is behind its first step, that it has sent, so
 * that its own send does not cool it down. */
static void guess_sent(struct run *run)
{
    run->sent = run->step > 0;
}

static void load_run_whole(struct state_loading *l, struct run *run, size_t parts)
{
    if (parts != 9 && parts != 10) l->in.bad = true;
    run->step = load_step(l, 0);
    run->due_ms = run->first_due_ms = load_coming_or(l, INT64_MAX);
    run->started_ms = load_past(l);
    run->trigger_ms = load_past(l);
    run->origin = load_bytes(l, unpack_str(&l->in));
    run->variant = load_text(l);
    load_triggers(l, run);
    if (l->format < 3) guess_sent(run);
    if (parts == 10) load_run_rest(l, run);
}

/* Its due time, its events, and what is not as it mostly is: started by the first of them, triggered last by the last. */
static void load_run_short(struct state_loading *l, struct run *run, size_t parts)
{
    enum { BEFORE_EVENTS = 3 };
    struct stored_event event = {0};
    str origin = {0};
    bool parked = unpack_is_nil(&l->in);
    run->due_ms = run->first_due_ms = parked ? INT64_MAX : sane(l, moved(l->due_ms, unpack_int(&l->in)));
    if (parts <= BEFORE_EVENTS || unpack_at_map(&l->in)) l->in.bad = true;
    for (; parts > BEFORE_EVENTS && !unpack_at_map(&l->in) && !l->in.bad && !l->no_memory; parts--) {
        add_trigger(l, run, load_trigger(l, &event));
        if (run->triggers.count == 1) run->started_ms = event.time_ms, origin = event.id;
    }
    run->trigger_ms = event.time_ms;
    if (parts > BEFORE_EVENTS) load_run_rest(l, run);
    if (parts > BEFORE_EVENTS + 1) l->in.bad = true;
    if (!run->origin && !l->in.bad) run->origin = load_bytes(l, origin);
}

void load_run(struct state_loading *l)
{
    size_t parts = unpack_array(&l->in);
    str rule;
    struct run run = {.rule = load_rule(l, &rule), .base_ms = STATE_NO_TIME, .day = STATE_NO_TIME};
    run.key = load_bytes(l, unpack_str(&l->in));
    if (is_whole(l))
        load_run_whole(l, &run, parts);
    else
        load_run_short(l, &run, parts);
    if (run.rule == NAME_NONE) {
        add_dropped(l, rule, bytes_str(run.key));
        state_item_release(l->pool, STATE_RUNS, &run);
        return;
    }
    struct run *place = load_item(l, &l->state->runs, sizeof *place);
    if (place)
        *place = run;
    else
        state_item_release(l->pool, STATE_RUNS, &run);
}

void load_cooldown(struct state_loading *l)
{
    size_t parts = l->format < 3 ? 2 : unpack_array(&l->in);
    if (parts != 2 && parts != 3) l->in.bad = true;
    str name;
    uint32_t rule = load_rule(l, &name);
    int64_t sent_ms = load_past(l);
    str key = parts == 3 ? unpack_str(&l->in) : (str){0};
    if (rule == NAME_NONE || l->in.bad) return;
    struct cooldown *cooldown = load_item(l, &l->state->cooldowns, sizeof *cooldown);
    if (cooldown) *cooldown = (struct cooldown){rule, sent_ms, parts == 3 ? load_bytes(l, key) : NULL};
}

static void add_id(struct state_loading *l, uint32_t type, uint64_t id_hash, int64_t at_ms)
{
    struct seen *seen = l->in.bad ? NULL : load_item(l, &l->state->seen, sizeof *seen);
    if (seen) *seen = seen_of(type, id_hash, at_ms);
}

static void load_ids(struct state_loading *l, uint32_t type)
{
    for (size_t n = unpack_array(&l->in) / 2; n > 0 && !l->in.bad && !l->no_memory; n--) {
        uint64_t id_hash = unpack_uint(&l->in);
        add_id(l, type, id_hash, load_past(l));
    }
}

static uint64_t told_hash(struct state_loading *l, uint64_t number)
{
    if (number >= l->event_count) l->in.bad = true;
    return l->in.bad ? 0 : str_hash(l->events[number].id);
}

/* As save_ids has them. */
static void load_packed_ids(struct state_loading *l, uint32_t type)
{
    struct unpack in = unpack_of(unpack_str(&l->in));
    int64_t before_ms = l->now_ms;
    while (in.at < in.end && !l->in.bad && !l->no_memory) {
        uint64_t since = unpack_seven(&in);
        before_ms = sane(l, moved(before_ms, seven_signed(since >> 1)));
        uint64_t id_hash = since & 1 ? told_hash(l, unpack_seven(&in)) : unpack_hash(&in);
        l->in.bad |= in.bad;
        add_id(l, type, id_hash, before_ms);
    }
}

/* The type of ids: a name, the number of an event of that type, or of a state at rest its own. */
static uint32_t load_seen_type(struct state_loading *l, str *name)
{
    if (l->names->numbered || at_word(l))
        return load_declared(l, &l->names->types, LOAD_WORDS(l, types), NULL, name);
    *name = is_whole(l) ? unpack_str(&l->in) : load_type(l);
    return load_number(l, &l->names->types, NULL, *name);
}

/* All ids of one type. Where the type has gone, nothing can come that they would be compared with. */
void load_seen(struct state_loading *l)
{
    str name = {0};
    uint32_t type = load_seen_type(l, &name);
    if (type == NAME_NONE && name.size)
        unpack_skip(&l->in);
    else if (is_whole(l))
        load_ids(l, type);
    else
        load_packed_ids(l, type);
}

void load_overtaker(struct state_loading *l)
{
    struct stored_event event;
    load_event(l, &event);
    if (l->in.bad) return;
    struct overtaker *overtaker = load_item(l, &l->state->overtakers, sizeof *overtaker);
    if (overtaker) *overtaker = (struct overtaker){event.time_ms, make_event(l, &event)};
}

void load_past_overtaker(struct state_loading *l)
{
    str name; /* also of one that is new: it is the event's */
    uint32_t type = load_declared(l, &l->names->types, LOAD_WORDS(l, types), NULL, &name);
    int64_t time_ms = load_past(l);
    if (type == NAME_NONE || l->in.bad) return;
    struct past_overtaker *past = load_item(l, &l->state->past_overtakers, sizeof *past);
    if (past) *past = (struct past_overtaker){type, time_ms};
}

void load_segment_value(struct state_loading *l)
{
    uint32_t number = LOAD_DECLARED(l, segments);
    if (unpack_array(&l->in) != 2) l->in.bad = true;
    bool value = unpack_bool(&l->in), left_over = unpack_bool(&l->in);
    if (number == NAME_NONE || l->in.bad) return;
    struct segment_value *segment = load_item(l, &l->state->segments, sizeof *segment);
    if (segment) *segment = (struct segment_value){number, value, left_over};
}

void load_counted_send(struct state_loading *l)
{
    uint32_t limit = load_limit(l);
    int64_t time_ms = load_past(l);
    if (limit == NAME_NONE || l->in.bad) return;
    struct counted_send *send = load_item(l, &l->state->sends, sizeof *send);
    if (send) *send = (struct counted_send){limit, time_ms};
}

void load_goal_window(struct state_loading *l)
{
    if (unpack_array(&l->in) != 5) l->in.bad = true;
    str name;
    struct goal_window window = {.rule = load_rule(l, &name)};
    window.key = load_bytes(l, unpack_str(&l->in));
    window.opened_ms = load_past(l);
    window.closes_ms = load_coming(l);
    window.variant = load_text(l);
    struct goal_window *place =
        window.rule == NAME_NONE ? NULL : load_item(l, &l->state->goals, sizeof *place);
    if (place) {
        *place = window;
        return;
    }
    state_item_release(l->pool, STATE_GOALS, &window);
}

/* Where there was no goal yet the variant stands alone. */
void load_measured(struct state_loading *l)
{
    str name;
    struct measured measured = {.rule = load_rule(l, &name)};
    struct unpack ahead = l->in;
    size_t parts = unpack_array(&ahead);
    measured.won = !ahead.bad;
    if (measured.won) l->in = ahead;
    if (measured.won && parts != 2) l->in.bad = true;
    measured.variant = load_text(l);
    if (measured.won) measured.value = unpack_int(&l->in);
    if (measured.value < -STATE_VALUE_MAX || measured.value > STATE_VALUE_MAX) l->in.bad = true;
    struct measured *place =
        measured.rule == NAME_NONE ? NULL : load_item(l, &l->state->measured, sizeof *place);
    if (place)
        *place = measured;
    else
        bytes_release(l->pool, measured.variant);
}

/* Before format 3 a local day was its number; no date that can have fired since then is as few ms. */
static int64_t load_fired(struct state_loading *l)
{
    enum { DAY_NUMBER_MAX = 2932896, DAY_MS = 86400000 };
    int64_t fired = load_past_or(l, STATE_NO_TIME);
    bool numbered = l->format < 3 && fired >= -DAY_NUMBER_MAX && fired <= DAY_NUMBER_MAX;
    return numbered ? fired * DAY_MS : fired;
}

void load_date_wait(struct state_loading *l)
{
    size_t members = unpack_array(&l->in);
    if (members != 4 && members != 6) l->in.bad = true;
    str name;
    struct date_wait date = {.rule = load_rule(l, &name)};
    date.due_ms = load_coming_or(l, INT64_MAX);
    date.fired_ms = load_fired(l);
    date.basis = load_text(l);
    date.date_ms = members == 6 ? load_coming(l) : date.due_ms;
    date.first_ms = members == 6 ? load_coming(l) : date.due_ms;
    struct date_wait *place = date.rule == NAME_NONE ? NULL : load_item(l, &l->state->dates, sizeof *place);
    if (place)
        *place = date;
    else
        bytes_release(l->pool, date.basis);
}

/* ---- visitors and customers */

void load_link(struct state_loading *l)
{
    size_t count = unpack_array(&l->in);
    if (count != 3 && count != 4) l->in.bad = true;
    str visitor = load_id(l), ask = unpack_str(&l->in);
    int64_t used_ms = load_past(l);
    if (count == 4 && !unpack_bool(&l->in)) l->in.bad = true;
    struct link *link = l->in.bad ? NULL : load_item(l, &l->state->links, sizeof *link);
    if (link) *link = (struct link){load_bytes(l, visitor), load_bytes(l, ask), used_ms, count == 4};
}

void load_known_as(struct state_loading *l)
{
    if (unpack_array(&l->in) != 2 || l->state->known.count) l->in.bad = true;
    bool shared = unpack_is_nil(&l->in);
    str customer = shared ? (str){0} : load_id(l), ask = unpack_str(&l->in);
    struct known_as *known = l->in.bad ? NULL : load_item(l, &l->state->known, sizeof *known);
    if (known) *known = (struct known_as){shared ? NULL : load_bytes(l, customer), load_bytes(l, ask)};
}

void load_linked_to(struct state_loading *l)
{
    uint64_t id_hash = unpack_uint(&l->in);
    struct linked_to *to = l->in.bad ? NULL : load_item(l, &l->state->linked_to, sizeof *to);
    if (to) to->id_hash = id_hash;
}

/* ---- orders */

void load_sales_ledger(struct state_loading *l)
{
    struct sales_ledger ledger = {0}, *place = NULL;
    bool declared = load_number(l, &l->names->sales, LOAD_SINCE(l, sales), STR("sales")) != NAME_NONE;
    if (!declared) {
        unpack_skip(&l->in);
        return;
    }
    if (l->state->sales.count) l->in.bad = true;
    l->no_memory |= !sales_unpack(&l->in, l->pool, &ledger);
    if (!l->in.bad && !l->no_memory) place = load_item(l, &l->state->sales, sizeof *place);
    if (place)
        *place = ledger;
    else
        state_item_release(l->pool, STATE_SALES, &ledger);
}

/* ---- lists */

/* All entries of one list. */
void load_list_entry(struct state_loading *l)
{
    uint32_t number = LOAD_DECLARED(l, lists);
    size_t items = unpack_array(&l->in);
    if (items % 2) l->in.bad = true;
    for (size_t n = items / 2; n > 0 && !l->in.bad && !l->no_memory; n--) {
        int64_t time_ms = load_past(l);
        str text = unpack_str(&l->in);
        if (text.size > LIMIT_KEY_BYTES) l->in.bad = true;
        if (number == NAME_NONE || l->in.bad) continue;
        struct list_entry *entry = load_item(l, &l->state->lists, sizeof *entry);
        if (entry)
            *entry = (struct list_entry){(uint16_t)number, text_tag(text), time_ms, load_bytes(l, text)};
    }
}

/* ---- a part, a state */

/* Parts that older formats had under another letter. What an event cancelled then cannot be told from what is kept
 * now: it is not remembered any more, an hour's loss. */
static bool load_old_part(struct state_loading *l, char letter)
{
    if (l->format >= 3 || (letter != 's' && letter != 'o')) return false;
    if (letter == 'o') unpack_skip(&l->in);
    for (size_t count = letter == 's' ? unpack_map(&l->in) : 0; count > 0 && !l->in.bad && !l->no_memory;
         count--)
        load_cooldown(l);
    return true;
}

static void load_part(struct state_loading *l, char letter)
{
    const struct state_part_row *part = state_parts;
    if (load_old_part(l, letter)) return;
    while (part < state_parts + STATE_PARTS && part->letter != letter)
        part++;
    if (part == state_parts + STATE_PARTS || !l->format) {
        l->in.bad = true;
        return;
    }
    if (part == &state_parts[STATE_SEEN] && l->format < 3) {
        load_ids(l, NAME_NONE);
        return;
    }
    bool map = part->form == STATE_FORM_MAP || part->form == STATE_FORM_GROUPS;
    size_t count = map ? unpack_map(&l->in) : unpack_array(&l->in);
    if (part->form == STATE_FORM_PAIRS) count /= 2;
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

static void sort_seen(struct state *state)
{
    struct seen *items = state->seen.items;
    for (size_t i = 1; i < state->seen.count; i++)
        for (size_t j = i; j > 0 && seen_type(&items[j - 1]) > seen_type(&items[j]); j--) {
            struct seen swap = items[j];
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
    SORT_BY(state->past_overtakers, struct past_overtaker, type)
    SORT_BY(state->segments, struct segment_value, number)
    SORT_BY(state->sends, struct counted_send, limit)
    SORT_BY(state->measured, struct measured, rule)
    SORT_BY(state->dates, struct date_wait, rule)
    SORT_BY(state->lists, struct list_entry, list)
    sort_seen(state);
    sort_dropped(state);
#undef SORT_BY
}

/* Of an older format; it stands first. 0: another one. */
static int64_t load_format(struct state_loading *l)
{
    int64_t format = unpack_int(&l->in);
    return format >= STATE_FORMAT_OLDEST && format <= STATE_FORMAT_WHOLE ? format : 0;
}

/* [format, now, mark, due, newest], as much of it as has something to say. */
static void load_head(struct state_loading *l)
{
    size_t size = unpack_array(&l->in);
    int64_t format = unpack_int(&l->in);
    struct state *state = l->state;
    bool known = l->names->numbered
                     ? format == 0
                     : format == STATE_FORMAT_NAMED || (format == STATE_FORMAT && l->names->words);
    if (size < 2 || size > 5 || !known) l->in.bad = true;
    l->format = format == STATE_FORMAT_NAMED ? STATE_FORMAT_NAMED : STATE_FORMAT;
    l->words = format == STATE_FORMAT_NAMED ? NULL : l->names->words;
    state->now_ms = unpack_is_nil(&l->in) ? STATE_NO_TIME : sane(l, unpack_int(&l->in));
    l->now_ms = state->now_ms == STATE_NO_TIME ? 0 : state->now_ms;
    if (size > 2) state->mark = unpack_int(&l->in);
    if (size > 3) state->due_ms = load_coming_or(l, INT64_MAX);
    l->due_ms = state->due_ms == INT64_MAX ? l->now_ms : state->due_ms;
    state->newest_ms = size > 4 ? load_past_or(l, STATE_NO_TIME) : state->now_ms;
}

static void load_version(struct state_loading *l)
{
    if (l->format)
        l->in.bad = true;
    else if (unpack_at_array(&l->in))
        load_head(l);
    else if (!l->names->numbered)
        l->format = load_format(l);
}

/* What stands at the head of a state of an older format, or the part of that letter. */
static void load_member(struct state_loading *l, char letter)
{
    struct state *state = l->state;
    bool older = l->format && is_whole(l);
    if (letter == 'v')
        load_version(l);
    else if (letter == 'n' && older)
        state->now_ms = load_past_or(l, STATE_NO_TIME);
    else if (letter == 'e' && older)
        state->newest_ms = load_past_or(l, STATE_NO_TIME);
    else if (letter == 't' && older)
        state->due_ms = load_coming(l);
    else if (letter == 'm' && older)
        state->mark = unpack_int(&l->in);
    else if (letter == STATE_SHARED && l->format)
        load_shared(l);
    else
        load_part(l, letter);
}

/* Events and waits happen in the years 1 to 9999. */
static bool is_now(int64_t ms)
{
    return ms == STATE_NO_TIME || (ms >= RFC3339_MS_MIN && ms <= RFC3339_MS_MAX);
}

struct state *state_load(struct pool *pool, const struct state_names *names, const struct state_since *since,
                         str packed)
{
    struct state_loading l;
    memset(&l, 0, offsetof(struct state_loading, rules));
    l.rules.count = l.limits.count = l.event_count = 0;
    l.pool = pool, l.names = names, l.since = since, l.fields.max = FIELDS_MAX;
    l.state = state_new(pool);
    l.in = unpack_of(packed);
    if (!l.state) return NULL;
    for (size_t members = unpack_map(&l.in); members > 0 && !l.in.bad && !l.no_memory; members--) {
        str key = unpack_str(&l.in);
        if (key.size == 1)
            load_member(&l, *key.data);
        else
            l.in.bad = true;
    }
    release_shared(&l);
    buffer_free(&l.fields);
    bool possible = is_now(l.state->now_ms) && is_now(l.state->newest_ms);
    if (!l.format || !possible || l.in.bad || l.no_memory || l.in.at != l.in.end || l.state->mark < 0) {
        state_release(pool, l.state);
        return NULL;
    }
    state_sort(l.state);
    return l.state;
}
