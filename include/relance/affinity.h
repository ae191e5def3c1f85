/* `affinities` of a rule set: what is learnt of which events (LANGUAGE.md §1.11). A learner reads records and is given what of
 * them counts; engines decide by the versions that it makes (relance/model.h, relance_engine_set_model). */
#ifndef RELANCE_AFFINITY_H
#define RELANCE_AFFINITY_H

#include <relance/engine.h>

/* One declaration; texts live as long as the set. */
struct relance_affinity {
    struct relance_str name;
    /* the declaration in canonical form: the same whatever its layout, the order of its keys, and names of `let` */
    struct relance_str text;
    uint64_t recipe; /* XXH3_64 of the text: a version counted by another one is not asked */
    int64_t within_ms, half_life_ms;
    uint32_t lift;  /* in thousandths, 0 to 1000 */
    uint32_t least; /* so many customers make a pair */
    bool together;  /* its events bring products together: questions are relance_model_together */
};

size_t relance_ruleset_affinity_count(const struct relance_ruleset *rules);
/* In the order of the files. */
struct relance_affinity relance_ruleset_affinity(const struct relance_ruleset *rules, size_t at);
/* The same by parts, for whoever only matches versions. */
struct relance_str relance_ruleset_affinity_name(const struct relance_ruleset *rules, size_t at);
uint64_t relance_ruleset_affinity_recipe(const struct relance_ruleset *rules, size_t at);

/* What one event gives to one affinity; texts are valid during the call. */
struct relance_given {
    size_t affinity; /* which of the set's */
    uint32_t weight; /* that its `from` says, 1 to 1000 */
    struct relance_str
        customer; /* bare id; of a visitor, who logged in with no event so far, the visitor's */
    bool is_visitor;
    int64_t time_ms;                    /* of the event */
    const struct relance_str *products; /* each once, in their order, none empty */
    size_t product_count;               /* 0: the customer is to be forgotten */
};
typedef void relance_give(void *context, const struct relance_given *given);

/* Reads a record and gives what its event counts for; nothing is decided, and no state is asked for. As relance_engine_record:
 * of a record that holds several events it deals with the next, and fate->more says that there are others. An engine that
 * is used so is used for nothing else. Time that lies in the future is believed as relance_engine_set_wall says. */
RELANCE_MUST enum relance_progress relance_engine_give(struct relance_engine *engine,
                                                       const struct relance_record *record,
                                                       struct relance_fate *fate, relance_give *give,
                                                       void *context);

#endif
