/* --until: an instant, or so long after the newest event. */
#ifndef CONSUMER_HOST_UNTIL_H
#define CONSUMER_HOST_UNTIL_H

#include <relance/engine.h>

struct until {
    int64_t instant_ms, after_ms; /* RELANCE_NEVER: not this one */
};

/* `text` NULL: the clock does not run on. False: it is neither, which has been printed. */
bool until_read(const char *text, struct until *until);
/* The instant to which the clock of an engine runs on; RELANCE_NEVER: it does not. `any`: there have been
 * events. */
int64_t until_instant(const struct until *until, const struct relance_engine *engine, bool any);

#endif
