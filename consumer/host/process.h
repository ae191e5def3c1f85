/* Servers that a demonstration starts for itself: children that end with it, whatever ends it.
 *
 * They are in a process group of their own, so that Ctrl-C reaches only their parent, which then ends them in
 * order; if the parent is killed, the kernel ends them. They get a clean environment: PATH, HOME, LANG, TZ. */
#ifndef CONSUMER_HOST_PROCESS_H
#define CONSUMER_HOST_PROCESS_H

#include <relance/text.h>
#include <stdbool.h>
#include <sys/types.h>

struct process {
    const char *name; /* for messages; borrowed */
    pid_t pid;        /* 0: not running */
};

/* `words` end with NULL; output and errors go to the file at `log_path`. A program that cannot be executed is
 * one that ends at once: process_running tells. */
RELANCE_MUST enum relance_status process_start(struct process *process, const char *name,
                                               const char *const *words, const char *log_path,
                                               struct relance_error *error);
bool process_running(struct process *process);
/* Asks it to end, and ends it after `timeout_ms`. True: it ended by itself, with status 0. */
bool process_stop(struct process *process, int timeout_ms);

#endif
