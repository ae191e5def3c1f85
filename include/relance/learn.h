/* Learning what goes with what: counts of one affinity, in whole numbers that commute, and the versions made of them.
 *
 *     state(s+1) = prune(state(s) + counts(events between))        a version = the top of (state + counts so far)
 *
 * What comes out is a function of the events alone: customers may come interleaved in any way between two states (one
 * customer's events in their order), and who starts from a state goes on as if it had counted from the beginning, byte for
 * byte. There is no clock here, no I/O, no floating point. One belongs to one thread. Without memory the process ends.
 *
 * Of a customer the last five products count, each with what comes after it `within`: a pair weighs weight × 60/distance, and
 * more the later it is, by half-lives (forward decay: what was counted is never rounded down for the sake of a version). */
#ifndef RELANCE_LEARN_H
#define RELANCE_LEARN_H

#include <relance/model.h>

struct relance_learn;

struct relance_learn_recipe {
    uint64_t recipe; /* the declaration's hash: versions carry it */
    int64_t within_ms, half_life_ms;
    uint32_t lift; /* thousandths: by how much popular partners give way */
    uint32_t
        least; /* so many customers at least have made a pair that is listed; at most RELANCE_LEARN_LEAST_MAX */
};

enum { RELANCE_LEARN_LEAST_MAX = 8 };

/* What an event gives: a customer came to products. */
struct relance_learn_event {
    uint64_t customer; /* a hash */
    const struct relance_str *products;
    size_t count;
    int64_t time_ms;
    uint32_t weight; /* 1 to 1000 */
};

struct relance_learn *relance_learn_new(const struct relance_learn_recipe *recipe); /* NULL without memory */
void relance_learn_free(struct relance_learn *learn);
size_t relance_learn_bytes(const struct relance_learn *learn); /* of memory that counting has taken */

void relance_learn_count(struct relance_learn *learn, const struct relance_learn_event *event);

/* What the customer came to last goes; what it was counted as stays in sums that name nobody. */
void relance_learn_forget(struct relance_learn *learn, uint64_t customer);

/* Makes a state at an instant that is no earlier than the last state's, and goes on from it. The bytes are valid until the
 * next call. Before the first state or version each half-life is counted alone, so that none of them has to come first. */
struct relance_str relance_learn_state(struct relance_learn *learn, int64_t at_ms);
/* Events of that instant lie so many half-lives behind the last state that their weights do not tell it: a state is due. */
bool relance_learn_is_far(const struct relance_learn *learn, int64_t at_ms);
/* Goes on from a state's bytes; refused where they are broken or another recipe's, and then nothing has been counted. */
RELANCE_MUST enum relance_status relance_learn_restore(struct relance_learn *learn, struct relance_str state,
                                                       struct relance_error *error);

/* A version of all that is counted, the one after `base` (NULL: the first): in full, or as a delta. *bytes are valid until the
 * next call; the model is held for the caller. NULL without memory. */
struct relance_model *relance_learn_version(struct relance_learn *learn, int64_t at_ms,
                                            const struct relance_model *base, bool in_full,
                                            struct relance_str *bytes);

#endif
