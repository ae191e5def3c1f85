/* The engine's own: what its files share. engine.c is the seam; happen.c deals with one event or wait, cancel.c,
 * trigger.c, step.c and run.c with runs, counting.c with counts, segmenting.c, goals.c, limiting.c and dates.c
 * with what their names say, scope.c with what expressions see. */
#ifndef RULES_RULE_RUN_ENGINE_INTERNAL_H
#define RULES_RULE_RUN_ENGINE_INTERNAL_H

#include "base/floor.h"
#include "base/buffer.h"
#include "base/limits.h"
#include "rule/run/customers.h"
#include "rule/pick.h"
#include "rule/set.h"

#include <relance/engine.h>
#include <relance/mapping.h>
#include <relance/model.h>

/* What triggers rules now: an event, or a segment entered or left, or a date. */
struct trigger {
    bool event;
    str id, type;    /* "enter loyal", "yearly" … where it is no event; then without id */
    int64_t time_ms; /* what times of triggers are compared by */
    int64_t
        shown_ms; /* what `trigger.time` says: the same, but for a date, which falls due at another time */
    int64_t day;  /* of a date that is a local day, since 1970; else STATE_NO_TIME */
};

/* Where what belongs together begins in a part of the state, and where it ends. */
struct range {
    uint32_t begin, end;
};

/* What the present event, which names a visitor, does to who is whom. */
struct linking {
    struct customer *visitor; /* becomes the customer in scope; NULL: there is nothing to link */
    struct customer *before;  /* whose the visitor was until now; NULL: nobody's */
    bool elsewhere;           /* the visitor lives in another partition, which is asked */
    /* the visitor, alone in the event, is known as a customer of another partition, who is told; NULL: no */
    const struct known_as *known;
};

/* A record that holds several events, or none: which comes next, and where they are. */
struct unfolded {
    bool is_native; /* whatever the set's mapping: in tests */
    size_t at;
    str present; /* the event that was found last; empty: a dead letter */
    struct relance_mapped mapped;
    uint64_t serial;                   /* of the mapping's run that made them */
    struct relance_mapped_item *items; /* of a list of native events; NULL: none has come yet */
};

/* Names that customers send, of which a partition knows so many (known.c). */
enum known_name { KNOWN_CHANNELS, KNOWN_CURRENCIES, KNOWN_TOTALS, KNOWN_KINDS };
struct known_names {
    struct names names[KNOWN_KINDS]; /* in the order in which they came */
    struct buffer packed;            /* all of them, as they are saved */
    bool is_packed;
};

struct relance_engine {
    struct relance_engine_options options;
    const struct relance_ruleset *set;
    struct arena arena;       /* the engine itself */
    struct arena frame_arena; /* slots, for the rule set in force */
    struct scopes *scopes;    /* what its conditions may name, there; NULL: nobody has asked */
    /* of the next three: since when the set's declarations have been there */
    struct arena since_arena;
    struct state_since since;
    str since_packed;
    int64_t rules_mark;
    struct arena scratch; /* one event or wait */
    struct customers customers;
    struct event_reader *reader;
    struct unfolded unfolded; /* what the present record holds */
    struct event event;       /* the one being processed */
    struct trigger trigger;
    struct kept_event *kept;     /* of it, what a run kept last; NULL: none yet */
    const uint32_t *kept_fields; /* which of an event's fields that may be; NULL: it is of no event */
    int64_t clock_ms, wall_ms, newest_ms; /* STATE_NO_TIME, RELANCE_NEVER, STATE_NO_TIME: none */
    int64_t much_ms;                      /* after RELANCE_MUCH: what is due before then is too much */
    int64_t
        waits_known_ms; /* all that is due before then stands in `customers`; RELANCE_NEVER: all there is */
    struct relance_forgot forgot;
    struct relance_links links;
    struct known_names known;
    bool loyal_before; /* the customer was, before the present event changed anything */
    struct linking linking;
    bool happening; /* the present event is being dealt with, and no wait */
    /* of the record that the present event comes from; empty: it has none. Known once the shell has been asked, or another
     * partition has told it */
    str traceparent;
    bool traceparent_known;
    char visitor_name[1 + LIMIT_ID_BYTES]; /* that of the visitor looked for last */
    size_t pool_used;                /* when the memory of the present customer's state was counted last */
    size_t longest_name;             /* of all declared ones */
    size_t fits_memory, fits_within; /* a state that takes no more need not be measured (bound.c) */
    str needed;                      /* whose state was missing */
    bool failed;                     /* out of memory: the engine must not go on */

    /* the scope in force: whom and what expressions are asked about */
    struct cel_frame frame;
    struct customer *customer;
    int64_t now_ms;
    bool explaining;         /* somebody asks about this customer */
    str reason;              /* of the decision that comes next */
    uint64_t errors;         /* of expressions, told or not */
    bool segments_silent;    /* the customer had state before: a segment new to it is not news */
    const struct rule *rule; /* NULL: none */
    struct run *run;         /* NULL: none; then `trigger` is the event */
    uint32_t *resolved;      /* slots to be unset when the scope changes */
    size_t resolved_count;
    const struct cel_program *asked; /* the expression that was evaluated last */

    /* by affinity: the version in force, held; NULL: none */
    const struct relance_model *models[LIMIT_AFFINITIES];
    struct noted_question *question; /* explaining: that was asked last; NULL: none */
    uint32_t models_asked;           /* a bit for each that was asked since the step in question fell due */
};

/* Steps of a call of a count: all counts are looked through, and one of them is summed up. */
static inline uint32_t count_cost(const struct state *state)
{
    enum { VALUES_A_STEP = 8, BUCKETS_STEPS = 8 };
    return BUCKETS_STEPS + state->counts.count / VALUES_A_STEP;
}

/* Does the rule run? In a test not every one does. */
static inline bool engine_runs_rule(const struct relance_engine *e, uint32_t number)
{
    const struct relance_excerpt *excerpt = e->options.excerpt;
    return !excerpt || excerpt->all_rules || type_list_has(excerpt->rules, number);
}

/* Those of the items that the present event can mean; all of them where somebody wants to know of each that it does not. */
struct picked engine_pick(const struct relance_engine *e, const struct picking *picking);

/* Of the record that the present event comes from; empty: it has none. */
str engine_traceparent(struct relance_engine *e);

/* ---- unfold.c */
/* Finds the next event of the record: unfolded.present. False: there is none, which *fate says, or memory has run out. */
bool unfold_next(struct relance_engine *e, const struct relance_record *record, struct relance_fate *fate);
/* It has been dealt with. */
void unfold_advance(struct relance_engine *e, struct relance_fate *fate);

/* ---- known.c: names that are saved with the states, as relance_engine_names gives them */
void known_take(struct relance_engine *e, str packed);
void known_free(struct relance_engine *e);

/* ---- scope.c */
bool scope_init(struct relance_engine *e);
void scope_forget(struct relance_engine *e); /* something that expressions may have read has changed */
void scope_enter_customer(struct relance_engine *e, struct customer *customer, int64_t now_ms);
void scope_enter_rule(struct relance_engine *e, const struct rule *rule, struct run *run);
/* Puts the envelope of the present event into its slots. */
void scope_set_event(struct relance_engine *e);
void scope_set_envelope(struct relance_engine *e, str customer); /* of whom: its bare id */
/* The present event as `last` keeps it: the envelope and the fields wanted, packed. NULL without memory. */
struct bytes *scope_pack_event(struct relance_engine *e, const uint32_t *fields, size_t count);
/* What is to be kept of e->trigger, for a run. Likewise. */
struct kept_event *scope_keep_trigger(struct relance_engine *e, const struct type_list *keeps);
/* The present event with these fields, for a run that waited for it. Likewise. */
struct bytes *scope_pack_answer(struct relance_engine *e, const struct type_list *keeps);
/* The present event with all its fields, in scratch; and back: it is the present one. False: it is none. */
str scope_pack_whole(struct relance_engine *e);
bool scope_unpack_whole(struct relance_engine *e, str packed);
/* Puts another event, packed, into the slots of `event`, and what stood there back. */
struct shadowed_event;
struct shadowed_event *scope_shadow_event(struct relance_engine *e, str packed);
uint32_t scope_type_of_event(struct relance_engine *e, str packed); /* NAME_NONE: no longer declared */
void scope_unshadow_event(struct relance_engine *e, struct shadowed_event *shadowed);
struct cel_value attribute_value(struct relance_engine *e, uint32_t number); /* CEL_ABSENT: it has none */

/* Evaluates a condition; NULL is true, an error is false and reported. */
bool condition_holds(struct relance_engine *e, const struct noted_program *condition);
/* errors reported */
struct cel_value engine_evaluate(struct relance_engine *e, const struct cel_program *program);
struct cel_value engine_evaluate_quietly(struct relance_engine *e, const struct cel_program *program);
void engine_report_error(struct relance_engine *e, const char *sentence);

/* Texts of a key or of a count's `by`: one, or the distinct elements of a list in order. False: an error. */
struct texts {
    const str *list;
    size_t count;
};
bool engine_evaluate_texts(struct relance_engine *e, const struct cel_program *program, struct texts *out);
bool texts_have(struct texts texts, str text);
/* Copies them into scratch: they may have been read from the state, of which something may go meanwhile. */
bool texts_own(struct relance_engine *e, struct texts *texts);

/* ---- counting.c */
void count_event(struct relance_engine *e, const struct typed_event *type);
/* What a value of a count comes to at `now_ms`; null: it keeps no number. */
struct cel_value count_total(const struct count_rule *rule, const struct count_value *value, int64_t now_ms);
/* The values of a count, by number. */
struct range count_values(const struct state *state, uint32_t number);
/* What one more number makes of those before it. */
double count_take(enum count_kind kind, bool first, double before, double number);
struct cel_value count_value_at(struct relance_engine *e, uint32_t number, str by);

/* ---- lists.c */
void lists_take(struct relance_engine *e, const struct typed_event *type);
/* The text is in the list of the customer in scope, at that time; list_trim when all that came at once is. */
void list_put(struct relance_engine *e, uint32_t number, str text, int64_t time_ms);
void list_trim(struct relance_engine *e, uint32_t number);
/* What is in it at `now_ms`, the newest first, borrowed from the state; how many. */
uint32_t list_texts_at(const struct relance_ruleset *set, const struct state *state, uint32_t number,
                       int64_t now_ms, str out[LIMIT_LIST_ENTRIES]);
struct cel_value list_call(struct relance_engine *e, uint32_t number);

/* ---- affinity.c */
/* What an affinity is asked about. */
struct affinity_question {
    uint32_t affinity;
    const str *seeds; /* NULL: nothing, the most popular ones are asked for */
    size_t seed_count, most;
};
/* For whoever wants to know; what the seeds say is borrowed from where it was evaluated. */
struct noted_question {
    struct affinity_question asked;
    str seeds[RELANCE_MODEL_EXCLUDED];
};
/* By the version in force, which there is: at most question->most and RELANCE_MODEL_ANSWERS. */
size_t affinity_answer(const struct relance_engine *e, const struct affinity_question *question,
                       struct relance_partner out[RELANCE_MODEL_ANSWERS]);
/* `function`: behind the first of affinities. */
struct cel_value affinity_call(struct relance_engine *e, uint32_t function,
                               const struct cel_value *arguments);
str affinity_models(
    struct relance_engine *e); /* {"goes_with":17}: those asked, and their versions; in scratch */
void affinity_take_over(struct relance_engine *e, const struct relance_ruleset *before);
void affinity_forget_models(struct relance_engine *e);

/* ---- happen.c */
void happen_event(struct relance_engine *e, struct customer *customer);
void happen_wait(struct relance_engine *e, int64_t due_ms); /* the customer's first wait at that instant */
int64_t happen_next_due(const struct relance_ruleset *set, struct state *state);
void ids_trim(struct relance_engine *e, uint32_t type); /* there is one more of that type */
bool happen_is_duplicate(const struct relance_engine *e, const struct state *state);

/* False: a newer write stands, or the value is too large to be kept. */
bool attribute_write(struct relance_engine *e, uint32_t number, struct cel_value value, int64_t time_ms);

/* ---- cancel.c, overtake.c, wait.c, trigger.c, run.c */
void overtakers_remember(struct relance_engine *e, const struct typed_event *type);
/* Of a type of events that cancel: one of that time is remembered no more. */
void overtakers_note_past(struct relance_engine *e, uint32_t type, int64_t time_ms);
void overtakers_trim(struct relance_engine *e); /* when the event has been dealt with */
void runs_answer(struct relance_engine *e, const struct typed_event *type, int64_t horizon_ms);
void runs_cancel(struct relance_engine *e, const struct typed_event *type);
void runs_trigger(struct relance_engine *e, const struct typed_event *type, int64_t horizon_ms);
void trigger_rule(struct relance_engine *e, uint32_t number, int64_t horizon_ms); /* by e->trigger */
void runs_drop(struct relance_engine *e); /* those whose rule or step is gone */

/* ---- limiting.c */
struct verdict {
    const struct limit *limit; /* that blocks; NULL: none does */
    int64_t until_ms;          /* the send waits until then; RELANCE_NEVER: it is dropped */
    const struct limit *hold;  /* the group that it is held for; NULL: none */
};
struct verdict limits_check(struct relance_engine *e, str send);
void limits_trim(struct relance_engine *e, uint32_t limit); /* of its sends those that count no more go */
void limits_count(struct relance_engine *e, str send);      /* it has been sent: counts where it passed */

/* ---- goals.c */
void goal_open(struct relance_engine *e, const struct run *run);
void goals_reach(struct relance_engine *e, const struct typed_event *type);

/* ---- segmenting.c */
/* Takes the new values of segments and triggers the rules on those that changed; `waiting`: not those that
 * wait for the customer's next event. True when one has changed. */
bool segments_update(struct relance_engine *e, bool waiting, int64_t horizon_ms);
void segments_settle(struct relance_engine *e, int64_t horizon_ms); /* what `set` has changed: rounds */
void segments_start_event(struct relance_engine *e);
int64_t segments_next_due(const struct relance_ruleset *set, const struct state *state);
struct cel_value segment_value_now(struct relance_engine *e, uint32_t number);

/* ---- dates.c */
void dates_update(struct relance_engine *e); /* expressions or zone may have changed */
int64_t dates_next_due(const struct state *state);
void date_fall_due(struct relance_engine *e, struct date_wait *date, int64_t horizon_ms);

/* ---- local.c: the customer's local time */
const struct zone *set_zone(const struct relance_engine *e); /* of whoever has no other */
const struct zone *customer_zone(struct relance_engine *e);
str customer_zone_name(struct relance_engine *e);
int64_t local_day(const struct zone *zone, int64_t ms); /* days since 1970-01-01 */
int64_t local_instant(const struct zone *zone, int64_t day, int minutes);
/* `after_days` calendar days after the day of the base, at that time; with 0 days the next such time after the
 * base (with `at_base`: not before it). From there on, the first day that is one of those of `at`. */
int64_t local_at(const struct zone *zone, int64_t base_ms, int64_t after_days, struct time_of_day at,
                 bool at_base);

/* ---- link.c: visitors who become customers */

/* Whose the present event is, which names a visitor, with all whom its link concerns at hand. NULL: *progress says why not. */
struct customer *link_find(struct relance_engine *e, enum relance_progress *progress);
/* Links, or takes note that the visitor was heard of: the customer in scope has a state. */
void link_settle(struct relance_engine *e);
/* The customer, or the visitor, is to be forgotten: the other ends of all links are. False: *progress says why not. */
bool link_dissolve(struct relance_engine *e, const struct customer *customer,
                   enum relance_progress *progress);

/* ---- elsewhere.c: those of other partitions are told. Where there is none, or they live here, nothing is said. */

/* The visitor of the present event is to become the customer in scope. */
void elsewhere_ask(struct relance_engine *e);
/* The present event is that of the customer as whom its visitor is known. */
void elsewhere_forward(struct relance_engine *e);
/* The visitor is not that customer's any more. */
void elsewhere_drop(struct relance_engine *e, str visitor, str customer, str ask);
/* The customer does not know that visitor, or not any more. */
void elsewhere_leave(struct relance_engine *e, str visitor, str customer, str ask);

/* ---- engine.c */
/* Reads the event that unfold_next has found: *fate says whose it is (RELANCE_IGNORED as yet), or why it cannot be read. False:
 * no memory. */
bool engine_read(struct relance_engine *e, const struct relance_record *record, struct relance_fate *fate);
/* The customer of that name, its state at hand; NULL: *progress says why not. */
struct customer *engine_at_hand(struct relance_engine *e, str name, enum relance_progress *progress);
/* Has so little been heard for so long that nothing is left to remember? */
bool engine_is_idle(const struct relance_engine *e, const struct customer *customer);
/* How the engine is, when a call of it ends. */
enum relance_progress engine_done(const struct relance_engine *e);
void engine_settle_customer(struct relance_engine *e, struct customer *customer);

/* ---- rest.c: states at rest. False: without memory, noted */
bool rest_wake_under(struct relance_engine *e, struct customer *customer, const struct state_names *names);
bool rest_pack(struct relance_engine *e, struct customer *customer);

/* ---- decision.c */
void engine_decide(struct relance_engine *e, const struct relance_decision *decision);

/* The bucket that an index stands for. */
static inline int64_t count_bucket(const struct count_rule *rule, int64_t index)
{
    return rule->kind == COUNT_LAST ? floor_div(index, rule->bucket_ms) : index;
}

/* Does it keep one of its numbers, instead of adding? */
static inline bool count_keeps(const struct count_rule *rule)
{
    return rule->kind >= COUNT_LAST;
}

/* Out of memory: noted once, reported by the seam; what is under way is finished as well as can be. */
static inline void *or_fail(struct relance_engine *e, void *p)
{
    if (!p) e->failed = true;
    return p;
}

/* Its state, if it has one, is awake from here on. */
static inline bool rest_wake(struct relance_engine *e, struct customer *customer)
{
    return !customer->resting || rest_wake_under(e, customer, &e->set->names);
}

#endif
