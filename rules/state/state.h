/* The state of one customer: all that deciding needs to remember, small, and in a defined order.
 *
 * Everything whose order matters is kept in that order, so that saving and loading gives the same bytes and
 * the same behaviour (DELIVERY.md §4, STATE.md §3). Declarations are referred to by their number in the
 * rule set in force; in the saved form (MessagePack, pack.c) by name.
 *
 * Parts are allocated one by one from the engine's pool; values of attributes and stored events are kept as
 * MessagePack and decoded when an expression asks for them. */
#ifndef RULES_STATE_STATE_H
#define RULES_STATE_STATE_H

#include "base/floor.h"
#include "base/names.h"
#include "base/pool.h"
#include "cel/value.h"

struct attribute { /* in the order of declaration */
    uint32_t number;
    int64_t time_ms;      /* of the write */
    struct bytes *packed; /* NULL: removed at that time */
};

struct last_event { /* in the order of declaration of their types */
    uint32_t type;
    int64_t time_ms;
    struct bytes *packed;
};

/* What a count makes of the events that it counts: how many, or of a number that each brings the sum, or the newest,
 * the least or the greatest. */
enum count_kind { COUNT_EVENTS, COUNT_SUM, COUNT_LAST, COUNT_MIN, COUNT_MAX };

struct bucket {
    /* floor(event time / width); 0 for lifetime counts; of COUNT_LAST the event's time itself, since the newest of all is
     * all that can ever be asked for */
    int64_t index;
    union {
        int64_t n;
        double number; /* but for COUNT_EVENTS */
    };
};

/* One count, or one value of its `by`: within a count, the value updated last stands last. */
struct count_value {
    uint16_t count; /* number of the declaration; ascending */
    uint16_t
        by_tag; /* text_tag of `by`: most others are passed over without a look at theirs; 0 without `by` */
    /* with `by`: the customer's `now` at that, in seconds since 1970; 0: before, or unknown */
    uint32_t updated_s;
    struct bytes *by;      /* NULL: the count has no `by` */
    struct vector buckets; /* struct bucket, ascending */
};

/* One of what a list keeps. */
struct
    list_entry { /* ascending by (list, time); of one time in the order of arrival, each text once in a list */
    uint16_t list;
    uint16_t text_tag; /* as by_tag of count_value */
    int64_t time_ms;   /* of the newest event that had it */
    struct bytes *text;
};

/* An event as runs keep it, packed: once, though it is the trigger of many. */
struct kept_event {
    uint32_t size;
    uint32_t keepers;
    uint32_t number; /* while the state is saved: among those with several keepers, from 1 */
    char data[];
};

/* What became of a run's last step: X(NAME, text), the text as `run.outcome` has it. Saved by number. */
#define STATE_OUTCOME_TABLE(X)                                                                               \
    X(NONE, "")                                                                                              \
    X(SENT, "sent")                                                                                          \
    X(HELD, "held")                                                                                          \
    X(SKIPPED, "skipped")                                                                                    \
    X(CAPPED, "capped")                                                                                      \
    X(BLOCKED, "blocked")                                                                                    \
    X(STALE, "stale")                                                                                        \
    X(FAILED, "failed")                                                                                      \
    X(ANSWERED, "answered")                                                                                  \
    X(UNANSWERED, "unanswered")                                                                              \
    X(DONE, "done")

enum state_outcome {
/* clang-format off */
#define STATE_OUTCOME_ENUM(NAME, text) STATE_OUTCOME_##NAME,
    STATE_OUTCOME_TABLE(STATE_OUTCOME_ENUM)
#undef STATE_OUTCOME_ENUM
    STATE_OUTCOMES,
    /* clang-format on */
};

struct run { /* ascending by (rule, key): rules are numbered by priority descending, then name */
    uint32_t rule;
    uint32_t step;        /* the one waited for, from 0 */
    int64_t due_ms;       /* INT64_MAX: it is parked (run_is_parked) */
    int64_t first_due_ms; /* the same before any deferral: who has waited longest goes first */
    /* when the wait for an event began; STATE_NO_TIME: the present step waits for none */
    int64_t base_ms;
    int64_t started_ms;
    int64_t trigger_ms; /* time of the newest trigger; of a date, when it fell due */
    /* the local day, since 1970, of the newest trigger, where that is a day; STATE_NO_TIME: an instant, or no date */
    int64_t day;
    struct bytes *key;     /* never NULL */
    struct bytes *origin;  /* what the action id is made of */
    struct bytes *variant; /* NULL: the rule has no `split` */
    struct bytes *answer;  /* the event that the last wait got, packed; NULL: none */
    struct bytes *sent_to; /* the visitor who got the last send; NULL: the customer did */
    struct bytes
        *traceparent;       /* of the record of the newest trigger (base/traceparent.h); NULL: it had none */
    struct vector triggers; /* struct kept_event *: the events that took effect, newest last */
    /* int64_t: of a rule that keeps the newest alone, the times of those before it, ascending: how many are newer than a
     * late one */
    struct vector earlier;
    uint32_t sent;        /* sends so far, held ones too */
    uint32_t action_step; /* that of the last of them, from 1; 0: none */
    uint8_t outcome;      /* enum state_outcome: what became of the step before */
    bool late;            /* the present step comes before a date, and its time was over when it was armed */
    /* steps before this one were published before a recovery that was not exact; 0: none */
    uint32_t said;
};

struct cooldown { /* ascending by rule; of one rule, the newest send last */
    uint32_t rule;
    int64_t sent_ms;   /* the last send, held ones too */
    struct bytes *key; /* of which key; NULL: of any */
};

/* The id of an event. Of all that is kept of a customer there is most of these, so it takes 16 bytes: seen_of and what
 * follows. Ascending by type; of one type in the order of processing. */
struct seen {
    uint64_t id_hash;  /* XXH3_64 of the event's id: two of 64 are alike once in 10^16 customers */
    int64_t at_x_type; /* at_ms * SEEN_TYPES + type, the last of which stands for NAME_NONE */
};
enum { SEEN_TYPES = 1 << 13 };

/* An event that cancels, remembered against triggers that it overtook. Ascending by (time, arrival). */
struct overtaker {
    int64_t time_ms;
    struct bytes *packed; /* with the fields that cancels read of it */
};

/* Of a type of such events, the newest that is remembered no more. */
struct past_overtaker { /* in the order of declaration of the types */
    uint32_t type;
    int64_t time_ms;
};

struct segment_value { /* ascending by number */
    uint32_t number;
    bool value;
    /* changed by `set` beyond the bound of rounds: waits for the customer's next event */
    bool left_over;
};

struct counted_send { /* ascending by (limit, time) */
    uint32_t limit;
    int64_t time_ms;
};

struct goal_window { /* in the order of opening */
    uint32_t rule;
    int64_t opened_ms, closes_ms;
    struct bytes *key, *variant; /* variant NULL: no split */
};

/* Of a rule with a goal that has reached the customer: what its success is measured by. */
struct measured { /* ascending by rule */
    uint32_t rule;
    bool won;              /* there was a goal since */
    struct bytes *variant; /* of the first send, also a held one; NULL: the rule had no split */
    int64_t value;         /* of all goals since, in ten-thousandths */
};

struct date_wait { /* of a rule on a date, ascending by rule */
    uint32_t rule;
    int64_t due_ms; /* of its trigger; RELANCE_NEVER: it does not come (again) */
    /* the date, and when the first of the steps before it is due, which is past where the trigger falls due at once */
    int64_t date_ms, first_ms;
    /* the date that fired last; of a local day, its midnight in UTC; STATE_NO_TIME: none */
    int64_t fired_ms;
    struct bytes *basis; /* what due_ms was computed from: the expression's value, and the zone */
};

/* Of a customer: a visitor who is known to be this one. The one heard of last stands last. */
struct link {
    struct bytes *visitor; /* the bare id */
    struct bytes *ask;     /* id of the event that linked them: this link, and no later one of the same two */
    int64_t used_ms;       /* time of the newest event that came from the visitor since */
    bool open;             /* the visitor lives elsewhere, and what it did has not come yet */
};

/* Of a visitor, one at most: whose the visitor's events are. Its other end is a link with the same ask. */
struct known_as {
    struct bytes *customer; /* NULL: the visitor is shared by too many, and nobody's any more */
    struct bytes *ask;
};

/* Of a visitor: a customer whom it has been linked to, in the order of the first links. */
struct linked_to {
    uint64_t id_hash; /* XXH3_64 of the customer's id */
};

/* One order of the ledger. Its day is kept as it was when it came: a change of `tz` moves none. */
struct order {         /* ascending by time; of one time in the order of arrival */
    uint64_t key_hash; /* XXH3_64 of its key */
    int64_t time_ms;   /* of the earliest event that told of it */
    int64_t told_ms;   /* of the newest, whose total it has */
    int64_t total;     /* in ten-thousandths */
    uint16_t currency; /* three letters as digits of base 26, or CURRENCY_OTHER */
    int8_t day_shift;  /* its local day, less that of UTC */
    bool asked, loyal; /* was the customer loyal just before it, and has that been asked? */
};

/* A refund of an order in the ledger, or of one that it waits for. */
struct refund {        /* ascending by (order, time, amount) */
    uint64_t key_hash; /* of its order's key */
    int64_t time_ms;
    int64_t told_ms; /* the customer's `now` when it was told of: from then on it waits */
    int64_t amount;  /* > 0; REFUND_WHOLE: whatever is left of the order */
    int8_t day_shift;
};

/* What is kept of a customer's orders (LANGUAGE.md §1.8): the newest of them, and of those before what is still asked
 * for. There is one at most. */
struct sales_ledger {
    struct bytes *channel; /* of the first order; NULL: unknown */
    struct vector orders, refunds;
    int64_t before;              /* orders from before there was a ledger */
    int64_t pushed;              /* orders that newer ones have pushed out */
    int64_t beyond;              /* orders that were older than a full ledger when they came */
    int64_t first_ms, first_day; /* of the first order, once one has been pushed out; the day since 1970 */
    int64_t second_ms;           /* of the second, likewise */
    /* of those that are not in the ledger: */
    int64_t months; /* bit k: one of them stands k months after the first order's month */
    int64_t spent;  /* their totals less refunds, in ten-thousandths */
    int64_t kept;   /* how many of them were not refunded as a whole */
    bool loyal;     /* before one of them the customer was */
};

#define REFUND_WHOLE INT64_MAX
#define MONEY_MAX    9000000000000000000 /* in ten-thousandths: 9 · 10^14 units */
enum {
    CURRENCY_LETTERS = 26,
    CURRENCY_OTHER = CURRENCY_LETTERS * CURRENCY_LETTERS * CURRENCY_LETTERS,
    LEDGER_MONTHS = 36
};

struct dropped_run { /* a saved run whose rule is gone: to be reported at the next touch, then forgotten */
    struct bytes *rule, *key;
};

/* What bounds have made the engine forget of this customer, by kind. */
struct forgotten { /* ascending by kind */
    uint32_t kind; /* enum relance_forgot */
    int64_t count;
};

/* What has been found of a state under the rules in force, and need not be looked for again until something of it changes. It
 * is not saved: a state that has been read is one of which nothing is known. */
enum { STATE_STRETCHES = 32 };
struct state_found {
    bool runs; /* each has a step that it waits for; `rules` has their rules, and `ends` where they stand */
    bool ids;  /* of none the at_x_type is below oldest_id */
    bool next_due; /* next_due_ms is the earliest of runs and dates */
    bool dates;    /* all rules on dates have been asked, and none failed */
    bool segments; /* `segments` has what those are that rules wait for, until segments_ms, and none failed */
    uint32_t counts_cost; /* of a call of a count, when the segments were asked */
    int64_t oldest_id, next_due_ms, segments_ms;
    uint64_t rules; /* a bit for each 64th rule: none of the others has a run */
    /* Rules that follow each other, 1 << rules_shift of them, are a stretch: where the runs of each end. */
    uint8_t rules_shift;
    uint16_t ends[STATE_STRETCHES];
};

struct state {
    int64_t now_ms;    /* the customer's latest `now` */
    int64_t newest_ms; /* time of the newest event */
    int64_t due_ms;    /* earliest wait, by the rules of the last touch; INT64_MAX: none */
    int64_t mark;      /* the one that brought those rules; 0: no marks here */
#define STATE_PART(ENUM, name, letter, item, FORM, release) struct vector name;
#include "state/part.def"
#undef STATE_PART
    struct state_found found;
};

enum state_part {
#define STATE_PART(ENUM, name, letter, item, FORM, release) STATE_##ENUM,
#include "state/part.def"
#undef STATE_PART
    STATE_PARTS,
};

#define STATE_NO_TIME INT64_MIN /* before the first event */
#define STATE_TIME_MAX                                                                                       \
    1000000000000000 /* ms before and after 1970: no instant that deciding makes lies beyond */
#define STATE_VALUE_MAX                                                                                      \
    900000000000000000 /* of one customer's goals, either way, in ten-thousandths: 9 · 10^13 */
#define STATE_COUNT_MAX 1000000000000 /* in one bucket: more than one customer can do */

#define STATE_SIZE_FIXED 512 /* what the saved form has at most beside its items, and all of `forgotten` */

/* Names that are saved as numbers, those of the list that belongs to the format (words.def), and what is declared under
 * them. NAME_NONE: nothing. */
struct state_words_of {      /* one kind of declaration */
    const uint32_t *words;   /* by declaration */
    const uint32_t *numbers; /* of declarations, by word */
};
enum { STATE_WORD_SLOTS = 512 };
struct state_words {
    const str *list;
    uint32_t count;
    struct state_words_of attributes, types, counts, rules, segments, lists;
    uint8_t slots[STATE_WORD_SLOTS]; /* word + 1, by what state_word makes of the name; 0: free */
};

/* What the numbers in a state mean. */
struct state_names {
    struct names attributes, types, counts, rules, segments, limits, lists;
    struct names sales;              /* one, where the set declares `sales` */
    const uint8_t *count_forms;      /* by count: what its numbers mean */
    const struct state_words *words; /* NULL: all are saved in full, in format 4 */
    /* declarations stand by their numbers, and the format is 0: a state at rest in memory, read under the set that wrote it */
    bool numbered;
};

/* Since which mark each declaration has been there, by its number; INT64_MAX: it keeps nothing. What a state
 * older than that holds under the name was another declaration's. */
struct state_since {
    int64_t *attributes, *types, *counts, *rules, *segments, *limits, *sales, *lists;
};

/* `type`: NAME_NONE: of none, or rather of any: from before ids were remembered by type. `at_ms`: the customer's `now` when
 * it was dealt with, at most STATE_TIME_MAX from 1970. */
static inline struct seen seen_of(uint32_t type, uint64_t id_hash, int64_t at_ms)
{
    return (struct seen){id_hash, at_ms * SEEN_TYPES + (type & (SEEN_TYPES - 1))};
}

static inline uint32_t seen_type(const struct seen *seen)
{
    uint32_t type = (uint32_t)seen->at_x_type & (SEEN_TYPES - 1);
    return type == SEEN_TYPES - 1 ? NAME_NONE : type;
}

/* Of one type? */
static inline bool seen_are_alike(const struct seen *a, const struct seen *b)
{
    return ((a->at_x_type ^ b->at_x_type) & (SEEN_TYPES - 1)) == 0;
}

static inline int64_t seen_at_ms(const struct seen *seen)
{
    return (seen->at_x_type - (seen->at_x_type & (SEEN_TYPES - 1))) / SEEN_TYPES;
}

/* A part of what a text is: texts with different ones differ. */
static inline uint16_t text_tag(str text)
{
    const uint64_t mix = 0x9e3779b97f4a7c15;
    uint64_t end = 0;
    size_t taken = text.size < sizeof end ? text.size : sizeof end;
    if (taken == sizeof end)
        memcpy(&end, text.data + text.size - sizeof end, sizeof end);
    else
        for (size_t i = 0; i < taken; i++)
            end = end << 8 | (unsigned char)text.data[i];
    return (uint16_t)((end + text.size) * mix >> 48);
}

/* Width of buckets (0: for life), what the count makes of its events, `by` or not, as one number. */
uint8_t state_count_form(int64_t bucket_ms, enum count_kind kind, bool keyed);
enum count_kind state_form_kind(uint8_t form);
/* How many buckets of a count there are, of the form `to`, in one of the form `from`; 0: they are different counts. */
int64_t state_form_split(uint8_t from, uint8_t to);
static inline bool state_form_is_keyed(uint8_t form)
{
    return form & 1;
}

/* Which of what is found depends on an attribute, an event of `last`, a count. */
struct state_readers {
    bool dates, segments;
};

static inline void state_fact_changed(struct state *state, struct state_readers readers)
{
    state->found.dates &= !readers.dates;
    state->found.segments &= !readers.segments;
}

/* Runs or dates have come, gone or wait for another instant. */
static inline void state_waits_changed(struct state *state)
{
    state->found.next_due = false;
}

/* A run waits for another instant than before. */
static inline void state_wait_moved(struct state *state, int64_t before_ms, int64_t due_ms)
{
    struct state_found *found = &state->found;
    if (due_ms <= found->next_due_ms)
        found->next_due_ms = due_ms;
    else if (before_ms <= found->next_due_ms) /* perhaps it was that one */
        found->next_due = false;
}

static inline uint64_t state_rule_bit(uint32_t rule)
{
    return (uint64_t)1 << rule % 64;
}

/* Is it known that no run is of that rule? Then none is looked for, which would read runs and keys all over. */
static inline bool state_lacks_rule(const struct state *state, uint32_t rule)
{
    return state->found.runs && !(state->found.rules & state_rule_bit(rule));
}

/* The words of what is declared. False without memory. */
bool state_words_make(struct arena *arena, const struct state_names *names, struct state_words *out);
uint32_t state_word(const struct state_words *words, str name); /* NAME_NONE: it is none */

struct state *state_new(struct pool *pool);
void state_release(struct pool *pool, struct state *state);

struct kept_event *kept_event_new(struct pool *pool, str packed);   /* with one keeper; NULL without memory */
struct kept_event *kept_event_make(struct pool *pool, size_t size); /* whose bytes are still to be written */
struct kept_event *kept_event_share(struct kept_event *event);
void kept_event_release(struct pool *pool, struct kept_event *event); /* NULL is let through */
int64_t kept_event_time(const struct kept_event *event);              /* its own, ms */
static inline str kept_event_str(const struct kept_event *event)
{
    return (str){event->data, event->size};
}
/* Does it wait for its visitor to become known? */
static inline bool run_is_parked(const struct run *run)
{
    return run->due_ms == INT64_MAX;
}
/* Of a run's triggers, of which there is one at least. */
static inline struct kept_event **run_newest_trigger(const struct run *run)
{
    return VECTOR_AT(run->triggers, struct kept_event *, run->triggers.count - 1);
}

/* The items of a part. */
struct vector *state_items(struct state *state, enum state_part part);
size_t state_item_width(enum state_part part); /* bytes in the vector */
/* Of a part that is saved in groups: the number of the count, of the type or of the list that an item belongs to, and the names of those. */
static inline uint32_t state_group(enum state_part part, const void *item)
{
    switch (part) {
    case STATE_COUNTS: return ((const struct count_value *)item)->count;
    case STATE_LISTS: return ((const struct list_entry *)item)->list;
    default: return seen_type(item);
    }
}
const struct names *state_group_names(enum state_part part, const struct state_names *names);
void *state_item(struct state *state, enum state_part part, uint32_t at);
/* what it owns; its place stays */
void state_item_release(struct pool *pool, enum state_part part, void *item);
void state_item_remove(struct pool *pool, struct state *state, enum state_part part, uint32_t at);

/* The saved form, and back: load(save(s)) is s. What is no longer declared is forgotten, also a count that has
 * another form now (its numbers would mean something else; but where only its buckets are finer, the first of them takes
 * what stood in a coarser one, which then leaves when it would have left); runs of rules that are gone come back as `dropped`.
 * A declaration that has gone and come back since the state was saved is not the same one: `since` tells (NULL:
 * all are as old as can be).
 * What no engine can have saved is no state: an instant out of bounds, a run without its trigger.
 *
 *   {"v": [5, now, mark, due, newest] (ended where nothing follows but what is as it mostly is),
 *    "x": [event, …],
 *    "f": {kind (forgot.h): forgotten}, "a": {attribute: [time, value]}, "l": {type: event},
 *    "c": {count: [form, index, value, …] or, with `by`, [form, by, updated, [index, value, …], …]},
 *    "r": [[rule, key, due, event, or its place in "x" where several runs keep it, …, {letter: what is not as it mostly
 *          is (save.c)} (left out when empty)], …],
 *    "k": [[rule, last send, key], …], "q": [event, …], "p": {type: time},
 *    "g": {segment: [value, left over]}, "h": [limit, time, …],
 *    "w": [[rule, key, opened, closes, variant], …], "z": {rule: variant, or [variant, value] once there was a goal},
 *    "y": [[rule, due, fired, basis, date, first], …],
 *    "d": [rule, key, …], "j": [[visitor, ask, used], …], "u": [[customer, ask]], "b": [id hash, …],
 *    "L": {list: [time, text, …]},
 *    "o": [[currency, channel, orders (sales.c draws them), {letter: what most do not have} (left out when empty)]],
 *    "i": {type: ids (save.c draws them)}}
 *
 * Instants are ms before `now`, those to come after it, of runs after `due`. Events are arrays (stored.h). Usual names are
 * numbers (words.def), others that stand in the state already, too, and so are ids. All of it is in STATE.md §3; in STATE.md
 * §3.4 the form in full, format 3, in which nothing is left out.
 *
 * Parts that are empty are left out. */
struct buffer;
void state_save(const struct state *state, const struct state_names *names, struct buffer *out);
/* In full, format 3: for link records, which an engine of before may read; and what is measured, so that how closely a
 * state is packed decides nothing. */
void state_save_whole(const struct state *state, const struct state_names *names, struct buffer *out);
struct state *state_load(struct pool *pool, const struct state_names *names, const struct state_since *since,
                         str packed); /* NULL: no state */

/* Bytes of the form in full, whatever the mark: that is counted as if it took its longest form, since a file that is
 * replayed has none and is to be decided alike. And of one item of a part in it. */
size_t state_size(const struct state *state, const struct state_names *names);
size_t state_item_size(enum state_part part, const void *item, const struct state_names *names);
/* A state that takes no more memory than this is no larger than `size` in full, whatever it holds: 8 bytes
 * take 9 at most, and every item, of which none is smaller than 8 bytes, with one declared name. */
static inline size_t state_memory_safe(size_t size, size_t longest_name)
{
    return size < STATE_SIZE_FIXED ? 0 : (size - STATE_SIZE_FIXED) / (9 + longest_name) * 8;
}
/* The same the other way round and closer, for one state: it takes that much memory, and is saved in that many bytes at
 * most. Names are counted by the items that have one, instead of one for every 8 bytes, items by what they consist of, and room
 * for more of them not at all. */
size_t state_size_most(const struct state *state, size_t memory, const struct state_names *names,
                       size_t longest_name);

#endif
