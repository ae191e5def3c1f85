/* Explanations: what happened to one customer, and for what did not happen, what stood in its way.
 *
 * An engine whose options name a customer and a callback tells it, between that customer's decisions, in order:
 * each event and wait, and for each rule that did not act the condition that was not true, with the values that
 * made it so; of a `while` or a step's `if`, the decision that follows has it (`reason`). It decides as any other
 * does. */
#ifndef RELANCE_EXPLAIN_H
#define RELANCE_EXPLAIN_H

#include <relance/decision.h>
#include <relance/model.h>

/* X(name, sentence): the sentence says it, `reason` goes on behind it. */
#define RELANCE_NOTE_TABLE(X)                                                                                \
    X(EVENT, "an event: its type, its id")                                                                   \
    X(WAIT, "a wait is over")                                                                                \
    X(MISFIT, "left out")                                                                                    \
    X(DUPLICATE, "an event with this id has already been dealt with: ignored")                               \
    X(ENTERED, "entered segment")                                                                            \
    X(LEFT, "left segment")                                                                                  \
    X(LINKED, "became known as")                                                                             \
    X(SHARED, "has become too many customers, and is nobody's: not known as")                                \
    X(IF, "not started: `if` is not true")                                                                   \
    X(KEY, "not started: `key` cannot be evaluated")                                                         \
    X(NO_KEY, "not started: `key` is an empty list")                                                         \
    X(LIVE, "not started: a run of this key is live, and `again` says ignore")                               \
    X(OLDER, "no effect: the event is older than all triggers that the run keeps")                           \
    X(CANCEL_KEY, "not cancelled: the event is about another key")                                           \
    X(CANCEL_IF, "not cancelled: the cancel's `if` is not true")                                             \
    X(CANCEL_OLDER, "not cancelled: the run was triggered after the event")                                  \
    X(ANSWER_KEY, "not answered: the event is about another key")                                            \
    X(ANSWER_IF, "not answered: the wait's `if` is not true")                                                \
    X(ANSWER_OLDER, "not answered: the event happened before the wait began")                                \
    X(ANSWER_NEWER, "not answered: the event happened after the time of the wait")                           \
    X(MOVED, "follows its date")                                                                             \
    X(SET, "cannot set")                                                                                     \
    X(GOAL_KEY, "goal not reached: the event is about another key")                                          \
    X(GOAL_IF, "goal not reached: its `if` is not true")                                                     \
    X(ON_EVENT, "waits for an event of type")                                                                \
    X(ON_ENTER, "waits for the customer to enter")                                                           \
    X(ON_LEAVE, "waits for the customer to leave")                                                           \
    X(ON_DATE, "waits for its date")                                                                         \
    X(RUNNING, "a run is live")

enum relance_note_kind {
/* clang-format off */
#define RELANCE_NOTE_ENUM(name, sentence) RELANCE_NOTE_##name,
    RELANCE_NOTE_TABLE(RELANCE_NOTE_ENUM)
#undef RELANCE_NOTE_ENUM
    RELANCE_NOTE_COUNT,
    /* clang-format on */
};

/* Texts are borrowed until the callback returns; what does not apply is empty, 0 or RELANCE_NEVER. */
struct relance_note {
    enum relance_note_kind kind;
    int64_t time_ms;              /* the event's own time; else the customer's `now` */
    struct relance_str rule, key; /* LINKED, SHARED: key is the visitor */
    /* the event's type, the segment, the attribute; LINKED, SHARED: the customer */
    struct relance_str subject;
    struct relance_str id; /* EVENT, DUPLICATE */
    /* LINKED: what the visitor brought; "orders() >= 3 is false (orders() = 1)"; ON_DATE: the date as it stands; MISFIT: relance_misfit_tell */
    struct relance_str reason;
    uint32_t step;  /* of a live run: the one that it waits for, from 1 */
    int64_t due_ms; /* of that step; ON_DATE: when it comes next */
    /* the types of event that this step waits for; empty: it does not */
    struct relance_str awaited;
};

typedef void relance_explain(void *context, const struct relance_note *note);

/* A product of an answer of what has been learnt. */
struct relance_listed {
    struct relance_str product;
    /* 1: of all who came to the product asked about, all came to this one next (RELANCE_MODEL_WHOLE); of several that were asked
     * about, the sum; of the most popular ones, a part of the first. 0: nobody has counted, the version is that of a test. */
    double weight;
    bool is_taken; /* it is in what is sent, or what is sent was made of it */
    /* what has left it out: "bought(p) == 0 is false (bought(p) = 1)", "left out by take(2)", "beyond the 5 that were asked for";
     * empty: nothing */
    struct relance_str why;
};

/* A question to what has been learnt, which a decision was made with, and the answer, the strongest first: what was given, and
 * some of what is beyond the number that was asked for. */
struct relance_learnt {
    struct relance_str affinity;
    const struct relance_model_head *version; /* NULL: none was in force, and the answer is empty */
    const struct relance_str *asked;          /* the products; none: the most popular ones were asked for */
    size_t asked_count;
    int64_t most;
    struct relance_listed *listed;
    size_t listed_count;
};

struct relance_engine;
/* As things stand: a note for each rule, in order, of what it waits for, and for each live run. */
void relance_engine_explain(struct relance_engine *engine);

struct relance_str relance_note_sentence(enum relance_note_kind kind);

/* The words for people, of a decision or of a note (the other is NULL), without rule and key: "step 1: capped, not sent:
 * the limit 'max 1 per 24h' is full", "not started: `if` is not true: event.value >= 20.0 is false (event.value = 5)".
 * Instants are told as RFC 3339, with the customer's local time behind them. For the engine's callbacks. Like snprintf:
 * returns the bytes wanted, writes at most `size`, no NUL; 0: no memory. */
size_t relance_tell(struct relance_engine *engine, const struct relance_decision *decision,
                    const struct relance_note *note, char *out, size_t size);
/* That local time alone: " (11:00 Europe/Berlin)", " (2026-03-03 00:30 Europe/Berlin)" where it is another day than in UTC;
 * nothing where the zone is UTC. */
size_t relance_tell_local(struct relance_engine *engine, int64_t time_ms, char *out, size_t size);

#endif
