/* What bounds make the engine forget of a customer, kind by kind. Each is counted: of all customers in the
 * metrics, of one in its state, where `relance inspect` shows it. */
#ifndef RELANCE_FORGOT_H
#define RELANCE_FORGOT_H

#include <relance/text.h>
#include <stdint.h>

/* X(ENUM, "letter", "counter", "prose"): the letter stands in saved states. The STATE_ rows are in the order in which
 * they go when a state has no room. */
#define RELANCE_FORGOT_TABLE(X)                                                                              \
    X(COUNT_VALUES, "V", "counts_forgotten",                                                                 \
      "Values of a count's `by` that a customer had too many of: the one updated longest ago went.")         \
    X(GOAL_WINDOWS, "W", "goals_forgotten",                                                                  \
      "Goal windows that a customer had too many of: the oldest went.")                                      \
    X(ATTRIBUTE, "A", "attributes_too_large", "Attributes that were not written: they had over 64 KiB.")     \
    X(STATE_TRIGGERS, "t", "state_triggers",                                                                 \
      "Beyond `--state-bytes`: triggers of runs, the oldest first, of each run all but the newest.")         \
    X(STATE_BY, "b", "state_by",                                                                             \
      "Beyond it still: values of counts with `by`, those updated longest ago first.")                       \
    X(STATE_LISTS, "L", "state_lists", "Beyond it still: entries of `lists`, the oldest first.")             \
    X(STATE_RUNS, "r", "state_runs", "Beyond it still: live runs, the oldest first: `dropped`.")             \
    X(STATE_GOALS, "w", "state_goals", "Beyond it still: goal windows, the oldest first.")                   \
    X(STATE_LAST, "l", "state_last", "Beyond it still: events kept for `last`, the oldest first.")           \
    X(STATE_ATTRIBUTES, "a", "state_attributes",                                                             \
      "Beyond it still: attributes, those written longest ago first.")                                       \
    X(STATE_COUNTS, "c", "state_counts",                                                                     \
      "Beyond it still: counts without `by`, those without an event for longest first.")                     \
    X(STATE_CANCELS, "o", "state_cancels", "Beyond it still: remembered cancels, the oldest first.")         \
    X(STATE_IDS, "i", "state_ids", "Beyond it still: ids remembered against duplicates, the oldest first.")  \
    X(STATE_SALES, "z", "state_sales",                                                                       \
      "Beyond it still: the ledger of orders; what it added to sums stays.")                                 \
    X(STATE_SENDS, "h", "state_sends", "Beyond it still: sends counted for `limits`, the oldest first.")     \
    X(STATE_COOLDOWNS, "s", "state_cooldowns", "Beyond it still: cooldowns, the oldest first.")              \
    X(STATE_MEASURED, "m", "state_measured",                                                                 \
      "Beyond it still: which rules have reached the customer; once reached again the customer counts "      \
      "anew.")                                                                                               \
    X(STATE_DATES, "y", "state_dates", "Beyond it still: dates that are waited for, the latest first.")      \
    X(STATE_LINKS, "j", "state_links",                                                                       \
      "Beyond it still: links to visitors, those not heard of for longest first.")                           \
    X(STATE_SEGMENTS, "g", "state_segments", "Beyond it still: what rules were last told of segments.")

enum relance_forgot_kind {
/* clang-format off */
#define RELANCE_FORGOT_ENUM(name, letter, counter, prose) RELANCE_FORGOT_##name,
    RELANCE_FORGOT_TABLE(RELANCE_FORGOT_ENUM)
#undef RELANCE_FORGOT_ENUM
    RELANCE_FORGOT_KINDS,
    /* clang-format on */
};

struct relance_str relance_forgot_name(enum relance_forgot_kind kind); /* that of its counter */

/* How much of each kind an engine has forgotten so far. */
struct relance_forgot {
    uint64_t total;
    uint64_t of[RELANCE_FORGOT_KINDS];
    struct relance_str customer; /* of whom last; borrowed until the next call */
};

#endif
