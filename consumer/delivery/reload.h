/* The rule files of a running engine: read at the start, and again on SIGHUP or, with --watch, when they have
 * changed. A set that checks is offered to the workers, which take it between two cycles, through a mark. One
 * that does not check, or that would not go into a mark, is refused with its diagnostics, and the set in force
 * stays. */
#ifndef CONSUMER_DELIVERY_RELOAD_H
#define CONSUMER_DELIVERY_RELOAD_H

#include "host/file.h"
#include <relance/text.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reload {
    const struct file_paths *paths;
    bool watch;
    size_t most;                  /* bytes that a packed set may have: it travels as one record */
    _Atomic(const char *) packed; /* the set on offer */
    /* all sets that have been on offer: workers may still hold the one before */
    char **texts;
    size_t text_count;
    /* hashes: of the set on offer, of the files last looked at, last tried */
    char hash[13], seen[13], tried[13];
    int64_t looked_us;
    bool has_affinities;                 /* the set read last declares some: versions of models are needed */
    atomic_uint_fast64_t taken, refused; /* sets, since the start */
};

/* Reads and checks the rules that the process starts with; what is wrong with them goes to standard error. */
RELANCE_MUST enum relance_status reload_open(struct reload *reload, const struct file_paths *paths,
                                             struct relance_error *error);
void reload_close(struct reload *reload);
/* No set may be larger than this, also the one read already. */
RELANCE_MUST enum relance_status reload_bound(struct reload *reload, size_t most,
                                              struct relance_error *error);
void reload_on_signal(void);                      /* SIGHUP asks for a look */
void reload_look(struct reload *reload);          /* often; cheap when nothing is to be done */
const char *reload_packed(struct reload *reload); /* valid until reload_close */

#endif
