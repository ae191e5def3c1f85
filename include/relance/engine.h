/* The engine of one partition: records and waits in, decisions and changed states out.
 *
 * A pure function of what it is given (LANGUAGE.md §4): no clock, no randomness, no I/O. It keeps the states of
 * customers it has been shown, and the due times of all. When it needs the state of a customer that it does
 * not hold, it stops half-way with RELANCE_NEEDS; the shell fetches the state, calls relance_engine_put and
 * makes the same call again, which goes on where it stopped.
 *
 *     while (relance_engine_record(e, &record, &fate) == RELANCE_NEEDS)
 *         relance_engine_put(e, relance_engine_needed(e), fetch(…));
 */
#ifndef RELANCE_ENGINE_H
#define RELANCE_ENGINE_H

#include <relance/coverage.h>
#include <relance/decision.h>
#include <relance/explain.h>
#include <relance/forgot.h>
#include <relance/misfit.h>
#include <relance/ruleset.h>
#include <relance/sums.h>

#include <stdatomic.h>

struct relance_engine;
struct relance_excerpt;

#define RELANCE_NEVER INT64_MAX /* of an instant: no such instant */

typedef void relance_decide(void *context, const struct relance_decision *decision);

typedef bool relance_lives_here(void *context, struct relance_str customer, struct relance_str visitor);

/* What this partition has to tell another about a visitor who has become a customer: a record for the links topic
 * (DELIVERY.md §3.7). Texts are valid during the call. */
struct relance_link_record {
    int32_t partition;      /* of the input: whose engine is to be given it */
    struct relance_str key; /* whose state that engine will need */
    struct relance_str value;
};
typedef void relance_say(void *context, const struct relance_link_record *link);

/* The W3C traceparent of the record that is being dealt with; empty: it has none. Valid until the call of the engine ends. */
typedef struct relance_str relance_traceparent(void *context);

struct relance_engine_options {
    const struct relance_ruleset *rules; /* borrowed; must outlive the engine or the next set_rules */
    int64_t lateness_ms;
    relance_decide *decide; /* called for each decision, in order */
    relance_say *say;       /* NULL: nobody listens, all names live in this engine */
    relance_add *add;       /* NULL: nobody keeps sums */
    /* asked where a record triggers something, during relance_engine_record; what is not of W3C's form counts as none. NULL:
     * records have none */
    relance_traceparent *traceparent;
    void *context;
    /* this partition of the input, and how many it has; 0 and 0: the only one */
    int32_t partition, partitions;
    /* tests: every rule that has this variant takes it; empty: by hash */
    struct relance_str variant;
    const struct relance_excerpt *excerpt; /* tests: the part of `rules` that runs; NULL: all of it */
    /* Of a replay: the wall clock is for staleness alone; else an event more than 15 min ahead of it is not believed. */
    bool trust_future;
    bool errors; /* also RELANCE_ERROR decisions */
    /* an event that finds its customer idle for longer finds no state; 0: never */
    int64_t forget_after_ms;
    /* the same of visitors, to whom parked runs do not count; 0: never */
    int64_t forget_visitors_after_ms;
    /* Asked before a link, of bare ids: do both live in this engine's partition? NULL: they always do. What it answers is to
     * be a function of the record that is being dealt with. */
    relance_lives_here *lives_here;
    /* a customer's state, as saved, has at most that many after each event or wait; 0: 256 KiB */
    size_t state_bytes;
    /* number of the mark that brought `rules`; 0: there are no marks */
    int64_t rules_mark;
    struct relance_str since; /* as relance_engine_since gave it for the checkpoint's states */
    struct relance_str names; /* as relance_engine_names gave them, likewise */
    relance_explain *explain; /* NULL: nobody asks; else notes about the customer `explained` */
    void *explain_context;
    struct relance_str explained;
    /* tests: what of `rules` is reached is noted there; NULL: nobody asks */
    struct relance_coverage *coverage;
    /* Not 0: give up, also in the middle of an evaluation; NULL: nobody asks. For whoever cannot wait for a call to
     * return: between two calls nothing runs. */
    const atomic_int *stop;
    /* an unknown customer has no state anywhere: never ask. Until the first eviction */
    bool complete;
};

/* NULL: no memory */
struct relance_engine *relance_engine_new(const struct relance_engine_options *options);
void relance_engine_free(struct relance_engine *engine);

/* ---- what happens */
/* A record with this header, whatever its value, holds native events: a mapping passes it by. So `forget` reaches a topic
 * in another pipeline's form. */
#define RELANCE_NATIVE_HEADER "relance-native"

struct relance_record {
    struct relance_str topic; /* for made-up ids TOPIC/PARTITION/OFFSET */
    int32_t partition;
    int64_t offset;
    struct relance_str
        value; /* not empty (tombstones are the shell's): an event as JSON, a list of them, or what the mapping reads */
    int64_t timestamp_ms; /* of the record; RELANCE_NEVER: none */
    /* for mappings; data NULL: none */
    struct relance_str key;
    const struct relance_header *headers;
    size_t header_count;
    /* it may end so many waits (of a list its first event alone); 0: any number */
    size_t waits_most;
};

enum relance_fate_kind {
    RELANCE_EVENT,     /* an event, dealt with */
    RELANCE_DUPLICATE, /* its id has been seen: nothing done */
    RELANCE_IGNORED,   /* its type is not declared, or no rule looks at it */
    RELANCE_DEAD,      /* a dead letter; `reason` says why */
    RELANCE_NOTHING, /* a record that holds no event: no row of the mapping is for it, or no condition held */
    RELANCE_FATES,   /* how many kinds there are */
};

/* What became of a record; texts are borrowed until the next call. */
struct relance_fate {
    enum relance_fate_kind kind;
    /* DEAD: "json", "utf8", "size", "depth", "type", "customer", "id", "time", "mapping" */
    struct relance_str reason;
    struct relance_str sentence; /* DEAD: what is missing, where there is more to say; else empty */
    /* Of a record that holds several events: which this is, from 0, and whether there are others. */
    size_t number;
    bool more;
    size_t unmapped; /* of what the record holds, so much is for no row; said with the last of its events */
    struct relance_str type;
    struct relance_str customer; /* the key of the event: its customer, else its visitor */
    bool is_visitor;             /* `customer` is the id of a visitor */
    bool linked;                 /* IGNORED, but for the customer and the visitor that it names */
    bool declared;               /* the type is */
    bool late;                   /* older than the clock */
    bool future;                 /* more than 15 min ahead of the wall clock: its time was not believed */
    uint32_t fields_invalid;     /* values that do not fit their field's type */
    /* the first of them */
    const struct relance_misfit *misfits;
    size_t misfit_count;
};

enum relance_progress {
    RELANCE_DONE,
    RELANCE_NEEDS,  /* relance_engine_needed() says whose state; put it and call again */
    RELANCE_FAILED, /* out of memory: relance_engine_error() */
    /* Before the record, more is due than it may end: nothing has been done of it. What is due before relance_engine_much()
     * is to be ended by ticks, then call again. */
    RELANCE_MUCH,
    /* What is due next is not known: waits from relance_engine_waits_known() on are to be handed in (relance_engine_put_due,
     * relance_engine_know_waits). Then call again. */
    RELANCE_WAITS,
    /* options.stop was heard. No decision has come since then, but those of the same call may have come before, and
     * states are half changed: throw away what this engine has made since the last checkpoint, and the engine. Whoever
     * comes next decides it again. */
    RELANCE_STOPPED,
};

/* Moves the clock, lets happen what is due before it, then deals with the event. Of a record that holds several it deals
 * with the next: while fate->more, call again with the same record. */
RELANCE_MUST enum relance_progress relance_engine_record(struct relance_engine *engine,
                                                         const struct relance_record *record,
                                                         struct relance_fate *fate);
/* Are there so many customers that what an event looks at is far away in memory? */
bool relance_engine_is_cold(const struct relance_engine *engine);
/* By what relance_engine_expect finds the customer, in any engine. */
uint32_t relance_engine_place(struct relance_str customer);
/* Asks memory for what an event of this customer will look at. Each step reads what the one before has asked for: call them in
 * turn, some records apart, ahead of the record. Nothing else follows from it, nor from a place that nobody has. */
enum relance_expect {
    RELANCE_EXPECT_PLACE,
    RELANCE_EXPECT_CUSTOMER,
    RELANCE_EXPECT_STATE,
    RELANCE_EXPECT_PARTS
};
void relance_engine_expect(const struct relance_engine *engine, uint32_t place, enum relance_expect step);
/* Lets happen what is due before `before_ms`, in its order, at most `*most` of it, which is lowered by what has happened: 0
 * is left where there may be more. The clock stays (DELIVERY.md §3.5). What is counted is what a customer has to do at one
 * turn, so it is a function of the records, the marks and the states. */
RELANCE_MUST enum relance_progress relance_engine_tick(struct relance_engine *engine, int64_t before_ms,
                                                       uint64_t *most);
/* After RELANCE_MUCH: the instant before which too much is due. */
int64_t relance_engine_much(const struct relance_engine *engine);
/* Lets the clock run to `until_ms`, inclusively: the end of a replay or test. */
RELANCE_MUST enum relance_progress relance_engine_run_until(struct relance_engine *engine, int64_t until_ms);
/* Takes in the value of a link record, as an engine said it; the clock stays. RELANCE_DONE also where it means nothing
 * here. */
RELANCE_MUST enum relance_progress relance_engine_hear(struct relance_engine *engine,
                                                       struct relance_str value);

/* The event that the record handed in last holds, or of several the one dealt with last, as JSON; valid until the next record.
 * Of a dead letter that is no event: what was handed in, or empty. */
struct relance_str relance_engine_event(const struct relance_engine *engine);
struct relance_str relance_engine_needed(const struct relance_engine *engine);
/* FAILED or STOPPED: a sentence */
struct relance_str relance_engine_error(const struct relance_engine *engine);

/* ---- what decides besides records (marks) */
/* The wall clock for staleness and the guard against the future; RELANCE_NEVER: there is none. */
void relance_engine_set_wall(struct relance_engine *engine, int64_t wall_ms);
/* A new rule set from here on, brought by the mark of that number. The old set may be freed afterwards. */
RELANCE_MUST enum relance_status relance_engine_set_rules(struct relance_engine *engine,
                                                          const struct relance_ruleset *rules, int64_t mark);
/* From here on the functions of the affinity of that name answer by this version (relance/model.h), which a mark has named; NULL:
 * by none. The engine holds it for as long. Nothing happens where the rules declare no such affinity; by a version of another
 * recipe than the declared one they answer nothing. A new rule set keeps versions whose name and recipe it has, too. */
struct relance_model;
void relance_engine_set_model(struct relance_engine *engine, struct relance_str name,
                              const struct relance_model *model);

/* Since which mark each declaration has been there, to be saved with the states: what older states hold under
 * its name is not its own. Valid until the next set_rules. */
struct relance_str relance_engine_since(const struct relance_engine *engine);

/* Names that customers have sent and that sums are called after, to be saved with the states: others count as `other`
 * from a bound on. Empty: none. Valid until the next call. */
struct relance_str relance_engine_names(struct relance_engine *engine);

int64_t relance_engine_clock(const struct relance_engine *engine);
void relance_engine_set_clock(struct relance_engine *engine, int64_t clock_ms); /* from a checkpoint */
/* time of the newest event; for --until */
int64_t relance_engine_newest(const struct relance_engine *engine);
/* Nothing is due before then, though perhaps nothing at it, either, where it is relance_engine_waits_known(). RELANCE_NEVER:
 * nothing waits */
int64_t relance_engine_next_due(const struct relance_engine *engine);

/* ---- states, in and out */
/* Is the customer's state (or the fact that there is none) at hand? For fetching a batch's states at once. */
bool relance_engine_holds(const struct relance_engine *engine, struct relance_str customer);
/* Of the first `most` customers with something due before `before_ms`, in the order in which it is due: calls `want` for
 * each whose state is not at hand. RELANCE_NO_MEMORY: for none. */
typedef void relance_want(void *context, struct relance_str customer);
RELANCE_MUST enum relance_status relance_engine_missing(struct relance_engine *engine, int64_t before_ms,
                                                        size_t most, relance_want *want, void *context);
/* Hands in a state as a checkpoint has it; empty: the customer has none. RELANCE_INVALID: not a state. */
RELANCE_MUST enum relance_status relance_engine_put(struct relance_engine *engine,
                                                    struct relance_str customer, struct relance_str state,
                                                    struct relance_error *error);
/* Hands in a due time as a checkpoint has it: the customer's state will be asked for when it comes. Nothing happens where more
 * is known of the customer: it waits for something, or its state is at hand. */
RELANCE_MUST enum relance_status relance_engine_put_due(struct relance_engine *engine,
                                                        struct relance_str customer, int64_t due_ms);

/* Due times may be handed in as they are needed, in their order. All before `before_ms` have been; RELANCE_NEVER, as it is
 * from the start: all that there are. */
void relance_engine_know_waits(struct relance_engine *engine, int64_t before_ms);
int64_t relance_engine_waits_known(const struct relance_engine *engine);

/* A state that has changed since the last relance_engine_saved. */
struct relance_change {
    struct relance_str customer;
    struct relance_str state; /* MessagePack; empty: forget this customer */
    int64_t due_ms;           /* its earliest wait; RELANCE_NEVER: none */
    int64_t due_saved_ms;     /* the same at the last checkpoint */
};
typedef void relance_change_visit(void *context, const struct relance_change *change);
size_t relance_engine_changed_count(const struct relance_engine *engine);
/* Visits every changed state, in the order of first change; texts are valid during the visit. RELANCE_INVALID: the
 * engine was stopped, and what it holds is not to be saved. */
RELANCE_MUST enum relance_status relance_engine_changes(struct relance_engine *engine,
                                                        relance_change_visit *visit, void *context);
void relance_engine_saved(struct relance_engine *engine); /* they are in the checkpoint */
/* They are on their way into a checkpoint, while more is decided: what changes from here on belongs to the next. No other begins
 * before relance_engine_saved says that this one is there, or relance_engine_unsaved that it is not: then the next one has to
 * have all of it again. RELANCE_NO_MEMORY: the engine cannot go on. */
void relance_engine_saving(struct relance_engine *engine);
RELANCE_MUST enum relance_status relance_engine_unsaved(struct relance_engine *engine);

/* After a recovery that was not exact: of the runs at hand, asks of each step to come whether the action of that
 * id has been published already. Such a step will be performed, and its decision be `said`. */
typedef bool relance_was_said(void *context, struct relance_str id);
RELANCE_MUST enum relance_status relance_engine_recall(struct relance_engine *engine,
                                                       relance_was_said *was_said, void *context);

/* What bounds have made it forget so far (LANGUAGE.md §4.13). Valid until the next call. */
const struct relance_forgot *relance_engine_forgot(const struct relance_engine *engine);

/* Visitors and customers so far. Valid until the next call. */
struct relance_links {
    uint64_t taken;     /* a visitor became a customer */
    uint64_t dropped;   /* a visitor is not that customer any more: another's login, or a full list */
    uint64_t open;      /* of them, those whose visitor lives in another partition, which was asked */
    uint64_t forwarded; /* events of visitors, told to the partition of the customer */
    uint64_t shared;    /* visitors who were linked to too many customers */
    uint64_t parked;    /* runs that began parked */
};
const struct relance_links *relance_engine_links(const struct relance_engine *engine);
/* Under this name an engine keeps the state of a visitor; no customer has it. Returns its size. */
#define RELANCE_VISITOR_MARK       '\xff' /* which no text has; the id is behind it */
#define RELANCE_VISITOR_NAME_BYTES 257
size_t relance_visitor_name(struct relance_str visitor, char out[RELANCE_VISITOR_NAME_BYTES]);

/* Memory: bytes held for customers; the states of unchanged customers untouched for longest are given up
 * until at most `bytes` are held. */
struct relance_engine_size {
    size_t bytes;     /* all that is held for customers */
    size_t customers; /* known: held, or waiting with a due time */
    size_t held;      /* with their state at hand */
    size_t waits;     /* customers with a due time, of those that are known */
};
struct relance_engine_size relance_engine_size(const struct relance_engine *engine);
void relance_engine_evict(struct relance_engine *engine, size_t bytes);

/* Packs the states of those whom nothing has happened to since the last round but who have no changes; a round looks at all
 * whose state is not packed yet, at most `most` of them a call. What is decided does not depend on it. */
enum relance_rest {
    RELANCE_REST_DONE,  /* the round is over */
    RELANCE_REST_MORE,  /* it goes on with the next call */
    RELANCE_REST_FREED, /* it is over, and much memory was given back (free): malloc may hold it */
};
enum relance_rest relance_engine_rest(struct relance_engine *engine, size_t most);

/* A saved state, carried to a partition whose marks are numbered otherwise: as it would have been saved there under
 * `mark`, that of the rules in force, which must be the same set. `since` is that of where it comes from. Like
 * snprintf: returns the bytes wanted; 0: not a state. */
size_t relance_state_carry(const struct relance_ruleset *rules, struct relance_str since,
                           struct relance_str state, int64_t mark, char *out, size_t size);

/* One state as JSON, for `relance inspect`: attributes, counts, last events, live runs and when each falls
 * due. Like snprintf: returns the bytes wanted; 0: not a state. `rules` names declarations; may not be NULL. */
size_t relance_state_print(const struct relance_ruleset *rules, struct relance_str customer,
                           struct relance_str state, char *out, size_t size);

#endif
