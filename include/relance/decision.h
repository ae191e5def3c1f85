/* Decisions: everything that the engine does, as data. The shell counts them, prints them or publishes them. */
#ifndef RELANCE_DECISION_H
#define RELANCE_DECISION_H

#include <relance/text.h>
#include <stdbool.h>
#include <stdint.h>

/* Every outcome of LANGUAGE.md §6: X(name, text, prose). The text is what lines and counters say. */
#define RELANCE_OUTCOME_TABLE(X)                                                                             \
    X(STARTED, "started", "A trigger started a run.")                                                        \
    X(REARMED, "rearmed", "A newer trigger restarted the run's current wait.")                               \
    X(RESTARTED, "restarted", "A newer trigger sent the run back to its first step.")                        \
    X(COLLECTED, "collected", "A trigger joined `triggers` of a live run, whose wait went on.")              \
    X(OVERTAKEN, "overtaken", "A late trigger came after an event that would have cancelled it.")            \
    X(COOLING, "cooling", "A trigger, or a run's first send, fell into the rule's cooldown.")                \
    X(FULL, "full", "A trigger came when the customer had the maximum number of live runs.")                 \
    X(SENT, "sent", "A step published its action.")                                                          \
    X(HELD, "held", "A step of the holdout variant or of a held group: measured, not sent.")                 \
    X(SKIPPED, "skipped", "A step whose `if` was false, or whose time `before` a date was past.")            \
    X(CAPPED, "capped", "A step whose send was dropped because `max` had been reached.")                     \
    X(BLOCKED, "blocked", "A step whose send was forbidden by a `never`.")                                   \
    X(DEFERRED, "deferred", "A step that waits for the end of `quiet` or for room under a `max`.")           \
    X(STALE, "stale", "A step that came too late to be worth sending.")                                      \
    X(FAILED, "failed", "A step whose payload could not be computed, or whose `after` or `at` could not.")   \
    X(ANSWERED, "answered", "The event that a `wait` was waiting for came.")                                 \
    X(UNANSWERED, "unanswered", "It did not come within its time.")                                          \
    X(SET, "set", "A step set attributes of the customer.")                                                  \
    X(CANCELLED, "cancelled", "An event ended the run, or the date that it followed is gone.")               \
    X(ENDED, "ended", "`while` was false, or a `wait` that may end the run got nothing.")                    \
    X(FINISHED, "finished", "The run has done its last step.")                                               \
    X(DROPPED, "dropped",                                                                                    \
      "A run ended because its rule or step is gone, or because the customer's state had no room for it.")   \
    X(GOAL, "goal", "An event within a goal's window: a success.")                                           \
    X(ERROR, "error", "A condition or key could not be evaluated.")

enum relance_outcome {
/* clang-format off */
#define RELANCE_OUTCOME_ENUM(name, text, prose) RELANCE_OUTCOME_##name,
    RELANCE_OUTCOME_TABLE(RELANCE_OUTCOME_ENUM)
#undef RELANCE_OUTCOME_ENUM
    RELANCE_OUTCOME_COUNT,
    /* clang-format on */
};

struct relance_str relance_outcome_text(enum relance_outcome outcome);
struct relance_str relance_outcome_prose(enum relance_outcome outcome);

struct noted_program;
struct relance_learnt;

/* What a rule with a goal is measured by, of one customer: those whom its sends have reached, and those of the variant
 * `holdout` who would have been, are compared by who reached the goal and by what their goals were worth. Who is held for
 * a limit's group is neither. */
struct relance_measure {
    bool counts;                /* this decision is one for it */
    bool reached;               /* SENT, HELD: the first of the rule to this customer */
    bool won;                   /* GOAL: the first since then */
    struct relance_str variant; /* that of the first send; empty: the rule had no split */
    /* GOAL: what all of the customer's since then are worth, before and with this one; in ten-thousandths */
    int64_t value_before, value;
};

/* One decision. All texts are borrowed until the callback that received it returns. What does not apply is
 * empty or 0. Instants are ms since 1970. */
struct relance_decision {
    enum relance_outcome outcome;
    int64_t time_ms; /* the customer's `now` */
    struct relance_str customer, rule, key;
    bool is_visitor;         /* `customer` is the id of a visitor */
    uint32_t step;           /* from 1; 0: not about a step */
    struct relance_str id;   /* action id, 32 hex digits: same step, same run, same id, always */
    struct relance_str send; /* channel */
    struct relance_str variant;
    struct relance_str group; /* HELD by a limit, whatever the variant: its `hold` */
    struct relance_str limit; /* CAPPED, BLOCKED, DEFERRED: its name; lines have it where they say why */
    struct relance_str with;  /* the payload as JSON; empty: none */
    /* SENT, HELD: which versions of what has been learnt were asked, `{"goes_with":17}`; empty: none */
    struct relance_str models;
    struct relance_str set; /* SET: {attribute: value, null where removed} */
    int64_t until_ms;       /* DEFERRED, COOLING; RELANCE_NEVER: for ever */
    /* CAPPED, BLOCKED: the limit's name; FAILED, ERROR: a sentence; DROPPED: `state`, where there was no room for the run. */
    struct relance_str why;
    /* ERROR: whose expression it is, "count views", and the expression (relance_decision_place); NULL: none. */
    struct relance_str in;
    const struct noted_program *program;
    /* CANCELLED, ANSWERED: type of the event; OVERTAKEN: of the one that would have cancelled; CAPPED, BLOCKED, DEFERRED:
     * the limit, as a person would call it. Lines of `relance replay` do not have it. */
    struct relance_str by;
    int64_t by_ms; /* OVERTAKEN: when that event happened */
    /* Where somebody asks (explain.h). SKIPPED, ENDED: the condition that was not true, with its values; CAPPED,
     * BLOCKED, DEFERRED: the limit's `if` fails; COLLECTED: the trigger is late; OVERTAKEN: by the time alone; UNANSWERED:
     * what did not come. Lines do not have it. */
    struct relance_str reason;
    /* Where somebody asks; SENT, HELD: what its `while`, `if` and payload asked of what has been learnt (explain.h). Lines do
     * not have it. */
    const struct relance_learnt *learnt;
    size_t learnt_count;
    double value; /* GOAL */
    struct relance_measure measure;
    int64_t due_ms;   /* when the step fell due */
    int64_t priority; /* of the rule */
    bool said;        /* the action was published before a recovery that was not exact */
    /* The newest trigger of the run; of a goal, the event that reached it. */
    struct relance_str trigger_id, trigger_type;
    int64_t trigger_time_ms;
    struct relance_str
        traceparent; /* of that one's record; empty: it had none. Neither lines nor bodies have it */
};

/* Is it published (sent, held, goal, and no repetition)? All others are only counted. */
bool relance_decision_is_output(const struct relance_decision *decision);

/* ERROR: where the expression stands, "cart.jsonc:31:15". Like snprintf: returns the bytes wanted, writes at most `size`, no
 * NUL; 0: nobody knows. */
size_t relance_decision_place(const struct relance_decision *decision, char *out, size_t size);

/* One line of `relance replay` (LANGUAGE.md §6), without the line feed. Like snprintf: returns the bytes wanted,
 * writes at most `size`, no NUL. */
size_t relance_decision_print(const struct relance_decision *decision, char *out, size_t size);

/* The value of a record of the topic of decisions (STATE.md §5.7): that line, and behind it `by`. Same form. */
size_t relance_decision_body_print(const struct relance_decision *decision, char *out, size_t size);

/* The body of an action on the output topic (STATE.md §5.2); `ruleset` is the set's hash. Same form. */
size_t relance_action_print(const struct relance_decision *decision, struct relance_str ruleset, char *out,
                            size_t size);

/* RFC 3339 with milliseconds, 24 bytes, no NUL. */
void relance_time_print(int64_t ms, char out[24]);

#endif
