/* The versions of models that a process holds, for all of its workers (DELIVERY.md §3.10). One reader takes what comes on
 * OUTPUT.models; the newest version of each affinity is available to whoever decides to adopt it. What a mark or a
 * checkpoint names is looked for on the topic, where nobody holds it any more.
 *
 *     the topic ──▶ modelbook_look ──▶ newest ──▶ modelbook_newest ──▶ a mark ──▶ decides
 *              └──▶ modelbook_get ◀── a mark that is met again, a checkpoint
 *
 * A version is held by those who decide by it, and the newest of each affinity by the book, since the next may be a delta
 * over it; one that nobody holds is freed. M2: number and chain name a version: what is found under a number and has another
 * chain is another one. M3: what the book has comes from transactions that were committed. */
#ifndef CONSUMER_DELIVERY_MODELBOOK_H
#define CONSUMER_DELIVERY_MODELBOOK_H

#include "delivery/models.h"

struct modelbook;

/* A version that is held. */
struct modelbook_version {
    struct relance_model *model;
    uint64_t number, recipe, chain;
    char name[PARCEL_NAME_BYTES];
};

struct modelbook *modelbook_open(const struct options *options);
void modelbook_close(struct modelbook *book); /* all have been released; NULL: nothing to do */

/* Rules ask for versions: only then the topic is read. */
void modelbook_want(struct modelbook *book);
/* Takes what has come on the topic since the last time, waiting so long for it: for the one thread that reads. RELANCE_AGAIN: Kafka is silent, or has no such topic yet. */
RELANCE_MUST enum relance_status modelbook_look(struct modelbook *book, int wait_ms,
                                                struct relance_error *error);

/* Looks until a stop is asked for. A pthread start routine; the argument is the book. */
void *modelbook_run(void *book);
/* Why the last look has failed; "": it has not. From any thread. */
enum { MODELBOOK_TROUBLE_SIZE = 512 };
void modelbook_trouble(struct modelbook *book, char trouble[MODELBOOK_TROUBLE_SIZE]);

/* Changes whenever something has become available. */
uint64_t modelbook_edition(struct modelbook *book);
/* The newest version of that affinity, where it was counted by that recipe, held for the caller; NULL: there is none. */
const struct modelbook_version *modelbook_newest(struct modelbook *book, struct relance_str name,
                                                 uint64_t recipe);
/* What has come whole on the topic, over the version that was met before it, which may be NULL; held for the caller. NULL: that is not
 * its base, or it is no version, which the log says. */
struct relance_model *modelbook_build(const struct parcel_joiner *joiner, const struct relance_model *base);
/* Which version a mark names: by number and chain. */
struct modelbook_wanted {
    struct relance_str name;
    uint64_t number, chain;
};
/* That version, held for the caller. RELANCE_AGAIN: Kafka is silent; RELANCE_REFUSED: the topic does not have it, and why. */
RELANCE_MUST enum relance_status modelbook_get(struct modelbook *book, const struct modelbook_wanted *wanted,
                                               const struct modelbook_version **out,
                                               struct relance_error *error);
void modelbook_release(struct modelbook *book, const struct modelbook_version *version);

#endif
