/* --until: an instant, or so long after the newest event; and --wall, the clock of a replay. */
#ifndef CONSUMER_HOST_UNTIL_H
#define CONSUMER_HOST_UNTIL_H

#include <relance/engine.h>

struct until {
    int64_t instant_ms, after_ms; /* RELANCE_NEVER: not this one */
};

/* `text` NULL: the clock does not run on. False: it is neither, which has been printed. */
bool until_read(const char *text, struct until *until);
/* `text` NULL: RELANCE_NEVER, there is none. False: it is no instant, which has been printed. */
bool wall_read(const char *text, int64_t *wall_ms);
/* The instant to which the clock of an engine runs on; RELANCE_NEVER: it does not. `any`: there have been
 * events. */
int64_t until_instant(const struct until *until, const struct relance_engine *engine, bool any);

#endif
