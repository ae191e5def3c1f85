/* The saved form, written: MessagePack (state.h shows it). The same functions measure it, into a buffer that only
 * counts, so that the size of a state is that of its saved form and nothing else. */
#include "state/parts.h"

#include "state/pack.h"

#include <relance/forgot.h>

/* Of each kind of what is forgotten. */
const str state_forgot_letters[] = {
#define FORGOT(name, letter, counter, prose) STR(letter),
    RELANCE_FORGOT_TABLE(FORGOT)
#undef FORGOT
};

static void save_bytes(struct buffer *out, const struct bytes *bytes)
{
    if (bytes)
        pack_str(out, bytes_str(bytes));
    else
        pack_nil(out);
}

/* A declaration: its name; of a state at rest its number. */
static void save_declared(struct buffer *out, const struct state_names *names, const struct names *kind,
                          uint32_t number)
{
    if (names->numbered)
        pack_uint(out, number);
    else
        pack_str(out, kind->list[number]);
}

/* ---- one item of each part */

void save_forgotten(const void *item, const struct state_names *names, struct buffer *out)
{
    const struct forgotten *forgotten = item;
    (void)names;
    pack_str(out, state_forgot_letters[forgotten->kind]);
    pack_int(out, forgotten->count);
}

void save_attribute(const void *item, const struct state_names *names, struct buffer *out)
{
    const struct attribute *attribute = item;
    save_declared(out, names, &names->attributes, attribute->number);
    pack_array(out, 2);
    pack_int(out, attribute->time_ms);
    if (attribute->packed)
        pack_raw(out, bytes_str(attribute->packed));
    else
        pack_nil(out);
}

void save_last_event(const void *item, const struct state_names *names, struct buffer *out)
{
    const struct last_event *last = item;
    save_declared(out, names, &names->types, last->type);
    pack_raw(out, bytes_str(last->packed));
}

static void save_buckets(const struct vector *buckets, enum count_kind kind, struct buffer *out)
{
    pack_array(out, buckets->count * 2);
    VECTOR_EACH (*buckets, struct bucket, bucket) {
        pack_int(out, bucket->index);
        if (kind == COUNT_EVENTS)
            pack_int(out, bucket->n);
        else
            pack_double(out, bucket->number);
    }
}

void save_count_value(const void *item, const struct state_names *names, struct buffer *out)
{
    const struct count_value *value = item;
    uint8_t form = names->count_forms[value->count];
    save_bytes(out, value->by);
    if (state_form_is_keyed(form)) pack_uint(out, value->updated_s);
    save_buckets(&value->buckets, state_form_kind(form), out);
}

static void save_key(struct buffer *out, char letter)
{
    pack_str(out, (str){&letter, 1});
}

static void save_member(struct buffer *out, char letter, int64_t i)
{
    save_key(out, letter);
    pack_int(out, i);
}

struct run_member {
    char letter;
    int64_t value;
};

/* What most runs do not have: how many of its members there are. */
static size_t run_members(const struct run *run, struct run_member out[STATE_RUN_MEMBERS])
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
    size_t count = 0;
    for (size_t i = 0; i < STATE_RUN_MEMBERS; i++)
        if (all[i].value != usual[i]) out[count++] = all[i];
    return count;
}

/* How long before the newest they were: small numbers. */
static void save_earlier(const struct run *run, struct buffer *out)
{
    pack_array(out, run->earlier.count);
    VECTOR_EACH (run->earlier, int64_t, time_ms)
        pack_int(out, run->trigger_ms - *time_ms);
}

static void save_run_rest(const struct run *run, const struct run_member *members, size_t count,
                          struct buffer *out)
{
    pack_map(out, count + (run->answer != NULL) + (run->earlier.count != 0) + (run->traceparent != NULL));
    for (size_t i = 0; i < count; i++)
        save_member(out, members[i].letter, members[i].value);
    if (run->answer) {
        save_key(out, STATE_RUN_ANSWER);
        pack_raw(out, bytes_str(run->answer));
    }
    if (run->earlier.count) {
        save_key(out, STATE_RUN_EARLIER);
        save_earlier(run, out);
    }
    if (run->traceparent) {
        save_key(out, STATE_RUN_TRACEPARENT);
        save_bytes(out, run->traceparent);
    }
}

void save_run(const void *item, const struct state_names *names, struct buffer *out)
{
    const struct run *run = item;
    struct run_member members[STATE_RUN_MEMBERS];
    size_t count = run_members(run, members);
    bool plain = !count && !run->answer && !run->earlier.count && !run->traceparent;
    pack_array(out, plain ? 9 : 10);
    save_declared(out, names, &names->rules, run->rule);
    save_bytes(out, run->key);
    pack_int(out, run->step);
    pack_int(out, run->due_ms);
    pack_int(out, run->started_ms);
    pack_int(out, run->trigger_ms);
    save_bytes(out, run->origin);
    save_bytes(out, run->variant);
    pack_array(out, run->triggers.count);
    VECTOR_EACH (run->triggers, struct kept_event *, event) {
        if ((*event)->keepers > 1)
            pack_uint(out, (*event)->number - 1);
        else
            pack_raw(out, kept_event_str(*event));
    }
    if (!plain) save_run_rest(run, members, count, out);
}

void save_cooldown(const void *item, const struct state_names *names, struct buffer *out)
{
    const struct cooldown *cooldown = item;
    pack_array(out, cooldown->key ? 3 : 2);
    save_declared(out, names, &names->rules, cooldown->rule);
    pack_int(out, cooldown->sent_ms);
    if (cooldown->key) save_bytes(out, cooldown->key);
}

void save_seen(const void *item, const struct state_names *names, struct buffer *out)
{
    const struct seen *seen = item;
    (void)names;
    pack_uint(out, seen->id_hash);
    pack_int(out, seen_at_ms(seen));
}

void save_overtaker(const void *item, const struct state_names *names, struct buffer *out)
{
    const struct overtaker *overtaker = item;
    (void)names;
    pack_raw(out, bytes_str(overtaker->packed));
}

void save_past_overtaker(const void *item, const struct state_names *names, struct buffer *out)
{
    const struct past_overtaker *past = item;
    save_declared(out, names, &names->types, past->type);
    pack_int(out, past->time_ms);
}

void save_segment_value(const void *item, const struct state_names *names, struct buffer *out)
{
    const struct segment_value *segment = item;
    save_declared(out, names, &names->segments, segment->number);
    pack_array(out, 2);
    pack_bool(out, segment->value);
    pack_bool(out, segment->left_over);
}

void save_counted_send(const void *item, const struct state_names *names, struct buffer *out)
{
    const struct counted_send *send = item;
    save_declared(out, names, &names->limits, send->limit);
    pack_int(out, send->time_ms);
}

void save_goal_window(const void *item, const struct state_names *names, struct buffer *out)
{
    const struct goal_window *window = item;
    pack_array(out, 5);
    save_declared(out, names, &names->rules, window->rule);
    save_bytes(out, window->key);
    pack_int(out, window->opened_ms);
    pack_int(out, window->closes_ms);
    save_bytes(out, window->variant);
}

void save_measured(const void *item, const struct state_names *names, struct buffer *out)
{
    const struct measured *measured = item;
    save_declared(out, names, &names->rules, measured->rule);
    if (measured->won) pack_array(out, 2);
    save_bytes(out, measured->variant);
    if (measured->won) pack_int(out, measured->value);
}

void save_date_wait(const void *item, const struct state_names *names, struct buffer *out)
{
    const struct date_wait *date = item;
    bool plain = date->date_ms == date->due_ms && date->first_ms == date->due_ms;
    pack_array(out, plain ? 4 : 6);
    save_declared(out, names, &names->rules, date->rule);
    pack_int(out, date->due_ms);
    pack_int(out, date->fired_ms);
    save_bytes(out, date->basis);
    if (plain) return;
    pack_int(out, date->date_ms);
    pack_int(out, date->first_ms);
}

void save_link(const void *item, const struct state_names *names, struct buffer *out)
{
    const struct link *link = item;
    (void)names;
    pack_array(out, 3 + link->open);
    save_bytes(out, link->visitor);
    save_bytes(out, link->ask);
    pack_int(out, link->used_ms);
    if (link->open) pack_bool(out, true);
}

void save_known_as(const void *item, const struct state_names *names, struct buffer *out)
{
    const struct known_as *known = item;
    (void)names;
    pack_array(out, 2);
    save_bytes(out, known->customer);
    save_bytes(out, known->ask);
}

void save_linked_to(const void *item, const struct state_names *names, struct buffer *out)
{
    (void)names;
    pack_uint(out, ((const struct linked_to *)item)->id_hash);
}

void save_sales_ledger(const void *item, const struct state_names *names, struct buffer *out)
{
    (void)names;
    sales_pack(item, out);
}

void save_list_entry(const void *item, const struct state_names *names, struct buffer *out)
{
    const struct list_entry *entry = item;
    (void)names;
    pack_int(out, entry->time_ms);
    save_bytes(out, entry->text);
}

void save_dropped_run(const void *item, const struct state_names *names, struct buffer *out)
{
    const struct dropped_run *dropped = item;
    (void)names;
    save_bytes(out, dropped->rule);
    save_bytes(out, dropped->key);
}

/* ---- a part */

static const void *items_at(const struct state_part_row *row, const struct vector *items, uint32_t at)
{
    return (const char *)items->items + at * row->item_size;
}

/* What stands in front of what belongs to a count, to an event type, to a list. */
static void save_count_head(uint32_t number, size_t items, const struct state_names *names,
                            struct buffer *out)
{
    uint8_t form = names->count_forms[number];
    save_declared(out, names, &names->counts, number);
    pack_array(out, 1 + items * (state_form_is_keyed(form) ? 3 : 2));
    pack_int(out, form);
}

static void save_pairs_head(enum state_part part, uint32_t number, size_t items,
                            const struct state_names *names, struct buffer *out)
{
    if (number == NAME_NONE && !names->numbered)
        pack_str(out, (str){0});
    else
        save_declared(out, names, state_group_names(part, names), number);
    pack_array(out, items * 2);
}

/* Where what belongs together from `at` on ends. */
static uint32_t group_end(enum state_part part, const struct vector *items, uint32_t at)
{
    const struct state_part_row *row = &state_parts[part];
    uint32_t number = state_group(part, items_at(row, items, at));
    while (at < items->count && state_group(part, items_at(row, items, at)) == number)
        at++;
    return at;
}

static void save_groups(enum state_part part, const struct vector *items, const struct state_names *names,
                        struct buffer *out)
{
    const struct state_part_row *row = &state_parts[part];
    size_t groups = 0;
    for (uint32_t at = 0; at < items->count; at = group_end(part, items, at))
        groups++;
    pack_map(out, groups);
    for (uint32_t at = 0, end; at < items->count; at = end) {
        uint32_t number = state_group(part, items_at(row, items, at));
        end = group_end(part, items, at);
        if (part == STATE_COUNTS)
            save_count_head(number, end - at, names, out);
        else
            save_pairs_head(part, number, end - at, names, out);
        for (uint32_t i = at; i < end; i++)
            row->save(items_at(row, items, i), names, out);
    }
}

static void save_part(const struct state *state, enum state_part part, const struct state_names *names,
                      struct buffer *out)
{
    const struct state_part_row *row = &state_parts[part];
    const struct vector *items = state_items_of(state, part);
    if (row->form == STATE_FORM_GROUPS) {
        save_groups(part, items, names, out);
        return;
    }
    if (row->form == STATE_FORM_MAP)
        pack_map(out, items->count);
    else
        pack_array(out, (size_t)items->count * (row->form == STATE_FORM_PAIRS ? 2 : 1));
    for (uint32_t i = 0; i < items->count; i++)
        row->save(items_at(row, items, i), names, out);
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

static void save_shared(const struct state *state, uint32_t count, struct buffer *out)
{
    uint32_t next = 1;
    pack_array(out, count);
    VECTOR_EACH (state->runs, struct run, run)
        VECTOR_EACH (run->triggers, struct kept_event *, event)
            if ((*event)->number == next) {
                pack_raw(out, kept_event_str(*event));
                next++;
            }
}

/* ---- a state */

void state_save(const struct state *state, const struct state_names *names, struct buffer *out)
{
    uint32_t shared = number_shared(state);
    size_t members =
        2u + !names->numbered + (state->due_ms != INT64_MAX) + (state->mark != 0) + (shared != 0);
    for (enum state_part part = 0; part < STATE_PARTS; part++)
        members += state_items_of(state, part)->count != 0;
    pack_map(out, members);
    if (!names->numbered) save_member(out, 'v', STATE_FORMAT);
    save_member(out, 'n', state->now_ms);
    save_member(out, 'e', state->newest_ms);
    if (state->due_ms != INT64_MAX) save_member(out, 't', state->due_ms);
    if (state->mark) save_member(out, 'm', state->mark); /* before the parts, which are read by it */
    if (shared) {                                        /* before the runs, which refer to them */
        save_key(out, STATE_SHARED);
        save_shared(state, shared, out);
    }
    for (enum state_part part = 0; part < STATE_PARTS; part++) {
        if (!state_items_of(state, part)->count) continue;
        save_key(out, state_parts[part].letter);
        save_part(state, part, names, out);
    }
}

/* ---- measuring */

size_t state_size(const struct state *state, const struct state_names *names)
{
    struct buffer out;
    struct state marked = *state;
    marked.mark = INT64_MAX;
    buffer_init_counting(&out);
    state_save(&marked, names, &out);
    return out.size;
}

size_t state_item_size(enum state_part part, const void *item, const struct state_names *names)
{
    struct buffer out;
    buffer_init_counting(&out);
    state_parts[part].save(item, names, &out);
    return out.size;
}
