/* The saved form, written: MessagePack (state.h shows it), in format 5, or whole, in format 3: that is measured, into a
 * buffer that only counts, so that what a bound forgets does not depend on how closely a state is packed. */
#include "state/parts.h"

#include "base/ensure.h"
#include "state/pack.h"
#include "state/stored.h"

#include <math.h>
#include <relance/forgot.h>

/* Of each kind of what is forgotten. */
const str state_forgot_letters[] = {
#define FORGOT(name, letter, counter, prose) STR(letter),
    RELANCE_FORGOT_TABLE(FORGOT)
#undef FORGOT
};

/* Declarations that have been told by name, in that order. */
struct told_numbers {
    uint32_t count;
    uint32_t numbers[STATE_TOLD];
};

struct told_event {
    str id, type;
    uint64_t id_hash; /* once somebody asks */
};

struct state_saving {
    const struct state_names *names;
    const struct state_words *words; /* NULL: none */
    struct buffer *out;
    /* Format 3, in which every instant, name and id stands in full: what is measured, and what other partitions read. */
    bool whole;
    bool hashed;
    int64_t now_ms; /* instants are told from here on; what falls due, from `due_ms` on */
    int64_t due_ms;
    uint32_t updated_s; /* of the value of a count that was saved last */
    struct told_numbers rules, limits;
    uint32_t event_count;
    struct told_event events[STATE_TOLD];
};

/* ---- what items consist of */

static void save_bytes(struct state_saving *s, const struct bytes *bytes)
{
    if (bytes)
        pack_str(s->out, bytes_str(bytes));
    else
        pack_nil(s->out);
}

/* A difference that every two instants have, since it goes around. */
static int64_t from_to(int64_t from_ms, int64_t to_ms)
{
    return (int64_t)((uint64_t)to_ms - (uint64_t)from_ms);
}

/* An instant that is mostly over: how long before the customer's `now`. */
static int64_t before_now(const struct state_saving *s, int64_t ms)
{
    return s->whole ? ms : from_to(ms, s->now_ms);
}

static void save_past(struct state_saving *s, int64_t ms)
{
    pack_int(s->out, before_now(s, ms));
}

/* One that is mostly still to come. */
static void save_coming(struct state_saving *s, int64_t ms)
{
    pack_int(s->out, s->whole ? ms : from_to(s->now_ms, ms));
}

/* One that there may not be. */
static void save_coming_or(struct state_saving *s, int64_t ms, int64_t none)
{
    if (ms == none && !s->whole)
        pack_nil(s->out);
    else
        save_coming(s, ms);
}

/* A declaration: its word, or its name; of a state at rest its number. */
static void save_declared(struct state_saving *s, const struct names *kind, const uint32_t *words,
                          uint32_t number)
{
    if (s->names->numbered)
        pack_uint(s->out, number);
    else if (words && words[number] != NAME_NONE)
        pack_uint(s->out, words[number]);
    else
        pack_str(s->out, kind->list[number]);
}

#define SAVE_DECLARED(s, kind, number)                                                                       \
    save_declared(s, &(s)->names->kind, (s)->words ? (s)->words->kind.words : NULL, number)

/* Which of those before it is. */
static void save_number_before(struct state_saving *s, uint32_t number)
{
    if (s->words)
        pack_int(s->out, -1 - (int64_t)number);
    else
        pack_uint(s->out, number);
}

/* Has it been told before? Then there stands which one it was; else it has been from now on. */
static bool save_told(struct state_saving *s, struct told_numbers *told, uint32_t number)
{
    if (s->whole || s->names->numbered) return false;
    for (uint32_t i = 0; i < told->count; i++)
        if (told->numbers[i] == number) {
            save_number_before(s, i);
            return true;
        }
    if (told->count < STATE_TOLD) told->numbers[told->count++] = number;
    return false;
}

static void save_rule(struct state_saving *s, uint32_t rule)
{
    bool is_word = s->words && s->words->rules.words[rule] != NAME_NONE;
    if (is_word || !save_told(s, &s->rules, rule)) SAVE_DECLARED(s, rules, rule);
}

/* The name of a limit is a text of JSON: its hash does as well. */
static void save_limit(struct state_saving *s, uint32_t limit)
{
    if (save_told(s, &s->limits, limit)) return;
    if (s->whole || s->names->numbered) {
        save_declared(s, &s->names->limits, NULL, limit);
        return;
    }
    pack_bin_head(s->out, PACK_HASH_SIZE);
    pack_hash(s->out, str_hash(s->names->limits.list[limit]));
}

/* The type of an event that has been told of before; the event's number, or how many there are. */
static uint32_t find_type(const struct state_saving *s, str type)
{
    uint32_t i = 0;
    while (i < s->event_count && !str_equal(s->events[i].type, type))
        i++;
    return i;
}

static void save_type(struct state_saving *s, str type)
{
    uint32_t word = s->words ? state_word(s->words, type) : NAME_NONE, before;
    if (word != NAME_NONE)
        pack_uint(s->out, word);
    else if ((before = find_type(s, type)) < s->event_count)
        save_number_before(s, before);
    else
        pack_str(s->out, type);
}

static void save_stored(struct state_saving *s, const struct stored_event *event)
{
    pack_array(s->out, 3 + event->fields * 2);
    pack_str(s->out, event->id);
    save_type(s, event->type);
    save_past(s, event->time_ms);
    struct unpack fields = unpack_of(event->rest);
    if (s->words)
        stored_fields_to_words(&fields, event->fields, s->words, s->out);
    else
        pack_raw(s->out, event->rest);
    if (s->event_count < STATE_TOLD)
        s->events[s->event_count++] = (struct told_event){event->id, event->type, 0};
}

static void save_event(struct state_saving *s, str packed)
{
    struct stored_event event;
    if (s->whole) {
        pack_raw(s->out, packed);
        return;
    }
    ensure(stored_event_read(packed, &event));
    save_stored(s, &event);
}

/* ---- one item of each part */

void save_forgotten(const void *item, struct state_saving *s)
{
    const struct forgotten *forgotten = item;
    pack_str(s->out, state_forgot_letters[forgotten->kind]);
    pack_int(s->out, forgotten->count);
}

void save_attribute(const void *item, struct state_saving *s)
{
    const struct attribute *attribute = item;
    SAVE_DECLARED(s, attributes, attribute->number);
    pack_array(s->out, 2);
    save_past(s, attribute->time_ms);
    if (attribute->packed)
        pack_raw(s->out, bytes_str(attribute->packed));
    else
        pack_nil(s->out);
}

void save_last_event(const void *item, struct state_saving *s)
{
    const struct last_event *last = item;
    SAVE_DECLARED(s, types, last->type);
    save_event(s, bytes_str(last->packed));
}

/* Sums of money mostly have whole hundredths, which are shorter in an array of their own. */
static bool save_hundredths(struct state_saving *s, double number)
{
    const double most = INT32_MAX / 100; /* more of them are no shorter */
    int64_t hundredths =
        number >= -most && number <= most ? (int64_t)(number * 100 + copysign(0.5, number)) : 0;
    if (!s->words || !hundredths || (double)hundredths / 100 != number) return false;
    pack_array(s->out, 1);
    pack_int(s->out, hundredths);
    return true;
}

/* Whole numbers are shorter as such; 0 has a sign that they have not. */
static void save_number(struct state_saving *s, double number)
{
    const double most = 1LL << 53;
    bool whole = !s->whole && number >= -most && number <= most && (double)(int64_t)number == number;
    if (whole && (number != 0 || !signbit(number)))
        pack_int(s->out, (int64_t)number);
    else if (!save_hundredths(s, number))
        pack_double(s->out, number);
}

/* Their indices are told from the bucket of `from_ms` on. */
static void save_buckets(struct state_saving *s, const struct vector *buckets, uint8_t form, int64_t from_ms)
{
    int64_t base = s->whole ? 0 : state_form_base(form, from_ms);
    bool events = state_form_kind(form) == COUNT_EVENTS;
    VECTOR_EACH (*buckets, struct bucket, bucket) {
        pack_int(s->out, s->whole ? bucket->index : from_to(bucket->index, base));
        if (events)
            pack_int(s->out, bucket->n);
        else
            save_number(s, bucket->number);
    }
}

/* The first of a count before `now`, the others after the one before them, which was updated earlier. */
static void save_updated(struct state_saving *s, uint32_t updated_s, bool first)
{
    int64_t since_s = first || !s->words ? s->now_ms / 1000 - (int64_t)updated_s
                                         : (int64_t)updated_s - (int64_t)s->updated_s;
    pack_int(s->out, s->whole ? (int64_t)updated_s : since_s);
    s->updated_s = updated_s;
}

static void save_value(struct state_saving *s, const struct count_value *value, bool first)
{
    uint8_t form = s->names->count_forms[value->count];
    bool keyed = state_form_is_keyed(form);
    save_bytes(s, value->by);
    if (keyed) save_updated(s, value->updated_s, first);
    pack_array(s->out, value->buckets.count * 2);
    save_buckets(s, &value->buckets, form,
                 state_value_base_ms(s->now_ms, keyed && s->words ? value->updated_s : 0));
}

void save_count_value(const void *item, struct state_saving *s)
{
    save_value(s, item, true);
}

static void save_key(struct state_saving *s, char letter)
{
    pack_str(s->out, (str){&letter, 1});
}

static void save_member(struct state_saving *s, char letter, int64_t i)
{
    save_key(s, letter);
    pack_int(s->out, i);
}

/* What most runs do not have, or have as it mostly is: its numbers, then what else there is. */
struct run_rest {
    size_t count;
    struct run_member {
        char letter;
        int64_t value;
    } members[STATE_RUN_MEMBERS_MORE];
    const struct bytes *origin, *variant;
};

static struct run_rest run_rest_of(const struct state_saving *s, const struct run *run)
{
    const struct run_member all[STATE_RUN_MEMBERS] = {{STATE_RUN_FIRST_DUE, run->first_due_ms},
                                                      {STATE_RUN_BASE, run->base_ms},
                                                      {STATE_RUN_DAY, run->day},
                                                      {STATE_RUN_LATE, run->late},
                                                      {STATE_RUN_SENT, run->sent},
                                                      {STATE_RUN_ACTION, run->action_step},
                                                      {STATE_RUN_OUTCOME, run->outcome},
                                                      {STATE_RUN_SAID, run->said}};
    const int64_t usual[STATE_RUN_MEMBERS] = {run->due_ms, STATE_NO_TIME, STATE_NO_TIME};
    struct run_rest rest = {0};
    for (size_t i = 0; i < STATE_RUN_MEMBERS; i++) {
        if (all[i].value == usual[i]) continue;
        struct run_member *member = &rest.members[rest.count++];
        *member = all[i];
        if (i == 0 && !s->whole) member->value = from_to(s->now_ms, member->value);
        if (i == 1) member->value = before_now(s, member->value);
    }
    return rest;
}

/* How long before the newest they were: small numbers. */
static void save_earlier(struct state_saving *s, const struct run *run)
{
    pack_array(s->out, run->earlier.count);
    VECTOR_EACH (run->earlier, int64_t, time_ms)
        pack_int(s->out, run->trigger_ms - *time_ms);
}

static size_t rest_size(const struct run *run, const struct run_rest *rest)
{
    return rest->count + (rest->origin != NULL) + (rest->variant != NULL) + (run->answer != NULL) +
           (run->earlier.count != 0) + (run->traceparent != NULL) + (run->sent_to != NULL);
}

static void save_text_member(struct state_saving *s, char letter, const struct bytes *text)
{
    if (!text) return;
    save_key(s, letter);
    save_bytes(s, text);
}

static void save_run_rest(struct state_saving *s, const struct run *run, const struct run_rest *rest)
{
    size_t size = rest_size(run, rest);
    if (!size) return;
    pack_map(s->out, size);
    for (size_t i = 0; i < rest->count; i++)
        save_member(s, rest->members[i].letter, rest->members[i].value);
    save_text_member(s, STATE_RUN_ORIGIN, rest->origin);
    save_text_member(s, STATE_RUN_VARIANT, rest->variant);
    if (run->answer) {
        save_key(s, STATE_RUN_ANSWER);
        save_event(s, bytes_str(run->answer));
    }
    if (run->earlier.count) {
        save_key(s, STATE_RUN_EARLIER);
        save_earlier(s, run);
    }
    save_text_member(s, STATE_RUN_TRACEPARENT, run->traceparent);
    save_text_member(s, STATE_RUN_SENT_TO, run->sent_to);
}

static void save_run_whole(struct state_saving *s, const struct run *run)
{
    struct run_rest rest = run_rest_of(s, run);
    pack_array(s->out, 9 + (rest_size(run, &rest) != 0));
    SAVE_DECLARED(s, rules, run->rule);
    save_bytes(s, run->key);
    pack_int(s->out, run->step);
    pack_int(s->out, run->due_ms);
    pack_int(s->out, run->started_ms);
    pack_int(s->out, run->trigger_ms);
    save_bytes(s, run->origin);
    save_bytes(s, run->variant);
    pack_array(s->out, run->triggers.count);
    VECTOR_EACH (run->triggers, struct kept_event *, event) {
        if ((*event)->keepers > 1)
            pack_uint(s->out, (*event)->number - 1);
        else
            pack_raw(s->out, kept_event_str(*event));
    }
    save_run_rest(s, run, &rest);
}

static void add_member(struct run_rest *rest, char letter, int64_t value)
{
    rest->members[rest->count++] = (struct run_member){letter, value};
}

/* A run mostly waits for its first step, started by the event that it keeps. */
static struct run_rest run_rest_from(const struct state_saving *s, const struct run *run,
                                     const struct stored_event *first, const struct stored_event *newest)
{
    struct run_rest rest = run_rest_of(s, run);
    if (run->step) add_member(&rest, STATE_RUN_STEP, run->step);
    if (run->started_ms != first->time_ms)
        add_member(&rest, STATE_RUN_STARTED, before_now(s, run->started_ms));
    if (run->trigger_ms != newest->time_ms)
        add_member(&rest, STATE_RUN_TRIGGER, before_now(s, run->trigger_ms));
    if (!str_equal(bytes_str(run->origin), first->id)) rest.origin = run->origin;
    rest.variant = run->variant;
    return rest;
}

void save_run(const void *item, struct state_saving *s)
{
    const struct run *run = item;
    struct stored_event event, first = {0};
    if (s->whole) {
        save_run_whole(s, run);
        return;
    }
    ensure(stored_event_read(kept_event_str(*VECTOR_AT(run->triggers, struct kept_event *, 0)), &first));
    event = first;
    if (run->triggers.count > 1) ensure(stored_event_read(kept_event_str(*run_newest_trigger(run)), &event));
    struct run_rest rest = run_rest_from(s, run, &first, &event);
    pack_array(s->out, 3 + run->triggers.count + (rest_size(run, &rest) != 0));
    save_rule(s, run->rule);
    save_bytes(s, run->key);
    if (run_is_parked(run))
        pack_nil(s->out);
    else
        pack_int(s->out, from_to(s->due_ms, run->due_ms));
    VECTOR_EACH (run->triggers, struct kept_event *, trigger) {
        if ((*trigger)->keepers > 1)
            pack_uint(s->out, (*trigger)->number - 1);
        else if (run->triggers.count == 1)
            save_stored(s, &first);
        else
            save_event(s, kept_event_str(*trigger));
    }
    save_run_rest(s, run, &rest);
}

void save_cooldown(const void *item, struct state_saving *s)
{
    const struct cooldown *cooldown = item;
    pack_array(s->out, cooldown->key ? 3 : 2);
    save_rule(s, cooldown->rule);
    save_past(s, cooldown->sent_ms);
    if (cooldown->key) save_bytes(s, cooldown->key);
}

void save_seen(const void *item, struct state_saving *s)
{
    const struct seen *seen = item;
    pack_uint(s->out, seen->id_hash);
    pack_int(s->out, seen_at_ms(seen));
}

void save_overtaker(const void *item, struct state_saving *s)
{
    save_event(s, bytes_str(((const struct overtaker *)item)->packed));
}

void save_past_overtaker(const void *item, struct state_saving *s)
{
    const struct past_overtaker *past = item;
    SAVE_DECLARED(s, types, past->type);
    save_past(s, past->time_ms);
}

void save_segment_value(const void *item, struct state_saving *s)
{
    const struct segment_value *segment = item;
    SAVE_DECLARED(s, segments, segment->number);
    pack_array(s->out, 2);
    pack_bool(s->out, segment->value);
    pack_bool(s->out, segment->left_over);
}

void save_counted_send(const void *item, struct state_saving *s)
{
    const struct counted_send *send = item;
    save_limit(s, send->limit);
    save_past(s, send->time_ms);
}

void save_goal_window(const void *item, struct state_saving *s)
{
    const struct goal_window *window = item;
    pack_array(s->out, 5);
    save_rule(s, window->rule);
    save_bytes(s, window->key);
    save_past(s, window->opened_ms);
    save_coming(s, window->closes_ms);
    save_bytes(s, window->variant);
}

void save_measured(const void *item, struct state_saving *s)
{
    const struct measured *measured = item;
    save_rule(s, measured->rule);
    if (measured->won) pack_array(s->out, 2);
    save_bytes(s, measured->variant);
    if (measured->won) pack_int(s->out, measured->value);
}

void save_date_wait(const void *item, struct state_saving *s)
{
    const struct date_wait *date = item;
    bool plain = date->date_ms == date->due_ms && date->first_ms == date->due_ms;
    pack_array(s->out, plain ? 4 : 6);
    save_rule(s, date->rule);
    save_coming_or(s, date->due_ms, INT64_MAX);
    if (date->fired_ms == STATE_NO_TIME && !s->whole)
        pack_nil(s->out);
    else
        save_past(s, date->fired_ms);
    save_bytes(s, date->basis);
    if (plain) return;
    save_coming(s, date->date_ms);
    save_coming(s, date->first_ms);
}

void save_link(const void *item, struct state_saving *s)
{
    const struct link *link = item;
    pack_array(s->out, 3 + link->open);
    save_bytes(s, link->visitor);
    save_bytes(s, link->ask);
    save_past(s, link->used_ms);
    if (link->open) pack_bool(s->out, true);
}

void save_known_as(const void *item, struct state_saving *s)
{
    const struct known_as *known = item;
    pack_array(s->out, 2);
    save_bytes(s, known->customer);
    save_bytes(s, known->ask);
}

void save_linked_to(const void *item, struct state_saving *s)
{
    pack_uint(s->out, ((const struct linked_to *)item)->id_hash);
}

void save_sales_ledger(const void *item, struct state_saving *s)
{
    sales_pack(item, s->out);
}

void save_list_entry(const void *item, struct state_saving *s)
{
    const struct list_entry *entry = item;
    save_past(s, entry->time_ms);
    save_bytes(s, entry->text);
}

void save_dropped_run(const void *item, struct state_saving *s)
{
    const struct dropped_run *dropped = item;
    save_bytes(s, dropped->rule);
    save_bytes(s, dropped->key);
}

/* ---- a part */

static const void *items_at(const struct state_part_row *row, const struct vector *items, uint32_t at)
{
    return (const char *)items->items + at * row->item_size;
}

/* A count for whom nothing but its buckets has to be said. */
static bool is_flat(const struct state_saving *s, const struct count_value *value, size_t values)
{
    return !s->whole && values == 1 && !value->by &&
           !state_form_is_keyed(s->names->count_forms[value->count]);
}

static void save_count(struct state_saving *s, const struct count_value *values, size_t count)
{
    uint8_t form = s->names->count_forms[values->count];
    bool flat = is_flat(s, values, count);
    size_t width = state_form_is_keyed(form) ? 3 : 2;
    SAVE_DECLARED(s, counts, values->count);
    pack_array(s->out, 1 + (flat ? values->buckets.count * 2 : count * width));
    pack_int(s->out, form);
    if (flat)
        save_buckets(s, &values->buckets, form, s->now_ms);
    else
        for (size_t i = 0; i < count; i++)
            save_value(s, &values[i], i == 0);
}

static void save_pairs(struct state_saving *s, enum state_part part, uint32_t number, const void *items,
                       size_t count)
{
    const struct state_part_row *row = &state_parts[part];
    if (number == NAME_NONE && !s->names->numbered)
        pack_str(s->out, (str){0});
    else if (part == STATE_LISTS)
        SAVE_DECLARED(s, lists, number);
    else
        SAVE_DECLARED(s, types, number);
    pack_array(s->out, count * 2);
    for (size_t i = 0; i < count; i++)
        row->save((const char *)items + i * row->item_size, s);
}

/* ---- ids: bytes, one id behind the other
 *
 *     when    2n, n being ms since the id before, of the first since the customer's `now`, as pack_seven_signed has it;
 *             plus 1 where it is that of an event that has been told of
 *     hash    8 bytes; or that event's number */

static void hash_told(struct state_saving *s)
{
    for (uint32_t i = 0; i < s->event_count && !s->hashed; i++)
        s->events[i].id_hash = str_hash(s->events[i].id);
    s->hashed = true;
}

static void save_id(struct state_saving *s, uint64_t id_hash, int64_t since_ms)
{
    unsigned char bytes[2 * PACK_SEVEN_MAX], *end;
    uint32_t told = 0;
    while (told < s->event_count && s->events[told].id_hash != id_hash)
        told++;
    end = seven_write(bytes, seven_of(since_ms) << 1 | (told < s->event_count));
    if (told < s->event_count)
        end = seven_write(end, told);
    else
        end = hash_write(end, id_hash);
    buffer_put(s->out, bytes, (size_t)(end - bytes));
}

/* The head is as wide as the most that the ids can take needs it. */
static void save_ids(struct state_saving *s, uint32_t type, const struct seen *ids, size_t count)
{
    if (s->names->numbered)
        pack_uint(s->out, type);
    else if (type == NAME_NONE)
        pack_str(s->out, (str){0});
    else if (s->words && s->words->types.words[type] != NAME_NONE)
        pack_uint(s->out, s->words->types.words[type]);
    else
        save_type(s, s->names->types.list[type]);
    size_t most = count * (PACK_SEVEN_MAX + PACK_HASH_SIZE), head = s->out->size;
    pack_bin_head(s->out, most);
    size_t begin = s->out->size;
    int64_t before_ms = s->now_ms;
    for (size_t i = 0; i < count; i++) {
        int64_t at_ms = seen_at_ms(&ids[i]);
        save_id(s, ids[i].id_hash, from_to(before_ms, at_ms));
        before_ms = at_ms;
    }
    if (s->out->failed) return;
    size_t size = s->out->size - begin;
    for (size_t at = begin; --at > head; size >>= 8)
        s->out->data[at] = (char)size;
}

static uint32_t ids_end(const struct seen *ids, uint32_t count, uint32_t at)
{
    const struct seen *first = &ids[at];
    do
        at++;
    while (at < count && seen_are_alike(first, &ids[at]));
    return at;
}

/* Where what belongs together from `at` on ends. */
static uint32_t group_end(enum state_part part, const struct vector *items, uint32_t at)
{
    if (part == STATE_SEEN) return ids_end(items->items, items->count, at);
    const struct state_part_row *row = &state_parts[part];
    uint32_t number = state_group(part, items_at(row, items, at));
    do
        at++;
    while (at < items->count && state_group(part, items_at(row, items, at)) == number);
    return at;
}

static void save_groups(struct state_saving *s, enum state_part part, const struct vector *items)
{
    const struct state_part_row *row = &state_parts[part];
    size_t groups = 0;
    for (uint32_t at = 0; at < items->count; at = group_end(part, items, at))
        groups++;
    pack_map(s->out, groups);
    for (uint32_t at = 0, end; at < items->count; at = end) {
        const void *first = items_at(row, items, at);
        uint32_t number = state_group(part, first);
        end = group_end(part, items, at);
        if (part == STATE_COUNTS)
            save_count(s, first, end - at);
        else if (part == STATE_SEEN && !s->whole)
            save_ids(s, number, first, end - at);
        else
            save_pairs(s, part, number, first, end - at);
    }
}

static void save_part(struct state_saving *s, const struct state *state, enum state_part part)
{
    const struct state_part_row *row = &state_parts[part];
    const struct vector *items = state_items_of(state, part);
    save_key(s, row->letter);
    if (row->form == STATE_FORM_GROUPS) {
        save_groups(s, part, items);
        return;
    }
    if (row->form == STATE_FORM_MAP)
        pack_map(s->out, items->count);
    else
        pack_array(s->out, (size_t)items->count * (row->form == STATE_FORM_PAIRS ? 2 : 1));
    for (uint32_t i = 0; i < items->count; i++)
        row->save(items_at(row, items, i), s);
}

/* ---- events that several runs keep */

/* Numbers them in the order in which runs name them; how many there are. */
static uint32_t number_shared(const struct state *state)
{
    uint32_t count = 0;
    VECTOR_EACH (state->runs, struct run, run)
        VECTOR_EACH (run->triggers, struct kept_event *, event)
            (*event)->number = 0;
    VECTOR_EACH (state->runs, struct run, run)
        VECTOR_EACH (run->triggers, struct kept_event *, event)
            if ((*event)->keepers > 1 && !(*event)->number) (*event)->number = ++count;
    return count;
}

static void save_shared(struct state_saving *s, const struct state *state, uint32_t count)
{
    uint32_t next = 1;
    if (!count) return;
    save_key(s, STATE_SHARED);
    pack_array(s->out, count);
    VECTOR_EACH (state->runs, struct run, run)
        VECTOR_EACH (run->triggers, struct kept_event *, event)
            if ((*event)->number == next) {
                save_event(s, kept_event_str(*event));
                next++;
            }
}

/* ---- a state */

/* Before the parts, which are read by it: all after `now` only as far as there is something to say. */
static void save_head(struct state_saving *s, const struct state *state)
{
    bool due = state->due_ms != INT64_MAX, newest = state->newest_ms != state->now_ms;
    save_key(s, 'v');
    pack_array(s->out, newest ? 5 : due ? 4 : state->mark ? 3 : 2);
    pack_int(s->out, s->names->numbered ? 0 : s->words ? STATE_FORMAT : STATE_FORMAT_NAMED);
    if (state->now_ms == STATE_NO_TIME)
        pack_nil(s->out);
    else
        pack_int(s->out, state->now_ms);
    if (newest || due || state->mark) pack_int(s->out, state->mark);
    if (newest || due) save_coming_or(s, state->due_ms, INT64_MAX);
    if (!newest) return;
    if (state->newest_ms == STATE_NO_TIME)
        pack_nil(s->out);
    else
        save_past(s, state->newest_ms);
}

static void save_head_whole(struct state_saving *s, const struct state *state)
{
    save_member(s, 'v', STATE_FORMAT_WHOLE);
    save_member(s, 'n', state->now_ms);
    save_member(s, 'e', state->newest_ms);
    if (state->due_ms != INT64_MAX) save_member(s, 't', state->due_ms);
    if (state->mark) save_member(s, 'm', state->mark);
}

/* Those that hold something; how many. */
static size_t parts_of(const struct state *state, enum state_part parts[STATE_PARTS])
{
    size_t count = 0;
    for (enum state_part part = 0; part < STATE_PARTS; part++)
        if (state_items_of(state, part)->count) parts[count++] = part;
    return count;
}

/* Ids are last from format 4 on, since they may be those of events. */
void state_save(const struct state *state, const struct state_names *names, struct buffer *out)
{
    struct state_saving s;
    s.names = names, s.words = names->words, s.out = out, s.whole = s.hashed = false;
    s.rules.count = s.limits.count = s.event_count = 0;
    s.now_ms = state->now_ms == STATE_NO_TIME ? 0 : state->now_ms;
    s.due_ms = state->due_ms == INT64_MAX ? s.now_ms : state->due_ms;
    enum state_part parts[STATE_PARTS];
    size_t count = parts_of(state, parts);
    uint32_t shared = number_shared(state);
    pack_map(out, 1u + (shared != 0) + count);
    save_head(&s, state);
    save_shared(&s, state, shared); /* before the runs, which refer to them */
    for (size_t i = 0; i < count; i++)
        if (parts[i] != STATE_SEEN) save_part(&s, state, parts[i]);
    if (!state->seen.count) return;
    hash_told(&s);
    save_part(&s, state, STATE_SEEN);
}

void state_save_whole(const struct state *state, const struct state_names *names, struct buffer *out)
{
    struct state_saving s = {.names = names, .out = out, .whole = true};
    enum state_part parts[STATE_PARTS];
    size_t count = parts_of(state, parts);
    uint32_t shared = number_shared(state);
    pack_map(out, 3u + (state->due_ms != INT64_MAX) + (state->mark != 0) + (shared != 0) + count);
    save_head_whole(&s, state);
    save_shared(&s, state, shared);
    for (size_t i = 0; i < count; i++)
        save_part(&s, state, parts[i]);
}

/* ---- measuring */

size_t state_size(const struct state *state, const struct state_names *names)
{
    struct buffer out;
    struct state marked = *state;
    marked.mark = INT64_MAX;
    buffer_init_counting(&out);
    state_save_whole(&marked, names, &out);
    return out.size;
}

size_t state_item_size(enum state_part part, const void *item, const struct state_names *names)
{
    struct buffer out;
    buffer_init_counting(&out);
    struct state_saving s = {.names = names, .out = &out, .whole = true};
    state_parts[part].save(item, &s);
    return out.size;
}
