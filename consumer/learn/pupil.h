/* The versions of an engine that decides over a file: they are learnt from that file as it is read, one a day of the events'
 * time (learn/days.h), or come from --models. `replay`, `explain` and `report` decide in this one way, so what one of them
 * shows is what the others have counted by. */
#ifndef CONSUMER_LEARN_PUPIL_H
#define CONSUMER_LEARN_PUPIL_H

#include "learn/days.h"
#include "learn/saved.h"

struct pupil {
    struct relance_engine *engine;       /* borrowed */
    const struct relance_ruleset *rules; /* borrowed */
    struct days *days;                   /* NULL: it learns nothing, or another one does for it */
    struct pupil *beside;                /* who is told what this one learns; NULL: nobody */
};

/* What --models means: NULL nothing, "none" no version, which is a file by another name: ./none. *out is NULL for both. False:
 * what is wrong has been printed. */
bool pupil_load(const char *models, struct saved **out);
/* `saved` is that of `models`; wall_ms as relance_engine_set_wall has it. Of an affinity that the file has no version of it is
 * said that it gives nothing. */
void pupil_begin(struct pupil *pupil, int64_t wall_ms, const char *models, const struct saved *saved);
/* Instead of learning the same once more: another engine, over the same events, of rules that declare the same affinities. False:
 * they do not. Each record goes to `first` before it goes to `pupil`. */
bool pupil_join(struct pupil *pupil, struct pupil *first);
void pupil_end(struct pupil *pupil);

/* Before the engine is given that record: the version of a day that begins with it is made of what came before. False: pupil_error. */
bool pupil_record(struct pupil *pupil, const struct relance_record *record);
/* Behind the last event, as relance_engine_run_until. The day of that event ends, too. */
RELANCE_MUST enum relance_progress pupil_run_until(struct pupil *pupil, int64_t until_ms);
/* A sentence: why it could not go on, or the engine. */
struct relance_str pupil_error(const struct pupil *pupil);

#endif
