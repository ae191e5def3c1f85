/* Learning from a file of events as it is read: at the begin of each day of the events' time, UTC, a version is made of all that
 * came before, and a state, so that it is counted as by a learner that runs for days. `learn --events` and `replay` learn
 * in this one way, so the same file gives both the same versions. */
#ifndef CONSUMER_LEARN_DAYS_H
#define CONSUMER_LEARN_DAYS_H

#include <relance/affinity.h>
#include <relance/learn.h>

enum { DAYS_MS = 86400000 };

struct days;

/* Whom it tells; each may be NULL. */
struct days_listener {
    void *context;
    /* A version of that affinity is made, which is held for as long as it is the last, and its bytes. */
    void (*version)(void *context, size_t affinity, const struct relance_model *model,
                    struct relance_str bytes);
    /* Behind that, and before it is counted: what an event gives. */
    void (*give)(void *context, const struct relance_given *given);
    void (*dead)(void *context, struct relance_str reason, int64_t offset);
};

/* For all affinities of the rules, which live longer; wall_ms as relance_engine_set_wall has it, RELANCE_NEVER: there is
 * none. NULL: the rules declare no affinities. Without memory the process ends. */
struct days *days_open(const struct relance_ruleset *rules, int64_t wall_ms,
                       const struct days_listener *listener);
void days_close(struct days *days); /* NULL: nothing to do */

/* Counts a record. False: the engine has failed, and days_error says how. */
bool days_record(struct days *days, const struct relance_record *record);
struct relance_str days_error(const struct days *days);

/* The instant at which the day of the newest event ends; RELANCE_NEVER: no event has counted yet. */
int64_t days_end_ms(const struct days *days);
/* Ends that day: a version of all that there is, in full or, as all others, as a delta. */
void days_end(struct days *days, bool in_full);

/* Of an affinity: what it has counted, and its last version, NULL: none yet. */
size_t days_count(const struct days *days);
uint64_t days_events(const struct days *days, size_t affinity);
const struct relance_learn *days_learn(const struct days *days, size_t affinity);
const struct relance_model *days_model(const struct days *days, size_t affinity);

#endif
