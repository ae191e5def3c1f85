/* Lists: what came last of a customer, each text once, the newest `keep` of them (LANGUAGE.md §1.10).
 *
 * Entries stand in the order of their events' times, so that events which come late give the list that they would have given in
 * time. One that has left `over` stands first and is gone at the next touch; who reads before does not see it. */
#include "rule/run/engine_internal.h"

static struct range list_range(const struct state *state, uint32_t number)
{
    struct range range = {0, state->lists.count};
    while (range.begin < range.end && VECTOR_AT(state->lists, struct list_entry, range.begin)->list < number)
        range.begin++;
    while (range.end > range.begin &&
           VECTOR_AT(state->lists, struct list_entry, range.end - 1)->list > number)
        range.end--;
    return range;
}

/* Of a list's entries those that are in it at `now_ms`. */
static struct range live_range(const struct relance_ruleset *set, const struct state *state, uint32_t number,
                               int64_t now_ms)
{
    const struct list_rule *rule = &set->lists[number];
    struct range range = list_range(state, number);
    if (range.end - range.begin > rule->keep) range.begin = range.end - rule->keep;
    while (rule->over_ms && range.begin < range.end &&
           VECTOR_AT(state->lists, struct list_entry, range.begin)->time_ms <= now_ms - rule->over_ms)
        range.begin++;
    return range;
}

/* At its place in time, behind those of the same time; what `text` owns becomes the state's. */
static void insert(struct relance_engine *e, struct range range, struct list_entry entry)
{
    struct vector *lists = &e->customer->state->lists;
    uint32_t place = range.end;
    while (place > range.begin && VECTOR_AT(*lists, struct list_entry, place - 1)->time_ms > entry.time_ms)
        place--;
    struct list_entry *room = or_fail(e, vector_insert(&e->customers.pool, lists, sizeof entry, place));
    if (room)
        *room = entry;
    else
        bytes_release(&e->customers.pool, entry.text);
}

void list_put(struct relance_engine *e, uint32_t number, str text, int64_t time_ms)
{
    struct vector *lists = &e->customer->state->lists;
    struct range range = list_range(e->customer->state, number);
    struct list_entry entry = {.list = (uint16_t)number, .text_tag = text_tag(text), .time_ms = time_ms};
    for (uint32_t at = range.begin; at < range.end; at++) {
        struct list_entry *known = VECTOR_AT(*lists, struct list_entry, at);
        if (known->text_tag != entry.text_tag || !str_equal(bytes_str(known->text), text)) continue;
        if (known->time_ms > time_ms) return;
        entry.text = known->text;
        vector_remove(lists, sizeof entry, at);
        range.end--;
        break;
    }
    if (!entry.text) entry.text = or_fail(e, bytes_new(&e->customers.pool, text));
    if (entry.text) insert(e, range, entry);
}

void list_trim(struct relance_engine *e, uint32_t number)
{
    struct state *state = e->customer->state;
    uint32_t begin = list_range(state, number).begin,
             live = live_range(e->set, state, number, e->now_ms).begin;
    for (; live > begin; live--)
        state_item_remove(&e->customers.pool, state, STATE_LISTS, begin);
}

/* Of one event the first is the newest: a list is read from its front. */
static void list_one(struct relance_engine *e, uint32_t number)
{
    const struct list_rule *rule = &e->set->lists[number];
    struct texts texts = {0};
    if (!condition_holds(e, rule->condition) || !engine_evaluate_texts(e, rule->by, &texts)) return;
    for (size_t i = texts.count; i-- > 0;)
        list_put(e, number, texts.list[i], e->event.time_ms);
    list_trim(e, number);
}

void lists_take(struct relance_engine *e, const struct typed_event *type)
{
    for (size_t i = 0; i < type->lists.count; i++)
        list_one(e, type->lists.types[i]);
}

uint32_t list_texts_at(const struct relance_ruleset *set, const struct state *state, uint32_t number,
                       int64_t now_ms, str out[LIMIT_LIST_ENTRIES])
{
    struct range range = live_range(set, state, number, now_ms);
    for (uint32_t at = range.end; at-- > range.begin;)
        out[range.end - 1 - at] = bytes_str(VECTOR_AT(state->lists, struct list_entry, at)->text);
    return range.end - range.begin;
}

struct cel_value list_call(struct relance_engine *e, uint32_t number)
{
    str texts[LIMIT_LIST_ENTRIES];
    const struct state *state = e->customer->state;
    if (!cel_charge(&e->frame, 1 + state->lists.count)) return cel_int(0);
    uint32_t count = list_texts_at(e->set, state, number, e->now_ms, texts);
    struct cel_list *list = cel_list_with_room(&e->frame, count);
    if (!list) return cel_fail_memory(&e->frame);
    while (list->count < count) {
        list->items[list->count] = cel_string(texts[list->count]);
        list->count++;
    }
    return (struct cel_value){.kind = CEL_LIST, .as.list = list};
}
