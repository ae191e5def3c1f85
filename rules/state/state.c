/* A state's life: made, and given back part by part. The saved form is save.c and load.c. */
#include "state/parts.h"

#include "base/limits.h"
#include "state/pack.h"

static void release_attribute(struct pool *pool, void *item)
{
    bytes_release(pool, ((struct attribute *)item)->packed);
}

static void release_last_event(struct pool *pool, void *item)
{
    bytes_release(pool, ((struct last_event *)item)->packed);
}

static void release_count_value(struct pool *pool, void *item)
{
    struct count_value *value = item;
    bytes_release(pool, value->by);
    vector_release(pool, &value->buckets, sizeof(struct bucket));
}

static void release_run(struct pool *pool, void *item)
{
    struct run *run = item;
    bytes_release(pool, run->key);
    bytes_release(pool, run->origin);
    bytes_release(pool, run->variant);
    bytes_release(pool, run->answer);
    bytes_release(pool, run->sent_to);
    bytes_release(pool, run->traceparent);
    VECTOR_EACH (run->triggers, struct kept_event *, event)
        kept_event_release(pool, *event);
    vector_release(pool, &run->triggers, sizeof(struct kept_event *));
    vector_release(pool, &run->earlier, sizeof(int64_t));
}

static void release_cooldown(struct pool *pool, void *item)
{
    bytes_release(pool, ((struct cooldown *)item)->key);
}

static void release_overtaker(struct pool *pool, void *item)
{
    bytes_release(pool, ((struct overtaker *)item)->packed);
}

static void release_goal_window(struct pool *pool, void *item)
{
    struct goal_window *window = item;
    bytes_release(pool, window->key);
    bytes_release(pool, window->variant);
}

static void release_measured(struct pool *pool, void *item)
{
    bytes_release(pool, ((struct measured *)item)->variant);
}

static void release_date_wait(struct pool *pool, void *item)
{
    bytes_release(pool, ((struct date_wait *)item)->basis);
}

static void release_link(struct pool *pool, void *item)
{
    struct link *link = item;
    bytes_release(pool, link->visitor);
    bytes_release(pool, link->ask);
}

static void release_known_as(struct pool *pool, void *item)
{
    struct known_as *known = item;
    bytes_release(pool, known->customer);
    bytes_release(pool, known->ask);
}

static void release_dropped_run(struct pool *pool, void *item)
{
    struct dropped_run *dropped = item;
    bytes_release(pool, dropped->rule);
    bytes_release(pool, dropped->key);
}

static void release_list_entry(struct pool *pool, void *item)
{
    bytes_release(pool, ((struct list_entry *)item)->text);
}

static void release_sales_ledger(struct pool *pool, void *item)
{
    struct sales_ledger *ledger = item;
    bytes_release(pool, ledger->channel);
    vector_release(pool, &ledger->orders, sizeof(struct order));
    vector_release(pool, &ledger->refunds, sizeof(struct refund));
}

const struct state_part_row state_parts[STATE_PARTS] = {
#define STATE_PART(ENUM, vector, letter, item, FORM, release)                                                \
    {                                                                                                        \
        letter,                                                                                              \
        offsetof(struct state, vector),                                                                      \
        sizeof(struct item),                                                                                 \
        STATE_FORM_##FORM,                                                                                   \
        save_##item,                                                                                         \
        load_##item,                                                                                         \
        release},
#include "state/part.def"
#undef STATE_PART
};

_Static_assert((int)LIMIT_EVENT_TYPES < (int)SEEN_TYPES, "a type has a number in struct seen");
_Static_assert(LIMIT_LISTS <= UINT16_MAX, "a list has a number in struct list_entry");
_Static_assert(LIMIT_COUNTS <= UINT16_MAX, "a count has a number in struct count_value");

struct kept_event *kept_event_make(struct pool *pool, size_t size)
{
    struct kept_event *event = pool_alloc(pool, sizeof *event + size);
    if (event) *event = (struct kept_event){.size = (uint32_t)size, .keepers = 1};
    return event;
}

struct kept_event *kept_event_new(struct pool *pool, str packed)
{
    struct kept_event *event = kept_event_make(pool, packed.size);
    if (event) memcpy(event->data, packed.data, packed.size);
    return event;
}

struct kept_event *kept_event_share(struct kept_event *event)
{
    event->keepers++;
    return event;
}

void kept_event_release(struct pool *pool, struct kept_event *event)
{
    if (event && !--event->keepers) pool_release(pool, event, sizeof *event + event->size);
}

/* A map that begins with "id", its value, "type", its value, "time". */
int64_t kept_event_time(const struct kept_event *event)
{
    struct unpack in = unpack_of(kept_event_str(event));
    unpack_map(&in);
    for (int skipped = 0; skipped < 5; skipped++)
        unpack_skip(&in);
    return unpack_int(&in);
}

struct state *state_new(struct pool *pool)
{
    struct state *state = pool_alloc(pool, sizeof *state);
    if (!state) return NULL;
    memset(state, 0, sizeof *state);
    state->now_ms = state->newest_ms = STATE_NO_TIME;
    state->due_ms = INT64_MAX;
    return state;
}

struct vector *state_items(struct state *state, enum state_part part)
{
    return (struct vector *)((char *)state + state_parts[part].vector);
}

const struct names *state_group_names(enum state_part part, const struct state_names *names)
{
    return part == STATE_COUNTS ? &names->counts : part == STATE_LISTS ? &names->lists : &names->types;
}

size_t state_item_width(enum state_part part)
{
    return state_parts[part].item_size;
}

void *state_item(struct state *state, enum state_part part, uint32_t at)
{
    return (char *)state_items(state, part)->items + at * state_parts[part].item_size;
}

void state_item_release(struct pool *pool, enum state_part part, void *item)
{
    if (state_parts[part].release) state_parts[part].release(pool, item);
}

void state_item_remove(struct pool *pool, struct state *state, enum state_part part, uint32_t at)
{
    state_item_release(pool, part, state_item(state, part, at));
    vector_remove(state_items(state, part), state_parts[part].item_size, at);
}

void state_release(struct pool *pool, struct state *state)
{
    if (!state) return;
    for (enum state_part part = 0; part < STATE_PARTS; part++) {
        struct vector *items = state_items(state, part);
        for (uint32_t i = 0; i < items->count && state_parts[part].release; i++)
            state_parts[part].release(pool, state_item(state, part, i));
        vector_release(pool, items, state_parts[part].item_size);
    }
    pool_release(pool, state, sizeof *state);
}

/* Items of a part that are saved with a name of their own: of values of counts and of ids, which are many, one of each
 * group. */
static size_t named_items(const struct state *state, enum state_part part, const struct state_names *names)
{
    size_t items = state_items_of(state, part)->count, groups = items;
    if (part == STATE_COUNTS) groups = names->counts.count;
    if (part == STATE_SEEN) groups = names->types.count + 1; /* and those whose type is not known */
    return groups < items ? groups : items;
}

enum { INT_MOST = 9, INT32_MOST = 5, HEAD_MOST = 5, LETTER = 2, MEMORY_STEP = 8, STEP_MOST = INT_MOST + 1 };

/* Its head, step, due, started, trigger, the head of its triggers, neither origin nor variant; then what stands by letters:
 * numbers, three of them instants or a day, an answer, times of others, and a traceparent. */
static size_t run_most(void)
{
    enum { INSTANTS = 3, LETTERS = STATE_RUN_MEMBERS + 3 };
    size_t all = HEAD_MOST + INT32_MOST + INSTANTS * INT_MOST + HEAD_MOST + 2;
    size_t numbers = INSTANTS * INT_MOST + (STATE_RUN_MEMBERS - INSTANTS) * INT32_MOST;
    return all + HEAD_MOST + LETTERS * LETTER + numbers + HEAD_MOST;
}

/* What an item takes in full at most beside its name, and beside what it owns, whose memory speaks for that. Of the parts
 * that mostly take most room it is far less than the item does in memory. */
static size_t item_most(enum state_part part)
{
    switch (part) {
    case STATE_COUNTS: return INT32_MOST + HEAD_MOST + 1; /* updated, its buckets' head, no `by` */
    case STATE_SEEN: return 2 * INT_MOST;
    case STATE_RUNS: return run_most();
    default: return (state_parts[part].item_size + MEMORY_STEP - 1) / MEMORY_STEP * STEP_MOST;
    }
}

size_t state_size_most(const struct state *state, size_t memory, const struct state_names *names,
                       size_t longest_name)
{
    enum { NAME_HEADER = 4 /* what it grows by where the name is longer */, GROUP = 1 + 2 * HEAD_MOST };
    size_t of_items = 0, owned = memory;
    for (enum state_part part = 0; part < STATE_PARTS; part++) {
        const struct vector *items = state_items_of(state, part);
        owned -= items->capacity * state_parts[part].item_size;
        of_items += items->count * item_most(part);
        of_items += named_items(state, part, names) * (longest_name + NAME_HEADER + GROUP);
    }
    return STATE_SIZE_FIXED + owned / MEMORY_STEP * STEP_MOST + of_items;
}
