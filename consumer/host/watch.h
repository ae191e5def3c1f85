/* Watching a rule set while it is being written: whatever a command does, again and again.
 *
 * inotify says that something happens in a folder; what counts is what the files hold, so a set is read again and its hash
 * compared, when all has been quiet for a moment. So it is all the same whether an editor writes into a file, puts another in
 * its place, or leaves others beside it. What inotify does not see (folders within, links to elsewhere, network file systems) a look each
 * second does. */
#ifndef CONSUMER_HOST_WATCH_H
#define CONSUMER_HOST_WATCH_H

#include "host/option.h"

typedef int watch_once(const struct options *options); /* returns an exit status */

/* Calls `once` at once, and again whenever the files of the set that the command's arguments name have changed, until an
 * interrupt; returns what it returned last. On a terminal each time begins a page. */
int watch_run(watch_once *once, const struct options *options);

#endif
