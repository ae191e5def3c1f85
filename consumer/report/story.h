/* The story of one customer, for people: each event, each decision, and for each rule that did not act, why
 * (`relance explain`).
 *
 *     2026-03-02T10:00:00.000Z (11:00 Europe/Berlin)  add_to_cart  e-81
 *       {"id": "e-81", …}
 *       cart_abandoned k-9: started
 *       win_back: not started: `if` is not true: segments.loyal is false …
 *     2026-03-02T11:00:00.000Z (12:00 Europe/Berlin)  a wait is over
 *       cart_abandoned k-9: step 1: sent email {"template":"cart-1-a"}
 *         goes_with version 17 of 2026-03-02T10:00:00.000Z (11:00 Europe/Berlin), asked for tent
 */
#ifndef CONSUMER_REPORT_STORY_H
#define CONSUMER_REPORT_STORY_H

#include "base/buffer.h"
#include "report/tally.h"
#include <relance/engine.h>
#include <stdio.h>

struct story_unknown;
struct story {
    struct relance_str customer;
    bool is_visitor; /* `customer` is the id of a visitor */
    bool is_lines;   /* as JSON, an object a line (consumer/view/README.md), for programs */
    FILE *out;
    const char *path; /* of the file whose lines events are; NULL: they are records of a topic */
    struct relance_engine *engine;
    const struct relance_record *record;   /* being dealt with; NULL: none is */
    struct buffer words;                   /* of what is being told */
    struct buffer line;                    /* of JSON */
    char name[RELANCE_VISITOR_NAME_BYTES]; /* of a visitor */
    struct tally rules;                    /* of which something has been told */
    struct story_unknown *unknown;         /* affinities of which it is not known by what is decided */
    size_t unknown_count;
    uint64_t events;
    bool ending; /* what follows is how things stand */
    int section; /* of that: which heading has been printed */
};

/* For the options of an engine: it tells this story. */
void story_listen(struct story *story, struct relance_engine_options *options);
/* Deals with one record; what it was is told where the engine has nothing to tell. */
RELANCE_MUST enum relance_progress story_record(struct story *story, struct relance_engine *engine,
                                                const struct relance_record *record,
                                                struct relance_fate *fate);
/* From here on it is not known by which version of that affinity is decided, and `why` says so; NULL: it is known again. Told
 * before the next event or wait of the customer. */
void story_unknown(struct story *story, struct relance_str affinity, const char *why);
/* Where it begins, in a topic. */
void story_begin(struct story *story, const char *topic, int32_t partition, int64_t offset);
/* As lines: how far it has come, 0 to 1, and how many records have been read. */
void story_lines_progress(struct story *story, double part, uint64_t records);
/* How things stand: rules that have done nothing, and why; live runs. */
void story_end(struct story *story, struct relance_engine *engine);
void story_free(struct story *story);

/* Between the files of a story. */
struct relance_str story_tell(struct story *story, const struct relance_decision *decision,
                              const struct relance_note *note);
bool story_is_idle(struct story *story, const struct relance_note *note);
void story_lines_begin(struct story *story, int32_t partition, int64_t offset);
void story_lines_decide(struct story *story, const struct relance_decision *decision);
void story_tell_unknown(struct story *story);
void story_free_unknown(struct story *story);
void story_lines_unknown(struct story *story, const char *affinity, const char *why);
void story_learnt(const struct story *story, const struct relance_decision *decision);
void story_lines_learnt(struct story *story, const struct relance_decision *decision);
void story_lines_note(struct story *story, const struct relance_note *note);
void story_lines_unseen(struct story *story, const struct relance_fate *fate, const char *why);
void story_lines_end(struct story *story);

#endif
