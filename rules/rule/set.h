/* A compiled rule set: everything by number, ready to run. Read-only once compiled.
 *
 * Numbers: event types, attributes and counts in the order of their declaration; rules by priority
 * descending, then name, which is the order in which they act. Expressions read slots of one frame:
 *
 *   now | customer.id, customer.known, attributes | event.* | trigger.* | answer.* | triggers | run.* | rule.* | segments.* | last.TYPE.* …
 *
 * Fields are numbered over all event types: fields of the same name and type share a number, so that a rule on
 * several events reads what they share from one slot. */
#ifndef RULES_RULE_SET_H
#define RULES_RULE_SET_H

#include "cel/cel.h"
#include "event/event.h"
#include "relance/ruleset.h"
#include "relance/sums.h"
#include "state/state.h"
#include "time/weekdays.h"
#include "time/calendar.h"
#include "time/clock.h"

/* The fields that every event has, before its declared ones. */
enum envelope { ENVELOPE_ID, ENVELOPE_TYPE, ENVELOPE_TIME, ENVELOPE_CUSTOMER, ENVELOPE_COUNT };
enum run_field {
    RUN_KEY,
    RUN_VARIANT,
    RUN_WINDOW_FIELDS, /* what a goal's window has of its run */
    RUN_STEP = RUN_WINDOW_FIELDS,
    RUN_STARTED,
    RUN_SENT,
    RUN_OUTCOME,
    RUN_ACTION,
    RUN_ANSWERED,
    RUN_FIELDS
};
enum rule_field { RULE_NAME, RULE_PRIORITY, RULE_TAGS, RULE_FIELDS };

/* Where each block of slots begins. */
struct slot_map {
    uint32_t now, customer_id, customer_known, attributes, event, trigger, answer, triggers, run, rule,
        segments, lasts, total;
};

/* A set of event types, ascending by number. */
struct type_list {
    size_t count;
    const uint32_t *types;
};

static inline bool type_list_has(struct type_list list, uint32_t type)
{
    size_t begin = 0, end = list.count;
    while (begin < end) {
        size_t middle = begin + (end - begin) / 2;
        if (list.types[middle] == type) return true;
        if (list.types[middle] < type)
            begin = middle + 1;
        else
            end = middle;
    }
    return false;
}

/* Rules, counts or totals of an event type, by what their conditions need (cel_program_needs): made by compile/picking.c,
 * asked in rule/pick.h. All lists are of numbers, ascending. */
struct pick_place {
    struct cel_value value;
    struct type_list items; /* count 0: the place is free */
};
struct pick_slot {
    uint32_t slot;          /* of `event` */
    enum cel_kind kind;     /* of all values: CEL_STRING or CEL_INT */
    struct type_list items; /* those that need one of the values */
    /* by value: open addressing, a power of two, at most half full */
    const struct pick_place *places;
    uint32_t mask;
};
#define PICK_SLOTS 4 /* of one event type at most */
struct picking {
    struct type_list all, others; /* others: those behind no slot */
    const struct pick_slot *slots;
    size_t slot_count;
};

struct scope_names { /* what an expression may name, by where it stands: as scope_env was asked */
    unsigned flags;  /* enum scope_flag */
    struct type_list events, triggers, answers;
    const struct cel_shorthands *lets; /* the rule's, and around them the set's */
};

/* The host functions of expressions: counts by their number, and behind them these; behind those `lists`, and then
 * `affinities`, each in its forms. */
enum host_function {
#define HOST(ENUM, name, first, second, result, of, form, prose) HOST_##ENUM,
#include "rule/host.def"
#undef HOST
    HOSTS
};

/* What an affinity is asked about: one product, several, or nothing. */
enum affinity_form { AFFINITY_OF_ONE, AFFINITY_OF_SEVERAL, AFFINITY_POPULAR, AFFINITY_FORMS };

/* Something that tests can reach, or not: its number among all, and where it stands (coverage.c). */
struct point {
    uint32_t number; /* from 1; 0: there is no such thing */
    const struct source *source;
    size_t begin;
};

/* Whose an expression is: "count", "views". */
struct owner {
    const char *kind;
    str name;
};

/* A program with what it was compiled from, for showing it, for explaining why it is not true and for saying where it
 * stands when it fails. Conditions are kept as this. */
struct noted_program {
    struct noted_program *next;
    uint32_t number; /* from 0 */
    const struct cel_program *program;
    struct scope_names names;
    struct owner owner;
    str text;
    const struct source *source;
    size_t offset; /* of its first byte in the file */
};

static inline const struct cel_program *program_of(const struct noted_program *noted)
{
    return noted ? noted->program : NULL;
}

struct field { /* a (name, type) that some event types declare */
    str name;
    const struct cel_type *type;
};

/* What events tell of a send that has left (relance/sums.h). */
enum feedback {
    FEEDBACK_NONE,
/* clang-format off */
#define FEEDBACK_ENUM(NAME, text, word) FEEDBACK_##NAME,
    RELANCE_FEEDBACK_TABLE(FEEDBACK_ENUM)
#undef FEEDBACK_ENUM
    FEEDBACKS,
    /* clang-format on */
};

struct typed_event {
    const struct event_type *reader;      /* what the event reader fills */
    const uint32_t *fields;               /* by declared field: its number in set->fields */
    const struct cel_record_type *record; /* envelope and fields */
    str packed_type;                      /* in an event as it is stored: all between its id and its time */
    const str *packed_names;              /* by declared field: its name there */
    uint32_t last_slot;                   /* presence, then envelope, then fields */
    bool named;                           /* something looks at it: it costs state */
    bool remembered;                      /* some expression reads `last.TYPE` */
    bool sells, refunds;                  /* `sales` says that it tells of an order, of a refund */
    bool learnt;                          /* some affinity counts it, which costs no state */
    const uint32_t *last_fields;          /* declared fields to keep for `last`, by index */
    size_t last_field_count;
    struct state_readers last_readers;   /* of `last.TYPE` */
    struct picking rules;                /* numbers of rules that it triggers */
    const struct cancel *const *cancels; /* by rule, ascending */
    size_t cancel_count;
    bool cancels_keyed;            /* one of them has a key */
    const uint32_t *cancel_fields; /* declared fields that those read, by index */
    size_t cancel_field_count;
    struct type_list awaits;     /* numbers of the waits that it may answer, ascending: by rule, then step */
    struct type_list goals;      /* numbers of rules whose goal it may be */
    struct picking counts;       /* numbers of counts that it feeds */
    struct type_list attributes; /* numbers of attributes that it feeds */
    struct picking totals;       /* numbers of totals that it feeds */
    struct type_list lists;      /* numbers of lists that it feeds */
    /* what became of a send, and where its rule and its step stand; FEEDBACK_NONE: it tells of none */
    enum feedback feedback;
    uint32_t feedback_rule, feedback_step;
};

struct attribute_rule {
    str name;
    const struct cel_type *type;
    const struct cel_program *value; /* NULL: no source; set by `identify` */
    struct type_list on;
    bool keep_first;
    struct state_readers readers;
};

struct count_rule {
    str name;
    struct type_list on;
    const struct noted_program *condition;
    const struct cel_program *by, *sum; /* may be NULL, as the condition */
    enum count_kind kind;
    bool keyed; /* it has `by` */
    /* a segment that rules enter or leave may depend on it */
    bool tracked;
    int64_t over_ms; /* 0: for life */
    int64_t bucket_ms;
};

struct list_rule {
    str name;
    struct type_list on;
    const struct noted_program *condition; /* may be NULL */
    const struct cel_program *by;
    uint32_t keep;
    int64_t over_ms; /* 0: for life */
};

struct affinity_source { /* one of `from` */
    struct type_list on;
    const struct noted_program *condition; /* may be NULL */
    const struct cel_program *by;
    uint32_t weight;
};

struct affinity_rule {
    str name;
    str text;        /* canonical */
    uint64_t recipe; /* XXH3_64 of it */
    const struct affinity_source *sources;
    size_t source_count;
    int64_t within_ms, half_life_ms;
    uint32_t lift; /* in thousandths */
    uint32_t least;
    bool together; /* each source gives lists: what is asked of it weighs alike, as it was counted */
};

/* `sales`: which events tell of orders and refunds, and what is asked of them; of the programs, all may be NULL but those
 * of the order. */
struct sales_rule {
    struct type_list orders, refunds;
    const struct cel_program *key, *total, *currency;
    const struct cel_program *refund_key, *refund_total;
    const struct cel_program *channel, *before;
    const struct noted_program *loyal;
};

struct total_rule {
    str name;
    struct type_list on;
    const struct noted_program *condition;
    const struct cel_program *by, *sum; /* may be NULL, as the condition */
};

struct cancel {
    struct point point;
    uint32_t rule;
    struct type_list on;
    const struct cel_program *key;
    const struct noted_program *condition;
};

/* A piece of a payload: JSON text as it stands, a value, or a value spliced into a string. A value that may be an empty
 * optional, and then leaves out the member or element that the ITEM in front of it begins; `text` is then the key. */
enum piece_kind { PIECE_TEXT, PIECE_VALUE, PIECE_SPLICE, PIECE_ITEM, PIECE_OPTIONAL };
struct piece {
    enum piece_kind kind;
    str text;
    const struct cel_program *program;
};
struct template
{
    const struct piece *pieces;
    size_t count;
};

struct set_attribute { /* one of `set`, in the order of the file */
    uint32_t number;
    struct template value;
};

/* When a step is due. */
struct timing {
    bool before;                               /* that long before the date, instead of after the base */
    int64_t ms;                                /* without `at` */
    int64_t days;                              /* with it: calendar days */
    struct time_of_day at;                     /* minutes -1: there is none */
    const struct cel_program *after, *at_text; /* those of which CEL is asked when the wait begins */
};

/* `wait`: an event that the step waits for. */
struct awaited {
    struct point point;
    uint32_t rule, step;
    struct type_list on;
    const struct cel_program *key;
    const struct noted_program *condition;
    int64_t within_ms;
    struct type_list keeps; /* numbers of the fields that a run keeps of its answer, ascending */
    bool ends;              /* `else`: nothing came, and the run ends */
    str label;              /* what people call what it waits for: "buy or call" */
};

struct step {
    struct point point;
    struct timing timing;
    const struct awaited *awaited; /* NULL: it does something */
    const struct noted_program *condition;
    str send;             /* empty: none */
    struct template with; /* count 0: none */
    const struct set_attribute *sets;
    size_t set_count;
};

struct goal {
    struct point point;
    struct type_list on; /* empty: the rule has no goal */
    const struct noted_program *condition;
    const struct cel_program *key, *value;
    int64_t within_ms;
};

struct variant {
    struct point point;
    str name;
    uint64_t weight_until; /* cumulative */
    bool holdout;
};

struct segment_rule {
    str name;
    const struct noted_program *condition;
    bool tracked; /* a rule waits for it to be entered or left */
    bool *counts; /* by count: its value may depend on it */
    /* of orders: so long after one its value may change, in ms */
    const int64_t *windows;
    size_t window_count;
};

struct constants { /* one of `tables` */
    str name;      /* "tables.NAME" */
    const struct cel_type *type;
    struct cel_value map;
};

enum limit_period { PERIOD_ROLLING, PERIOD_DAY, PERIOD_WEEK, PERIOD_MONTH };

enum limit_kind { QUIET_HOURS, QUIET_HOLIDAYS, CAP, GATE, HOLD_OUT };

struct limit {
    struct point point;
    enum limit_kind kind;
    str text;  /* of `quiet`, `max`, `never` or `hold`, as written; of HOLD_OUT the group */
    str name;  /* how it is called where it is said why: `name`, or that text */
    str label; /* what people call it where it has no name: "max 1 per 24h of email" */
    str kept;  /* what its sends are kept under: all of it, as written */
    /* QUIET_HOURS: a span begins on each of these days, in minutes since midnight; it ends on the next day where it
     * does not end later. 24:00 is the midnight behind the day. */
    weekdays quiet_days;
    int quiet_from, quiet_until;
    uint32_t max; /* CAP */
    enum limit_period period;
    int64_t window_ms; /* PERIOD_ROLLING */
    bool defer;
    str send; /* empty: all */
    const struct noted_program *condition;
};

enum rule_on { ON_EVENTS, ON_SEGMENTS, ON_YEARLY, ON_DATE };

struct segment_change { /* "enter SEGMENT", "leave SEGMENT" */
    uint32_t segment;
    bool enter;
};

enum again { AGAIN_IGNORE, AGAIN_REARM, AGAIN_RESTART, AGAIN_COLLECT };

#define RULE_COOLDOWN_EVER INT64_MAX

struct rule {
    struct point point, again_point; /* again_point: where it is declared */
    str name;
    int64_t priority, stale_ms;
    int64_t cooldown_ms; /* 0: none */
    bool cooldown_per_key;
    enum rule_on kind;
    struct type_list on;                  /* ON_EVENTS */
    const struct segment_change *changes; /* ON_SEGMENTS: in the order of the file */
    size_t change_count;
    const struct cel_program *date; /* ON_YEARLY: a text; ON_DATE: a timestamp, or a day as text */
    bool has_before;                /* some step is due before the date */
    const struct noted_program *condition, *while_true;
    const struct cel_program *key;
    enum again again;
    struct goal goal;
    const struct variant *variants; /* count 0: no `split` */
    size_t variant_count;
    uint64_t weight_sum;
    str salt;                    /* what the variant is chosen by, beside the customer */
    const struct cel_list *tags; /* of strings */
    struct cel_shorthands *lets; /* around them the set's; NULL: it has none of its own */
    const struct step *steps;
    size_t step_count;
    size_t trigger_count;   /* triggers kept for a run: 1, or LIMIT_TRIGGERS when it reads `triggers` */
    bool visitors;          /* steps of a visitor's run are performed, too */
    bool counts_late;       /* a run keeps the times of others: a late one may join them */
    struct type_list keeps; /* numbers of the fields that a run keeps of its triggers, ascending */
    const struct cel_record_type *trigger_record; /* of one element of `triggers` */
    const uint32_t *trigger_slots;                /* by field of that record: its slot in `trigger` */
};

static inline bool rule_is_dated(const struct rule *rule)
{
    return rule->kind == ON_YEARLY || rule->kind == ON_DATE;
}

struct relance_excerpt { /* the part of a set that a test runs */
    bool all_rules;
    struct type_list rules;      /* else those of these numbers, ascending */
    const struct source *limits; /* the limits of this file hold; NULL: all */
    str tz;                      /* of customers who have none */
    const struct zone *zone;
};

struct given_event {
    int64_t after_ms;
    str customer, visitor; /* as the entry says; empty: it does not */
    str type;
    const struct json *fields;
    const struct relance_foreign *record; /* what the mapping makes an event of; NULL: it is one */
};

struct expected {            /* a send or a goal */
    int64_t after_ms;        /* with `at`, about */
    str at;                  /* the customer's local time, as written; empty: `after_ms` is exact */
    int64_t at_s;            /* in seconds, as if it were UTC */
    str rule, send;          /* empty: any rule; a goal */
    const struct json *with; /* NULL: any payload */
    bool held;
    double goal;
    const struct json *node; /* for messages */
};

struct rule_test {
    uint32_t rule; /* whose test it is; NAME_NONE: a file's */
    bool alone;    /* that rule runs, and no other */
    struct relance_excerpt excerpt;
    str name, customer, variant;
    const struct source *source;
    size_t begin;                  /* where it stands in `source` */
    int64_t from_ms, until_ms;     /* until_ms: after from_ms */
    const struct json *attributes; /* NULL: none */
    const struct json *learnt;     /* by affinity, by product: what goes with it; NULL: nothing */
    const struct given_event *given;
    const struct expected *expect;
    size_t given_count, expect_count;
    bool has_local; /* one of them says when by local time */
};

struct relance_ruleset {
    struct arena arena;
    struct noted_program *programs; /* the newest first */
    /* the same by the address of the program, ascending */
    const struct noted_program **program_index;
    uint32_t program_count, point_count;
    struct rule_test *tests;
    size_t test_count;
    struct relance_mapping *mapping; /* through which records are read; NULL: they are native events */
    struct zones *zones;
    str tz;
    const struct zone *zone;
    struct cel_shorthands lets;
    struct constants *tables;
    size_t table_count;
    const struct calendar_day *holidays; /* in the order of the file */
    size_t holiday_count;
    bool credit_last; /* an event reaches one goal window, the one opened last */
    struct slot_map slots;
    const struct field *fields;
    size_t field_count;
    struct event_schema *schema;
    struct typed_event *types;
    size_t type_count;
    uint32_t identify, forget; /* type numbers */
    struct attribute_rule *attributes;
    size_t attribute_count;
    uint32_t tz_attribute; /* NAME_NONE: not declared */
    struct count_rule *counts;
    size_t count_count;
    struct list_rule *lists;
    size_t list_count;
    struct affinity_rule *affinities;
    size_t affinity_count;
    struct names affinity_names;
    struct total_rule *totals;
    size_t total_count;
    const struct sales_rule *sales; /* NULL: the set declares none */
    const int64_t *windows;         /* of orders: those of all segments that rules wait for */
    size_t window_count;
    struct segment_rule *segments;
    size_t segment_count;
    struct type_list entering, leaving, dated; /* numbers of rules on segments and on dates */
    struct type_list tracked;                  /* of counts that segments depend on that rules wait for */
    struct limit *limits;
    size_t limit_count;
    struct rule *rules;
    size_t rule_count;
    struct cancel *cancels;
    size_t cancel_count;
    struct awaited *awaits;
    size_t await_count;
    struct state_names names;
    struct state_words words; /* of `names` */
};

/* The numbers of the first list and of the first affinity among host functions. */
static inline uint32_t first_list_function(const struct relance_ruleset *set)
{
    return (uint32_t)set->count_count + HOSTS;
}
static inline uint32_t first_affinity_function(const struct relance_ruleset *set)
{
    return first_list_function(set) + (uint32_t)set->list_count;
}

/* What a program was compiled from; NULL: nothing of this set. */
const struct noted_program *set_noted(const struct relance_ruleset *set, const struct cel_program *program);

static inline uint32_t last_presence_slot(const struct typed_event *type)
{
    return type->last_slot;
}
static inline uint32_t last_field_slot(const struct typed_event *type, size_t field)
{
    return type->last_slot + 1 + (uint32_t)field; /* envelope fields first */
}

/* dates.c: may a rule on a date be triggered by this value of its expression? Not by a text that is no day; the empty one
 * says that there is none. */
bool date_possible(const struct rule *rule, struct cel_value value);
const char *date_form(const struct rule *rule); /* "YYYY-MM-DD": how a day is written there */

#endif
